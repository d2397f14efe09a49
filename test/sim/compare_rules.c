#include "compare_rules.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* A filter that lost its memory has another domain, and the model begins anew, too. */
static struct model_filter *model_of(struct comparison *c, const struct trk_filter *filter)
{
    if (!filter)
        return NULL;
    struct known_filter *f = c->filters;
    while (f->filter && f->filter != filter)
        f++;
    if (!f->filter || f->domain != trk_filter_domain(filter)) {
        model_filter_free(f->model);
        *f = (struct known_filter){ filter, trk_filter_domain(filter), model_filter_new() };
    }
    return f->model;
}

/* Verdicts that speak of seals, continuations or the size of an answer: the model has none of these. */
static bool in_the_model(const struct sim_witnessed *w)
{
    if (w->spend->type != TRK_SPEND_NUMBERS && w->spend->type != TRK_SPEND_RESTART)
        return false;
    if (!w->decision)
        return w->verdict == TRK_V_ATTEMPTS || w->verdict == TRK_V_TOO_EARLY || w->verdict == TRK_V_CUT_SPENT || w->verdict == TRK_V_WRONG_DOMAIN;
    return w->verdict != TRK_V_TOO_MANY && w->verdict != TRK_V_NO_ROOM;
}

static bool same_piece(const struct trk_piece *a, const struct trk_piece *b)
{
    return a->base == b->base && a->start == b->start && a->ssthresh == b->ssthresh;
}

static const char *compare_grants(const struct trk_plan *plan, const struct model_answer *m)
{
    uint64_t terminal[TRK_PARTS_MAX] = { 0 };
    unsigned at = 0;

    for (unsigned i = 0; i < plan->n_grants; i++) {
        const struct trk_plan_grant *g = &plan->grants[i];
        for (uint64_t n = g->step.a; n <= g->step.b; n++, at++) {
            if (at == m->n || m->granted[at].part != g->part || m->granted[at].n != n)
                return "other numbers";
            if (!same_piece(&m->granted[at].piece, &g->step.piece))
                return "another piece";
        }
        if (g->step.terminal)
            terminal[g->part] = g->step.terminal;
    }
    if (at != m->n)
        return "fewer numbers";
    return memcmp(terminal, m->terminal, sizeof terminal) ? "another terminal" : NULL;
}

static const char *compare(const struct sim_witnessed *w, const struct model_answer *m)
{
    enum trk_verdict verdict = w->plan ? w->decision->verdict : w->verdict;

    if (verdict != m->verdict)
        return "another verdict";
    if (!w->plan)
        return NULL;
    return w->decision->generation != m->generation ? "another generation" : compare_grants(w->plan, m);
}

static void describe(struct comparison *c, const char *what, const struct sim_witnessed *w, const struct model_answer *m)
{
    const struct trk_request *q = &w->spend->request;
    const struct trk_part *p = &q->parts[q->n_parts - 1];
    const struct trk_step *s = w->plan && w->plan->n_grants ? &w->plan->grants[0].step : NULL;

    snprintf(c->first, sizeof c->first,
             "%s: %s generation %" PRIu32 ", k %" PRIu64 "+%u of {%" PRIu64 ", %" PRIu32 ", %" PRIu32 "}, attempt %u, %u parts: server %s, [%" PRIu64 ", %" PRIu64
             "] start %" PRIu32 " ssthresh %" PRIu32 "; model %s, %u numbers from %" PRIu64 " start %" PRIu32 " ssthresh %" PRIu32, what,
             q->form == TRK_FORM_RESTART ? "restart" : "request", q->generation, p->k, p->m, p->piece.base, p->piece.start, p->piece.ssthresh,
             q->attempt, q->n_parts, trk_verdict_name(w->plan ? w->decision->verdict : w->verdict), s ? s->a : 0, s ? s->b : 0,
             s ? s->piece.start : 0, s ? s->piece.ssthresh : 0, trk_verdict_name(m->verdict), m->n, m->n ? m->granted[0].n : 0,
             m->n ? m->granted[0].piece.start : 0, m->n ? m->granted[0].piece.ssthresh : 0);
}

void comparison_see(void *arg, const struct sim_witnessed *w)
{
    static struct model_answer answer;
    struct comparison *c = arg;

    if (!in_the_model(w)) {
        c->foreign++;
        return;
    }
    /* The model forgets nothing: a filter that may have had to is beyond comparison. */
    if (w->filter && c->forgets) {
        c->forgetful++;
        return;
    }
    struct model_case q = { .filter = model_of(c, w->filter), .domain = w->config->domain, .now_ms = w->now_ms,
                            .retiring = w->spend->epoch->state == TRK_EPOCH_RETIRING, .request = &w->spend->request };
    model_judge(&q, &answer);
    if (q.filter && model_filter_was_vague(q.filter)) {
        c->vague++;
        return;
    }
    c->compared++;
    c->numbers += answer.n;
    c->verdicts[answer.verdict]++;
    const char *what = compare(w, &answer);
    if (what && !c->first[0])
        describe(c, what, w, &answer);
    c->different += what != NULL;
}

void comparison_begin(struct comparison *c, bool forgets)
{
    for (unsigned i = 0; i < COMPARED_FILTERS_MAX; i++) {
        model_filter_free(c->filters[i].model);
        c->filters[i] = (struct known_filter){ 0 };
    }
    c->forgets = forgets;
    c->first[0] = 0;
}

void comparison_print(const struct comparison *c, const char *name)
{
    printf("%s: %" PRIu64 " decisions on %" PRIu64 " numbers compared, %" PRIu64 " differ;", name, c->compared, c->numbers, c->different);
    for (int v = 0; v < TRK_V_COUNT; v++)
        if (c->verdicts[v])
            printf(" %s %" PRIu64, trk_verdict_name((enum trk_verdict)v), c->verdicts[v]);
    printf("; not compared: %" PRIu64 " of filters that may forget, %" PRIu64 " about seals and sizes, %" PRIu64 " on the edge of memory\n", c->forgetful, c->foreign, c->vague);
}
