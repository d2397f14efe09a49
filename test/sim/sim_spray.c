/* sim_spray - packets sprayed over 2 to 16 replicas that share keys: each may answer any packet. Every transfer must end, and
 * be exact, however the filters are laid out, whichever way the packets are spread, while replicas are clogged for seconds,
 * die, and come back without memory.
 *
 *     sim_spray [--seeds N]                   all cells
 *     sim_spray --cell REPLICAS LAYOUT MODE TROUBLE --seed N [--trace]
 *
 * Prints for each cell the time that the transfer takes, relative to the same with one replica that has no troubles. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

#define LIMIT_S 100                    /* troubles end within 11 s, no timer is longer than 60 s, the rest takes some seconds */

enum layout { ONE_FILTER, NO_FILTER, ONE_DOMAIN, OWN_DOMAINS, LAYOUTS };
enum trouble { CALM, CLOGGED, DYING, BOTH, TROUBLES };

static const char *const layout_names[] = { "one filter", "no filter", "filters of one domain", "filters of their own domains" };
static const char *const mode_names[] = { "by packet", "by flow", "by ACK field" };
static const char *const trouble_names[] = { "calm", "clogged", "dying", "clogged and dying" };

static const struct sim_object objects[] = {
    { .type = 'K', .id = 1, .bytes = 400000 },
    { .type = 'P', .id = 2, .bytes = 5000, .body_bytes = 20000 },
    { .type = 'U', .id = 3, .bytes = 60000 },
    { .type = 'D', .id = 4, .bytes = 3000 },
    { .type = 'K', .id = 5, .bytes = 1000, .think_us = 2000000 },
    { .type = 'K', .id = 6, .bytes = 100000 },
};

struct cell { unsigned replicas, layout, mode, trouble; };

/* Troubles come in the first seconds, where most of the transfer is; a clogged replica is slow by seconds for some seconds. */
static void add_troubles(struct sim_spray_config *c, const struct cell *cell, struct sim_random *r)
{
    for (unsigned i = 0; i < cell->replicas; i++) {
        struct sim_trouble *t = &c->troubles[c->n_troubles];
        bool clogs = cell->trouble == CLOGGED || (cell->trouble == BOTH && i % 2);
        if (cell->trouble == CALM || sim_random_chance(r, .3))
            continue;
        t->replica = (uint8_t)i;
        t->from_us = sim_random_below(r, 2000000);
        t->until_us = t->from_us + 200000 + sim_random_below(r, 8000000);
        t->clog_us = clogs ? 500000 + (uint32_t)sim_random_below(r, 4000000) : 0;
        c->n_troubles++;
    }
}

static void set_up(struct sim_scenario *s, const struct cell *c, uint64_t seed)
{
    struct sim_random r;

    sim_scenario_init(s, seed);
    sim_random_seed(&r, seed ^ 0x59a7);
    s->limit_s = LIMIT_S;
    s->clients[0].objects = objects;
    s->clients[0].n_objects = sizeof objects / sizeof *objects;
    s->down[0].rate_bytes_per_us = 1.5;
    s->down[0].queue_bytes = 30000;
    s->up[0].loss = s->down[0].loss = seed % 2 ? 0 : .005;
    s->server.replicas = (uint8_t)c->replicas;
    s->server.twin_every = 2;
    s->server.shared = c->layout == ONE_FILTER;
    s->server.domain_named = c->layout == ONE_DOMAIN;
    for (unsigned i = 0; i < c->replicas; i++) {
        s->server.domain[i] = c->layout == NO_FILTER ? 0 : c->layout == OWN_DOMAINS ? 100 + i : 100;
        s->server.skew_ms[i] = s->server.shared ? 0 : (int32_t)sim_random_below(&r, 4000) - 2000;
    }
    s->spray.mode = (enum sim_spray_mode)c->mode;
    s->spray.notice_us = (uint32_t)sim_random_below(&r, 2000000);
    add_troubles(&s->spray, c, &r);
}

static bool run(const struct cell *c, uint64_t seed, bool trace, double *seconds)
{
    static struct sim_scenario s;
    static struct sim_outcome o;

    set_up(&s, c, seed);
    s.trace = trace;
    bool ok = sim_world_run(&s, &o);
    *seconds = (double)o.end_us / 1e6 - 2;             /* without the thinking */
    if (!ok)
        printf("FAILED, replay with: sim_spray --cell %u %u %u %u --seed %" PRIu64 " --trace\n", c->replicas, c->layout, c->mode, c->trouble, seed);
    if (!ok || trace)
        sim_outcome_print(&s, &o);
    return ok;
}

/* All seeds of a cell; sums up into *total and *worst, in seconds. */
static unsigned run_cell(const struct cell *c, unsigned seeds, double *total, double *worst)
{
    unsigned failed = 0;
    double seconds;

    for (uint64_t seed = 1; seed <= seeds; seed++) {
        failed += !run(c, seed, false, &seconds);
        *total += seconds / seeds;
        *worst = seconds > *worst ? seconds : *worst;
    }
    return failed;
}

static unsigned run_all(unsigned seeds)
{
    static const unsigned replicas[] = { 2, 4, 8, 16 };
    double alone = 0, ignored = 0;
    unsigned failed = run_cell(&(struct cell){ .replicas = 1 }, seeds, &alone, &ignored);

    printf("one replica: %.2f s; below: mean and greatest multiple of that, over 2, 4, 8 and 16 replicas, %u seeds each\n", alone, seeds);
    for (unsigned layout = 0; layout < LAYOUTS; layout++)
        for (unsigned mode = 0; mode < SIM_SPRAY_MODES; mode++)
            for (unsigned trouble = 0; trouble < TROUBLES; trouble++) {
                double mean = 0, worst = 0;
                for (unsigned i = 0; i < 4; i++) {
                    double total = 0;
                    failed += run_cell(&(struct cell){ replicas[i], layout, mode, trouble }, seeds, &total, &worst);
                    mean += total / 4;
                }
                printf("%-28s  %-12s  %-17s  %6.1f  %6.1f\n", layout_names[layout], mode_names[mode], trouble_names[trouble], mean / alone, worst / alone);
                fflush(stdout);
            }
    printf("%u transfers failed\n", failed);
    return failed;
}

int main(int argc, char **argv)
{
    double seconds;

    if (argc >= 8 && strcmp(argv[1], "--cell") == 0 && strcmp(argv[6], "--seed") == 0) {
        struct cell c = { (unsigned)atoi(argv[2]), (unsigned)atoi(argv[3]), (unsigned)atoi(argv[4]), (unsigned)atoi(argv[5]) };
        if (c.replicas >= 1 && c.replicas <= SIM_REPLICAS_MAX && c.layout < LAYOUTS && c.mode < SIM_SPRAY_MODES && c.trouble < TROUBLES)
            return !run(&c, strtoull(argv[7], NULL, 10), argc == 9, &seconds);
    }
    if (argc == 1 || (argc == 3 && strcmp(argv[1], "--seeds") == 0 && atoi(argv[2]) > 0))
        return run_all(argc == 3 ? (unsigned)atoi(argv[2]) : 5) != 0;
    fprintf(stderr, "usage: sim_spray [--seeds N] | --cell REPLICAS LAYOUT MODE TROUBLE --seed N [--trace]\n");
    return 2;
}
