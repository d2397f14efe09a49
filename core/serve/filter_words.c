/* filter_words.c - one word per connection: the highest generation honoured, the highest number granted in it.
 *
 * Two halves of 64 bits, {generation:32, tag:24, second:8} and {tag:16, high:48}, changed together. As with groups, two
 * workers may create the same word twice, so all copies are looked at, before and after a change. */
#include "serve/filter_state.h"

#define WORD_GROUP UINT64_MAX          /* hashed in the place of a group's number */

struct word { uint64_t lower, upper; };
struct seen { struct word at[WORDS_PER_LINE]; int mine, place; struct trk_filter_word best; };

static uint64_t lower_tag(uint64_t hash) { return hash >> 40 | 1; }          /* never 0: an empty word has no tag */
static uint64_t upper_tag(uint64_t hash) { return hash >> 24 & 0xffff; }

static struct word pack(uint64_t hash, uint32_t generation, uint64_t high, uint8_t second)
{
    return (struct word){ (uint64_t)generation << 32 | lower_tag(hash) << 8 | second, upper_tag(hash) << 48 | (high & TRK_NUMBER_MAX) };
}

static bool is_of(const struct word *w, uint64_t hash)
{
    return (w->lower >> 8 & 0xffffff) == lower_tag(hash) && w->upper >> 48 == upper_tag(hash);
}

static bool above(uint32_t generation, uint32_t than) { return (int32_t)(generation - than) > 0; }

static struct word load(struct trk_filter *f, uint64_t hash, int i)
{
    const _Atomic uint64_t *at = (const _Atomic uint64_t *)trk_word_line(f, hash) + 2 * i;
    return (struct word){ atomic_load(&at[0]), atomic_load(&at[1]) };
}

/* A torn load above only makes it fail. By hand on x86-64, where compilers ask for a library call unless told of the CPU. */
static bool swap(struct trk_filter *f, uint64_t hash, int i, const struct word *old, const struct word *new)
{
    trk_u128 *at = trk_word_line(f, hash) + i;
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

static struct seen look(struct trk_filter *f, uint64_t hash, uint8_t now)
{
    struct seen s = { .mine = -1, .place = -1 };
    int oldest = 0;
    uint8_t oldest_age = 0;
    for (int i = 0; i < WORDS_PER_LINE; i++) {
        struct word w = s.at[i] = load(f, hash, i);
        uint8_t second = (uint8_t)w.lower, age = (uint8_t)(now - second);
        if (!w.lower || !trk_second_live(second, now)) {
            if (s.place < 0)
                s.place = i;
        } else if (is_of(&w, hash)) {
            take_best(&s.best, &w);
            if (s.mine < 0)
                s.mine = i;
        } else if (age <= FILTER_LIFE_S && age >= oldest_age) {
            oldest = i;
            oldest_age = age;
        }
    }
    if (s.mine >= 0)
        s.place = s.mine;
    else if (s.place < 0)
        s.place = oldest | WORDS_PER_LINE;           /* marked: a live entry has to go */
    return s;
}

static bool raised_elsewhere(struct trk_filter *f, uint64_t hash, int but, uint32_t generation, bool strictly, uint8_t now)
{
    for (int i = 0; i < WORDS_PER_LINE; i++) {
        struct word w = load(f, hash, i);
        if (i == but || !w.lower || !trk_second_live((uint8_t)w.lower, now) || !is_of(&w, hash))
            continue;
        uint32_t other = (uint32_t)(w.lower >> 32);
        if (above(other, generation) || (strictly && other == generation))
            return true;
    }
    return false;
}

struct trk_filter_word trk_filter_look(struct trk_filter *f, const struct trk_conn_id *id, uint64_t now_ms)
{
    return look(f, trk_filter_hash(f, id, 0, WORD_GROUP), trk_second(now_ms)).best;
}

bool trk_filter_raise(struct trk_filter *f, const struct trk_conn_id *id, uint32_t generation, uint64_t high, bool strictly, uint64_t now_ms)
{
    uint64_t hash = trk_filter_hash(f, id, 0, WORD_GROUP);
    uint8_t now = trk_second(now_ms);
    for (int tries = 0; tries < FILTER_TRIES; tries++) {
        struct seen s = look(f, hash, now);
        bool same = s.best.known && s.best.generation == generation;
        if (s.best.known && (above(s.best.generation, generation) || (strictly && same)))
            return false;
        struct word to = pack(hash, generation, same && s.best.high > high ? s.best.high : high, now);
        int place = s.place & (WORDS_PER_LINE - 1);
        if (s.mine >= 0 && s.at[place].lower == to.lower && s.at[place].upper == to.upper)
            return true;
        if (s.place & WORDS_PER_LINE)
            trk_filter_raise_floor(f, (uint8_t)s.at[place].lower, now_ms);
        if (swap(f, hash, place, &s.at[place], &to))
            return !raised_elsewhere(f, hash, place, generation, strictly, now);
    }
    return false;
}
