/* filter_state.h - the filter's memory. Private to core/serve/filter*.c. */
#ifndef TRK_SERVE_FILTER_STATE_H
#define TRK_SERVE_FILTER_STATE_H

#include <stdatomic.h>
#include "serve/filter.h"

#define FILTER_MAGIC      0x54724b46696c7431ull      /* "TrKFilt1" */
#define FILTER_LIFE_S     ((TRK_HORIZON_MS + TRK_SKEW_MS) / 1000 + 1)
#define FILTER_AHEAD_S    16                         /* an entry this far in the future is live: another worker's clock */
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
    _Atomic uint32_t floor_tick;
    _Atomic uint32_t floor_set;        /* the floor means something */
    _Alignas(64) _Atomic uint64_t spent, refused, lost, evicted;
    _Alignas(64) _Atomic uint64_t lines[];           /* 8 to a cache line */
};

static inline _Atomic uint64_t *trk_group_line(const struct trk_filter *f, uint64_t hash)
{
    return (_Atomic uint64_t *)&f->lines[(hash % f->group_lines) * 8];
}
static inline trk_u128 *trk_word_line(const struct trk_filter *f, uint64_t hash)
{
    return (trk_u128 *)&f->lines[(f->group_lines + hash % f->word_lines) * 8];
}

/* Seconds of an entry, eight or more bits that wrap: how old, and whether it still counts. */
static inline bool trk_second_live(uint8_t then, uint8_t now)
{
    uint8_t age = (uint8_t)(now - then);
    return age <= FILTER_LIFE_S || age >= 256 - FILTER_AHEAD_S;
}
static inline uint8_t trk_second(uint64_t now_ms) { return (uint8_t)(now_ms / 1000); }

uint64_t trk_filter_hash(const struct trk_filter *f, const struct trk_conn_id *id, uint32_t generation, uint64_t group);
/* An entry last touched `second` is about to be forgotten. */
void trk_filter_raise_floor(struct trk_filter *f, uint8_t second, uint64_t now_ms);

#endif
