#!/bin/bash
# A floor, not a claim: on a clean path curl through the preload reaches at least half of kernel TCP's rate.
. "$(dirname "$0")/daemon.sh"
. "$NET_DIR/beside_tcp.sh"
need tc

topology_direct
daemon_setup
beside_tcp_setup
make_file big 200000000
in_ns "$SERVER" tc qdisc add dev s0 root tbf rate 1gbit burst 256kb latency 20ms 2>"$TMP/tc.log" || skip "no tbf in this kernel"
beside_tcp_start
side_by_side 3 big 60 "1 Gbit/s" 0.5
expect_between "ratio to kernel TCP" "$RATIO" 0.5 1000
