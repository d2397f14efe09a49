/* test_replay_filter.c - the filter's memory: fates, words, what expires, what is evicted, clocks that step. */
#include "unit.h"
#include "replay_filter.h"

/* ---------------- fates ---------------- */

START_TEST(a_number_is_spent_once)
{
    fresh_filter();
    ck_assert_int_eq(fate(0, 5), TRK_FATE_FREE);
    ck_assert_uint_eq(spend(0, 5, 1), 1);
    ck_assert_int_eq(fate(0, 5), TRK_FATE_SPENT);
    ck_assert_uint_eq(spend(0, 5, 1), 0);
    ck_assert_uint_eq(spend(1, 5, 1), 1);            /* another generation's number */
    ck_assert_uint_eq(trk_filter_spend(filter, who_is(conn.h + 1, conn.t), 0, 5, 1, now_ms), 1);
    ck_assert_uint_eq(trk_filter_spend(filter, who_is(conn.h, conn.t + 1), 0, 5, 1, now_ms), 1);
    struct trk_filter_stats s = stats();
    ck_assert_uint_eq(s.spent, 4);
    ck_assert_uint_eq(s.refused, 1);
    ck_assert_uint_eq(s.groups_live, 4);
}
END_TEST

START_TEST(spent_and_lost_exclude_each_other)
{
    fresh_filter();
    ck_assert_int_eq(lose(0, 7), TRK_FATE_FREE);
    ck_assert_int_eq(lose(0, 7), TRK_FATE_LOST);
    ck_assert_uint_eq(spend(0, 7, 1), 0);
    ck_assert_int_eq(fate(0, 7), TRK_FATE_LOST);
    ck_assert_uint_eq(spend(0, 8, 1), 1);
    ck_assert_int_eq(lose(0, 8), TRK_FATE_SPENT);
    ck_assert_int_eq(fate(0, 8), TRK_FATE_SPENT);
    ck_assert_uint_eq(stats().lost, 1);
}
END_TEST

/* Groups hold 16 numbers: every alignment, every length up to 64, beside a plain array. */
START_TEST(runs_across_groups)
{
    for (uint32_t m = 1; m <= 64; m++) {
        fresh_filter();
        uint8_t model[200] = { 0 };
        uint32_t random = m;
        for (int i = 0; i < 40; i++) {
            random = random * 1664525u + 1013904223u;
            uint64_t k = 1 + (random >> 8) % 128, expected = 0;
            if (random >> 30 == 0) {
                enum trk_fate before = lose(3, k);
                ck_assert_int_eq(before, model[k]);
                if (!model[k])
                    model[k] = TRK_FATE_LOST;
                continue;
            }
            for (uint32_t j = 0; j < m; j++)
                if (!model[k + j]) {
                    model[k + j] = TRK_FATE_SPENT;
                    expected |= 1ull << j;
                }
            ck_assert_uint_eq(spend(3, k, m), expected);
        }
        for (uint64_t n = 0; n < 200; n++)
            ck_assert_int_eq(fate(3, n), model[n]);
    }
}
END_TEST

START_TEST(numbers_at_the_ends_of_the_space)
{
    fresh_filter();
    ck_assert_uint_eq(spend(UINT32_MAX, TRK_NUMBER_MAX - 63, 64), UINT64_MAX);
    ck_assert_uint_eq(spend(UINT32_MAX, TRK_NUMBER_MAX, 1), 0);
    ck_assert_uint_eq(spend(0, 0, 1), 1);
    ck_assert_int_eq(fate(0, 1), TRK_FATE_FREE);
}
END_TEST

/* ---------------- expiry ---------------- */

/* For as long as a grant can be spent its number is remembered; a touched group lives anew. */
START_TEST(entries_live_for_horizon_and_skew)
{
    fresh_filter();
    for (uint64_t age = 0; age <= TRK_HORIZON_MS + TRK_SKEW_MS; age += 250) {
        fresh_filter();
        now_ms += age % 1000;
        spend(0, 5, 1);
        raise_word(4, 9, true);
        now_ms += age;
        ck_assert_uint_eq(spend(0, 5, 1), 0);
        ck_assert(word().known);
    }
    now_ms += FILTER_LIFE_MS;
    ck_assert_int_eq(fate(0, 5), TRK_FATE_FREE);
    ck_assert(!word().known);
    ck_assert_uint_eq(spend(0, 5, 1), 1);            /* and its place is used again */
    ck_assert_uint_eq(stats().groups_live, 1);
    now_ms += 50000;
    ck_assert_uint_eq(spend(0, 6, 1), 1);            /* the same group */
    now_ms += 50000;
    ck_assert_uint_eq(spend(0, 5, 1), 0);
}
END_TEST

/* An entry's second has eight bits: they wrap after 256 s, and what is dead must not hurt the living then. */
START_TEST(the_second_wraps)
{
    fresh_filter();
    for (int round = 0; round < 600; round++) {
        uint64_t n = 1000 + 16 * (uint64_t)round;
        ck_assert_uint_eq(spend(0, n, 1), 1);
        ck_assert_uint_eq(spend(0, n, 1), 0);
        ck_assert(raise_word(0, n, false));
        for (int back = 1; back <= 70 && back <= round; back++)
            ck_assert_int_eq(fate(0, n - 16 * (uint64_t)back), TRK_FATE_SPENT);
        now_ms += 1000;
    }
    struct trk_filter_stats s = stats();
    ck_assert_uint_eq(s.evicted, 0);
    ck_assert_uint_le(s.groups_live, 280);           /* 77 s of them, and those of 256 and 512 s ago that look young again */
    ck_assert_uint_eq(s.horizon_ms, TRK_HORIZON_MS);
    ck_assert(!forgot_ms(now_ms - 1000));
}
END_TEST

/* ---------------- clocks that step ---------------- */

/* Whatever the clock does: a number whose grant passes (neither too old, nor ahead, nor forgotten) is spent once. The
 * grant was sealed, by this clock, before the step; its number is spent before it, and again after it. */
static void step_once(int64_t step_ms, uint64_t held_ms, uint64_t later_ms)
{
    fresh_filter();
    uint32_t tick = trk_tick(now_ms);
    now_ms += held_ms;
    ck_assert(!trk_filter_forgot(filter, tick, now_ms));
    ck_assert_uint_eq(spend(0, 5, 1), 1);
    ck_assert(raise_word(2, 5, true));
    now_ms = (uint64_t)((int64_t)now_ms + step_ms);
    spend(9, 100, 1);                                /* somebody else's request sees the step */
    now_ms += later_ms;
    bool again = spend(0, 5, 1), known = word().known;
    int64_t age = trk_age_ms(trk_tick(now_ms), tick);
    bool in_time = age <= TRK_HORIZON_MS && TRK_TICK_MS - age <= TRK_SKEW_MS;
    if (step_ms < -TRK_HORIZON_MS && step_ms + (int64_t)held_ms < -TRK_SKEW_MS)
        return;                                      /* too far ahead at the jump: filter.c says what becomes of it */
    if (in_time && !trk_filter_forgot(filter, tick, now_ms))
        ck_assert_msg(!again && known, "step %lld, held %llu, later %llu", (long long)step_ms, (unsigned long long)held_ms, (unsigned long long)later_ms);
}

START_TEST(clocks_that_step)
{
    static const int64_t steps[] = { -10000000, -400000, -256000, -90000, -61000, -60000, -59000, -31000, -16500, -15000, -14900, -3000, -999, -1,
                                     1, 999, 3000, 50000, 60000, 76000, 90000, 240000, 256000, 300000, 512000, 10000000 };
    static const uint64_t times[] = { 0, 10, 900, 5000, 20000, 59000 }, later[] = { 0, 10, 900, 20000, 60000, 76000, 250000 };
    for (size_t s = 0; s < sizeof steps / sizeof *steps; s++)
        for (size_t h = 0; h < sizeof times / sizeof *times; h++)
            for (size_t l = 0; l < sizeof later / sizeof *later; l++)
                step_once(steps[s], times[h], later[l]);
}
END_TEST

/* Back by more than the horizon: a restart is honoured at once, numbers are spent again after the skew, and what was spent
 * before the jump is not spent a second time before the clock gets back to where it was. */
START_TEST(a_clock_set_back_stops_nobody)
{
    static const uint64_t jumps[] = { 60001, 61000, 76000, 256000, 600000, 86400000, 34560000000ull };
    for (size_t i = 0; i < sizeof jumps / sizeof *jumps; i++) {
        fresh_filter();
        uint64_t was = now_ms;
        uint32_t tick = trk_tick(now_ms);
        ck_assert_uint_eq(spend(0, 5, 1), 1);
        ck_assert(raise_word(1, 5, true));
        now_ms -= jumps[i];
        struct trk_filter_word w = word();
        ck_assert(trk_filter_raise_from(filter, who_is(conn.h, conn.t), &w, 2, 100, now_ms));
        ck_assert(word().known && word().generation == 2);
        now_ms += TRK_SKEW_MS + 2000;
        ck_assert(!forgot_ms(now_ms - 100));
        ck_assert_uint_eq(spend(2, 101, 4), 15);
        ck_assert_uint_eq(spend(2, 101, 4), 0);
        for (; now_ms + TRK_SKEW_MS + 100 < was; now_ms += jumps[i] / 50 + 1)
            ck_assert(trk_filter_forgot(filter, tick, now_ms));
    }
}
END_TEST

/* Forward by much, then back: entries died meanwhile, and their places were used. */
START_TEST(a_clock_that_jumps_and_returns)
{
    for (int64_t jump = 70000; jump <= 700000; jump += 35000) {
        fresh_filter();
        uint32_t tick = trk_tick(now_ms);
        spend(0, 5, 1);
        now_ms += (uint64_t)jump;
        for (uint64_t n = 0; n < 20000; n++)
            spend(9, 16 * n, 1);
        now_ms -= (uint64_t)jump;
        bool again = spend(0, 5, 1);
        ck_assert(!again || trk_filter_forgot(filter, tick, now_ms));
        now_ms += 2 * TRK_SKEW_MS;                   /* and it does not last for ever */
        if (jump > 2 * TRK_HORIZON_MS)
            ck_assert(!forgot_ms(now_ms));
    }
}
END_TEST

START_TEST(a_floor_does_not_outlive_its_use)
{
    fresh_filter();
    for (uint64_t n = 0; n < 20000; n++)             /* more than there is room for */
        spend(0, 16 * n, 1);
    ck_assert_uint_gt(stats().evicted, 0);
    ck_assert(forgot_ms(now_ms));
    ck_assert_uint_eq(stats().horizon_ms, 0);
    uint64_t from = now_ms;
    for (uint64_t years = 0; years <= 5 * 365; years++) {                 /* ticks wrap after two years */
        now_ms = from + 1100 + years * 86400000ull;
        ck_assert(!forgot_ms(now_ms));
        ck_assert(forgot_ms(now_ms - 100000));       /* too old for any filter */
        ck_assert(forgot_ms(now_ms + 20000));        /* too far ahead */
    }
}
END_TEST

/* ---------------- eviction ---------------- */

/* Each number spent once only, or its grant is forgotten by then; the horizon in force says how much is left. */
START_TEST(eviction_raises_the_floor_first)
{
    enum { NUMBERS = 60000, STEP_MS = 5 };
    fresh_filter();
    uint64_t start = now_ms, refound = 0;
    for (uint64_t i = 0; i < NUMBERS; i++, now_ms += STEP_MS) {
        ck_assert_uint_eq(spend(0, 16 * i, 1), 1);
        if (i % 7)
            continue;
        for (uint64_t back = 1; back <= i && back * STEP_MS < TRK_HORIZON_MS; back = back * 5 / 4 + 1) {
            uint64_t sealed = start + (i - back) * STEP_MS;                /* at best just before it was spent */
            if (forgot_ms(sealed))
                continue;
            refound++;
            ck_assert_int_eq(fate(0, 16 * (i - back)), TRK_FATE_SPENT);
        }
    }
    struct trk_filter_stats s = stats();
    ck_assert_uint_gt(s.evicted, 1000);
    ck_assert_uint_gt(refound, 10000);
    ck_assert_uint_lt(s.horizon_ms, TRK_HORIZON_MS);
    ck_assert_uint_gt(s.horizon_ms, s.groups * STEP_MS / 2);               /* the oldest of two lines goes, not the oldest of all */
    ck_assert(!forgot_ms(now_ms - s.horizon_ms / 2));
    ck_assert(forgot_ms(now_ms - s.horizon_ms - 20));
}
END_TEST

static uint64_t some(uint64_t i) { return who_is(i * 0x9e3779b97f4a7c15u, (uint32_t)i); }

/* The same for words: one is either known or all that it spoke for is forgotten. */
START_TEST(evicted_words_raise_the_floor)
{
    fresh_filter();
    enum { CONNS = 3000 };
    static uint64_t touched[CONNS];
    for (uint64_t i = 0; i < CONNS; i++, now_ms += 20) {
        touched[i] = now_ms;
        ck_assert(trk_filter_raise(filter, some(i), NULL, 5, 100, true, now_ms));
    }
    unsigned known = 0;
    for (uint64_t i = 0; i < CONNS; i++) {
        struct trk_filter_word w = trk_filter_look(filter, some(i), now_ms);
        known += w.known;
        ck_assert(w.known || forgot_ms(touched[i]));
        ck_assert(!w.known || (w.generation == 5 && w.high == 100));
    }
    ck_assert_uint_gt(stats().evicted, 0);
    ck_assert_uint_gt(known, stats().words * 3 / 4);
    ck_assert_uint_le(known, stats().words);
}
END_TEST

/* All connections in use at a quarter of the capacity: none may be driven out, or everybody would only restart. */
START_TEST(a_quarter_of_the_words_is_safe)
{
    for (uint8_t seed = 0; seed < 20; seed++) {
        uint8_t key[TRK_FILTER_KEY_BYTES] = { seed };
        fresh_filter();
        filter = trk_filter_create(filter_memory, sizeof filter_memory, FILTER_DOMAIN, key);
        uint64_t quarter = stats().words / 4;
        for (int second = 0; second < 3; second++, now_ms += 1000)
            for (uint64_t i = 0; i < quarter; i++) {
                        ck_assert(trk_filter_raise(filter, some(i), NULL, 5, 100, false, now_ms));
            }
        ck_assert_uint_eq(stats().words_live, quarter);
        ck_assert_uint_eq(stats().evicted, 0);
    }
}
END_TEST

START_TEST(half_of_the_groups_is_safe)
{
    for (uint8_t seed = 0; seed < 20; seed++) {
        uint8_t key[TRK_FILTER_KEY_BYTES] = { seed };
        fresh_filter();
        filter = trk_filter_create(filter_memory, sizeof filter_memory, FILTER_DOMAIN, key);
        uint64_t half = stats().groups / 2;
        for (uint64_t i = 0; i < half; i++)
            ck_assert_uint_eq(spend(0, 16 * i, 16), 0xffff);
        ck_assert_uint_eq(stats().groups_live, half);
        ck_assert_uint_eq(stats().evicted, 0);
        ck_assert_uint_eq(stats().horizon_ms, TRK_HORIZON_MS);
    }
}
END_TEST

/* ---------------- words ---------------- */

START_TEST(the_word_only_rises)
{
    fresh_filter();
    ck_assert(!word().known);
    ck_assert(raise_word(0, 10, true));              /* nothing known: any generation is above it */
    ck_assert(!raise_word(0, 20, true));
    ck_assert_uint_eq(word().high, 10);
    ck_assert(raise_word(0, 30, false));
    ck_assert(raise_word(0, 20, false));             /* honoured, and keeps the higher number */
    ck_assert_uint_eq(word().high, 30);
    ck_assert(raise_word(3, 5, true));
    ck_assert_uint_eq(word().generation, 3);
    ck_assert_uint_eq(word().high, 5);               /* of this generation */
    ck_assert(!raise_word(2, 50, true));
    ck_assert(!raise_word(2, 50, false));
    ck_assert(raise_word(0x80000002u, TRK_NUMBER_MAX, true));              /* generations compare as circular numbers */
    ck_assert_uint_eq(word().high, TRK_NUMBER_MAX);
    ck_assert_uint_eq(stats().words_live, 1);
}
END_TEST

START_TEST(raised_only_from_what_was_seen)
{
    fresh_filter();
    struct trk_filter_word none = word();
    ck_assert(trk_filter_raise_from(filter, who_is(conn.h, conn.t), &none, 4, 20, now_ms));
    ck_assert(!trk_filter_raise_from(filter, who_is(conn.h, conn.t), &none, 5, 20, now_ms));
    struct trk_filter_word seen = word();
    ck_assert(raise_word(4, 21, false));             /* numbers were spent meanwhile */
    ck_assert(!trk_filter_raise_from(filter, who_is(conn.h, conn.t), &seen, 5, 40, now_ms));
    seen = word();
    ck_assert(raise_word(4, 21, false));             /* nothing new */
    ck_assert(!trk_filter_raise_from(filter, who_is(conn.h, conn.t), &seen, 4, 40, now_ms));
    ck_assert(trk_filter_raise_from(filter, who_is(conn.h, conn.t), &seen, 5, 40, now_ms));
    ck_assert_uint_eq(word().generation, 5);
}
END_TEST

/* ---------------- memory ---------------- */

/* What was spent before a worker died is spent for the next one that finds the memory. */
START_TEST(attached_again)
{
    fresh_filter();
    spend(1, 40, 20);
    lose(1, 70);
    raise_word(1, 90, true);
    filter = trk_filter_attach(filter_memory, sizeof filter_memory);
    ck_assert_ptr_nonnull(filter);
    ck_assert_uint_eq(trk_filter_domain(filter), FILTER_DOMAIN);
    ck_assert_uint_eq(spend(1, 40, 20), 0);
    ck_assert_int_eq(fate(1, 70), TRK_FATE_LOST);
    ck_assert_uint_eq(word().high, 90);
    ck_assert_uint_eq(stats().spent, 20);
}
END_TEST

START_TEST(unsuited_memory)
{
    static _Alignas(64) uint8_t larger[TRK_FILTER_BYTES_MIN + 64];
    fresh_filter();
    ck_assert_ptr_null(trk_filter_create(NULL, TRK_FILTER_BYTES_MIN, 1, filter_key));
    ck_assert_ptr_null(trk_filter_create(larger + 16, TRK_FILTER_BYTES_MIN, 1, filter_key));
    ck_assert_ptr_null(trk_filter_create(larger, TRK_FILTER_BYTES_MIN - 1, 1, filter_key));
    ck_assert_ptr_null(trk_filter_create(larger, TRK_FILTER_BYTES_MIN, 0, filter_key));
    ck_assert_ptr_nonnull(trk_filter_create(larger, sizeof larger - 1, 1, filter_key));        /* a size that is no whole line */
    ck_assert_ptr_nonnull(trk_filter_attach(larger, sizeof larger - 1));
    ck_assert_ptr_null(trk_filter_attach(larger, sizeof larger));
    ck_assert_ptr_null(trk_filter_attach(larger, TRK_FILTER_BYTES_MIN));
    ck_assert_ptr_null(trk_filter_attach(NULL, TRK_FILTER_BYTES_MIN));
    ck_assert_ptr_null(trk_filter_attach(larger + 16, TRK_FILTER_BYTES_MIN));
    for (int fill = 0; fill < 256; fill += 0x55) {
        memset(larger, fill, sizeof larger);
        ck_assert_ptr_null(trk_filter_attach(larger, sizeof larger));
    }
    /* Each byte of the header that says how large the tables are. */
    for (size_t i = 0; i < 64; i++) {
        memcpy(larger, filter_memory, sizeof filter_memory);
        larger[i] ^= 0x40;
        struct trk_filter *found = trk_filter_attach(larger, sizeof filter_memory);
        ck_assert_int_eq(found != NULL, (i >= 16 && i < 40) || i >= 56);     /* domain, key and padding may be any */
    }
}
END_TEST

UNIT_MAIN("replay_filter", a_number_is_spent_once, spent_and_lost_exclude_each_other, runs_across_groups, numbers_at_the_ends_of_the_space,
          entries_live_for_horizon_and_skew, the_second_wraps, clocks_that_step, a_clock_set_back_stops_nobody, a_clock_that_jumps_and_returns,
          a_floor_does_not_outlive_its_use, eviction_raises_the_floor_first, evicted_words_raise_the_floor,
          a_quarter_of_the_words_is_safe, half_of_the_groups_is_safe, the_word_only_rises, raised_only_from_what_was_seen, attached_again, unsuited_memory)
