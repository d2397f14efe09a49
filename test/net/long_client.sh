#!/bin/bash
# Ten thousand connections of one process at the same time, each of which fetches 1 KB, rests, and fetches it again: no error, one
# descriptor and a bounded amount of memory each.
. "$(dirname "$0")/lib.sh"
CONNECTIONS=10000
[ "$(ulimit -Hn)" -ge $((CONNECTIONS + 100)) ] || skip "the limit of open files is $(ulimit -Hn)"
topology_direct
need_built "$BIN/tricklesd" "$BIN/trickles-load"
need python3
mkdir "$TMP/www"
head -c 1024 /dev/urandom >"$TMP/www/1k"
"$BIN/tricklesd" --generate-key "$TMP/key" >/dev/null
start web "$SERVER" "$BIN/tricklesd" --root "$TMP/www" --listen '*:80' --key-file "$TMP/key"
wait_for_port "$SERVER" 80
result() { python3 -c 'import json, sys; r = json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$TMP/load.json" "$1"; }

rounds=5
in_ns "$CLIENT" timeout 170 "$BIN/trickles-load" -q --verify -c $CONNECTIONS -n $((rounds * CONNECTIONS)) -t 3000 --json "$TMP/load.json" \
    "http://$SERVER4/1k" >"$TMP/load.log" 2>&1 || fail "10,000 connections: $(cat "$TMP/load.log")"
expect "answers" "$(result 'r["answers"]')" $((rounds * CONNECTIONS))
expect "connections" "$(result 'r["opened"]')" $CONNECTIONS
each=$(result "r['memory_kb'] / $CONNECTIONS")
expect_between "KB of memory for each connection" "$each" 10 160
say "ok: $CONNECTIONS connections, $each KB each; latency $(result 'r["latency_us"]["p50"] / 1e3') ms at 50 %, $(result 'r["latency_us"]["p99"] / 1e3') ms at 99 %"
