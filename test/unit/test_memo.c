/* test_memo.c - the memo of opened continuations: whatever it holds or drops, opening gives the same. */
#include <stdlib.h>
#include <string.h>
#include "random.h"
#include "tcb/memo.h"
#include "unit.h"

#define CONTS 400

static struct trk_keys plain, memoized;
static struct trk_memo_stats stats;
static _Alignas(8) uint8_t memory[64 * 1024];

static void add_epoch(uint8_t epoch, enum trk_epoch_state state)
{
    uint8_t master[TRK_MASTER_BYTES];
    memset(master, epoch, sizeof master);
    trk_keys_add(&plain, epoch, state, master);
    trk_keys_add(&memoized, epoch, state, master);
}

static void setup(void)
{
    trk_keys_init(&plain);
    trk_keys_init(&memoized);
    add_epoch(1, TRK_EPOCH_CURRENT);
    memset(&stats, 0, sizeof stats);
    memoized.memo = trk_memo_create(memory, sizeof memory, &stats);
    ck_assert_ptr_nonnull(memoized.memo);
}

struct sealed { struct trk_conn_id id; struct trk_ucont_view view; uint8_t bytes[TRK_UCONT_MAX]; };

static void make(struct sealed *s, uint64_t *seed, size_t longest)
{
    struct trk_ucont u = { .type = TRK_UCONT_OUTPUT, .flags = (uint8_t)(random_next(seed) % 2 * TRK_UCONT_ENCRYPTED) };
    s->id = (struct trk_conn_id){ random_next(seed), (uint32_t)random_next(seed) };
    u.first = random_next(seed) % 1000;
    u.second = u.first + random_next(seed) % 1000;
    u.opaque_bytes = (uint16_t)(random_next(seed) % (longest + 1));
    for (size_t i = 0; i < u.opaque_bytes; i++)
        u.opaque[i] = (uint8_t)random_next(seed);
    uint32_t n = (uint32_t)trk_ucont_seal(trk_keys_current(&plain), &s->id, &u, s->bytes, sizeof s->bytes);
    s->view = (struct trk_ucont_view){ .type = u.type, .flags = u.flags, .epoch = 1, .opaque_bytes = u.opaque_bytes, .first = u.first,
                                       .second = u.second, .bytes = s->bytes, .total_bytes = n };
}

/* Equal with and without. */
static enum trk_verdict open_both(const struct sealed *s)
{
    struct trk_ucont a, b;
    memset(&a, 0xaa, sizeof a);
    memset(&b, 0xaa, sizeof b);
    enum trk_verdict v = trk_ucont_open(&plain, &s->id, &s->view, &a);
    ck_assert_int_eq(v, trk_ucont_open(&memoized, &s->id, &s->view, &b));
    if (v == TRK_V_ACCEPTED) {
        ck_assert(a.type == b.type && a.flags == b.flags && a.first == b.first && a.second == b.second && a.opaque_bytes == b.opaque_bytes);
        ck_assert_mem_eq(a.opaque, b.opaque, a.opaque_bytes);
    }
    return v;
}

START_TEST(it_changes_nothing)
{
    static struct sealed all[CONTS];
    uint64_t seed = 1;
    setup();
    for (size_t i = 0; i < CONTS; i++)
        make(&all[i], &seed, TRK_OPAQUE_MAX);
    for (int round = 0; round < 50000; round++) {
        struct sealed *s = &all[random_next(&seed) % CONTS];
        switch (random_next(&seed) % 8) {
        case 0:
            trk_memo_drop(memoized.memo, random_next(&seed));
            break;
        case 1: {                      /* what was changed anywhere opens in neither */
            struct sealed t = *s;
            t.view.bytes = t.bytes;
            t.bytes[TRK_UCONT_HEADER + random_next(&seed) % (t.view.total_bytes - TRK_UCONT_HEADER)] ^= (uint8_t)(1 << random_next(&seed) % 8);
            ck_assert_int_eq(open_both(&t), TRK_V_BAD_CONTINUATION);
            t = *s;
            t.view.second++;
            ck_assert_int_eq(open_both(&t), TRK_V_BAD_CONTINUATION);
            t = *s;
            t.id.t++;
            ck_assert_int_eq(open_both(&t), TRK_V_BAD_CONTINUATION);
            break;
        }
        default:
            ck_assert_int_eq(open_both(s), TRK_V_ACCEPTED);
        }
    }
    ck_assert_uint_gt(stats.hits, 1000);
    ck_assert_uint_gt(stats.misses, 1000);
    ck_assert_uint_gt(stats.saved, 1000 * TRK_UCONT_HEADER);
}
END_TEST

START_TEST(what_was_opened_is_found_again)
{
    struct sealed s;
    uint64_t seed = 2;
    setup();
    make(&s, &seed, 100);
    s.view.bytes = s.bytes;
    for (int i = 0; i < 10; i++)
        open_both(&s);
    ck_assert_uint_eq(stats.hits, 9);
    ck_assert_uint_eq(stats.misses, 1);
    ck_assert_uint_eq(stats.entries, 1);
    ck_assert_uint_eq(stats.saved, 9 * s.view.total_bytes);
}
END_TEST

/* A key that is gone opens nothing any more, once the memo is emptied as it must be. */
START_TEST(other_keys_open_nothing)
{
    struct sealed s;
    uint64_t seed = 3;
    setup();
    make(&s, &seed, 100);
    s.view.bytes = s.bytes;
    ck_assert_int_eq(open_both(&s), TRK_V_ACCEPTED);
    trk_keys_init(&plain);
    trk_keys_init(&memoized);
    add_epoch(2, TRK_EPOCH_CURRENT);
    memoized.memo = (struct trk_memo *)(void *)memory;
    trk_memo_clear(memoized.memo);
    ck_assert_uint_eq(stats.entries, 0);
    ck_assert_int_eq(open_both(&s), TRK_V_RETIRED_EPOCH);
}
END_TEST

START_TEST(it_is_bounded)
{
    setup();
    ck_assert_ptr_null(trk_memo_create(memory, TRK_MEMO_BYTES_MIN - 1, &stats));
    ck_assert_ptr_null(trk_memo_create(memory + 1, sizeof memory - 8, &stats));
    ck_assert_ptr_null(trk_memo_create(NULL, sizeof memory, &stats));
    /* Never more than its memory holds, and not a byte behind it. */
    uint8_t *tight = malloc(TRK_MEMO_BYTES_MIN);
    memoized.memo = trk_memo_create(tight, TRK_MEMO_BYTES_MIN, &stats);
    uint64_t seed = 4;
    for (int i = 0; i < 1000; i++) {
        struct sealed s;
        make(&s, &seed, TRK_OPAQUE_MAX);
        s.view.bytes = s.bytes;
        open_both(&s);
    }
    ck_assert_uint_le(stats.entries, TRK_MEMO_BYTES_MIN / TRK_MEMO_SEALED_MAX);
    ck_assert_uint_gt(stats.entries, 2);
    free(tight);
}
END_TEST

UNIT_MAIN("memo", it_changes_nothing, what_was_opened_is_found_again, other_keys_open_nothing, it_is_bounded)
