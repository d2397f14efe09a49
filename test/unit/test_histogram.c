/* Percentiles of the load generator's histogram beside those of the sorted values. */
#include <stdlib.h>
#include "histogram.h"
#include "random.h"
#include "unit.h"

static struct histogram h;

static int ascending(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

START_TEST(empty)
{
    histogram_clear(&h);
    ck_assert_uint_eq(histogram_percentile(&h, 50), 0);
    ck_assert(histogram_mean(&h) == 0);
}
END_TEST

START_TEST(small_values_are_exact)
{
    histogram_clear(&h);
    for (uint64_t v = 1; v <= 100; v++)
        histogram_add(&h, v);
    ck_assert_uint_eq(histogram_percentile(&h, 0), 1);
    ck_assert_uint_eq(histogram_percentile(&h, 50), 50);
    ck_assert_uint_eq(histogram_percentile(&h, 99), 99);
    ck_assert_uint_eq(histogram_percentile(&h, 100), 100);
    ck_assert(histogram_mean(&h) == 50.5);
    ck_assert_uint_eq(h.n, 100);
}
END_TEST

/* Each value within 1 % above itself, over all magnitudes; never below, never above the largest. */
START_TEST(every_magnitude)
{
    for (unsigned bit = 0; bit < HISTOGRAM_BITS; bit++)
        for (uint64_t add = 0; add < 3; add++) {
            uint64_t v = (1ull << bit) + add * (1ull << bit) / 3;
            histogram_clear(&h);
            histogram_add(&h, v);
            histogram_add(&h, UINT64_C(1) << HISTOGRAM_BITS);
            uint64_t got = histogram_percentile(&h, 50), low = v;
            ck_assert_uint_ge(got, low);
            ck_assert_uint_le(got, low + low / 100);
        }
}
END_TEST

START_TEST(beyond_the_last_bucket)
{
    histogram_clear(&h);
    histogram_add(&h, UINT64_MAX / 2);
    ck_assert_uint_eq(h.most, UINT64_MAX / 2);
    ck_assert_uint_eq(h.n, 1);
    ck_assert_uint_ge(histogram_percentile(&h, 50), (1ull << HISTOGRAM_BITS) - 1);
}
END_TEST

START_TEST(beside_sorted_values)
{
    static const double percents[] = { 1, 25, 50, 75, 90, 99, 99.9, 100 };
    enum { N = 20000 };
    static uint64_t values[N];
    uint64_t seed = 1;
    histogram_clear(&h);
    for (int i = 0; i < N; i++) {
        uint64_t r = random_next(&seed);
        values[i] = (r & 0xffffff) >> (r >> 60 & 15);
        histogram_add(&h, values[i]);
    }
    qsort(values, N, sizeof *values, ascending);
    for (size_t i = 0; i < sizeof percents / sizeof *percents; i++) {
        uint64_t rank = (uint64_t)(percents[i] / 100 * N + 0.999999), exact = values[rank ? rank - 1 : 0];
        uint64_t got = histogram_percentile(&h, percents[i]);
        ck_assert_uint_ge(got, exact);
        ck_assert_uint_le(got, exact + exact / 100);
    }
}
END_TEST

UNIT_MAIN("histogram", empty, small_values_are_exact, every_magnitude, beyond_the_last_bucket, beside_sorted_values)
