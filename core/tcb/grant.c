/* grant.c - the transport continuation: its canonical bytes, its seal, its digest. */
#include "tcb/seal.h"
#include "tcb/put.h"

/* Only what the layout can hold may be sealed: a value that loses bits there would share its seal with another. */
static bool representable(const struct trk_grant *g)
{
    return g->kind <= TRK_OPENING
        && g->piece.base <= TRK_NUMBER_MAX && g->piece.start <= TRK_START_MAX && g->piece.ssthresh <= TRK_SSTHRESH_NONE
        && g->a <= g->f && g->f <= g->b && g->b <= TRK_NUMBER_MAX && g->b - g->a < TRK_GRANT_MAX;
}

static uint8_t *put_identity(uint8_t *p, const struct trk_grant *g)
{
    p = trk_put(p, g->kind, 1);
    p = trk_put(p, g->epoch, 1);
    p = trk_put(p, g->domain, 4);
    p = trk_put(p, g->id.h, 8);
    p = trk_put(p, g->id.t, 4);
    p = trk_put(p, g->generation, 4);
    p = trk_put(p, g->piece.base, 6);
    p = trk_put(p, g->piece.start, 2);
    return trk_put(p, g->piece.ssthresh, 2);
}

size_t trk_grant_bytes(const struct trk_grant *g, uint8_t out[TRK_GRANT_SEALED_BYTES])
{
    if (!representable(g))
        return 0;
    uint8_t *p = trk_put(out, TRK_VERSION, 1);
    p = put_identity(p, g);
    p = trk_put(p, g->a, 6);
    p = trk_put(p, g->b - g->a, 1);
    p = trk_put(p, g->f - g->a, 1);
    p = trk_put(p, g->slot, 2);
    p = trk_put(p, g->tick, 4);
    p = trk_put(p, g->address_tag, 4);
    return (size_t)(p - out);
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
    uint8_t in[32 + 2 + 4], *p = put_identity(in, g);
    p = trk_put(p, g->slot, 2);
    p = trk_put(p, g->address_tag, 4);
    return (uint16_t)trk_prf64(public_key, in, (size_t)(p - in));
}
