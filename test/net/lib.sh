#!/bin/bash
# lib.sh - namespaces, veth pairs and processes for the network tests. Source it first:
#
#     . "$(dirname "$0")/lib.sh"
#     topology_path --both delay=20,loss=1      # or: topology_direct
#     start web "$SERVER" "$BIN/tricklesd" --root "$TMP" --listen 0.0.0.0:80
#     wait_for_port "$SERVER" 80
#     in_ns "$CLIENT" curl -s "http://$SERVER4/"
#
# topology_direct                      topology_path
#
#   $CLIENT            $SERVER           $CLIENT          $PATH_NS           $SERVER
#  +--------+         +--------+        +--------+   +---------------+      +--------+
#  |     c0-+---------+-s0     |        |     c0-+---+-pc trk-path ps-+-----+-s0     |
#  +--------+         +--------+        +--------+   +---------------+      +--------+
#  10.77.0.2           10.77.0.1        10.77.0.2      no addresses,         10.77.0.1
#  fd00:77::2         fd00:77::1        fd00:77::2   forwards every frame   fd00:77::1
#
# "up" is client to server, "down" is server to client. The emulator sees wire-sized frames with complete
# checksums, because topology_path turns segmentation and checksum offload off at the ends. On a direct
# pair offloads stay as the kernel sets them, unless the test calls offloads_off.
#
# Whatever happens (exit, error, INT, TERM), the processes started here are ended by their ids, the
# namespaces deleted and $TMP removed. A test exits 0 (passed), 1 (failed: fail) or 77 (skipped: skip).
#
# Variables for the test:  BUILD BIN TOOLS LIB TMP  CLIENT SERVER PATH_NS
#                          CLIENT4 SERVER4 CLIENT6 SERVER6

set -Eeuo pipefail

NET_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(cd "$NET_DIR/../.." && pwd)
BUILD=${TRICKLES_BUILD:-$ROOT/build}     # where cmake built; CTest sets it
BIN=$BUILD/bin LIB=$BUILD/lib TOOLS=$BUILD/test

CLIENT=trk-$$-client SERVER=trk-$$-server PATH_NS=trk-$$-path
CLIENT4=10.77.0.2 SERVER4=10.77.0.1 CLIENT6=fd00:77::2 SERVER6=fd00:77::1

NAMESPACES=()                            # names, in the order of making
declare -A PIDS=()                       # name of a started process -> pid
TMP=

# ---- telling ----
say()  { printf '%s\n' "$*"; }
# skip SENTENCE: a right or a program is missing; the test counts as skipped, by name.
skip() { trap - ERR; say "SKIP $(basename "$0" .sh): $*"; exit 77; }
# fail SENTENCE: says why and shows the end of every log.
fail() {
    trap - ERR
    say "FAIL $(basename "$0" .sh): $*"
    local log
    for log in "$TMP"/*.log; do
        if [ -s "$log" ]; then say "--- $(basename "$log")"; tail -n 20 "$log"; fi
    done
    exit 1
}
# expect WHAT GOT WANTED: equal strings, or the test fails.
expect() { [ "$2" = "$3" ] || fail "$1: got '$2', wanted '$3'"; }
# expect_between WHAT VALUE LOW HIGH: numbers, decimals allowed.
expect_between() {
    awk -v v="$2" -v l="$3" -v h="$4" 'BEGIN { exit !(v + 0 >= l + 0 && v + 0 <= h + 0) }' ||
        fail "$1: $2 is not in $3 ... $4"
}

# ---- cleaning up ----
# stop_pid PID [SIGNAL]: ask, wait up to 2 s, then insist.
stop_pid() {
    local pid=$1 i
    kill "-${2:-TERM}" "$pid" 2>/dev/null || return 0
    for ((i = 0; i < 100; i++)); do
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.02
    done
    kill -KILL "$pid" 2>/dev/null || true
}
cleanup() {
    local status=$? name pid ns
    trap - EXIT INT TERM ERR
    set +e
    for name in "${!PIDS[@]}"; do stop_pid "${PIDS[$name]}"; done
    for ns in "${NAMESPACES[@]}"; do     # what those processes left behind in namespaces of ours
        for pid in $(ip netns pids "$ns" 2>/dev/null); do stop_pid "$pid" KILL; done
    done
    wait 2>/dev/null
    for ns in "${NAMESPACES[@]}"; do ip netns del "$ns" 2>/dev/null; done
    [ -n "$TMP" ] && rm -rf "$TMP"
    exit "$status"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap '[ "$BASH_SUBSHELL" -gt 0 ] || fail "line $LINENO: $BASH_COMMAND"' ERR
TMP=$(mktemp -d "${TMPDIR:-/tmp}/trk-$$-XXXXXX")

# ---- what the test needs ----
# need PROGRAM...: skip where one is missing.
need() {
    local program
    for program; do
        command -v "$program" >/dev/null || skip "the program $program is not installed"
    done
}
# need_built FILE...: a build that lacks one is a failure, not a reason to skip.
need_built() {
    local file
    for file; do [ -e "$file" ] || fail "$file is not built"; done
}
# need_net: root, and the right to make network namespaces.
need_net() {
    need ip ethtool ss
    [ "$(id -u)" = 0 ] || skip "network namespaces need root"
    local probe=trk-$$-probe
    ip netns add "$probe" 2>"$TMP/probe" || skip "cannot make a network namespace: $(tr '\n' ' ' <"$TMP/probe")"
    NAMESPACES+=("$probe")
    ip -n "$probe" link add v0 type veth peer name v1 2>"$TMP/probe" || skip "cannot make a veth pair: $(tr '\n' ' ' <"$TMP/probe")"
    ip netns del "$probe"
}

# ---- namespaces ----
# make_ns NAME: a namespace with lo up, without duplicate address detection or a cache of old routes.
make_ns() {
    ip netns add "$1"
    NAMESPACES+=("$1")
    ip -n "$1" link set lo up
    in_ns "$1" sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 \
        net.ipv6.conf.all.router_solicitations=0 net.ipv6.conf.default.router_solicitations=0
}
# in_ns NS COMMAND...: the command replaces a subshell, so a background job's pid is the program's own.
in_ns() { local ns=$1; shift; ip netns exec "$ns" "$@"; }
# make_veth NS1 DEV1 NS2 DEV2: a pair, up at both ends.
make_veth() {
    ip -n "$1" link add "$2" type veth peer name "$4" netns "$3"
    ip -n "$1" link set "$2" up
    ip -n "$3" link set "$4" up
}
# address NS DEV IPV4/LEN IPV6/LEN
address() {
    ip -n "$1" address add "$3" dev "$2"
    ip -n "$1" address add "$4" dev "$2" nodad
}
# offloads_off NS DEV: no superframes and no unfinished checksums leave or enter here.
offloads_off() { in_ns "$1" ethtool -K "$2" tso off gso off gro off tx off rx off >/dev/null 2>&1; }
# gro_on NS DEV: veth merges what arrives (it needs segmentation off at the peer that transmits).
gro_on() { in_ns "$1" ethtool -K "$2" gro on >/dev/null 2>&1; }

topology_direct() {
    need_net
    make_ns "$CLIENT"; make_ns "$SERVER"
    make_veth "$CLIENT" c0 "$SERVER" s0
    address "$CLIENT" c0 "$CLIENT4/24" "$CLIENT6/64"
    address "$SERVER" s0 "$SERVER4/24" "$SERVER6/64"
}
# topology_path [trk-path options]: see `trk-path --help`. The emulator runs as process "path".
topology_path() {
    need_net
    need_built "$TOOLS/trk-path"
    make_ns "$CLIENT"; make_ns "$PATH_NS"; make_ns "$SERVER"
    make_veth "$CLIENT" c0 "$PATH_NS" pc
    make_veth "$SERVER" s0 "$PATH_NS" ps
    address "$CLIENT" c0 "$CLIENT4/24" "$CLIENT6/64"
    address "$SERVER" s0 "$SERVER4/24" "$SERVER6/64"
    local end
    for end in "$CLIENT c0" "$SERVER s0" "$PATH_NS pc" "$PATH_NS ps"; do offloads_off $end; done
    # The kernel must not speak on the emulator's own devices.
    in_ns "$PATH_NS" sysctl -qw net.ipv6.conf.pc.disable_ipv6=1 net.ipv6.conf.ps.disable_ipv6=1
    path_start "$@"
}
# path_start [options]: (re)start the emulator with other conditions.
path_start() {
    if [ -n "${PIDS[path]:-}" ]; then stop path; fi
    start path "$PATH_NS" "$TOOLS/trk-path" "$@" pc ps
    wait_for 5 "the path emulator to start" grep -q '^ready' "$TMP/path.log"
}
# path_stats: one line of JSON, counters of both directions since the start.
path_stats() {
    local before
    before=$(grep -c '^{' "$TMP/path.log" || true)
    kill -USR1 "${PIDS[path]}"
    wait_for 2 "the emulator's statistics" path_stats_after "$before"
    grep '^{' "$TMP/path.log" | tail -n 1
}
path_stats_after() { [ "$(grep -c '^{' "$TMP/path.log")" -gt "$1" ]; }

# ---- processes ----
# start NAME NS COMMAND...: in the background, output in $TMP/NAME.log. NS "-": the namespace we are in.
start() {
    local name=$1 ns=$2; shift 2
    : >"$TMP/$name.log"                  # at once: an older run's log must not be taken for this one's
    if [ "$ns" = - ]; then
        "$@" >"$TMP/$name.log" 2>&1 </dev/null &
    else
        ip netns exec "$ns" "$@" >"$TMP/$name.log" 2>&1 </dev/null &
    fi
    PIDS[$name]=$!
}
# stop NAME [SIGNAL]: ends it; its exit status is in $STOPPED.
stop() {
    local pid=${PIDS[$1]}
    stop_pid "$pid" "${2:-TERM}"
    STOPPED=0
    wait "$pid" 2>/dev/null || STOPPED=$?
    unset "PIDS[$1]"
}
# alive NAME
alive() { [ -n "${PIDS[$1]:-}" ] && kill -0 "${PIDS[$1]}" 2>/dev/null; }

# wait_for SECONDS WHAT COMMAND...: repeats the command until it succeeds; the test fails if it never does.
wait_for() {
    local limit=$1 what=$2 i; shift 2
    for ((i = 0; i < limit * 50; i++)); do
        if "$@" >/dev/null 2>&1; then return 0; fi
        sleep 0.02
    done
    fail "waited $limit s for $what"
}
listens() { [ -n "$(in_ns "$1" ss -Hltn "sport = :$2")" ]; }
# wait_for_port NS PORT [SECONDS]: something listens on the port (a guard counts: the daemon is up behind it).
wait_for_port() { wait_for "${3:-5}" "port $2 in $1" listens "$1" "$2"; }
# milliseconds: of the monotonic clock, for measuring.
milliseconds() { awk '{ printf "%d\n", $1 * 1000 }' /proc/uptime; }
