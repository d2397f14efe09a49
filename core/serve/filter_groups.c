/* filter_groups.c - the fates of numbers: free, spent or lost, never two of them.
 *
 * A group is {tag:24, second:8, fates:32}. Its place in the line is free, so two workers may create the same group twice.
 * Therefore a number counts as free only if it is so in every copy, and who changed one copy looks at the others again:
 * of two workers at least one sees the other's change and refuses. */
#include "serve/filter_state.h"

#define LANES 0x55555555u              /* the lower bit of each number's two */

static _Atomic uint64_t *line_of(struct trk_filter *f, uint64_t hash) { return &f->lines[hash % f->group_lines * GROUPS_PER_LINE]; }
static uint64_t tag_of(uint64_t hash) { return hash >> 40 ? hash >> 40 : 1; }
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

struct line { uint64_t seen[GROUPS_PER_LINE]; int place; bool mine, evicts; uint32_t fates; };

/* Read the line: all copies of our group together, and where to write: our first copy, else a free place, else the oldest. */
static struct line look(_Atomic uint64_t *at, uint64_t tag, uint8_t now)
{
    struct line l = { .place = -1 };
    int oldest = 0, oldest_age = -FILTER_AHEAD_S - 1, spare = -1;
    for (int i = 0; i < GROUPS_PER_LINE; i++) {
        uint64_t e = l.seen[i] = atomic_load(&at[i]);
        int age = trk_second_age(second_of(e), now);
        if (!e || age > FILTER_LIFE_S) {
            if (spare < 0)
                spare = i;
        } else if (e >> 40 == tag) {
            l.fates |= (uint32_t)e;
            if (l.place < 0)
                l.place = i;
        } else if (age > oldest_age) {
            oldest = i;
            oldest_age = age;
        }
    }
    l.mine = l.place >= 0;
    l.evicts = !l.mine && spare < 0;
    if (!l.mine)
        l.place = spare >= 0 ? spare : oldest;
    return l;
}

/* The fates in every copy but the one at `but`. */
static uint32_t fates_elsewhere(_Atomic uint64_t *at, uint64_t tag, int but, uint8_t now)
{
    uint32_t fates = 0;
    for (int i = 0; i < GROUPS_PER_LINE; i++) {
        uint64_t e = atomic_load(&at[i]);
        if (i != but && e >> 40 == tag && trk_second_live(second_of(e), now))
            fates |= (uint32_t)e;
    }
    return fates;
}

/* Give fate to those of `wanted` (bit i: number i of the group) that are free. Returns which ones got it by this call;
 * *before: the fates that were found. */
static uint16_t change(struct trk_filter *f, uint64_t hash, uint16_t wanted, enum trk_fate fate, uint64_t now_ms, uint32_t *before)
{
    _Atomic uint64_t *at = line_of(f, hash);
    uint64_t tag = tag_of(hash), clock = trk_filter_clock(f, now_ms);
    for (int tries = 0; tries < FILTER_TRIES; tries++) {
        struct line l = look(at, tag, (uint8_t)clock);
        uint32_t got = spread(wanted) & free_lanes(l.fates);
        *before = l.fates;
        if (!got)
            return 0;
        uint32_t fates = (l.mine ? (uint32_t)l.seen[l.place] : 0) | got * (uint32_t)fate;
        if (l.evicts)
            trk_filter_evict(f, second_of(l.seen[l.place]), clock);
        if (!atomic_compare_exchange_strong(&at[l.place], &l.seen[l.place], pack(tag, (uint8_t)clock, fates)))
            continue;
        /* Where another worker was at the same number, neither may have it. */
        return gather(got & free_lanes(fates_elsewhere(at, tag, l.place, (uint8_t)clock)));
    }
    *before = UINT32_MAX;
    return 0;
}

uint64_t trk_filter_spend(struct trk_filter *f, const struct trk_conn_id *id, uint32_t generation, uint64_t k, uint32_t m, uint64_t now_ms)
{
    uint64_t mask = 0;
    for (uint64_t n = k; n < k + m;) {
        uint64_t group = n / GROUP_NUMBERS, end = (group + 1) * GROUP_NUMBERS < k + m ? (group + 1) * GROUP_NUMBERS : k + m;
        unsigned first = (unsigned)(n % GROUP_NUMBERS), count = (unsigned)(end - n);
        uint32_t before;
        uint16_t wanted = (uint16_t)(((1u << count) - 1) << first);
        uint16_t got = change(f, trk_filter_hash(f, id, generation, group), wanted, TRK_FATE_SPENT, now_ms, &before);
        mask |= (uint64_t)(got >> first) << (n - k);
        n = end;
    }
    uint32_t spent = 0;
    for (uint64_t rest = mask; rest; rest &= rest - 1)
        spent++;
    if (spent)
        atomic_fetch_add_explicit(&f->spent, spent, memory_order_relaxed);
    if (spent < m)
        atomic_fetch_add_explicit(&f->refused, m - spent, memory_order_relaxed);
    return mask;
}

static enum trk_fate fate_in(uint32_t fates, uint64_t n)
{
    unsigned fate = fates >> 2 * (n % GROUP_NUMBERS) & 3;
    return fate & TRK_FATE_SPENT ? TRK_FATE_SPENT : (enum trk_fate)fate;
}

enum trk_fate trk_filter_lose(struct trk_filter *f, const struct trk_conn_id *id, uint32_t generation, uint64_t n, uint64_t now_ms)
{
    uint32_t before;
    uint16_t wanted = (uint16_t)(1u << n % GROUP_NUMBERS);
    if (change(f, trk_filter_hash(f, id, generation, n / GROUP_NUMBERS), wanted, TRK_FATE_LOST, now_ms, &before)) {
        atomic_fetch_add_explicit(&f->lost, 1, memory_order_relaxed);
        return TRK_FATE_FREE;
    }
    enum trk_fate fate = fate_in(before, n);
    return fate == TRK_FATE_FREE ? TRK_FATE_SPENT : fate;     /* lost a race: claim nothing */
}

enum trk_fate trk_filter_fate(struct trk_filter *f, const struct trk_conn_id *id, uint32_t generation, uint64_t n, uint64_t now_ms)
{
    uint64_t hash = trk_filter_hash(f, id, generation, n / GROUP_NUMBERS);
    return fate_in(look(line_of(f, hash), tag_of(hash), (uint8_t)trk_filter_clock(f, now_ms)).fates, n);
}
