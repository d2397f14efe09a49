#!/bin/bash
# Routes and neighbours: direct, through a gateway, loopback, MTU, unreachable.
. "$(dirname "$0")/lib.sh"
topology_direct
need_built "$TOOLS/trk-linkprobe"
probe=$TOOLS/trk-linkprobe
mac=$(in_ns "$SERVER" cat /sys/class/net/s0/address)

# route WHAT WANTED ARGUMENT...: each word of WANTED must be in the answer.
route() {
    local what=$1 wanted=$2 answer word; shift 2
    answer=$(in_ns "$CLIENT" "$probe" route "$@") || true
    for word in $wanted; do
        case " $answer " in *" $word "*) ;; *) fail "$what: '$word' is not in '$answer'" ;; esac
    done
    took=${answer##*ms=}
    say "ok: $what ($took ms)"
}

route "unknown neighbour, IPv4" "dev=c0 mtu=1500 source=$CLIENT4 next_hop=$SERVER4 loopback=0 neighbour=1 mac=$mac" "$SERVER4" 1000
route "unknown neighbour, IPv6" "dev=c0 mtu=1500 source=$CLIENT6 next_hop=$SERVER6 loopback=0 neighbour=1 mac=$mac" "$SERVER6" 1000
route "known neighbour" "neighbour=1 mac=$mac" "$SERVER4" 0
route "loopback, IPv4" "dev=lo source=127.0.0.1 loopback=1 mac=00:00:00:00:00:00" 127.0.0.1 0
route "loopback, IPv6" "dev=lo source=::1 loopback=1" ::1 0
route "own address" "dev=lo source=$CLIENT4 loopback=1" "$CLIENT4" 0

route "nobody there, IPv4" "error=EHOSTUNREACH" 10.77.0.99 300
expect_between "time spent waiting for nobody" "$took" 250 800
route "nobody there, IPv6" "error=EHOSTUNREACH" fd00:77::99 300
route "no route, IPv4" "error=ENETUNREACH" 192.0.2.1 300
route "no route, IPv6" "error=ENETUNREACH" 2001:db8::1 300
in_ns "$CLIENT" ip route add blackhole 198.51.100.0/24
in_ns "$CLIENT" ip route add unreachable 203.0.113.0/24
route "blackhole" "error=Invalid" 198.51.100.1 300
route "unreachable" "error=EHOSTUNREACH" 203.0.113.1 300

in_ns "$CLIENT" ip route add default via "$SERVER4"
in_ns "$CLIENT" ip -6 route add default via "$SERVER6"
route "gateway, IPv4" "dev=c0 source=$CLIENT4 next_hop=$SERVER4 neighbour=1 mac=$mac" 192.0.2.1 1000
route "gateway, IPv6" "dev=c0 source=$CLIENT6 next_hop=$SERVER6 neighbour=1 mac=$mac" 2001:db8::1 1000
in_ns "$CLIENT" ip route add 192.0.2.128/25 via inet6 "$SERVER6" dev c0
route "IPv4 through an IPv6 gateway" "dev=c0 neighbour=1 mac=$mac" 192.0.2.129 1000
in_ns "$CLIENT" ip route add 192.0.2.64/26 via "$SERVER4" mtu 1400
route "MTU of the route" "mtu=1400" 192.0.2.65 1000
in_ns "$CLIENT" ip address add 10.77.0.22/24 dev c0
route "bound source" "source=10.77.0.22" "$SERVER4" 1000 10.77.0.22
if in_ns "$CLIENT" ip tuntap add tun0 mode tun 2>/dev/null; then
    in_ns "$CLIENT" ip link set tun0 up
    in_ns "$CLIENT" ip address add 10.99.0.1/24 dev tun0
    route "a device without addresses" "dev=tun0 loopback=0 neighbour=0" 10.99.0.2 0
else
    say "no tun device in this kernel: left out"
fi

# A neighbour whose address changed: the entry is stale, is used, and the kernel is made to look again.
in_ns "$CLIENT" ip neigh replace "$SERVER4" lladdr 02:00:00:00:00:77 dev c0 nud stale
route "stale neighbour is used" "mac=02:00:00:00:00:77" "$SERVER4" 1000
now_right() { in_ns "$CLIENT" "$probe" route "$SERVER4" 0 | grep -q "mac=$mac"; }
wait_for 12 "the stale neighbour to be corrected" now_right
say "ok: a stale neighbour is corrected"

# Without rights of any kind the same questions are answered.
if command -v setpriv >/dev/null; then
    in_ns "$CLIENT" ip neigh flush dev c0
    answer=$(in_ns "$CLIENT" setpriv --reuid=65534 --regid=65534 --clear-groups "$probe" route "$SERVER4" 1000) || fail "an ordinary user cannot look up a route: $answer"
    case "$answer" in *"mac=$mac"*) say "ok: as an ordinary user" ;; *) fail "as an ordinary user: $answer" ;; esac
fi

expect "owner of the client's address" "$(in_ns "$CLIENT" "$probe" owner "$CLIENT4")" c0
expect "owner of the client's IPv6 address" "$(in_ns "$CLIENT" "$probe" owner "$CLIENT6")" c0
expect "owner of 127.1.2.3" "$(in_ns "$CLIENT" "$probe" owner 127.1.2.3)" lo
expect "owner of a foreign address" "$(in_ns "$CLIENT" "$probe" owner "$SERVER4")" none
in_ns "$CLIENT" "$probe" interfaces >"$TMP/interfaces"
grep -q '^lo mtu=65536 up=1 loopback=1$' "$TMP/interfaces" || fail "lo is missing in: $(cat "$TMP/interfaces")"
grep -q '^c0 mtu=1500 up=1 loopback=0$' "$TMP/interfaces" || fail "c0 is missing in: $(cat "$TMP/interfaces")"

for change in "address add 10.77.5.1/24 dev c0" "link set c0 mtu 1400"; do
    start watch "$CLIENT" "$probe" watch 5
    wait_for 5 "the watcher" grep -q '^ready' "$TMP/watch.log"
    ip -n "$CLIENT" $change
    wait_for 5 "news of a change" grep -q '^changed' "$TMP/watch.log"
    stop watch
done
say "ok: changes are heard"
