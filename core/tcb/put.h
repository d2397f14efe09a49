/* put.h - what the MACs see: big-endian fields appended to a buffer, and the 64-bit PRF over them.
 * Private to tcb. The caller sizes the buffer; every layout here is of fixed length. */
#ifndef TRK_TCB_PUT_H
#define TRK_TCB_PUT_H

#include <sodium.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Append the low `bytes` bytes of v, most significant first; returns the next free byte. */
static inline uint8_t *trk_put(uint8_t *p, uint64_t v, unsigned bytes)
{
    for (unsigned i = bytes; i-- > 0; v >>= 8)
        p[i] = (uint8_t)v;
    return p + bytes;
}

static inline uint8_t *trk_put_bytes(uint8_t *p, const void *from, size_t bytes)
{
    memcpy(p, from, bytes);
    return p + bytes;
}

/* SipHash-2-4 as a number, read big-endian so that replicas of any byte order agree. */
static inline uint64_t trk_prf64(const uint8_t key[crypto_shorthash_KEYBYTES], const uint8_t *in, size_t bytes)
{
    uint8_t hash[crypto_shorthash_BYTES];
    crypto_shorthash(hash, in, bytes, key);
    uint64_t v = 0;
    for (size_t i = 0; i < sizeof hash; i++)
        v = v << 8 | hash[i];
    return v;
}

#endif
