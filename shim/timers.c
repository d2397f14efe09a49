#include "timers.h"

#include <stdlib.h>

#define FIRST 64

bool shim_timers_join(struct shim_timers *timers)
{
    if (timers->owners == timers->cap) {
        size_t cap = timers->cap ? timers->cap * 2 : FIRST;
        struct shim_timer **heap = realloc(timers->heap, cap * sizeof *heap);
        if (!heap)
            return false;
        timers->heap = heap;
        timers->cap = cap;
    }
    timers->owners++;
    return true;
}

void shim_timers_leave(struct shim_timers *timers, struct shim_timer *timer)
{
    shim_timers_set(timers, timer, UINT64_MAX);
    timers->owners--;
}

static void put(struct shim_timers *timers, size_t i, struct shim_timer *timer)
{
    timers->heap[i] = timer;
    timer->place = i + 1;
}

static void rise(struct shim_timers *timers, size_t i)
{
    struct shim_timer *timer = timers->heap[i];
    for (; i > 0 && timers->heap[(i - 1) / 2]->at_us > timer->at_us; i = (i - 1) / 2)
        put(timers, i, timers->heap[(i - 1) / 2]);
    put(timers, i, timer);
}

static void sink(struct shim_timers *timers, size_t i)
{
    struct shim_timer *timer = timers->heap[i];
    for (size_t child; (child = 2 * i + 1) < timers->n; i = child) {
        if (child + 1 < timers->n && timers->heap[child + 1]->at_us < timers->heap[child]->at_us)
            child++;
        if (timers->heap[child]->at_us >= timer->at_us)
            break;
        put(timers, i, timers->heap[child]);
    }
    put(timers, i, timer);
}

static void take_out(struct shim_timers *timers, struct shim_timer *timer)
{
    size_t i = timer->place - 1;
    struct shim_timer *last = timers->heap[--timers->n];
    timer->place = 0;
    if (last == timer)
        return;
    put(timers, i, last);
    rise(timers, i);
    sink(timers, last->place - 1);
}

void shim_timers_set(struct shim_timers *timers, struct shim_timer *timer, uint64_t at_us)
{
    if (at_us == UINT64_MAX) {
        if (timer->place)
            take_out(timers, timer);
        return;
    }
    if (!timer->place)
        put(timers, timers->n++, timer);
    timer->at_us = at_us;
    rise(timers, timer->place - 1);
    sink(timers, timer->place - 1);
}

struct shim_timer *shim_timers_due(struct shim_timers *timers, uint64_t now_us)
{
    struct shim_timer *first = timers->n ? timers->heap[0] : NULL;
    if (!first || first->at_us > now_us)
        return NULL;
    take_out(timers, first);
    return first;
}

uint64_t shim_timers_next_us(const struct shim_timers *timers)
{
    return timers->n ? timers->heap[0]->at_us : UINT64_MAX;
}
