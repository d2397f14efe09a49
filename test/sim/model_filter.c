#include "model_filter.h"

#include <stdlib.h>

#define WORD_LIFE_S 76                 /* horizon and skew, and the second that had begun */

struct key { uint64_t h, n; uint32_t t, generation; };
struct entry { struct key key; bool used; enum model_fate_kind fate; };

struct model_filter {
    struct entry *entries; uint32_t places, used;
    struct model_word words[64];             /* far more than clients of a run */
};

struct model_filter *model_filter_new(void)
{
    struct model_filter *f = calloc(1, sizeof *f);

    if (f)
        f->entries = calloc(f->places = 1024, sizeof *f->entries);
    if (!f || !f->entries)
        abort();
    return f;
}

void model_filter_free(struct model_filter *f)
{
    if (f)
        free(f->entries);
    free(f);
}

static bool same_key(const struct key *a, const struct key *b) { return a->h == b->h && a->t == b->t && a->generation == b->generation && a->n == b->n; }

static struct entry *place(struct entry *entries, uint32_t places, const struct key *key)
{
    uint64_t hash = (key->h ^ key->n * 0x9e3779b97f4a7c15ull ^ (uint64_t)key->generation << 40) * 0xbf58476d1ce4e5b9ull;
    uint32_t i = (uint32_t)(hash >> 32) & (places - 1);

    while (entries[i].used && !same_key(&entries[i].key, key))
        i = (i + 1) & (places - 1);
    return &entries[i];
}

static void grow(struct model_filter *f)
{
    struct entry *larger = calloc(2 * f->places, sizeof *larger);

    if (!larger)
        abort();
    for (uint32_t i = 0; i < f->places; i++)
        if (f->entries[i].used)
            *place(larger, 2 * f->places, &f->entries[i].key) = f->entries[i];
    free(f->entries);
    f->entries = larger;
    f->places *= 2;
}

enum model_fate_kind *model_fate(const struct model_case *c, uint64_t n)
{
    struct model_filter *f = c->filter;
    struct key key = { c->request->id.h, n, c->request->id.t, c->request->generation };

    if (2 * f->used > f->places)
        grow(f);
    struct entry *e = place(f->entries, f->places, &key);
    f->used += !e->used;
    if (!e->used)
        *e = (struct entry){ key, true, MODEL_FREE };
    return &e->fate;
}

struct model_word *model_word(const struct model_case *c)
{
    struct model_word *w = c->filter->words, *end = w + sizeof c->filter->words / sizeof *w - 1;

    while (w < end && w->taken && (w->h != c->request->id.h || w->t != c->request->id.t))
        w++;
    if (!w->used || c->now_ms / 1000 > w->touched_s + WORD_LIFE_S)
        *w = (struct model_word){ .taken = true, .h = c->request->id.h, .t = c->request->id.t };
    return w;
}

bool model_above(uint32_t a, uint32_t b) { return (int32_t)(a - b) > 0; }

void model_raise(const struct model_case *c, uint32_t generation, uint64_t high)
{
    struct model_word *w = model_word(c);

    if (!w->used || model_above(generation, w->generation))
        w->high = 0;
    if (!w->used || !model_above(w->generation, generation)) {
        w->generation = generation;
        w->high = high > w->high ? high : w->high;
    }
    w->used = true;
    w->touched_s = c->now_ms / 1000;
}
