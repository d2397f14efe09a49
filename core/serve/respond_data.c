/* respond_data.c - which of the application's bytes a packet carries. Nothing is copied here. */
#include "serve/respond.h"

/* A want is found by continuation and offset: the same byte of two continuations is not the same byte. */
static unsigned find_want(const struct trk_source *s, uint8_t cont, uint64_t offset)
{
    unsigned i = 0;
    while (i < s->plan->n_wants && (s->plan->wants[i].cont != cont || offset < s->plan->wants[i].offset
                                    || offset - s->plan->wants[i].offset >= s->plan->wants[i].bytes))
        i++;
    return i;
}

unsigned trk_want_at(const struct trk_source *s, const struct trk_slice *slice, uint64_t offset)
{
    for (size_t i = slice->ask; i < s->n_asks; i++)
        if (offset >= s->asks[i].offset && offset - s->asks[i].offset < s->asks[i].bytes)
            return find_want(s, s->asks[i].cont, offset);
    return s->plan->n_wants;
}

static void append(struct trk_fragments *out, const uint8_t *data, uint32_t bytes)
{
    if (out->n > 0 && out->at[out->n - 1].data + out->at[out->n - 1].bytes == data) {
        out->at[out->n - 1].bytes += bytes;
    } else {
        out->at[out->n].data = data;
        out->at[out->n++].bytes = bytes;
    }
    out->bytes += bytes;
}

/* Another fragment makes what was gathered so far something to copy. */
static bool may_append(const struct trk_fragments *f, const uint8_t *data, uint32_t copy)
{
    if (f->n == 0 || f->at[f->n - 1].data + f->at[f->n - 1].bytes == data)
        return true;
    return f->n < TRK_FRAGMENTS_MAX && f->bytes <= copy;
}

void trk_gather(const struct trk_source *s, const struct trk_slice *slice, uint32_t cap, uint32_t copy, struct trk_fragments *out)
{
    uint32_t wanted = slice->bytes < cap ? slice->bytes : cap;
    *out = (struct trk_fragments){ 0 };
    while (out->bytes < wanted) {
        uint64_t offset = slice->offset + out->bytes;
        unsigned w = trk_want_at(s, slice, offset);
        if (w == s->plan->n_wants)
            return;
        uint64_t skip = offset - s->plan->wants[w].offset;
        uint32_t given = s->result->given[w].bytes, of_want = s->plan->wants[w].bytes;
        if (given > of_want)
            given = of_want;
        if (skip >= given || !may_append(out, s->result->given[w].data + skip, copy))
            return;
        uint32_t bytes = given - (uint32_t)skip, left = wanted - out->bytes;
        append(out, s->result->given[w].data + skip, bytes < left ? bytes : left);
    }
}

size_t trk_gather_run(const struct trk_source *s, const struct trk_slice *slices, size_t n)
{
    uint64_t offset = slices[0].offset;
    uint32_t bytes = slices[0].bytes;
    unsigned w = trk_want_at(s, slices, offset);
    if (w == s->plan->n_wants || bytes == 0 || s->result->given[w].end)
        return 0;
    const struct trk_ask *ask = &s->asks[slices[0].ask];
    uint32_t of_want = s->plan->wants[w].bytes, given = s->result->given[w].bytes;
    uint64_t end = s->plan->wants[w].offset + (given < of_want ? given : of_want);
    if (end > ask->offset + ask->bytes)
        end = ask->offset + ask->bytes;            /* what comes then may be another continuation's */
    size_t m = 0;
    while (m < n && (offset += bytes) + bytes <= end && slices[m + 1].offset == offset && slices[m + 1].bytes == bytes &&
           slices[m + 1].ask == slices[0].ask)
        m++;
    return m;
}
