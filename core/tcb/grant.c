/* grant.c - the transport continuation: its canonical bytes, its seal, its digest. */
#include "tcb/seal.h"
#include "tcb/prf.h"

/* Only what the layout can hold may be sealed: a value that loses bits there would share its seal with another. */
static bool representable(const struct trk_grant *g)
{
    return g->kind <= TRK_OPENING
        && g->piece.base <= TRK_NUMBER_MAX && g->piece.start <= TRK_START_MAX && g->piece.ssthresh <= TRK_SSTHRESH_NONE
        && g->a <= g->f && g->f <= g->b && g->b <= TRK_NUMBER_MAX && g->b - g->a < TRK_GRANT_MAX;
}

#define IDENTITY_BYTES 32

/* The fields that the client predicts from what it knows of the generation. */
static inline void put_identity(struct trk_writer *w, const struct trk_grant *g)
{
    trk_put(w, g->kind, 1);
    trk_put(w, g->epoch, 1);
    trk_put(w, g->domain, 4);
    trk_put(w, g->id.h, 8);
    trk_put(w, g->id.t, 4);
    trk_put(w, g->generation, 4);
    trk_put(w, g->piece.base, 6);
    trk_put(w, g->piece.start, 2);
    trk_put(w, g->piece.ssthresh, 2);
}

size_t trk_grant_bytes(const struct trk_grant *g, uint8_t out[TRK_GRANT_SEALED_BYTES])
{
    if (!representable(g))
        return 0;
    struct trk_writer w = trk_writer_init(out, TRK_GRANT_SEALED_BYTES);
    trk_put(&w, TRK_VERSION, 1);
    put_identity(&w, g);
    trk_put(&w, g->a, 6);
    trk_put(&w, g->b - g->a, 1);
    trk_put(&w, g->f - g->a, 1);
    trk_put(&w, g->slot, 2);
    trk_put(&w, g->tick, 4);
    trk_put(&w, g->address_tag, 4);
    return TRK_GRANT_SEALED_BYTES;
}

void trk_grant_seal(const struct trk_epoch *e, const struct trk_grant *g, uint8_t seal[TRK_SEAL_BYTES])
{
    uint8_t bytes[TRK_GRANT_SEALED_BYTES];
    size_t n = g->epoch == e->epoch ? trk_grant_bytes(g, bytes) : 0;
    if (n)
        crypto_shorthash_siphashx24(seal, bytes, n, e->seal);
    else
        memset(seal, 0, TRK_SEAL_BYTES);
}

bool trk_grant_open(const struct trk_epoch *e, const struct trk_grant *g, const uint8_t seal[TRK_SEAL_BYTES])
{
    uint8_t bytes[TRK_GRANT_SEALED_BYTES], mac[TRK_SEAL_BYTES];
    size_t n = g->epoch == e->epoch ? trk_grant_bytes(g, bytes) : 0;
    if (!n)
        return false;
    crypto_shorthash_siphashx24(mac, bytes, n, e->seal);
    return crypto_verify_16(mac, seal) == 0;
}

uint16_t trk_grant_digest(const struct trk_grant *g)
{
    /* A checksum against honest mispredictions, not a MAC: both ends know this key. */
    static const uint8_t public_key[crypto_shorthash_KEYBYTES] = "Trickles digest";
    uint8_t in[IDENTITY_BYTES + 2 + 4];
    struct trk_writer w = trk_writer_init(in, sizeof in);
    put_identity(&w, g);
    trk_put(&w, g->slot, 2);
    trk_put(&w, g->address_tag, 4);
    return (uint16_t)trk_prf64(public_key, in, sizeof in);
}
