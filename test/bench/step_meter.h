/* step_meter.h - what a piece of code costs: nanoseconds, and instructions where the kernel counts them for us. */
#ifndef BENCH_STEP_METER_H
#define BENCH_STEP_METER_H

#include <stdbool.h>
#include <stdint.h>

double meter_ns(void);

/* Instructions of this thread in user mode since the first call; 0 where there is no counter (most virtual machines):
 * test/bench/step.sh has valgrind count them then. */
uint64_t meter_instructions(void);

struct meter_best { double ns; uint64_t instructions; };     /* of the fastest round, per step; ns 0: none yet */
void meter_note(struct meter_best *best, double ns, uint64_t instructions, unsigned steps);

struct step_options { unsigned rounds; int shape; bool count, list; };      /* shape -1: all */
/* [--rounds N] [--shape I] [--count] [--list]. False: it has said why. */
bool step_options_parse(int argc, char **argv, struct step_options *out);

#endif
