#include "model_filter.h"

#include <stdlib.h>

#define LIFE_S     76                  /* horizon and skew, and the second that had begun */
#define SURE_S     70                  /* up to here it is known, whatever the rounding */
#define GROUP      16

struct key { uint64_t h, group; uint32_t t, generation; };
struct entry { struct key key; bool used; uint64_t touched_s; enum model_fate_kind fate[GROUP]; };

struct model_filter {
    struct entry *entries; uint32_t places, used;
    struct model_word words[64];       /* far more than clients of a run */
    uint64_t newest_s;                 /* its time: the latest of its servers' clocks */
    bool     vague;
};

static uint64_t second(const struct model_case *c)
{
    if (c->now_ms / 1000 > c->filter->newest_s)
        c->filter->newest_s = c->now_ms / 1000;
    return c->filter->newest_s;
}

/* True if what was touched then is forgotten. */
static bool is_dead(const struct model_case *c, uint64_t touched_s)
{
    c->filter->vague |= second(c) > touched_s + SURE_S && second(c) <= touched_s + LIFE_S + 1;
    return second(c) > touched_s + LIFE_S;
}

bool model_filter_was_vague(struct model_filter *f)
{
    bool was = f->vague;

    f->vague = false;
    return was;
}

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

static bool same_key(const struct key *a, const struct key *b) { return a->h == b->h && a->t == b->t && a->generation == b->generation && a->group == b->group; }

static struct entry *place(struct entry *entries, uint32_t places, const struct key *key)
{
    uint64_t hash = (key->h ^ key->group * 0x9e3779b97f4a7c15ull ^ (uint64_t)key->generation << 40) * 0xbf58476d1ce4e5b9ull;
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

static struct entry *group_of(const struct model_case *c, uint64_t n)
{
    struct model_filter *f = c->filter;
    struct key key = { c->request->id.h, n / GROUP, c->request->id.t, c->request->generation };

    if (2 * f->used > f->places)
        grow(f);
    struct entry *e = place(f->entries, f->places, &key);
    f->used += !e->used;
    if (!e->used || is_dead(c, e->touched_s))
        *e = (struct entry){ .key = key, .used = true, .touched_s = second(c) };
    return e;
}

enum model_fate_kind model_fate(const struct model_case *c, uint64_t n) { return group_of(c, n)->fate[n % GROUP]; }

void model_give_fate(const struct model_case *c, uint64_t n, enum model_fate_kind fate)
{
    struct entry *e = group_of(c, n);

    if (e->fate[n % GROUP] == fate)
        return;
    e->fate[n % GROUP] = fate;
    e->touched_s = second(c);
}

struct model_word *model_word(const struct model_case *c)
{
    struct model_word *w = c->filter->words, *end = w + sizeof c->filter->words / sizeof *w - 1;

    while (w < end && w->taken && (w->h != c->request->id.h || w->t != c->request->id.t))
        w++;
    if (!w->used || is_dead(c, w->touched_s))
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
    w->touched_s = second(c);
}
