/* fake_plan.h - assertions on plans, and the recovery that several tests plan. */
#ifndef TRK_TEST_FAKE_PLAN_H
#define TRK_TEST_FAKE_PLAN_H

#include "fake_answers.h"

#define ASSERT_GRANT(i, from, to) do {                            \
        ck_assert_uint_lt(i, fake.plan.n_grants);                 \
        ck_assert_uint_eq(fake.plan.grants[i].step.a, from);      \
        ck_assert_uint_eq(fake.plan.grants[i].step.b, to);        \
    } while (0)
#define ASSERT_WANT(i, c, from, n) do {                           \
        ck_assert_uint_lt(i, fake.plan.n_wants);                  \
        ck_assert_uint_eq(fake.plan.wants[i].cont, c);            \
        ck_assert_uint_eq(fake.plan.wants[i].offset, from);       \
        ck_assert_uint_eq(fake.plan.wants[i].bytes, n);           \
    } while (0)
#define ASSERT_SLICE(s, from, n) do {                             \
        ck_assert_uint_eq((s).offset, from);                      \
        ck_assert_uint_eq((s).bytes, n);                          \
    } while (0)

/* Piece {1, 10}, loss of 3: W = C(2) = 11, R = 13, w = 5. */
static inline struct trk_part *recovery(uint64_t k, uint16_t m, uint64_t lost_from, uint64_t lost_to)
{
    begin(TRK_FORM_REQUEST);
    struct trk_part *p = fake_part(&fake, TRK_NORMAL, slow_start, k, m);
    for (uint64_t n = lost_from; n <= lost_to; n++)
        fake_lose(p, n);
    return p;
}

#endif
