/* direction.c - what happens to a frame on its way. Everything follows from arrivals, times and one seed. */
#include "path.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WAITING_MAX   400000           /* frames on the way; more is a mistake in the conditions */
#define ETHERNET_BYTES 14

static uint64_t draw(struct direction *d)            /* splitmix64 */
{
    uint64_t z = d->random += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static double share(struct direction *d) { return (double)(draw(d) >> 11) * 0x1p-53; }
static bool chance(struct direction *d, double p) { return p > 0 && share(d) < p; }

void direction_init(struct direction *d, const char *name, const struct spec *spec, uint64_t seed)
{
    *d = (struct direction){ .name = name, .spec = *spec, .random = seed };
}

/* IPv4, or IPv6 that is not neighbour discovery: what may be lost and damaged. */
static bool is_traffic(const uint8_t *f, uint32_t bytes)
{
    if (bytes >= ETHERNET_BYTES + 20 && f[12] == 0x08 && f[13] == 0x00)
        return true;
    if (bytes < ETHERNET_BYTES + 41 || f[12] != 0x86 || f[13] != 0xdd)
        return false;
    return f[20] != 58 || f[54] < 133 || f[54] > 137;
}

/* ---- the queue before the bottleneck ---- */
static void queue_leave(struct direction *d, uint64_t now_ns)
{
    while (d->queue_n && d->queue[d->queue_head].at_ns <= now_ns) {
        d->queue_bytes -= d->queue[d->queue_head].bytes;
        d->queue_head = (d->queue_head + 1) % d->queue_cap;
        d->queue_n--;
    }
}

static bool queue_grow(struct direction *d)
{
    size_t cap = d->queue_cap ? d->queue_cap * 2 : 1024;
    struct departure *bigger = malloc(cap * sizeof *bigger);
    if (!bigger)
        return false;
    for (size_t i = 0; i < d->queue_n; i++)
        bigger[i] = d->queue[(d->queue_head + i) % d->queue_cap];
    free(d->queue);
    d->queue = bigger;
    d->queue_cap = cap;
    d->queue_head = 0;
    return true;
}

/* How full it would be with this frame: 1 is the limit. */
static double queue_filling(const struct direction *d, uint32_t bytes)
{
    const struct spec *s = &d->spec;
    if (s->queue_packets)
        return (double)(d->queue_n + 1) / (double)s->queue_packets;
    return s->queue_bytes ? (double)(d->queue_bytes + bytes) / (double)s->queue_bytes : 0;
}

/* False if the frame finds no room; else *at_ns is when it is through the bottleneck. */
static bool queue_enter(struct direction *d, uint32_t bytes, uint64_t now_ns, uint64_t *at_ns)
{
    *at_ns = now_ns;
    if (d->spec.rate_bps <= 0)
        return true;
    queue_leave(d, now_ns);
    double filling = queue_filling(d, bytes);
    if (filling > 1 || (d->queue_n == d->queue_cap && !queue_grow(d))) {
        d->counters.queue_drops++;
        return false;
    }
    if (filling > d->spec.early && chance(d, (filling - d->spec.early) / (1 - d->spec.early))) {
        d->counters.early_drops++;
        return false;
    }
    uint64_t start = d->busy_until_ns > now_ns ? d->busy_until_ns : now_ns;
    *at_ns = d->busy_until_ns = start + (uint64_t)(bytes * 8e9 / d->spec.rate_bps);
    d->queue[(d->queue_head + d->queue_n++) % d->queue_cap] = (struct departure){ *at_ns, bytes };
    d->queue_bytes += bytes;
    return true;
}

/* Independent losses, or runs of mean length `burst` with the same share of losses overall. */
static bool is_lost(struct direction *d)
{
    const struct spec *s = &d->spec;
    if (s->burst <= 1 || s->loss <= 0 || s->loss >= 1)
        return chance(d, s->loss);
    d->burst_on = d->burst_on ? !chance(d, 1 / s->burst) : chance(d, s->loss / (s->burst * (1 - s->loss)));
    return d->burst_on;
}

/* ---- frames on the way: a heap by time, then by order of arrival ---- */
static bool earlier(const struct waiting *x, const struct waiting *y)
{
    return x->due_ns != y->due_ns ? x->due_ns < y->due_ns : x->order < y->order;
}

static void heap_push(struct direction *d, struct frame *frame, uint64_t due_ns)
{
    size_t i = d->heap_n++;
    struct waiting w = { due_ns, d->order++, frame };
    for (; i > 0 && earlier(&w, &d->heap[(i - 1) / 2]); i = (i - 1) / 2)
        d->heap[i] = d->heap[(i - 1) / 2];
    d->heap[i] = w;
}

static struct waiting heap_pop(struct direction *d)
{
    struct waiting top = d->heap[0], last = d->heap[--d->heap_n];
    size_t i = 0;
    for (size_t child; (child = 2 * i + 1) < d->heap_n; i = child) {
        if (child + 1 < d->heap_n && earlier(&d->heap[child + 1], &d->heap[child]))
            child++;
        if (!earlier(&d->heap[child], &last))
            break;
        d->heap[i] = d->heap[child];
    }
    d->heap[i] = last;
    return top;
}

static void deliver(struct direction *d, const uint8_t *data, uint32_t bytes, uint64_t due_ns, bool corrupt)
{
    if (d->heap_n == d->heap_cap) {
        size_t cap = d->heap_cap ? d->heap_cap * 2 : 1024;
        struct waiting *bigger = cap <= 2 * WAITING_MAX ? realloc(d->heap, cap * sizeof *bigger) : NULL;
        if (bigger) {
            d->heap = bigger;
            d->heap_cap = cap;
        }
    }
    struct frame *frame = d->heap_n < d->heap_cap && d->heap_n < WAITING_MAX ? malloc(sizeof *frame + bytes) : NULL;
    if (!frame) {
        d->counters.overflow++;
        return;
    }
    frame->bytes = bytes;
    memcpy(frame->data, data, bytes);
    if (corrupt) {
        uint64_t bit = draw(d) % ((bytes - ETHERNET_BYTES) * 8u);
        frame->data[ETHERNET_BYTES + bit / 8] ^= (uint8_t)(1u << (bit & 7));
        d->counters.corrupted++;
    }
    heap_push(d, frame, due_ns);
}

/* Through the bottleneck at at_ns: when it arrives at the other end. */
static uint64_t arrival(struct direction *d, uint64_t at_ns, bool traffic)
{
    const struct spec *s = &d->spec;
    double jitter = s->jitter_ns ? (share(d) * 2 - 1) * (double)s->jitter_ns : 0;
    double delay = (double)s->delay_ns + jitter;
    uint64_t due = at_ns + (delay > 0 ? (uint64_t)delay : 0);
    if (due < d->last_due_ns)
        due = d->last_due_ns;
    d->last_due_ns = due;
    if (traffic && chance(d, s->reorder)) {
        d->counters.reordered++;
        due += s->reorder_ns;          /* alone: those behind it overtake */
    }
    return due;
}

void direction_take(struct direction *d, const uint8_t *data, uint32_t bytes, uint64_t now_ns)
{
    uint64_t at_ns;
    bool traffic = is_traffic(data, bytes);
    d->counters.in++;
    d->counters.bytes_in += bytes;
    if (!queue_enter(d, bytes, now_ns, &at_ns))
        return;
    if (traffic && is_lost(d)) {
        d->counters.lost++;
        return;
    }
    bool corrupt = traffic && chance(d, d->spec.corrupt), twice = traffic && chance(d, d->spec.duplicate);
    uint64_t due = arrival(d, at_ns, traffic);
    deliver(d, data, bytes, due, corrupt);
    if (twice) {
        d->counters.duplicated++;
        deliver(d, data, bytes, due, false);
    }
}

uint64_t direction_next(const struct direction *d)
{
    return d->heap_n ? d->heap[0].due_ns : UINT64_MAX;
}

struct frame *direction_pop(struct direction *d, uint64_t now_ns)
{
    if (d->heap_n == 0 || d->heap[0].due_ns > now_ns)
        return NULL;
    struct waiting w = heap_pop(d);
    uint64_t late = now_ns - w.due_ns;
    d->counters.late_ns_sum += late;
    if (late > d->counters.late_ns_max)
        d->counters.late_ns_max = late;
    return w.frame;
}

void direction_free(struct direction *d)
{
    for (size_t i = 0; i < d->heap_n; i++)
        free(d->heap[i].frame);
    free(d->heap);
    free(d->queue);
}

int direction_print(const struct direction *d, char *out, size_t cap)
{
    const struct counters *c = &d->counters;
    return snprintf(out, cap,
        "\"%s\":{\"in\":%" PRIu64 ",\"bytes_in\":%" PRIu64 ",\"out\":%" PRIu64 ",\"bytes_out\":%" PRIu64 ",\"waiting\":%zu"
        ",\"lost\":%" PRIu64 ",\"queue_drops\":%" PRIu64 ",\"early_drops\":%" PRIu64 ",\"duplicated\":%" PRIu64
        ",\"reordered\":%" PRIu64 ",\"corrupted\":%" PRIu64 ",\"cut\":%" PRIu64 ",\"errors\":%" PRIu64 ",\"overflow\":%" PRIu64
        ",\"late_us_mean\":%.1f,\"late_us_max\":%.1f}",
        d->name, c->in, c->bytes_in, c->out, c->bytes_out, d->heap_n, c->lost, c->queue_drops, c->early_drops, c->duplicated,
        c->reordered, c->corrupted, c->cut, c->errors, c->overflow,
        c->out ? (double)c->late_ns_sum / (double)c->out / 1e3 : 0, (double)c->late_ns_max / 1e3);
}
