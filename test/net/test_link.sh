#!/bin/bash
# The link over a veth pair and lo: every byte arrives, alone and in superframes, whatever the devices offload;
# the guard keeps the kernel from answering while the packet socket sees everything.
. "$(dirname "$0")/lib.sh"
topology_direct
need_built "$TOOLS/trk-linkprobe"
need tcpdump ncat
probe=$TOOLS/trk-linkprobe
count=1500                             # little enough to fit the receiver's socket buffer: nothing may be lost

# field NAME: of the receiver's report.
field() { tail -n 1 "$TMP/receiver.log" | tr ' ' '\n' | sed -n "s/^$1=//p"; }
receiver() {                           # NS DEV COUNT SECONDS
    start receiver "$1" "$probe" receive "$2" 80 "$3" "$4"
    wait_for 5 "the receiver" grep -q '^ready' "$TMP/receiver.log"
}
finish() { wait "${PIDS[receiver]}" || fail "the receiver failed"; unset "PIDS[receiver]"; }

# exchange WHAT CLIENT-NS SERVER-NS DEV ADDRESS PAYLOAD MODE [COUNT]: so many packets, checked byte by byte.
exchange() {
    local count=${8:-$count}
    receiver "$3" "$4" "$count" 10
    in_ns "$2" "$probe" send "$5" 80 "$count" "$6" "$7" >"$TMP/sender.log"
    finish
    expect "$1: packets" "$(field packets)" "$count"
    expect "$1: bytes" "$(field bytes)" $((count * $6))
    expect "$1: wrong bytes" "$(field bad_bytes)" 0
    expect "$1: wrong checksums" "$(field bad_checksum)" 0
    expect "$1: out of order" "$(field out_of_order)" 0
    say "ok: $1"
}

# ---- every way to offload, both families, alone and in superframes ----
everything() {                         # WHAT
    local mode
    for mode in plain super; do
        exchange "$1, IPv4, $mode" "$CLIENT" "$SERVER" s0 "$SERVER4" 1400 "$mode"
        exchange "$1, IPv6, $mode" "$CLIENT" "$SERVER" s0 "$SERVER6" 1400 "$mode"
    done
}
everything "offloads as they are"
expect "checksums vouched for" "$(field vouched)" "$count"
in_ns "$CLIENT" ethtool -K c0 tso off >/dev/null
gro_on "$SERVER" s0
everything "no TSO, GRO at the receiver"
in_ns "$CLIENT" ethtool -K c0 tx off >/dev/null
everything "no TSO, no checksum offload, GRO"
offloads_off "$CLIENT" c0
offloads_off "$SERVER" s0
everything "no offloads at all"
expect "checksums verified by us" "$(field verified)" "$count"
exchange "tiny packets" "$CLIENT" "$SERVER" s0 "$SERVER4" 1 super
exchange "lo, IPv4" "$SERVER" "$SERVER" lo 127.0.0.1 16000 super 100
exchange "lo, IPv6" "$SERVER" "$SERVER" lo ::1 16000 plain 100
exchange "lo, own address" "$SERVER" "$SERVER" lo "$SERVER4" 1400 super

# ---- the same bytes on the wire, but for the IPv4 id: a superframe that the kernel cut, and single packets ----
wire() {                               # MODE: the packets as a capture behind the cut sees them, without IP ids
    start sniffer "$SERVER" tcpdump --immediate-mode -n -i s0 -x -t -c 100 tcp dst port 81
    wait_for 5 "tcpdump" grep -q 'listening on' "$TMP/sniffer.log"
    in_ns "$CLIENT" "$probe" send "$SERVER4" 81 100 700 "$1" >/dev/null
    wait "${PIDS[sniffer]}" || true
    unset "PIDS[sniffer]"
    # the id is the third 16-bit word, the header checksum that covers it the sixth; ack and TCP checksum are
    # what the plain mode varies
    sed -n 's/^\t0x\(....\): */\1 /p' "$TMP/sniffer.log" | awk '$1 == "0000" { $4 = $7 = "-" } $1 == "0010" { $8 = $9 = "-" }
        $1 == "0020" { $4 = "-" } { print }'
}
wire plain >"$TMP/wire.plain"
wire super >"$TMP/wire.super"
[ "$(wc -l <"$TMP/wire.plain")" -ge 4000 ] || fail "tcpdump saw too little: $(wc -l <"$TMP/wire.plain") lines"
cmp -s "$TMP/wire.plain" "$TMP/wire.super" || fail "superframes differ on the wire: $(diff "$TMP/wire.plain" "$TMP/wire.super" | head -n 5)"
say "ok: superframes and single packets are the same on the wire"

# ---- the guard ----
# kernel_answers MODE [ADDRESS]: what the server's kernel sends back to two segments for port 80.
kernel_answers() {
    local address=${2:-$SERVER4}
    start sniffer "$CLIENT" tcpdump --immediate-mode -n -i c0 -l -t -Q in "tcp src port 80 or (ip6 and ip6[6] == 6 and ip6[40:2] == 80)"
    wait_for 5 "tcpdump" grep -q 'listening on' "$TMP/sniffer.log"
    receiver "$SERVER" s0 2 3
    in_ns "$CLIENT" "$probe" send "$address" 80 2 0 "$1" >/dev/null
    sleep 0.3
    stop sniffer
    stop receiver INT
    grep -c 'Flags' "$TMP/sniffer.log" || true
}
seen_by_link() {                       # MODE ADDRESS: the packet socket sees marked segments under a guard
    receiver "$SERVER" s0 2 3
    in_ns "$CLIENT" "$probe" send "$2" 80 2 10 "$1" >/dev/null
    finish
    expect "segments seen, $1 to $2" "$(field packets)" 2
}
guard() {                              # KIND ADDRESS [COMMAND...]
    local kind=$1 address=$2; shift 2
    start guard "$SERVER" "$@" "$probe" guard "$address" 80 "$kind"
    wait_for 5 "the guard" grep -q '^ready' "$TMP/guard.log"
}
expect "RSTs without a guard" "$(kernel_answers super)" 2
expect "RSTs without a guard, IPv6" "$(kernel_answers super "$SERVER6")" 2

for kind in all marked; do
    guard "$kind" ::
    for address in "$SERVER4" "$SERVER6"; do
        for mode in super syn; do
            expect "answers under guard '$kind' to $mode, $address" "$(kernel_answers "$mode" "$address")" 0
            seen_by_link "$mode" "$address"
        done
    done
    if [ "$kind" = marked ]; then      # plain TCP still reaches the listener
        in_ns "$CLIENT" ncat -z -w 2 "$SERVER4" 80 || fail "guard 'marked' keeps plain TCP out"
        in_ns "$CLIENT" ncat -z -w 2 "$SERVER6" 80 || fail "guard 'marked' keeps plain TCP out on IPv6"
    elif in_ns "$CLIENT" timeout 1 ncat -z -w 1 "$SERVER4" 80; then
        fail "guard 'all' lets plain TCP in"
    fi
    stop guard
    say "ok: guard '$kind'"
done
need setpriv
guard all "$SERVER4" setpriv --bounding-set=-net_admin --inh-caps=-net_admin
expect "answers under a guard without CAP_NET_ADMIN" "$(kernel_answers super)" 0
expect "SYN answers under a guard without CAP_NET_ADMIN" "$(kernel_answers syn)" 0
seen_by_link super "$SERVER4"
stop guard
guard all "$SERVER6" setpriv --bounding-set=-net_admin --inh-caps=-net_admin
expect "IPv6 answers under a guard without CAP_NET_ADMIN" "$(kernel_answers syn "$SERVER6")" 0
seen_by_link syn "$SERVER6"
stop guard
guard all :: setpriv --bounding-set=-net_admin --inh-caps=-net_admin
expect "IPv4 answers under a dual guard without CAP_NET_ADMIN" "$(kernel_answers syn)" 0
expect "IPv6 answers under a dual guard without CAP_NET_ADMIN" "$(kernel_answers syn "$SERVER6")" 0
stop guard
say "ok: guard without CAP_NET_ADMIN"

start busy "$SERVER" ncat -l "$SERVER4" 80
wait_for_port "$SERVER" 80
message=$(in_ns "$SERVER" "$probe" guard "$SERVER4" 80 all 2>&1) && fail "a busy port was guarded"
expect "message for a busy port" "$message" "linkprobe: port 80 is in use by another program"
stop busy

# ---- a device that goes away and comes back ----
receiver "$SERVER" s0 5 10
ip -n "$SERVER" link set s0 down
wait_for 3 "ENETDOWN" grep -q 'error ENETDOWN' "$TMP/receiver.log"
ip -n "$SERVER" link set s0 up
ip -n "$SERVER" address replace "$SERVER6/64" dev s0 nodad
sleep 0.2
in_ns "$CLIENT" "$probe" send "$SERVER4" 80 5 100 super >/dev/null
finish
expect "packets after the device came back" "$(field packets)" 5
say "ok: a device that goes away and comes back"

# ---- frames for others ----
in_ns "$CLIENT" ip neigh replace "$SERVER4" lladdr 02:00:00:00:00:99 dev c0 nud permanent
receiver "$SERVER" s0 1 1
in_ns "$CLIENT" "$probe" send "$SERVER4" 80 5 100 super >/dev/null
finish
expect "packets to another host's address" "$(field packets)" 0
say "ok: frames for another host are left alone"

# ---- VLAN tags: a tagged frame belongs to the VLAN's own interface, a priority tag (VLAN 0) changes nothing ----
tagged='
import socket, struct, sys
def checksum(b):
    s = sum(struct.unpack("!%dH" % (len(b) // 2), b))
    s = (s >> 16) + (s & 65535)
    return 65535 & ~(s + (s >> 16))
mac, src, dst = bytes.fromhex(sys.argv[1].replace(":", "")), socket.inet_aton(sys.argv[2]), socket.inet_aton(sys.argv[3])
tcp = struct.pack("!HHIIBBHHH", 40000, 80, 1, 1, 0x60, 0x10, 65535, 0, 0) + bytes.fromhex("fd045452") + bytes(10)
tcp = tcp[:16] + struct.pack("!H", checksum(src + dst + struct.pack("!HH", 6, len(tcp)) + tcp)) + tcp[18:]
ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(tcp), 0, 0x4000, 64, 6, 0) + src + dst
ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("c0", 0))
for vlan in sys.argv[4:]:
    s.send(mac + bytes(6) + struct.pack("!HHH", 0x8100, int(vlan), 0x0800) + ip + tcp)
'
need python3
mac=$(in_ns "$SERVER" cat /sys/class/net/s0/address)
receiver "$SERVER" s0 2 1
in_ns "$CLIENT" python3 -c "$tagged" "$mac" "$CLIENT4" "$SERVER4" 5 0 7
finish
expect "packets with VLAN tags 5, 0 and 7" "$(field packets)" 1
say "ok: VLAN tags"

# ---- a device without link header: what comes in at the tun device goes back with both ends swapped ----
swap='
import fcntl, os, struct, sys
tun = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(tun, 0x400454ca, struct.pack("16sH22x", b"tun0", 0x1001))     # TUNSETIFF: IFF_TUN | IFF_NO_PI
os.system("ip link set tun0 up; ip address add 10.99.0.1/24 dev tun0; ip address add fd00:99::1/64 dev tun0 nodad")
print("ready", flush=True)
while True:
    p = bytearray(os.read(tun, 70000))
    at, n, tcp = (12, 4, 20) if p[0] >> 4 == 4 else (8, 16, 40)
    p[at:at + n], p[at + n:at + 2 * n] = p[at + n:at + 2 * n], p[at:at + n]
    p[tcp:tcp + 2], p[tcp + 2:tcp + 4] = p[tcp + 2:tcp + 4], p[tcp:tcp + 2]
    os.write(tun, p)
'
if [ -c /dev/net/tun ]; then
    start tun "$CLIENT" python3 -c "$swap"
    wait_for 5 "the tun device" grep -q '^ready' "$TMP/tun.log"
    for address in 10.99.0.2 fd00:99::2; do
        start receiver "$CLIENT" "$probe" receive tun0 40000 200 5
        wait_for 5 "the receiver" grep -q '^ready' "$TMP/receiver.log"
        in_ns "$CLIENT" "$probe" send "$address" 80 200 1400 super >"$TMP/sender.log"
        finish
        expect "packets over tun" "$(field packets)" 200
        expect "wrong bytes over tun" "$(field bad_bytes)" 0
        expect "checksums over tun verified by us" "$(field verified)" 200
    done
    stop tun
    say "ok: a device without link header"
else
    say "no /dev/net/tun here: left out"
fi

# ---- an ordinary user in a user namespace of his own ----
ordinary="setpriv --reuid=65534 --regid=65534 --clear-groups unshare -Urn"
if $ordinary true 2>/dev/null; then
    report=$($ordinary bash -c 'ip link set lo up
        "$1" receive lo 80 100 5 & sleep 0.5
        "$1" send 127.0.0.1 80 100 1000 super >/dev/null; wait' - "$probe" | tail -n 1) || fail "an ordinary user cannot use a link: $report"
    case "$report" in "packets=100 bytes=100000 "*"bad_bytes=0"*) say "ok: as an ordinary user" ;; *) fail "as an ordinary user: $report" ;; esac
else
    say "no user namespaces for ordinary users here: left out"
fi
