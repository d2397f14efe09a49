#!/bin/bash
# What a program observes of its sockets is the same on kernel TCP, on Trickles, and after a fallback to TCP.
#
# Each case of trk-shim_cases runs three times: plainly against the peer's TCP (the oracle), under the preload
# against the peer's Trickles (TRICKLES=require), and under the preload against the peer's TCP (TRICKLES=try).
# Where they differ, the difference is a named limit with a test of its own below.
#
#     test_shim_cases.sh [CASE...]      TRICKLES_SHIM_ADDRESS=ipv6 or link-local for these
. "$(dirname "$0")/lib.sh"
need_built "$TOOLS/trk-shim_cases" "$TOOLS/trk-shim_peer" "$BIN/trickles" "$LIB/libtrickles.so"
# A build with ThreadSanitizer: a report ends the case with a status of its own.
if grep -q __tsan_init <(nm -D "$LIB/libtrickles.so"); then
    export TSAN_OPTIONS="report_signal_unsafe=0 suppressions=$NET_DIR/shim/tsan.supp"
fi

topology_direct
# Somebody who never answers: packets to it leave, nothing comes back.
in_ns "$CLIENT" ip neigh replace 10.77.0.99 lladdr 02:00:00:00:00:99 dev c0
in_ns "$CLIENT" ip neigh replace fd00:77::99 lladdr 02:00:00:00:00:99 dev c0
start tcp "$SERVER" "$TOOLS/trk-shim_peer" tcp 7000
start trickles "$SERVER" "$TOOLS/trk-shim_peer" trickles 7001
wait_for_port "$SERVER" 7000
wait_for_port "$SERVER" 7001

ADDRESS=$SERVER4 SILENT=10.77.0.99
case ${TRICKLES_SHIM_ADDRESS:-ipv4} in
    ipv6) ADDRESS=$SERVER6 SILENT=fd00:77::99 ;;
    link-local)
        ADDRESS=$(ip -n "$SERVER" -6 -o address show dev s0 scope link | sed -E 's/.*(fe80[^/]*).*/\1/')%c0 SILENT=fe80::99%c0
        in_ns "$CLIENT" ip neigh replace fe80::99 lladdr 02:00:00:00:00:99 dev c0 ;;
esac

# run WAY CASE: standard output is what the program observed.
run() {
    local port=7000 before=()
    case $1 in
        trickles) port=7001; before=(env TRICKLES=require "$BIN/trickles") ;;
        fallback) before=(env TRICKLES=try "$BIN/trickles") ;;
    esac
    timeout -k 5 70 ip netns exec "$CLIENT" "${before[@]}" "$TOOLS/trk-shim_cases" "$2" "$ADDRESS" "$port" "$SILENT" 2>>"$TMP/complaints.log" || echo "ended with $?"
}
# logged NAME: the last line on a peer's output, once it is there.
peer_says() { wait_for 3 "the $1 peer to say '$2'" grep -qxF "$2" "$TMP/$1.log"; }

FAILED=()
differs() { FAILED+=("$1"); say "FAIL $1"; diff "$TMP/oracle" "$TMP/got" || true; }
# What programs observe depends on when they are scheduled, on kernel TCP as well: a difference counts if it shows twice.
compare() {
    run oracle "$1" >"$TMP/oracle"
    local way
    for way in trickles fallback; do
        run "$way" "$1" >"$TMP/got"
        if ! cmp -s "$TMP/oracle" "$TMP/got"; then
            say "again   $way $1, as it differs:"; diff "$TMP/oracle" "$TMP/got" || true
            run oracle "$1" >"$TMP/oracle"
            run "$way" "$1" >"$TMP/got"
        fi
        if cmp -s "$TMP/oracle" "$TMP/got"; then say "same    $way $1"; else differs "$way $1"; fi
    done
}
# limit CASE WAY LINES: a named limit behaves as it is described.
limit() {
    printf '%b' "$3" >"$TMP/oracle"
    run "$2" "$1" >"$TMP/got"
    cmp -s "$TMP/oracle" "$TMP/got" || run "$2" "$1" >"$TMP/got"
    if cmp -s "$TMP/oracle" "$TMP/got"; then say "limit   $2 $1"; else differs "$2 $1"; fi
}

for case in ${@:-$("$TOOLS/trk-shim_cases" --list)}; do
    : >"$TMP/tcp.log"; : >"$TMP/trickles.log"
    case $case in
        congestion)         limit "$case" trickles 'TCP_CONGESTION: 0\ntrickles\n' ;;
        # write() is not intercepted: EPIPE and SIGPIPE come at once, where TCP says ECONNRESET first.
        reset_write_limit)  limit "$case" trickles 'write: -1 EPIPE\nsignals 1\n' ;;
        # The engine is a thread: what an exec or the parent's exit leaves behind reads the end of the stream.
        exec_limit)         limit "$case" trickles 'recv: 0\n' ;;
        parent_exits_limit) limit "$case" trickles 'poll: IN HUP RDHUP \nrecv: 0\n' ;;
        # The guard is a listener: another socket of the same port, which TCP would connect elsewhere, finds it taken.
        one_port)
            limit "$case" trickles 'bind: 0\nbind: 0\nbind: 0\nconnect: 0\nthe same again: -1 EADDRINUSE\nanother port there: -1 EADDRINUSE\npattern ok: 1000\nfree again: -1 EADDRINUSE\n'
            ;;
        raw_exit_limit)     limit "$case" trickles '' ;;
        # Nobody reads unread data of a program that closes: the peer sees a reset (TCP) or CLOSE (Trickles).
        closed_unread|aborted)
            compare "$case"
            peer_says tcp "peer: reset"
            peer_says trickles "peer: closed" ;;
        taken_over)
            compare "$case"
            peer_says tcp "taken over"
            peer_says trickles "taken over"
            peer_says trickles "peer: closed" ;;
        exits|exits_with_stdio|exits_at_once|exits_quickly|closes_and_exits|execs)
            compare "$case"
            peer_says trickles "$(case $case in
                exits) echo said before exit ;; exits_with_stdio) echo said by stdio ;; exits_at_once) echo said before _exit ;; exits_quickly) echo said before quick_exit ;;
                closes_and_exits) echo said before close ;; execs) echo said before exec ;; esac)" ;;
        *)                  compare "$case" ;;
    esac
done
[ ${#FAILED[@]} -eq 0 ] || fail "${#FAILED[@]} differ: ${FAILED[*]}"
