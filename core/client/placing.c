/* placing.c - input by position (PROTOCOL.md 7.6): the server said that the bytes of a range may come in any order. Each of
 * them leaves with a number of its own, so an upload is clocked as a download is; what the answer does not say was taken
 * leaves again. The input goes on in order behind the range. */
#include "client/internal.h"

static uint64_t written_to(const struct trk_client *c)
{
    return c->written < c->placing_end ? c->written : c->placing_end;
}

void trk_placing_begin(struct trk_client *c, const struct trk_ucont_view *range)
{
    c->input_state = TRK_IN_PLACING;
    c->placing_end = range->second;
    c->placing_next = c->consumed;
    c->placing_end_sent = false;
    c->placing_cont_bytes = range->total_bytes;
    memcpy(c->placing_cont, range->bytes, range->total_bytes);
    c->placed_again.n = c->placed_taken.n = 0;
}

bool trk_placing_outstanding(const struct trk_client *c)
{
    if (c->input_state != TRK_IN_PLACING)
        return false;
    return c->placing_end_sent || c->placing_next - c->consumed > trk_intervals_bytes(&c->placed_again) + trk_intervals_bytes(&c->placed_taken);
}

/* All that was written is taken, and less than the range was to hold. */
static bool end_due(const struct trk_client *c)
{
    return c->input_ending && !c->input_ended && !c->placing_end_sent && c->consumed == c->written && c->written < c->placing_end;
}

bool trk_placing_ready(const struct trk_client *c)
{
    if (c->input_state != TRK_IN_PLACING || c->finished)
        return false;
    if (c->placed_again.n || end_due(c))
        return true;
    uint64_t to = written_to(c);
    if (to <= c->placing_next)
        return false;
    /* Less than a packet waits for more as long as something is under way (RFC 1122's rule against silly small segments). */
    return to - c->placing_next >= c->fill || to == c->placing_end || c->input_ending || !trk_placing_outstanding(c);
}

void trk_placing_attach(struct trk_client *c, struct trk_request *r, uint32_t room, struct trk_number *carrier)
{
    bool again = c->placed_again.n > 0;
    uint64_t from = again ? c->placed_again.at[0].left : c->placing_next;
    uint64_t to = again ? c->placed_again.at[0].right : written_to(c);
    uint32_t bytes = to - from < room ? (uint32_t)(to - from) : room;
    r->input_end = end_due(c);
    r->input_offset = from;
    r->input_bytes = bytes;
    if (again)
        trk_intervals_subtract(&c->placed_again, from, from + bytes);
    else
        c->placing_next = from + bytes;
    if (r->input_end)
        c->placing_end_sent = true;
    carrier->placed = true;
    carrier->offset = from;
    carrier->bytes = bytes;
}

void trk_placed_lost(struct trk_client *c, struct trk_number *e)
{
    if (c->input_state == TRK_IN_PLACING && e->offset >= c->consumed) {
        if (!e->bytes)
            c->placing_end_sent = false;
        else
            trk_intervals_add(&c->placed_again, e->offset, e->offset + e->bytes);      /* no room: trk_placing_find_forgotten */
    }
    e->placed = false;
    e->bytes = 0;
}

/* What was taken in order leaves the send buffer; behind the range's end the input goes on with its own continuation. */
static void advance(struct trk_client *c)
{
    struct trk_intervals *taken = &c->placed_taken;
    if (taken->n && taken->at[0].left == c->consumed) {
        c->consumed = taken->at[0].right;
        trk_intervals_subtract(taken, taken->at[0].left, taken->at[0].right);
    }
    if (c->consumed == c->placing_end || c->input_ended)
        c->input_state = TRK_IN_IDLE;
}

void trk_placed_answer(struct trk_client *c, struct trk_number *e, const struct trk_answer *m, const struct trk_origin *origin)
{
    struct trk_input_sent placed = { .end = 0, .offset = c->consumed };
    const struct trk_origin ours = { true, &placed };
    bool running = c->input_state == TRK_IN_PLACING && e->offset >= c->consumed, taken = (m->flags & (TRK_F_PLACED | TRK_F_MORE)) == TRK_F_PLACED;
    if (running && taken && e->bytes)
        trk_intervals_add(&c->placed_taken, e->offset, e->offset + e->bytes);
    else if (running && taken)
        c->input_ended = true;
    else
        trk_placed_lost(c, e);
    e->placed = false;
    e->bytes = 0;
    if (running && taken)
        advance(c);
    else if (m->flags & (TRK_F_MORE | TRK_F_DONE | TRK_F_END))
        trk_input_answer(c, m, running ? &ours : origin);
}

void trk_placing_find_forgotten(struct trk_client *c)
{
    if (c->input_state != TRK_IN_PLACING || c->n_expected || c->attempt || c->placed_again.n || c->placing_next == c->consumed)
        return;
    uint64_t to = c->placed_taken.n ? c->placed_taken.at[0].left : c->placing_next;
    trk_intervals_add(&c->placed_again, c->consumed, to);
}
