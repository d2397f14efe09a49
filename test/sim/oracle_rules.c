/* oracle_rules - the model of the rules beside the server, decision by decision, over the swarm's random worlds and over
 * clients that lie: the same verdict, the same generation, the same numbers of the same pieces and the same terminals for
 * every proven request. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compare_rules.h"
#include "greedy.h"
#include "scenario.h"

static struct comparison comparison;
static const struct sim_witness witness = { comparison_see, &comparison };

static bool held(const char *what, uint64_t seed, uint64_t before)
{
    if (comparison.different == before)
        return true;
    printf("%s seed %" PRIu64 ": %" PRIu64 " decisions differ; %s\n", what, seed, comparison.different - before, comparison.first);
    return false;
}

static bool run_seed(enum sim_mix mix, uint64_t seed)
{
    static struct sim_scenario s;
    static struct sim_outcome o;
    uint64_t before = comparison.different;

    sim_scenario_random(&s, mix, seed);
    s.server.witness = &witness;
    comparison_begin(&comparison, s.server.crowd || s.server.jump_ms);
    sim_world_run(&s, &o);             /* whether the world was in order is sim_swarm's question */
    return held(sim_mix_name(mix), seed, before);
}

static int run_mix(enum sim_mix mix, uint64_t from, uint64_t count)
{
    unsigned failed = 0;

    for (uint64_t seed = from; seed < from + count && failed < 10; seed++)
        failed += !run_seed(mix, seed);
    comparison_begin(&comparison, false);
    comparison_print(&comparison, sim_mix_name(mix));
    return failed || comparison.compared == 0;
}

/* ---- clients that lie (greedy.h), each beside an honest one ---- */

static bool run_greedy(bool ghost, int how, unsigned hosts, bool domains, uint64_t seed)
{
    static struct arena a;
    static struct puppet puppets[2];
    static struct ghost liar;
    struct arena_config c = { .seed = seed, .rate_bytes_per_us = 3, .queue_bytes = 60000, .delay_us = 10000, .n_hosts = hosts,
                              .wipe_ms = (seed + hosts) % 2 ? 3000 : 0, .until_us = 12000000, .witness = &witness };
    uint64_t before = comparison.different;
    char name[64];

    if (ghost && (how == GHOST_SLEEPS || how == GHOST_REFRESHES))
        c.until_us = (GHOST_WAKES_S + 10) * 1000000ull;
    for (unsigned i = 0; i < hosts; i++)
        c.domain[i] = domains ? 100 + i : 100;
    comparison_begin(&comparison, false);
    arena_init(&a, &c);
    if (ghost) {
        ghost_init(&liar, (enum ghost_story)how);
        arena_join(&a, &ghost_hooks, &liar, 0);
    } else {
        puppet_init(&puppets[0], (enum puppet_trick)how);
        arena_join(&a, &puppet_hooks, &puppets[0], 0);
    }
    puppet_init(&puppets[1], PUPPET_HONEST);
    arena_join(&a, &puppet_hooks, &puppets[1], 300000);
    arena_run(&a);
    snprintf(name, sizeof name, "%s %d, %u hosts%s", ghost ? "ghost" : "puppet", how, hosts, domains ? " of their own domains" : "");
    return held(name, seed, before);
}

static int run_liars(uint64_t from, uint64_t count)
{
    unsigned failed = 0;

    for (uint64_t seed = from; seed < from + count && failed < 10; seed++)
        for (unsigned hosts = 1; hosts <= 2; hosts++) {
            for (int how = PUPPET_HONEST; how <= PUPPET_REPLAYS; how++)
                if (hosts > 1 || (how != PUPPET_HIDES_BY_DOMAIN && how != PUPPET_CUTS_BY_DOMAIN))
                    failed += !run_greedy(false, how, hosts, hosts > 1, seed);
            for (int how = GHOST_HONEST; how <= GHOST_REPAIRS; how++)
                if (hosts > 1 || (how != GHOST_FORKS && how != GHOST_HOSTS))
                    failed += !run_greedy(true, how, hosts, hosts > 1 && seed & 1, seed);
        }
    comparison_begin(&comparison, false);
    comparison_print(&comparison, "greedy");
    return failed || comparison.compared == 0;
}

int main(int argc, char **argv)
{
    const char *seeds = getenv("TRICKLES_SIM_SEEDS");

    if (argc == 4) {
        uint64_t from = strtoull(argv[2], NULL, 10), count = strtoull(argv[3], NULL, 10), most = seeds ? strtoull(seeds, NULL, 10) : count;
        if (strcmp(argv[1], "greedy") == 0)
            return run_liars(from, count);
        for (enum sim_mix mix = 0; mix < SIM_MIXES; mix++)
            if (strcmp(argv[1], sim_mix_name(mix)) == 0)
                return run_mix(mix, from, most < count ? most : count);
    }
    fprintf(stderr, "usage: oracle_rules plain|harsh|big|attack|greedy FROM COUNT\n");
    return 2;
}
