/* restart.c - the one operation for everything that is not steady (PROTOCOL.md 5, restart). */
#include "client/internal.h"

/* k*, kept aside: the ring is about to be filled with the new generation's numbers. */
static void remember_star(struct trk_client *c)
{
    if (c->attempt > 1)
        return;
    struct trk_range ranges[TRK_RANGES_MAX];
    uint64_t k = c->star;
    struct trk_number *e = trk_number_at(c, k);
    size_t cap = trk_report_cap(c);
    /* A report that does not fit: go back to a number below which it does. */
    while (e && k > 1 && (e->state != TRK_N_RECEIVED || !trk_report_make(c, c->pieces[e->piece].piece.base, k, ranges, cap)))
        e = trk_number_at(c, --k);
    if (!e)
        e = &c->ring[c->star & c->ring_mask];
    c->star_number = *e;
    c->star_piece = c->pieces[e->piece];
}

static void expect_grant(struct trk_client *c, const struct trk_step *step)
{
    trk_numbers_span(c, step->b - c->star + 1);      /* k* stays */
    c->next = step->a;
    c->end = step->a - 1;
    c->last = step->a - 1;
    c->gap = 0;
    c->max_held = 0;
    uint8_t piece = trk_piece_add(c, &step->piece, TRK_NORMAL);
    c->pieces[piece].sum = 0;
    c->pieces[piece].sum_known = true;
    for (uint64_t n = step->a; n <= step->b; n++)
        trk_number_take(c, n, piece);
}

void trk_restart_send(struct trk_client *c, enum trk_restart_kind kind, uint64_t now_us)
{
    trk_flush(c);
    if (c->attempt <= TRK_ATTEMPTS_MAX)
        c->attempt++;
    remember_star(c);
    struct trk_range ranges[TRK_RANGES_MAX];
    const struct trk_client_piece *p = &c->star_piece;
    uint64_t k = c->star_number.n;
    struct trk_report report = { ranges, trk_report_make(c, p->piece.base, k, ranges, TRK_RANGES_MAX) };
    bool aged = now_us - c->star_number.arrived_us > (uint64_t)TRK_AGED_MS * 1000;
    struct trk_step step = trk_restart(p->kind, &p->piece, &report, k, kind == TRK_RESTART_RESUME ? TRK_WHY_RESUME : TRK_WHY_TIMEOUT, c->cut_f, aged);
    trk_void_from(c, c->next);
    trk_want_terminals_again(c);
    trk_input_lost(c);
    c->awaiting = true;
    expect_grant(c, &step);
    c->progress_us = now_us;
    trk_compose(c, &step, p, k, 1, (uint8_t)kind);
}

/* The first accepted answer of the newest attempt: its generation becomes ours. */
void trk_settle(struct trk_client *c, const struct trk_grant *g)
{
    if (c->attempt) {
        c->n_lost = 0;
        c->sum = 0;
        c->attempt = 0;
        c->cut_f = 0;
        c->want_long = false;
        c->answered_to = c->n_sent;                  /* its copies are not answered, nor is anything older */
    }
    c->generation = g->generation;
    c->domain = g->domain;
    c->epoch = g->epoch;
    c->address_tag = g->address_tag;
    c->tick = g->tick;
    c->awaiting = false;
}

void trk_opening_take(struct trk_client *c, const struct trk_answer *m, uint64_t now_us)
{
    uint64_t n = m->n;
    c->next = n;
    c->end = n - 1;
    c->gap = 0;
    uint8_t piece = trk_piece_add(c, &m->grant.piece, TRK_OPENING);
    c->pieces[piece].sum = 0;
    c->pieces[piece].sum_known = true;
    struct trk_number *e = trk_number_take(c, n, piece);
    c->n_expected--;
    e->state = TRK_N_RECEIVED;
    e->nonce = c->sum = m->nonce;
    e->arrived_us = now_us;
    e->tick = m->grant.tick;
    memcpy(e->seal, m->seal, TRK_SEAL_BYTES);
    c->star = c->max_held = n;
    c->last = n - 1;
    c->next = n + 1;
}

void trk_refreshed(struct trk_client *c, const struct trk_answer *m, uint64_t now_us)
{
    trk_flush(c);
    trk_void_from(c, c->next);
    trk_want_terminals_again(c);
    trk_input_lost(c);                               /* a refresh processes no input */
    c->attempt = 1;                                  /* so that settle forgets the old generation */
    trk_settle(c, &m->grant);
    c->stats.refreshes++;
    trk_opening_take(c, m, now_us);
    c->backoff = 0;
    c->progress_us = now_us;
}
