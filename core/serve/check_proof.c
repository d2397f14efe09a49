/* check_proof.c - the two proofs: the seals are ours, and the nonces say what arrived (paper 2.2, 2.3). */
#include "serve/check.h"

static bool seals_open(const struct trk_epoch *epoch, const struct trk_request *r, const struct trk_part *part)
{
    for (unsigned i = 0; i < part->n_grants; i++) {
        const struct trk_grant_ref *ref = &part->grants[i];
        const struct trk_grant grant = {
            .kind = part->kind, .epoch = r->epoch, .domain = r->domain, .id = r->id, .generation = r->generation,
            .piece = part->piece, .a = ref->a, .b = ref->b, .f = ref->f, .slot = r->slot, .tick = ref->tick,
            .address_tag = r->address_tag,
        };
        if (!trk_grant_open(epoch, &grant, ref->seal))
            return false;
    }
    return true;
}

static bool nonces_add_up(const struct trk_epoch *epoch, const struct trk_request *r, const struct trk_part *part)
{
    const struct trk_nonce_scope scope = {
        .id = r->id, .domain = r->domain, .generation = r->generation, .base = part->piece.base,
    };
    return trk_proof_ok(epoch, &scope, part->ranges, part->n_ranges, part->xor_nonces);
}

enum trk_verdict trk_check_proof(struct trk_spend *out)
{
    const struct trk_request *r = &out->request;
    for (unsigned p = 0; p < r->n_parts; p++)
        if (!seals_open(out->epoch, r, &r->parts[p]))
            return TRK_V_BAD_SEAL;
    for (unsigned p = 0; p < r->n_parts; p++)
        if (!nonces_add_up(out->epoch, r, &r->parts[p]))
            return TRK_V_BAD_PROOF;
    out->isn = trk_conn_isn(r->id.h);
    out->proven = true;
    return TRK_V_ACCEPTED;
}
