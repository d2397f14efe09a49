/* nonce.c - the proof that numbers arrived, checked in O(ranges) (paper 2.2). */
#include "tcb/report.h"
#include <sodium.h>
#include "wire/bytes.h"

#define SCOPE_BYTES 28                 /* before x's eight: three blocks and a half */

static uint32_t swapped(uint32_t x) { return x >> 24 | (x >> 8 & 0xff00) | (x << 8 & 0xff0000) | x << 24; }

/* The block of the scope's last bytes and x's upper half, which numbers of one grant share as well. */
static void set_upper_half(struct trk_nonces *nonces, uint32_t half)
{
    nonces->upper_half = half;
    nonces->upper = nonces->scope;
    trk_siphash_block(&nonces->upper, (uint64_t)swapped(half) << 32 | nonces->tail);
}

struct trk_nonces trk_nonces_of(const struct trk_epoch *e, const struct trk_nonce_scope *s)
{
    struct trk_nonces out;
    uint8_t in[SCOPE_BYTES];
    struct trk_writer w = trk_writer_init(in, sizeof in);
    trk_put(&w, s->id.h, 8);
    trk_put(&w, s->id.t, 4);
    trk_put(&w, s->domain, 4);
    trk_put(&w, s->generation, 4);
    trk_put(&w, s->base, 8);
    out.scope = trk_siphash_begin(e->nonce);
    for (int i = 0; i < 3; i++)
        trk_siphash_block(&out.scope, trk_siphash_load(in + 8 * i));
    out.tail = swapped(trk_load32(in + 24));
    set_upper_half(&out, 0);
    return out;
}

uint64_t trk_nonces_step(struct trk_nonces *nonces, uint64_t x)
{
    if ((uint32_t)(x >> 32) != nonces->upper_half)
        set_upper_half(nonces, (uint32_t)(x >> 32));
    uint64_t hash = trk_siphash_end(nonces->upper, (uint64_t)(SCOPE_BYTES + 8) << 56 | swapped((uint32_t)x));
    return (uint64_t)swapped((uint32_t)hash) << 32 | swapped((uint32_t)(hash >> 32));     /* as trk_prf64 reads it */
}

uint64_t trk_nonce(const struct trk_epoch *e, const struct trk_nonce_scope *s, uint64_t n)
{
    struct trk_nonces nonces = trk_nonces_of(e, s);
    return trk_nonces_step(&nonces, n) ^ trk_nonces_step(&nonces, n + 1);
}

bool trk_proof_ok(const struct trk_epoch *e, const struct trk_nonce_scope *s, const struct trk_range *ranges, size_t n_ranges, uint64_t xor_nonces)
{
    struct trk_nonces nonces = trk_nonces_of(e, s);
    uint64_t sum = 0;
    for (size_t i = 0; i < n_ranges; i++)
        sum ^= trk_nonces_step(&nonces, ranges[i].left) ^ trk_nonces_step(&nonces, ranges[i].right + 1);
    return n_ranges > 0 && sodium_memcmp(&sum, &xor_nonces, sizeof sum) == 0;
}
