/* siphash.h - SipHash-2-4 in steps. Private to tcb.
 *
 * libsodium hashes whole messages; all numbers of a grant share the first three blocks of theirs, and the state behind
 * these is kept instead of being computed for each packet. test/unit/test_siphash.c holds it against libsodium's. */
#ifndef TRK_TCB_SIPHASH_H
#define TRK_TCB_SIPHASH_H

#include <stdint.h>

struct trk_siphash { uint64_t v0, v1, v2, v3; };

static inline uint64_t trk_siphash_turn(uint64_t x, unsigned by) { return x << by | x >> (64 - by); }

/* Little-endian, as SipHash reads. */
static inline uint64_t trk_siphash_load(const uint8_t *p)
{
    return (uint64_t)p[7] << 56 | (uint64_t)p[6] << 48 | (uint64_t)p[5] << 40 | (uint64_t)p[4] << 32 |
           (uint64_t)p[3] << 24 | (uint64_t)p[2] << 16 | (uint64_t)p[1] << 8 | p[0];
}

static inline void trk_siphash_round(struct trk_siphash *s)
{
    s->v0 += s->v1; s->v2 += s->v3;
    s->v1 = trk_siphash_turn(s->v1, 13) ^ s->v0; s->v3 = trk_siphash_turn(s->v3, 16) ^ s->v2;
    s->v0 = trk_siphash_turn(s->v0, 32);
    s->v2 += s->v1; s->v0 += s->v3;
    s->v1 = trk_siphash_turn(s->v1, 17) ^ s->v2; s->v3 = trk_siphash_turn(s->v3, 21) ^ s->v0;
    s->v2 = trk_siphash_turn(s->v2, 32);
}

static inline struct trk_siphash trk_siphash_begin(const uint8_t key[16])
{
    uint64_t k0 = trk_siphash_load(key), k1 = trk_siphash_load(key + 8);
    return (struct trk_siphash){ k0 ^ 0x736f6d6570736575u, k1 ^ 0x646f72616e646f6du, k0 ^ 0x6c7967656e657261u, k1 ^ 0x7465646279746573u };
}

/* The next eight bytes of the message. */
static inline void trk_siphash_block(struct trk_siphash *s, uint64_t block)
{
    s->v3 ^= block;
    trk_siphash_round(s);
    trk_siphash_round(s);
    s->v0 ^= block;
}

/* The hash as libsodium writes it, read as a little-endian number. last: up to seven bytes, and the message's length (mod 256)
 * in the uppermost byte. */
static inline uint64_t trk_siphash_end(struct trk_siphash s, uint64_t last)
{
    trk_siphash_block(&s, last);
    s.v2 ^= 0xff;
    for (int i = 0; i < 4; i++)
        trk_siphash_round(&s);
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

#endif
