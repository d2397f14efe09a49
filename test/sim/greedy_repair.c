/* A ghost that repairs gaps: it keeps numbers that arrived unspent. When number n is lost it looks for one of these, k, and
 * another one before it, X, such that in the recovery from a loss of X number k lives on as n. Then it spends k, says that
 * X was lost, and would get n once more: but k is half a window before n, and X as much before k, so X was spent, unless it
 * keeps whole windows at home; and the filter knows. */
#include "greedy.h"

#define REPAIR_US 60000                /* so long it waits for the number */
#define WORTH_REPAIRING 12             /* half a window stays at home: of a small one nothing would be left */

static uint64_t held_back(struct ghost_side *s)
{
    const struct ghost_number *e = ghost_at(s, s->star);
    uint64_t cwnd = trk_cwnd(&e->piece, s->star);

    return cwnd < WORTH_REPAIRING ? 0 : trk_cwnd_half(cwnd) + 2;
}

void ghost_hold_back(struct arena *a, struct player *p, struct ghost_side *s)
{
    for (uint64_t keep = held_back(s); s->unspent + keep <= s->star; s->unspent++)
        if (ghost_at(s, s->unspent)->state == 1 && ghost_at(s, s->unspent)->n == s->unspent)
            ghost_say(a, p, s, s->host, s->unspent, 0, true, 0);
}

/* The loss before k that makes k live on as n; 0: there is none. */
static uint64_t loss_for(struct ghost_side *s, uint64_t k, uint64_t n)
{
    const struct trk_piece *piece = &ghost_at(s, k)->piece;

    uint64_t reach = 2 * (n - k) + 8;  /* a window, which hardly grew meanwhile */

    for (uint64_t x = k > piece->base + reach ? k - reach : piece->base + 1; x < k; x++) {
        uint64_t window = trk_cwnd(piece, x - 1), right = x - 1 + window, half = trk_cwnd_half(window);
        if (k + half == n && k + half > right && k <= right)
            return x;
    }
    return 0;
}

bool ghost_repair(struct arena *a, struct player *p, struct ghost_side *s)
{
    struct ghost *g = p->own;

    if (s->repairing == s->next) {
        if (a->now_us >= s->repairing_us + REPAIR_US)
            return false;
        arena_wake(a, p, s->repairing_us + REPAIR_US);
        return true;
    }
    s->repairing = s->next;
    s->repairing_us = 0;               /* no hope, so far */
    if (s->star < s->unspent || ghost_at(s, s->star)->kind != TRK_NORMAL)
        return false;
    for (uint64_t k = s->star; k > s->unspent; k--) {
        uint64_t x = ghost_at(s, k)->state == 1 ? loss_for(s, k, s->next) : 0;
        if (!x || ghost_at(s, x)->state != 1)
            continue;
        g->repairs++;
        s->repairing_us = a->now_us;
        ghost_say(a, p, s, s->host, k, 0, true, x);
        arena_wake(a, p, s->repairing_us + REPAIR_US);
        return true;
    }
    return false;
}
