/* filter.c - the filter's memory: made, found again, counted. */
#include <string.h>
#include <sodium.h>
#include "serve/filter_state.h"
#include "wire/bytes.h"

_Static_assert(FILTER_LIFE_S + FILTER_AHEAD_S < 240, "an entry's eight bits of seconds must tell live from old");

struct trk_filter *trk_filter_create(void *memory, size_t bytes, uint32_t domain, const uint8_t key[TRK_FILTER_KEY_BYTES])
{
    if (!memory || (uintptr_t)memory % 64 || bytes < TRK_FILTER_BYTES_MIN || !domain)
        return NULL;
    memset(memory, 0, bytes);
    struct trk_filter *f = memory;
    uint64_t lines = (bytes - sizeof *f) / 64;
    f->bytes = bytes;
    f->domain = domain;
    memcpy(f->key, key, sizeof f->key);
    f->word_lines = lines / 4;
    f->group_lines = lines - f->word_lines;
    atomic_thread_fence(memory_order_release);
    f->magic = FILTER_MAGIC;
    return f;
}

struct trk_filter *trk_filter_attach(void *memory, size_t bytes)
{
    struct trk_filter *f = memory;
    if (!memory || (uintptr_t)memory % 64 || bytes < TRK_FILTER_BYTES_MIN || f->magic != FILTER_MAGIC || f->bytes != bytes || !f->domain)
        return NULL;
    uint64_t lines = (bytes - sizeof *f) / 64;
    return f->word_lines == lines / 4 && f->group_lines == lines - lines / 4 ? f : NULL;
}

uint32_t trk_filter_domain(const struct trk_filter *f)
{
    return f->domain;
}

uint64_t trk_filter_hash(const struct trk_filter *f, const struct trk_conn_id *id, uint32_t generation, uint64_t group)
{
    uint8_t in[8 + 4 + 4 + 8], hash[crypto_shorthash_BYTES];
    struct trk_writer w = trk_writer_init(in, sizeof in);
    trk_put(&w, id->h, 8);
    trk_put(&w, id->t, 4);
    trk_put(&w, generation, 4);
    trk_put(&w, group, 8);
    crypto_shorthash(hash, in, sizeof in, f->key);
    uint64_t x;
    memcpy(&x, hash, sizeof x);
    return x;
}

void trk_filter_raise_floor(struct trk_filter *f, uint8_t second, uint64_t now_ms)
{
    uint8_t age = (uint8_t)(trk_second(now_ms) - second);
    if (age >= 256 - FILTER_AHEAD_S)
        age = 0;
    /* The entry spoke for grants sealed up to the end of its second. */
    uint32_t tick = trk_tick(now_ms - (uint64_t)age * 1000 + 1000), old = atomic_load(&f->floor_tick);
    atomic_fetch_add_explicit(&f->evicted, 1, memory_order_relaxed);
    while (!atomic_load(&f->floor_set) || (int32_t)(tick - old) > 0)
        if (atomic_compare_exchange_weak(&f->floor_tick, &old, tick)) {
            atomic_store(&f->floor_set, 1);
            return;
        }
}

bool trk_filter_forgot(const struct trk_filter *f, uint32_t tick)
{
    return atomic_load(&f->floor_set) && (int32_t)(tick - atomic_load(&f->floor_tick)) <= 0;
}

static uint32_t horizon_in_force(const struct trk_filter *f, uint64_t now_ms)
{
    if (!atomic_load(&f->floor_set))
        return TRK_HORIZON_MS;
    int64_t since = trk_age_ms(trk_tick(now_ms), atomic_load(&f->floor_tick)) - TRK_TICK_MS;
    return since < 0 ? 0 : since > TRK_HORIZON_MS ? TRK_HORIZON_MS : (uint32_t)since;
}

void trk_filter_stats(const struct trk_filter *f, uint64_t now_ms, struct trk_filter_stats *out)
{
    uint8_t now = trk_second(now_ms);
    *out = (struct trk_filter_stats){
        .spent = atomic_load(&f->spent), .refused = atomic_load(&f->refused), .lost = atomic_load(&f->lost),
        .evicted = atomic_load(&f->evicted), .groups = f->group_lines * GROUPS_PER_LINE, .words = f->word_lines * WORDS_PER_LINE,
        .horizon_ms = horizon_in_force(f, now_ms),
    };
    for (uint64_t i = 0; i < out->groups; i++) {
        uint64_t e = atomic_load_explicit(&f->lines[i], memory_order_relaxed);
        out->groups_live += e && trk_second_live((uint8_t)(e >> 32), now);
    }
    for (uint64_t i = 0; i < out->words; i++) {      /* the half that holds the second */
        uint64_t e = atomic_load_explicit(&f->lines[f->group_lines * 8 + 2 * i], memory_order_relaxed);
        out->words_live += e && trk_second_live((uint8_t)e, now);
    }
}
