/* sim_sizes - one object over a new connection, from 1 KB to 1 MB in steps of 1 %, beside a textbook TCP on the same path: no
 * size may need a round trip more than it does there. Its capacity after each round trip is where that could happen. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reno_http.h"
#include "world.h"

#define RATIO_LEAST .97                /* the textbook's time by ours */
#define SMALL_LEAST 1.5                /* for what comes with the SYN's answer, */
#define SMALL_BYTES 1024               /* objects up to this */
#define SIZE_MOST   1000000

struct sums { unsigned sizes, slower; double worst, small; uint64_t worst_bytes; };

static void set_up(struct sim_scenario *s, struct sim_object *object, uint32_t rtt_us, uint64_t *done_us)
{
    sim_scenario_init(s, 1);
    s->clients[0].objects = object;
    s->clients[0].n_objects = 1;
    s->clients[0].syn_data = true;
    s->clients[0].done_us = done_us;
    s->clients[0].receive_bytes = 1 << 22;
    s->server.twin_every = 0;
    s->server.domain[0] = 1;
    s->server.filter_bytes = 1 << 16;
    s->up[0].delay_us = s->down[0].delay_us = rtt_us / 2;
}

/* The textbook's time by ours; negative: a run failed. */
static double compare(uint64_t bytes, uint32_t rtt_us)
{
    static struct sim_scenario s;
    static struct sim_outcome o;
    struct sim_object object = { .type = 'K', .id = 1, .bytes = bytes };
    uint64_t ours_us = 0, reno_us = 0;

    set_up(&s, &object, rtt_us, &ours_us);
    if (!sim_world_run(&s, &o)) {
        sim_outcome_print(&s, &o);
        return -1;
    }
    struct sim_reno_http h = { .up = &s.up[0], .down = &s.down[0], .objects = &object, .n_objects = 1, .mtu = 1500, .seed = 1, .done_us = &reno_us };
    if (sim_reno_http(&h) < 0)
        return -1;
    return (double)reno_us / (double)ours_us;
}

static bool sweep(uint32_t rtt_us)
{
    struct sums t = { .worst = 1e9, .small = 1e9 };

    for (double size = 1000; size <= SIZE_MOST; size *= 1.01) {
        uint64_t bytes = (uint64_t)size;
        double ratio = compare(bytes, rtt_us);
        t.sizes++;
        if (ratio < RATIO_LEAST) {
            printf("  %7llu bytes: %.2f\n", (unsigned long long)bytes, ratio);
            t.slower++;
        }
        if (bytes <= SMALL_BYTES && ratio < t.small)
            t.small = ratio;
        if (ratio < t.worst) {
            t.worst = ratio;
            t.worst_bytes = bytes;
        }
    }
    printf("RTT %u ms: %u sizes, %u slower than the textbook; the worst %.2f at %llu bytes; up to %d bytes at least %.2f\n", rtt_us / 1000, t.sizes,
           t.slower, t.worst, (unsigned long long)t.worst_bytes, SMALL_BYTES, t.small);
    return !t.slower && t.small >= SMALL_LEAST;
}

int main(void)
{
    bool ok = sweep(10000);

    ok &= sweep(50000);
    return !ok;
}
