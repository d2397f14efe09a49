/* filter.c - the filter's memory: made, found again, its time and its floor. */
#include <string.h>
#include "serve/filter_state.h"

_Static_assert(FILTER_LIFE_S + FILTER_AHEAD_S < 240, "an entry's eight bits of seconds must tell live from old");

struct trk_filter *trk_filter_create(void *memory, size_t bytes, uint32_t domain, const uint8_t key[TRK_FILTER_KEY_BYTES])
{
    if (!memory || (uintptr_t)memory % 64 || bytes < TRK_FILTER_BYTES_MIN || bytes > FILTER_BYTES_MAX || !domain)
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

/* Nobody but the servers' keys chooses h, and nobody ever sees where an entry stands: good mixing under a secret is enough
 * against aiming at a line. */
uint64_t trk_filter_who(const struct trk_filter *f, const struct trk_conn_id *id)
{
    uint64_t key[2];
    memcpy(key, f->key, sizeof key);
    return trk_filter_mix(trk_filter_mix(id->h ^ key[0]) ^ key[1] ^ id->t);
}

void trk_filter_expect(const struct trk_filter *f, const struct trk_request *r)
{
    uint64_t who = trk_filter_who(f, &r->id);
    trk_filter_expect_word(f, who);
    for (unsigned p = 0; p < r->n_parts; p++) {
        const struct trk_part *part = &r->parts[p];
        trk_filter_expect_numbers(f, who, r->generation, part->k, part->m);
        if (part->n_ranges > 1)        /* the first loss, if nothing before it was */
            trk_filter_expect_numbers(f, who, r->generation, part->ranges[0].right + 1, 1);
    }
}

/* ---------------- time and the floor ---------------- */

static void raise_floor(struct trk_filter *f, uint64_t to_ms)
{
    uint64_t old = atomic_load(&f->floor_ms);
    while (to_ms > old && !atomic_compare_exchange_weak(&f->floor_ms, &old, to_ms))
        ;
}

/* While a clock that was set back catches up, the filter's time stands still, so no entry dies early. What went back by
 * more than the horizon would take too long: then all that was sealed before the jump, and could be spent after it, is
 * forgotten at once. (What was sealed before and is too far ahead now may be spent again, once, when the clock gets there:
 * who sets clocks back by minutes starts with a new filter.) */
uint64_t trk_filter_set_clock(struct trk_filter *f, uint64_t now_ms)
{
    uint64_t now = now_ms / 1000, newest = atomic_load(&f->newest_s);
    while (now > newest || now + FILTER_BACK_S < newest) {
        if (now < newest)
            atomic_store(&f->floor_ms, now_ms + TRK_SKEW_MS + 1000);       /* a floor of the wrong time would stay for as long */
        if (atomic_compare_exchange_weak(&f->newest_s, &newest, now))
            return now;
    }
    return newest;
}

/* The entry spoke for grants sealed up to the end of its second. */
void trk_filter_evict(struct trk_filter *f, uint8_t second, uint64_t clock_s)
{
    atomic_fetch_add_explicit(&f->counts[0].evicted, 1, memory_order_relaxed);
    raise_floor(f, (uint64_t)((int64_t)clock_s - trk_second_age(second, (uint8_t)clock_s)) * 1000 + 999);
}

bool trk_filter_forgot(const struct trk_filter *f, uint32_t tick, uint64_t now_ms)
{
    int64_t age_ms = trk_age_ms(trk_tick(now_ms), tick);
    if (age_ms > TRK_HORIZON_MS + TRK_SKEW_MS || TRK_TICK_MS - age_ms > TRK_SKEW_MS)
        return true;                   /* a server of its own horizon or skew: entries do not live so long */
    int64_t sealed_ms = (int64_t)now_ms - age_ms;    /* a tick early, to be on the safe side */
    return sealed_ms <= (int64_t)atomic_load(&f->floor_ms);
}

/* ---------------- counters ---------------- */

static uint32_t horizon_in_force(const struct trk_filter *f, uint64_t now_ms)
{
    uint64_t floor = atomic_load(&f->floor_ms);
    if (now_ms <= floor)
        return 0;
    return now_ms - floor < TRK_HORIZON_MS ? (uint32_t)(now_ms - floor) : TRK_HORIZON_MS;
}

void trk_filter_stats(const struct trk_filter *f, uint64_t now_ms, struct trk_filter_stats *out)
{
    uint64_t newest = atomic_load(&f->newest_s);
    uint8_t now = (uint8_t)(now_ms / 1000 > newest ? now_ms / 1000 : newest);
    *out = (struct trk_filter_stats){
        .groups = f->group_lines * GROUPS_PER_LINE, .words = f->word_lines * WORDS_PER_LINE, .horizon_ms = horizon_in_force(f, now_ms),
    };
    for (unsigned i = 0; i < FILTER_COUNTS; i++) {
        out->spent += atomic_load(&f->counts[i].spent);
        out->refused += atomic_load(&f->counts[i].refused);
        out->lost += atomic_load(&f->counts[i].lost);
        out->evicted += atomic_load(&f->counts[i].evicted);
    }
    for (uint64_t i = 0; i < out->groups; i++) {
        uint64_t e = atomic_load_explicit(&f->lines[i], memory_order_relaxed);
        out->groups_live += e && trk_second_live((uint8_t)(e >> 32), now);
    }
    for (uint64_t i = 0; i < out->words; i++) {      /* the half that holds the second */
        uint64_t e = atomic_load_explicit(&f->lines[f->group_lines * 8 + 2 * i], memory_order_relaxed);
        out->words_live += e && trk_second_live((uint8_t)e, now);
    }
}
