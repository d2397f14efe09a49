/* sim_greedy - what a client gains by cheating: each of many greedy clients beside an honest one at a bottleneck, and an
 * honest one in its place: the same client, without the lie. Prints for each the ratio of what the two get, over all seeds,
 * and the standard error of it. What counts is answers; "verdicts" are the bytes of those, relative to an honest one's answers: they bring
 * nothing, but take their place at the bottleneck, as whatever somebody sends there would.
 *
 *     sim_greedy [--seeds N] [--seconds S] [--rate MB/S] [--only WORD] [--verbose]
 *
 * Fails if a ratio is above 1.05 by more than chance explains: 2 to 4 standard errors, for many seeds or few. Lines with
 * "(cost)" show the price of what an operator or a client may choose, and are held to nothing. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "greedy.h"

#define MOST 1.05

struct row {
    const char *name;
    bool     ghost;
    int      how;                      /* enum puppet_trick or ghost_story */
    unsigned hosts;
    bool     domains;                  /* each host has its own */
    uint32_t wipe_ms;
    double   from_s, other_from_s;     /* 0: by chance within the first second */
    double   counts_from_s;            /* 0: 5 */
    double   counts_s;                 /* at most; 0: --seconds */
    bool     two_in_place;             /* it counts as two connections: two honest ones in its place */
    int      in_place;                 /* the honest one's trick or story; 0 is honest */
    bool     by_engine;                /* in the place of a ghost: the engine */
    bool     cost;
};

static const struct row rows[] = {
    { .name = "honest", .how = PUPPET_HONEST },
    { .name = "one number per request (cost)", .ghost = true, .how = GHOST_HONEST, .by_engine = true, .cost = true },
    { .name = "claims all earlier numbers lost", .ghost = true, .how = GHOST_ALL_LOST },
    { .name = "claims losses at random", .ghost = true, .how = GHOST_RANDOM },
    { .name = "claims a spent number lost", .ghost = true, .how = GHOST_SPENT_LOST },
    { .name = "two stories for two halves", .ghost = true, .how = GHOST_TWO_STORIES },
    { .name = "claims that what was lost arrived", .ghost = true, .how = GHOST_INVENTS },
    { .name = "repairs gaps by invented losses", .ghost = true, .how = GHOST_REPAIRS },
    { .name = "every request twice", .how = PUPPET_TWICE },
    { .name = "restarts r = 1..3 from every number", .ghost = true, .how = GHOST_RESTARTS },
    { .name = "hides loss by resume", .how = PUPPET_HIDES_BY_RESUME },
    { .name = "hides loss by timeout", .how = PUPPET_HIDES_BY_TIMEOUT },
    { .name = "hides loss by another domain", .how = PUPPET_HIDES_BY_DOMAIN, .hosts = 2, .domains = true },
    { .name = "hides loss by cut answers", .how = PUPPET_CUTS },
    { .name = "hides loss by cut answers, another domain", .how = PUPPET_CUTS_BY_DOMAIN, .hosts = 2, .domains = true },
    { .name = "newcomer grows without data", .how = PUPPET_PUMPS, .from_s = 6, .counts_from_s = 6 },
    { .name = "grows without data, again and again", .how = PUPPET_PUMPS_ALWAYS },
    { .name = "old windows", .how = PUPPET_OLD_WINDOWS },
    { .name = "old windows, from when it was alone", .how = PUPPET_OLD_WINDOWS, .other_from_s = 8, .counts_from_s = 10 },
    { .name = "old windows, refreshed", .how = PUPPET_OLD_WINDOWS, .other_from_s = 8, .counts_from_s = 66 },
    { .name = "old windows, in another domain", .how = PUPPET_OLD_WINDOWS_BY_DOMAIN, .hosts = 2, .domains = true, .other_from_s = 8, .counts_from_s = 10 },
    { .name = "waits for an emptied filter", .how = PUPPET_REPLAYS, .wipe_ms = 3000 },
    { .name = "many openings of one generation", .ghost = true, .how = GHOST_REFRESHES, .counts_from_s = GHOST_WAKES_S, .counts_s = 10, .in_place = GHOST_SLEEPS },
    { .name = "one restart in two domains", .ghost = true, .how = GHOST_FORKS, .hosts = 2, .domains = true, .two_in_place = true },
    { .name = "seals at 2 hosts of one domain (cost)", .ghost = true, .how = GHOST_HOSTS, .hosts = 2, .cost = true },
    { .name = "seals at 4 hosts of one domain (cost)", .ghost = true, .how = GHOST_HOSTS, .hosts = 4, .cost = true },
    { .name = "seals at 8 hosts of one domain (cost)", .ghost = true, .how = GHOST_HOSTS, .hosts = 8, .cost = true },
};

struct got { double self, other, verdicts; uint64_t tricks; };

static bool verbose;
static double rate = 3;                /* MB/s, bytes per us; the queue holds as much as the path */

static void join(struct arena *a, unsigned i, bool as_ghost, int how, uint64_t start_us)
{
    static struct puppet puppets[ARENA_PLAYERS_MAX];
    static struct ghost ghosts[ARENA_PLAYERS_MAX];

    if (as_ghost) {
        ghost_init(&ghosts[i], (enum ghost_story)how);
        arena_join(a, &ghost_hooks, &ghosts[i], start_us);
    } else {
        puppet_init(&puppets[i], (enum puppet_trick)how);
        arena_join(a, &puppet_hooks, &puppets[i], start_us);
    }
}

static uint64_t tricks_of(const struct player *p)
{
    const struct ghost *g = p->own;

    if (p->hooks == &ghost_hooks)
        return g->story == GHOST_REPAIRS ? g->repairs : g->requests;
    return ((const struct puppet *)p->own)->tricks;
}

/* One run: the greedy client or the honest one in its place, beside an honest one. */
static struct got run(const struct row *r, uint64_t seed, double seconds, bool greedy)
{
    static struct arena a;
    double from = r->counts_from_s > 0 ? r->counts_from_s : 5, lasts = r->counts_s > 0 && r->counts_s < seconds ? r->counts_s : seconds;
    struct arena_config c = {
        .seed = seed, .rate_bytes_per_us = rate, .queue_bytes = (uint32_t)(rate * 20000), .delay_us = 10000, .n_hosts = r->hosts ? r->hosts : 1, .wipe_ms = r->wipe_ms,
        .from_us = (uint64_t)(from * 1e6), .until_us = (uint64_t)((from + lasts) * 1e6),
    };
    for (unsigned i = 0; i < c.n_hosts; i++)
        c.domain[i] = r->domains ? 100 + i : 100;
    arena_init(&a, &c);
    uint64_t start[3];
    for (int i = 0; i < 3; i++)
        start[i] = sim_random_below(&a.random, 1000000);
    if (r->from_s > 0)
        start[0] = (uint64_t)(r->from_s * 1e6);
    if (r->other_from_s > 0)
        start[1] = (uint64_t)(r->other_from_s * 1e6);
    bool as_ghost = r->ghost && (greedy || !r->by_engine), second = r->two_in_place && !greedy;
    join(&a, 0, as_ghost, greedy ? r->how : r->in_place, start[0]);
    join(&a, 1, false, PUPPET_HONEST, start[1]);
    if (second)
        join(&a, 2, as_ghost, r->in_place, start[2]);
    arena_run(&a);
    for (int v = 0; verbose && v < TRK_V_COUNT; v++)
        if (a.verdicts[v])
            printf("    seed %d, %s: %s %llu\n", (int)seed, greedy ? "greedy" : "honest", trk_verdict_name((enum trk_verdict)v), (unsigned long long)a.verdicts[v]);
    return (struct got){ .self = (double)a.players[0].bytes + (second ? (double)a.players[2].bytes : 0), .other = (double)a.players[1].bytes,
                         .verdicts = (double)a.players[0].verdict_bytes, .tricks = tricks_of(&a.players[0]) };
}

static bool measure(const struct row *r, unsigned seeds, double seconds)
{
    double greedy = 0, honest = 0, left = 0, had = 0, verdicts = 0, sum = 0, squares = 0;
    uint64_t tricks = 0;

    for (uint64_t seed = 1; seed <= seeds; seed++) {
        struct got g = run(r, seed, seconds, true), h = run(r, seed, seconds, false);
        if (verbose) printf("    seed %d: self %.0f %.0f other %.0f %.0f\n", (int)seed, g.self, h.self, g.other, h.other);
        double log_ratio = log((g.self + 1) / (h.self + 1));
        greedy += g.self;
        honest += h.self;
        left += g.other;
        had += h.other;
        verdicts += g.verdicts;
        sum += log_ratio;
        squares += log_ratio * log_ratio;
        tricks += g.tricks;
    }
    double ratio = greedy / honest, variance = squares / seeds - sum * sum / seeds / seeds;
    double error = seeds > 1 && variance > 0 ? ratio * sqrt(variance / (seeds - 1)) : 0;
    bool bad = !r->cost && ratio - (2 + 6.0 / (seeds > 1 ? seeds - 1 : 1)) * error > MOST;
    printf("%-44s %5.2f +- %.2f   the other one keeps %4.2f   (%llu %s; verdicts %.2f)%s\n", r->name, ratio, error, left / had, (unsigned long long)(tricks / seeds),
           r->ghost && r->how != GHOST_REPAIRS ? "requests" : "tricks", verdicts / honest, bad ? "  TOO MUCH" : "");
    fflush(stdout);
    return !bad;
}

static int usage(void)
{
    fprintf(stderr, "usage: sim_greedy [--seeds N] [--seconds S] [--rate MB/S] [--only WORD] [--verbose]\n");
    return 2;
}

int main(int argc, char **argv)
{
    unsigned seeds = 16, measured = 0;
    double seconds = 30;
    const char *only = "";
    bool good = true;

    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--verbose"))
            verbose = true;
        else if (!strcmp(argv[i], "--seeds") && i + 1 < argc)
            seeds = (unsigned)atoi(argv[++i]);
        else if (!strcmp(argv[i], "--seconds") && i + 1 < argc)
            seconds = atof(argv[++i]);
        else if (!strcmp(argv[i], "--rate") && i + 1 < argc)
            rate = atof(argv[++i]);
        else if (!strcmp(argv[i], "--only") && i + 1 < argc)
            only = argv[++i];
        else
            return usage();
    }
    if (seeds < 2 || !(seconds > 0) || !(rate > 0))
        return usage();
    printf("%u seeds, %.0f s each, %g MB/s, 20 ms, a queue of %.0f packets: what it gets, relative to an honest one in its place\n", seeds, seconds, rate, rate * 20000 / ARENA_MTU);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (!strstr(rows[i].name, only))
            continue;
        measured++;
        good &= measure(&rows[i], seeds, seconds);
    }
    if (!measured)
        fprintf(stderr, "sim_greedy: no greedy client has \"%s\" in its name\n", only);
    return !good || !measured;
}
