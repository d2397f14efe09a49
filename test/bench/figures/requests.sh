#!/bin/bash
# Requests for objects of 1 kB per second: 64 and 1,000 connections of one client on the engine, over a veth pair.

figure_requests() {
    local seconds=2 n how
    if [ "$MODE" = full ]; then seconds=8; fi
    make_file request 1000
    for how in kept new; do
        for n in 64 1000; do requests_cell "$how" "$n" "$seconds"; done
    done
}
# requests_cell kept|new CONNECTIONS SECONDS
requests_cell() {
    local round stack options=()
    say "requests: $1 connections, $2"
    if [ "$1" = new ]; then options=(--new-connection); fi
    for ((round = 1; round <= ROUNDS; round++)); do
        for stack in $(in_turn "$round" trickles reno); do
            meter_start "$stack" 1
            load "$stack" "${DIRECT_SERVER[1]}" request -c "$2" -d "$3" --warmup=1 "${options[@]}"
            meter_stop "$CPU_S"
            record requests veth "$1" "$2" "$stack" 1 "$round" "$ANSWERS" "$SECONDS_TAKEN" "$PROBLEM"
        done
    done
}
