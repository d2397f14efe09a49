/* admit with a filter: which restarts and refreshes are honoured, which are believed, and which come from an old window. */
#include "fake_admit.h"

/* ---------------- restarts ---------------- */

START_TEST(restarts_rise)
{
    fresh();
    restart(TRK_RESTART_TIMEOUT, 1, 5);
    ASSERT_ADMITTED(ANSWERED);
    ck_assert_uint_eq(fake.decision.generation, 4);
    ck_assert_uint_eq(word().generation, 4);
    ck_assert(!fake.decision.stale);
    ASSERT_ADMITTED(OLD_GENERATION);
    restart(TRK_RESTART_TIMEOUT, 3, 5);
    ASSERT_ADMITTED(ANSWERED);
    ck_assert_uint_eq(word().generation, 6);
    restart(TRK_RESTART_TIMEOUT, 2, 5);
    ASSERT_ADMITTED(OLD_GENERATION);
    numbers(7, 1);
    ASSERT_ADMITTED(OLD_GENERATION);
}
END_TEST

/* The table of PROTOCOL.md 5.5: who is believed. k* = 5. */
START_TEST(attested)
{
    static const struct { const char *why; uint8_t kind; bool known; uint32_t generation; uint64_t high; bool cut, other_domain, attested; } cases[] = {
        { "nothing above k*", TRK_RESTART_RESUME, true, 3, 5, false, false, true },
        { "more was granted", TRK_RESTART_RESUME, true, 3, 6, false, false, false },
        { "cut", TRK_RESTART_RESUME, true, 3, 9, true, false, true },
        { "a timeout", TRK_RESTART_TIMEOUT, true, 3, 5, false, false, false },
        { "a word of an older generation", TRK_RESTART_RESUME, true, 2, 5, false, false, false },
        { "the same, cut", TRK_RESTART_RESUME, true, 2, 5, true, false, false },
        { "no word", TRK_RESTART_RESUME, false, 0, 0, false, false, false },
        { "no word, cut", TRK_RESTART_RESUME, false, 0, 0, true, false, false },
        { "another domain's seal", TRK_RESTART_RESUME, true, 3, 5, false, true, false },
        { "the same, cut", TRK_RESTART_RESUME, true, 3, 5, true, true, false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fresh();
        struct trk_part *p = restart(cases[i].kind, 1, 5);
        if (cases[i].cut)
            p->grants[0].b = 9;
        if (cases[i].other_domain)
            fake.request.domain = 77;
        if (cases[i].known)
            raise_word(cases[i].generation, cases[i].high);
        ASSERT_ADMITTED(ANSWERED);
        ck_assert_msg(fake.decision.attested == cases[i].attested, "%s", cases[i].why);
        ck_assert_msg(!fake.decision.stale, "%s", cases[i].why);
    }
}
END_TEST

START_TEST(what_was_forgotten_attests_nothing)
{
    fresh();
    restart(TRK_RESTART_RESUME, 1, 5);
    raise_word(3, 5);
    for (uint64_t n = 0; n < 20000; n++)
        trk_filter_spend(filter, 12345, 0, 16 * n, 1, FAKE_NOW_MS);
    ASSERT_ADMITTED(ANSWERED);
    ck_assert(!fake.decision.attested);
}
END_TEST

/* k* = 5, C = 14: F = 19 is the last number that anyone can hold. */
START_TEST(older_windows_are_stale)
{
    static const struct { uint32_t generation; uint64_t high; bool stale; } cases[] = { { 3, 19, false }, { 3, 20, true }, { 4, 5, true }, { 2, 90, false } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (uint8_t kind = TRK_RESTART_TIMEOUT; kind <= TRK_RESTART_RESUME; kind++) {
            fresh();
            restart(kind, 2, 5);
            raise_word(cases[i].generation, cases[i].high);
            ASSERT_ADMITTED(ANSWERED);
            ck_assert_int_eq(fake.decision.stale, cases[i].stale);
            ck_assert_str_eq(trk_verdict_name(fake_plan(&fake)), "accepted");
            struct trk_step *s = &fake.plan.grants[0].step;
            ck_assert_uint_eq(s->a, 20);
            ck_assert_uint_eq(s->piece.start, cases[i].stale || kind == TRK_RESTART_TIMEOUT ? 2 : 6);
            ck_assert_uint_eq(s->b, 19 + s->piece.start);
            ck_assert_uint_eq(s->piece.ssthresh, 7);
            ck_assert_uint_eq(word().high, s->b);
        }
    struct trk_step large = { .a = 100, .b = 163, .piece = { 99, 64, 300 } }, opens = { .a = 100, .b = 100, .piece = { 99, 10, 300 } };
    trk_restart_stale(&large);
    ck_assert(large.b == 101 && large.piece.start == 2 && large.piece.ssthresh == TRK_IW);
    trk_restart_stale(&opens);
    ck_assert(opens.b == 100 && opens.piece.start == 2 && opens.piece.ssthresh == TRK_IW);
}
END_TEST

START_TEST(refused_restarts_change_nothing)
{
    fresh();
    struct trk_part *p = restart(TRK_RESTART_TIMEOUT, 1, 10);
    fake_lose(p, 3);
    trk_filter_spend(filter, who, 3, 3, 1, FAKE_NOW_MS);
    raise_word(3, 20);
    ASSERT_ADMITTED(LOSS_SPENT);
    ck_assert_uint_eq(word().generation, 3);
    p = restart(TRK_RESTART_TIMEOUT, 1, 14);         /* above R = 13 */
    fake_lose(p, 4);
    fake_lose(p, 3);
    p->n_ranges = 2;
    p->ranges[0] = (struct trk_range){ 2, 2 };
    p->ranges[1] = (struct trk_range){ 4, 14 };
    ASSERT_ADMITTED(BEYOND_RECOVERY);
    ck_assert_uint_eq(word().generation, 3);
}
END_TEST

/* ---------------- refreshes ---------------- */

static void too_old(uint64_t k) { numbers(k, 1)->grants[0].tick -= 10000; }

START_TEST(a_refresh_raises_nothing)
{
    fresh();
    for (int again = 0; again < 3; again++) {
        too_old(5);
        ASSERT_ADMITTED(REFRESHED);
        ck_assert_uint_eq(fake.decision.generation, 16);
        ck_assert(!word().known);
        ck_assert_int_eq(fate(5), TRK_FATE_FREE);
    }
    raise_word(15, 5);                 /* all attempts of generation 3 were answered and lost */
    ASSERT_ADMITTED(REFRESHED);
    ck_assert(fake.decision.stale);
    raise_word(16, 5);
    ASSERT_ADMITTED(OLD_GENERATION);
}
END_TEST

START_TEST(a_refresh_of_an_older_window_is_stale)
{
    for (int stale = 0; stale < 2; stale++) {
        fresh();
        too_old(5);
        raise_word(3, 19 + (uint64_t)stale);
        ASSERT_ADMITTED(REFRESHED);
        ck_assert_str_eq(trk_verdict_name(fake_plan(&fake)), "accepted");
        ASSERT_GRANT(0, 20, 20);
        ck_assert_uint_eq(fake.plan.grants[0].step.piece.start, stale ? 2 : 7);
    }
}
END_TEST

UNIT_MAIN("admit_restart", restarts_rise, attested, what_was_forgotten_attests_nothing, older_windows_are_stale, refused_restarts_change_nothing,
          a_refresh_raises_nothing, a_refresh_of_an_older_window_is_stale)
