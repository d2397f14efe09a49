/* check_request.c - a request's way through its checks, the cheap ones first.
 *
 * Up to trk_check_proof a failed check is met with silence (anyone can send anything); after it the sender is known
 * to be the client, and is told. */
#include "serve/check.h"
#include "serve/filter.h"

/* A report over (base, k+m-1] in which all that is spent arrived. */
static bool reports_ok(const struct trk_request *r)
{
    for (unsigned p = 0; p < r->n_parts; p++) {
        const struct trk_part *part = &r->parts[p];
        struct trk_report report = { part->ranges, part->n_ranges };
        uint64_t last = part->k + part->m - 1;
        if (!trk_report_valid(&report, part->piece.base, last) || !trk_report_holds(&report, part->k, last))
            return false;
    }
    return true;
}

enum trk_verdict trk_check_request(const struct trk_segment *seg, const struct trk_keys *keys, const struct trk_serve_config *config,
                                   uint64_t now_ms, struct trk_spend *out)
{
    struct trk_request *r = &out->request;
    enum trk_verdict v = trk_request_parse(seg->payload, seg->payload_bytes, r);
    if (v != TRK_V_ACCEPTED)
        return v;
    if (!reports_ok(r))
        return TRK_V_BAD_FIELD;
    if (config->expects)
        trk_filter_expect(config->expects, r);
    out->epoch = trk_keys_find(keys, r->epoch);
    if (!out->epoch)
        return trk_keys_missing(keys, r->epoch);
    if (r->address_tag != trk_address_tag(out->epoch, &seg->flow.src, seg->flow.sport))
        return TRK_V_BAD_ADDRESS;
    out->type = r->form == TRK_FORM_RESTART ? TRK_SPEND_RESTART : TRK_SPEND_NUMBERS;
    out->id = r->id;
    out->address_tag = r->address_tag;
    v = trk_check_proof(out);
    if (v == TRK_V_ACCEPTED)
        v = trk_check_asks(keys, out);
    if (v == TRK_V_ACCEPTED)
        v = trk_check_terms(config, now_ms, out);
    return v;
}
