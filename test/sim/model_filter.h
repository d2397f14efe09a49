/* model_filter.h - the model's memory: the fate of each number, for ever, and a word for each connection. */
#ifndef SIM_MODEL_FILTER_H
#define SIM_MODEL_FILTER_H

#include "model_rules.h"

enum model_fate_kind { MODEL_FREE, MODEL_SPENT, MODEL_LOST };

/* generation: the newest that was honoured; high: the highest number granted in it. used: it says something. */
struct model_word { bool taken; uint64_t h; uint32_t t; bool used; uint32_t generation; uint64_t high, touched_s; };

/* Of number n in the request's generation; the caller may change it. */
enum model_fate_kind *model_fate(const struct model_case *c, uint64_t n);
struct model_word *model_word(const struct model_case *c);
void model_raise(const struct model_case *c, uint32_t generation, uint64_t high);
/* Generations wrap. */
bool model_above(uint32_t a, uint32_t b);

#endif
