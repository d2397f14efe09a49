/* world_state.h - a world while it runs: for the files that make one up, world.c (events) and world_end.c (judgement). */
#ifndef SIM_WORLD_STATE_H
#define SIM_WORLD_STATE_H

#include "forge.h"
#include "world.h"

struct world {
    const struct sim_scenario *scenario;
    struct sim_outcome *out;
    struct sim_random random;
    struct sim_events events;
    struct sim_server server;
    struct sim_spray spray;
    struct sim_program clients[SIM_CLIENTS_MAX];
    struct sim_rival rivals[SIM_RIVALS_MAX];
    uint64_t rival_wake_us[SIM_RIVALS_MAX];            /* the earliest wake-up that is scheduled */
    struct sim_path up[SIM_FLOWS_MAX], down[SIM_FLOWS_MAX];
    struct sim_forger forger;
    uint64_t now_us;
    unsigned unfinished;
    bool     counting;
    uint64_t told[SIM_FLOWS_MAX];      /* bytes read, as the observer knows */
    uint16_t current;                  /* the flow whose packets are being handled */
};

/* The first rule that breaks is the run's. */
void world_fail(struct world *w, const char *rule, const char *detail);
/* Copies broken rules of the server and the programs. True if any rule was broken. */
bool world_violated(struct world *w);
/* Begins to count what is read; ends it. */
void world_count(struct world *w, bool begin);
/* At the end: figures, and the rules that only hold over a whole run. */
void world_judge(struct world *w);

#endif
