#!/bin/bash
# A floor, not a claim: on a clean path curl through the preload reaches at least half of kernel TCP's rate.
. "$(dirname "$0")/daemon.sh"
. "$NET_DIR/kernel_tcp.sh"

topology_direct
daemon_setup
kernel_tcp_setup
make_file big 200000000
daemon_start "$SERVER"
kernel_tcp_start

# megabits STACK: rate of one download of the big file, which stays in memory.
megabits() {
    local began
    began=$(milliseconds)
    case $1 in
        trickles) trickles curl -sS --fail --max-time 100 -o /dev/null "$URL4/big" || fail "trickles: curl ended with $?" ;;
        tcp)      kernel_tcp_get big /dev/null || fail "tcp: curl ended with $?" ;;
    esac
    echo $((200000000 * 8 / ($(milliseconds) - began + 1) / 1000))
}
# Best of three each, in turn: what else the machine does slows both, and a floor asks what is possible.
best_ours=0 best_tcp=0
for i in 1 2 3; do
    ours=$(megabits trickles) tcp=$(megabits tcp)
    say "run $i: trickles $ours Mbit/s, kernel TCP $tcp Mbit/s"
    if [ "$ours" -gt "$best_ours" ]; then best_ours=$ours; fi
    if [ "$tcp" -gt "$best_tcp" ]; then best_tcp=$tcp; fi
done
ratio=$(awk -v o="$best_ours" -v t="$best_tcp" 'BEGIN { printf "%.2f", o / t }')
say "ratio $ratio"
expect_between "ratio to kernel TCP" "$ratio" 0.5 1000
