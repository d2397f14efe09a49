/* plan.c - which numbers an answer grants, and which bytes each of them carries.
 *
 * Bytes are assigned to numbers over the whole grant that the client predicts, before the mask takes numbers away:
 * so what a number carries does not depend on what else of the request was spent before. */
#include "serve/plan.h"

static uint32_t room_of(const struct trk_request *r, const struct trk_plan *plan, unsigned p)
{
    bool carries_input = r->has_input && p + 1u == r->n_parts;
    if (!carries_input)
        return plan->room;
    return plan->room > r->reserve ? plan->room - r->reserve : 0;
}

/* Lays the part's asks out over all of its numbers. */
static void lay_out(const struct trk_request *r, const struct trk_plan *plan, unsigned p, const struct trk_step *full,
                    struct trk_slice slices[TRK_GRANT_MAX])
{
    const struct trk_part *part = &r->parts[p];
    trk_layout(part->asks + part->terminal_ask, (size_t)(part->n_asks - part->terminal_ask), room_of(r, plan, p), plan->room,
               slices, trk_step_numbers(full));
}

/* A terminal has room for more than the number that was lost, as its header is shorter. */
static void plan_terminal(const struct trk_request *r, const struct trk_part *part, struct trk_plan_grant *g)
{
    if (!part->terminal_ask) {
        g->step.terminal = 0;          /* nothing to carry: it would say nothing */
        return;
    }
    uint32_t room = r->fill - (uint32_t)TRK_TERMINAL_BYTES, bytes = part->asks[0].bytes;
    g->terminal = (struct trk_slice){ .offset = part->asks[0].offset, .bytes = bytes < room ? bytes : room, .ask = 0 };
}

/* Appends one contiguous result of a part; full and slices are those of the whole part. */
static bool add_grant(const struct trk_spend *spend, unsigned p, struct trk_step step, const struct trk_step *full,
                      const struct trk_slice *slices, struct trk_plan *plan)
{
    const struct trk_request *r = &spend->request;
    if (plan->n_grants == TRK_PLAN_GRANTS_MAX)
        return false;
    struct trk_plan_grant *g = &plan->grants[plan->n_grants];
    g->part = (uint8_t)p;
    g->step = step;
    g->carries_input = r->has_input && p + 1u == r->n_parts && step.a <= step.b && step.a == full->a;
    if (step.terminal)
        plan_terminal(r, &r->parts[p], g);
    size_t n = trk_step_numbers(&step);
    if (n == 0 && !g->step.terminal)
        return true;                   /* these trickles end here */
    for (size_t i = 0; i < n; i++)
        g->slices[i] = slices[step.a - full->a + i];
    plan->may_input |= g->carries_input;
    plan->n_grants++;
    return trk_plan_wants(spend, g, plan);
}

/* The step of numbers k + first .. k + last, and what the decision takes from it. */
static struct trk_step step_of_run(const struct trk_spend *spend, const struct trk_decision *d, unsigned p, unsigned first, unsigned last)
{
    const struct trk_part *part = &spend->request.parts[p];
    struct trk_report report = { part->ranges, part->n_ranges };
    uint64_t k = part->k + first;
    struct trk_step s = spend->steps[p];
    if (last - first + 1 < part->m)
        s = trk_step(part->kind, &part->piece, &report, k, last - first + 1);
    if (!d->terminal[p])
        s.terminal = 0;
    /* Number j lives on as j + w; those below k are re-created, as many as the filter had free. */
    if (s.mode == TRK_MODE_RECOVERY && s.a <= s.b && s.a + d->recreate[p] < k + s.half)
        s.a = k + s.half - d->recreate[p];
    return s;
}

/* Next run of ones in mask at or above *first; false if there is none. */
static bool next_run(uint64_t mask, unsigned m, unsigned *first, unsigned *last)
{
    while (*first < m && !(mask >> *first & 1))
        ++*first;
    if (*first >= m)
        return false;
    for (*last = *first; *last + 1 < m && (mask >> (*last + 1) & 1); ++*last)
        ;
    return true;
}

static enum trk_verdict plan_part(const struct trk_spend *spend, const struct trk_decision *d, unsigned p, struct trk_plan *plan)
{
    const struct trk_part *part = &spend->request.parts[p];
    if (!d->mask[p])
        return TRK_V_ACCEPTED;         /* spent before, or refused on its own: the other parts are answered all the same */
    const struct trk_step *full = &spend->steps[p];
    if (full->mode == TRK_MODE_RECOVERY && part->k + part->m - 1 > full->right)
        return TRK_V_BEYOND_RECOVERY;
    if (trk_step_numbers(full) > TRK_GRANT_MAX)
        return TRK_V_TOO_MANY;
    struct trk_slice slices[TRK_GRANT_MAX];
    lay_out(&spend->request, plan, p, full, slices);
    for (unsigned first = 0, last; next_run(d->mask[p], part->m, &first, &last); first = last + 1)
        if (!add_grant(spend, p, step_of_run(spend, d, p, first, last), full, slices, plan))
            return TRK_V_TOO_MANY;
    return TRK_V_ACCEPTED;
}

static enum trk_why why_of(const struct trk_spend *spend, const struct trk_decision *d)
{
    if (d->verdict == TRK_V_REFRESHED)
        return TRK_WHY_REFRESH;
    if (spend->request.restart_kind == TRK_RESTART_TIMEOUT)
        return TRK_WHY_TIMEOUT;
    return d->attested ? TRK_WHY_RESUME : TRK_WHY_UNATTESTED;
}

/* A restart, or a refresh: from k*, the last number of the request, with its part's report. */
static enum trk_verdict plan_restart(const struct trk_spend *spend, const struct trk_decision *d, struct trk_plan *plan)
{
    const struct trk_request *r = &spend->request;
    unsigned p = r->n_parts - 1u;
    const struct trk_part *part = &r->parts[p];
    struct trk_report report = { part->ranges, part->n_ranges };
    struct trk_step step = trk_restart(part->kind, &part->piece, &report, part->k + part->m - 1, why_of(spend, d), spend->cut_f, spend->aged);
    struct trk_slice slices[TRK_GRANT_MAX] = { 0 };
    if (d->stale)
        trk_restart_stale(&step);
    /* Nothing was granted above R = F - w in this piece; a claim that k* is above it would have numbers granted twice. */
    if (step.loss && part->k + part->m - 1 > step.right - step.half)
        return TRK_V_BEYOND_RECOVERY;
    if (trk_step_numbers(&step) > TRK_GRANT_MAX)
        return TRK_V_TOO_MANY;
    if (!plan->refresh) {
        lay_out(r, plan, p, &step, slices);
        return add_grant(spend, p, step, &step, slices, plan) ? TRK_V_ACCEPTED : TRK_V_TOO_MANY;
    }
    struct trk_plan_grant *g = &plan->grants[plan->n_grants++];
    g->part = (uint8_t)p;
    g->step = step;
    g->carries_input = false;
    g->slices[0] = slices[0];
    return TRK_V_ACCEPTED;
}

static size_t packets_of(const struct trk_plan *plan)
{
    size_t n = 0;
    for (unsigned i = 0; i < plan->n_grants; i++)
        n += trk_step_numbers(&plan->grants[i].step) + (plan->grants[i].step.terminal != 0);
    return n;
}

static bool any_opening(const struct trk_request *r)
{
    for (unsigned p = 0; p < r->n_parts; p++)
        if (r->parts[p].kind == TRK_OPENING)
            return true;
    return false;
}

enum trk_verdict trk_plan(const struct trk_spend *spend, const struct trk_decision *d, const struct trk_serve_config *config, struct trk_plan *out)
{
    const struct trk_request *r = &spend->request;
    out->refresh = out->restart = out->may_input = false;
    out->n_grants = out->n_wants = 0;
    out->room = out->input_room = 0;
    if (d->verdict != TRK_V_ANSWERED && d->verdict != TRK_V_REFRESHED)
        return d->verdict;
    if (spend->type == TRK_SPEND_OPEN)
        return trk_plan_open(spend, config, out);
    out->refresh = d->verdict == TRK_V_REFRESHED;
    out->restart = spend->type == TRK_SPEND_RESTART || any_opening(r);
    out->form = out->refresh || out->restart || r->want_long ? TRK_FORM_LONG : TRK_FORM_NORMAL;
    out->room = r->fill - trk_form_bytes(out->form);
    enum trk_verdict v = TRK_V_ACCEPTED;
    if (out->refresh || spend->type == TRK_SPEND_RESTART)
        v = plan_restart(spend, d, out);
    else
        for (unsigned p = 0; p < r->n_parts && v == TRK_V_ACCEPTED; p++)
            v = plan_part(spend, d, p, out);
    return v == TRK_V_ACCEPTED && packets_of(out) > TRK_GRANT_MAX ? TRK_V_TOO_MANY : v;
}
