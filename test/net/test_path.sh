#!/bin/bash
# The path emulator itself: does a path have the delay, loss, rate and disorder that were asked for?
. "$(dirname "$0")/lib.sh"
topology_path
need ping iperf3 ncat python3

# counter DIRECTION NAME: of the emulator's statistics.
counter() { path_stats | python3 -c 'import json,sys; print(json.load(sys.stdin)[sys.argv[1]][sys.argv[2]])' "$1" "$2"; }
# pings COUNT [ARGUMENT...]: the report of so many pings, 1 ms apart at most.
pings() { local n=$1; shift; in_ns "$CLIENT" ping -q -n -c "$n" "$@" >"$TMP/ping.log" 2>&1 || true; cat "$TMP/ping.log"; }
rtt_ms() { sed -n 's|^rtt min/avg/max/mdev = [^/]*/\([^/]*\)/.*|\1|p' "$TMP/ping.log"; }

# ---- delay, on both families, and ARP and neighbour discovery pass ----
path_start --up delay=10 --down delay=20
pings 3 "$SERVER4" >/dev/null                        # the first one also waits for the neighbour
pings 20 -i 0.05 "$SERVER4" >/dev/null
expect_between "round trip with 10 + 20 ms" "$(rtt_ms)" 30 33
pings 3 "$SERVER6" >/dev/null
pings 20 -i 0.05 "$SERVER6" >/dev/null
expect_between "round trip with 10 + 20 ms, IPv6" "$(rtt_ms)" 30 33
say "ok: delay"

path_start --both delay=10,jitter=5
pings 100 -i 0.01 "$SERVER4" >/dev/null
read -r min max < <(sed -n 's|^rtt min/avg/max/mdev = \([^/]*\)/[^/]*/\([^/]*\)/.*|\1 \2|p' "$TMP/ping.log")
expect_between "shortest round trip with jitter" "$min" 10 18
expect_between "longest round trip with jitter" "$max" 22 40
say "ok: jitter"

# ---- loss: within five standard deviations, the same again from the same seed ----
path_start --seed 7 --up loss=10
pings 2000 -f -W 0.1 "$SERVER4" >/dev/null
lost=$(counter up lost)
expect_between "lost of 2000 at 10 %" "$lost" 133 267
expect "lost on the way back" "$(counter down lost)" 0
path_start --seed 7 --up loss=10
pings 2000 -f -W 0.1 "$SERVER4" >/dev/null
again=$(counter up lost)
expect_between "lost with the same seed" "$again" $((lost - 5)) $((lost + 5))    # a stray frame shifts the draws
say "ok: loss ($lost and $again of 2000)"

# ---- duplication, reordering, corruption ----
path_start --down duplicate=20
report=$(pings 1000 -f "$SERVER4")
case "$report" in *duplicates*) ;; *) fail "ping saw no duplicates: $report" ;; esac
expect_between "duplicated of 1000 at 20 %" "$(counter down duplicated)" 136 264
say "ok: duplication"

# receive_datagrams: order and content of 500 datagrams 1 ms apart, as the server sees them.
datagrams='
import socket, sys, time
if sys.argv[1] == "send":
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for i in range(500):
        s.sendto(b"%04d" % i + bytes(400), (sys.argv[2], 9999))
        time.sleep(0.001)
else:
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("", 9999))
    print("ready", flush=True)
    s.settimeout(2)
    got = []
    try:
        while True:
            got.append(s.recv(2000))
    except OSError:
        pass
    numbers = [int(g[:4]) for g in got]
    late = sum(1 for i, n in enumerate(numbers) if i and n < max(numbers[:i]))
    gaps = sum(1 for i in range(500) if i not in numbers and (i == 0 or i - 1 in numbers))
    print("received=%d late=%d damaged=%d gaps=%d" % (len(got), late, sum(any(g[4:]) for g in got), gaps))
'
exchange_datagrams() {
    start receiver "$SERVER" python3 -c "$datagrams" receive
    wait_for 5 "the receiver" grep -q ready "$TMP/receiver.log"
    in_ns "$CLIENT" python3 -c "$datagrams" send "$SERVER4"
    wait_for 10 "the receiver's report" grep -q received= "$TMP/receiver.log"
    unset "PIDS[receiver]"
}
reported() { tr ' ' '\n' <"$TMP/receiver.log" | sed -n "s/^$1=//p"; }

path_start --up reorder=10:8
exchange_datagrams
expect "datagrams on a reordering path" "$(reported received)" 500
expect_between "overtaken of 500 at 10 %" "$(reported late)" 20 90
say "ok: reordering ($(reported late) of 500 late)"

path_start --up loss=20,burst=8
exchange_datagrams
lost=$((500 - $(reported received)))
expect_between "lost of 500 at 20 % in bursts" "$lost" 15 300
run=$(awk -v lost="$lost" -v gaps="$(reported gaps)" 'BEGIN { printf "%.1f", lost / gaps }')
expect_between "mean run of losses, 8 asked for" "$run" 3 25
say "ok: bursts ($lost lost in runs of $run)"

path_start --up corrupt=30
exchange_datagrams
corrupted=$(counter up corrupted)
expect_between "damaged of 500 at 30 %" "$corrupted" 95 205
expect "damaged datagrams that were delivered" "$(reported damaged)" 0
expect_between "datagrams left" "$(reported received)" $((500 - corrupted)) $((500 - corrupted / 2))
say "ok: corruption is found by the receiver's checksums"

# ---- rate and queue ----
start iperf "$SERVER" iperf3 -s
wait_for_port "$SERVER" 5201
# mbit OPTION...: received by one kernel TCP connection in 2 s.
mbit() {
    in_ns "$CLIENT" iperf3 -J -t 2 -C reno -c "$SERVER4" "$@" >"$TMP/iperf.json" || fail "iperf3: $(cat "$TMP/iperf.json")"
    python3 -c 'import json,sys; print("%.1f" % (json.load(open(sys.argv[1]))["end"]["sum_received"]["bits_per_second"] / 1e6))' "$TMP/iperf.json"
}
path_start --both delay=2,rate=50,queue=60
rate=$(mbit)
expect_between "TCP over 50 Mbit/s" "$rate" 40 49
late=$(counter up late_us_mean)
[ "$(counter up queue_drops)" -gt 0 ] || fail "the queue of 60 never overflowed"
say "ok: rate $rate Mbit/s; frames left $late us late on average"
rate=$(mbit -R)
expect_between "TCP over 50 Mbit/s, downwards" "$rate" 40 49
path_start --up rate=20,queue=30k,early=80
rate=$(mbit)
expect_between "TCP over 20 Mbit/s with early drops" "$rate" 12 20
[ "$(counter up early_drops)" -gt 0 ] || fail "no early drops"
say "ok: early drops"

path_start
rate=$(mbit)
say "kernel TCP through the unshaped emulator: $rate Mbit/s"
expect_between "TCP through the unshaped emulator" "$rate" 300 100000
expect "frames that the emulator missed" "$(path_stats | python3 -c 'import json,sys; print(json.load(sys.stdin)["missed"])')" 0

# ---- superframes are cut on the way ----
in_ns "$CLIENT" ethtool -K c0 tx on tso on gso on >/dev/null
mbit >/dev/null
[ "$(counter up cut)" -gt 0 ] || fail "no superframe was cut, although the sender makes them"
say "ok: superframes are cut"

# ---- mistakes are explained ----
message=$(in_ns "$PATH_NS" "$TOOLS/trk-path" --up los=3 pc ps 2>&1) && fail "a misspelled condition was accepted"
expect "message" "$message" "trk-path: 'los=3' is no condition I know, or its value is out of bounds; see --help"
message=$(in_ns "$PATH_NS" "$TOOLS/trk-path" pc nowhere 2>&1) && fail "a missing device was accepted"
expect "message" "$message" "trk-path: nowhere: network interface: No such device"
