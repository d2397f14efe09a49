/* respond.c - the answer, packet by packet: pure, so every replica says the same. */
#include "serve/respond.h"

struct answering {                     /* what one call of trk_respond works with */
    struct trk_voice voice;
    const struct trk_decision *d;
    const struct trk_plan *plan;
    const struct trk_result *result;
    const struct trk_epoch *epoch;     /* of the grants that are given */
    uint32_t address_tag, tick;
    struct trk_conts conts;
    struct trk_said said;
    bool input_unanswered;             /* a SYN's, for want of room: then none of its output goes out either */
};

/* Field by field: the continuations' bytes, some thousands, are not touched unless there are any. */
static void begin(struct answering *a, const struct trk_spend *spend, const struct trk_decision *d, const struct trk_plan *plan,
                  const struct trk_result *result, const struct trk_serve_config *config, uint64_t now_ms, struct trk_packets *out)
{
    a->voice = (struct trk_voice){ .spend = spend, .config = config, .out = out };
    a->d = d;
    a->plan = plan;
    a->result = result;
    a->tick = trk_tick(now_ms);
    a->conts.input_bytes = a->conts.output_bytes = a->conts.range_bytes = a->conts.next_bytes = 0;
    a->conts.taken = false;
    a->conts.n_renewed = 0;
    a->said = (struct trk_said){ 0 };
    a->input_unanswered = false;
}

/* A generation keeps its epoch; what enters a new one (OPEN, restart, refresh) adopts the current epoch. */
static void choose_epoch(struct answering *a, const struct trk_keys *keys)
{
    const struct trk_spend *spend = a->voice.spend;
    const struct trk_epoch *current = trk_keys_current(keys);
    bool enters = spend->type != TRK_SPEND_NUMBERS || a->plan->refresh;
    a->epoch = enters && current ? current : spend->epoch;
    a->address_tag = a->epoch == spend->epoch ? spend->address_tag : trk_address_tag(a->epoch, &spend->flow.src, spend->flow.sport);
}

/* False if a continuation could not be sealed: its opaque part is too long. */
static bool seal_cont(const struct trk_keys *keys, const struct answering *a, const struct trk_ucont *u, uint8_t *out, uint16_t *bytes)
{
    const struct trk_epoch *epoch = trk_keys_current(keys);     /* the longest to live */
    *bytes = (uint16_t)trk_ucont_seal(epoch ? epoch : a->epoch, &a->voice.spend->id, u, out, TRK_UCONT_MAX);
    return *bytes > 0;
}

/* Which continuations the result brings, sealed: none of the input's for a fate that the plan has no packet for. */
static bool seal_input_conts(const struct trk_keys *keys, struct answering *a)
{
    const struct trk_result *result = a->result;
    const struct trk_spend *spend = a->voice.spend;
    const struct trk_ucont from_nothing = { .type = TRK_UCONT_INPUT, .first = 0, .second = result->output.second };
    bool speaks = spend->type == TRK_SPEND_OPEN && !spend->request.has_input && result->opens_output;
    bool done = speaks || (a->plan->may_input && result->fate == TRK_INPUT_DONE);
    bool more = !speaks && a->plan->may_input && result->fate == TRK_INPUT_MORE;
    const struct trk_ucont *input = speaks && result->fate != TRK_INPUT_DONE ? &from_nothing : &result->input;
    if ((done || more) && !seal_cont(keys, a, input, a->conts.input, &a->conts.input_bytes))
        return false;
    a->conts.taken = a->plan->may_input && spend->request.placed && result->fate == TRK_INPUT_TAKEN;
    if (more && result->has_range && !seal_cont(keys, a, &result->range, a->conts.range, &a->conts.range_bytes))
        return false;
    return !done || seal_cont(keys, a, &result->output, a->conts.output, &a->conts.output_bytes);
}

static bool any_end(const struct answering *a)
{
    for (unsigned i = 0; i < a->plan->n_wants; i++)
        if (a->result->given[i].end)
            return true;
    return false;
}

static bool add_renewed(const struct trk_keys *keys, struct answering *a, uint64_t n, const struct trk_ucont *u)
{
    struct trk_renewed *r = &a->conts.renewed[a->conts.n_renewed];
    if (a->conts.n_renewed == TRK_RENEWALS_MAX)
        return true;                   /* the client has what it replaces */
    *r = (struct trk_renewed){ .n = n, .first = u->first, .second = u->second };
    a->conts.n_renewed++;
    return seal_cont(keys, a, u, r->sealed, &r->bytes);
}

/* What the application renews, and what was sealed under another epoch than the current one, which may go at any time. */
static bool seal_renewals(const struct trk_keys *keys, struct answering *a)
{
    const struct trk_spend *spend = a->voice.spend;
    const struct trk_epoch *current = trk_keys_current(keys);
    bool ok = true;
    for (unsigned i = 0; i < a->result->n_renewals && ok; i++)
        ok = add_renewed(keys, a, a->result->renewals[i].n, &a->result->renewals[i].cont);
    for (unsigned i = 0; i < spend->request.n_conts && ok; i++)
        if (current && spend->conts[i].type == TRK_UCONT_OUTPUT && spend->request.conts[i].epoch != current->epoch)
            ok = add_renewed(keys, a, 0, &spend->conts[i]);
    return ok;
}

/* False if a continuation is too large for a packet of this answer. */
static bool seal_conts(const struct trk_keys *keys, struct answering *a)
{
    const struct trk_spend *spend = a->voice.spend;
    if (a->plan->refresh)              /* the application was not asked: there is no result */
        return true;
    if (!seal_input_conts(keys, a) || !seal_renewals(keys, a))
        return false;
    if ((uint32_t)a->conts.input_bytes + a->conts.output_bytes + a->conts.range_bytes > a->plan->room) {
        if (spend->type != TRK_SPEND_OPEN || !spend->request.has_input)
            return false;
        /* A SYN's answer is bounded by the SYN. Without its input's answer it still opens the connection, and the
         * client sends the input again where there is room. */
        a->conts.input_bytes = a->conts.output_bytes = a->conts.range_bytes = 0;
        a->input_unanswered = true;
    }
    if (!a->result->next_input || !any_end(a))
        return true;
    return seal_cont(keys, a, a->result->next_input, a->conts.next, &a->conts.next_bytes) && a->conts.next_bytes <= a->plan->room;
}

static struct trk_source source_of(const struct answering *a, const struct trk_plan_grant *g)
{
    struct trk_source s = { .plan = a->plan, .result = a->result };
    s.asks = trk_plan_asks(a->voice.spend, g, &s.n_asks);
    return s;
}

static void fill_number(const struct answering *a, const struct trk_plan_grant *g, uint64_t n, struct trk_said *said, struct trk_fill *out)
{
    static const struct trk_slice nothing = { 0 };
    struct trk_source source = source_of(a, g);
    trk_fill(&source, &a->conts, a->input_unanswered ? &nothing : &g->slices[n - g->step.a], n, a->plan->room,
             g->carries_input && n == g->step.a, said, out);
}

/* Input by position is clocked by what answers it, as data is: each of its packets leaves on a number. */
static bool clocks_input(const struct answering *a)
{
    return a->voice.spend->request.placed || a->conts.range_bytes > 0;
}

/* f: openings and restarts are cut after the last number that says something; everything else is sent in full. */
static uint64_t last_sent(const struct answering *a, const struct trk_plan_grant *g)
{
    if ((g->step.mode != TRK_MODE_OPENING && g->step.mode != TRK_MODE_RESTART) || clocks_input(a))
        return g->step.b;
    struct trk_said said = a->said;    /* a rehearsal: nothing has been said yet */
    uint64_t f = g->step.a;
    for (uint64_t n = g->step.a; n <= g->step.b; n++) {
        struct trk_fill fill;
        fill_number(a, g, n, &said, &fill);
        if (!trk_fill_empty(&fill))
            f = n;
    }
    return f;
}

/* Number 1 is one of the initial window's packets: if it carries data, its acknowledgement grows the window as that of any
 * other does (RFC 5681). Without data it acknowledges a handshake, which does not. */
static struct trk_piece piece_of(const struct answering *a, const struct trk_plan_grant *g)
{
    struct trk_piece piece = g->step.piece;
    if (a->voice.spend->type == TRK_SPEND_OPEN) {
        struct trk_said said = a->said;
        struct trk_fill fill;
        fill_number(a, g, g->step.a, &said, &fill);
        piece.start = fill.data.bytes ? TRK_IW_ACKED : TRK_IW;
    }
    return piece;
}

static struct trk_answer answer_of(const struct answering *a, const struct trk_plan_grant *g, uint64_t f)
{
    const struct trk_spend *spend = a->voice.spend;
    bool opening = spend->type == TRK_SPEND_OPEN || a->plan->refresh;
    struct trk_answer answer = {
        .form = a->plan->form,
        .flags = (uint8_t)((a->voice.config->domain == 0 ? TRK_F_NO_FILTER : 0) | (a->plan->refresh ? TRK_F_REFRESH : 0)),
        .grant = {
            .kind = opening ? TRK_OPENING : TRK_NORMAL, .epoch = a->epoch->epoch, .domain = a->d->domain, .id = spend->id,
            .generation = a->d->generation, .piece = piece_of(a, g), .a = g->step.a, .b = g->step.b, .f = f,
            .slot = spend->request.slot, .tick = a->tick, .address_tag = a->address_tag,
        },
        .b_minus_a = (uint8_t)(g->step.b - g->step.a),
    };
    answer.digest = trk_grant_digest(&answer.grant);
    trk_grant_seal(a->epoch, &answer.grant, answer.seal);
    return answer;
}

/* Most packets of a grant say nothing but the next bytes: how many after number n do, which has just been emitted. */
static size_t run_after(const struct answering *a, const struct trk_plan_grant *g, uint64_t n, uint64_t f)
{
    const struct trk_slice *slice = &g->slices[n - g->step.a];
    if (!a->voice.plain || a->voice.plain->data_bytes != slice->bytes || a->conts.n_renewed > 0)
        return 0;
    struct trk_source source = source_of(a, g);
    return trk_gather_run(&source, slice, (size_t)(f - n));
}

static bool emit_grant(struct answering *a, const struct trk_plan_grant *g)
{
    if (g->step.a > g->step.b)
        return true;
    uint64_t f = last_sent(a, g);
    struct trk_answer answer = answer_of(a, g, f);
    const struct trk_nonce_scope scope = {
        .id = answer.grant.id, .domain = answer.grant.domain, .generation = answer.grant.generation, .base = answer.grant.piece.base,
    };
    struct trk_nonces nonces = trk_nonces_of(a->epoch, &scope);
    uint64_t r = trk_nonces_step(&nonces, g->step.a);
    for (uint64_t n = g->step.a; n <= f; n++) {
        struct trk_fill fill;
        fill_number(a, g, n, &a->said, &fill);
        answer.nonce = r;
        r = trk_nonces_step(&nonces, n + 1);
        answer.nonce ^= r;
        if (!trk_emit(&a->voice, &answer, n, &fill))
            return false;
        size_t m = run_after(a, g, n, f);
        if (m > 0 && !trk_emit_run(&a->voice, &answer, n + 1, m, &nonces, &r))
            return false;
        n += m;
    }
    return true;
}

/* L's data once more, in L's place: no nonce, no seal, nothing to spend. Without data there is nothing to send. */
static bool emit_terminal(struct answering *a, const struct trk_plan_grant *g)
{
    if (!g->step.terminal)
        return true;
    struct trk_source source = source_of(a, g);
    source.asks--;                     /* the terminal's ask stands before the numbers' */
    source.n_asks = 1;
    struct trk_fill fill;
    trk_fill(&source, &a->conts, &g->terminal, 0, a->voice.spend->request.fill - (uint32_t)TRK_TERMINAL_BYTES, false, &a->said, &fill);
    if (trk_fill_empty(&fill))
        return true;
    struct trk_answer answer = {
        .form = TRK_FORM_TERMINAL, .flags = a->voice.config->domain == 0 ? TRK_F_NO_FILTER : 0,
        .grant = { .generation = a->d->generation, .epoch = a->epoch->epoch, .a = g->step.terminal },
    };
    return trk_emit(&a->voice, &answer, g->step.terminal, &fill);
}

enum trk_verdict trk_respond(const struct trk_spend *spend, const struct trk_decision *d, const struct trk_plan *plan,
                             const struct trk_result *result, const struct trk_keys *keys, const struct trk_serve_config *config,
                             uint64_t now_ms, struct trk_packets *out)
{
    out->n = out->arena_used = 0;
    if (d->verdict != TRK_V_ANSWERED && d->verdict != TRK_V_REFRESHED)
        return d->verdict;
    struct answering a;
    begin(&a, spend, d, plan, result, config, now_ms, out);
    choose_epoch(&a, keys);
    bool written = seal_conts(keys, &a);
    for (unsigned i = 0; i < plan->n_grants && written; i++)
        written = emit_terminal(&a, &plan->grants[i]) && emit_grant(&a, &plan->grants[i]);
    if (written)
        return d->verdict;
    out->n = out->arena_used = 0;
    return TRK_V_NO_ROOM;
}
