#include "flow_events.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "wire/messages.h"

/* ---- lines ---- */

static void begin(struct flow_events *f, const char *side, const char *event)
{
    fprintf(f->out, "{\"t\":%.6f,\"flow\":%u,\"side\":\"%s\",\"event\":\"%s\"", (double)(f->now_us - f->begin_us) / 1e6, f->flow, side, event);
}

static void number(struct flow_events *f, const char *key, uint64_t value) { fprintf(f->out, ",\"%s\":%" PRIu64, key, value); }

/* All words are ours: letters, hyphens and blanks. */
static void word(struct flow_events *f, const char *key, const char *value)
{
    if (value)
        fprintf(f->out, ",\"%s\":\"%s\"", key, value);
}

static void truth(struct flow_events *f, const char *key, bool value) { fprintf(f->out, ",\"%s\":%s", key, value ? "true" : "false"); }

static void piece(struct flow_events *f, const struct trk_piece *p)
{
    fprintf(f->out, ",\"piece\":[%" PRIu64 ",%" PRIu32 ",%" PRIu32 "]", p->base, p->start, p->ssthresh);
}

static void windows(struct flow_events *f)
{
    number(f, "cwnd", f->cwnd);
    number(f, "outstanding", f->outstanding);
}

static void end(struct flow_events *f) { fputs("}\n", f->out); }

static void at(struct flow_events *f, uint64_t now_us)
{
    if (!f->begun)
        f->begin_us = now_us;
    f->begun = true;
    f->now_us = now_us > f->begin_us ? now_us : f->begin_us;
}

/* ---- what is on its way ---- */

static struct flow_number *number_at(struct flow_events *f, uint64_t n) { return &f->numbers[n % FLOW_NUMBERS]; }

static void expect(struct flow_events *f, uint64_t a, uint64_t b, const struct trk_piece *p)
{
    for (uint64_t n = a; n <= b && b - a < TRK_GRANT_MAX; n++) {
        struct flow_number *e = number_at(f, n);
        if (e->n == n && e->generation == f->generation && e->state != FLOW_NEVER)
            continue;
        *e = (struct flow_number){ n, f->generation, FLOW_EXPECTED, *p };
        f->outstanding++;
    }
}

static void settle(struct flow_events *f, uint64_t n, enum flow_number_state state)
{
    struct flow_number *e = number_at(f, n);

    if (e->n != n || e->generation != f->generation)
        return;
    if (e->state == FLOW_EXPECTED && f->outstanding > 0)
        f->outstanding--;
    if (e->state == FLOW_EXPECTED || state == FLOW_RECEIVED)
        e->state = state;
}

static void enter(struct flow_events *f, uint32_t generation)
{
    f->generation = generation;
    f->outstanding = 0;
    f->lost_to = 0;
    f->newest_base = 0;
}

/* ---- the client's packets ---- */

/* The gaps of the report that were not told before. */
static void tell_losses(struct flow_events *f, const struct trk_part *p)
{
    uint64_t received_to = p->piece.base;

    for (unsigned i = 0; i < p->n_ranges; received_to = p->ranges[i++].right) {
        uint64_t from = received_to + 1, to = p->ranges[i].left - 1;
        if (from <= f->lost_to)
            from = f->lost_to + 1;
        if (from > to)
            continue;
        for (uint64_t n = from; n <= to && to - from < FLOW_NUMBERS; n++)
            settle(f, n, FLOW_LOST);
        f->lost_to = to;
        begin(f, "client", "lost");
        number(f, "generation", f->generation);
        number(f, "from", from);
        number(f, "to", to);
        windows(f);
        end(f);
    }
}

static void tell_spend(struct flow_events *f, const struct trk_request *r, unsigned i, uint32_t bytes)
{
    const struct trk_part *p = &r->parts[i];
    struct trk_report report = { p->ranges, p->n_ranges };
    struct trk_step step = trk_step(p->kind, &p->piece, &report, p->k, p->m);
    bool repeat = i + 1u < r->n_parts;

    if (!repeat) {
        tell_losses(f, p);
        if (step.piece.base > f->newest_base || step.mode == TRK_MODE_OPENING)
            f->newest_base = step.piece.base;
        if (step.mode == TRK_MODE_RECOVERY && f->newest_base == step.right)
            f->cwnd = (uint32_t)step.half;
        if (step.a <= step.b)
            expect(f, step.a, step.b, &step.piece);
    }
    begin(f, "client", "spend");
    number(f, "generation", r->generation);
    number(f, "k", p->k);
    number(f, "m", p->m);
    piece(f, &p->piece);
    number(f, "a", step.a <= step.b ? step.a : 0);
    number(f, "b", step.a <= step.b ? step.b : 0);
    if (step.terminal)
        number(f, "terminal", step.terminal);
    windows(f);
    truth(f, "repeat", repeat);
    number(f, "bytes", repeat ? 0 : bytes);
    end(f);
}

/* The client counts on the attested case; the answer says what it got. */
static void tell_restart(struct flow_events *f, const struct trk_request *r, uint32_t bytes)
{
    const struct trk_part *p = &r->parts[0];
    struct trk_report report = { p->ranges, p->n_ranges };
    bool resume = r->restart_kind == TRK_RESTART_RESUME, copy = f->attempt == r->attempt && f->restarted_from == r->generation && r->attempt;
    uint64_t cut_f = p->grants[0].f < p->grants[0].b ? p->grants[0].f : 0;
    struct trk_step step = trk_restart(p->kind, &p->piece, &report, p->k, resume ? TRK_WHY_RESUME : TRK_WHY_TIMEOUT, cut_f, false);

    if (!copy) {
        if (r->attempt == 1)
            tell_losses(f, p);
        enter(f, r->generation + r->attempt);
        f->attempt = r->attempt;
        f->restarted_from = r->generation;
        f->cwnd = step.piece.start;
        expect(f, step.a, step.b, &step.piece);
    }
    begin(f, "client", "restart");
    word(f, "kind", resume ? "resume" : "timeout");
    number(f, "generation", r->generation + r->attempt);
    number(f, "attempt", r->attempt);
    number(f, "k", p->k);
    number(f, "a", step.a);
    number(f, "b", step.b);
    windows(f);
    truth(f, "repeat", copy);
    number(f, "bytes", bytes);
    end(f);
}

static void tell_request(struct flow_events *f, const struct trk_segment *s)
{
    static struct trk_request r;

    if (trk_request_parse(s->payload, s->payload_bytes, &r) != TRK_V_ACCEPTED)
        return;
    if (r.form == TRK_FORM_RESTART)
        tell_restart(f, &r, s->payload_bytes);
    else
        for (unsigned i = 0; i < r.n_parts; i++)
            tell_spend(f, &r, i, s->payload_bytes);
    if (!r.has_input)
        return;
    begin(f, "client", "input");
    number(f, "offset", r.input_offset);
    number(f, "bytes", r.input_bytes);
    truth(f, "end", r.input_end);
    end(f);
}

static void tell_plain(struct flow_events *f, const char *side, const char *event, uint32_t bytes)
{
    begin(f, side, event);
    number(f, "bytes", bytes);
    end(f);
}

void flow_events_request(struct flow_events *f, uint64_t now_us, const struct trk_segment *s)
{
    uint8_t form = 0;

    at(f, now_us);
    if (trk_form_of(s->payload, s->payload_bytes, &form) != TRK_V_ACCEPTED)
        return;
    if (form == TRK_FORM_OPEN)
        tell_plain(f, "client", "open", s->payload_bytes);
    else if (form == TRK_FORM_CLOSE)
        tell_plain(f, "client", "close", s->payload_bytes);
    else
        tell_request(f, s);
}

/* ---- the server's packets ---- */

static void learn_space(struct flow_events *f, const struct trk_segment *s, const struct trk_answer *a)
{
    f->opened = true;
    f->slot = a->grant.slot;
    f->isn = s->seq + 1 - f->slot;     /* the SYN takes one, number 1's payload follows */
    f->near = 1;
    f->generation = a->grant.generation;
}

/* The answer's number, generation and piece, as the client fills them in. False if it cannot be read yet. */
static bool complete(struct flow_events *f, const struct trk_segment *s, struct trk_answer *a)
{
    if (a->form == TRK_FORM_OPENED && !f->opened)
        learn_space(f, s, a);
    if (!f->opened)
        return false;
    if (a->form == TRK_FORM_OPENED || a->form == TRK_FORM_LONG)
        return true;
    if (!trk_number_of_seq(f->isn, s->seq, f->slot, f->near, &a->n))
        return false;
    f->near = a->n;
    a->grant.generation = (uint32_t)trk_extend(f->generation, a->grant.generation & 15, 4);
    struct flow_number *e = number_at(f, a->n);
    if (e->n == a->n && e->generation == a->grant.generation)
        a->grant.piece = e->piece;
    a->grant.a = a->n - a->n_minus_a;
    a->grant.b = a->grant.f = a->grant.a + a->b_minus_a;
    a->offset = trk_extend(f->near_offset, a->offset, 32);
    f->near_offset = a->offset;
    return true;
}

static const char *name_of(const struct trk_answer *a)
{
    if (a->form == TRK_FORM_OPENED)
        return "opened";
    if (a->form == TRK_FORM_TERMINAL)
        return "terminal";
    return a->flags & TRK_F_REFRESH ? "refresh" : "answer";
}

static void tell_answer(struct flow_events *f, const char *side, const char *event, const struct trk_answer *a, const char *fate)
{
    begin(f, side, event);
    number(f, "generation", a->grant.generation);
    number(f, "n", a->n);
    if (a->form != TRK_FORM_TERMINAL) {
        number(f, "a", a->grant.a);
        number(f, "b", a->grant.b);
        number(f, "f", a->grant.f);
        piece(f, &a->grant.piece);
    }
    if (strcmp(side, "client") == 0)
        windows(f);
    number(f, "offset", a->offset);
    number(f, "bytes", a->data_bytes);
    word(f, "form", name_of(a));
    word(f, "fate", fate);
    end(f);
}

/* What the long form says counts: a restart may have been granted less than the client asked for, or be cut. */
static void follow(struct flow_events *f, const struct trk_answer *a)
{
    bool said = a->form == TRK_FORM_OPENED || a->form == TRK_FORM_LONG;

    if (said && (int32_t)(a->grant.generation - f->generation) > 0)
        enter(f, a->grant.generation);
    if (a->grant.generation != f->generation || a->form == TRK_FORM_TERMINAL)
        return;
    f->attempt = 0;
    if (said) {
        expect(f, a->grant.a, a->grant.f, &a->grant.piece);
        for (uint64_t n = a->grant.f + 1; n <= a->grant.b; n++)
            settle(f, n, FLOW_LOST);
        number_at(f, a->n)->piece = a->grant.piece;
    }
    settle(f, a->n, FLOW_RECEIVED);
    const struct trk_piece *p = &number_at(f, a->n)->piece;
    if (number_at(f, a->n)->n != a->n || p->start == 0 || p->base < f->newest_base)
        return;                        /* of the window before a loss */
    f->newest_base = p->base;
    f->cwnd = (uint32_t)trk_cwnd(p, a->n);
}

static void tell_verdict(struct flow_events *f, const char *side, const struct trk_segment *s)
{
    struct trk_verdict_msg m;

    if (trk_verdict_msg_parse(s->payload, s->payload_bytes, &m) != TRK_V_ACCEPTED)
        return;
    begin(f, side, "verdict");
    number(f, "generation", m.generation);
    number(f, "k", m.k);
    word(f, "verdict", trk_verdict_name(trk_verdict_of_code(m.code)));
    number(f, "bytes", s->payload_bytes);
    end(f);
}

static void of_server(struct flow_events *f, uint64_t now_us, const struct trk_segment *s, const char *fate, bool received)
{
    struct trk_answer a;
    uint8_t form = 0;

    at(f, now_us);
    if (trk_form_of(s->payload, s->payload_bytes, &form) != TRK_V_ACCEPTED)
        return;
    if (form == TRK_FORM_VERDICT) {
        tell_verdict(f, received ? "client" : "server", s);
        return;
    }
    if (trk_answer_parse(s->payload, s->payload_bytes, &a) != TRK_V_ACCEPTED || !complete(f, s, &a))
        return;
    if (received)
        follow(f, &a);
    tell_answer(f, received ? "client" : "server", received ? "receive" : name_of(&a), &a, fate);
}

void flow_events_answer(struct flow_events *f, uint64_t now_us, const struct trk_segment *s, const char *fate) { of_server(f, now_us, s, fate, false); }
void flow_events_receive(struct flow_events *f, uint64_t now_us, const struct trk_segment *s, const char *fate) { of_server(f, now_us, s, fate, true); }

void flow_events_judge(struct flow_events *f, uint64_t now_us, const char *verdict)
{
    at(f, now_us);
    begin(f, "server", "judge");
    word(f, "verdict", verdict);
    end(f);
}

void flow_events_read(struct flow_events *f, uint64_t now_us, uint64_t total, bool rival)
{
    at(f, now_us);
    begin(f, "client", "read");
    number(f, "total", total);
    truth(f, "rival", rival);
    end(f);
}

void flow_events_drop(struct flow_events *f, uint64_t now_us, bool up, uint32_t bytes, const char *why)
{
    at(f, now_us);
    begin(f, "path", "drop");
    word(f, "direction", up ? "up" : "down");
    word(f, "why", why);
    number(f, "bytes", bytes);
    end(f);
}
