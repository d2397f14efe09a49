"""bad_packets.py DEVICE CAPTURE KIND: sends damaged copies of the client's requests in CAPTURE (pcap, Ethernet) out of DEVICE.

Checksums are right unless the kind says otherwise, so that each copy gets as far as its damage allows. One kind is one
way in which a packet can be bad; the name is the counter that must have counted it. Prints how many were sent."""
import random
import socket
import struct
import sys

device, capture, kind = sys.argv[1], sys.argv[2], sys.argv[3]
random.seed(1)
MARKER = b"\xfd\x04TR"
REQUEST = 2


def frames():
    data = open(capture, "rb").read()
    at = 24
    while at + 16 <= len(data):
        kept, whole = struct.unpack_from("<II", data, at + 8)
        if kept == whole:
            yield data[at + 16:at + 16 + kept]
        at += 16 + kept


def ones(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


class Packet:
    """An IPv4 packet of ours, taken apart."""
    def __init__(self, frame):
        self.ethernet, ip = frame[:14], frame[14:]
        self.ip = bytearray(ip[:20])
        header = (ip[32] >> 4) * 4
        self.tcp, self.payload = bytearray(ip[20:20 + header]), bytearray(ip[20 + header:struct.unpack_from(">H", ip, 2)[0]])

    def bytes(self):
        struct.pack_into(">HH", self.ip, 2, 20 + len(self.tcp) + len(self.payload), 0)
        struct.pack_into(">H", self.ip, 10, 0)
        struct.pack_into(">H", self.ip, 10, ones(bytes(self.ip)))
        struct.pack_into(">H", self.tcp, 16, 0)
        pseudo = bytes(self.ip[12:20]) + struct.pack(">HH", 6, len(self.tcp) + len(self.payload))
        struct.pack_into(">H", self.tcp, 16, ones(pseudo + bytes(self.tcp) + bytes(self.payload)))
        return self.ethernet + bytes(self.ip) + bytes(self.tcp) + bytes(self.payload)


def requests():
    for frame in frames():
        if frame[12:14] != b"\x08\x00" or frame[14] != 0x45 or frame[23] != 6:
            continue
        packet = Packet(frame)
        if bytes(packet.tcp[20:24]) == MARKER and packet.payload and packet.payload[0] & 15 == REQUEST:
            yield packet


def damage(packet):
    """All damaged forms of one request, as frames."""
    p = packet
    if kind == "bad-checksum":
        frame = bytearray(p.bytes())
        frame[-1] ^= 1
        yield bytes(frame)
    elif kind == "bad-version":
        p.payload[0] ^= 0xf0
        yield p.bytes()
    elif kind == "bad-form":
        p.payload[0] |= 15
        yield p.bytes()
    elif kind == "bad-flags":
        p.tcp[13] = 0x13
        yield p.bytes()
    elif kind == "rst-hint":
        p.tcp[13] = 0x04
        yield p.bytes()
    elif kind == "short":
        p.payload = bytearray()
        yield p.bytes()
    elif kind == "truncated":
        whole = p.payload
        for n in range(1, len(whole)):
            p.payload = whole[:n]
            yield p.bytes()
    elif kind == "bad-address":
        p.tcp[1] ^= 1
        yield p.bytes()
    elif kind == "not-local":
        p.ip[19] ^= 0x40
        yield p.bytes()
    elif kind == "bad-seal":           # every bit of the message: most are under the seal or the proof
        for bit in range(8, 8 * len(p.payload)):
            p.payload[bit // 8] ^= 1 << bit % 8
            yield p.bytes()
            p.payload[bit // 8] ^= 1 << bit % 8


out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
out.bind((device, 0))
sent = 0
for request in list(requests())[-3:]:
    for frame in damage(request):
        out.send(frame)
        sent += 1
print(sent)
sys.exit(0 if sent else 1)
