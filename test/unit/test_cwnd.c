/* test_cwnd.c - C(k) against a Reno that counts acknowledgements one by one, and far out by its definition. */
#include "oracle_step.h"
#include "random.h"
#include "unit.h"

#define FAR (1ull << 40)

static void compare_with_reno(uint32_t start, uint32_t ssthresh)
{
    struct trk_piece p = { .base = 7, .start = start, .ssthresh = ssthresh };
    struct reno r = reno_begin(&p);
    for (uint64_t k = 0; k <= 2055; k++) {
        if (k > p.base)
            reno_ack(&r);
        if (trk_cwnd_reno(&p, k) != r.cwnd || trk_cwnd(&p, k) != r.cwnd)
            ck_abort_msg("C(%d) of {7, %d, %d} is %d, Reno has %d", (int)k, (int)start, (int)ssthresh, (int)trk_cwnd(&p, k), (int)r.cwnd);
    }
}

START_TEST(every_small_piece_equals_step_by_step_reno)
{
    for (uint32_t start = 1; start <= 32; start++) {
        for (uint32_t ssthresh = 1; ssthresh <= 256; ssthresh++)
            compare_with_reno(start, ssthresh);
        compare_with_reno(start, TRK_SSTHRESH_NONE);
    }
}
END_TEST

/* s <= ssthresh: slow start ends at max(s, ssthresh), then c(c-1) <= s(s-1) + 2n < (c+1)c. */
START_TEST(far_points_satisfy_the_defining_inequality)
{
    uint64_t seed = 1;
    for (int i = 0; i < 1000000; i++) {
        struct trk_piece p = { .base = random_below(&seed, 1ull << 47), .start = 1 + (uint32_t)random_below(&seed, TRK_START_MAX),
                               .ssthresh = 1 + (uint32_t)random_below(&seed, TRK_START_MAX) };
        uint64_t acks = 1 + (random_next(&seed) % FAR >> random_below(&seed, 40));
        uint64_t s = p.start > p.ssthresh ? p.start : p.ssthresh, slow = s - p.start, c = trk_cwnd_reno(&p, p.base + acks);
        if (acks <= slow) {
            if (c != p.start + acks)
                ck_abort_msg("slow start: {%u, %u} + %llu gives %llu", p.start, p.ssthresh, (unsigned long long)acks, (unsigned long long)c);
            continue;
        }
        uint64_t area = s * (s - 1) + 2 * (acks - slow);
        if (c * (c - 1) > area || area >= (c + 1) * c || trk_cwnd(&p, p.base + acks) != (c < TRK_CWND_MAX ? c : TRK_CWND_MAX))
            ck_abort_msg("avoidance: {%u, %u} + %llu gives %llu", p.start, p.ssthresh, (unsigned long long)acks, (unsigned long long)c);
    }
}
END_TEST

/* The square root is of a perfect square exactly where cwnd grows: one acknowledgement earlier it must not. */
START_TEST(growth_happens_at_the_exact_acknowledgement)
{
    uint64_t seed = 2;
    for (int i = 0; i < 1000000; i++) {
        uint64_t s = 1 + random_below(&seed, TRK_START_MAX), c = s + 1 + random_below(&seed, 1u << 20);
        struct trk_piece p = { .base = random_below(&seed, 1ull << 40), .start = (uint32_t)s, .ssthresh = 1 };
        uint64_t k = p.base + (c * (c - 1) - s * (s - 1)) / 2;
        if (trk_cwnd_reno(&p, k) != c || trk_cwnd_reno(&p, k - 1) != c - 1)
            ck_abort_msg("s %d: cwnd does not become %d where it should", (int)s, (int)c);
    }
}
END_TEST

START_TEST(edges)
{
    struct trk_piece none = { .base = 5, .start = 10, .ssthresh = TRK_SSTHRESH_NONE }, zero = { .base = 5, .start = 0, .ssthresh = 2 };
    ck_assert_uint_eq(trk_cwnd(&none, 0), 10);
    ck_assert_uint_eq(trk_cwnd(&none, 5), 10);
    ck_assert_uint_eq(trk_cwnd(&none, 6), 11);
    ck_assert_uint_eq(trk_cwnd_reno(&none, 5 + 70000), 70010);         /* none is no ssthresh of 65535 */
    ck_assert_uint_eq(trk_cwnd(&none, 5 + TRK_CWND_MAX - 11), TRK_CWND_MAX - 1);
    ck_assert_uint_eq(trk_cwnd(&none, 5 + TRK_CWND_MAX - 10), TRK_CWND_MAX);
    ck_assert_uint_eq(trk_cwnd(&none, 5 + TRK_CWND_MAX), TRK_CWND_MAX);
    ck_assert_uint_eq(trk_cwnd(&none, TRK_NUMBER_MAX), TRK_CWND_MAX);
    ck_assert_uint_eq(trk_cwnd(&none, UINT64_MAX), TRK_CWND_MAX);
    ck_assert_uint_eq(trk_cwnd(&zero, 1), 1);
    struct trk_piece one = { .base = 5, .start = 1, .ssthresh = 2 };
    for (uint64_t k = 0; k < 1000; k++)
        ck_assert_uint_eq(trk_cwnd(&zero, k), trk_cwnd(&one, k));
    struct trk_piece full = { .base = 0, .start = TRK_START_MAX, .ssthresh = TRK_START_MAX };
    ck_assert_uint_eq(trk_cwnd(&full, 0), TRK_CWND_MAX);               /* from a damaged packet: no window of ours is so large */
    ck_assert_uint_eq(trk_cwnd(&full, UINT64_MAX), TRK_CWND_MAX);
    for (uint64_t k = 1; k < 1000; k++)
        ck_assert_uint_ge(trk_cwnd_reno(&full, UINT64_MAX - k), trk_cwnd_reno(&full, TRK_NUMBER_MAX / k));
}
END_TEST

START_TEST(half_a_window_is_at_least_two)
{
    ck_assert_uint_eq(trk_cwnd_half(1), 2);
    ck_assert_uint_eq(trk_cwnd_half(5), 2);
    ck_assert_uint_eq(trk_cwnd_half(6), 3);
    ck_assert_uint_eq(trk_cwnd_half(7), 3);
    ck_assert_uint_eq(trk_cwnd_half(TRK_CWND_MAX), TRK_CWND_MAX / 2);
}
END_TEST

UNIT_MAIN("cwnd", every_small_piece_equals_step_by_step_reno, far_points_satisfy_the_defining_inequality,
          growth_happens_at_the_exact_acknowledgement, edges, half_a_window_is_at_least_two)
