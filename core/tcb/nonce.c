/* nonce.c - the proof that numbers arrived, checked in O(ranges) (paper 2.2). */
#include "tcb/report.h"
#include "tcb/prf.h"

/* r(x): telescopes, so that the XOR of p(left) .. p(right) is r(left) ^ r(right + 1). */
uint64_t trk_nonce_step(const struct trk_epoch *e, const struct trk_nonce_scope *s, uint64_t x)
{
    uint8_t in[8 + 4 + 4 + 4 + 8 + 8];
    struct trk_writer w = trk_writer_init(in, sizeof in);
    trk_put(&w, s->id.h, 8);
    trk_put(&w, s->id.t, 4);
    trk_put(&w, s->domain, 4);
    trk_put(&w, s->generation, 4);
    trk_put(&w, s->base, 8);
    trk_put(&w, x, 8);
    return trk_prf64(e->nonce, in, sizeof in);
}

uint64_t trk_nonce(const struct trk_epoch *e, const struct trk_nonce_scope *s, uint64_t n)
{
    return trk_nonce_step(e, s, n) ^ trk_nonce_step(e, s, n + 1);
}

bool trk_proof_ok(const struct trk_epoch *e, const struct trk_nonce_scope *s, const struct trk_range *ranges, size_t n_ranges, uint64_t xor_nonces)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < n_ranges; i++)
        sum ^= trk_nonce_step(e, s, ranges[i].left) ^ trk_nonce_step(e, s, ranges[i].right + 1);
    return n_ranges > 0 && sodium_memcmp(&sum, &xor_nonces, sizeof sum) == 0;
}
