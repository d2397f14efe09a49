#!/bin/bash
# kill -9 of the daemon at random moments, 20 times in one download, restarted each time: curl never notices.
. "$(dirname "$0")/daemon.sh"
need tc

kills=20
topology_direct
daemon_setup
make_file big 100000000
# Slow enough that 20 lives of the daemon fit into one download: 12 MB/s, about 8 s of sending.
in_ns "$SERVER" tc qdisc add dev s0 root tbf rate 100mbit burst 64kb latency 50ms 2>"$TMP/tc.log" || skip "no tbf in this kernel"
daemon_start "$SERVER"

trickles curl -sS --fail --max-time 150 -o "$TMP/got" "$URL4/big" >"$TMP/curl.log" 2>&1 &
PIDS[curl]=$!
RANDOM=${TRICKLES_SEED:-$$}
say "seed ${TRICKLES_SEED:-$$} (TRICKLES_SEED=N repeats its moments)"
arrived() { stat -c %s "$TMP/got" 2>/dev/null || echo 0; }
grown() { [ "$(arrived)" -gt "$1" ]; }
wait_for 10 "the first bytes" grown 0              # who connects to a dead server is refused, as everywhere
inside=0
for ((i = 1; i <= kills; i++)); do
    alive curl || fail "curl ended after $((i - 1)) kills at $(arrived) bytes"
    sleep "0.$(printf '%03d' $((RANDOM % 250)))"
    alive curl && [ "$(arrived)" -lt 100000000 ] && inside=$((inside + 1))
    daemon_kill
    sleep "0.0$((RANDOM % 10))"
    daemon_start "$SERVER"
    # Each life must serve something, or 20 kills would be one long outage.
    before=$(arrived)
    wait_for 10 "the download to go on after kill $i" grown "$before"
done
status=0
wait "${PIDS[curl]}" || status=$?
unset 'PIDS[curl]'
expect "curl's exit code" "$status" 0
cmp "$WWW/big" "$TMP/got" || fail "wrong bytes"
expect "kills inside of the download" "$inside" "$kills"
say "$inside kills, 100 MB arrived whole"
