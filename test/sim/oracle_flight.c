/* oracle_flight - packets in flight outside recovery, ours beside a textbook SACK Reno on the same losses (flight.h): after equal
 * numbers of acknowledgements they are equal, or it fails. Windows of 12 to 300 packets; one loss at a time, anywhere, or up to
 * eight in one window, in runs and scattered.
 *
 *     oracle_flight [TRACES [SEED]]
 *
 * A request may acknowledge several numbers; then ours is looked at after the last one. No trace loses the last packet of a
 * window together with an earlier one: that is the known weakness of PROTOCOL.md 10. What is sent again gets lost in neither. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flight.h"
#include "random.h"

#define WINDOW_LEAST 12                /* at a loss: three later packets prove it to the textbook, and half of it is lost again */
#define STRETCHES    30
#define SLOW_START   300
#define AVOIDANCE    600
#define TAIL_PACKETS 3000

bool flight_is_lost(const struct flight_trace *t, unsigned stretch, uint64_t number)
{
    for (unsigned i = 0; stretch < t->n && i < t->stretches[stretch].n; i++)
        if (t->stretches[stretch].lost[i] == number)
            return true;
    return false;
}

void flight_note(struct flight_record *r, const struct flight_trace *t, unsigned stretch, uint64_t acks, uint64_t flight)
{
    if (stretch < t->n && acks > 0 && acks < t->stretches[stretch].lost[0])
        r->flight[stretch][acks] = (uint32_t)flight;
}

uint32_t flight_packets(const struct flight_trace *t)
{
    uint32_t n = TAIL_PACKETS;

    for (unsigned i = 0; i < t->n; i++)
        n += t->stretches[i].lost[t->stretches[i].n - 1] + 2 * SLOW_START;
    return n;
}

/* ---- traces ---- */

struct window { uint32_t packets, acks, counted; bool slow; };

static void acknowledged(struct window *w)
{
    w->acks++;
    if (w->slow || ++w->counted >= w->packets) {
        w->packets++;
        w->counted = 0;
    }
}

/* Losses of one stretch, whose first acknowledgements let the window grow from `packets`. Returns the window at the first. */
static uint32_t draw_stretch(struct flight_trace *t, unsigned i, struct sim_random *r, bool bursts, uint32_t packets)
{
    struct window w = { .packets = packets, .slow = i == 0 };
    uint32_t first = 1 + (uint32_t)sim_random_below(r, i ? AVOIDANCE : SLOW_START), last;
    unsigned n = bursts ? (unsigned)sim_random_range(r, 1, FLIGHT_LOSSES_MAX) : 1;
    bool run = sim_random_chance(r, .5);

    if (bursts)
        first += 2 * packets + 2;      /* in a window that was sent whole after the recovery before it */
    while (w.acks + 1 < first || w.packets < WINDOW_LEAST)
        acknowledged(&w);
    first = w.acks + 1;
    last = first - 1 + w.packets;      /* of the window */
    t->stretches[i].lost[0] = first;
    t->stretches[i].n = 1;
    while (t->stretches[i].n < n) {
        uint32_t before = t->stretches[i].lost[t->stretches[i].n - 1];
        if (before + 1 >= last)
            break;
        bool anywhere = !run || t->stretches[i].n == 1;
        t->stretches[i].lost[t->stretches[i].n++] = anywhere ? (uint32_t)sim_random_range(r, before + 1, last - 1) : before + 1;
    }
    return w.packets;
}

static bool has_bursts(uint64_t seed) { return seed % 4 >= 2; }

static void draw_trace(struct flight_trace *t, uint64_t seed)
{
    struct sim_random r;
    uint32_t packets = 10;             /* the initial window */

    sim_random_seed(&r, seed ^ 0xf119);
    t->n = STRETCHES;
    for (unsigned i = 0; i < t->n; i++)
        packets = draw_stretch(t, i, &r, has_bursts(seed), packets) / 2;
}

/* ---- comparison ---- */

struct tally { uint64_t points, skipped, differ; };

static void compare(const struct flight_trace *t, uint64_t seed, const struct flight_record *ours, const struct flight_record *reno, struct tally *sum)
{
    for (unsigned i = 0; i < t->n; i++)
        for (uint32_t j = 1; j < t->stretches[i].lost[0]; j++) {
            uint32_t a = ours->flight[i][j], b = reno->flight[i][j];
            if (!a) {
                sum->skipped++;
                continue;
            }
            sum->points++;
            if (a != b && sum->differ++ < 10)
                printf("seed %" PRIu64 ", stretch %u, acknowledgement %" PRIu32 ": %" PRIu32 " of ours in flight, %" PRIu32 " of the textbook's\n", seed, i, j, a, b);
        }
}

/* Even seeds have a fast path, where what arrives within a millisecond may be acknowledged together. On a slow one a gap of several
 * losses lets numbers of the next stretch wait, but with single losses no acknowledgement is passed over. */
static bool may_pass_over(uint64_t seed) { return seed % 2 == 0 || has_bursts(seed); }

/* True if all was equal. */
static bool run(uint64_t seed, struct tally *sum)
{
    static struct flight_trace t;
    static struct flight_record ours, reno;
    const struct flight_path path = { .rate_bytes_per_us = seed % 2 ? 1.5 : 0, .coalesce_us = seed % 2 ? 0 : 1000 };
    uint64_t differ = sum->differ, skipped = sum->skipped;

    memset(&ours, 0, sizeof ours);
    memset(&reno, 0, sizeof reno);
    draw_trace(&t, seed);
    const char *wrong = flight_of_reno(&t, &reno);
    if (!wrong)
        wrong = flight_of_ours(&t, &path, &ours);
    if (!wrong)
        compare(&t, seed, &ours, &reno, sum);
    if (!wrong && !may_pass_over(seed) && sum->skipped > skipped)
        wrong = "acknowledgements were passed over";
    if (wrong)
        printf("seed %" PRIu64 ": %s\n", seed, wrong);
    return !wrong && sum->differ == differ;
}

int main(int argc, char **argv)
{
    uint64_t traces = argc > 1 ? strtoull(argv[1], NULL, 10) : 8, from = argc > 2 ? strtoull(argv[2], NULL, 10) : 1, failed = 0;
    struct tally sum = { 0 };

    if (argc > 3 || traces == 0) {
        fprintf(stderr, "usage: oracle_flight [TRACES [SEED]]\n");
        return 2;
    }
    for (uint64_t seed = from; seed < from + traces; seed++)
        failed += !run(seed, &sum);
    printf("%" PRIu64 " traces with %d recoveries each, %" PRIu64 " failed: %" PRIu64 " acknowledgements compared, %" PRIu64 " inside of batches, %" PRIu64 " differences\n",
           traces, STRETCHES, failed, sum.points, sum.skipped, sum.differ);
    return failed > 0 || sum.points < traces * STRETCHES;
}
