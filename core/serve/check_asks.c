/* check_asks.c - opens the continuations of a request, and holds the asks for the input's own output against them.
 * (That any other ask lies within its output continuation is a bound of the message: parse has checked it.) */
#include "serve/check.h"

/* Where the output of this request's input starts: the input chain alone says it, so both ends know. */
static uint64_t next_free_offset(const struct trk_spend *s)
{
    uint8_t cont = s->request.input_cont;
    return cont == 0xff ? 0 : s->conts[cont].second;
}

/* Asked for in one piece from its start, by the part that the input rides on. */
static bool input_asks_ok(const struct trk_spend *s)
{
    const struct trk_request *r = &s->request;
    if (!r->has_input || r->placed)
        return true;                   /* parse lets no such ask pass */
    uint64_t next = next_free_offset(s);
    if (next == TRK_OFFSET_UNKNOWN)
        return false;                  /* an output whose end is unknown holds back the next input */
    for (unsigned p = 0; p < r->n_parts; p++) {
        const struct trk_part *part = &r->parts[p];
        for (unsigned i = 0; i < part->n_asks; i++) {
            const struct trk_ask *ask = &part->asks[i];
            if (ask->cont != TRK_ASK_INPUT)
                continue;
            if (p + 1 != r->n_parts || (part->terminal_ask && i == 0) || ask->offset != next)
                return false;
            next += ask->bytes;
        }
    }
    return true;
}

enum trk_verdict trk_check_asks(const struct trk_keys *keys, struct trk_spend *out)
{
    const struct trk_request *r = &out->request;
    for (unsigned i = 0; i < r->n_conts; i++) {
        enum trk_verdict v = trk_ucont_open(keys, &r->id, &r->conts[i], &out->conts[i]);
        if (v != TRK_V_ACCEPTED)
            return v;
    }
    return input_asks_ok(out) ? TRK_V_ACCEPTED : TRK_V_BAD_FIELD;
}
