/* admit.c - the only step that remembers (PROTOCOL.md 6.2). Without a filter what is proven is spent, and the answers say
 * so (TRK_F_NO_FILTER), so that clients send nothing twice on purpose. */
#include "serve/check.h"
#include "serve/filter.h"

static uint64_t all_of(uint16_t m) { return m >= 64 ? UINT64_MAX : ((uint64_t)1 << m) - 1; }

static bool above(uint32_t generation, uint32_t than) { return (int32_t)(generation - than) > 0; }

/* ---------------- without a filter ---------------- */

static void spend_all(const struct trk_request *r, struct trk_decision *out)
{
    for (unsigned p = 0; p < r->n_parts; p++) {
        out->mask[p] = all_of(r->parts[p].m);
        out->terminal[p] = true;
        out->recreate[p] = TRK_RECREATE_MAX;
    }
}

/* ---------------- with one ---------------- */

struct admitting {
    struct trk_filter *filter;
    const struct trk_spend *spend;
    const struct trk_request *r;
    uint64_t now_ms;
    struct trk_decision *out;
};

static uint32_t oldest_tick(const struct trk_request *r, uint64_t now_ms)
{
    uint32_t now = trk_tick(now_ms), oldest = r->parts[0].grants[0].tick;
    for (unsigned p = 0; p < r->n_parts; p++)
        for (unsigned i = 0; i < r->parts[p].n_grants; i++)
            if (trk_age_ms(now, r->parts[p].grants[i].tick) > trk_age_ms(now, oldest))
                oldest = r->parts[p].grants[i].tick;
    return oldest;
}

/* Numbers directly before k that were free become lost, as they are granted anew; L among them turns lost here. */
static uint8_t recreate(const struct admitting *a, const struct trk_part *part, const struct trk_step *step, bool *l_turned)
{
    struct trk_report report = { part->ranges, part->n_ranges };
    uint64_t before_run = trk_report_run(&report, part->piece.base, part->k), n = 0;
    for (uint64_t j = part->k - 1; j > before_run && n < TRK_RECREATE_MAX && j + step->half > step->right; j--, n++) {
        if (trk_filter_lose(a->filter, &a->r->id, a->r->generation, j, a->now_ms) != TRK_FATE_FREE)
            break;
        *l_turned |= j == step->loss;
    }
    return (uint8_t)n;
}

/* One part: bounds first, then the loss it reports, then its numbers one by one. */
static enum trk_verdict admit_part(const struct admitting *a, unsigned p, uint64_t *high)
{
    const struct trk_part *part = &a->r->parts[p];
    struct trk_report report = { part->ranges, part->n_ranges };
    struct trk_step step = trk_step(part->kind, &part->piece, &report, part->k, part->m);
    bool recovery = step.mode == TRK_MODE_RECOVERY;
    if (recovery && part->k + part->m - 1 > step.right)
        return TRK_V_BEYOND_RECOVERY;
    if (recovery && trk_filter_fate(a->filter, &a->r->id, a->r->generation, step.loss, a->now_ms) == TRK_FATE_SPENT)
        return TRK_V_LOSS_SPENT;
    a->out->mask[p] = trk_filter_spend(a->filter, &a->r->id, a->r->generation, part->k, part->m, a->now_ms);
    if (!a->out->mask[p])
        return TRK_V_REPLAYED;
    if (recovery) {
        bool l_turned = false;
        if (a->out->mask[p] & 1)
            a->out->recreate[p] = recreate(a, part, &step, &l_turned);
        if (!l_turned)
            l_turned = trk_filter_lose(a->filter, &a->r->id, a->r->generation, step.loss, a->now_ms) == TRK_FATE_FREE;
        a->out->terminal[p] = l_turned;
    }
    if (step.a <= step.b && step.b > *high)
        *high = step.b;
    return TRK_V_ANSWERED;
}

static enum trk_verdict admit_numbers(const struct admitting *a)
{
    if (trk_filter_forgot(a->filter, oldest_tick(a->r, a->now_ms)))
        return TRK_V_WRONG_DOMAIN;                   /* as if of another filter: only restarts */
    struct trk_filter_word word = trk_filter_look(a->filter, &a->r->id, a->now_ms);
    if (word.known && above(word.generation, a->r->generation))
        return TRK_V_OLD_GENERATION;
    enum trk_verdict last = TRK_V_REPLAYED;
    uint64_t high = 0;
    bool any = false;
    for (unsigned p = 0; p < a->r->n_parts; p++) {
        last = admit_part(a, p, &high);
        any |= last == TRK_V_ANSWERED;
    }
    if (!any)
        return last;
    if (!trk_filter_raise(a->filter, &a->r->id, a->r->generation, high, false, a->now_ms))
        return TRK_V_OLD_GENERATION;
    return TRK_V_ANSWERED;
}

static enum trk_verdict admit_restart(const struct admitting *a)
{
    const struct trk_spend *s = a->spend;
    const struct trk_part *part = &a->r->parts[0];
    uint32_t to = a->r->generation + a->r->attempt;
    bool own = a->r->domain == trk_filter_domain(a->filter) && !trk_filter_forgot(a->filter, oldest_tick(a->r, a->now_ms));
    struct trk_filter_word word = trk_filter_look(a->filter, &a->r->id, a->now_ms);
    if (word.known && !above(to, word.generation))
        return TRK_V_OLD_GENERATION;
    a->out->attested = a->r->restart_kind == TRK_RESTART_RESUME && own && word.known && word.generation == a->r->generation &&
                       (s->cut_f || word.high <= part->k);
    a->out->generation = to;
    struct trk_report report = { part->ranges, part->n_ranges };
    enum trk_why why = a->r->restart_kind == TRK_RESTART_TIMEOUT ? TRK_WHY_TIMEOUT : a->out->attested ? TRK_WHY_RESUME : TRK_WHY_UNATTESTED;
    struct trk_step step = trk_restart(part->kind, &part->piece, &report, part->k, why, s->cut_f, s->aged);
    if (own && step.loss && trk_filter_fate(a->filter, &a->r->id, a->r->generation, step.loss, a->now_ms) == TRK_FATE_SPENT)
        return TRK_V_LOSS_SPENT;
    return trk_filter_raise(a->filter, &a->r->id, to, step.b, true, a->now_ms) ? TRK_V_ANSWERED : TRK_V_OLD_GENERATION;
}

/* A refresh does not raise the word, so that a repeated one gives the same opening; spending its opening does. */
static uint32_t refresh_generation(struct trk_filter *filter, const struct trk_request *r, uint64_t now_ms)
{
    uint32_t to = r->generation + TRK_REFRESH_STEP;
    struct trk_filter_word word = filter ? trk_filter_look(filter, &r->id, now_ms) : (struct trk_filter_word){ 0 };
    return word.known && !above(to, word.generation) ? word.generation + 1 : to;
}

void trk_admit(struct trk_filter *filter, const struct trk_spend *spend, const struct trk_serve_config *config,
               uint64_t now_ms, struct trk_decision *out)
{
    const struct trk_request *r = &spend->request;
    *out = (struct trk_decision){ .verdict = TRK_V_ANSWERED, .generation = r->generation, .domain = config->domain };
    if (spend->type == TRK_SPEND_CLOSE)
        out->verdict = TRK_V_CLOSED;
    if (spend->type == TRK_SPEND_CLOSE || spend->type == TRK_SPEND_OPEN)
        return;
    const struct admitting a = { filter, spend, r, now_ms, out };
    if (spend->must_refresh) {
        spend_all(r, out);
        out->verdict = TRK_V_REFRESHED;
        out->generation = refresh_generation(filter, r, now_ms);
    } else if (filter) {
        out->verdict = spend->type == TRK_SPEND_RESTART ? admit_restart(&a) : admit_numbers(&a);
        if (spend->type == TRK_SPEND_RESTART)
            spend_all(r, out);
    } else {
        spend_all(r, out);
        if (spend->type != TRK_SPEND_RESTART)
            return;
        /* Only our own seal can say that the client was left with less than it was granted. */
        out->attested = r->restart_kind == TRK_RESTART_RESUME && spend->cut_f != 0 && r->domain == config->domain;
        out->generation = r->generation + r->attempt;
    }
}
