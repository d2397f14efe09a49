#!/bin/bash
# Many clients at a bottleneck, each fetching one object of 500 kB after the other over a new connection (the paper's Figure 9),
# with the server's memory (Figure 11) and CPU time (Figure 12) meanwhile.

figure_clients() {
    local counts=(1 1000) seconds=3 rate n
    if [ "$MODE" = full ]; then counts=(1 10 100 1000 5000 10000) seconds=15; fi
    make_file object 500000
    for rate in 100 1000; do
        # Frames longer than the bucket are cut before the queue, as on a real line: the offloads stay on.
        in_ns "$SERVER" tc qdisc replace dev s1 root tbf rate "${rate}mbit" burst 32kb latency 50ms
        for n in "${counts[@]}"; do clients_cell "$rate Mbit/s" "$n" "$seconds"; done
        in_ns "$SERVER" tc qdisc del dev s1 root
    done
}
# clients_cell PATH CLIENTS SECONDS
clients_cell() {
    local round stack
    say "clients: $1, $2"
    for ((round = 1; round <= ROUNDS; round++)); do
        for stack in $(in_turn "$round" trickles reno); do
            meter_start "$stack" 1
            clients_memory "$stack" "$3" &
            load "$stack" "${DIRECT_SERVER[1]}" object -c "$2" -d "$3" --new-connection --timeout=120000
            wait $!
            # What the clients read, of unfinished objects as well: of 10,000 at 100 Mbit/s few are finished in any time that one waits,
            # and whose are is a matter of who began first.
            if [ -z "$PROBLEM" ]; then BYTES=$(json bytes); fi
            RESIDENT_KB=$(cat "$TMP/resident") meter_stop "$CPU_S"
            record clients "$1" clients "$2" "$stack" 1 "$round" "$BYTES" "$SECONDS_TAKEN" "$PROBLEM"
        done
    done
}
# clients_memory STACK SECONDS: in the middle of it.
clients_memory() { sleep "$(($2 / 2 + 1))"; resident_kb $(server_processes "$1") >"$TMP/resident"; }
