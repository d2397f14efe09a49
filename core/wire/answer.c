/* OPENED, LONG, NORMAL and TERMINAL: the packets that carry data. */
#include "wire/fields.h"

enum { ALL_FLAGS = TRK_F_MORE | TRK_F_DONE | TRK_F_END | TRK_F_FIN | TRK_F_NO_FILTER | TRK_F_REFRESH | TRK_F_PLACED | TRK_F_RENEW };

uint32_t trk_form_bytes(uint8_t form)
{
    switch (form) {
    case TRK_FORM_OPENED:   return TRK_OPENED_BYTES;
    case TRK_FORM_LONG:     return TRK_LONG_BYTES;
    case TRK_FORM_NORMAL:   return TRK_NORMAL_BYTES;
    case TRK_FORM_TERMINAL: return TRK_TERMINAL_BYTES;
    default:                return 0;
    }
}

static bool flags_ok(uint8_t form, uint8_t flags)
{
    uint8_t allowed = ALL_FLAGS;
    if (form != TRK_FORM_LONG)
        allowed &= (uint8_t)~TRK_F_REFRESH;
    if (form == TRK_FORM_TERMINAL)
        allowed &= (uint8_t)~(TRK_F_MORE | TRK_F_DONE | TRK_F_PLACED | TRK_F_RENEW);
    if (form == TRK_FORM_OPENED || (flags & (TRK_F_DONE | TRK_F_PLACED | TRK_F_REFRESH)))
        allowed &= (uint8_t)~TRK_F_RENEW;
    if ((flags & ~allowed) || ((flags & TRK_F_FIN) && !(flags & TRK_F_END)))
        return false;
    return !((flags & (TRK_F_MORE | TRK_F_PLACED)) && (flags & (TRK_F_DONE | TRK_F_END)));
}

static bool has_input_cont(uint8_t flags) { return flags & (TRK_F_MORE | TRK_F_DONE | TRK_F_END); }
static bool has_range_cont(uint8_t flags) { return (flags & TRK_F_MORE) && (flags & TRK_F_PLACED); }

/* Of the continuation that follows the input's; 0: none does. */
static uint8_t second_type(uint8_t flags)
{
    return flags & (TRK_F_DONE | TRK_F_RENEW) ? TRK_UCONT_OUTPUT : has_range_cont(flags) ? TRK_UCONT_RANGE : 0;
}

/* Bounds of LONG and OPENED. */
static bool long_ok(const struct trk_answer *m)
{
    const struct trk_grant *g = &m->grant;
    return g->kind <= TRK_OPENING && trk_slot_ok(g->slot) && trk_piece_ok(&g->piece)
        && trk_granted_ok(g->piece.base, g->a, g->b, g->f) && m->n >= g->a && m->n <= g->f
        && m->offset <= TRK_OFFSET_MAX;
}

static void get_long(struct trk_reader *r, struct trk_answer *out)
{
    struct trk_grant *g = &out->grant;
    g->epoch = (uint8_t)trk_get(r, 1);
    g->kind = (uint8_t)trk_get(r, 1);
    g->domain = (uint32_t)trk_get(r, 4);
    g->address_tag = (uint32_t)trk_get(r, 4);
    g->slot = (uint16_t)trk_get(r, 2);
    g->generation = (uint32_t)trk_get(r, 4);
    g->piece.start = (uint32_t)trk_get(r, 2);
    g->piece.ssthresh = (uint32_t)trk_get(r, 2);
    out->b_minus_a = (uint8_t)trk_get(r, 1);
    uint64_t f_minus_a = trk_get(r, 1);
    g->piece.base = trk_get(r, 6);
    g->a = trk_get(r, 6);
    out->n_minus_a = (uint8_t)trk_get(r, 1);
    g->tick = (uint32_t)trk_get(r, 4);
    out->offset = trk_get(r, 8);
    g->b = g->a + out->b_minus_a;
    g->f = g->a + f_minus_a;
    out->n = g->a + out->n_minus_a;
}

static void put_long(struct trk_writer *w, const struct trk_answer *m)
{
    const struct trk_grant *g = &m->grant;
    trk_put(w, g->epoch, 1);
    trk_put(w, g->kind, 1);
    trk_put(w, g->domain, 4);
    trk_put(w, g->address_tag, 4);
    trk_put(w, g->slot, 2);
    trk_put(w, g->generation, 4);
    trk_put(w, g->piece.start, 2);
    trk_put(w, g->piece.ssthresh, 2);
    trk_put(w, g->b - g->a, 1);
    trk_put(w, g->f - g->a, 1);
    trk_put(w, g->piece.base, 6);
    trk_put(w, g->a, 6);
    trk_put(w, m->n - g->a, 1);
    trk_put(w, g->tick, 4);
    trk_put(w, m->offset, 8);
}

/* Low four bits of generation and epoch in one byte: NORMAL and TERMINAL. */
static void get_nibbles(struct trk_reader *r, struct trk_answer *out)
{
    uint8_t nibbles = (uint8_t)trk_get(r, 1);
    out->grant.generation = nibbles >> 4;
    out->grant.epoch = nibbles & 0x0f;
}

static void put_nibbles(struct trk_writer *w, const struct trk_answer *m)
{
    trk_put(w, (m->grant.generation & 0x0f) << 4 | (m->grant.epoch & 0x0fu), 1);
}

static void get_normal(struct trk_reader *r, struct trk_answer *out)
{
    get_nibbles(r, out);
    out->n_minus_a = (uint8_t)trk_get(r, 1);
    out->b_minus_a = (uint8_t)trk_get(r, 1);
    out->digest = (uint16_t)trk_get(r, 2);
    out->grant.tick = (uint32_t)trk_get(r, 2);
    out->offset = trk_get(r, 4);
}

static void put_normal(struct trk_writer *w, const struct trk_answer *m)
{
    put_nibbles(w, m);
    trk_put(w, m->n_minus_a, 1);
    trk_put(w, m->b_minus_a, 1);
    trk_put(w, m->digest, 2);
    trk_put(w, m->grant.tick, 2);
    trk_put(w, m->offset, 4);
}

static bool fields_ok(const struct trk_answer *m)
{
    if (!flags_ok(m->form, m->flags))
        return false;
    switch (m->form) {
    case TRK_FORM_OPENED: case TRK_FORM_LONG: return long_ok(m);
    case TRK_FORM_NORMAL:                     return m->n_minus_a <= m->b_minus_a;
    default:                                  return true;
    }
}

static void get_fields(struct trk_reader *r, struct trk_answer *out)
{
    out->flags = (uint8_t)trk_get(r, 1);
    if (out->form == TRK_FORM_TERMINAL) {
        get_nibbles(r, out);
        out->offset = trk_get(r, 4);
        return;
    }
    if (out->form == TRK_FORM_NORMAL)
        get_normal(r, out);
    else
        get_long(r, out);
    out->nonce = trk_get(r, 8);
    trk_get_bytes(r, out->seal, TRK_SEAL_BYTES);
    if (out->form == TRK_FORM_OPENED)
        out->grant.id = trk_get_id(r);
}

/* The input goes on behind the range. */
static bool range_ok(const struct trk_answer *m)
{
    return !has_range_cont(m->flags) || m->conts[0].first == m->conts[1].second;
}

static enum trk_verdict get_conts(struct trk_reader *r, struct trk_answer *out)
{
    const uint8_t types[] = { has_input_cont(out->flags) ? TRK_UCONT_INPUT : 0, second_type(out->flags) };
    for (size_t i = 0; i < 2; i++) {
        if (!types[i])
            continue;
        struct trk_ucont_view *cont = &out->conts[out->n_conts++];
        enum trk_verdict v = trk_get_ucont(r, cont);
        if (v != TRK_V_ACCEPTED)
            return v;
        if (cont->type != types[i])
            return TRK_V_BAD_FIELD;
    }
    return range_ok(out) ? TRK_V_ACCEPTED : TRK_V_BAD_FIELD;
}

/* All but what is written anyhow, and the continuations that are not there: a whole memset is felt for every packet. */
static void clear(struct trk_answer *out)
{
    out->form = out->flags = out->n_minus_a = out->b_minus_a = out->n_conts = 0;
    out->grant = (struct trk_grant){ 0 };
    out->n = out->offset = out->nonce = 0;
    out->digest = 0;
    out->data = NULL;
    out->data_bytes = 0;
    memset(out->seal, 0, sizeof out->seal);
}

enum trk_verdict trk_answer_parse(const uint8_t *p, size_t n, struct trk_answer *out)
{
    struct trk_reader r = trk_reader_init(p, n);
    clear(out);
    enum trk_verdict v = trk_form_of(p, n, &out->form);
    if (v != TRK_V_ACCEPTED)
        return v;
    if (n > UINT16_MAX)
        return TRK_V_BAD_FIELD;
    if (trk_form_bytes(out->form) == 0)
        return TRK_V_BAD_FORM;
    trk_get(&r, 1);
    get_fields(&r, out);
    if ((v = trk_outcome(&r, fields_ok(out))) != TRK_V_ACCEPTED)
        return v;
    if ((v = get_conts(&r, out)) != TRK_V_ACCEPTED)
        return v;
    out->data_bytes = (uint32_t)trk_left(&r);
    out->data = r.at;
    return TRK_V_ACCEPTED;
}

void trk_answer_renumber(uint8_t message[TRK_NORMAL_BYTES], uint8_t n_minus_a, uint64_t offset, uint64_t nonce)
{
    struct trk_writer w = trk_writer_init(message + 3, 1);             /* as put_normal orders them */
    trk_put(&w, n_minus_a, 1);
    w = trk_writer_init(message + 9, 12);
    trk_put(&w, offset, 4);
    trk_put(&w, nonce, 8);
}

bool trk_answer_follows(const uint8_t first[TRK_NORMAL_BYTES], const uint8_t message[TRK_NORMAL_BYTES], uint32_t distance,
                        uint32_t *offset, uint64_t *nonce)
{
    uint32_t n_minus_a = first[3] + distance;        /* places as put_normal and trk_answer_emit order them */
    if (message[0] != trk_first_byte(TRK_FORM_NORMAL) || (message[1] & ~TRK_F_NO_FILTER) || message[3] != n_minus_a || n_minus_a > message[4])
        return false;
    *offset = trk_load32(message + 9);
    *nonce = trk_load64(message + 13);
    return memcmp(first, message, 3) == 0 && memcmp(first + 4, message + 4, 5) == 0 && memcmp(first + 21, message + 21, TRK_SEAL_BYTES) == 0;
}

static bool conts_ok(const struct trk_answer *m)
{
    size_t n = 0;
    uint8_t second = second_type(m->flags);
    if (m->n_conts != has_input_cont(m->flags) + (second != 0))
        return false;
    if (has_input_cont(m->flags) && !trk_ucont_view_ok(&m->conts[n++], TRK_UCONT_INPUT))
        return false;
    return (!second || trk_ucont_view_ok(&m->conts[n], second)) && range_ok(m);
}

size_t trk_answer_emit(const struct trk_answer *m, uint8_t *out, size_t cap)
{
    if (trk_form_bytes(m->form) == 0 || !fields_ok(m) || !conts_ok(m))
        return 0;
    struct trk_writer w = trk_writer_init(out, cap);
    trk_put(&w, trk_first_byte(m->form), 1);
    trk_put(&w, m->flags, 1);
    if (m->form == TRK_FORM_TERMINAL) {
        put_nibbles(&w, m);
        trk_put(&w, m->offset, 4);
    } else {
        if (m->form == TRK_FORM_NORMAL)
            put_normal(&w, m);
        else
            put_long(&w, m);
        trk_put(&w, m->nonce, 8);
        trk_put_bytes(&w, m->seal, TRK_SEAL_BYTES);
        if (m->form == TRK_FORM_OPENED)
            trk_put_id(&w, m->grant.id);
    }
    for (size_t i = 0; i < m->n_conts; i++)
        trk_put_bytes(&w, m->conts[i].bytes, m->conts[i].total_bytes);
    return trk_written(&w, out);
}
