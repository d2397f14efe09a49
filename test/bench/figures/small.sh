#!/bin/bash
# Small objects over a path with delay, one client, one object after the other, each over a new connection (the paper's
# Figure 10): how many per second.

figure_small() {
    local sizes=(1000 100000) seconds=2 rtt size
    if [ "$MODE" = full ]; then sizes=(500 1000 3000 10000 30000 100000 300000 1000000) seconds=6; fi
    for size in "${sizes[@]}"; do make_file "small$size" "$size"; done
    for rtt in 10 50; do
        for size in "${sizes[@]}"; do small_cell "$rtt" "$size" "$seconds"; done
    done
}
# small_cell RTT_MS BYTES SECONDS
small_cell() {
    local round stack
    say "small: RTT $1 ms, $2 bytes"
    for ((round = 1; round <= ROUNDS; round++)); do
        for stack in $(in_turn "$round" trickles reno); do
            path_start --seed "$round" --both "delay=$(($1 / 2))"
            load "$stack" "$SERVER4" "small$2" -c 1 -d "$3" --new-connection
            record small "RTT $1 ms" "new connection" "$2" "$stack" 1 "$round" "$ANSWERS" "$SECONDS_TAKEN" "$PROBLEM"
        done
    done
}
