#!/bin/bash
# Where tricklesd hears its clients: the interface of a listen address, the loopback for local clients, interfaces that
# come and go later; and what it must leave alone: segments that a router only forwards.
#
#   client c0 ----- s0 server f0 ----- r0 far
#   10.77.0.2   10.77.0.1   10.88.0.1   10.88.0.2
. "$(dirname "$0")/daemon.sh"

FAR=trk-$$-far
topology_direct
make_ns "$FAR"
daemon_setup
make_file file 100000
mkdir "$TMP/far-www"
echo "from afar" >"$TMP/far-www/file"

same_from() { fetch curl "http://$2/file" "$TMP/got" "$1" && cmp "$WWW/file" "$TMP/got"; }
# counter NAME: a counter of the daemon, now.
counter() {
    rm -f "$TMP/stats"
    kill -USR1 "${PIDS[daemon]}"
    wait_for 2 "statistics" test -s "$TMP/stats"
    sed -E "s/.*\"$1\":([0-9]+).*/\1/" "$TMP/stats"
}
begin() {
    start daemon "$SERVER" "$BIN/tricklesd" --root "$WWW" --key-file "$KEY" --stats "$TMP/stats" --verbose "$@"
    wait_for 5 "the daemon to serve" grep -q serving "$TMP/daemon.log"
}

# ---- one address ----
begin --listen "$SERVER4:80" --listen "[$SERVER6]:80"
same_from "$CLIENT" "$SERVER4" || fail "one address, from outside"
same_from "$CLIENT" "[$SERVER6]" || fail "one IPv6 address, from outside"
same_from "$SERVER" "$SERVER4" || fail "one address, from the host itself, over its loopback"
same_from "$SERVER" "[$SERVER6]" || fail "one IPv6 address, from the host itself"
if trickles_in "$SERVER" curl -s --max-time 1 -o /dev/null http://127.0.0.1/file; then fail "127.0.0.1 was not to be listened on"; fi
stop daemon
expect "exit code" "$STOPPED" 0

# ---- an address that the loopback owns, as a load balancer's real servers have it: it comes by any interface ----
ip -n "$SERVER" address add 10.99.0.1/32 dev lo
ip -n "$CLIENT" route add 10.99.0.1/32 via "$SERVER4"
begin --listen 10.99.0.1:80
same_from "$CLIENT" 10.99.0.1 || fail "an address of the loopback, from outside"
same_from "$SERVER" 10.99.0.1 || fail "an address of the loopback, from the host itself"
stop daemon

# ---- all addresses, and an interface that comes later, goes, and comes again ----
begin --listen "*:80"
for address in 127.0.0.1 "[::1]" "$SERVER4" "[$SERVER6]"; do
    same_from "$SERVER" "$address" || fail "all addresses: $address from the host itself"
done
for round in 1 2; do
    make_veth "$SERVER" f0 "$FAR" r0
    address "$SERVER" f0 10.88.0.1/24 fd00:88::1/64
    address "$FAR" r0 10.88.0.2/24 fd00:88::2/64
    wait_for 5 "the daemon to hear f0" sh -c "[ \$(grep -c 'listening on interface f0' '$TMP/daemon.log') -ge $round ]"
    same_from "$FAR" 10.88.0.1 || fail "interface that came later, round $round"
    same_from "$FAR" "[fd00:88::1]" || fail "interface that came later, IPv6, round $round"
    same_from "$CLIENT" "$SERVER4" || fail "the other interface, round $round"
    [ "$round" = 2 ] || ip -n "$SERVER" link del f0
done
ip -n "$SERVER" link set s0 mtu 1300
ip -n "$CLIENT" link set c0 mtu 1300
same_from "$CLIENT" "$SERVER4" || fail "a smaller MTU"
ip -n "$SERVER" link set s0 down
ip -n "$SERVER" link set s0 up
ip -n "$SERVER" address replace "$SERVER6/64" dev s0 nodad
wait_for 5 "s0 to be heard again" same_from "$CLIENT" "$SERVER4"

# ---- a bridge and its port hear the same packet: it is answered once ----
ip -n "$SERVER" link add br0 type bridge
ip -n "$SERVER" address flush dev f0
ip -n "$SERVER" link set br0 address "$(in_ns "$SERVER" cat /sys/class/net/f0/address)"
ip -n "$SERVER" link set f0 master br0
ip -n "$SERVER" link set br0 up
address "$SERVER" br0 10.88.0.1/24 fd00:88::1/64
ip -n "$FAR" neigh flush dev r0
wait_for 5 "the bridge to be heard" grep -q "listening on interface br0" "$TMP/daemon.log"
wait_for 5 "its port to be left" sh -c "[ \$(grep -c 'no longer listening on interface f0' '$TMP/daemon.log') = 2 ]"
wait_for 5 "a file over the bridge" same_from "$FAR" 10.88.0.1
sent=$(counter packets-sent)
same_from "$FAR" 10.88.0.1 || fail "a file over the bridge"
sent=$(($(counter packets-sent) - sent))
expect_between "packets for 100 kB over the bridge" "$sent" 69 120

# ---- forwarded segments belong to others ----
in_ns "$SERVER" sysctl -qw net.ipv4.ip_forward=1
ip -n "$CLIENT" route add 10.88.0.0/24 via "$SERVER4"
ip -n "$FAR" route add 10.77.0.0/24 via 10.88.0.1
start far "$FAR" "$BIN/tricklesd" --root "$TMP/far-www" --key-file "$KEY" --listen "*:80"
wait_for_port "$FAR" 80
expect "a file through the router" "$(trickles curl -sS --max-time 10 http://10.88.0.2/file)" "from afar"
expect_between "segments seen on their way" "$(counter not-local)" 3 1000
say "addresses, interfaces and forwarding: as they should be"
