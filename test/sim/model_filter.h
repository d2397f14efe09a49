/* model_filter.h - the model's memory: the fate of each number, and a word for each connection, for as long as a grant
 * lives. Around that age a filter may know or not: what depends on such an entry is vague, and not to be compared. */
#ifndef SIM_MODEL_FILTER_H
#define SIM_MODEL_FILTER_H

#include "model_rules.h"

enum model_fate_kind { MODEL_FREE, MODEL_SPENT, MODEL_LOST };

/* generation: the newest that was honoured; high: the highest number granted in it. used: it says something. */
struct model_word { bool taken; uint64_t h; uint32_t t; bool used; uint32_t generation; uint64_t high, touched_s; };

/* Of number n in the request's generation. Sixteen numbers live together: who changes one keeps all of them alive. */
enum model_fate_kind model_fate(const struct model_case *c, uint64_t n);
void model_give_fate(const struct model_case *c, uint64_t n, enum model_fate_kind fate);
struct model_word *model_word(const struct model_case *c);
void model_raise(const struct model_case *c, uint32_t generation, uint64_t high);
/* Generations wrap. */
bool model_above(uint32_t a, uint32_t b);

#endif
