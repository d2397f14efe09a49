/* admit.c - the only step that remembers (PROTOCOL.md 6.3). Without a filter what is proven is spent, and the answers say
 * so (TRK_F_NO_FILTER), so that clients send nothing twice on purpose. */
#include "serve/check.h"
#include "serve/filter.h"
#include "serve/plan.h"

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
    uint64_t who, now_ms;
    uint32_t oldest_tick;
    struct trk_decision *out;
};

static uint32_t oldest_tick(const struct trk_request *r, uint64_t now_ms)
{
    uint32_t now = trk_tick(now_ms), oldest = r->parts[0].grants[0].tick;
    for (unsigned p = 0; p < r->n_parts; p++)
        for (unsigned i = 0; i < r->parts[p].n_grants; i++)
            if ((int32_t)(now - r->parts[p].grants[i].tick) > (int32_t)(now - oldest))
                oldest = r->parts[p].grants[i].tick;
    return oldest;
}

static bool forgot(const struct admitting *a)
{
    return trk_filter_forgot(a->filter, a->oldest_tick, a->now_ms);
}

static enum trk_fate lose(const struct admitting *a, uint64_t n)
{
    return trk_filter_lose(a->filter, a->who, a->r->generation, n, a->now_ms);
}

/* Numbers directly before k that were free become lost, as they are granted anew. L was turned before. */
static uint8_t recreate(const struct admitting *a, const struct trk_part *part, const struct trk_step *step, bool l_turned)
{
    struct trk_report report = { part->ranges, part->n_ranges };
    uint64_t before_run = trk_report_run(&report, part->piece.base, part->k), n = 0;
    for (uint64_t j = part->k - 1; j > before_run && n < TRK_RECREATE_MAX && j + step->half > step->right; j--, n++)
        if (j == step->loss ? !l_turned : lose(a, j) != TRK_FATE_FREE)
            break;
    return (uint8_t)n;
}

/* A spent opening founds its generation. There may be several openings of one, from refreshes of different numbers: the
 * first one that is spent raises the word into it, the others come too late. */
static bool founds(const struct admitting *a, const struct trk_step *step)
{
    return trk_filter_raise(a->filter, a->who, NULL, a->r->generation, step->b, true, a->now_ms);
}

/* One part. L turns lost before anything is spent: of two requests that spend L and that call it lost only one is honoured. */
static enum trk_verdict admit_part(const struct admitting *a, unsigned p)
{
    const struct trk_part *part = &a->r->parts[p];
    const struct trk_step *step = &a->spend->steps[p];
    bool recovery = step->mode == TRK_MODE_RECOVERY;
    enum trk_fate loss = recovery ? lose(a, step->loss) : TRK_FATE_LOST;
    if (loss == TRK_FATE_SPENT)
        return TRK_V_LOSS_SPENT;
    uint64_t mask = trk_filter_spend(a->filter, a->who, a->r->generation, part->k, part->m, a->now_ms);
    if (!mask)
        return TRK_V_REPLAYED;
    if (part->kind == TRK_OPENING && !founds(a, step))
        return TRK_V_OLD_GENERATION;
    a->out->mask[p] = mask;
    if (recovery) {
        a->out->terminal[p] = loss == TRK_FATE_FREE;
        if (mask & 1)
            a->out->recreate[p] = recreate(a, part, step, a->out->terminal[p]);
    }
    return TRK_V_ANSWERED;
}

/* What is refused whatever the filter holds must not touch it. */
static enum trk_verdict bounds(const struct admitting *a)
{
    for (unsigned p = 0; p < a->r->n_parts; p++) {
        const struct trk_step *step = &a->spend->steps[p];
        if (step->mode == TRK_MODE_RECOVERY && a->r->parts[p].k + a->r->parts[p].m - 1 > step->right)
            return TRK_V_BEYOND_RECOVERY;
        if (trk_step_numbers(step) > TRK_GRANT_MAX)
            return TRK_V_TOO_MANY;
    }
    return TRK_V_ACCEPTED;
}

static enum trk_verdict admit_numbers(const struct admitting *a)
{
    struct trk_filter_word word = trk_filter_look(a->filter, a->who, a->now_ms);
    enum trk_verdict last = bounds(a);
    if (last != TRK_V_ACCEPTED)
        return last;
    if (forgot(a))
        return TRK_V_WRONG_DOMAIN;                   /* as if of another filter: only restarts */
    if (word.known && above(word.generation, a->r->generation))
        return TRK_V_OLD_GENERATION;
    uint64_t high = 0;
    size_t packets = 0;
    bool any = false;
    for (unsigned p = 0; p < a->r->n_parts; p++) {
        const struct trk_step *step = &a->spend->steps[p];
        size_t more = trk_step_numbers(step) + (step->terminal != 0 && a->r->parts[p].terminal_ask);
        /* One answer has its bound. What does not fit stays free, for the next request to repeat. */
        last = packets + more > TRK_GRANT_MAX ? TRK_V_TOO_MANY : admit_part(a, p);
        if (last != TRK_V_ANSWERED)
            continue;
        any = true;
        packets += more;
        if (step->a <= step->b && step->b > high)
            high = step->b;
    }
    if (!any)
        return last;
    /* Answered only if no restart came between: so a restart that saw the word saw all that was granted. */
    if (!trk_filter_raise(a->filter, a->who, &word, a->r->generation, high, false, a->now_ms))
        return TRK_V_OLD_GENERATION;
    return forgot(a) ? TRK_V_WRONG_DOMAIN : TRK_V_ANSWERED;
}

/* ---------------- restarts and refreshes ---------------- */

static bool attested(const struct admitting *a, bool own, const struct trk_filter_word *word)
{
    return a->r->restart_kind == TRK_RESTART_RESUME && own && word->known && word->generation == a->r->generation &&
           (a->spend->cut_f || word->high <= a->r->parts[0].k);
}

static struct trk_step restart_step(const struct admitting *a, bool believed)
{
    const struct trk_part *part = &a->r->parts[0];
    struct trk_report report = { part->ranges, part->n_ranges };
    enum trk_why why = a->r->restart_kind == TRK_RESTART_TIMEOUT ? TRK_WHY_TIMEOUT : believed ? TRK_WHY_RESUME : TRK_WHY_UNATTESTED;
    return trk_restart(part->kind, &part->piece, &report, part->k, why, a->spend->cut_f, a->spend->aged);
}

/* F is the last number that anyone can hold, if k* is of the newest window. If more was granted, or a higher generation
 * was honoured, the client goes back to a window that it has lost since, or did not hear us. */
static bool is_stale(const struct trk_filter_word *word, bool own, uint32_t generation, const struct trk_step *restart)
{
    return word->known && (above(word->generation, generation) || (own && word->generation == generation && word->high > restart->right));
}

/* What the word says and what raises it is one decision: numbers that are spent in between change the word. */
static enum trk_verdict admit_restart(const struct admitting *a)
{
    uint32_t to = a->r->generation + a->r->attempt;
    for (int tries = 0; tries < 4; tries++) {
        bool own = a->r->domain == trk_filter_domain(a->filter);
        struct trk_filter_word word = trk_filter_look(a->filter, a->who, a->now_ms);
        if (word.known && !above(to, word.generation))
            return TRK_V_OLD_GENERATION;
        a->out->attested = attested(a, own && !forgot(a), &word);
        struct trk_step step = restart_step(a, a->out->attested);
        if (step.loss && a->r->parts[0].k > step.right - step.half)
            return TRK_V_BEYOND_RECOVERY;
        if (own && step.loss && trk_filter_fate(a->filter, a->who, a->r->generation, step.loss, a->now_ms) == TRK_FATE_SPENT)
            return TRK_V_LOSS_SPENT;
        a->out->stale = is_stale(&word, own, a->r->generation, &step);
        if (a->out->stale)
            trk_restart_stale(&step);
        if (!trk_filter_raise_from(a->filter, a->who, &word, to, step.b, a->now_ms))
            continue;
        a->out->generation = to;
        a->out->attested = a->out->attested && !forgot(a);
        return TRK_V_ANSWERED;
    }
    return TRK_V_OLD_GENERATION;
}

/* A refresh does not raise the word, so that a repeated one gives the same opening; spending its opening does. Whoever is
 * further than all attempts of this generation has spent the opening of its refresh already, or something newer. */
static enum trk_verdict admit_refresh(struct trk_filter *filter, const struct trk_spend *spend, uint64_t now_ms, struct trk_decision *out)
{
    const struct trk_request *r = &spend->request;
    const struct trk_part *part = &r->parts[r->n_parts - 1];
    struct trk_report report = { part->ranges, part->n_ranges };
    out->generation = r->generation + TRK_REFRESH_STEP;
    if (!filter)
        return TRK_V_REFRESHED;
    struct trk_filter_word word = trk_filter_look(filter, trk_filter_who(filter, &r->id), now_ms);
    if (word.known && !above(out->generation, word.generation))
        return TRK_V_OLD_GENERATION;
    struct trk_step step = trk_restart(part->kind, &part->piece, &report, part->k + part->m - 1, TRK_WHY_REFRESH, spend->cut_f, spend->aged);
    out->stale = is_stale(&word, r->domain == trk_filter_domain(filter), r->generation, &step);
    return TRK_V_REFRESHED;
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
    if (spend->must_refresh) {
        spend_all(r, out);
        out->verdict = admit_refresh(filter, spend, now_ms, out);
    } else if (!filter) {
        spend_all(r, out);
        if (spend->type != TRK_SPEND_RESTART)
            return;
        /* Only our own seal can say that the client was left with less than it was granted. */
        out->attested = r->restart_kind == TRK_RESTART_RESUME && spend->cut_f != 0 && r->domain == config->domain;
        out->generation = r->generation + r->attempt;
    } else {
        struct admitting a;
        a.filter = filter;
        a.spend = spend;
        a.r = r;
        a.who = trk_filter_who(filter, &r->id);
        a.now_ms = now_ms;
        a.oldest_tick = oldest_tick(r, now_ms);
        a.out = out;
        if (spend->type == TRK_SPEND_RESTART)
            spend_all(r, out);
        out->verdict = spend->type == TRK_SPEND_RESTART ? admit_restart(&a) : admit_numbers(&a);
    }
}
