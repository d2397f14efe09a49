#!/bin/bash
# The paper's Figure 13: a foreground flow of Trickles or TCP against 0-10 background TCP flows on one bottleneck, whose
# queue is the bandwidth-delay product with a drop limit random between 80 and 100 % of it. Each stack is the foreground
# in turn, among the same background flows.
BOTTLENECK="delay=20,rate=30,queue=100,early=80" BOTTLENECK_NAME="40 ms and 30 Mbit/s"

figure_background() {
    local counts=(0 2 10) seconds=5 tcp n
    if [ "$MODE" = full ]; then counts=(0 1 2 4 6 8 10) seconds=10; fi
    for tcp in reno cubic; do
        for n in "${counts[@]}"; do background_cell "$tcp" "$n" "$seconds"; done
    done
}
# background_cell TCP FLOWS SECONDS
background_cell() {
    local round i stack
    say "background: $2 flows of $1"
    use_tcp "$1"
    for ((round = 1; round <= ROUNDS; round++)); do
        path_start --seed "$round" --up delay=20 --down "$BOTTLENECK"
        for ((i = 1; i <= $2; i++)); do flow_start "background$i" "$1"; sleep 0.1; done
        if [ "$2" -gt 0 ]; then sleep 3; fi
        for stack in $(in_turn "$round" trickles "$1"); do background_turn "$1" "$2" "$3" "$round" "$stack"; done
        for ((i = 1; i <= $2; i++)); do
            flow_stop "background$i" || record background "$BOTTLENECK_NAME" "$1" "$2" "$1" "background$i" "$round" 0 0 "$WHY"
        done
    done
}
# background_turn TCP FLOWS SECONDS ROUND STACK
background_turn() {
    flow_start foreground "$5"
    sleep 2                              # it finds its place
    flows_measure "$3" foreground
    WHY=
    flow_stop foreground || true
    record background "$BOTTLENECK_NAME" "$1" "$2" "$5" 1 "$4" "${FLOW_GOT[foreground]}" "$SECONDS_TAKEN" "$WHY"
    sleep 1                              # the others take back what it had
}
