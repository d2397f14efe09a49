/* sim_masks - every pattern of losses of the first 12 packets of a connection, each way, must be survived in time. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

#define BITS 12
#define MASKS (1u << BITS)

static const struct sim_object objects[] = { { .type = 'K', .id = 1, .bytes = 57000 }, { .type = 'K', .id = 2, .bytes = 900 } };

/* Every loss may cost one expiry of a timer, and timers double from 200 ms; with a filter restarts leave several times, and
 * no 12 losses cost more than a few expiries. */
static double bound_s(unsigned losses, bool filter)
{
    double s = 1.5 + .2 * (double)(1u << (losses < 12 ? losses : 12));
    return filter && s > 6 ? 6 : s;
}

struct tally { uint32_t domain; double worst_s, sum_s; unsigned runs, failed; };    /* domain 0: a server without filter */

/* from: 0 to lose SYNs as well (they alone may be lost for seconds each), 1 to begin behind them. */
static void run(struct tally *t, uint32_t up, uint32_t down, unsigned from, bool trace)
{
    static struct sim_scenario s;
    static struct sim_outcome o;
    unsigned losses = (unsigned)(__builtin_popcount(up) + __builtin_popcount(down));
    double limit_s = bound_s(losses, t->domain != 0) + (from == 0 ? 64 : 0);

    sim_scenario_init(&s, 1);
    s.clients[0].objects = objects;
    s.clients[0].n_objects = sizeof objects / sizeof *objects;
    s.up[0].drop_mask = up;
    s.down[0].drop_mask = down;
    s.up[0].mask_bits = s.down[0].mask_bits = BITS;
    s.up[0].mask_from = s.down[0].mask_from = (uint8_t)from;
    s.server.twin_every = 8;
    s.server.domain[0] = t->domain;
    s.limit_s = (uint32_t)limit_s + 1;
    s.trace = trace;
    bool ok = sim_world_run(&s, &o);
    double seconds = (double)o.end_us / 1e6;
    t->runs++;
    t->sum_s += seconds;
    if (seconds > t->worst_s)
        t->worst_s = seconds;
    if (ok && !trace)
        return;
    t->failed += !ok;
    if (t->failed <= 5) {
        printf("%s, replay with: sim_masks --one %u %u %u %u\n", ok ? "ok" : "FAILED", up, down, from, t->domain);
        sim_outcome_print(&s, &o);
    }
}

static unsigned report(const char *what, const struct tally *t)
{
    printf("%s, %s filter: %u runs, %u failed, mean %.3f s, worst %.3f s\n", what, t->domain ? "with a" : "no", t->runs, t->failed,
           t->sum_s / t->runs, t->worst_s);
    return t->failed;
}

/* A client gives up after seven SYNs without an answer, as Linux does; so no more than five are taken from it. */
static bool survivable(uint32_t mask) { return (mask & 0x3f) != 0x3f; }

static unsigned one_way(bool up, uint32_t domain, uint32_t every)
{
    struct tally t = { .domain = domain }, syn = t;

    for (uint32_t mask = 0; mask < MASKS; mask += every) {
        run(&t, up ? mask : 0, up ? 0 : mask, 1, false);
        if (mask & 1 && survivable(mask))
            run(&syn, up ? mask : 0, up ? 0 : mask, 0, false);
    }
    return report(up ? "requests" : "answers", &t) + report(up ? "requests with the SYN" : "answers with the SYN|ACK", &syn);
}

static unsigned both_ways(uint32_t domain, uint32_t every)
{
    struct tally t = { .domain = domain };
    struct sim_random r;

    sim_random_seed(&r, 12);
    for (uint32_t mask = 0; mask < MASKS; mask += every)      /* every pattern up beside a random one down, half of them thin */
        run(&t, mask, (uint32_t)(sim_random_u64(&r) & (mask & 1 ? MASKS - 1 : sim_random_u64(&r) & (MASKS - 1))), 1, false);
    return report("both ways", &t);
}

int main(int argc, char **argv)
{
    if (argc == 6 && strcmp(argv[1], "--one") == 0) {
        struct tally t = { .domain = (uint32_t)strtoul(argv[5], NULL, 10) };
        run(&t, (uint32_t)strtoul(argv[2], NULL, 10), (uint32_t)strtoul(argv[3], NULL, 10), (unsigned)strtoul(argv[4], NULL, 10), true);
        return t.failed != 0;
    }
    const char *direction = argc == 2 || argc == 3 ? argv[1] : "";
    uint32_t every = argc == 3 ? (uint32_t)strtoul(argv[2], NULL, 10) : 1;    /* only every so many-th pattern */
    if (every > 0 && strcmp(direction, "requests") == 0)
        return one_way(true, 0, every) + one_way(true, 1, every) != 0;
    if (every > 0 && strcmp(direction, "answers") == 0)
        return one_way(false, 0, every) + one_way(false, 1, every) != 0;
    if (every > 0 && strcmp(direction, "both") == 0)
        return both_ways(0, every) + both_ways(1, every) != 0;
    fprintf(stderr, "usage: sim_masks requests|answers|both [EVERY] | --one UP DOWN FROM DOMAIN\n");
    return 2;
}
