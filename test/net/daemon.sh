#!/bin/bash
# daemon.sh - what the system tests share on top of lib.sh: the daemon, its files, its clients.
#
#     . "$(dirname "$0")/daemon.sh"
#     topology_direct
#     daemon_setup
#     make_file hello 5
#     daemon_start "$SERVER"
#     trickles curl -s "$URL4/hello"
#
# Variables: WWW (the root directory)  KEY  PORT  URL4 URL6
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

PORT=80
URL4=http://$SERVER4
URL6="http://[$SERVER6]"
WWW=$TMP/www KEY=$TMP/key
PYTHON=/usr/bin/python3                   # Debian's own: no wrapper script between the preload and the program

# daemon_setup: everything is built, and there are a root directory and a key.
daemon_setup() {
    need curl tcpdump
    need_built "$BIN/tricklesd" "$BIN/trickles" "$LIB/libtrickles.so" "$TOOLS/trk-pcap_check"
    mkdir -p "$WWW"
    "$BIN/tricklesd" --generate-key "$KEY" >/dev/null
}
# make_file NAME BYTES: random contents.
make_file() { head -c "$2" /dev/urandom >"$WWW/$1"; }

# daemon_start NS [NAME] [options]: listens on every address of NS, IPv4 and IPv6.
daemon_start() {
    local ns=$1 name=${2:-daemon}
    shift; [ $# -eq 0 ] || shift
    start "$name" "$ns" "$BIN/tricklesd" --root "$WWW" --key-file "$KEY" --listen "0.0.0.0:$PORT" --listen "[::]:$PORT" "$@"
    wait_for 5 "tricklesd to listen" daemon_listens "$ns" "$name"
}
daemon_listens() {
    alive "$2" || fail "tricklesd ended at once"
    listens "$1" "$PORT"
}
# daemon_kill [NAME]: kill -9, as nothing else is as sudden.
daemon_kill() { stop "${1:-daemon}" KILL 2>/dev/null; }   # not even the shell has to say so

# trickles COMMAND...: in the client's namespace under the preload. It must speak Trickles: falling back is an error.
trickles() { trickles_in "$CLIENT" "$@"; }
trickles_in() {
    local ns=$1; shift
    in_ns "$ns" env TRICKLES=require "$BIN/trickles" "$@"
}

# fetch CLIENT URL FILE [NS]: one download with curl, wget or python, as a user would do it.
fetch() {
    local ns=${4:-$CLIENT}
    case $1 in
        curl)   trickles_in "$ns" curl --silent --show-error --fail --max-time 200 --output "$3" "$2" ;;
        wget)   trickles_in "$ns" wget --quiet --tries=1 --timeout=60 --output-document="$3" "$2" ;;
        python) trickles_in "$ns" "$PYTHON" "$NET_DIR/http_get.py" "$2" "$3" ;;
    esac
}

# capture_start NS DEV [NAME]: everything to and from PORT, first 128 bytes of each packet, into $TMP/NAME.pcap.
capture_start() {
    local name=${3:-capture}
    start "$name" "$1" tcpdump -i "$2" -n -s 128 -B 65536 --immediate-mode -w "$TMP/$name.pcap" "tcp port $PORT"
    wait_for 5 "tcpdump to listen" grep -q 'listening on' "$TMP/$name.log"
}
# capture_stop [NAME]: what was sent last is in the file afterwards.
capture_stop() {
    sleep 0.3
    stop "${1:-capture}" INT
    # A capture with holes proves nothing.
    if ! grep -q '^0 packets dropped by kernel' "$TMP/${1:-capture}.log"; then fail "tcpdump lost packets"; fi
}
# capture_is_ours [NAME]: each packet carries the option and no kernel sent an RST; sets COUNTS.
capture_is_ours() {
    COUNTS=$("$TOOLS/trk-pcap_check" "$TMP/${1:-capture}.pcap" "$PORT" 2>"$TMP/pcap_check.log") ||
        fail "the capture shows segments that are not ours: $COUNTS"
}
# counted KEY: a number out of COUNTS.
counted() { sed -E "s/.*\b$1=([0-9]+).*/\1/" <<<"$COUNTS"; }
