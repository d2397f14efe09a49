/* check_terms.c - a proven request: is it of our time, of our domain, and spent as it was granted?
 *
 * What is merely too old, ahead of our clock or of a retiring epoch is not refused but refreshed, and a refresh
 * asks for none of the other terms: it grants a single opening whatever the request wanted. */
#include "serve/check.h"

const struct trk_grant_ref *trk_grant_covering(const struct trk_part *part, uint64_t n)
{
    for (unsigned i = 0; i < part->n_grants; i++)
        if (part->grants[i].a <= n && n <= part->grants[i].f)
            return &part->grants[i];
    return NULL;
}

/* One grant after the other without a hole, from the first number spent to the last. */
static bool adjoining(const struct trk_part *part)
{
    uint64_t last = part->k + part->m - 1;
    if (part->grants[0].a > part->k || part->grants[part->n_grants - 1].f < last)
        return false;
    for (unsigned i = 1; i < part->n_grants; i++)
        if (part->grants[i].a != part->grants[i - 1].f + 1)
            return false;
    return true;
}

static bool any_cut(const struct trk_request *r)
{
    for (unsigned p = 0; p < r->n_parts; p++)
        for (unsigned i = 0; i < r->parts[p].n_grants; i++)
            if (r->parts[p].grants[i].f < r->parts[p].grants[i].b)
                return true;
    return false;
}

struct age { int64_t oldest_ms, newest_ms; };

static struct age age_of(const struct trk_request *r, uint32_t now_tick)
{
    struct age age = { INT64_MIN, INT64_MAX };
    for (unsigned p = 0; p < r->n_parts; p++) {
        for (unsigned i = 0; i < r->parts[p].n_grants; i++) {
            int64_t ms = trk_age_ms(now_tick, r->parts[p].grants[i].tick);
            if (ms > age.oldest_ms)
                age.oldest_ms = ms;
            if (ms < age.newest_ms)
                age.newest_ms = ms;
        }
    }
    return age;
}

/* trk_age_ms counts the running tick as well; a clock that is ahead of ours by n ticks reads (1 - n) of them. */
static bool out_of_time(const struct trk_serve_config *config, struct age age)
{
    int64_t horizon_ms = config->horizon_ms ? config->horizon_ms : TRK_HORIZON_MS;
    int64_t skew_ms = config->skew_ms ? config->skew_ms : TRK_SKEW_MS;
    return age.oldest_ms > horizon_ms || TRK_TICK_MS - age.newest_ms > skew_ms;
}

static enum trk_verdict restart_terms(const struct trk_spend *s)
{
    const struct trk_request *r = &s->request;
    if (r->attempt > TRK_ATTEMPTS_MAX)
        return TRK_V_ATTEMPTS;
    return s->age_ms < trk_attempt_age_ms(r->attempt) ? TRK_V_TOO_EARLY : TRK_V_ACCEPTED;
}

static enum trk_verdict number_terms(const struct trk_serve_config *config, const struct trk_spend *s)
{
    if (any_cut(&s->request))
        return TRK_V_CUT_SPENT;
    return s->request.domain == config->domain ? TRK_V_ACCEPTED : TRK_V_WRONG_DOMAIN;
}

static void step_parts(struct trk_spend *out)
{
    for (unsigned p = 0; p < out->request.n_parts; p++) {
        const struct trk_part *part = &out->request.parts[p];
        struct trk_report report = { part->ranges, part->n_ranges };
        out->steps[p] = trk_step(part->kind, &part->piece, &report, part->k, part->m);
    }
}

enum trk_verdict trk_check_terms(const struct trk_serve_config *config, uint64_t now_ms, struct trk_spend *out)
{
    const struct trk_request *r = &out->request;
    const struct trk_part *last_part = &r->parts[r->n_parts - 1];
    for (unsigned p = 0; p < r->n_parts; p++)
        if (!adjoining(&r->parts[p]))
            return TRK_V_NOT_ADJOINING;
    uint32_t now_tick = trk_tick(now_ms);
    const struct trk_grant_ref *star = trk_grant_covering(last_part, last_part->k + last_part->m - 1);
    int64_t age_ms = trk_age_ms(now_tick, star->tick);
    out->tick = star->tick;
    out->cut_f = star->f < star->b ? star->f : 0;
    out->age_ms = age_ms > 0 ? (uint32_t)age_ms : 0;
    out->aged = age_ms > TRK_AGED_MS;
    out->must_refresh = out_of_time(config, age_of(r, now_tick)) || out->epoch->state == TRK_EPOCH_RETIRING;
    if (out->must_refresh)
        return TRK_V_ACCEPTED;
    if (out->type == TRK_SPEND_RESTART)
        return restart_terms(out);
    step_parts(out);
    return number_terms(config, out);
}
