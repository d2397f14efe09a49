/* workload.h - single features in a world of their own: what workloads are made of, and the workloads. */
#ifndef SIM_WORKLOAD_H
#define SIM_WORKLOAD_H

#include "world.h"

extern struct sim_scenario workload;   /* the world being prepared */
extern struct sim_outcome result;      /* of the last one that ran */
extern bool workload_trace;

/* A new world without objects or faults. */
void workload_begin(void);
/* One more object for its client. */
void workload_add(char type, uint64_t bytes, uint32_t body_bytes, uint32_t think_us);
/* Runs it. On a clean path it also requires that no timer fired. True if everything held. */
bool workload_run(void);
/* Says what does not hold. Returns held. */
bool workload_require(bool held, const char *what);

/* workload_features.c and workload_troubles.c: true if all held. */
bool workload_sizes(void);
bool workload_syn_data(void);
bool workload_keep_alive(void);
bool workload_keep_alive_two(void);
bool workload_reordering(void);
bool workload_workers(void);
bool workload_keep_alive_lossy(void);
bool workload_keep_alive_mixed(void);
bool workload_pipelining(void);
bool workload_speaks_first(void);
bool workload_half_close(void);
bool workload_nothing_but_the_end(void);
bool workload_many_holes(void);
bool workload_black_hole(void);
bool workload_narrow_for_a_while(void);
bool workload_idle(void);
bool workload_busy_host(void);
bool workload_slow_reader(void);
bool workload_blackout(void);
bool workload_refused_post(void);
bool workload_uploads(void);
bool workload_placed_uploads(void);
bool workload_resume_after_cut(void);
bool workload_unknown_length(void);
bool workload_key_rotation(void);
bool workload_dated(void);
bool workload_late_ends(void);
bool workload_many_requests(void);
bool workload_long_reports(void);
bool workload_reset(void);
bool workload_far(void);
bool workload_tick_wrap(void);
bool workload_half_tick_wrap(void);
bool workload_replicas(void);
bool workload_small_slots(void);

#endif
