#include "workload.h"

#include <stdio.h>

static struct sim_object objects[SIM_OBJECTS_MAX];
struct sim_scenario workload;
struct sim_outcome result;
bool workload_trace;

void workload_begin(void)
{
    sim_scenario_init(&workload, 1);
    workload.clients[0].objects = objects;
    workload.trace = workload_trace;
}

void workload_add(char type, uint64_t bytes, uint32_t body_bytes, uint32_t think_us)
{
    unsigned n = workload.clients[0].n_objects++;
    objects[n] = (struct sim_object){ .type = type, .id = 100 + n, .bytes = bytes, .body_bytes = body_bytes, .think_us = think_us };
}

bool workload_require(bool held, const char *what)
{
    if (!held)
        printf("  not so: %s\n", what);
    return held;
}

static bool clean(const struct sim_path_config *p) { return p->loss <= 0 && p->storm_loss <= 0 && p->reorder <= 0 && p->n_blackouts == 0 && p->rate_bytes_per_us <= 0; }

bool workload_run(void)
{
    bool ok = sim_world_run(&workload, &result);
    if (clean(&workload.up[0]) && clean(&workload.down[0]))
        ok &= workload_require(result.stats[0].timeouts == 0 && result.stats[0].numbers_lost == 0,
                               "where nothing is lost, no timer fires and nothing is taken for lost");
    if (!ok || workload_trace)
        sim_outcome_print(&workload, &result);
    return ok;
}
