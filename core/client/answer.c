/* answer.c - what the server said: the fate of one answer, and what it changes. */
#include "client/internal.h"
#include "tcb/seal.h"

#define TERMINAL_LATER_MAX 3

struct news {                          /* one answer, with everything the wire left to prediction filled in */
    struct trk_answer m;
    const struct trk_segment *seg;
    const struct trk_sent *request;    /* whose answer it is; NULL: too long ago */
    struct trk_origin origin;
    uint64_t now_us;
};

static void judge_terminals(struct trk_client *c, const struct news *x)
{
    if (!x->request)
        return;
    for (uint32_t i = 0; i < c->n_terminals; i++) {
        struct trk_terminal *t = &c->terminals[i];
        if (!t->sent || (int32_t)(x->request->end - t->request_end) <= 0 || ++t->later < TERMINAL_LATER_MAX)
            continue;
        trk_want_again(c, t->offset, t->bytes);
        c->terminals[i--] = c->terminals[--c->n_terminals];
    }
}

static void take_rtt(struct trk_client *c, struct trk_sent *request, uint64_t now_us)
{
    if (!request || request->answered)
        return;
    request->answered = true;
    uint32_t newest = c->n_sent - 1, place = (uint32_t)(request - c->sent);
    uint32_t index = newest - (newest - place) % TRK_CLIENT_SENT;
    if (index + 1 > c->answered_to)
        c->answered_to = index + 1;
    trk_rtt_sample(c, now_us - request->sent_us);
    trk_answered(c, request);
}

/* Nothing was predicted of these bytes, so they must answer something that was asked: whoever is not on the path may know our
 * addresses and guess a port and the beginning of a slot, but not the end of a request as well. */
static enum trk_verdict data_only(struct trk_client *c, const struct news *x, enum trk_verdict why)
{
    if (!x->request)
        return why == TRK_V_TERMINAL ? TRK_V_STALE : why;
    if (x->m.data_bytes && !trk_take_data(c, x->m.offset, x->m.data, x->m.data_bytes, &x->origin) && why == TRK_V_TERMINAL)
        return TRK_V_OUT_OF_WINDOW;
    return why;
}

/* The number is accepted: it can be spent, reported, and its bytes count. */
static enum trk_verdict accept(struct trk_client *c, const struct news *x, struct trk_number *e)
{
    const struct trk_answer *m = &x->m;
    trk_number_hold(c, e, m->nonce, x->now_us);
    e->tick = m->grant.tick;
    e->n_minus_a = m->n_minus_a;
    e->b_minus_a = m->b_minus_a;
    e->f_minus_a = (uint8_t)(m->grant.f - m->grant.a);
    memcpy(e->seal, m->seal, TRK_SEAL_BYTES);
    c->tick = m->grant.tick;
    c->no_filter = m->flags & TRK_F_NO_FILTER;
    c->backoff = 0;
    c->progress_us = x->now_us;
    if (e->placed)
        trk_placed_answer(c, e, m, &x->origin);
    else if (m->flags & (TRK_F_MORE | TRK_F_DONE | TRK_F_END))
        trk_input_answer(c, m, &x->origin);
    if (x->request)
        trk_repeat_judge(c, x->request, e->n);
    if (m->flags & TRK_F_RENEW)
        trk_output_renew(c, &m->conts[m->n_conts - 1], &x->origin);
    bool taken = !m->data_bytes || trk_take_data(c, m->offset, m->data, m->data_bytes, &x->origin);
    uint32_t bytes = e->bytes;
    e->bytes = 0;
    if (bytes)
        trk_want_again(c, e->offset, bytes);         /* what it was to carry and did not */
    if (c->input_state == TRK_IN_OUTSTANDING && c->input_number == e->n)
        trk_input_lost(c);                           /* its answer was to be here and is not */
    return taken ? TRK_V_ACCEPTED : TRK_V_OUT_OF_WINDOW;
}

/* The answer to an opening or a restart names its piece and how far it goes. */
static bool settles(struct trk_client *c, const struct trk_answer *m)
{
    uint32_t attempt = c->attempt > TRK_ATTEMPTS_MAX ? TRK_ATTEMPTS_MAX : c->attempt;
    return c->awaiting && m->form == TRK_FORM_LONG && m->grant.kind == TRK_NORMAL && m->grant.slot == c->slot &&
           m->grant.generation == c->generation + attempt && m->grant.piece.base == c->last && m->grant.a == c->last + 1 &&
           m->grant.piece.start == m->grant.b - m->grant.a + 1;
}

static void settle(struct trk_client *c, const struct trk_answer *m)
{
    trk_settle(c, &m->grant);
    struct trk_client_piece *p = &c->pieces[c->newest_piece];
    p->piece = m->grant.piece;
    p->kind = TRK_NORMAL;
    p->digest_known = false;
    c->cut_f = m->grant.f < m->grant.b ? m->grant.f : 0;
    if (c->end > m->grant.f) {
        trk_void_from(c, m->grant.f + 1);
        c->end = m->grant.f;
    }
    c->stats.cwnd_pkts = m->grant.piece.start;
    c->stats.ssthresh_pkts = m->grant.piece.ssthresh;
}

static bool predicted(struct trk_client *c, struct news *x, const struct trk_number *e)
{
    struct trk_answer *m = &x->m;
    struct trk_client_piece *known = &c->pieces[e->piece];
    const struct trk_piece *p = &known->piece;
    if (m->form == TRK_FORM_LONG)
        return m->grant.kind == TRK_NORMAL && m->grant.piece.base == p->base && m->grant.piece.start == p->start &&
               m->grant.piece.ssthresh == p->ssthresh && m->grant.epoch == c->epoch && m->grant.domain == c->domain;
    uint64_t a = e->n - m->n_minus_a, b = a + m->b_minus_a;
    /* Ticks are modulo 2^32: a replica whose clock is behind may be before the wrap when the last answer came from after it. */
    m->grant = (struct trk_grant){
        .kind = TRK_NORMAL, .epoch = c->epoch, .domain = c->domain, .id = c->id, .generation = c->generation, .piece = *p, .a = a, .b = b, .f = b,
        .slot = c->slot, .tick = (uint32_t)trk_extend(1ull << 32 | c->tick, m->grant.tick, 16), .address_tag = c->address_tag,
    };
    if (!known->digest_known) {
        known->digest = trk_grant_digest(&m->grant);
        known->digest_known = true;
    }
    return known->digest == m->digest;
}

static bool same_generation(const struct trk_client *c, const struct trk_answer *m)
{
    if (c->attempt)
        return false;
    if (m->form == TRK_FORM_LONG)
        return m->grant.generation == c->generation;
    return (m->grant.generation & 15) == (c->generation & 15) && (m->grant.epoch & 15) == (c->epoch & 15);
}

static bool is_refresh(const struct trk_client *c, const struct trk_answer *m)
{
    return m->form == TRK_FORM_LONG && m->flags & TRK_F_REFRESH && m->grant.kind == TRK_OPENING && m->grant.slot == c->slot &&
           (int32_t)(m->grant.generation - c->generation - TRK_REFRESH_STEP) >= 0 && m->n == m->grant.a && m->n > c->star &&
           m->grant.piece.base == m->n - 1 && m->grant.piece.start <= TRK_IW;
}

static enum trk_verdict judge(struct trk_client *c, struct news *x)
{
    struct trk_answer *m = &x->m;
    if (m->form == TRK_FORM_TERMINAL) {
        if (!same_generation(c, m))
            return data_only(c, x, TRK_V_STALE);
        if (x->request && m->flags & TRK_F_END)      /* what was lost said where the output ends */
            trk_input_answer(c, m, &x->origin);
        return data_only(c, x, TRK_V_TERMINAL);
    }
    if (is_refresh(c, m)) {
        trk_refreshed(c, m, x->now_us);
        return TRK_V_ACCEPTED;
    }
    if (m->flags & TRK_F_REFRESH)
        return TRK_V_STALE;                          /* another one of this generation was first */
    if (settles(c, m))
        settle(c, m);
    if (!same_generation(c, m))
        return data_only(c, x, TRK_V_STALE);
    struct trk_number *e = trk_number_at(c, m->n);
    if (e && e->state == TRK_N_LOST && predicted(c, x, e))
        trk_reordering_late(c, e, x->now_us);
    if (!e || m->n < c->next || e->state != TRK_N_EXPECTED)
        return data_only(c, x, e && (e->state == TRK_N_HELD || e->state == TRK_N_RECEIVED) ? TRK_V_DUPLICATE : TRK_V_UNPREDICTED);
    if (!predicted(c, x, e)) {
        if (m->form == TRK_FORM_LONG)                /* a duplicate of the request was answered under another epoch */
            return data_only(c, x, TRK_V_UNPREDICTED);
        c->want_long = true;
        return data_only(c, x, TRK_V_MISPREDICTED);
    }
    return accept(c, x, e);
}

static enum trk_verdict number_and_offset(struct trk_client *c, struct trk_answer *m, const struct trk_segment *seg)
{
    uint64_t n, near = m->form == TRK_FORM_LONG ? m->n : c->next;
    if (!trk_number_of_seq(c->isn, seg->seq, c->slot, near, &n))
        return TRK_V_BAD_FIELD;
    if (m->form == TRK_FORM_LONG)
        return m->n == n ? TRK_V_ACCEPTED : TRK_V_BAD_FIELD;
    m->n = n;
    m->offset = trk_extend(c->received_to, m->offset, 32);
    return n > m->n_minus_a ? TRK_V_ACCEPTED : TRK_V_BAD_FIELD;
}

/* Connection trackers want the end of the highest payload seen. A stranger's would move it to where no answer ever gets. */
void trk_acknowledge(struct trk_client *c, uint32_t end)
{
    if ((int32_t)(end - c->ack) > 0)
        c->ack = end;
}

enum trk_verdict trk_answer_feed(struct trk_client *c, const struct trk_segment *seg, uint64_t now_us)
{
    struct news x;                                   /* not cleared first: this is done for every packet */
    enum trk_verdict v = trk_answer_parse(seg->payload, seg->payload_bytes, &x.m);
    if (v != TRK_V_ACCEPTED)
        return v;
    if (x.m.form == TRK_FORM_OPENED)
        return TRK_V_DUPLICATE;                      /* the first answer to the SYN counts */
    v = number_and_offset(c, &x.m, seg);
    if (v != TRK_V_ACCEPTED)
        return v;
    struct trk_sent *request = trk_sent_find(c, seg->ack);
    x.seg = seg;
    x.now_us = now_us;
    x.request = request;
    x.origin = trk_origin_of(c, seg->ack);
    if (request)
        trk_heard(c, seg->payload_bytes);
    take_rtt(c, request, now_us);
    judge_terminals(c, &x);
    v = judge(c, &x);
    if (request || v == TRK_V_ACCEPTED)
        trk_acknowledge(c, seg->seq + seg->payload_bytes);
    return v;
}
