#!/bin/bash
# The daemon and the engine without the preload: trickles-get fetches files byte-exact, clean and through a bad path,
# with every packet of the flow marked and no RST from either kernel.
. "$(dirname "$0")/lib.sh"
topology_path
need_built "$BIN/tricklesd" "$BIN/trickles-get"
need tcpdump cmp

mkdir "$TMP/www"
sizes=(0 1 1000 1000000 20000000)
for size in "${sizes[@]}"; do head -c "$size" /dev/urandom >"$TMP/www/$size"; done
"$BIN/tricklesd" --generate-key "$TMP/key" >/dev/null
start web "$SERVER" "$BIN/tricklesd" --root "$TMP/www" --listen '*:80' --key-file "$TMP/key"
wait_for_port "$SERVER" 80

# get NS ADDRESS SIZE: byte-exact within a minute.
get() {
    in_ns "$1" timeout 60 "$BIN/trickles-get" --stats -o "$TMP/got" "http://$2/$3" 2>"$TMP/get.log" || fail "$3 bytes from $2: $(cat "$TMP/get.log")"
    cmp "$TMP/got" "$TMP/www/$3" || fail "$3 bytes from $2 differ"
}

start sniffer "$CLIENT" tcpdump --immediate-mode -n -i c0 -U -w "$TMP/flow.pcap" tcp
wait_for 5 "tcpdump" grep -q 'listening on' "$TMP/sniffer.log"
for size in "${sizes[@]}"; do
    get "$CLIENT" "$SERVER4" "$size"
    get "$CLIENT" "[$SERVER6]" "$size"
    get "$SERVER" 127.0.0.1 "$size"
    get "$SERVER" "[::1]" "$size"
    say "ok: $size bytes on IPv4, IPv6 and lo"
done
sleep 0.2
stop sniffer INT
all=$(tcpdump -n -r "$TMP/flow.pcap" 2>/dev/null | wc -l)
# marked: data offset above 5 and the option first, in IPv4 (no options) and IPv6
marked=$(tcpdump -n -r "$TMP/flow.pcap" '(ip and tcp[12] & 0xf0 > 0x50 and tcp[20:4] = 0xfd045452) or (ip6 and ip6[52] & 0xf0 > 0x50 and ip6[60:4] = 0xfd045452)' 2>/dev/null | wc -l)
[ "$all" -gt 1000 ] || fail "the capture holds only $all packets"
expect "marked packets of $all" "$marked" "$all"
say "ok: all $all packets are marked, so no kernel sent a RST of its own"

for conditions in "loss=1" "loss=5" "reorder=1,duplicate=1" "corrupt=0.5"; do
    path_start --both "delay=5,rate=50,queue=100,$conditions"
    for size in 1000 1000000; do
        get "$CLIENT" "$SERVER4" "$size"
        get "$CLIENT" "[$SERVER6]" "$size"
    done
    say "ok: $conditions each way"
done

# Nobody there, nobody listening, only TCP: each has its sentence.
path_start
message=$(in_ns "$CLIENT" "$BIN/trickles-get" "http://$SERVER4:81/" 2>&1) && fail "a closed port answered"
expect "closed port" "$message" "trickles-get: connection refused"
need python3
start tcp "$SERVER" python3 -m http.server 82
wait_for_port "$SERVER" 82
message=$(in_ns "$CLIENT" "$BIN/trickles-get" "http://$SERVER4:82/" 2>&1) && fail "a TCP-only server answered in Trickles"
expect "TCP-only server" "$message" "trickles-get: the server speaks only TCP"
message=$(in_ns "$CLIENT" "$BIN/trickles-get" "http://$SERVER4/nothing-here" 2>&1) && fail "a missing file was found"
expect "missing file" "$message" "trickles-get: the server says: HTTP/1.1 404 Not Found"
say "ok: failures are explained"
