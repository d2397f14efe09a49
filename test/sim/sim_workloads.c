/* sim_workloads - each feature alone, each with what it must cost. `sim_workloads NAME [--trace]` runs one. */
#include <stdio.h>
#include <string.h>

#include "workload.h"

static const struct { const char *name; bool (*test)(void); } tests[] = {
    { "sizes", workload_sizes }, { "syn-data", workload_syn_data }, { "keep-alive", workload_keep_alive }, { "keep-alive-two", workload_keep_alive_two },
    { "reordering", workload_reordering }, { "workers", workload_workers }, { "keep-alive-lossy", workload_keep_alive_lossy },
    { "keep-alive-mixed", workload_keep_alive_mixed }, { "pipelining", workload_pipelining }, { "speaks-first", workload_speaks_first }, { "half-close", workload_half_close },
    { "nothing-but-the-end", workload_nothing_but_the_end }, { "many-holes", workload_many_holes }, { "black-hole", workload_black_hole }, { "narrow-for-a-while", workload_narrow_for_a_while }, { "idle", workload_idle }, { "busy-host", workload_busy_host }, { "slow-reader", workload_slow_reader }, { "blackout", workload_blackout },
    { "refused-post", workload_refused_post }, { "uploads", workload_uploads }, { "placed-uploads", workload_placed_uploads }, { "resume-after-cut", workload_resume_after_cut }, { "unknown-length", workload_unknown_length },
    { "key-rotation", workload_key_rotation }, { "tick-wrap", workload_tick_wrap }, { "half-tick-wrap", workload_half_tick_wrap }, { "dated", workload_dated }, { "late-ends", workload_late_ends }, { "many-requests", workload_many_requests },
    { "long-reports", workload_long_reports }, { "reset", workload_reset }, { "replicas", workload_replicas }, { "small-slots", workload_small_slots },
    { "far", workload_far },                    /* only when it is named */
};

int main(int argc, char **argv)
{
    unsigned ran = 0, failed = 0;

    workload_trace = argc == 3 && strcmp(argv[2], "--trace") == 0;
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        if (argc > 1 ? strcmp(argv[1], tests[i].name) != 0 : tests[i].test == workload_far)
            continue;
        bool ok = tests[i].test();
        printf("%-20s %s\n", tests[i].name, ok ? "ok" : "FAILED, replay with: sim_workloads NAME --trace");
        ran++;
        failed += !ok;
    }
    if (ran == 0)
        fprintf(stderr, "usage: sim_workloads [NAME [--trace]]\n");
    return ran == 0 ? 2 : failed != 0;
}
