/* nonce.c - the proof that numbers arrived, checked in O(ranges) (paper 2.2). */
#include "tcb/report.h"
#include "tcb/prf.h"

struct trk_nonces trk_nonces_of(const struct trk_epoch *e, const struct trk_nonce_scope *s)
{
    struct trk_nonces out;
    struct trk_writer w = trk_writer_init(out.in, sizeof out.in);
    out.epoch = e;
    trk_put(&w, s->id.h, 8);
    trk_put(&w, s->id.t, 4);
    trk_put(&w, s->domain, 4);
    trk_put(&w, s->generation, 4);
    trk_put(&w, s->base, 8);
    trk_put(&w, 0, 8);                 /* x, of each step */
    return out;
}

uint64_t trk_nonces_step(struct trk_nonces *nonces, uint64_t x)
{
    trk_store64(nonces->in + TRK_NONCE_SCOPE_BYTES, x);
    return trk_prf64(nonces->epoch->nonce, nonces->in, sizeof nonces->in);
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
