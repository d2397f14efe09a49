/* admit.c - the only step that remembers. There is no filter yet: what is proven is spent, and the answers say
 * so (TRK_F_NO_FILTER), so that clients send nothing twice on purpose. */
#include "serve/serve.h"

static uint64_t all_of(uint16_t m) { return m >= 64 ? UINT64_MAX : ((uint64_t)1 << m) - 1; }

static void spend_all(const struct trk_request *r, struct trk_decision *out)
{
    for (unsigned p = 0; p < r->n_parts; p++) {
        out->mask[p] = all_of(r->parts[p].m);
        out->terminal[p] = true;
        out->recreate[p] = TRK_RECREATE_MAX;
    }
}

void trk_admit(struct trk_filter *filter, const struct trk_spend *spend, const struct trk_serve_config *config,
               uint64_t now_ms, struct trk_decision *out)
{
    (void)filter;
    (void)now_ms;
    const struct trk_request *r = &spend->request;
    *out = (struct trk_decision){ .verdict = TRK_V_ANSWERED, .generation = r->generation, .domain = config->domain };
    if (spend->type == TRK_SPEND_CLOSE) {
        out->verdict = TRK_V_CLOSED;
        return;
    }
    if (spend->type == TRK_SPEND_OPEN)
        return;
    spend_all(r, out);
    if (spend->must_refresh) {
        out->verdict = TRK_V_REFRESHED;
        out->generation = r->generation + TRK_REFRESH_STEP;
    } else if (spend->type == TRK_SPEND_RESTART) {
        /* Without a filter's word only our own seal can say that the client was left with less than it was granted. */
        out->attested = r->restart_kind == TRK_RESTART_RESUME && spend->cut_f != 0 && r->domain == config->domain;
        out->generation = r->generation + r->attempt;
    }
}
