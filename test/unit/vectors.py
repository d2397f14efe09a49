#!/usr/bin/env python3
"""Known answers for the keys, seals and nonces of core/PROTOCOL.md, from a second implementation.

Prints vectors.h, which is committed; the test unit.vectors says that it is still what this prints.
Only BLAKE2b comes from a library: SipHash and XChaCha20 are written out here from their papers.
"""
import hashlib
import struct

M64 = (1 << 64) - 1


def rotl(x, n, bits):
    return (x << n | x >> (bits - n)) & ((1 << bits) - 1)


def sip_round(v):
    v[0] = (v[0] + v[1]) & M64; v[1] = rotl(v[1], 13, 64) ^ v[0]; v[0] = rotl(v[0], 32, 64)
    v[2] = (v[2] + v[3]) & M64; v[3] = rotl(v[3], 16, 64) ^ v[2]
    v[0] = (v[0] + v[3]) & M64; v[3] = rotl(v[3], 21, 64) ^ v[0]
    v[2] = (v[2] + v[1]) & M64; v[1] = rotl(v[1], 17, 64) ^ v[2]; v[2] = rotl(v[2], 32, 64)


def siphash(key, data, long_form):
    k0, k1 = struct.unpack("<QQ", key)
    v = [k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d, k0 ^ 0x6c7967656e657261, k1 ^ 0x7465646279746573]
    if long_form:
        v[1] ^= 0xee
    tail = len(data) % 8
    padded = data + bytes(7 - tail) + bytes([len(data) & 0xff])
    for (word,) in struct.iter_unpack("<Q", padded):
        v[3] ^= word
        sip_round(v); sip_round(v)
        v[0] ^= word
    v[2] ^= 0xee if long_form else 0xff
    for _ in range(4):
        sip_round(v)
    out = struct.pack("<Q", v[0] ^ v[1] ^ v[2] ^ v[3])
    if long_form:
        v[1] ^= 0xdd
        for _ in range(4):
            sip_round(v)
        out += struct.pack("<Q", v[0] ^ v[1] ^ v[2] ^ v[3])
    return out


def prf64(key, data):
    return int.from_bytes(siphash(key, data, False), "big")


def quarter(s, a, b, c, d):
    for x, y, z, n in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
        s[x] = (s[x] + s[y]) & 0xffffffff
        s[z] = rotl(s[z] ^ s[x], n, 32)


def chacha_rounds(state):
    s = list(state)
    for _ in range(10):
        for i in range(4):
            quarter(s, i, 4 + i, 8 + i, 12 + i)
        for i in range(4):
            quarter(s, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4)
    return s


SIGMA = struct.unpack("<4I", b"expand 32-byte k")


def xchacha20_xor(key, nonce, data):
    s = chacha_rounds(SIGMA + struct.unpack("<8I", key) + struct.unpack("<4I", nonce[:16]))
    subkey = s[0:4] + s[12:16]
    out = b""
    for block in range((len(data) + 63) // 64):
        start = list(SIGMA) + subkey + [block, 0] + list(struct.unpack("<2I", nonce[16:]))
        stream = struct.pack("<16I", *((x + y) & 0xffffffff for x, y in zip(chacha_rounds(start), start)))
        out += bytes(x ^ y for x, y in zip(data[64 * block:], stream))
    return out


def subkey(master, epoch, purpose, size):
    number = epoch << 8 | purpose
    return hashlib.blake2b(b"", digest_size=size, key=master, salt=struct.pack("<QQ", number, 0), person=b"Trickles".ljust(16, b"\0")).digest()


def c_array(name, data):
    rows = [", ".join("0x%02x" % x for x in data[i:i + 16]) for i in range(0, len(data), 16)]
    print("static const uint8_t %s[%d] = {\n    %s,\n};" % (name, len(data), ",\n    ".join(rows)))


def c_number(name, value, digits):
    print("#define %s 0x%0*xull" % (name, digits, value))


MASTER, EPOCH = bytes(range(32)), 3
SEAL, NONCE, ID, _, ADDRESS, UCONT_MAC, UCONT_ENC, MINISOCKET = (subkey(MASTER, EPOCH, 1 + i, 32 if i >= 6 else 16) for i in range(8))
ADDR4 = b"\x04" + bytes([192, 0, 2, 1]) + bytes(12)
ADDR6 = b"\x06" + bytes.fromhex("20010db8000000000000000000000002")
RANDOM = bytes(range(100, 116))
H, T, DOMAIN, GENERATION = 0x0123456789abcdef, 0x11223344, 0xd0d1d2d3, 0x00000102
BASE, START, SSTHRESH, A, B, F, SLOT, TICK, TAG = 0x010203040506, 0x0708, 0x090a, 0x0b0c0d0e0f10, 0x0b0c0d0e0f21, 0x0b0c0d0e0f15, 1448, 0x55667788, 0x99aabbcc


def be(value, size):
    return value.to_bytes(size, "big")


def main():
    identity = be(0, 1) + be(EPOCH, 1) + be(DOMAIN, 4) + be(H, 8) + be(T, 4) + be(GENERATION, 4) + be(BASE, 6) + be(START, 2) + be(SSTHRESH, 2)
    grant = b"\x01" + identity + be(A, 6) + be(B - A, 1) + be(F - A, 1) + be(SLOT, 2) + be(TICK, 4) + be(TAG, 4)

    def r(x):
        return prf64(NONCE, be(H, 8) + be(T, 4) + be(DOMAIN, 4) + be(GENERATION, 4) + be(BASE, 8) + be(x, 8))

    def continuation(kind, flags, opaque):
        header = be(kind, 1) + be(flags, 1) + be(EPOCH, 1) + be(len(opaque), 2) + be(0x1011121314151617, 8) + be(0x2021222324252627, 8)
        mac = siphash(UCONT_MAC, header + be(H, 8) + be(T, 4) + opaque, True)
        return header + (xchacha20_xor(UCONT_ENC, mac + bytes(8), opaque) if flags & 2 else opaque) + mac

    print("/* vectors.h - made by vectors.py, a second implementation; do not edit. */")
    print("#ifndef TRK_TEST_VECTORS_H\n#define TRK_TEST_VECTORS_H\n\n#include <stdint.h>\n")
    for name, key in (("seal", SEAL), ("nonce", NONCE), ("id", ID), ("address", ADDRESS), ("ucont_mac", UCONT_MAC), ("ucont_enc", UCONT_ENC),
                      ("minisocket", MINISOCKET)):
        c_array("vector_key_" + name, key)
    c_number("VECTOR_CONN_HASH", prf64(ID, RANDOM + ADDR6 + ADDR4 + be(40000, 2) + be(80, 2)), 16)
    c_number("VECTOR_ADDRESS_TAG", prf64(ADDRESS, ADDR4 + be(40000, 2)) & 0xffffffff, 8)
    c_array("vector_grant_bytes", grant)
    c_array("vector_grant_seal", siphash(SEAL, grant, True))
    c_number("VECTOR_DIGEST", prf64(b"Trickles digest\0", identity + be(SLOT, 2) + be(TAG, 4)) & 0xffff, 4)
    c_number("VECTOR_NONCE", r(0x0b0c0d0e0f10) ^ r(0x0b0c0d0e0f11), 16)
    c_array("vector_ucont_plain", continuation(1, 0, bytes(range(5))))
    c_array("vector_ucont_encrypted", continuation(2, 3, bytes(range(100))))
    print("\n#endif")


main()
