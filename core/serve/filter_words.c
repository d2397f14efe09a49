/* filter_words.c - one word per connection: the highest generation honoured, the highest number granted in it.
 *
 * Two halves of 64 bits, {generation:32, tag:24, second:8} and {tag:16, high:48}, changed together. As with groups, a word
 * may stand in either of two lines, two workers may create the same word twice, and all copies are looked at, before and
 * after a change. (Words of connections in use are all young: a single full line would evict, for as long as they are in
 * use, what is needed.) */
#include "serve/filter_lines.h"

#define PLACES (2 * WORDS_PER_LINE)

struct word { uint64_t lower, upper; };
struct home { uint64_t hash; trk_u128 *line[2]; };
static struct home home_of(struct trk_filter *f, uint64_t hash)
{
    struct trk_filter_lines at = trk_filter_lines(hash, f->word_lines);
    _Atomic uint64_t *lines = f->lines + f->group_lines * 8;
    return (struct home){ hash, { (trk_u128 *)(lines + at.first * 8), (trk_u128 *)(lines + at.second * 8) } };
}

static trk_u128 *place_of(const struct home *h, int i) { return h->line[i / WORDS_PER_LINE] + i % WORDS_PER_LINE; }

static uint64_t lower_tag(uint64_t hash) { return hash >> 40 | 1; }          /* never 0: an empty word has no tag */
static uint64_t upper_tag(uint64_t hash) { return hash * 0xc2b2ae3d27d4eb4full >> 48; }       /* not the bits that choose the line */
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

static bool is_better(const struct word *w, const struct word *than)
{
    uint32_t generation = (uint32_t)(w->lower >> 32), other = (uint32_t)(than->lower >> 32);
    return generation == other ? (w->upper & TRK_NUMBER_MAX) > (than->upper & TRK_NUMBER_MAX) : above(generation, other);
}

/* Where to write a word that is in neither line: a free place, else the oldest's. True if that is a live one's. */
static bool find_room(const struct home *h, struct trk_filter_word *to, uint8_t now)
{
    struct word w[PLACES];
    unsigned live = 0;
    int oldest = 0;
    for (int i = 0; i < PLACES; i++) {
        w[i] = load(h, i);
        live |= (unsigned)(w[i].lower && trk_second_live(second_of(&w[i]), now)) << i;
        if (trk_second_age(second_of(&w[i]), now) > trk_second_age(second_of(&w[oldest]), now))
            oldest = i;
    }
    int spare = trk_filter_spare(live, WORDS_PER_LINE);
    to->place = spare >= 0 ? spare : oldest;
    to->lower = w[to->place].lower;
    to->upper = w[to->place].upper;
    return spare < 0;
}

/* Bit i: place i may hold our word, by half of its tag. */
static unsigned candidates(const struct home *h)
{
    uint16_t tag = (uint16_t)upper_tag(h->hash);
    return trk_filter_words((const _Atomic uint64_t *)h->line[0], tag) | trk_filter_words((const _Atomic uint64_t *)h->line[1], tag) << WORDS_PER_LINE;
}

/* Read both lines: the best of all copies of our word, and what stands in the place of the first; -1 if there is none. */
static struct trk_filter_word look(const struct home *h, uint8_t now)
{
    struct word first = { 0 }, best = { 0 };
    int place = -1;
    for (unsigned may = candidates(h); may; may &= may - 1) {
        int i = __builtin_ctz(may);
        struct word w = load(h, i);
        if (!w.lower || !is_of(&w, h->hash) || !trk_second_live(second_of(&w), now))
            continue;
        if (place < 0 || is_better(&w, &best))
            best = w;
        if (place < 0) {
            place = i;
            first = w;
        }
    }
    return (struct trk_filter_word){ .known = place >= 0, .generation = (uint32_t)(best.lower >> 32), .high = best.upper & TRK_NUMBER_MAX,
                                     .place = place, .lower = first.lower, .upper = first.upper };
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

void trk_filter_expect_word(const struct trk_filter *f, uint64_t who)
{
    struct trk_filter_lines at = trk_filter_lines(who, f->word_lines);
    const _Atomic uint64_t *lines = f->lines + f->group_lines * 8;
    __builtin_prefetch((const void *)(lines + at.first * 8), 1);
    __builtin_prefetch((const void *)(lines + at.second * 8), 1);
}

struct trk_filter_word trk_filter_look(struct trk_filter *f, uint64_t who, uint64_t now_ms)
{
    struct home h = home_of(f, who);
    return look(&h, (uint8_t)trk_filter_clock(f, now_ms));
}

/* What is to be written where `best` is known. */
static struct word raised(uint64_t hash, const struct trk_filter_word *best, uint32_t generation, uint64_t high, uint64_t clock)
{
    bool here = best->known && best->generation == generation;
    return pack(hash, generation, here && best->high > high ? best->high : high, (uint8_t)clock);
}

static bool may_rise(const struct trk_filter_word *best, uint32_t generation, bool strictly)
{
    return !best->known || !(above(best->generation, generation) || (strictly && best->generation == generation));
}

/* The usual case: the word stands where it was seen, as it was seen. */
static bool raise_seen(const struct home *h, const struct trk_filter_word *seen, uint32_t generation, uint64_t high, uint64_t clock)
{
    struct word old = { seen->lower, seen->upper }, to = raised(h->hash, seen, generation, high, clock);
    if (seen->place < 0 || !may_rise(seen, generation, false))
        return false;
    if (old.lower != to.lower || old.upper != to.upper)
        return swap(h, seen->place, &old, &to);
    struct word now = load(h, seen->place);
    return now.lower == old.lower && now.upper == old.upper;
}

/* unknown: it must not be known to anybody yet. */
static bool raise_afresh(struct trk_filter *f, const struct home *h, uint32_t generation, uint64_t high, bool strictly, bool unknown, uint64_t clock)
{
    for (int tries = 0; tries < FILTER_TRIES; tries++) {
        struct trk_filter_word s = look(h, (uint8_t)clock);
        if ((unknown && s.known) || !may_rise(&s, generation, strictly))
            return false;
        struct word to = raised(h->hash, &s, generation, high, clock);
        if (s.place >= 0 && s.lower == to.lower && s.upper == to.upper)
            return true;
        if (s.place < 0 && find_room(h, &s, (uint8_t)clock))
            trk_filter_evict(f, (uint8_t)s.lower, clock);
        struct word old = { s.lower, s.upper };
        if (swap(h, s.place, &old, &to))
            return !raised_elsewhere(h, s.place, generation, strictly, (uint8_t)clock);
    }
    return false;
}

bool trk_filter_raise(struct trk_filter *f, uint64_t who, const struct trk_filter_word *seen, uint32_t generation, uint64_t high,
                      bool strictly, uint64_t now_ms)
{
    struct home h = home_of(f, who);
    uint64_t clock = trk_filter_clock(f, now_ms);
    return (seen && !strictly && raise_seen(&h, seen, generation, high, clock)) || raise_afresh(f, &h, generation, high, strictly, false, clock);
}

bool trk_filter_raise_from(struct trk_filter *f, uint64_t who, const struct trk_filter_word *seen, uint32_t generation, uint64_t high,
                           uint64_t now_ms)
{
    struct home h = home_of(f, who);
    uint64_t clock = trk_filter_clock(f, now_ms);
    if (!seen->known)
        return raise_afresh(f, &h, generation, high, true, true, clock);
    struct word old = { seen->lower, seen->upper }, to = raised(who, seen, generation, high, clock);
    return may_rise(seen, generation, true) && swap(&h, seen->place, &old, &to) &&
           !raised_elsewhere(&h, seen->place, generation, true, (uint8_t)clock);
}
