#!/bin/bash
# libtrickles-client and trickles-load: answers in one round trip, a server that is killed under many connections, ports where
# nobody or only TCP answers, and many connections after each other.
. "$(dirname "$0")/lib.sh"
topology_path --both delay=20
need_built "$BIN/tricklesd" "$BIN/trickles-load" "$BIN/trickles-fetch" "$TOOLS/trk-client_cases"
need python3

mkdir "$TMP/www"
echo "hello from the index" >"$TMP/www/index.html"
head -c 1024 /dev/urandom >"$TMP/www/1k"
head -c 100000 /dev/urandom >"$TMP/www/100k"
head -c 300000 /dev/urandom >"$TMP/www/300k"
"$BIN/tricklesd" --generate-key "$TMP/key" >/dev/null
server_start() { start web "$SERVER" "$BIN/tricklesd" --root "$TMP/www" --listen '*:80' --key-file "$TMP/key"; wait_for_port "$SERVER" 80; }
server_start

# load OPTION...: results in $TMP/load.json; its exit status is ours.
load() { in_ns "$CLIENT" timeout 60 "$BIN/trickles-load" -q --json "$TMP/load.json" "$@" >"$TMP/load.log" 2>&1; }
# result EXPRESSION: of the results r.
result() { python3 -c 'import json, sys; r = json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$TMP/load.json" "$1"; }

in_ns "$CLIENT" timeout 10 "$BIN/trickles-fetch" "$SERVER4" >"$TMP/page" || fail "the header's program does not fetch the index"
expect "the page's last line" "$(tail -n 1 "$TMP/page")" "hello from the index"

# The path takes 40 ms there and back.
load -c 1 -n 8 --new-connection "http://$SERVER4/1k" || fail "a new connection for each request"
expect_between "1 KB on a new connection, ms: one round trip" "$(result 'r["latency_us"]["least"] / 1e3')" 40 60
load -c 1 -n 4 --new-connection "http://$SERVER4/100k" || fail "a new connection for 100 kB"
expect_between "100 kB on a new connection, ms: four round trips, as TCP" "$(result 'r["latency_us"]["least"] / 1e3')" 160 195
load -c 1 -n 8 --new-connection --tcp "http://$SERVER4:80/1k" && fail "the daemon answered kernel TCP"
load -c 1 -n 8 "http://[$SERVER6]/1k" || fail "a kept connection"
expect_between "1 KB on a kept connection, ms" "$(result 'r["latency_us"]["least"] / 1e3')" 40 60
expect "connections of it" "$(result 'r["opened"]')" 1
say "ok: first data in the SYN, one round trip"

# A library's own program: reading in pieces, half-close, a descriptor to poll, errors.
in_ns "$CLIENT" timeout 30 "$TOOLS/trk-client_cases" "$SERVER4" 80 || fail "client_cases: $(cat "$TMP"/*.log | tail -n 3)"

# Killed and started again, while 50 connections download and check what they get.
path_start --both delay=5,rate=80,queue=200
start load "$CLIENT" timeout 60 "$BIN/trickles-load" -q --verify --json "$TMP/load.json" -c 50 -d 6 "http://$SERVER4/300k" "http://$SERVER4/1k"
for _ in 1 2 3; do
    sleep 0.8
    stop web KILL
    server_start
done
wait "${PIDS[load]}" || fail "connections did not survive the server: $(cat "$TMP/load.log")"
unset "PIDS[load]"
expect "connections that ever were" "$(result 'r["opened"]')" 50
expect_between "answers meanwhile" "$(result 'r["answers"]')" 50 1000000
say "ok: $(result 'r["answers"]') answers, all alike, over three kills"

# Clear errors.
errors() { result 'next(iter(r["error_kinds"]))'; }
path_start --both delay=1
load -c 1 -n 1 "http://$SERVER4:81/" && fail "nobody listens there"
expect "a dead port" "$(errors)" "connection refused"
start tcp "$SERVER" python3 -m http.server --directory "$TMP/www" 82
wait_for_port "$SERVER" 82
load -c 1 -n 1 "http://$SERVER4:82/" && fail "a TCP server answered in Trickles"
expect "TCP only" "$(errors)" "the server speaks only TCP"
load -c 1 -n 1 "http://${SERVER4%.*}.77/" && fail "a host that is not there answered"
expect "no such host" "$(errors)" "no way to the server: the next hop does not answer, or the route says unreachable"
load -c 1 -n 1 "http://203.0.113.9/" && fail "a host without a route answered"
expect "no route" "$(errors)" "no way to the server: there is no route to it"
load --frobnicate && fail "an unknown option was taken"
grep -q 'frobnicate: unknown option\|unknown option: --frobnicate' "$TMP/load.log" || fail "unknown option: $(cat "$TMP/load.log")"
say "ok: errors are explained"

# Kernel TCP, driven in the same way.
load --tcp --verify -c 4 -n 100 "http://$SERVER4:82/1k" || fail "TCP: $(cat "$TMP/load.log")"
expect "answers over TCP" "$(result 'r["answers"], r["body_bytes"]')" "(100, 102400)"

# Ports are used again, and the client's kernel answers no late packet.
resets() { in_ns "$CLIENT" awk '/^Tcp:/ { n = $15 } END { print n }' /proc/net/snmp; }
before=$(resets)
load -c 50 -n 4000 --new-connection --verify "http://$SERVER4/1k" || fail "4000 connections: $(cat "$TMP/load.log")"
expect "4000 connections one after the other" "$(result 'r["opened"]')" 4000
expect "resets that the client's kernel sent" "$(resets)" "$before"
say "ok: 4000 connections after each other"
