/* filter_state.h - the filter's memory. Private to core/serve/filter*.c. */
#ifndef TRK_SERVE_FILTER_STATE_H
#define TRK_SERVE_FILTER_STATE_H

#include <stdatomic.h>
#include "serve/filter.h"

#define FILTER_MAGIC      0x54724b46696c7432ull      /* "TrKFilt2" */
#define FILTER_LIFE_S     ((TRK_HORIZON_MS + TRK_SKEW_MS) / 1000 + 1)
#define FILTER_AHEAD_S    16                         /* an entry this far in the future is live: another worker's time */
#define FILTER_BACK_S     (TRK_HORIZON_MS / 1000)    /* a clock that went back further is believed */
#define FILTER_TRIES      16
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
    _Alignas(64) _Atomic uint64_t spent, refused, lost, evicted;
    _Alignas(64) _Atomic uint64_t lines[];           /* 8 to a cache line */
};

/* Seconds of an entry, eight bits that wrap: how old it is, negative for one of another worker that is ahead of us. */
static inline int trk_second_age(uint8_t then, uint8_t now)
{
    uint8_t age = (uint8_t)(now - then);
    return age >= 256 - FILTER_AHEAD_S ? age - 256 : age;
}
static inline bool trk_second_live(uint8_t then, uint8_t now) { return trk_second_age(then, now) <= FILTER_LIFE_S; }

/* The filter's time in seconds: that of the clock, but as far as any worker has seen it. */
uint64_t trk_filter_clock(struct trk_filter *f, uint64_t now_ms);
uint64_t trk_filter_hash(const struct trk_filter *f, const struct trk_conn_id *id, uint32_t generation, uint64_t group);
/* A live entry last touched in this second of the filter's time is about to be forgotten. */
void trk_filter_evict(struct trk_filter *f, uint8_t second, uint64_t clock_s);

#endif
