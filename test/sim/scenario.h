/* scenario.h - random scenarios: one seed makes a workload, paths, faults and a server. */
#ifndef SIM_SCENARIO_H
#define SIM_SCENARIO_H

#include "world.h"

enum sim_mix {
    SIM_MIX_PLAIN,                     /* faults of every kind in moderate strength; byte-exact and honest rules hold */
    SIM_MIX_HARSH,                     /* up to 30 % loss both ways, extreme reordering, replays, blackouts */
    SIM_MIX_BIG,                       /* large windows on fast, long paths: many losses in one window */
    SIM_MIX_ATTACK,                    /* corrupted packets reach the parsers, forged ones come along */
    SIM_MIXES
};

/* Objects live in static memory until the next call. */
void sim_scenario_random(struct sim_scenario *s, enum sim_mix mix, uint64_t seed);
const char *sim_mix_name(enum sim_mix mix);

#endif
