/* fake_check.h - requests that nothing is wrong with, for the tests of check to spoil. */
#ifndef TRK_TEST_FAKE_CHECK_H
#define TRK_TEST_FAKE_CHECK_H

#include "unit.h"
#include "fake_client.h"

static struct fake fake;
static const struct trk_piece slow_start = { 1, 10, TRK_SSTHRESH_NONE };

#define ASSERT_VERDICT(expected) ck_assert_str_eq(trk_verdict_name(fake.verdict), trk_verdict_name(TRK_V_##expected))

/* A request that nothing is wrong with; tests spoil it. */
static inline struct trk_part *good_request(void)
{
    fake_init(&fake);
    fake_request(&fake, TRK_FORM_REQUEST);
    return fake_part(&fake, TRK_NORMAL, slow_start, 5, 2);
}

static inline struct trk_part *good_restart(uint8_t attempt, uint32_t age_ticks)
{
    fake_init(&fake);
    fake_request(&fake, TRK_FORM_RESTART)->attempt = attempt;
    struct trk_part *p = fake_part(&fake, TRK_NORMAL, slow_start, 5, 1);
    p->grants[0].tick = trk_tick(fake.now_ms) - age_ticks;
    return p;
}

#endif
