/* filter_groups.c - the fates of numbers: free, spent or lost, never two of them.
 *
 * A group is {tag:24, second:8, fates:32}. Its place in the line is free, so two workers may create the same group twice.
 * Therefore a number counts as free only if it is so in every copy, and who changed one copy looks at the others again:
 * of two workers at least one sees the other's change and refuses. */
#include "serve/filter_state.h"

static uint64_t tag_of(uint64_t hash) { return hash >> 40 ? hash >> 40 : 1; }

static uint64_t pack(uint64_t tag, uint8_t second, uint32_t fates)
{
    return tag << 40 | (uint64_t)second << 32 | fates;
}

struct line { uint64_t seen[GROUPS_PER_LINE]; int mine, place; uint32_t fates; };

/* Read the line: all copies of our group together, and where to write: our first copy, else a free place, else the oldest. */
static struct line look(_Atomic uint64_t *at, uint64_t tag, uint8_t now)
{
    struct line l = { .mine = -1, .place = -1 };
    int oldest = 0;
    uint8_t oldest_age = 0;
    for (int i = 0; i < GROUPS_PER_LINE; i++) {
        uint64_t e = l.seen[i] = atomic_load(&at[i]);
        uint8_t second = (uint8_t)(e >> 32), age = (uint8_t)(now - second);
        if (!e || !trk_second_live(second, now)) {
            if (l.place < 0)
                l.place = i;
        } else if (e >> 40 == tag) {
            l.fates |= (uint32_t)e;
            if (l.mine < 0)
                l.mine = i;
        } else if (age <= FILTER_LIFE_S && age >= oldest_age) {
            oldest = i;
            oldest_age = age;
        }
    }
    if (l.mine >= 0)
        l.place = l.mine;
    else if (l.place < 0)
        l.place = oldest | GROUPS_PER_LINE;          /* marked: a live entry has to go */
    return l;
}

/* The fates in every copy but the one at `but`. */
static uint32_t fates_elsewhere(_Atomic uint64_t *at, uint64_t tag, int but, uint8_t now)
{
    uint32_t fates = 0;
    for (int i = 0; i < GROUPS_PER_LINE; i++) {
        uint64_t e = atomic_load(&at[i]);
        if (i != but && e && e >> 40 == tag && trk_second_live((uint8_t)(e >> 32), now))
            fates |= (uint32_t)e;
    }
    return fates;
}

static bool is_free(uint32_t fates, unsigned i) { return !(fates >> 2 * i & 3); }

/* Give fate to those of `wanted` (bit i: number i of the group) that are free. Returns which ones got it by this call;
 * *before: the fates that were found. */
static uint16_t change(struct trk_filter *f, uint64_t hash, uint16_t wanted, enum trk_fate fate, uint64_t now_ms, uint32_t *before)
{
    _Atomic uint64_t *at = trk_group_line(f, hash);
    uint64_t tag = tag_of(hash);
    uint8_t now = trk_second(now_ms);
    for (int tries = 0; tries < FILTER_TRIES; tries++) {
        struct line l = look(at, tag, now);
        uint16_t got = 0;
        uint32_t fates = l.mine >= 0 ? (uint32_t)l.seen[l.mine] : 0;
        *before = l.fates;
        for (unsigned i = 0; i < GROUP_NUMBERS; i++)
            if (wanted >> i & 1 && is_free(l.fates, i)) {
                got |= (uint16_t)(1u << i);
                fates |= (uint32_t)fate << 2 * i;
            }
        if (!got)
            return 0;
        int place = l.place & (GROUPS_PER_LINE - 1);
        if (l.place & GROUPS_PER_LINE)
            trk_filter_raise_floor(f, (uint8_t)(l.seen[place] >> 32), now_ms);
        if (!atomic_compare_exchange_strong(&at[place], &l.seen[place], pack(tag, now, fates)))
            continue;
        uint32_t others = fates_elsewhere(at, tag, place, now);
        for (unsigned i = 0; i < GROUP_NUMBERS; i++)
            if (got >> i & 1 && !is_free(others, i))
                got &= (uint16_t)~(1u << i);         /* another worker was at the same number: neither may have it */
        return got;
    }
    *before = UINT32_MAX;
    return 0;
}

uint64_t trk_filter_spend(struct trk_filter *f, const struct trk_conn_id *id, uint32_t generation, uint64_t k, uint32_t m, uint64_t now_ms)
{
    uint64_t mask = 0;
    uint32_t got_all = 0;
    for (uint64_t n = k; n < k + m;) {
        uint64_t group = n / GROUP_NUMBERS, end = (group + 1) * GROUP_NUMBERS < k + m ? (group + 1) * GROUP_NUMBERS : k + m;
        unsigned first = (unsigned)(n % GROUP_NUMBERS), count = (unsigned)(end - n);
        uint32_t before;
        uint16_t wanted = (uint16_t)(((1u << count) - 1) << first);
        uint16_t got = change(f, trk_filter_hash(f, id, generation, group), wanted, TRK_FATE_SPENT, now_ms, &before);
        mask |= (uint64_t)(got >> first) << (n - k);
        for (; got; got &= (uint16_t)(got - 1))
            got_all++;
        n = end;
    }
    atomic_fetch_add_explicit(&f->spent, got_all, memory_order_relaxed);
    if (got_all < m)
        atomic_fetch_add_explicit(&f->refused, m - got_all, memory_order_relaxed);
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
    return fate_in(look(trk_group_line(f, hash), tag_of(hash), trk_second(now_ms)).fates, n);
}
