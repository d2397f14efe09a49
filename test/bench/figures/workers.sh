#!/bin/bash
# What a second worker is worth, where the application spends 20 us of CPU on each request: answers per second of two workers and of
# one, to many flows and to a single one. The generator (trk-replay) made its requests beforehand, as with two cores whatever it
# needs the workers lack; its share is in the table. Where others use the machine as well, a session of its own with
# `echo -20 >/proc/self/autogroup` before it gets the cores for this.

figure_workers() {
    local seconds=1 flows
    if [ "$MODE" = full ]; then seconds=4; fi
    need_built "$TOOLS/trk-replay" "$TOOLS/trk-workerprobe"
    for flows in 64 1; do workers_cell "$flows" "$seconds"; done
}
# workers_cell FLOWS SECONDS
workers_cell() {
    local round stack
    say "workers: $1 flows"
    for ((round = 1; round <= ROUNDS; round++)); do
        for stack in $(in_turn "$round" trickles one-worker); do workers_turn "$stack" "$1" "$2" "$round"; done
    done
}
# workers_turn STACK FLOWS SECONDS ROUND
workers_turn() {
    local n=2 port=8081 cpu answers=0 took=0 own=0
    if [ "$1" = one-worker ]; then n=1; fi
    start probe "$SERVER" "$TOOLS/trk-workerprobe" "${DIRECT_SERVER[1]}:$port" "$n" "$KEY" spin=20 bytes=100 filter=64
    wait_for 5 "$n workers" workers_begun "$n"
    PROBLEM=
    timed_run in_ns "$CLIENT" "$TOOLS/trk-replay" "${DIRECT_SERVER[1]}" "$port" "$KEY" "$2" "$3" || PROBLEM="trk-replay: $(tail -n 1 "$TMP/run.log")"
    stop probe
    if [ -z "$PROBLEM" ]; then answers=$(json answers) took=$(json seconds) own=$(json cpu); fi
    cpu=$(awk -v answers="$answers" '/ends:/ { events += $4; ms += $6 } END { printf "%.6f", events ? answers * ms / 1000 / events : 0 }' "$TMP/probe.log")
    COSTS="$cpu,$own,,,"
    record workers veth flows "$2" "$1" 1 "$4" "$answers" "$took" "$PROBLEM"
}
workers_begun() { [ "$(grep -c '^worker . begins' "$TMP/probe.log")" -eq "$1" ]; }
