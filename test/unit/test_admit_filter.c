/* admit with a filter: every number once, one story about each loss, one parent for each generation. */
#include "fake_admit.h"

/* ---------------- numbers ---------------- */

START_TEST(each_number_once)
{
    fresh();
    numbers(5, 2);
    ASSERT_ADMITTED(ANSWERED);
    ck_assert_uint_eq(fake.decision.mask[0], 3);
    ck_assert_uint_eq(fake.decision.generation, 3);
    ck_assert_uint_eq(fake.decision.domain, DOMAIN);
    ck_assert_uint_eq(word().generation, 3);
    ck_assert_uint_eq(word().high, 6 + 15);          /* C(6) = 15 */
    ASSERT_ADMITTED(REPLAYED);
    numbers(6, 3);
    ASSERT_ADMITTED(ANSWERED);
    ck_assert_uint_eq(fake.decision.mask[0], 6);     /* 6 was spent */
    numbers(5, 64);
    ASSERT_ADMITTED(ANSWERED);
    ck_assert_uint_eq(fake.decision.mask[0], ~(uint64_t)15);
}
END_TEST

START_TEST(repeats_pass_once)
{
    fresh();
    for (int again = 0; again < 3; again++) {
        ours(TRK_FORM_REQUEST);
        for (int p = 0; p <= again; p++)
            fake_part(&fake, TRK_NORMAL, slow_start, 5 + 2 * (uint64_t)p, 2);
        ASSERT_ADMITTED(ANSWERED);
        for (int p = 0; p <= again; p++)
            ck_assert_uint_eq(fake.decision.mask[p], p == again ? 3 : 0);
    }
    ASSERT_ADMITTED(REPLAYED);
}
END_TEST

START_TEST(an_older_generation_is_not_spent)
{
    fresh();
    numbers(5, 2);
    raise_word(4, 50);
    ASSERT_ADMITTED(OLD_GENERATION);
    ck_assert_int_eq(fate(5), TRK_FATE_FREE);
}
END_TEST

/* Live entries were evicted: what was sealed before may have been forgotten. */
START_TEST(forgotten_numbers_only_restart)
{
    fresh();
    numbers(5, 2);
    for (uint64_t n = 0; n < 20000; n++)
        trk_filter_spend(filter, 12345, 0, 16 * n, 1, FAKE_NOW_MS);
    ASSERT_ADMITTED(WRONG_DOMAIN);
    restart(TRK_RESTART_TIMEOUT, 1, 5);
    ASSERT_ADMITTED(ANSWERED);
}
END_TEST

/* ---------------- losses ---------------- */

START_TEST(a_loss_turns_once)
{
    fresh();
    with_loss(10, 1, 3, 3);
    ASSERT_ADMITTED(ANSWERED);
    ck_assert(fake.decision.terminal[0]);
    ck_assert_uint_eq(fake.decision.recreate[0], 0); /* it does not adjoin k */
    ck_assert_int_eq(fate(3), TRK_FATE_LOST);
    with_loss(11, 1, 3, 3);
    ASSERT_ADMITTED(ANSWERED);
    ck_assert(!fake.decision.terminal[0]);
    ck_assert_uint_eq(fake.decision.mask[0], 1);
    numbers(3, 1);                     /* and is not spent any more, whatever is said now */
    ASSERT_ADMITTED(REPLAYED);
}
END_TEST

START_TEST(a_spent_number_is_not_lost)
{
    fresh();
    numbers(3, 1);
    ASSERT_ADMITTED(ANSWERED);
    with_loss(10, 1, 3, 3);
    ASSERT_ADMITTED(LOSS_SPENT);
    ck_assert_int_eq(fate(10), TRK_FATE_FREE);       /* the truth may still be told with it */
    ck_assert_int_eq(fate(3), TRK_FATE_SPENT);
    numbers(10, 1);
    ASSERT_ADMITTED(ANSWERED);
}
END_TEST

/* Of two parts that contradict each other only one counts. */
START_TEST(two_stories_in_one_request)
{
    fresh();
    ours(TRK_FORM_REQUEST);
    fake_part(&fake, TRK_NORMAL, slow_start, 3, 1);
    fake_lose(fake_part(&fake, TRK_NORMAL, slow_start, 10, 1), 3);
    ASSERT_ADMITTED(ANSWERED);
    ck_assert_uint_eq(fake.decision.mask[0], 1);
    ck_assert_uint_eq(fake.decision.mask[1], 0);
    ck_assert(!fake.decision.terminal[1]);
    ck_assert_uint_eq(fake.decision.recreate[1], 0);
    ck_assert_str_eq(trk_verdict_name(fake_plan(&fake)), "accepted");
}
END_TEST

START_TEST(re_creation_of_free_numbers)
{
    for (uint64_t spent = 0; spent <= 11; spent++) { /* 9, 10 and 11 are lost and would live on: R - w = 8 */
        fresh();
        with_loss(12, 1, 3, 11);
        if (spent >= 4)
            trk_filter_spend(filter, who, 3, spent, 1, FAKE_NOW_MS);
        ASSERT_ADMITTED(ANSWERED);
        ck_assert(fake.decision.terminal[0]);
        ck_assert_uint_eq(fake.decision.recreate[0], spent >= 9 ? 11 - spent : 3);
        for (uint64_t n = 9; n <= 11; n++)
            ck_assert_int_eq(fate(n), n == spent ? TRK_FATE_SPENT : n > spent ? TRK_FATE_LOST : TRK_FATE_FREE);
        with_loss(13, 1, 3, 12);       /* nobody is re-created twice: 12 was spent */
        ASSERT_ADMITTED(ANSWERED);
        ck_assert_uint_eq(fake.decision.recreate[0], 0);
    }
}
END_TEST

/* L itself adjoins k: it is re-created and travels as a terminal, once. */
START_TEST(re_creation_of_the_loss_itself)
{
    for (int known = 0; known < 2; known++) {        /* W = 2, R = 12, w = 2: the smallest window, where L itself lives on */
        fresh();
        struct trk_part *p = numbers(12, 1);
        p->piece = (struct trk_piece){ 10, 2, 2 };
        p->ranges[0] = (struct trk_range){ 12, 12 };
        if (known)
            trk_filter_lose(filter, who, 3, 11, FAKE_NOW_MS);
        ASSERT_ADMITTED(ANSWERED);
        struct trk_step *s = &fake.spend.steps[0];
        ck_assert_uint_eq(s->loss, 11);
        ck_assert_uint_gt(11 + s->half, s->right);
        ck_assert_uint_eq(fake.decision.recreate[0], !known);
        ck_assert_int_eq(fake.decision.terminal[0], !known);
    }
}
END_TEST

START_TEST(only_the_spent_first_number_re_creates)
{
    fresh();
    with_loss(12, 2, 3, 11);
    trk_filter_spend(filter, who, 3, 12, 1, FAKE_NOW_MS);
    ASSERT_ADMITTED(ANSWERED);
    ck_assert_uint_eq(fake.decision.mask[0], 2);
    ck_assert_uint_eq(fake.decision.recreate[0], 0);
}
END_TEST

START_TEST(beyond_recovery_touches_nothing)
{
    fresh();
    ours(TRK_FORM_REQUEST);
    fake_part(&fake, TRK_NORMAL, slow_start, 2, 1);
    fake_lose(fake_part(&fake, TRK_NORMAL, slow_start, 13, 2), 3);
    ASSERT_ADMITTED(BEYOND_RECOVERY);
    for (uint64_t n = 2; n <= 14; n++)
        ck_assert_int_eq(fate(n), TRK_FATE_FREE);
    ck_assert(!word().known);
}
END_TEST

/* Three parts of which two fill an answer: the third one is left free, to be spent by the next request. */
START_TEST(what_does_not_fit_an_answer_stays_free)
{
    fresh();
    ours(TRK_FORM_REQUEST);
    for (uint64_t i = 0; i < 3; i++)
        fake_part(&fake, TRK_NORMAL, slow_start, 100 + 50 * i, 50);       /* slow start: two packets for each */
    ASSERT_ADMITTED(ANSWERED);
    ck_assert_uint_eq(fake.decision.mask[1], (1ull << 50) - 1);
    ck_assert_uint_eq(fake.decision.mask[2], 0);
    ck_assert_int_eq(fate(200), TRK_FATE_FREE);
    ck_assert_str_eq(trk_verdict_name(fake_plan(&fake)), "accepted");
    ASSERT_ADMITTED(ANSWERED);
    ck_assert_uint_eq(fake.decision.mask[0] | fake.decision.mask[1], 0);
    ck_assert_uint_eq(fake.decision.mask[2], (1ull << 50) - 1);
}
END_TEST

/* ---------------- openings ---------------- */

static void opening(uint64_t n, uint32_t generation)
{
    ours(TRK_FORM_REQUEST)->generation = generation;
    fake_opening(&fake, n, 10, 20);
}

/* Refreshes of one generation from different k*: one of the openings founds it. */
START_TEST(one_opening_founds_a_generation)
{
    fresh();
    opening(100, 16);
    ASSERT_ADMITTED(ANSWERED);
    ck_assert_uint_eq(word().generation, 16);
    ck_assert_uint_eq(word().high, 110);
    ASSERT_ADMITTED(REPLAYED);         /* the very same */
    for (uint64_t n = 90; n < 130; n++) {
        opening(n, 16);
        admitted();
        ck_assert_int_eq(fake.decision.verdict, n == 100 ? TRK_V_REPLAYED : TRK_V_OLD_GENERATION);
        ck_assert_uint_eq(fake.decision.mask[0], 0);
    }
    opening(140, 17);
    ASSERT_ADMITTED(ANSWERED);
    opening(150, 16);
    ASSERT_ADMITTED(OLD_GENERATION);
}
END_TEST

START_TEST(two_openings_in_one_request)
{
    fresh();
    ours(TRK_FORM_REQUEST)->generation = 16;
    fake_opening(&fake, 100, 10, 20);
    fake_opening(&fake, 111, 10, 20);
    ASSERT_ADMITTED(ANSWERED);
    ck_assert_uint_eq(fake.decision.mask[0], 1);
    ck_assert_uint_eq(fake.decision.mask[1], 0);
}
END_TEST

START_TEST(an_opening_of_a_generation_that_a_restart_entered)
{
    fresh();
    opening(100, 16);
    raise_word(16, 50);
    ASSERT_ADMITTED(OLD_GENERATION);
    fresh();
    opening(100, 16);
    ASSERT_ADMITTED(ANSWERED);
    restart(TRK_RESTART_TIMEOUT, 4, 5);
    fake.request.generation = 12;
    ASSERT_ADMITTED(OLD_GENERATION);   /* and the other way round */
}
END_TEST

UNIT_MAIN("admit_filter", each_number_once, repeats_pass_once, an_older_generation_is_not_spent, forgotten_numbers_only_restart, a_loss_turns_once,
          a_spent_number_is_not_lost, two_stories_in_one_request, re_creation_of_free_numbers, re_creation_of_the_loss_itself,
          only_the_spent_first_number_re_creates, beyond_recovery_touches_nothing, what_does_not_fit_an_answer_stays_free,
          one_opening_founds_a_generation, two_openings_in_one_request, an_opening_of_a_generation_that_a_restart_entered)
