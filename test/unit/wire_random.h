/* wire_random.h - random but valid values of every message, from a seed, for the tests of core/wire. */
#ifndef TRK_TEST_WIRE_RANDOM_H
#define TRK_TEST_WIRE_RANDOM_H

#include <string.h>
#include "random.h"
#include "wire/messages.h"

struct dice { uint64_t state; };

static inline uint64_t roll(struct dice *d) { return random_next(&d->state); }

/* Uniform in [low, high]. */
static inline uint64_t between(struct dice *d, uint64_t low, uint64_t high)
{
    uint64_t span = high - low + 1;
    return span ? low + roll(d) % span : roll(d);
}

/* In [low, high], and small numbers, edges and large ones alike. */
static inline uint64_t uneven(struct dice *d, uint64_t low, uint64_t high)
{
    uint64_t near = between(d, 0, 3), span = high - low;
    uint64_t shifted = roll(d) >> between(d, 1, 63);
    switch (between(d, 0, 5)) {
    case 0:  return low + (near < span ? near : span);
    case 1:  return high - (near < span ? near : span);
    default: return low + (span == UINT64_MAX ? shifted : shifted % (span + 1));
    }
}

static inline void roll_bytes(struct dice *d, uint8_t *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (uint8_t)roll(d);
}

static inline uint8_t *put_be(uint8_t *at, uint64_t value, size_t bytes)
{
    for (size_t i = bytes; i-- > 0; value >>= 8)
        at[i] = (uint8_t)value;
    return at + bytes;
}

/* A sealed continuation's bytes into memory (TRK_UCONT_MAX of it), written here by hand: nothing in wire/ makes one. */
static inline struct trk_ucont_view random_ucont(struct dice *d, uint8_t type, uint8_t *memory)
{
    struct trk_ucont_view u = { .type = type, .bytes = memory };
    u.flags = (uint8_t)between(d, 0, 3);
    u.epoch = (uint8_t)roll(d);
    u.opaque_bytes = (uint16_t)uneven(d, 0, between(d, 0, 3) ? 40 : TRK_OPAQUE_MAX);
    u.first = uneven(d, 0, TRK_OFFSET_MAX - 1);
    if (type == TRK_UCONT_RANGE)
        u.second = uneven(d, u.first + 1, TRK_OFFSET_MAX);
    else
        u.second = between(d, 0, 4) == 0 ? TRK_OFFSET_UNKNOWN : uneven(d, type == TRK_UCONT_OUTPUT ? u.first : 0, TRK_OFFSET_MAX);
    uint8_t *at = put_be(memory, u.type, 1);
    at = put_be(at, u.flags, 1);
    at = put_be(at, u.epoch, 1);
    at = put_be(at, u.opaque_bytes, 2);
    at = put_be(at, u.first, 8);
    at = put_be(at, u.second, 8);
    roll_bytes(d, at, u.opaque_bytes + TRK_SEAL_BYTES);
    u.total_bytes = (uint16_t)(at - memory + u.opaque_bytes + TRK_SEAL_BYTES);
    return u;
}

struct wire_memory {                   /* what the views of a random value point into */
    uint8_t conts[TRK_CONTS_MAX][TRK_UCONT_MAX];
    uint8_t input[2048];
};

static inline struct trk_piece random_piece(struct dice *d)
{
    return (struct trk_piece){ .base = uneven(d, 0, TRK_NUMBER_MAX - 100000), .start = (uint32_t)uneven(d, 1, TRK_START_MAX),
                               .ssthresh = (uint32_t)uneven(d, 1, TRK_SSTHRESH_NONE) };
}

/* Ranges of (base, k+m-1]: builds them upward and puts k where the last one ends. */
static inline void random_ranges(struct dice *d, struct trk_part *p)
{
    uint64_t right = p->piece.base;
    p->n_ranges = (uint16_t)uneven(d, 1, between(d, 0, 9) ? 4 : TRK_RANGES_MAX);
    for (size_t i = 0; i < p->n_ranges; i++) {
        uint64_t most = i + 1 == p->n_ranges ? 70 : 300;
        p->ranges[i].left = right + uneven(d, i ? 2 : 1, 300);
        p->ranges[i].right = p->ranges[i].left + uneven(d, 0, most);
        right = p->ranges[i].right;
    }
    uint64_t room = right - p->piece.base;
    p->m = p->kind == TRK_OPENING ? 1 : (uint16_t)uneven(d, 1, room < TRK_PART_NUMBERS_MAX ? room : TRK_PART_NUMBERS_MAX);
    p->k = right - p->m + 1;
}

static inline void random_grants(struct dice *d, struct trk_part *p)
{
    uint64_t before = p->piece.base;
    p->n_grants = (uint16_t)uneven(d, 1, between(d, 0, 9) ? 3 : TRK_PART_GRANTS_MAX);
    for (size_t i = 0; i < p->n_grants; i++) {
        struct trk_grant_ref *g = &p->grants[i];
        g->a = before + uneven(d, 1, 1000);
        g->b = g->a + uneven(d, 0, TRK_GRANT_MAX - 1);
        g->f = uneven(d, g->a, g->b);
        g->tick = (uint32_t)roll(d);
        roll_bytes(d, g->seal, TRK_SEAL_BYTES);
        before = g->b;
    }
}

static inline void random_ask(struct dice *d, const struct trk_request *m, struct trk_ask *ask)
{
    ask->cont = m->n_conts ? (uint8_t)between(d, 0, m->n_conts - 1) : TRK_ASK_INPUT;
    const struct trk_ucont_view *u = m->n_conts ? &m->conts[ask->cont] : NULL;
    if (u && u->type == TRK_UCONT_OUTPUT && u->first < u->second && u->first < TRK_OFFSET_MAX) {
        uint64_t end = u->second == TRK_OFFSET_UNKNOWN ? TRK_OFFSET_MAX : u->second;
        ask->offset = uneven(d, u->first, end - 1);
        ask->bytes = (uint32_t)uneven(d, 1, end - ask->offset < UINT32_MAX ? end - ask->offset : UINT32_MAX);
        return;
    }
    ask->cont = TRK_ASK_INPUT;
    ask->offset = uneven(d, 0, TRK_OFFSET_MAX - UINT32_MAX);
    ask->bytes = (uint32_t)uneven(d, 1, UINT32_MAX);
}

static inline void random_part(struct dice *d, const struct trk_request *m, struct trk_part *p)
{
    p->kind = (uint8_t)between(d, 0, 1);
    p->piece = random_piece(d);
    p->xor_nonces = roll(d);
    random_ranges(d, p);
    if (m->form == TRK_FORM_RESTART && p->m > 1) {
        p->k += p->m - 1u;
        p->m = 1;
    }
    random_grants(d, p);
    p->n_asks = (uint16_t)uneven(d, 0, between(d, 0, 9) ? 4 : TRK_ASKS_MAX);
    for (size_t i = 0; i < p->n_asks; i++) {
        random_ask(d, m, &p->asks[i]);
        if (p->asks[i].cont == TRK_ASK_INPUT && (!m->has_input || m->placed))
            p->n_asks = (uint16_t)i;
    }
    p->terminal_ask = m->form == TRK_FORM_REQUEST && p->n_asks && between(d, 0, 3) == 0;
}

/* A value for which emit must succeed, given room for it. */
static inline void random_request(struct dice *d, struct trk_request *m, struct wire_memory *memory)
{
    memset(m, 0, sizeof *m);
    m->form = between(d, 0, 2) ? TRK_FORM_REQUEST : TRK_FORM_RESTART;
    m->want_long = between(d, 0, 1);
    m->id = (struct trk_conn_id){ roll(d), (uint32_t)roll(d) };
    m->domain = (uint32_t)uneven(d, 0, UINT32_MAX);
    m->generation = (uint32_t)uneven(d, 0, UINT32_MAX);
    m->address_tag = (uint32_t)roll(d);
    m->epoch = (uint8_t)roll(d);
    m->slot = (uint16_t)uneven(d, TRK_SLOT_MIN, TRK_SLOT_MAX);
    m->fill = (uint16_t)uneven(d, TRK_SLOT_MIN, m->slot);
    m->reserve = (uint16_t)uneven(d, 0, m->fill);
    if (m->form == TRK_FORM_RESTART) {
        m->restart_kind = (uint8_t)between(d, TRK_RESTART_TIMEOUT, TRK_RESTART_RESUME);
        m->attempt = (uint8_t)uneven(d, 1, 255);
    }
    m->n_conts = (uint8_t)uneven(d, 0, between(d, 0, 9) ? 2 : TRK_CONTS_MAX);
    for (size_t i = 0; i < m->n_conts; i++)
        m->conts[i] = random_ucont(d, between(d, 0, 2) ? TRK_UCONT_OUTPUT : between(d, 0, 1) ? TRK_UCONT_RANGE : TRK_UCONT_INPUT, memory->conts[i]);
    m->input_cont = TRK_ASK_INPUT;
    if (between(d, 0, 1)) {
        m->has_input = true;
        m->input_end = between(d, 0, 1);
        m->input_bytes = (uint32_t)uneven(d, 0, sizeof memory->input);
        m->input = memory->input;
        roll_bytes(d, memory->input, m->input_bytes);
        for (size_t i = 0; i < m->n_conts; i++)
            if (m->conts[i].type == TRK_UCONT_INPUT && m->conts[i].first <= TRK_OFFSET_MAX - m->input_bytes) {
                m->input_cont = (uint8_t)i;
                m->input_offset = m->conts[i].first;
                m->placed = false;
            } else if (m->conts[i].type == TRK_UCONT_RANGE && m->conts[i].second - m->conts[i].first >= m->input_bytes && (m->input_bytes || m->input_end)) {
                m->input_cont = (uint8_t)i;
                m->input_offset = uneven(d, m->conts[i].first, m->conts[i].second - m->input_bytes);
                m->placed = true;
            }
    }
    m->n_parts = m->form == TRK_FORM_RESTART ? 1 : (uint8_t)between(d, 1, TRK_PARTS_MAX);
    for (size_t i = 0; i < m->n_parts; i++)
        random_part(d, m, &m->parts[i]);
}

static inline uint8_t random_flags(struct dice *d, uint8_t form)
{
    static const uint8_t fates[] = { 0, 0, TRK_F_MORE, TRK_F_DONE, TRK_F_END, TRK_F_END | TRK_F_FIN, TRK_F_DONE | TRK_F_END,
                                     TRK_F_PLACED, TRK_F_MORE | TRK_F_PLACED, TRK_F_RENEW, TRK_F_RENEW | TRK_F_MORE, TRK_F_RENEW | TRK_F_END };
    uint8_t fate = fates[between(d, 0, sizeof fates - 1)];
    if (form == TRK_FORM_TERMINAL)
        fate &= (uint8_t)~(TRK_F_MORE | TRK_F_DONE | TRK_F_PLACED);
    if (form == TRK_FORM_TERMINAL || form == TRK_FORM_OPENED)
        fate &= (uint8_t)~TRK_F_RENEW;
    return (uint8_t)(fate | (between(d, 0, 1) ? TRK_F_NO_FILTER : 0) | (form == TRK_FORM_LONG && !(fate & TRK_F_RENEW) && between(d, 0, 1) ? TRK_F_REFRESH : 0));
}

static inline void random_long(struct dice *d, struct trk_answer *m)
{
    struct trk_grant *g = &m->grant;
    g->kind = (uint8_t)between(d, 0, 1);
    g->epoch = (uint8_t)roll(d);
    g->domain = (uint32_t)roll(d);
    g->generation = (uint32_t)uneven(d, 0, UINT32_MAX);
    g->piece = random_piece(d);
    g->a = g->piece.base + uneven(d, 1, 5000);
    g->b = g->a + uneven(d, 0, TRK_GRANT_MAX - 1);
    g->f = uneven(d, g->a, g->b);
    g->slot = (uint16_t)uneven(d, TRK_SLOT_MIN, TRK_SLOT_MAX);
    g->tick = (uint32_t)roll(d);
    g->address_tag = (uint32_t)roll(d);
    m->n = uneven(d, g->a, g->f);
    m->n_minus_a = (uint8_t)(m->n - g->a);
    m->b_minus_a = (uint8_t)(g->b - g->a);
    m->offset = uneven(d, 0, TRK_OFFSET_MAX);
}

/* Header and continuations of an answer; no data. */
static inline void random_answer(struct dice *d, uint8_t form, struct trk_answer *m, struct wire_memory *memory)
{
    memset(m, 0, sizeof *m);
    m->form = form;
    m->flags = random_flags(d, form);
    if (form == TRK_FORM_LONG || form == TRK_FORM_OPENED) {
        random_long(d, m);
    } else {
        m->grant.generation = (uint32_t)between(d, 0, 15);
        m->grant.epoch = (uint8_t)between(d, 0, 15);
        m->offset = uneven(d, 0, UINT32_MAX);
    }
    if (form == TRK_FORM_OPENED)
        m->grant.id = (struct trk_conn_id){ roll(d), (uint32_t)roll(d) };
    if (form == TRK_FORM_NORMAL) {
        m->b_minus_a = (uint8_t)uneven(d, 0, 255);
        m->n_minus_a = (uint8_t)uneven(d, 0, m->b_minus_a);
        m->digest = (uint16_t)roll(d);
        m->grant.tick = (uint32_t)between(d, 0, 65535);
    }
    if (form != TRK_FORM_TERMINAL) {
        m->nonce = roll(d);
        roll_bytes(d, m->seal, TRK_SEAL_BYTES);
    }
    if (m->flags & (TRK_F_MORE | TRK_F_DONE | TRK_F_END)) {
        m->conts[m->n_conts] = random_ucont(d, TRK_UCONT_INPUT, memory->conts[m->n_conts]);
        m->n_conts++;
    }
    if (m->flags & (TRK_F_DONE | TRK_F_RENEW)) {
        m->conts[m->n_conts] = random_ucont(d, TRK_UCONT_OUTPUT, memory->conts[m->n_conts]);
        m->n_conts++;
    }
    if ((m->flags & TRK_F_MORE) && (m->flags & TRK_F_PLACED)) {
        m->conts[1] = random_ucont(d, TRK_UCONT_RANGE, memory->conts[1]);
        put_be(memory->conts[0] + 5, m->conts[0].first = m->conts[1].second, 8);       /* the input goes on behind it */
        m->n_conts = 2;
    }
}

#endif
