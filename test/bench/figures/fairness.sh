#!/bin/bash
# Fairness: n flows of Trickles beside n flows of TCP at the bottleneck of background.sh.

figure_fairness() {
    local counts=(1 4) seconds=10 tcp n
    if [ "$MODE" = full ]; then counts=(1 2 4 8) seconds=20; fi
    for tcp in reno cubic; do
        for n in "${counts[@]}"; do fairness_cell "$tcp" "$n" "$seconds"; done
    done
}
# fairness_cell TCP FLOWS SECONDS
fairness_cell() {
    local round i stack name
    say "fairness: $2 flows of Trickles beside $2 of $1"
    use_tcp "$1"
    for ((round = 1; round <= ROUNDS; round++)); do
        path_start --seed "$round" --up delay=20 --down "$BOTTLENECK"
        for ((i = 1; i <= $2; i++)); do
            for stack in $(in_turn $((round + i)) trickles "$1"); do flow_start "$stack$i" "$stack"; sleep 0.1; done
        done
        sleep 3
        flows_measure "$3" "${!FLOW_STACK[@]}"
        for name in "${!FLOW_STACK[@]}"; do
            stack=${FLOW_STACK[$name]}
            flow_stop "$name" || true
            record fairness "$BOTTLENECK_NAME" "$1" "$2" "$stack" "${name#"$stack"}" "$round" "${FLOW_GOT[$name]}" "$SECONDS_TAKEN" "$WHY"
        done
    done
}
