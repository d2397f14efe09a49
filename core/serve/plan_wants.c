/* plan_wants.c - from slices of numbers to ranges of bytes that the application is asked for. */
#include "serve/plan.h"

const struct trk_ask *trk_plan_asks(const struct trk_spend *spend, const struct trk_plan_grant *grant, size_t *n)
{
    static const struct trk_ask from_the_start = { .cont = TRK_ASK_INPUT, .offset = 0, .bytes = UINT32_MAX };
    if (spend->type == TRK_SPEND_OPEN) {
        *n = 1;
        return &from_the_start;
    }
    const struct trk_part *part = &spend->request.parts[grant->part];
    *n = (size_t)(part->n_asks - part->terminal_ask);
    return part->asks + part->terminal_ask;
}

/* Grows the last want where the bytes adjoin. */
static bool want(struct trk_plan *plan, uint8_t cont, uint64_t offset, uint32_t bytes)
{
    if (cont == TRK_ASK_INPUT) {
        if (!plan->may_input)
            return true;               /* nothing will make these bytes */
        plan->input_room += bytes;
    }
    if (plan->n_wants > 0 && plan->wants[plan->n_wants - 1].cont == cont
        && plan->wants[plan->n_wants - 1].offset + plan->wants[plan->n_wants - 1].bytes == offset) {
        plan->wants[plan->n_wants - 1].bytes += bytes;
        return true;
    }
    if (plan->n_wants == TRK_WANTS_MAX)
        return false;
    plan->wants[plan->n_wants].cont = cont;
    plan->wants[plan->n_wants].offset = offset;
    plan->wants[plan->n_wants].bytes = bytes;
    plan->n_wants++;
    return true;
}

static bool want_slice(struct trk_plan *plan, const struct trk_ask *asks, size_t n_asks, const struct trk_slice *slice)
{
    uint64_t offset = slice->offset;
    uint32_t left = slice->bytes;
    for (size_t i = slice->ask; left > 0 && i < n_asks; i++) {
        uint64_t of_ask = asks[i].offset + asks[i].bytes - offset;
        uint32_t bytes = of_ask < left ? (uint32_t)of_ask : left;
        if (!want(plan, asks[i].cont, offset, bytes))
            return false;
        offset += bytes;
        left -= bytes;
    }
    return true;
}

bool trk_plan_wants(const struct trk_spend *spend, const struct trk_plan_grant *grant, struct trk_plan *plan)
{
    size_t n_asks;
    const struct trk_ask *asks = trk_plan_asks(spend, grant, &n_asks);
    if (grant->step.terminal && !want(plan, asks[-1].cont, grant->terminal.offset, grant->terminal.bytes))
        return false;
    for (size_t i = 0; i < trk_step_numbers(&grant->step); i++)
        if (!want_slice(plan, asks, n_asks, &grant->slices[i]))
            return false;
    return true;
}
