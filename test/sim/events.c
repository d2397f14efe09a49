#include "events.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool earlier(const struct sim_event *a, const struct sim_event *b)
{
    return a->at_us < b->at_us || (a->at_us == b->at_us && a->age < b->age);
}

static void swap(struct sim_event *a, struct sim_event *b)
{
    struct sim_event t = *a;
    *a = *b;
    *b = t;
}

static void *must(void *p)
{
    if (!p) {
        fprintf(stderr, "sim: out of memory\n");
        abort();
    }
    return p;
}

void sim_events_add(struct sim_events *e, uint64_t at_us, enum sim_event_kind kind, uint16_t client, struct sim_packet *packet)
{
    if (e->n == e->cap) {
        e->cap = e->cap ? 2 * e->cap : 1024;
        e->heap = must(realloc(e->heap, e->cap * sizeof *e->heap));
    }
    size_t i = e->n++;
    e->heap[i] = (struct sim_event){ at_us, e->age++, kind, client, packet };
    for (; i > 0 && earlier(&e->heap[i], &e->heap[(i - 1) / 2]); i = (i - 1) / 2)
        swap(&e->heap[i], &e->heap[(i - 1) / 2]);
}

bool sim_events_next(struct sim_events *e, struct sim_event *out)
{
    if (e->n == 0)
        return false;
    *out = e->heap[0];
    e->heap[0] = e->heap[--e->n];
    for (size_t i = 0;;) {
        size_t left = 2 * i + 1, least = i;
        if (left < e->n && earlier(&e->heap[left], &e->heap[least]))
            least = left;
        if (left + 1 < e->n && earlier(&e->heap[left + 1], &e->heap[least]))
            least = left + 1;
        if (least == i)
            return true;
        swap(&e->heap[i], &e->heap[least]);
        i = least;
    }
}

void sim_events_clear(struct sim_events *e)
{
    for (size_t i = 0; i < e->n; i++)
        free(e->heap[i].packet);
    e->n = 0;
    e->age = 0;
}

struct sim_packet *sim_packet_copy(const void *data, uint32_t bytes)
{
    struct sim_packet *p = must(malloc(sizeof *p + bytes));
    p->bytes = bytes;
    p->corrupted = p->garbage = false;
    memcpy(p->data, data, bytes);
    return p;
}
