/* admit without a filter: what is proven is spent, and only a cut seal attests a resume. */
#include "unit.h"
#include "fake_client.h"

static struct fake fake;
static const struct trk_piece slow_start = { 1, 10, TRK_SSTHRESH_NONE };

static void admitted(void)
{
    fake_prove(&fake);
    fake_send_request(&fake);
    ck_assert_str_eq(trk_verdict_name(fake_decide(&fake)), "accepted");
}

START_TEST(answered_numbers)
{
    fake_init(&fake);
    fake_request(&fake, TRK_FORM_REQUEST);
    fake_part(&fake, TRK_NORMAL, slow_start, 5, 2);
    fake_part(&fake, TRK_NORMAL, slow_start, 7, 1);
    fake_part(&fake, TRK_NORMAL, slow_start, 8, 64);
    admitted();
    ck_assert_int_eq(fake.decision.verdict, TRK_V_ANSWERED);
    ck_assert_uint_eq(fake.decision.mask[0], 3);
    ck_assert_uint_eq(fake.decision.mask[1], 1);
    ck_assert_uint_eq(fake.decision.mask[2], UINT64_MAX);
    for (int p = 0; p < 3; p++) {
        ck_assert(fake.decision.terminal[p]);
        ck_assert_uint_eq(fake.decision.recreate[p], TRK_RECREATE_MAX);
    }
    ck_assert_uint_eq(fake.decision.generation, 3);
    ck_assert_uint_eq(fake.decision.domain, 0);
    ck_assert(!fake.decision.attested);
}
END_TEST

START_TEST(answered_open)
{
    fake_init(&fake);
    fake.config.domain = 0xd0;
    fake_open(&fake, NULL, 1460, TRK_SYN_PAYLOAD);
    fake_decide(&fake);
    ck_assert_int_eq(fake.decision.verdict, TRK_V_ANSWERED);
    ck_assert_uint_eq(fake.decision.generation, 0);
    ck_assert_uint_eq(fake.decision.domain, 0xd0);
}
END_TEST

START_TEST(answered_restarts)
{
    static const struct { uint8_t kind; uint64_t b; bool attested; uint32_t domain; } cases[] = {
        { TRK_RESTART_TIMEOUT, 5, false, 0 }, { TRK_RESTART_TIMEOUT, 9, false, 0 },
        { TRK_RESTART_RESUME, 5, false, 0 },  { TRK_RESTART_RESUME, 9, true, 0 },
        { TRK_RESTART_RESUME, 9, false, 0xd0 },        /* another server's word */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fake_init(&fake);
        struct trk_request *r = fake_request(&fake, TRK_FORM_RESTART);
        r->restart_kind = cases[i].kind;
        r->attempt = 2;
        r->domain = cases[i].domain;
        struct trk_part *p = fake_part(&fake, TRK_NORMAL, slow_start, 5, 1);
        p->grants[0].tick -= 10;
        p->grants[0].b = cases[i].b;
        admitted();
        ck_assert_int_eq(fake.decision.verdict, TRK_V_ANSWERED);
        ck_assert_uint_eq(fake.decision.generation, 5);
        ck_assert_int_eq(fake.decision.attested, cases[i].attested);
    }
}
END_TEST

START_TEST(refreshed)
{
    for (int restart = 0; restart < 2; restart++) {
        fake_init(&fake);
        fake_request(&fake, restart ? TRK_FORM_RESTART : TRK_FORM_REQUEST);
        fake_part(&fake, TRK_NORMAL, slow_start, 5, 1)->grants[0].tick -= 10000;
        admitted();
        ck_assert_int_eq(fake.decision.verdict, TRK_V_REFRESHED);
        ck_assert_uint_eq(fake.decision.generation, 3 + TRK_REFRESH_STEP);
    }
}
END_TEST

START_TEST(closed)
{
    fake_init(&fake);
    struct trk_close close = { .id = { 5, 6 } };
    size_t n = trk_close_emit(&close, fake.message, sizeof fake.message);
    fake_send(&fake, fake.message, n, TRK_ACK, 0);
    fake_decide(&fake);
    ck_assert_int_eq(fake.decision.verdict, TRK_V_CLOSED);
    ck_assert_int_eq(fake_plan(&fake), TRK_V_CLOSED);
    ck_assert_int_eq(fake_respond(&fake), TRK_V_CLOSED);
    ck_assert_uint_eq(fake.out.n, 0);
}
END_TEST

UNIT_MAIN("admit", answered_numbers, answered_open, answered_restarts, refreshed, closed)
