#!/bin/bash
# Trickles beside kernel TCP (nginx, Reno) on the same paths, in one run: the table that claims are made from.
#
#     test/bench/floor.sh [REPEATS]            (root; after a build; about five minutes with 3)
. "$(dirname "$0")/../net/daemon.sh"
. "$NET_DIR/beside_tcp.sh"

repeats=${1:-3}
path="delay=20,rate=20mbit,queue=100"
topology_path --both delay=0
daemon_setup
beside_tcp_setup
for size in 1000 1000000 10000000 200000000; do make_file "$size" "$size"; done
beside_tcp_start

say "Linux $(uname -r), $(nproc) cores, TCP Reno; rates are averages of $repeats downloads each, in turn"
for down in 0 1 5; do
    for size in 1000 1000000 10000000; do
        path_start --up "$path" --down "$path,loss=$down"
        side_by_side "$repeats" "$size" 300 "20 ms, 20 Mbit/s, loses $down % down"
    done
done

# A veth pair instead of the emulator: what the machine itself can do.
stop path
ip netns del "$PATH_NS"
make_veth "$CLIENT" c1 "$SERVER" s1
address "$CLIENT" c1 "$CLIENT4/24" "$CLIENT6/64"
address "$SERVER" s1 "$SERVER4/24" "$SERVER6/64"
side_by_side "$repeats" 200000000 60 "veth"
offloads_off "$CLIENT" c1
offloads_off "$SERVER" s1
side_by_side "$repeats" 200000000 60 "veth, offloads off"
in_ns "$SERVER" tc qdisc add dev s1 root tbf rate 1gbit burst 256kb latency 20ms
side_by_side "$repeats" 200000000 60 "veth, 1 Gbit/s"
