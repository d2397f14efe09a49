/* filter_words.c - one word per connection: the highest generation honoured, the highest number granted in it.
 *
 * Two halves of 64 bits, {generation:32, tag:24, second:8} and {tag:16, high:48}, changed together. As with groups, two
 * workers may create the same word twice, so all copies are looked at, before and after a change. A word may stand in
 * either of two lines: words of connections in use are all young, so a single full line would evict, for as long as they
 * are in use, what is needed; two make that rare up to a quarter of the capacity. */
#include "serve/filter_state.h"

#define WORD_GROUP UINT64_MAX          /* hashed in the place of a group's number */
#define PLACES     (2 * WORDS_PER_LINE)

struct word { uint64_t lower, upper; };
struct home { uint64_t hash; trk_u128 *line[2]; };
struct seen { struct word at[PLACES]; int place; bool mine, evicts; struct trk_filter_word best; };

static struct home home_of(struct trk_filter *f, const struct trk_conn_id *id)
{
    uint64_t hash = trk_filter_hash(f, id, 0, WORD_GROUP);
    uint64_t first = hash % f->word_lines, second = (hash << 32 | hash >> 32) % f->word_lines;
    if (second == first)
        second = first + 1 < f->word_lines ? first + 1 : 0;
    _Atomic uint64_t *lines = f->lines + f->group_lines * GROUPS_PER_LINE;
    return (struct home){ hash, { (trk_u128 *)(lines + first * 8), (trk_u128 *)(lines + second * 8) } };
}

static trk_u128 *place_of(const struct home *h, int i) { return h->line[i / WORDS_PER_LINE] + i % WORDS_PER_LINE; }

static uint64_t lower_tag(uint64_t hash) { return hash >> 40 | 1; }          /* never 0: an empty word has no tag */
static uint64_t upper_tag(uint64_t hash) { return hash >> 24 & 0xffff; }
static uint8_t second_of(const struct word *w) { return (uint8_t)w->lower; }

static struct word pack(uint64_t hash, uint32_t generation, uint64_t high, uint8_t second)
{
    return (struct word){ (uint64_t)generation << 32 | lower_tag(hash) << 8 | second, upper_tag(hash) << 48 | (high & TRK_NUMBER_MAX) };
}

static bool is_of(const struct word *w, uint64_t hash)
{
    return (w->lower >> 8 & 0xffffff) == lower_tag(hash) && w->upper >> 48 == upper_tag(hash);
}

static bool above(uint32_t generation, uint32_t than) { return (int32_t)(generation - than) > 0; }

/* Both halves of one time: a lower half that stays gives the upper one its meaning. */
static struct word load(const struct home *h, int i)
{
    const _Atomic uint64_t *at = (const _Atomic uint64_t *)place_of(h, i);
    struct word w = { .lower = atomic_load(&at[0]) };
    for (int tries = 0; tries < FILTER_TRIES; tries++) {
        w.upper = atomic_load(&at[1]);
        uint64_t again = atomic_load(&at[0]);
        if (again == w.lower)
            break;
        w.lower = again;
    }
    return w;
}

/* By hand on x86-64, where compilers ask for a library call unless told of the CPU. */
static bool swap(const struct home *h, int i, const struct word *old, const struct word *new)
{
    trk_u128 *at = place_of(h, i);
#if defined __x86_64__
    bool swapped;
    uint64_t lower = old->lower, upper = old->upper;
    __asm__ __volatile__("lock cmpxchg16b %1" : "=@ccz"(swapped), "+m"(*at), "+a"(lower), "+d"(upper) : "b"(new->lower), "c"(new->upper) : "memory");
    return swapped;
#else
    trk_u128 from = (trk_u128)old->upper << 64 | old->lower, to = (trk_u128)new->upper << 64 | new->lower;
    return __sync_bool_compare_and_swap(at, from, to);
#endif
}

static void take_best(struct trk_filter_word *best, const struct word *w)
{
    uint32_t generation = (uint32_t)(w->lower >> 32);
    uint64_t high = w->upper & TRK_NUMBER_MAX;
    if (best->known && (above(best->generation, generation) || (best->generation == generation && best->high >= high)))
        return;
    *best = (struct trk_filter_word){ true, generation, high };
}

/* Where a new word goes: the emptier line, -1 if both are full. */
static int emptier(const int spare[2], const int used[2])
{
    if (spare[0] < 0 || spare[1] < 0)
        return spare[0] < 0 ? spare[1] : spare[0];
    return spare[used[1] < used[0]];
}

static struct seen look(const struct home *h, uint8_t now)
{
    struct seen s = { .place = -1 };
    int oldest = 0, oldest_age = -FILTER_AHEAD_S - 1, spare[2] = { -1, -1 }, used[2] = { 0, 0 };
    for (int i = 0; i < PLACES; i++) {
        struct word w = s.at[i] = load(h, i);
        int age = trk_second_age(second_of(&w), now), line = i / WORDS_PER_LINE;
        if (!w.lower || age > FILTER_LIFE_S) {
            if (spare[line] < 0)
                spare[line] = i;
            continue;
        }
        used[line]++;
        if (is_of(&w, h->hash)) {
            take_best(&s.best, &w);
            if (s.place < 0)
                s.place = i;
        } else if (age > oldest_age) {
            oldest = i;
            oldest_age = age;
        }
    }
    s.mine = s.place >= 0;
    if (!s.mine) {
        s.place = emptier(spare, used);
        s.evicts = s.place < 0;
        if (s.evicts)
            s.place = oldest;
    }
    return s;
}

/* Another worker's copy that forbids what was just written. */
static bool raised_elsewhere(const struct home *h, int but, uint32_t generation, bool strictly, uint8_t now)
{
    for (int i = 0; i < PLACES; i++) {
        struct word w = load(h, i);
        if (i == but || !w.lower || !trk_second_live(second_of(&w), now) || !is_of(&w, h->hash))
            continue;
        uint32_t other = (uint32_t)(w.lower >> 32);
        if (above(other, generation) || (strictly && other == generation))
            return true;
    }
    return false;
}

struct trk_filter_word trk_filter_look(struct trk_filter *f, const struct trk_conn_id *id, uint64_t now_ms)
{
    struct home h = home_of(f, id);
    return look(&h, (uint8_t)trk_filter_clock(f, now_ms)).best;
}

static bool same(const struct trk_filter_word *a, const struct trk_filter_word *b)
{
    return a->known == b->known && (!a->known || (a->generation == b->generation && a->high == b->high));
}

static bool raise_word(struct trk_filter *f, const struct trk_conn_id *id, const struct trk_filter_word *from,
                       uint32_t generation, uint64_t high, bool strictly, uint64_t now_ms)
{
    struct home h = home_of(f, id);
    uint64_t clock = trk_filter_clock(f, now_ms);
    for (int tries = 0; tries < FILTER_TRIES; tries++) {
        struct seen s = look(&h, (uint8_t)clock);
        bool here = s.best.known && s.best.generation == generation;
        if (from && !same(from, &s.best))
            return false;
        if (s.best.known && (above(s.best.generation, generation) || (strictly && here)))
            return false;
        struct word to = pack(h.hash, generation, here && s.best.high > high ? s.best.high : high, (uint8_t)clock);
        if (s.mine && s.at[s.place].lower == to.lower && s.at[s.place].upper == to.upper)
            return true;
        if (s.evicts)
            trk_filter_evict(f, second_of(&s.at[s.place]), clock);
        if (swap(&h, s.place, &s.at[s.place], &to))
            return !raised_elsewhere(&h, s.place, generation, strictly, (uint8_t)clock);
    }
    return false;
}

bool trk_filter_raise(struct trk_filter *f, const struct trk_conn_id *id, uint32_t generation, uint64_t high, bool strictly, uint64_t now_ms)
{
    return raise_word(f, id, NULL, generation, high, strictly, now_ms);
}

bool trk_filter_raise_from(struct trk_filter *f, const struct trk_conn_id *id, const struct trk_filter_word *seen,
                           uint32_t generation, uint64_t high, uint64_t now_ms)
{
    return raise_word(f, id, seen, generation, high, true, now_ms);
}
