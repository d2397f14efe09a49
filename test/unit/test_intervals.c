/* Byte-range sets against a bitmap. */
#include "unit.h"
#include "client/internal.h"

static struct trk_intervals set;
static unsigned char bits[512];

/* Check's own assertions are slow: one per comparison of the whole. */
static bool equal(void)
{
    static unsigned char mine[sizeof bits];
    memset(mine, 0, sizeof mine);
    for (uint32_t i = 0; i < set.n; i++) {
        if (set.at[i].left >= set.at[i].right || (i && set.at[i - 1].right >= set.at[i].left))
            return false;
        memset(mine + set.at[i].left, 1, set.at[i].right - set.at[i].left);
    }
    return !memcmp(mine, bits, sizeof bits);
}

START_TEST(random_operations)
{
    uint64_t x = 88172645463325252ull, sum = 0;
    for (int i = 0; i < 50000; i++) {
        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        uint32_t left = x % 500, right = left + (x >> 20) % 12;
        int add = x >> 40 & 1;
        ck_assert(add ? trk_intervals_add(&set, left, right) : trk_intervals_subtract(&set, left, right));
        memset(bits + left, add, right - left);
        ck_assert(equal());
    }
    for (size_t i = 0; i < sizeof bits; i++)
        sum += bits[i];
    ck_assert_uint_eq(trk_intervals_bytes(&set), sum);
}
END_TEST

START_TEST(full_set_is_unchanged)
{
    static struct trk_intervals s;
    for (uint64_t i = 0; i < TRK_INTERVALS_MAX; i++)
        ck_assert(trk_intervals_add(&s, 10 * i, 10 * i + 5));
    ck_assert(!trk_intervals_add(&s, 100000, 100001));
    ck_assert(!trk_intervals_subtract(&s, 2, 3));
    ck_assert_uint_eq(s.n, TRK_INTERVALS_MAX);
    ck_assert(trk_intervals_add(&s, 5, 10));         /* joining needs no room */
    ck_assert_uint_eq(s.n, TRK_INTERVALS_MAX - 1);
}
END_TEST

UNIT_MAIN("intervals", random_operations, full_set_is_unchanged)
