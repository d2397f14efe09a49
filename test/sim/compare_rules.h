/* compare_rules.h - a witness that judges every request by the model, too, and compares. */
#ifndef SIM_COMPARE_RULES_H
#define SIM_COMPARE_RULES_H

#include "model_rules.h"
#include "server.h"

#define COMPARED_FILTERS_MAX 8

struct known_filter { const struct trk_filter *filter; uint32_t domain; struct model_filter *model; };

struct comparison {
    bool     forgets;                  /* the servers' filters may have to forget, which the model never does: not compared */
    struct known_filter filters[COMPARED_FILTERS_MAX];
    uint64_t compared, numbers, verdicts[TRK_V_COUNT], forgetful, foreign, vague, different;
    char     first[400];               /* the first difference since begin, in words */
};

/* A new world: all filters are empty. The counts go on. */
void comparison_begin(struct comparison *c, bool forgets);
/* For struct sim_witness; arg is the comparison. */
void comparison_see(void *arg, const struct sim_witnessed *w);
/* Prints the counts. */
void comparison_print(const struct comparison *c, const char *name);

#endif
