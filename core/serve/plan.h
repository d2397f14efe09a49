/* plan.h - the parts of trk_plan. Private to core/serve. */
#ifndef TRK_SERVE_PLAN_H
#define TRK_SERVE_PLAN_H

#include "serve/serve.h"

/* The asks that a grant's slices draw from: the part's without the terminal's; for a SYN its one. */
const struct trk_ask *trk_plan_asks(const struct trk_spend *spend, const struct trk_plan_grant *grant, size_t *n);

/* plan_wants.c: appends what a grant's terminal and slices need. False if there are more than TRK_WANTS_MAX. */
bool trk_plan_wants(const struct trk_spend *spend, const struct trk_plan_grant *grant, struct trk_plan *plan);

/* plan_open.c: the one packet that answers a SYN. */
enum trk_verdict trk_plan_open(const struct trk_spend *spend, const struct trk_serve_config *config, struct trk_plan *plan);

static inline size_t trk_step_numbers(const struct trk_step *s) { return s->a > s->b ? 0 : (size_t)(s->b - s->a + 1); }

#endif
