#!/bin/bash
# Goodput beside kernel TCP where answers, requests or both get lost: the grid of the virtual world (test/sim/sim_goodput.c)
# on real packets.
GRID_LIMIT_S=300

figure_grid() {
    local stacks=(trickles reno) bytes=1000000 losses=(0.1 1 2 5) direction loss
    if [ "$MODE" = full ]; then stacks=(trickles reno cubic) bytes=3000000; fi
    make_file grid "$bytes"
    local name spec
    # RTT 20 ms, 12 Mbit/s and a queue of the bandwidth-delay product; RTT 50 ms and no bottleneck.
    for name in "20 ms with a queue" "50 ms without a queue"; do
        spec="delay=10,rate=12,queue=20"
        if [ "$name" = "50 ms without a queue" ]; then spec="delay=25"; fi
        grid_cell "$name" "$spec" "no loss" 0 0 0
        for direction in answers requests both; do
            for loss in "${losses[@]}"; do
                case $direction in
                    answers)  grid_cell "$name" "$spec" "$direction" "$loss" 0 "$loss" ;;
                    requests) grid_cell "$name" "$spec" "$direction" "$loss" "$loss" 0 ;;
                    both)     grid_cell "$name" "$spec" "$direction" "$loss" "$loss" "$loss" ;;
                esac
            done
        done
    done
}
# grid_cell PATH SPEC SERIES X UP DOWN. The requests' way has the delay, but no bottleneck that a request could notice.
grid_cell() {
    local round stack
    say "grid: $1, $3 $4 %"
    for ((round = 1; round <= ROUNDS; round++)); do
        for stack in $(in_turn "$round" "${stacks[@]}"); do
            path_start --seed "$round" --up "${2%%,*},loss=$5" --down "$2,loss=$6"
            download "$stack" grid "$GRID_LIMIT_S"
            record grid "$1" "$3" "$4" "$stack" 1 "$round" "$BYTES" "$SECONDS_TAKEN" "$PROBLEM"
        done
    done
}
