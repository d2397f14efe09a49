#!/bin/bash
# What a second worker is worth where the application spends 20 us on each event: CPU for each event with one worker and with
# two, and the rates. With two cores the client is a third process that wants one, so what is judged is the CPU: an event must
# not cost more because two share the work.
. "$(dirname "$0")/daemon.sh"
need_built "$TOOLS/trk-crowd" "$TOOLS/trk-workerprobe"

connections=15000                        # each is an opening and a request: the filter holds so many without forgetting any
topology_direct
daemon_setup
awk 'BEGIN { for (i = 0; i < 100; i++) printf "%c", 97 + i % 26 }' >"$WWW/file"

# run WORKERS: sets CPU_US (for each event, of the workers), LEAST (share of the one that did least, in percent), TOOK.
run() {
    start probe "$SERVER" "$TOOLS/trk-workerprobe" "$SERVER4:$PORT" "$1" "$KEY" spin=20 bytes=100
    wait_for_port "$SERVER" "$PORT"
    wait_for 5 "$1 workers" begun "$1"
    start crowd "$CLIENT" "$TOOLS/trk-crowd" "$SERVER4" "$PORT" "$connections" 0 1 /file "$WWW/file"
    wait_for 60 "the crowd to end" grep -q '^fetched' "$TMP/crowd.log"
    local status=0
    wait "${PIDS[crowd]}" || status=$?
    unset 'PIDS[crowd]'
    expect "the crowd's exit status" "$status" 0
    stop probe
    CPU_US=$(awk '/ends:/ { events += $4; ms += $6 } END { printf "%.1f", 1000 * ms / events }' "$TMP/probe.log")
    LEAST=$(awk '/ends:/ { events += $4; if (!n++ || $4 < least) least = $4 } END { printf "%d", 100 * least / events }' "$TMP/probe.log")
    TOOK=$(awk '/^opened/ { a = $5 } /^fetched/ { b = $(NF - 1) } END { print a + b }' "$TMP/crowd.log")
}
begun() { [ "$(grep -c '^worker . begins' "$TMP/probe.log")" -eq "$1" ]; }

declare -A best=([1]=1000 [2]=1000)
for round in 1 2 3; do
    for workers in 1 2; do
        run "$workers"
        say "round $round: $workers workers: $CPU_US us of CPU an event, $((2 * connections)) events in $TOOK s; the least busy had $LEAST %"
        best[$workers]=$(awk -v a="${best[$workers]}" -v b="$CPU_US" 'BEGIN { print a < b ? a : b }')
        [ "$LEAST" -ge $((60 / workers)) ] || fail "one of $workers workers did $LEAST % of the work"
    done
done
say "CPU for an event: ${best[1]} us with one worker, ${best[2]} us with two: two cores of their own would do $(awk -v a="${best[1]}" -v b="${best[2]}" 'BEGIN { printf "%.2f", 2 * a / b }') times the work"
expect_between "CPU of two workers for an event, relative to one's" "$(awk -v a="${best[1]}" -v b="${best[2]}" 'BEGIN { print b / a }')" 0 1.25
