/* replay_filter.h - what the tests of the replay filter share: a filter in memory of its own, a connection, a time. */
#ifndef TRK_TEST_REPLAY_FILTER_H
#define TRK_TEST_REPLAY_FILTER_H

#include "unit.h"
#include <string.h>
#include "serve/filter.h"

#define FILTER_NOW_MS  1700000000000ull
#define FILTER_LIFE_MS ((TRK_HORIZON_MS + TRK_SKEW_MS) + 2000ull)      /* after this an entry is dead for certain */
#define FILTER_DOMAIN  0xd0d0

static _Alignas(64) uint8_t filter_memory[TRK_FILTER_BYTES_MIN];
static const uint8_t filter_key[TRK_FILTER_KEY_BYTES] = "a key for tests";
static struct trk_filter *filter;
static uint64_t now_ms;
static const struct trk_conn_id conn = { 0x1122334455667788u, 77 };

static inline uint64_t who_is(uint64_t h, uint32_t t)
{
    struct trk_conn_id id = { h, t };
    return trk_filter_who(filter, &id);
}

static inline void fresh_filter(void)
{
    memset(filter_memory, 0xee, sizeof filter_memory);
    filter = trk_filter_create(filter_memory, sizeof filter_memory, FILTER_DOMAIN, filter_key);
    ck_assert_ptr_nonnull(filter);
    now_ms = FILTER_NOW_MS;
}

static inline uint64_t spend(uint32_t generation, uint64_t k, uint32_t m) { return trk_filter_spend(filter, who_is(conn.h, conn.t), generation, k, m, now_ms); }
static inline enum trk_fate lose(uint32_t generation, uint64_t n) { return trk_filter_lose(filter, who_is(conn.h, conn.t), generation, n, now_ms); }
static inline enum trk_fate fate(uint32_t generation, uint64_t n) { return trk_filter_fate(filter, who_is(conn.h, conn.t), generation, n, now_ms); }
static inline bool raise_word(uint32_t generation, uint64_t high, bool strictly) { return trk_filter_raise(filter, who_is(conn.h, conn.t), NULL, generation, high, strictly, now_ms); }
static inline struct trk_filter_word word(void) { return trk_filter_look(filter, who_is(conn.h, conn.t), now_ms); }
static inline struct trk_filter_stats stats(void)
{
    struct trk_filter_stats s;
    trk_filter_stats(filter, now_ms, &s);
    return s;
}
static inline bool forgot_ms(uint64_t sealed_ms) { return trk_filter_forgot(filter, trk_tick(sealed_ms), now_ms); }

#endif
