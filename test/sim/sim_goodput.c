/* sim_goodput - how fast a long download is beside a textbook SACK Reno that loses the same packets, over a grid of paths,
 * directions and losses. A cell's figure is the mean over seeds of the ratio of both goodputs, with its standard error.
 *
 *     sim_goodput [--seeds N] [--scale X] [--slack Y] [--only WORD] [--seed S]
 *
 * scale: of the bytes of each transfer; 1 is the full grid, shorter ones also show the start. slack: taken from each target.
 * Fails if a cell is below its target by more than two standard errors. --seed: that one only. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reno_http.h"
#include "world.h"

#define SEEDS_MAX 400
#define ERROR_MOST .02

struct route { const char *name; uint32_t delay_us; double rate_bytes_per_us; uint32_t queue_bytes; };

static const struct route routes[] = {
    { "20 ms, 1000 pkt/s, queue 20", 10000, 1.5, 30000 },
    { "50 ms, no queue", 25000, 0, 0 },
};

enum direction { ANSWERS, REQUESTS, BOTH };
static const char *const directions[] = { "answers", "requests", "both" };

struct loss { double chance, mbytes; unsigned seeds; };

/* Rare losses need long transfers, frequent ones slow them down. */
static const struct loss losses[] = {
    { 0, 20, 2 }, { .001, 20, 40 }, { .005, 20, 20 }, { .01, 20, 20 }, { .02, 10, 20 }, { .05, 5, 20 }, { .1, 4, 40 },
};
#define LOSSES (sizeof losses / sizeof *losses)

/* By route, direction and loss. 0: shown, held to nothing. Headers leave 1419 bytes of 1448 that a textbook packet carries: .97997. */
static const double least[2][3][LOSSES] = {
    { { .9795, .95, .95, .95, .95, 1, 1 }, { .9795, .95, .95, .95, .95, .95, .9 }, { .9795, .93, .93, .93, .93, 1, 1 } },
    { { .9795, .95, .95, .95, .95, 1, 1 }, { .9795, .95, .95, .95, .95, .9, 0 }, { .9795, .93, .93, .93, .93, 1, 1 } },
};

struct options { unsigned seeds; double scale, slack; const char *only; uint64_t seed; };

static void set_up(struct sim_scenario *s, const struct route *r, enum direction d, double loss, const struct sim_object *object, uint64_t seed)
{
    sim_scenario_measure(s, seed, object, 1);
    s->up[0].delay_us = s->down[0].delay_us = r->delay_us;
    s->down[0].rate_bytes_per_us = r->rate_bytes_per_us;
    s->down[0].queue_bytes = r->queue_bytes;
    s->down[0].loss = d == REQUESTS ? 0 : loss;
    s->up[0].loss = d == ANSWERS ? 0 : loss;
    s->down[0].loss_seed = sim_mix(2 * seed);
    s->up[0].loss_seed = sim_mix(2 * seed + 1);
}

/* Where nothing gets lost on the way down and nothing is slow either, the textbook's window grows without bound and ours to
 * 4096 packets: there the transfer ends before that. */
static double mbytes_of(const struct route *r, enum direction d, const struct loss *loss)
{
    bool boundless = r->rate_bytes_per_us <= 0 && (d == REQUESTS || loss->chance <= 0);
    return boundless && loss->mbytes > 10 ? 10 : loss->mbytes;
}

/* Seconds of both; false if ours did not end well. */
static bool run(const struct sim_scenario *s, double *ours, double *reno)
{
    static struct sim_outcome o;
    struct sim_reno_http h = { .up = &s->up[0], .down = &s->down[0], .objects = s->clients[0].objects, .n_objects = 1, .mtu = 1500, .seed = s->seed };

    if (!sim_world_run(s, &o)) {
        sim_outcome_print(s, &o);
        return false;
    }
    *ours = (double)o.finished_us[0] / 1e6;
    *reno = sim_reno_http(&h);
    return *reno > 0;
}

static bool run_cell(const struct route *r, enum direction d, unsigned l, const struct options *options)
{
    static struct sim_scenario s;
    const struct loss *loss = &losses[l];
    const struct sim_object object = { .type = 'K', .id = 1, .bytes = (uint64_t)(mbytes_of(r, d, loss) * options->scale * 1e6) };
    unsigned n = 0, seeds = options->seed ? 1 : options->seeds ? options->seeds : loss->seeds;
    double sum = 0, squares = 0, all_ours = 0, all_reno = 0, bound = least[r - routes][d][l] - options->slack;

    for (uint64_t seed = options->seed ? options->seed : 1; n < seeds; seed++) {
        double ours, reno;
        set_up(&s, r, d, loss->chance, &object, seed);
        if (!run(&s, &ours, &reno))
            return false;
        n++;
        sum += reno / ours;
        squares += reno / ours * (reno / ours);
        all_ours += ours;
        all_reno += reno;
    }
    double mean = sum / n, error = n > 1 ? sqrt(fmax(0, squares / n - mean * mean) / (n - 1)) : 0;
    bool bad = mean + 2 * error < bound;
    printf("%-28s %-9s %5.1f %%  Reno %8.1f kB/s  Trickles %8.1f kB/s  ratio %.3f +- %.3f%s\n", r->name, l ? directions[d] : "", loss->chance * 100,
           (double)object.bytes * n / all_reno / 1e3, (double)object.bytes * n / all_ours / 1e3, mean, error,
           bad ? "  TOO SLOW" : error > ERROR_MOST ? "  (noisy)" : "");
    fflush(stdout);
    return !bad;
}

static int usage(void)
{
    fprintf(stderr, "usage: sim_goodput [--seeds N] [--scale X] [--slack Y] [--only WORD] [--seed S]\n");
    return 2;
}

int main(int argc, char **argv)
{
    struct options options = { .scale = 1, .only = "" };
    bool ok = true;

    for (int i = 1; i < argc; i += 2) {
        if (i + 1 == argc)
            return usage();
        if (!strcmp(argv[i], "--seeds"))
            options.seeds = (unsigned)atoi(argv[i + 1]);
        else if (!strcmp(argv[i], "--scale"))
            options.scale = atof(argv[i + 1]);
        else if (!strcmp(argv[i], "--slack"))
            options.slack = atof(argv[i + 1]);
        else if (!strcmp(argv[i], "--only"))
            options.only = argv[i + 1];
        else if (!strcmp(argv[i], "--seed"))
            options.seed = strtoull(argv[i + 1], NULL, 10);
        else
            return usage();
    }
    if (options.seeds > SEEDS_MAX || !(options.scale > 0))
        return usage();
    for (size_t r = 0; r < sizeof routes / sizeof *routes; r++)
        for (int d = ANSWERS; d <= BOTH; d++)
            for (unsigned l = d == ANSWERS ? 0 : 1; l < LOSSES; l++) {
                char name[96];
                snprintf(name, sizeof name, "%s %s %g %%", routes[r].name, directions[d], losses[l].chance * 100);
                if (strstr(name, options.only))
                    ok &= run_cell(&routes[r], (enum direction)d, l, &options);
            }
    return !ok;
}
