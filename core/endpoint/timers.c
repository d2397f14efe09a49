/* timers.c - a heap of ends by the time at which they want to run.
 *
 * A timer that moves to a later time stays where it is, as most do with each packet: when its old time has come it is put where it
 * belongs. So moving a timer costs nothing, and the endpoint may wake once for nothing. */
#include "endpoint/endpoint_state.h"
#include <stdlib.h>

static void put(struct trk_endpoint *e, size_t i, struct trk_timer timer)
{
    e->heap[i] = timer;
    timer.end->heap_at = i + 1;
}

static void sift_up(struct trk_endpoint *e, size_t i, struct trk_timer timer)
{
    for (size_t above; i > 0 && e->heap[above = (i - 1) / 2].at_us > timer.at_us; i = above)
        put(e, i, e->heap[above]);
    put(e, i, timer);
}

static void sift_down(struct trk_endpoint *e, size_t i, struct trk_timer timer)
{
    for (size_t below; (below = 2 * i + 1) < e->heap_n; i = below) {
        if (below + 1 < e->heap_n && e->heap[below + 1].at_us < e->heap[below].at_us)
            below++;
        if (e->heap[below].at_us >= timer.at_us)
            break;
        put(e, i, e->heap[below]);
    }
    put(e, i, timer);
}

bool trk_timers_reserve(struct trk_endpoint *e)
{
    if (e->n_ends < e->heap_cap)
        return true;
    size_t cap = e->heap_cap ? 2 * e->heap_cap : 64;
    struct trk_timer *heap = realloc(e->heap, cap * sizeof *heap);
    if (!heap)
        return false;
    e->heap = heap;
    e->heap_cap = cap;
    return true;
}

void trk_timers_drop(struct trk_end *end)
{
    struct trk_endpoint *e = end->endpoint;
    if (!end->heap_at)
        return;
    size_t i = end->heap_at - 1;
    struct trk_timer last = e->heap[--e->heap_n];
    end->heap_at = 0;
    if (last.end == end)
        return;
    if (i > 0 && e->heap[(i - 1) / 2].at_us > last.at_us)
        sift_up(e, i, last);
    else
        sift_down(e, i, last);
}

void trk_end_wake(struct trk_end *end, uint64_t at_us)
{
    struct trk_endpoint *e = end->endpoint;
    end->wake_us = at_us;
    struct trk_timer timer = { at_us, end };
    if (!end->heap_at && at_us != UINT64_MAX)
        sift_up(e, e->heap_n++, timer);
    else if (end->heap_at && at_us < e->heap[end->heap_at - 1].at_us)
        sift_up(e, end->heap_at - 1, timer);
}

struct trk_end *trk_timers_due(struct trk_endpoint *e)
{
    while (e->heap_n && e->heap[0].at_us <= e->now_us) {
        struct trk_end *end = e->heap[0].end;
        if (end->wake_us != UINT64_MAX && end->wake_us > e->now_us) {
            sift_down(e, 0, (struct trk_timer){ end->wake_us, end });
            continue;
        }
        trk_timers_drop(end);
        if (end->wake_us != UINT64_MAX)
            return end;
    }
    return NULL;
}
