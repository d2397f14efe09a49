/* One part of a request. Numbers travel as distances from the one before, so most take one byte:
 * k from base, each range's left from the right before it, each grant's a from the b before it. */
#include "wire/part.h"

enum { PART_OPENING = 1, PART_TERMINAL_ASK = 2 };

static void get_ranges(struct trk_reader *r, struct trk_part *p)
{
    uint64_t right = p->piece.base, last = p->k + p->m - 1;
    for (size_t i = 0; i < p->n_ranges; i++) {
        struct trk_range *range = &p->ranges[i];
        range->left = right + 1 + trk_get_varint(r);
        /* The last range ends where the part does: its length is not sent. */
        range->right = i + 1 == p->n_ranges ? last : range->left + trk_get_varint(r);
        right = range->right;
        if (right > TRK_NUMBER_MAX)
            r->malformed = true;
        if (r->truncated || r->malformed)
            return;
    }
}

static void put_ranges(struct trk_writer *w, const struct trk_part *p)
{
    uint64_t right = p->piece.base;
    for (size_t i = 0; i < p->n_ranges; i++) {
        const struct trk_range *range = &p->ranges[i];
        trk_put_varint(w, range->left - right - 1);
        if (i + 1 < p->n_ranges)
            trk_put_varint(w, range->right - range->left);
        right = range->right;
    }
}

static void get_grants(struct trk_reader *r, struct trk_part *p)
{
    uint64_t before = p->piece.base;
    for (size_t i = 0; i < p->n_grants; i++) {
        struct trk_grant_ref *g = &p->grants[i];
        g->a = before + 1 + trk_get_varint(r);
        g->b = g->a + trk_get(r, 1);
        g->f = g->a + trk_get(r, 1);
        g->tick = (uint32_t)trk_get(r, 4);
        trk_get_bytes(r, g->seal, TRK_SEAL_BYTES);
        before = g->b;
        if (before > TRK_NUMBER_MAX)
            r->malformed = true;
        if (r->truncated || r->malformed)
            return;
    }
}

static void put_grants(struct trk_writer *w, const struct trk_part *p)
{
    uint64_t before = p->piece.base;
    for (size_t i = 0; i < p->n_grants; i++) {
        const struct trk_grant_ref *g = &p->grants[i];
        trk_put_varint(w, g->a - before - 1);
        trk_put(w, g->b - g->a, 1);
        trk_put(w, g->f - g->a, 1);
        trk_put(w, g->tick, 4);
        trk_put_bytes(w, g->seal, TRK_SEAL_BYTES);
        before = g->b;
    }
}

static void get_asks(struct trk_reader *r, struct trk_part *p)
{
    for (size_t i = 0; i < p->n_asks; i++) {
        p->asks[i].cont = (uint8_t)trk_get(r, 1);
        p->asks[i].offset = trk_get_varint(r);
        uint64_t bytes = trk_get_varint(r);
        if (bytes > UINT32_MAX)
            r->malformed = true;
        p->asks[i].bytes = (uint32_t)bytes;
    }
}

static void put_asks(struct trk_writer *w, const struct trk_part *p)
{
    for (size_t i = 0; i < p->n_asks; i++) {
        trk_put(w, p->asks[i].cont, 1);
        trk_put_varint(w, p->asks[i].offset);
        trk_put_varint(w, p->asks[i].bytes);
    }
}

static bool counts_ok(const struct trk_part *p)
{
    return p->m >= 1 && p->m <= TRK_PART_NUMBERS_MAX && p->n_ranges >= 1 && p->n_ranges <= TRK_RANGES_MAX
        && p->n_grants >= 1 && p->n_grants <= TRK_PART_GRANTS_MAX && p->n_asks <= TRK_ASKS_MAX;
}

static bool numbers_ok(const struct trk_part *p)
{
    return trk_piece_ok(&p->piece) && p->k > p->piece.base && p->k <= TRK_NUMBER_MAX - p->m + 1;
}

bool trk_get_part(struct trk_reader *r, struct trk_part *out)
{
    uint8_t flags = (uint8_t)trk_get(r, 1);
    out->m = (uint16_t)trk_get(r, 1);
    out->n_ranges = (uint16_t)trk_get(r, 1);
    out->n_grants = (uint16_t)trk_get(r, 1);
    out->n_asks = (uint16_t)trk_get(r, 1);
    out->piece.base = trk_get(r, 6);
    out->piece.start = (uint32_t)trk_get(r, 2);
    out->piece.ssthresh = (uint32_t)trk_get(r, 2);
    out->k = out->piece.base + 1 + trk_get_varint(r);
    if (r->truncated || r->malformed || (flags & ~(PART_OPENING | PART_TERMINAL_ASK)) || !counts_ok(out) || !numbers_ok(out))
        return false;
    out->kind = flags & PART_OPENING ? TRK_OPENING : TRK_NORMAL;
    out->terminal_ask = flags & PART_TERMINAL_ASK;
    get_ranges(r, out);
    out->xor_nonces = trk_get(r, 8);
    get_grants(r, out);
    get_asks(r, out);
    return true;
}

void trk_put_part(struct trk_writer *w, const struct trk_part *part)
{
    trk_put(w, (part->kind == TRK_OPENING ? PART_OPENING : 0) | (part->terminal_ask ? PART_TERMINAL_ASK : 0), 1);
    trk_put(w, part->m, 1);
    trk_put(w, part->n_ranges, 1);
    trk_put(w, part->n_grants, 1);
    trk_put(w, part->n_asks, 1);
    trk_put(w, part->piece.base, 6);
    trk_put(w, part->piece.start, 2);
    trk_put(w, part->piece.ssthresh, 2);
    trk_put_varint(w, part->k - part->piece.base - 1);
    put_ranges(w, part);
    trk_put(w, part->xor_nonces, 8);
    put_grants(w, part);
    put_asks(w, part);
}

static bool ranges_ok(const struct trk_part *p)
{
    uint64_t right = p->piece.base;
    for (size_t i = 0; i < p->n_ranges; i++) {
        const struct trk_range *range = &p->ranges[i];
        /* Only the first may adjoin what is before it: a gap of 0 would be one range. */
        if (range->left > range->right || range->left <= right || (i > 0 && range->left == right + 1))
            return false;
        right = range->right;
    }
    return right == p->k + p->m - 1;
}

bool trk_part_ok(const struct trk_part *p)
{
    if (p->kind > TRK_OPENING || !counts_ok(p) || !numbers_ok(p) || !ranges_ok(p))
        return false;
    if ((p->kind == TRK_OPENING && p->m != 1) || (p->terminal_ask && p->n_asks == 0))
        return false;
    uint64_t before = p->piece.base;
    for (size_t i = 0; i < p->n_grants; i++) {
        const struct trk_grant_ref *g = &p->grants[i];
        if (!trk_granted_ok(before, g->a, g->b, g->f))
            return false;
        before = g->b;
    }
    for (size_t i = 0; i < p->n_asks; i++) {
        const struct trk_ask *ask = &p->asks[i];
        if (ask->bytes == 0 || ask->offset > TRK_OFFSET_MAX || ask->bytes > TRK_OFFSET_MAX - ask->offset)
            return false;
    }
    return true;
}
