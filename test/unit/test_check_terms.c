/* Proven requests: each verdict on their terms has one test that produces it, named after it; what is refreshed instead. */
#include "fake_check.h"

START_TEST(not_adjoining)
{
    for (int what = 0; what < 3; what++) {
        struct trk_part *p = good_request();
        switch (what) {
        case 0:                        /* 5 is not granted */
            p->grants[0].a = 6;
            break;
        case 1:                        /* 6 is not granted */
            p->grants[0].f = p->grants[0].b = 5;
            break;
        case 2:                        /* of 5 .. 8, 7 is not granted */
            p->m = 4;
            p->ranges[0].right = 8;
            p->grants[1] = p->grants[0];
            p->grants[1].a = p->grants[1].b = p->grants[1].f = 8;
            p->n_grants = 2;
            break;
        }
        fake_prove_and_check(&fake);
        ASSERT_VERDICT(NOT_ADJOINING);
    }
}
END_TEST

START_TEST(cut_spent)
{
    struct trk_part *p = good_request();
    p->grants[0].b = 9;                /* f is 6 */
    fake_prove_and_check(&fake);
    ASSERT_VERDICT(CUT_SPENT);
}
END_TEST

START_TEST(wrong_domain)
{
    good_request();
    fake.request.domain = 0xd0;
    fake_prove_and_check(&fake);
    ASSERT_VERDICT(WRONG_DOMAIN);
    fake.config.domain = 0xd0;
    fake_check(&fake);
    ASSERT_VERDICT(ACCEPTED);
}
END_TEST

START_TEST(wrong_domain_may_restart)
{
    good_restart(1, 0);
    fake.request.domain = 0xd0;
    fake_prove_and_check(&fake);
    ASSERT_VERDICT(ACCEPTED);
}
END_TEST

/* Attempt r >= 2 needs an age of 2^(r-2) * 50 ms; the age counts the running tick. */
START_TEST(too_early)
{
    for (uint8_t r = 2; r <= TRK_ATTEMPTS_MAX; r++) {
        uint32_t ticks = ((50u << (r - 2)) + TRK_TICK_MS - 1) / TRK_TICK_MS;
        if (ticks * TRK_TICK_MS > TRK_HORIZON_MS)
            break;
        good_restart(r, ticks - 2);
        fake_prove_and_check(&fake);
        ASSERT_VERDICT(TOO_EARLY);
        good_restart(r, ticks - 1);
        fake_prove_and_check(&fake);
        ASSERT_VERDICT(ACCEPTED);
    }
}
END_TEST

START_TEST(first_attempt_may_be_at_once)
{
    good_restart(1, 0);
    fake_prove_and_check(&fake);
    ASSERT_VERDICT(ACCEPTED);
    good_restart(1, (uint32_t)-2);     /* sealed by a replica whose clock is ahead */
    fake_prove_and_check(&fake);
    ASSERT_VERDICT(ACCEPTED);
    ck_assert_uint_eq(fake.spend.age_ms, 0);
}
END_TEST

START_TEST(attempts)
{
    good_restart(TRK_ATTEMPTS_MAX + 1, 3000);
    fake_prove_and_check(&fake);
    ASSERT_VERDICT(ATTEMPTS);
}
END_TEST

START_TEST(refresh_when_too_old)
{
    struct trk_part *p = good_request();
    uint32_t horizon_ticks = TRK_HORIZON_MS / TRK_TICK_MS;      /* 3750, exactly */
    p->grants[0].tick = trk_tick(fake.now_ms) - (horizon_ticks - 1);
    fake_prove_and_check(&fake);
    ASSERT_VERDICT(ACCEPTED);
    ck_assert(!fake.spend.must_refresh);
    p->grants[0].tick--;
    fake_prove_and_check(&fake);
    ASSERT_VERDICT(ACCEPTED);
    ck_assert(fake.spend.must_refresh);
}
END_TEST

START_TEST(refresh_by_the_oldest_grant)
{
    struct trk_part *p = good_request();
    p->grants[0].b = p->grants[0].f = 5;
    p->grants[1] = p->grants[0];
    p->grants[1].a = p->grants[1].b = p->grants[1].f = 6;
    p->n_grants = 2;
    p->grants[0].tick = trk_tick(fake.now_ms) - 4000;
    fake_prove_and_check(&fake);
    ASSERT_VERDICT(ACCEPTED);
    ck_assert(fake.spend.must_refresh);
    ck_assert_uint_eq(fake.spend.tick, p->grants[1].tick);
}
END_TEST

START_TEST(refresh_when_ahead)
{
    struct trk_part *p = good_request();
    uint32_t skew_ticks = TRK_SKEW_MS / TRK_TICK_MS;            /* 937.5: 937 ticks are within */
    p->grants[0].tick = trk_tick(fake.now_ms) + skew_ticks;
    fake_prove_and_check(&fake);
    ck_assert(!fake.spend.must_refresh);
    p->grants[0].tick++;
    fake_prove_and_check(&fake);
    ASSERT_VERDICT(ACCEPTED);
    ck_assert(fake.spend.must_refresh);
}
END_TEST

START_TEST(refresh_by_configured_limits)
{
    static const struct { int ticks; bool refresh; } cases[] = { { -9, false }, { -10, true }, { 8, false }, { 9, true } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct trk_part *p = good_request();
        fake.config.horizon_ms = 10 * TRK_TICK_MS;     /* an age of 10 ticks counts the running one */
        fake.config.skew_ms = 8 * TRK_TICK_MS;
        p->grants[0].tick = trk_tick(fake.now_ms) + (uint32_t)cases[i].ticks;
        fake_prove_and_check(&fake);
        ASSERT_VERDICT(ACCEPTED);
        ck_assert_int_eq(fake.spend.must_refresh, cases[i].refresh);
    }
}
END_TEST

START_TEST(refresh_of_a_retiring_epoch)
{
    good_request();
    fake_prove(&fake);
    fake_send_request(&fake);
    fake_keys(&fake.keys, 8, 7, TRK_EPOCH_RETIRING);
    fake_check(&fake);
    ASSERT_VERDICT(ACCEPTED);
    ck_assert(fake.spend.must_refresh);
    fake_keys(&fake.keys, 8, 7, TRK_EPOCH_ADDED);
    fake_check(&fake);
    ASSERT_VERDICT(ACCEPTED);
    ck_assert(!fake.spend.must_refresh);
}
END_TEST

/* What is refreshed anyway is not refused for anything else that a proven request may lack. */
START_TEST(refresh_before_refusal)
{
    struct trk_part *p = good_restart(13, 5000);
    p->grants[0].b = 9;
    fake_prove_and_check(&fake);
    ASSERT_VERDICT(ACCEPTED);
    ck_assert(fake.spend.must_refresh);
    ck_assert_uint_eq(fake.spend.cut_f, 5);

    p = good_request();
    p->grants[0].tick -= 5000;
    p->grants[0].b = 9;
    fake.request.domain = 0xd0;
    fake_prove_and_check(&fake);
    ASSERT_VERDICT(ACCEPTED);
    ck_assert(fake.spend.must_refresh);
}
END_TEST

START_TEST(restart_facts)
{
    struct trk_part *p = good_restart(1, 10);
    fake_prove_and_check(&fake);
    ck_assert_int_eq(fake.spend.type, TRK_SPEND_RESTART);
    ck_assert_uint_eq(fake.spend.cut_f, 0);
    ck_assert_uint_eq(fake.spend.age_ms, 11 * TRK_TICK_MS);
    ck_assert(!fake.spend.aged);

    p = good_restart(1, 70);
    p->grants[0].b = 9;
    p->grants[0].f = 7;
    fake_prove_and_check(&fake);
    ck_assert_uint_eq(fake.spend.cut_f, 7);
    ck_assert(fake.spend.aged);
}
END_TEST

UNIT_MAIN("check_terms", not_adjoining, cut_spent, wrong_domain, wrong_domain_may_restart, too_early,
          first_attempt_may_be_at_once, attempts, refresh_when_too_old, refresh_by_the_oldest_grant, refresh_when_ahead,
          refresh_by_configured_limits, refresh_of_a_retiring_epoch, refresh_before_refusal, restart_facts)
