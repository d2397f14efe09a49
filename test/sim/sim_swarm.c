/* sim_swarm - many worlds, one seed each, every kind of fault mixed. A failing one prints the command that replays it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario.h"

struct options { enum sim_mix mix; uint64_t from, count; bool trace; const char *list; };

static int usage(void)
{
    fprintf(stderr, "usage: sim_swarm [--mix plain|harsh|big|attack] [--from N] [--count N] | --seed N [--trace] | --list FILE\n");
    return 2;
}

static bool mix_of(const char *name, enum sim_mix *mix)
{
    for (*mix = 0; *mix < SIM_MIXES; ++*mix)
        if (strcmp(name, sim_mix_name(*mix)) == 0)
            return true;
    return false;
}

static bool parse(int argc, char **argv, struct options *o)
{
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(argv[i], "--trace") == 0) {
            o->trace = true;
            continue;
        }
        if (!value)
            return false;
        i++;
        if (strcmp(argv[i - 1], "--mix") == 0 && mix_of(value, &o->mix))
            continue;
        else if (strcmp(argv[i - 1], "--from") == 0)
            o->from = strtoull(value, NULL, 10);
        else if (strcmp(argv[i - 1], "--count") == 0)
            o->count = strtoull(value, NULL, 10);
        else if (strcmp(argv[i - 1], "--seed") == 0)
            o->from = strtoull(value, NULL, 10), o->count = 1;
        else if (strcmp(argv[i - 1], "--list") == 0)
            o->list = value;
        else
            return false;
    }
    return true;
}

/* TRICKLES_SIM_SEEDS bounds a range of seeds: instruments that make each step slow get a shorter world. */
static void bound_count(struct options *o)
{
    const char *most = getenv("TRICKLES_SIM_SEEDS");

    if (most && strtoull(most, NULL, 10) > 0 && strtoull(most, NULL, 10) < o->count)
        o->count = strtoull(most, NULL, 10);
}

static struct sim_outcome outcome;

/* A seed that passed says nothing unless asked to. */
static bool run_seed(const struct options *o, enum sim_mix mix, uint64_t seed)
{
    struct sim_scenario s;

    sim_scenario_random(&s, mix, seed);
    s.trace = o->trace;
    bool ok = sim_world_run(&s, &outcome);
    if (!ok)
        printf("FAILED, replay with: sim_swarm --mix %s --seed %" PRIu64 " --trace\n", sim_mix_name(mix), seed);
    if (!ok || o->trace)
        sim_outcome_print(&s, &outcome);
    return ok;
}

/* Lines "MIX SEED comment": worlds that failed once. */
static int run_list(const struct options *o)
{
    FILE *f = fopen(o->list, "r");
    char line[512], mix_name[16];
    unsigned ran = 0, failed = 0;

    if (!f) {
        fprintf(stderr, "sim_swarm: cannot read %s\n", o->list);
        return 2;
    }
    while (fgets(line, sizeof line, f)) {
        enum sim_mix mix;
        uint64_t seed;
        if (line[0] == '#' || line[0] == '\n')
            continue;
        if (sscanf(line, "%15s %" SCNu64, mix_name, &seed) != 2 || !mix_of(mix_name, &mix)) {
            fprintf(stderr, "sim_swarm: %s: not \"MIX SEED comment\": %s", o->list, line);
            fclose(f);
            return 2;
        }
        ran++;
        failed += !run_seed(o, mix, seed);
    }
    fclose(f);
    printf("%u of %u seeds of %s failed\n", failed, ran, o->list);
    return failed || ran == 0;
}

static int run_range(const struct options *o)
{
    uint64_t failed = 0, bytes = 0, packets = 0;
    double seconds = 0;

    for (uint64_t seed = o->from; seed < o->from + o->count; seed++) {
        failed += !run_seed(o, o->mix, seed);
        packets += outcome.up_pkts + outcome.down_pkts;
        seconds += (double)outcome.end_us / 1e6;
        for (unsigned i = 0; i < SIM_CLIENTS_MAX; i++)
            bytes += outcome.bytes_read[i];
        if (failed >= 20) {
            printf("too many failures, stopping at seed %" PRIu64 "\n", seed);
            break;
        }
    }
    printf("%" PRIu64 " of %" PRIu64 " %s seeds from %" PRIu64 " failed; %" PRIu64 " packets, %.1f MB verified, %.0f s of virtual time\n",
           failed, o->count, sim_mix_name(o->mix), o->from, packets, (double)bytes / 1e6, seconds);
    return failed != 0;
}

int main(int argc, char **argv)
{
    struct options o = { .from = 1, .count = 100 };

    if (!parse(argc, argv, &o))
        return usage();
    bound_count(&o);
    return o.list ? run_list(&o) : run_range(&o);
}
