#include "client/internal.h"

struct trk_number *trk_number_at(struct trk_client *c, uint64_t n)
{
    struct trk_number *e = &c->ring[n & c->ring_mask];
    return e->n == n && e->state != TRK_N_NONE ? e : NULL;
}

struct trk_number *trk_number_take(struct trk_client *c, uint64_t n, uint8_t piece)
{
    struct trk_number *e = &c->ring[n & c->ring_mask];
    memset(e, 0, sizeof *e);
    e->n = n;
    e->piece = piece;
    e->state = TRK_N_EXPECTED;
    c->n_expected++;
    if (n > c->end)
        c->end = n;
    return e;
}

/* A short window uses a short ring, over and over, so that its memory stays small. Doubling moves every entry whose number has
 * the next bit set; what lies above is zero, as nobody was there yet. */
bool trk_numbers_span(struct trk_client *c, uint64_t numbers)
{
    while (numbers > c->ring_mask && c->ring_mask < TRK_CLIENT_NUMBERS - 1) {
        uint32_t size = c->ring_mask + 1;
        for (uint32_t i = 0; i < size; i++) {
            if (!(c->ring[i].n & size))
                continue;
            c->ring[i + size] = c->ring[i];
            memset(&c->ring[i], 0, sizeof c->ring[i]);
        }
        c->ring_mask += size;
    }
    return numbers <= c->ring_mask;
}

void trk_client_wash(struct trk_client *c)
{
    bool ascending = c->generation == 0 && !c->attempt;      /* nothing above end was ever taken */
    uint64_t used = ascending && c->end < c->ring_mask ? c->end + 1 : c->ring_mask + 1;
    memset(c->ring, 0, used * sizeof *c->ring);
}

uint8_t trk_piece_add(struct trk_client *c, const struct trk_piece *piece, enum trk_kind kind)
{
    struct trk_client_piece *p = &c->pieces[c->newest_piece];
    if (p->kind == kind && p->piece.base == piece->base && p->piece.start == piece->start && p->piece.ssthresh == piece->ssthresh)
        return c->newest_piece;
    c->newest_piece = (uint8_t)((c->newest_piece + 1) % TRK_CLIENT_PIECES);
    p = &c->pieces[c->newest_piece];
    *p = (struct trk_client_piece){ .piece = *piece, .kind = kind };
    if (piece->base < c->next) {                     /* resolved already: the sum at it stands in its entry */
        struct trk_number *e = trk_number_at(c, piece->base);
        p->sum = e ? e->nonce : c->sum;
        p->sum_known = true;
    }
    return c->newest_piece;
}

/* The highest base that is not resolved yet. */
static uint64_t last_base(const struct trk_client *c)
{
    uint64_t base = 0;
    for (int i = 0; i < TRK_CLIENT_PIECES; i++)
        if (!c->pieces[i].sum_known && c->pieces[i].piece.base > base)
            base = c->pieces[i].piece.base;
    return base;
}

static void piece_bases_resolved(struct trk_client *c, uint64_t n)
{
    for (int i = 0; i < TRK_CLIENT_PIECES; i++)
        if (!c->pieces[i].sum_known && c->pieces[i].piece.base == n) {
            c->pieces[i].sum = c->sum;
            c->pieces[i].sum_known = true;
        }
}

/* Losses at or below every base that can still be reported will not be named again. */
static void forget_old_losses(struct trk_client *c)
{
    uint64_t kept = trk_next_kept(c);
    struct trk_number *e = trk_number_at(c, kept ? kept : c->star);
    if (!e)
        return;
    uint64_t base = c->pieces[e->piece].piece.base;
    e = trk_number_at(c, c->star);
    if (e && c->pieces[e->piece].piece.base < base)
        base = c->pieces[e->piece].piece.base;
    if (c->batch.active && c->pieces[c->batch.piece].piece.base < base)
        base = c->pieces[c->batch.piece].piece.base;
    uint32_t i = 0;
    while (i < c->n_lost && c->lost[i].right <= base)
        i++;
    memmove(c->lost, c->lost + i, (c->n_lost - i) * sizeof c->lost[0]);
    c->n_lost -= i;
}

static bool note_lost(struct trk_client *c, uint64_t n)
{
    if (c->n_lost && c->lost[c->n_lost - 1].right == n - 1) {
        c->lost[c->n_lost - 1].right = n;
        return true;
    }
    if (c->n_lost % 64 == 63 || c->n_lost == TRK_CLIENT_LOST_MAX)
        forget_old_losses(c);
    if (c->n_lost == TRK_CLIENT_LOST_MAX)
        return false;                                /* unresolved: the timer's restart will make it good */
    c->lost[c->n_lost++] = (struct trk_range){ n, n };
    return true;
}

void trk_want_number_again(struct trk_client *c, struct trk_number *e)
{
    if (e->placed)
        trk_placed_lost(c, e);
    if (e->bytes)
        trk_want_again(c, e->offset, e->bytes);
    e->bytes = 0;
    if (c->input_state == TRK_IN_OUTSTANDING && c->input_number == e->n)
        trk_input_lost(c);
}

/* When the first number above the gap at `next` arrived. */
static uint64_t gap_since(struct trk_client *c)
{
    if (c->gap == c->next)
        return c->gap_since_us;
    c->gap = c->next;
    c->gap_since_us = TRK_NEVER;
    for (uint64_t n = c->next + 1; n <= c->max_held; n++) {
        struct trk_number *e = trk_number_at(c, n);
        if (e && e->state == TRK_N_HELD && e->arrived_us < c->gap_since_us)
            c->gap_since_us = e->arrived_us;
    }
    return c->gap_since_us;
}

void trk_number_hold(struct trk_client *c, struct trk_number *e, uint64_t nonce, uint64_t now_us)
{
    trk_reordering_closed(c, e, now_us);
    e->state = TRK_N_HELD;
    e->nonce = nonce;
    e->arrived_us = now_us;
    c->n_expected--;
    c->n_held++;
    if (e->n > c->max_held)
        c->max_held = e->n;
}

uint64_t trk_resolve(struct trk_client *c, uint64_t now_us, bool force)
{
    uint64_t base = TRK_NEVER;
    while (c->next <= c->end) {
        struct trk_number *e = trk_number_at(c, c->next);
        if (e && e->state == TRK_N_HELD) {
            e->state = TRK_N_RECEIVED;
            c->n_held--;
            c->sum ^= e->nonce;
            e->nonce = c->sum;
            c->star = c->next;
        } else {
            if (!c->n_held)
                return TRK_NEVER;
            uint64_t since = gap_since(c), due = since == TRK_NEVER ? TRK_NEVER : since + trk_reordering_window(c);
            if (!force && now_us < due)
                return due;
            if (!note_lost(c, c->next)) {
                c->gap = 0;
                return TRK_NEVER;
            }
            if (e && e->state == TRK_N_EXPECTED) {
                c->n_expected--;
                trk_missed(c, e);
                trk_want_number_again(c, e);
            } else {
                e = &c->ring[c->next & c->ring_mask];
                e->n = c->next;
                since = TRK_NEVER;                   /* what comes of it was never predicted */
            }
            e->arrived_us = since == TRK_NEVER ? 0 : since;
            e->state = TRK_N_LOST;
            e->nonce = c->sum;
            c->stats.numbers_lost++;
            if (c->last_trouble + 1 != c->next)
                trk_reordering_loss(c);
            c->last_trouble = c->next;
        }
        if (base == TRK_NEVER)
            base = last_base(c);
        if (c->next <= base)
            piece_bases_resolved(c, c->next);
        c->next++;
    }
    return TRK_NEVER;
}

void trk_void_from(struct trk_client *c, uint64_t n)
{
    for (; n <= c->end; n++) {
        struct trk_number *e = trk_number_at(c, n);
        if (!e)
            continue;
        if (e->state == TRK_N_EXPECTED) {
            c->n_expected--;
            trk_want_number_again(c, e);
        } else if (e->state == TRK_N_HELD) {
            c->n_held--;
        }
        e->state = TRK_N_NONE;
    }
}

size_t trk_report_cap(const struct trk_client *c)
{
    size_t cap = (c->fill - 250u) / 6;
    return cap < TRK_RANGES_MAX ? cap : TRK_RANGES_MAX;
}

size_t trk_report_make(const struct trk_client *c, uint64_t base, uint64_t last, struct trk_range *out, size_t cap)
{
    size_t n = 0;
    uint64_t from = base + 1;
    for (uint32_t i = 0; i < c->n_lost && c->lost[i].left <= last; i++) {
        if (c->lost[i].right <= base)
            continue;
        if (c->lost[i].left > from) {
            if (n == cap)
                return 0;
            out[n++] = (struct trk_range){ from, c->lost[i].left - 1 };
        }
        from = c->lost[i].right + 1;
    }
    if (n == cap || from > last)
        return 0;
    out[n++] = (struct trk_range){ from, last };
    return n;
}

uint64_t trk_report_sum(struct trk_client *c, uint8_t piece, uint64_t last)
{
    struct trk_number *e = trk_number_at(c, last);
    return (e ? e->nonce : 0) ^ c->pieces[piece].sum;
}

uint64_t trk_next_kept(struct trk_client *c)
{
    for (uint64_t k = c->last + 1; k <= c->star; k++) {
        struct trk_number *e = trk_number_at(c, k);
        if (e && e->state == TRK_N_RECEIVED)
            return k;
    }
    return 0;
}
