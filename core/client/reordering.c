/* reordering.c - how long a missing number may still be on its way (PROTOCOL.md 7.2). RFC 8985 widens its window in steps when a
 * retransmission turns out to have been needless. Here no retransmission is needed to find that out: a number that was taken
 * for lost and comes after all says by how much it was late. */
#include "client/internal.h"

#define BUSY_US 10000u                 /* what a busy host may keep one of several servers from running */
#define LOSSES_MAX 16                  /* after so many losses without a late number the path is in order again, as in RFC 8985 */

static uint64_t most(const struct trk_client *c) { return c->srtt_us > BUSY_US ? c->srtt_us : BUSY_US; }

uint64_t trk_reordering_window(const struct trk_client *c)
{
    uint64_t least = c->srtt_us / 4, wanted = 2 * c->late_us;
    if (wanted > most(c))
        wanted = most(c);
    return wanted > least ? wanted : least;
}

static void learn(struct trk_client *c, uint64_t late_us)
{
    c->late_losses = 0;
    if (late_us > c->late_us && late_us <= most(c))  /* later than anybody would wait: a packet from another age of the path */
        c->late_us = late_us;
}

void trk_reordering_late(struct trk_client *c, struct trk_number *e, uint64_t now_us)
{
    if (!e->arrived_us || now_us < e->arrived_us)
        return;
    c->stats.numbers_late++;
    learn(c, now_us - e->arrived_us);
    e->arrived_us = 0;                               /* once: a copy is no news */
}

void trk_reordering_closed(struct trk_client *c, const struct trk_number *e, uint64_t now_us)
{
    if (e->n == c->gap && c->gap_since_us != TRK_NEVER && now_us > c->gap_since_us)
        learn(c, now_us - c->gap_since_us);
}

void trk_reordering_loss(struct trk_client *c)
{
    if (c->late_us && ++c->late_losses > LOSSES_MAX)
        c->late_us = c->late_losses = 0;
}
