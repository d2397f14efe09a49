/* filter_state.h - the filter's memory. Private to core/serve/filter*.c. */
#ifndef TRK_SERVE_FILTER_STATE_H
#define TRK_SERVE_FILTER_STATE_H

#include <stdatomic.h>
#include "serve/filter.h"

#define FILTER_MAGIC      0x54724b46696c7433ull      /* "TrKFilt3" */
#define FILTER_LIFE_S     ((TRK_HORIZON_MS + TRK_SKEW_MS) / 1000 + 1)
#define FILTER_AHEAD_S    16                         /* an entry this far in the future is live: another worker's time */
#define FILTER_BACK_S     (TRK_HORIZON_MS / 1000)    /* a clock that went back further is believed */
#define FILTER_TRIES      16
#define FILTER_COUNTS     16                         /* cache lines of counters, so that workers do not meet at one */
#define FILTER_BYTES_MAX  (1ull << 37)              /* lines are numbered by 32 bits */
#define GROUP_NUMBERS     16
#define GROUPS_PER_LINE   8
#define WORDS_PER_LINE    4

__extension__ typedef unsigned __int128 __attribute__((may_alias)) trk_u128;

struct trk_filter {                    /* one header page-let, then group lines, then word lines */
    uint64_t magic, bytes;
    uint32_t domain;
    uint8_t  key[TRK_FILTER_KEY_BYTES];
    uint64_t group_lines, word_lines;
    _Alignas(64) _Atomic uint64_t floor_ms;          /* 0: nothing was evicted yet */
    _Atomic uint64_t newest_s;         /* the filter's time */
    struct trk_filter_counts { _Alignas(64) _Atomic uint64_t spent, refused, lost, evicted; } counts[FILTER_COUNTS];
    _Alignas(64) _Atomic uint64_t lines[];           /* 8 to a cache line */
};

/* Seconds of an entry, eight bits that wrap: how old it is, negative for one of another worker that is ahead of us. */
static inline int trk_second_age(uint8_t then, uint8_t now)
{
    uint8_t age = (uint8_t)(now - then);
    return age >= 256 - FILTER_AHEAD_S ? age - 256 : age;
}
static inline bool trk_second_live(uint8_t then, uint8_t now) { return (uint8_t)(now - then + FILTER_AHEAD_S) <= FILTER_LIFE_S + FILTER_AHEAD_S; }

/* Good bits from a secret and a counter (the finalizer of splitmix64): who does not know the secret cannot aim. */
static inline uint64_t trk_filter_mix(uint64_t x)
{
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
    x = (x ^ x >> 27) * 0x94d049bb133111ebull;
    return x ^ x >> 31;
}

static inline struct trk_filter_counts *trk_filter_counts_of(struct trk_filter *f, uint64_t who) { return &f->counts[who % FILTER_COUNTS]; }

/* The two lines, not the same one, in which an entry with this hash may stand. 1 < n_lines < 2^32. Tags are the hash's
 * upper bits. */
struct trk_filter_lines { uint64_t first, second; };
static inline struct trk_filter_lines trk_filter_lines(uint64_t hash, uint64_t n_lines)
{
    uint64_t first = (hash & UINT32_MAX) * n_lines >> 32, second = (hash * 0x9e3779b97f4a7c15ull >> 32) * n_lines >> 32;
    return (struct trk_filter_lines){ first, second != first ? second : first + 1 < n_lines ? first + 1 : 0 };
}

/* (The compiler's own would be a call into its library, where the CPU is not known to have one.) */
static inline uint32_t trk_filter_ones(uint64_t x)
{
    x -= x >> 1 & 0x5555555555555555u;
    x = (x & 0x3333333333333333u) + (x >> 2 & 0x3333333333333333u);
    x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fu;
    return (uint32_t)(x * 0x0101010101010101u >> 56);
}

/* Where a new entry goes: bit i of `live` tells of place i of 2 * each, of which the first half is in one line. Into the
 * emptier line; -1 if both are full of live ones. */
static inline int trk_filter_spare(unsigned live, unsigned each)
{
    unsigned all = (1u << each) - 1, spare[2] = { ~live & all, ~live >> each & all };
    unsigned line = trk_filter_ones(spare[1]) > trk_filter_ones(spare[0]);
    return spare[line] ? (int)(line * each) + __builtin_ctz(spare[line]) : -1;
}

/* Have the memory fetched in which k .. k+m-1, or the word, may stand. */
void trk_filter_expect_numbers(const struct trk_filter *f, uint64_t who, uint32_t generation, uint64_t k, uint32_t m);
void trk_filter_expect_word(const struct trk_filter *f, uint64_t who);

/* The filter's time in seconds: that of the clock, but as far as any worker has seen it. */
uint64_t trk_filter_set_clock(struct trk_filter *f, uint64_t now_ms);
static inline uint64_t trk_filter_clock(struct trk_filter *f, uint64_t now_ms)
{
    uint64_t now = now_ms / 1000;
    return now == atomic_load(&f->newest_s) ? now : trk_filter_set_clock(f, now_ms);
}
/* A live entry last touched in this second of the filter's time is about to be forgotten. */
void trk_filter_evict(struct trk_filter *f, uint8_t second, uint64_t clock_s);

#endif
