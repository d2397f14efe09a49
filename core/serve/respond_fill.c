/* respond_fill.c - what one packet says: data, the input's answer, the end of an output. */
#include "serve/respond.h"

static void add_cont(struct trk_fill *f, const uint8_t *bytes, uint16_t n)
{
    f->conts[f->n_conts].bytes = bytes;
    f->conts[f->n_conts++].n = n;
}

static uint32_t conts_bytes(const struct trk_fill *f)
{
    uint32_t bytes = 0;
    for (unsigned i = 0; i < f->n_conts; i++)
        bytes += f->conts[i].n;
    return bytes;
}

static void answer_input(const struct trk_conts *conts, struct trk_fill *f)
{
    if (conts->taken)
        f->flags |= TRK_F_PLACED;
    if (!conts->input_bytes)
        return;
    f->flags |= conts->output_bytes ? TRK_F_DONE : TRK_F_MORE;
    add_cont(f, conts->input, conts->input_bytes);
    if (conts->range_bytes) {
        f->flags |= TRK_F_PLACED;
        add_cont(f, conts->range, conts->range_bytes);
    }
    if (conts->output_bytes)
        add_cont(f, conts->output, conts->output_bytes);
}

/* The want whose end this packet reaches: it carries the last byte, or would carry what comes after it. */
static unsigned ending_want(const struct trk_source *s, const struct trk_slice *slice, const struct trk_fill *f)
{
    unsigned none = s->plan->n_wants;
    if (slice->bytes == 0)
        return none;
    unsigned w = trk_want_at(s, slice, f->data.bytes ? slice->offset + f->data.bytes - 1 : slice->offset);
    if (w == none || !s->result->given[w].end)
        return none;
    uint64_t end = s->plan->wants[w].offset + s->result->given[w].bytes, here = slice->offset + f->data.bytes;
    return f->data.bytes ? (here == end ? w : none) : (here >= end ? w : none);
}

/* The end's continuation is the input's next one. In a packet with DONE it takes the place of DONE's own, which an
 * output of unknown length leaves without use; MORE has no output that could end. Where it does not fit beside the
 * data, the next packet says it: END is about what lies before it, not about that packet alone. */
static void say_end(const struct trk_source *s, const struct trk_conts *conts, const struct trk_slice *slice, uint32_t room,
                    uint32_t renewed, struct trk_said *said, struct trk_fill *f)
{
    unsigned w = ending_want(s, slice, f);
    if (w == s->plan->n_wants || said->end[w] || !conts->next_bytes || (f->flags & (TRK_F_MORE | TRK_F_PLACED)))
        return;
    uint32_t other_conts = conts_bytes(f) + renewed - (f->flags & TRK_F_DONE ? f->conts[0].n : 0u);
    if (f->data.bytes + other_conts + conts->next_bytes > room)
        return;
    said->end[w] = true;
    f->flags |= TRK_F_END | (s->result->given[w].fin ? TRK_F_FIN : 0);
    if (f->data.bytes == 0)
        f->offset = s->plan->wants[w].offset + s->result->given[w].bytes;
    if (f->flags & TRK_F_DONE) {
        f->conts[0].bytes = conts->next;
        f->conts[0].n = conts->next_bytes;
    } else {
        add_cont(f, conts->next, conts->next_bytes);
    }
}

/* The renewal that this packet may carry: index, or n_renewed. DONE has an output continuation of its own. */
static unsigned renewal_of(const struct trk_conts *conts, const struct trk_slice *slice, uint64_t n, const struct trk_said *said,
                           const struct trk_fill *f)
{
    if (slice->bytes == 0 || n == 0 || (f->flags & (TRK_F_DONE | TRK_F_PLACED)))
        return conts->n_renewed;
    unsigned i = 0;
    for (; i < conts->n_renewed; i++) {
        const struct trk_renewed *r = &conts->renewed[i];
        if (!said->renewed[i] && (r->n ? r->n == n : slice->offset >= r->first && slice->offset < r->second))
            break;
    }
    return i;
}

void trk_fill(const struct trk_source *s, const struct trk_conts *conts, const struct trk_slice *slice, uint64_t n, uint32_t room,
              bool first, struct trk_said *said, struct trk_fill *out)
{
    *out = (struct trk_fill){ .offset = slice->offset };
    if (first)
        answer_input(conts, out);
    unsigned i = conts->n_renewed ? renewal_of(conts, slice, n, said, out) : 0;
    uint32_t renewed = i < conts->n_renewed ? conts->renewed[i].bytes : 0;
    if (conts_bytes(out) + renewed >= room)
        renewed = 0;
    trk_gather(s, slice, room - conts_bytes(out) - renewed, TRK_COPY_BYTES - said->copied_bytes, &out->data);
    if (out->data.n > 1)
        said->copied_bytes += out->data.bytes - out->data.at[out->data.n - 1].bytes;
    if (out->data.bytes == 0)
        renewed = 0;
    say_end(s, conts, slice, room, renewed, said, out);
    if (renewed) {
        said->renewed[i] = true;
        out->flags |= TRK_F_RENEW;
        add_cont(out, conts->renewed[i].sealed, conts->renewed[i].bytes);
    }
    if (out->data.bytes == 0 && !(out->flags & TRK_F_END))
        out->offset = 0;
}
