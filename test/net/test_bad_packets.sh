#!/bin/bash
# Bad packets at the daemon's door: each way to be bad has its counter, nothing unproven is answered, and clients beside it
# are served as ever.
. "$(dirname "$0")/daemon.sh"

topology_direct
offloads_off "$CLIENT" c0
daemon_setup
make_file file 200000
daemon_start "$SERVER" daemon --stats "$TMP/stats"
start tcpdump "$CLIENT" tcpdump -i c0 -n -s 0 --immediate-mode -w "$TMP/requests.pcap" "dst port $PORT"
wait_for 5 "tcpdump to listen" grep -q 'listening on' "$TMP/tcpdump.log"
trickles curl -sS --fail -o "$TMP/got" "$URL4/file"
sleep 0.2
stop tcpdump INT

# counters: all of them, now, as NAME=VALUE words in COUNTERS.
counters() {
    rm -f "$TMP/stats"
    kill -USR1 "${PIDS[daemon]}"
    wait_for 2 "statistics" test -s "$TMP/stats"
    COUNTERS=$(sed -E 's/.*"counters":\{(.*)\}\}/\1/; s/"//g; s/:/=/g; s/,/ /g' "$TMP/stats")
}
value() { tr ' ' '\n' <<<"$COUNTERS" | sed -n "s/^$1=//p"; }
memory() { awk '/^VmRSS:/ { print $2 }' "/proc/${PIDS[daemon]}/status"; }

counters
resident=$(memory)
for kind in bad-checksum bad-version bad-form bad-flags rst-hint short truncated bad-address not-local bad-seal; do
    before=$(value "$kind") answered=$(value packets-sent) received=$(value packets-received)
    sent=$(in_ns "$CLIENT" "$PYTHON" "$NET_DIR/bad_packets.py" c0 "$TMP/requests.pcap" "$kind") || fail "no $kind packets were sent"
    sleep 0.3
    counters
    expect_between "$kind counted, of $sent packets" $(($(value "$kind") - before)) 1 "$sent"
    expect "$kind: packets received" $(($(value packets-received) - received)) "$sent"
    case $kind in
        bad-seal|truncated) ;;         # a few flips hit what nobody proves, and are honest requests then
        *) expect "$kind: packets in answer" $(($(value packets-sent) - answered)) 0
           expect "$kind: counted otherwise" $(($(value "$kind") - before)) "$sent" ;;
    esac
    say "$kind: $(($(value "$kind") - before)) of $sent"
done
say "all: $(tr ' ' '\n' <<<"$COUNTERS" | grep -v '=0$' | tr '\n' ' ')"
if ! grep -q __asan_init "$BIN/tricklesd"; then        # a sanitizer keeps freed memory
    expect_between "growth of memory, kB" $(($(memory) - resident)) -100000 64
fi
trickles curl -sS --fail -o "$TMP/got" "$URL4/file" && cmp "$WWW/file" "$TMP/got" || fail "a client afterwards"
