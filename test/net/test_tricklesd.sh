#!/bin/bash
# tricklesd as an operator meets it: every bad start is one clear line and an exit code, signals, keys, statistics.
. "$(dirname "$0")/lib.sh"

need_net
need ss setpriv python3
need_built "$BIN/tricklesd"
make_ns "$SERVER"
mkdir "$TMP/www"
echo hello >"$TMP/www/index.html"
KEY=$TMP/key

# run ARGUMENT...: the daemon in the foreground, at most 5 s; sets STATUS, OUT (standard output) and ERR.
run() {
    STATUS=0
    in_ns "$SERVER" timeout -k 1 5 "${PREFIX[@]}" "$BIN/tricklesd" "$@" >"$TMP/out" 2>"$TMP/err" </dev/null || STATUS=$?
    OUT=$(<"$TMP/out") ERR=$(<"$TMP/err")
}
PREFIX=()
# bad STATUS WORDS ARGUMENT...: must end with STATUS and exactly one line, which holds WORDS.
bad() {
    local status=$1 words=$2; shift 2
    run "$@"
    [ "$STATUS" = "$status" ] || fail "tricklesd $*: exit code $STATUS, wanted $status: $ERR"
    [ -z "$OUT" ] || fail "tricklesd $*: standard output: $OUT"
    [ "$(wc -l <"$TMP/err")" = 1 ] || fail "tricklesd $*: more than one line: $ERR"
    case $ERR in
        "tricklesd: "*"$words"*) ;;
        *) fail "tricklesd $*: '$ERR' does not say '$words'" ;;
    esac
}

# ---- help, version, usage ----
run --help
expect "exit code of --help" "$STATUS" 0
for option in --root --listen --key-file --generate-key --stats --pcap --verbose --version --help; do
    case $OUT in *"$option"*) ;; *) fail "--help does not name $option" ;; esac
done
run --version
expect "exit code of --version" "$STATUS" 0
case $OUT in "tricklesd "[0-9]*) ;; *) fail "--version: $OUT" ;; esac
bad 2 "--root DIR is missing"
bad 2 "--nonsense" --nonsense
bad 2 "unexpected argument: extra" --root "$TMP/www" extra
bad 2 "--root" --root
bad 2 "it goes with no other option" --generate-key "$TMP/k" --root "$TMP/www"

# ---- bad starts ----
GOOD=(--root "$TMP/www" --listen 127.0.0.1:8080)
bad 1 "cannot serve $TMP/nothing: No such file or directory" --root "$TMP/nothing" --listen 127.0.0.1:8080
bad 1 "Not a directory" --root "$TMP/www/index.html" --listen 127.0.0.1:8080
for address in 80 localhost:80 127.0.0.1:99999 "[::1]80" 10.0.0.1; do
    bad 1 "'$address' is not a listen address" --root "$TMP/www" --listen "$address"
done
bad 1 "cannot listen on 192.0.2.7:80" --root "$TMP/www" --listen 192.0.2.7:80
start busy "$SERVER" python3 -c 'import socket, time
s = socket.create_server(("127.0.0.1", 8080))
time.sleep(60)'
wait_for_port "$SERVER" 8080
bad 1 "another program has this port" "${GOOD[@]}"
stop busy
bad 1 "key file $TMP/none: No such file" "${GOOD[@]}" --key-file "$TMP/none"
echo "rubbish" >"$TMP/bad-key"
chmod 600 "$TMP/bad-key"
bad 1 "$TMP/bad-key:1: not 'EPOCH" "${GOOD[@]}" --key-file "$TMP/bad-key"
bad 1 "cannot capture to $TMP/no/where" "${GOOD[@]}" --pcap "$TMP/no/where"
chmod 755 "$TMP" "$TMP/www"
PREFIX=(setpriv --reuid 65534 --regid 65534 --clear-groups --bounding-set=-all --inh-caps=-all)
if "${PREFIX[@]}" test -x "$BIN/tricklesd" 2>/dev/null; then
    bad 1 "CAP_NET_RAW" "${GOOD[@]}"
    say "without rights: $ERR"
else
    say "not tried: a start without rights, as nobody may run $BIN/tricklesd"
fi
PREFIX=()

# ---- keys ----
run --generate-key "$KEY"
expect "exit code of --generate-key" "$STATUS" 0
expect "mode of a key file" "$(stat -c %a "$KEY")" 600
before=$(sha256sum <"$KEY")
bad 1 "exists already, and is never overwritten" --generate-key "$KEY"
expect "an existing key file" "$(sha256sum <"$KEY")" "$before"
bad 1 "No such file or directory" --generate-key "$TMP/no/where"
chmod 640 "$KEY"
bad 1 "others can read it: chmod 600 it" "${GOOD[@]}" --key-file "$KEY"
chmod 600 "$KEY"

bad 1 "cannot write statistics to $TMP/no/where" "${GOOD[@]}" --key-file "$KEY" --stats "$TMP/no/where"

# ---- signals and statistics ----
start daemon "$SERVER" "$BIN/tricklesd" "${GOOD[@]}" --listen "[::1]:8081" --key-file "$KEY" --stats "$TMP/stats.json" --verbose
wait_for_port "$SERVER" 8080
wait_for_port "$SERVER" 8081
said() { grep -qF -- "$1" "$TMP/daemon.log"; }
wait_for 5 "the daemon to serve" said "serving $TMP/www on 127.0.0.1:8080, [::1]:8081"
rm "$TMP/stats.json"
kill -USR1 "${PIDS[daemon]}"
wait_for 5 "statistics" test -s "$TMP/stats.json"
wait_for 5 "the counters" said "answered"
expect "lines of counters about bad seals" "$(grep -c 'bad-seal' "$TMP/daemon.log")" 1
python3 - "$TMP/stats.json" <<'PY'
import json, sys
stats = json.load(open(sys.argv[1]))
counters = stats["counters"]
wanted = ["short", "bad-checksum", "bad-seal", "bad-proof", "replayed", "refreshed", "answered", "dropped", "reset", "closed", "packets-received"]
missing = [name for name in wanted if not isinstance(counters.get(name), int)]
if missing or stats["resident_kib"] <= 0:
    sys.exit(f"statistics lack {missing}: {stats}")
PY
kill -HUP "${PIDS[daemon]}"
wait_for 5 "the keys to be read again" said "keys read again from $KEY: 1 epochs"
echo "rubbish" >>"$KEY"
kill -HUP "${PIDS[daemon]}"
wait_for 5 "the bad key file to be refused" said "keys stay as they were"
alive daemon || fail "a bad key file ended the daemon"
begin=$(milliseconds)
stop daemon TERM
expect "exit code after TERM" "$STOPPED" 0
expect_between "ms to end after TERM" $(($(milliseconds) - begin)) 0 1000
[ ! -e "$TMP/stats.json.new" ] || fail "a temporary statistics file is left"

start daemon "$SERVER" "$BIN/tricklesd" "${GOOD[@]}" --stats -
wait_for 5 "the warning about random keys" said "no --key-file"
kill -HUP "${PIDS[daemon]}"
wait_for 5 "the remark about keys" said "no key file to read again"
stop daemon INT
expect "exit code after INT" "$STOPPED" 0
expect "JSON objects, at the start and at the end" "$(grep -c '^{"program":"tricklesd"' "$TMP/daemon.log")" 2

# ---- listen addresses that overlap ----
start daemon "$SERVER" "$BIN/tricklesd" --root "$TMP/www" --listen 0.0.0.0:8080 --listen "[::]:8080" --listen "*:8080" --pcap "$TMP/capture"
wait_for 5 "both families" said "serving"
expect "mode of a capture" "$(stat -c %a "$TMP/capture")" 600
stop daemon TERM
say "bad starts, signals, keys and statistics: as they should be"
