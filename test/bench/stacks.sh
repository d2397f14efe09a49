#!/bin/bash
# stacks.sh - transfers by Trickles and by kernel TCP on one emulated path, and the record of them. Source it after
# ../net/beside_tcp.sh.
#
# A figure (figures/NAME.sh) consists of cells, and a cell of rounds; in each round every stack has its turn, so that what
# disturbs the machine meets all of them. Each transfer is a line of the figure's record, for report.py:
#
#     figure,path,series,x,stack,flow,round,bytes,seconds,load,missed,late_us,server_cpu,client_cpu,server_frames,client_frames,
#     server_kb,problem
#
# stack: trickles, reno or cubic. load: the machine's load average. missed and late_us: frames that the emulator lost for
# want of CPU, and how late it sent the latest one; both say how far to trust the line. server_cpu and client_cpu: CPU seconds of the two programs; frames: sent by each
# side; server_kb: resident memory; these may be empty (direct.sh measures them). bytes: of bodies; requests and small: answers.
# problem: empty, or what was wrong.

FLOW_FILE=flow                           # what flows that are stopped after a time download: longer than they get

# bench_start FLOW_BYTES: namespaces, servers and the file for flows. Paths are made by path_start.
bench_start() {
    topology_path --both delay=0
    daemon_setup
    beside_tcp_setup
    local ns tcp
    # Each connection is the first one: what the kernel has noted about the way to a peer must not help or hinder it.
    for ns in "$CLIENT" "$SERVER"; do in_ns "$ns" sysctl -qw net.ipv4.tcp_no_metrics_save=1; done
    make_file "$FLOW_FILE" "$1"
    beside_tcp_start
    path_start --both delay=1,rate=10
    for tcp in reno cubic; do need_tcp "$tcp"; done
}

# use_tcp reno|cubic: what nginx's next connections use. By the route, as a namespace's default may only be what the machine
# allows every user.
use_tcp() {
    ip -n "$SERVER" route replace "${SERVER4%.*}.0/24" dev s0 proto kernel scope link src "$SERVER4" congctl "$1" \
        2>"$TMP/congctl.log" || skip "this kernel has no congestion control '$1'"
}
# need_tcp reno|cubic: a connection really has it.
need_tcp() {
    use_tcp "$1"
    flow_start probe "$1"
    wait_for 5 "a connection of $1" connection_of "$1"
    flow_stop probe || fail "a flow of $1: $WHY"
}
connection_of() { in_ns "$SERVER" ss -Htin state established "sport = :$TCP_PORT" | grep -qw "$1"; }

# record FIGURE PATH SERIES X STACK FLOW ROUND BYTES SECONDS PROBLEM
record() {
    local stats missed late
    stats=$(path_stats)
    missed=$(sed -E 's/.*"missed":([0-9]+).*/\1/' <<<"$stats")
    late=$(grep -oE '"late_us_max":[0-9.]+' <<<"$stats" | cut -d: -f2 | sort -n | tail -n 1)
    printf '%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s,%s\n' "$1" "$2" "$3" "$4" "$5" "$6" "$7" "$8" "$9" \
        "$(cut -d' ' -f1 /proc/loadavg)" "$missed" "$late" "${COSTS:-,,,,}" "${10}" >>"$RECORD"
    COSTS=
    if [ -n "${10}" ]; then say "  $5, $2, $3 $4: ${10}"; fi
}

# in_turn ROUND STACK...: the stacks, forwards in odd rounds and backwards in even ones.
in_turn() {
    local round=$1 stack order=""; shift
    for stack; do
        if [ $((round % 2)) -eq 1 ]; then order="$order $stack"; else order="$stack $order"; fi
    done
    echo $order
}

# ---- one file at a time ----
# download STACK FILE LIMIT_S: sets BYTES, SECONDS_TAKEN and PROBLEM.
download() {
    local kind=tcp
    if [ "$1" = trickles ]; then kind=trickles; else use_tcp "$1"; fi
    PROBLEM=
    try_timed "$kind" "$2" "$3" || PROBLEM=$WHY
    BYTES=$(stat -c %s "$TMP/got" 2>/dev/null || echo 0)
    SECONDS_TAKEN=$(awk -v ms="$TOOK_MS" 'BEGIN { print ms / 1000 }')
    rm -f "$TMP/got"
}

# ---- flows that run until they are stopped ----
declare -A FLOW_STACK=()                 # name -> stack
# flow_start NAME STACK
flow_start() {
    local curl=(curl -sS --fail --no-buffer -o "$TMP/$1.got")
    : >"$TMP/$1.got"
    FLOW_STACK[$1]=$2
    if [ "$2" = trickles ]; then
        start "$1" "$CLIENT" env TRICKLES=require "$BIN/trickles" "${curl[@]}" "$URL4/$FLOW_FILE"
    else
        start "$1" "$CLIENT" "${curl[@]}" "http://$SERVER4:$TCP_PORT/$FLOW_FILE"
    fi
}
# flow_stop NAME: returns 1 with the reason in $WHY if it had ended by itself, or what it wrote is not the file's beginning.
flow_stop() {
    local name=$1 lived=yes bytes good=yes
    alive "$name" || lived=no
    stop "$name" 2>/dev/null
    bytes=$(stat -c %s "$TMP/$name.got")
    cmp -s -n "$bytes" "$TMP/$name.got" "$WWW/$FLOW_FILE" || good=no
    rm -f "$TMP/$name.got"
    unset "FLOW_STACK[$name]"
    WHY=
    if [ "$lived" = no ]; then WHY="ended before its time: $(tail -n 1 "$TMP/$name.log" | tr ',\n' '  ')"; fi
    if [ "$good" = no ]; then WHY="wrong bytes"; fi
    [ -z "$WHY" ]
}
flow_bytes() { stat -c %s "$TMP/$1.got"; }
# flows_measure SECONDS NAME...: what each wrote in that time, in FLOW_GOT[NAME]; how long it was, in SECONDS_TAKEN.
declare -A FLOW_GOT=()
flows_measure() {
    local wanted=$1 began ended name; shift
    FLOW_GOT=()
    began=$(milliseconds)
    for name; do FLOW_GOT[$name]=$(flow_bytes "$name"); done
    sleep "$wanted"
    ended=$(milliseconds)
    for name; do FLOW_GOT[$name]=$(($(flow_bytes "$name") - FLOW_GOT[$name])); done
    SECONDS_TAKEN=$(awk -v ms=$((ended - began)) 'BEGIN { print ms / 1000 }')
}
