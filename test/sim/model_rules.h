/* model_rules.h - the rules of the server once more, as a model: every number by itself, nothing forgotten, no masks, no
 * batches, no packed tables. It shares the wire's plain structures with what it is compared with, and no code. */
#ifndef SIM_MODEL_RULES_H
#define SIM_MODEL_RULES_H

#include "serve/serve.h"

/* What the model's filter knows: the fate of each number, and a word for each connection, as long as a grant lives. */
struct model_filter;
struct model_filter *model_filter_new(void);
void model_filter_free(struct model_filter *f);
/* Whether what was asked for since the last call was of an age at which a filter may know it or not. */
bool model_filter_was_vague(struct model_filter *f);

/* The circumstances of one request, as far as they are no rule: who judges it, and when. */
struct model_case {
    struct model_filter *filter;       /* NULL: a server without one */
    uint32_t domain;                   /* of the server */
    uint64_t now_ms;
    bool     retiring;                 /* the request's key epoch is on its way out */
    const struct trk_request *request;
};

#define MODEL_GRANTED_MAX 2048

struct model_granted { uint8_t part; uint64_t n; struct trk_piece piece; };

struct model_answer {
    enum trk_verdict verdict;          /* ANSWERED, REFRESHED, or the refusal */
    uint32_t generation;
    unsigned n; struct model_granted granted[MODEL_GRANTED_MAX];       /* part by part, ascending */
    uint64_t terminal[TRK_PARTS_MAX];  /* the number whose data goes first, 0: none */
};

/* Judges a proven request and remembers what has to be remembered. */
void model_judge(const struct model_case *c, struct model_answer *out);

#endif
