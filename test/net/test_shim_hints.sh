#!/bin/bash
# What routers say: a link takes smaller packets, a host is not reached. Heard at once, and believed only of what was sent.
#
#   $CLIENT c0 --1500-- r0 $PATH_NS r1 --MTU-- s0 $SERVER        the router is $PATH_NS
. "$(dirname "$0")/lib.sh"
need nft python3
need_net
need_built "$TOOLS/trk-shim_peer" "$BIN/trickles"
PYTHON=/usr/bin/python3

for ns in "$CLIENT" "$PATH_NS" "$SERVER"; do make_ns "$ns"; done
make_veth "$CLIENT" c0 "$PATH_NS" r0
make_veth "$PATH_NS" r1 "$SERVER" s0
address "$CLIENT" c0 10.77.1.2/24 fd00:77:1::2/64
address "$PATH_NS" r0 10.77.1.1/24 fd00:77:1::1/64
address "$PATH_NS" r1 10.77.2.1/24 fd00:77:2::1/64
address "$SERVER" s0 10.77.2.2/24 fd00:77:2::2/64
in_ns "$PATH_NS" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
for family in -4 -6; do
    ip $family -n "$CLIENT" route add default via "$([ "$family" = -4 ] && echo 10.77.1.1 || echo fd00:77:1::1)"
    ip $family -n "$SERVER" route add default via "$([ "$family" = -4 ] && echo 10.77.2.1 || echo fd00:77:2::1)"
done
for end in "$CLIENT c0" "$PATH_NS r0" "$PATH_NS r1" "$SERVER s0"; do offloads_off $end; done
start trickles "$SERVER" "$TOOLS/trk-shim_peer" trickles 7001
wait_for_port "$SERVER" 7001

cat >"$TMP/upload.py" <<'SCRIPT'
"""upload.py HOST BYTES [FILE]: everything arrives. With FILE: first says its port there and waits until FILE is gone."""
import os, socket, sys, time
s = socket.create_connection((sys.argv[1], 7001), timeout=30)
if len(sys.argv) > 3:
    with open(sys.argv[3] + ".new", "w") as file:
        print(s.getsockname()[1], file=file)
    os.rename(sys.argv[3] + ".new", sys.argv[3])
    while os.path.exists(sys.argv[3]):
        time.sleep(0.02)
s.sendall(b"eat\n" + b"x" * int(sys.argv[2]))
s.shutdown(socket.SHUT_WR)
answer = b""
while more := s.recv(100):
    answer += more
assert int(answer) == int(sys.argv[2]), answer
SCRIPT
upload() { in_ns "$CLIENT" timeout 40 env "TRICKLES_LOG=info:$TMP/log" "$BIN/trickles" --require "$PYTHON" "$TMP/upload.py" "$@"; }

# A link of MTU bytes behind the router; the SYN itself (1264 bytes) may be too big for it.
for mtu in 1400 1280 1000; do
    ip -n "$PATH_NS" link set r1 mtu "$mtu"
    for host in 10.77.2.2 fd00:77:2::2; do
        [ "$mtu" -ge 1280 ] || [[ $host != *:* ]] || continue  # no IPv6 there
        rm -f "$TMP/log"
        began=$(milliseconds)
        upload "$host" 60000 || fail "$host, mtu $mtu: $(cat "$TMP/log")"
        took=$(($(milliseconds) - began))
        if [ "$mtu" != 1280 ] || [[ $host = *:* ]]; then
            grep -q "the path takes packets of $mtu bytes" "$TMP/log" || fail "$host, mtu $mtu: $(cat "$TMP/log")"
        fi
        say "$host, mtu $mtu: $took ms"
    done
    if [ "$mtu" -lt 1280 ]; then break; fi
done
ip -n "$PATH_NS" link set r1 mtu 1500

# A forged hint: of the right flow, but of no segment that was sent.
rm -f "$TMP/log"
upload 10.77.2.2 60000 "$TMP/port" &
program=$!
wait_for 10 "a connection" test -s "$TMP/port"
in_ns "$PATH_NS" "$PYTHON" - "$(cat "$TMP/port")" <<'SCRIPT'
import socket, struct, sys
def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    return ~((total & 0xffff) + (total >> 16)) & 0xffff
address = socket.inet_aton
quoted = struct.pack("!BBHHHBBH4s4sHHI", 0x45, 0, 1500, 0, 0x4000, 64, 6, 0, address("10.77.1.2"), address("10.77.2.2"), int(sys.argv[1]), 7001, 12345)
for code, rest in (4, 600), (1, 0):
    message = struct.pack("!BBHHH", 3, code, 0, 0, rest) + quoted
    message = message[:2] + struct.pack("!H", checksum(message)) + message[4:]
    socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP).sendto(message, ("10.77.1.2", 0))
SCRIPT
sleep 0.2
rm "$TMP/port"
wait "$program" || fail "after a forged hint: $(cat "$TMP/log")"
if grep -q 'the path takes' "$TMP/log"; then fail "believed a forged hint"; fi
say "a forged hint: ignored"

# Nobody is reached: what the kernel's TCP says, as soon.
in_ns "$PATH_NS" nft -f - <<'RULES' || skip "nft cannot make rules here"
table inet t {
    chain c {
        type filter hook forward priority 0;
        meta l4proto tcp ip daddr 10.77.2.2 tcp dport 7002 reject with icmp type host-unreachable
        meta l4proto tcp ip daddr 10.77.2.2 tcp dport 7003 reject with icmp type port-unreachable
        meta l4proto tcp ip6 daddr fd00:77:2::2 tcp dport 7002 reject with icmpv6 type addr-unreachable
        meta l4proto tcp ip6 daddr fd00:77:2::2 tcp dport 7003 reject with icmpv6 type port-unreachable
    }
}
RULES
cat >"$TMP/refused.py" <<'SCRIPT'
import errno, socket, sys, time
for host in "10.77.2.2", "fd00:77:2::2":
    for port in 7002, 7003:
        began = time.monotonic()
        try:
            socket.create_connection((host, port), timeout=20)
        except OSError as e:
            late = time.monotonic() - began > 2
            print(host, port, errno.errorcode.get(e.errno, e), "late" if late else "soon")
SCRIPT
for way in off try require; do
    in_ns "$CLIENT" timeout 60 env TRICKLES=$way "$BIN/trickles" "$PYTHON" "$TMP/refused.py" >"$TMP/refused.$way" 2>/dev/null
done
cmp "$TMP/refused.off" "$TMP/refused.try" || fail "try: $(cat "$TMP/refused.try"); off: $(cat "$TMP/refused.off")"
cmp "$TMP/refused.off" "$TMP/refused.require" || fail "require: $(cat "$TMP/refused.require"); off: $(cat "$TMP/refused.off")"
say "unreachable: as the kernel's TCP says"
