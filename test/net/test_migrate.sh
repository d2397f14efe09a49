#!/bin/bash
# Minisockets that move to another host (examples/migrate): the answers leave from there, by its own route, under the address
# that the client knows. The front itself sends nothing.
. "$(dirname "$0")/daemon.sh"
need ncat
need_net
BACK=trk-$$-back BRIDGE=trk-$$-bridge
for ns in "$CLIENT" "$SERVER" "$BACK" "$BRIDGE"; do make_ns "$ns"; done
ip -n "$BRIDGE" link add br0 type bridge
ip -n "$BRIDGE" link set br0 up
plug() { make_veth "$1" "$2" "$BRIDGE" "p-$2"; ip -n "$BRIDGE" link set "p-$2" master br0; address "$1" "$2" "$3/24" "$4/64"; }
plug "$CLIENT" c0 "$CLIENT4" "$CLIENT6"
plug "$SERVER" s0 "$SERVER4" "$SERVER6"
plug "$BACK" b0 10.77.0.3 fd00:77::3
daemon_setup
need_built "$BIN/migrate"
yes 'hello, world' | head -n 100000 >"$TMP/wanted" || true
start front "$SERVER" "$BIN/migrate" front "*:7005" "$KEY" 10.77.0.3:9000
wait_for_port "$SERVER" 7005
back() { start back "$BACK" "$BIN/migrate" back "$1" "$KEY" 10.77.0.3:9000; wait_for_port "$BACK" 7006; }
sent() { in_ns "$1" cat "/sys/class/net/$2/statistics/tx_bytes"; }

back "*:7006"
for address in "$SERVER4" "$SERVER6"; do
    trickles timeout 20 ncat --recv-only "$address" 7005 >"$TMP/got" || fail "$address: ncat ended with $?"
    cmp "$TMP/wanted" "$TMP/got" || fail "$address: wrong bytes"
done
expect_between "bytes that the back sent" "$(sent "$BACK" b0)" 2600000 4000000
expect_between "bytes that the front sent: events, no answers" "$(sent "$SERVER" s0)" 5000 500000

# The back is killed on the way; a successor goes on.
trickles timeout 60 ncat --recv-only "$SERVER4" 7005 >"$TMP/got" &
PIDS[ncat]=$!
for _ in 1 2 3 4; do stop back KILL 2>/dev/null; back "*:7006"; sleep 0.05; done
wait "${PIDS[ncat]}" || fail "ncat ended with $? while backs were killed"
unset "PIDS[ncat]"
cmp "$TMP/wanted" "$TMP/got" || fail "wrong bytes while backs were killed"
stop back

# Where the answer cannot leave, it is refused in words.
refuses() {
    trickles timeout 3 ncat --recv-only "$SERVER4" 7005 >"$TMP/got" 2>/dev/null || true
    expect "bytes that came all the same" "$(wc -c <"$TMP/got")" 0
    grep -q "refused what came: $1" "$TMP/back.log" || fail "the back does not say '$1'"
    stop back
}
back "127.0.0.1:7006"
refuses "No such device"
back "*:7006"
in_ns "$BACK" ip route del 10.77.0.0/24
in_ns "$BACK" ip route add 10.77.0.1/32 dev b0      # the front's datagrams come, but nothing leads to the client
refuses "Network is unreachable"
say "answered by another host, under the first one's address"
