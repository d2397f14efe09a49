/* repeat.c - a request that is lost costs its numbers and those they would have granted. So each request spends the
 * numbers of the last two again: the server's filter passes each number once, and only what it has not seen is answered.
 * Nothing is repeated that was answered, that carried input, or that a server without a filter would answer twice. Where
 * no repeat was needed for some time one is enough, and where nothing gets lost either way none is. */
#include "client/internal.h"

#define TRUSTED_NUMBERS 1024           /* after so many without a lost request one repeat is enough: it tells of the next one */
#define CLEAN_NUMBERS   4096           /* after so many that all arrived, without help, requests are trusted to arrive */

/* Only what the part uses: its arrays are long. */
static void part_copy(struct trk_part *to, const struct trk_part *from)
{
    memcpy(to, from, offsetof(struct trk_part, ranges));
    memcpy(to->ranges, from->ranges, from->n_ranges * sizeof from->ranges[0]);
    memcpy(to->grants, from->grants, from->n_grants * sizeof from->grants[0]);
    memcpy(to->asks, from->asks, from->n_asks * sizeof from->asks[0]);
}

void trk_repeat_note(struct trk_client *c, const struct trk_part *part, uint64_t granted)
{
    c->newest_previous = (uint8_t)((c->newest_previous + 1) % TRK_CLIENT_REPEATS);
    struct trk_spent *p = &c->previous[c->newest_previous];
    p->repeats = granted != 0;
    p->generation = c->generation;
    p->fill = c->fill;
    p->granted = granted;
    if (granted)
        part_copy(&p->part, part);
}

/* What a request's own part does not grant came because it repeats one that did not arrive. */
void trk_repeat_judge(struct trk_client *c, const struct trk_sent *request, uint64_t n)
{
    if (n < request->granted)
        c->last_trouble = c->last_repaid = n;
}

static unsigned repeats(const struct trk_client *c)
{
    if (c->no_filter || c->want_long || c->next - c->last_trouble > CLEAN_NUMBERS)
        return 0;
    return c->next - c->last_repaid > TRUSTED_NUMBERS ? 1 : TRK_CLIENT_REPEATS;
}

static bool still_open(struct trk_client *c, const struct trk_spent *p, uint64_t k)
{
    if (!p->repeats || p->generation != c->generation || p->fill != c->fill || p->part.k + p->part.m > k)
        return false;
    struct trk_number *e = trk_number_at(c, p->granted);
    return e && e->state == TRK_N_EXPECTED;
}

/* The asks of a repeated part name continuations of this request. False if one is no longer there: then its data is, too. */
static bool rename_conts(struct trk_client *c, struct trk_request *r, struct trk_part *part)
{
    for (uint16_t i = 0; i < part->n_asks; i++) {
        uint64_t covers_to;
        int cont = trk_cont_index(c, r, part->asks[i].offset, TRK_UCONT_MAX, &covers_to);
        if (cont < 0 || part->asks[i].offset + part->asks[i].bytes > covers_to)
            return false;
        part->asks[i].cont = (uint8_t)cont;
    }
    return true;
}

void trk_repeat_add(struct trk_client *c, struct trk_request *r)
{
    unsigned most = repeats(c);
    uint8_t scratch[TRK_SLOT_MAX], conts = r->n_conts;
    uint64_t k = r->parts[0].k;
    for (unsigned age = 0; age < most; age++) {                               /* newest first, until the request is full */
        struct trk_spent *p = &c->previous[(c->newest_previous + TRK_CLIENT_REPEATS - age) % TRK_CLIENT_REPEATS];
        if (!still_open(c, p, k))
            continue;
        for (unsigned i = r->n_parts; i > 0; i--)
            part_copy(&r->parts[i], &r->parts[i - 1]);
        part_copy(&r->parts[0], &p->part);
        r->n_parts++;
        if (rename_conts(c, r, &r->parts[0]) && trk_request_emit(r, scratch, c->fill))
            continue;
        for (unsigned i = 0; i + 1 < r->n_parts; i++)
            part_copy(&r->parts[i], &r->parts[i + 1]);
        r->n_parts--;
        r->n_conts = conts;
        return;
    }
}
