/* filter_groups.c - the fates of numbers: free, spent or lost, never two of them.
 *
 * A group is {tag:24, second:8, fates:32}. It may stand in any place of two lines: the emptier one is chosen, which leaves
 * no line full up to half of the capacity. So two workers may create the same group twice. Therefore a number counts as
 * free only if it is so in every copy, and who created a copy looks for others once more, and has only what it can mark
 * in these, too: whoever found a copy before it could see the new one, or created one at the same time, works on that
 * copy, and there the two meet in one compare-and-swap. */
#include "serve/filter_lines.h"

#define LANES 0x55555555u              /* the lower bit of each number's two */

#define NEIGHBOURS 8
#define DYING_S 2                      /* what is dead for us may still be alive for a worker whose time is a little behind */

struct home { uint32_t tag; _Atomic uint64_t *line[2]; };

/* NEIGHBOURS groups in a row stand in as many lines in a row, twice: the next one is in a page that was just used. */
struct row { uint64_t hash, number; struct trk_filter_lines at; };

static struct row row_of(const struct trk_filter *f, uint64_t who, uint32_t generation, uint64_t number)
{
    uint64_t hash = trk_filter_mix(who + generation * 0x9e3779b97f4a7c15ull + number * 0xc2b2ae3d27d4eb4full);
    return (struct row){ hash, number, trk_filter_lines(hash, f->group_lines - (NEIGHBOURS - 1)) };
}

static struct home home_in(struct trk_filter *f, const struct row *row, uint64_t group)
{
    uint64_t nth = group % NEIGHBOURS;
    uint32_t tag = (uint32_t)(row->hash >> 40 ^ nth);          /* two of a row may meet in a line */
    return (struct home){ tag ? tag : NEIGHBOURS, { &f->lines[(row->at.first + nth) * 8], &f->lines[(row->at.second + nth) * 8] } };
}
static struct home home_of(struct trk_filter *f, uint64_t who, uint32_t generation, uint64_t group)
{
    struct row row = row_of(f, who, generation, group / NEIGHBOURS);
    return home_in(f, &row, group);
}
static _Atomic uint64_t *place_of(const struct home *h, int i) { return h->line[i / GROUPS_PER_LINE] + i % GROUPS_PER_LINE; }
static uint8_t second_of(uint64_t entry) { return (uint8_t)(entry >> 32); }

static uint64_t pack(uint64_t tag, uint8_t second, uint32_t fates)
{
    return tag << 40 | (uint64_t)second << 32 | fates;
}

/* Bit i of a mask to bit 2i, and back. */
static uint32_t spread(uint32_t x)
{
    x = (x | x << 8) & 0x00ff00ff;
    x = (x | x << 4) & 0x0f0f0f0f;
    x = (x | x << 2) & 0x33333333;
    return (x | x << 1) & LANES;
}
static uint16_t gather(uint32_t x)
{
    x &= LANES;
    x = (x | x >> 1) & 0x33333333;
    x = (x | x >> 2) & 0x0f0f0f0f;
    x = (x | x >> 4) & 0x00ff00ff;
    return (uint16_t)(x | x >> 8);
}
static uint32_t free_lanes(uint32_t fates) { return ~(fates | fates >> 1) & LANES; }

struct seen {
    struct trk_filter_read read;
    unsigned tagged;                   /* bit i: read.e[i] has our tag */
    int place;                         /* of the first live copy, -1 if there is none */
    uint32_t fates;                    /* of all live copies */
};

/* All copies of our group together, and the place of the first. */
static void look(const struct home *h, uint8_t now, struct seen *s)
{
    s->tagged = trk_filter_read(h->line, h->tag, &s->read);
    s->place = -1;
    s->fates = 0;
    for (unsigned may = s->tagged; may; may &= may - 1) {
        int i = __builtin_ctz(may);
        if (!trk_second_live(second_of(s->read.e[i]), now))
            continue;
        s->fates |= (uint32_t)s->read.e[i];
        if (s->place < 0)
            s->place = i;
    }
}

/* Where to write a group that is in neither line: a free place, else the oldest's. True if that is a live one's. */
static bool find_room(struct seen *s, uint8_t now)
{
    const uint64_t *e = s->read.e;
    s->place = trk_filter_spare(trk_filter_live(&s->read, now), GROUPS_PER_LINE);
    if (s->place >= 0)
        return false;
    s->place = 0;
    for (int i = 1; i < FILTER_PLACES; i++)
        if (trk_second_age(second_of(e[i]), now) > trk_second_age(second_of(e[s->place]), now))
            s->place = i;
    return true;
}

/* Marks what was got in the copy at place i as well. Returns which of it was free there, too. */
static uint32_t mark_copy(const struct home *h, int i, uint32_t got, enum trk_fate fate, uint8_t now)
{
    for (int tries = 0; tries < FILTER_TRIES; tries++) {
        uint64_t e = atomic_load(place_of(h, i));
        if (e >> 40 != h->tag || trk_second_age(second_of(e), now) > FILTER_LIFE_S + DYING_S)
            return got;                /* no copy (any more: then the floor was raised) */
        uint32_t ours = got & free_lanes((uint32_t)e);
        if (!ours || atomic_compare_exchange_strong(place_of(h, i), &e, pack(h->tag, now, (uint32_t)e | ours * (uint32_t)fate)))
            return ours;
    }
    return 0;
}

/* A copy was created where s says: another worker may have been at the same numbers in another one. What we wrote is seen
 * before we look: by the order of atomic operations, and where the look is none, a swap is a barrier to the CPU. */
static uint32_t mark_elsewhere(const struct home *h, struct seen *s, uint32_t got, enum trk_fate fate, uint8_t now)
{
    atomic_signal_fence(memory_order_seq_cst);       /* and to the compiler */
    for (unsigned may = (s->tagged | trk_filter_changed(h->line, &s->read)) & ~(1u << s->place); may && got; may &= may - 1)
        got = mark_copy(h, __builtin_ctz(may), got, fate, now);
    return got;
}

/* Give fate to those of `wanted` (bit i: number i of the group) that are free. Returns which ones got it by this call;
 * *before: the fates that were found. */
static uint16_t change(struct trk_filter *f, const struct home *h, uint16_t wanted, enum trk_fate fate, uint64_t now_ms, uint32_t *before)
{
    uint64_t clock = trk_filter_clock(f, now_ms);
    for (int tries = 0; tries < FILTER_TRIES; tries++) {
        struct seen s;
        look(h, (uint8_t)clock, &s);
        uint32_t got = spread(wanted) & free_lanes(s.fates);
        *before = s.fates;
        if (!got)
            return 0;
        bool creates = s.place < 0;
        if (creates && find_room(&s, (uint8_t)clock))
            trk_filter_evict(f, second_of(s.read.e[s.place]), clock);
        uint64_t there = s.read.e[s.place];
        s.read.e[s.place] = pack(h->tag, (uint8_t)clock, (creates ? 0 : (uint32_t)there) | got * (uint32_t)fate);
        if (atomic_compare_exchange_strong(place_of(h, s.place), &there, s.read.e[s.place]))
            return gather(creates ? mark_elsewhere(h, &s, got, fate, (uint8_t)clock) : got);
    }
    *before = UINT32_MAX;
    return 0;
}

uint64_t trk_filter_spend(struct trk_filter *f, uint64_t who, uint32_t generation, uint64_t k, uint32_t m, uint64_t now_ms)
{
    uint64_t mask = 0;
    struct row row = row_of(f, who, generation, k / GROUP_NUMBERS / NEIGHBOURS);
    for (uint64_t n = k; n < k + m;) {
        uint64_t group = n / GROUP_NUMBERS, end = (group + 1) * GROUP_NUMBERS < k + m ? (group + 1) * GROUP_NUMBERS : k + m;
        unsigned first = (unsigned)(n % GROUP_NUMBERS), count = (unsigned)(end - n);
        uint32_t before;
        uint16_t wanted = (uint16_t)(((1u << count) - 1) << first);
        if (group / NEIGHBOURS != row.number)
            row = row_of(f, who, generation, group / NEIGHBOURS);
        struct home h = home_in(f, &row, group);
        uint16_t got = change(f, &h, wanted, TRK_FATE_SPENT, now_ms, &before);
        mask |= (uint64_t)(got >> first) << (n - k);
        n = end;
    }
    uint32_t spent = mask & (mask - 1) ? trk_filter_ones(mask) : mask != 0;
    if (spent)
        atomic_fetch_add_explicit(&trk_filter_counts_of(f, who)->spent, spent, memory_order_relaxed);
    if (spent < m)
        atomic_fetch_add_explicit(&trk_filter_counts_of(f, who)->refused, m - spent, memory_order_relaxed);
    return mask;
}

void trk_filter_expect_numbers(const struct trk_filter *f, uint64_t who, uint32_t generation, uint64_t k, uint32_t m)
{
    struct row row = row_of(f, who, generation, k / GROUP_NUMBERS / NEIGHBOURS);
    for (uint64_t group = k / GROUP_NUMBERS; group <= (k + m - 1) / GROUP_NUMBERS; group++) {
        if (group / NEIGHBOURS != row.number)
            row = row_of(f, who, generation, group / NEIGHBOURS);
        __builtin_prefetch((const void *)&f->lines[(row.at.first + group % NEIGHBOURS) * 8], 1);
        __builtin_prefetch((const void *)&f->lines[(row.at.second + group % NEIGHBOURS) * 8], 1);
    }
}

static enum trk_fate fate_in(uint32_t fates, uint64_t n)
{
    unsigned fate = fates >> 2 * (n % GROUP_NUMBERS) & 3;
    return fate & TRK_FATE_SPENT ? TRK_FATE_SPENT : (enum trk_fate)fate;
}

enum trk_fate trk_filter_lose(struct trk_filter *f, uint64_t who, uint32_t generation, uint64_t n, uint64_t now_ms)
{
    uint32_t before;
    struct home h = home_of(f, who, generation, n / GROUP_NUMBERS);
    uint16_t wanted = (uint16_t)(1u << n % GROUP_NUMBERS);
    if (change(f, &h, wanted, TRK_FATE_LOST, now_ms, &before)) {
        atomic_fetch_add_explicit(&trk_filter_counts_of(f, who)->lost, 1, memory_order_relaxed);
        return TRK_FATE_FREE;
    }
    enum trk_fate fate = fate_in(before, n);
    return fate == TRK_FATE_FREE ? TRK_FATE_SPENT : fate;     /* lost a race: claim nothing */
}

enum trk_fate trk_filter_fate(struct trk_filter *f, uint64_t who, uint32_t generation, uint64_t n, uint64_t now_ms)
{
    struct home h = home_of(f, who, generation, n / GROUP_NUMBERS);
    struct seen s;
    look(&h, (uint8_t)trk_filter_clock(f, now_ms), &s);
    return fate_in(s.fates, n);
}
