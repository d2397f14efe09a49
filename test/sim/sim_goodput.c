/* sim_goodput - how fast a download is beside a textbook SACK Reno on the same path, over a grid of losses. Requests that
 * are lost cost little, as the server has a filter and they are repeated. The bounds lie a tenth or two below what is
 * measured: the worlds are always the same, so only a change of the rules moves the numbers. */
#include <stdio.h>

#include "reno.h"
#include "world.h"

#define SEEDS 20
#define BYTES 3000000ull

struct cell { const char *name; uint32_t delay_us; double rate_bytes_per_us; uint32_t queue_bytes; double down_loss, up_loss, least; };

static const struct cell cells[] = {
    { "20 ms, 1.5 MB/s, queue 20: no loss", 10000, 1.5, 30000, 0, 0, .9 },
    { "20 ms, 1.5 MB/s, queue 20: answers 1 %", 10000, 1.5, 30000, .01, 0, .9 },
    { "20 ms, 1.5 MB/s, queue 20: answers 5 %", 10000, 1.5, 30000, .05, 0, 1 },
    { "20 ms, 1.5 MB/s, queue 20: requests 1 %", 10000, 1.5, 30000, 0, .01, .85 },
    { "20 ms, 1.5 MB/s, queue 20: requests 5 %", 10000, 1.5, 30000, 0, .05, .8 },
    { "20 ms, 1.5 MB/s, queue 20: both 1 %", 10000, 1.5, 30000, .01, .01, .7 },
    { "50 ms, no limit: no loss", 25000, 0, 0, 0, 0, .9 },
    { "50 ms, no limit: answers 1 %", 25000, 0, 0, .01, 0, 1 },
    { "50 ms, no limit: answers 5 %", 25000, 0, 0, .05, 0, 1 },
    { "50 ms, no limit: requests 1 %", 25000, 0, 0, 0, .01, .85 },
    { "50 ms, no limit: requests 5 %", 25000, 0, 0, 0, .05, .6 },
    { "50 ms, no limit: both 5 %", 25000, 0, 0, .05, .05, .9 },
};

static double trickles_seconds(const struct sim_scenario *s)
{
    static struct sim_outcome o;

    if (!sim_world_run(s, &o)) {
        sim_outcome_print(s, &o);
        return -1;
    }
    return (double)o.finished_us[0] / 1e6;
}

/* The mean over the seeds of each, and the ratio of the means. */
static bool run_cell(const struct cell *c)
{
    static const struct sim_object object = { .type = 'K', .id = 1, .bytes = BYTES };
    static struct sim_scenario s;
    double ours = 0, reno = 0;

    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        sim_scenario_init(&s, seed);
        s.clients[0].objects = &object;
        s.clients[0].n_objects = 1;
        s.clients[0].receive_bytes = 1 << 22;
        s.server.twin_every = 0;
        s.server.domain[0] = 1;
        s.server.filter_bytes = 1 << 20;
        s.up[0].delay_us = s.down[0].delay_us = c->delay_us;
        s.down[0].rate_bytes_per_us = c->rate_bytes_per_us;
        s.down[0].queue_bytes = c->queue_bytes;
        s.down[0].loss = c->down_loss;
        s.up[0].loss = c->up_loss;
        double seconds = trickles_seconds(&s);
        if (seconds < 0)
            return false;
        ours += seconds / SEEDS;
        reno += sim_reno_seconds(&s.up[0], &s.down[0], BYTES, 1500, seed) / SEEDS;
    }
    double ratio = reno / ours;
    printf("%-44s Reno %7.3f s, Trickles %7.3f s, ratio %.2f%s\n", c->name, reno, ours, ratio, ratio < c->least ? "  TOO SLOW" : "");
    return ratio >= c->least;
}

int main(void)
{
    bool ok = true;

    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++)
        ok &= run_cell(&cells[i]);
    return !ok;
}
