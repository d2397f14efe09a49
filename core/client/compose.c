/* compose.c - a batch of spent numbers, or a restart, becomes a request in the outbox: the part with its report and
 * seals, the byte ranges wanted in its grant, the continuations they need, and input if there is any. */
#include "client/internal.h"

#define ASK_BYTES_MAX 14u              /* index, offset and length as varints */
#define INPUT_BYTES_MIN 64
#define PLACED_BYTES 9u                /* index of the continuation, offset */

/* Room in the answer while asks are listed: packets not begun yet, and what is left in the current one. */
struct gather {
    struct trk_request *request;
    struct trk_part *part;
    uint32_t numbers, used, first_room, room, left_in_packet;
    uint32_t budget;                   /* request bytes that asks and continuations may still take */
    uint64_t asked_to;                 /* end of the last ask */
};

static uint64_t gather_room(const struct gather *g, uint64_t offset)
{
    uint64_t room = g->part->n_asks && g->asked_to == offset ? g->left_in_packet : 0;
    if (!g->used && g->numbers)
        return room + g->first_room + (uint64_t)(g->numbers - 1) * g->room;
    return room + (uint64_t)(g->numbers - g->used) * g->room;
}

static void gather_take(struct gather *g, uint8_t cont, uint64_t offset, uint32_t bytes)
{
    bool adjoins = g->part->n_asks && g->asked_to == offset;
    struct trk_ask *last = g->part->n_asks ? &g->part->asks[g->part->n_asks - 1] : NULL;
    if (adjoins && last->cont == cont && !(g->part->terminal_ask && g->part->n_asks == 1)) {
        last->bytes += bytes;
    } else {
        g->part->asks[g->part->n_asks++] = (struct trk_ask){ cont, offset, bytes };
        g->budget -= ASK_BYTES_MAX;
    }
    g->asked_to = offset + bytes;
    uint32_t rest = bytes;
    if (adjoins) {
        uint32_t here = rest < g->left_in_packet ? rest : g->left_in_packet;
        rest -= here;
        g->left_in_packet -= here;
    }
    if (rest && !g->used) {
        uint32_t here = rest < g->first_room ? rest : g->first_room;
        rest -= here;
        g->left_in_packet = g->first_room - here;
        g->used = 1;
    }
    if (rest) {
        uint32_t packets = (rest + g->room - 1) / g->room;
        g->used += packets;
        g->left_in_packet = packets * g->room - rest;
    }
}

int trk_cont_index(struct trk_client *c, struct trk_request *r, uint64_t offset, uint32_t budget, uint64_t *covers_to)
{
    for (uint32_t i = 0; i < c->n_conts; i++) {
        struct trk_output_cont *o = &c->conts[i];
        if (offset < o->first || offset >= o->second)
            continue;
        *covers_to = o->second;
        for (int j = 0; j < r->n_conts; j++)
            if (r->conts[j].bytes == o->sealed)
                return j;
        if (r->n_conts == TRK_CONTS_MAX || budget < o->bytes || trk_ucont_parse(o->sealed, o->bytes, &r->conts[r->n_conts]) != TRK_V_ACCEPTED)
            return -1;
        return r->n_conts++;
    }
    return -1;
}

/* The same while there is a budget to keep: an ask goes with it. */
static int gather_cont(struct trk_client *c, struct gather *g, uint64_t offset, uint64_t *covers_to)
{
    int before = g->request->n_conts;
    int cont = trk_cont_index(c, g->request, offset, g->budget < ASK_BYTES_MAX ? 0 : g->budget - ASK_BYTES_MAX, covers_to);
    if (cont == before)                /* a new one */
        g->budget -= g->request->conts[cont].total_bytes;
    return cont;
}

/* List [left, right) as far as room goes; returns how many bytes were listed. */
static uint64_t gather_range(struct trk_client *c, struct gather *g, uint64_t left, uint64_t right)
{
    uint64_t from = left;
    while (left < right && g->part->n_asks < TRK_ASKS_MAX && g->budget >= ASK_BYTES_MAX) {
        uint64_t covers_to, room = gather_room(g, left);
        if (!room)
            break;
        int cont = gather_cont(c, g, left, &covers_to);
        if (cont < 0)
            break;
        uint64_t n = right - left;
        if (n > covers_to - left)
            n = covers_to - left;
        if (n > room)
            n = room;
        gather_take(g, (uint8_t)cont, left, (uint32_t)n);
        left += n;
    }
    return left - from;
}

static void gather_known(struct trk_client *c, struct gather *g)
{
    while (c->again.n && c->again.at[0].left < c->output_end) {
        struct trk_interval lost = c->again.at[0];
        if (lost.right > c->output_end)
            lost.right = c->output_end;
        uint64_t n = gather_range(c, g, lost.left, lost.right);
        trk_intervals_subtract(&c->again, lost.left, lost.left + n);
        if (n < lost.right - lost.left)
            return;
    }
    uint64_t end = trk_askable_end(c);
    if (c->ask_next < end)
        c->ask_next += gather_range(c, g, c->ask_next, end);
}

/* Output that the input will make, of a length that nobody knows yet. */
static void gather_input(struct trk_client *c, struct gather *g)
{
    uint64_t window = trk_window_end(c), room = gather_room(g, c->next_free);
    if (g->part->n_asks == TRK_ASKS_MAX || g->budget < ASK_BYTES_MAX || !room || window <= c->next_free)
        return;
    if (room > window - c->next_free)
        room = window - c->next_free;
    gather_take(g, TRK_ASK_INPUT, c->next_free, (uint32_t)room);
    c->ask_next = c->next_free + room;
}

/* The first loss of a run travels again at once (PROTOCOL.md 5, recovery), if its data is still wanted. */
static void gather_terminal(struct trk_client *c, struct gather *g, const struct trk_step *step)
{
    if (!step->terminal || g->budget < ASK_BYTES_MAX || c->n_terminals == TRK_CLIENT_TERMINALS || !c->again.n || c->again.at[0].left >= c->output_end)
        return;
    struct trk_interval lost = c->again.at[0];       /* the lowest hole is what the reader waits for */
    uint64_t covers_to, n = lost.right - lost.left, room = c->fill - TRK_TERMINAL_BYTES;
    int cont = gather_cont(c, g, lost.left, &covers_to);
    if (cont < 0)
        return;
    if (n > covers_to - lost.left)
        n = covers_to - lost.left;
    if (n > room)
        n = room;
    g->part->asks[g->part->n_asks++] = (struct trk_ask){ (uint8_t)cont, lost.left, (uint32_t)n };
    g->part->terminal_ask = true;
    g->budget -= ASK_BYTES_MAX;
    trk_intervals_subtract(&c->again, lost.left, lost.left + n);
    c->terminals[c->n_terminals++] = (struct trk_terminal){ .offset = lost.left, .bytes = (uint32_t)n };
}

static void part_grants(struct trk_client *c, struct trk_part *part, bool restart)
{
    for (uint64_t n = part->k; n < part->k + part->m && part->n_grants < TRK_PART_GRANTS_MAX;) {
        const struct trk_number *e = restart ? &c->star_number : trk_number_at(c, n);
        struct trk_grant_ref *ref = &part->grants[part->n_grants++];
        ref->a = n - e->n_minus_a;
        ref->b = ref->a + e->b_minus_a;
        ref->f = ref->a + e->f_minus_a;
        ref->tick = e->tick;
        memcpy(ref->seal, e->seal, TRK_SEAL_BYTES);
        n = ref->f + 1;
    }
}

static void part_make(struct trk_client *c, struct trk_part *part, const struct trk_client_piece *p, uint64_t k, uint32_t m, bool restart)
{
    memset(part, 0, offsetof(struct trk_part, ranges));
    part->kind = p->kind;
    part->k = k;
    part->m = (uint16_t)m;
    part->piece = p->piece;
    uint64_t last = k + m - 1;
    part->n_ranges = (uint16_t)trk_report_make(c, p->piece.base, last, part->ranges, TRK_RANGES_MAX);
    part->xor_nonces = p->sum ^ (restart ? c->star_number.nonce : trk_number_at(c, last)->nonce);
    part_grants(c, part, restart);
}

static void assign(struct trk_client *c, const struct trk_part *part, const struct trk_step *step, uint32_t first_room, uint32_t room)
{
    struct trk_slice slices[TRK_GRANT_MAX];
    size_t n = (size_t)(step->b - step->a + 1), skip = part->terminal_ask ? 1 : 0;
    trk_layout(part->asks + skip, part->n_asks - skip, first_room, room, slices, n);
    for (size_t i = 0; i < n; i++) {
        struct trk_number *e = trk_number_at(c, step->a + i);
        if (e) {
            e->offset = slices[i].offset;
            e->bytes = slices[i].bytes;
        }
    }
}

static void header(struct trk_client *c, struct trk_request *r, uint8_t restart_kind)
{
    r->form = restart_kind ? TRK_FORM_RESTART : TRK_FORM_REQUEST;
    r->want_long = c->want_long;
    r->id = c->id;
    r->domain = c->domain;
    r->generation = c->generation;
    r->address_tag = c->address_tag;
    r->epoch = c->epoch;
    r->slot = c->slot;
    r->fill = c->fill;
    r->restart_kind = restart_kind;
    r->attempt = c->attempt > TRK_ATTEMPTS_MAX ? TRK_ATTEMPTS_MAX : c->attempt;
    r->n_parts = 1;
}

static void attach_input(struct trk_client *c, struct trk_request *r, uint32_t room, uint64_t carrier)
{
    uint64_t have = c->written > c->consumed ? c->written - c->consumed : 0;
    if (room > TRK_SLOT_MAX)
        room = TRK_SLOT_MAX;
    r->input_bytes = have < room ? (uint32_t)have : room;
    r->input_end = c->input_ending && r->input_bytes == have;
    r->input_offset = c->consumed;
    c->input_state = TRK_IN_OUTSTANDING;
    c->input_sent_to = c->consumed + r->input_bytes;
    c->input_number = carrier;
}

/* The outbox takes the emitted bytes; a terminal learns later, from poll, which request asked for it. */
static void push(struct trk_client *c, struct trk_request *r, uint64_t granted)
{
    uint8_t input[TRK_SLOT_MAX];
    if (r->has_input)
        trk_input_copy(c, r->input_offset, input, r->input_bytes);
    r->input = input;
    uint8_t *out = trk_outbox_room(c, c->fill);
    size_t n = out ? trk_request_emit(r, out, c->fill) : 0;
    if (n)
        trk_outbox_push(c, (uint32_t)n, r->has_input && !r->placed, r->input_offset, granted);
    else
        c->stats.requests_unsent++;                  /* the timer makes it good */
}

static void request_init(struct trk_client *c, struct trk_request *r, uint8_t restart_kind)
{
    memset(r, 0, offsetof(struct trk_request, parts));
    memset(r->conts, 0, sizeof r->conts);
    header(c, r, restart_kind);
    r->has_input = r->input_end = r->placed = false;
    r->input_bytes = 0;
    r->input_offset = 0;
    r->input_cont = 0xff;
    r->input = NULL;
}

/* What answers may carry, and what the request may still say. *input: whether there is room for input as well. */
static struct gather gather_init(struct trk_client *c, struct trk_request *r, const struct trk_step *step, bool long_form, bool *input)
{
    uint32_t room = c->fill - trk_form_bytes(long_form ? TRK_FORM_LONG : TRK_FORM_NORMAL);
    uint8_t scratch[TRK_SLOT_MAX];
    size_t base = trk_request_emit(r, scratch, sizeof scratch);
    size_t input_needs = *input ? 9u + ASK_BYTES_MAX + c->input_cont_bytes + INPUT_BYTES_MIN : 0;
    if (!base || base + input_needs > c->fill) {
        *input = false;
        input_needs = 0;
    }
    r->reserve = *input ? c->reserve : 0;
    return (struct gather){ .request = r, .part = &r->parts[0], .numbers = step->a <= step->b ? (uint32_t)(step->b - step->a + 1) : 0,
                            .room = room, .first_room = room > r->reserve ? room - r->reserve : 0,
                            .budget = base + input_needs < c->fill ? (uint32_t)(c->fill - base - input_needs) : 0 };
}

/* A request that carries input by position asks for nothing: what is wanted goes first. False: no room beside a long report. */
static bool compose_placed(struct trk_client *c, struct trk_request *r, const struct trk_step *step)
{
    uint8_t scratch[TRK_SLOT_MAX];
    if (step->a > step->b || trk_wanted_bytes(c) > 0 || !trk_placing_ready(c) ||
        trk_ucont_parse(c->placing_cont, c->placing_cont_bytes, &r->conts[0]) != TRK_V_ACCEPTED)
        return false;
    size_t used = trk_request_emit(r, scratch, sizeof scratch) + PLACED_BYTES + c->placing_cont_bytes;
    if (used + INPUT_BYTES_MIN > c->fill)
        return false;
    r->n_conts = 1;
    r->has_input = r->placed = true;
    r->input_cont = 0;
    trk_placing_attach(c, r, c->fill - (uint32_t)used, trk_number_at(c, step->a));
    return true;
}

void trk_compose(struct trk_client *c, const struct trk_step *step, const struct trk_client_piece *p, uint64_t k, uint32_t m, uint8_t restart_kind)
{
    struct trk_request r;
    request_init(c, &r, restart_kind);
    part_make(c, &r.parts[0], p, k, m, restart_kind != 0);
    bool grants = step->a <= step->b, input = grants && c->input_state == TRK_IN_IDLE && trk_input_ready(c);
    if (compose_placed(c, &r, step)) {
        push(c, &r, grants ? step->a : 0);
        trk_repeat_note(c, &r.parts[0], 0);
        return;
    }
    struct gather g = gather_init(c, &r, step, restart_kind || step->mode == TRK_MODE_OPENING || c->want_long, &input);
    if (input) {
        trk_forget_early(c);
        if (c->input_cont_bytes && trk_ucont_parse(c->input_cont, c->input_cont_bytes, &r.conts[0]) == TRK_V_ACCEPTED)
            r.n_conts = 1;
        r.has_input = true;
        r.input_cont = r.n_conts ? 0 : 0xff;
    }
    gather_terminal(c, &g, step);
    if (grants)
        gather_known(c, &g);
    if (input) {
        g.budget += ASK_BYTES_MAX;                   /* kept for this one */
        gather_input(c, &g);
        attach_input(c, &r, g.budget + INPUT_BYTES_MIN, step->a);
    }
    if (grants)
        assign(c, g.part, step, g.first_room, g.room);
    bool repeatable = !restart_kind && p->kind == TRK_NORMAL && !input;
    if (repeatable)
        trk_repeat_add(c, &r);
    push(c, &r, grants ? step->a : 0);
    trk_repeat_note(c, &r.parts[r.n_parts - 1], repeatable && grants ? step->a : 0);
}
