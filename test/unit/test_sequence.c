/* Numbers and sequence numbers, and values of which only the low bits travel. */
#include "unit.h"
#include "wire_random.h"

START_TEST(number_and_seq_are_inverse)
{
    struct dice d = { 21 };
    for (int round = 0; round < 40000; round++) {
        uint32_t isn = (uint32_t)uneven(&d, 0, UINT32_MAX);
        uint16_t slot = (uint16_t)uneven(&d, TRK_SLOT_MIN, TRK_SLOT_MAX);
        uint64_t n = uneven(&d, 1, TRK_NUMBER_MAX), found = 0;
        uint64_t reach = (1u << 31) / slot - 1;         /* numbers within half the sequence space */
        uint64_t low = n > reach ? n - reach : 0, high = n < TRK_NUMBER_MAX - reach ? n + reach : TRK_NUMBER_MAX;
        uint64_t near = uneven(&d, low, high);
        ck_assert(trk_number_of_seq(isn, trk_seq_of(isn, n, slot), slot, near, &found));
        ck_assert_uint_eq(found, n);
        uint32_t inside = (uint32_t)between(&d, 1, slot - 1u);
        ck_assert(!trk_number_of_seq(isn, trk_seq_of(isn, n, slot) + inside, slot, near, &found));
    }
}
END_TEST

START_TEST(numbers_begin_at_one)
{
    uint64_t n = 77;
    ck_assert(!trk_number_of_seq(1000, 1000, 500, 1, &n));
    ck_assert(!trk_number_of_seq(1000, 500, 500, 1, &n));
    ck_assert(!trk_number_of_seq(1000, 1000, 500, 0, &n));
    ck_assert_uint_eq(n, 77);
    ck_assert(trk_number_of_seq(1000, 1500, 500, 0, &n));
    ck_assert_uint_eq(n, 1);
    ck_assert(!trk_number_of_seq(1000, 1500, 0, 0, &n));
    ck_assert(!trk_number_of_seq(0, trk_seq_of(0, TRK_NUMBER_MAX + 1, 500), 500, TRK_NUMBER_MAX, &n));
}
END_TEST

/* The value congruent to low that is nearest to near, by search. */
static uint64_t nearest(uint64_t near, uint64_t low, unsigned bits)
{
    uint64_t span = 1ull << bits, best = 0, distance = UINT64_MAX;
    for (uint64_t value = low; value <= near + 2 * span; value += span) {
        uint64_t off = value > near ? value - near : near - value;
        if (off <= distance) {                          /* <=: a tie goes upward */
            best = value;
            distance = off;
        }
    }
    return best;
}

START_TEST(extend_finds_the_nearest)
{
    for (unsigned bits = 1; bits <= 6; bits++)
        for (uint64_t near = 0; near < 300; near++)
            for (uint64_t low = 0; low < 1ull << bits; low++)
                ck_assert_uint_eq(trk_extend(near, low, bits), nearest(near, low, bits));
}
END_TEST

START_TEST(extend_recovers_what_was_cut)
{
    struct dice d = { 22 };
    for (int round = 0; round < 40000; round++) {
        unsigned bits = (unsigned)between(&d, 1, 62);
        uint64_t half = 1ull << (bits - 1), value = uneven(&d, 0, UINT64_MAX);
        uint64_t low = value > half ? value - half + 1 : 0;   /* a tie would go upward */
        uint64_t high = value < UINT64_MAX - half ? value + half : UINT64_MAX;
        uint64_t near = uneven(&d, low, high), mask = (1ull << bits) - 1;
        uint64_t extended = trk_extend(near, value & mask, bits);
        ck_assert_uint_eq(extended & mask, value & mask);
        ck_assert_msg(extended == value || near - value == half, "near %lx value %lx bits %u", near, value, bits);
    }
}
END_TEST

START_TEST(extend_at_the_edges)
{
    ck_assert_uint_eq(trk_extend(0, 15, 4), 15);                       /* never below 0 */
    ck_assert_uint_eq(trk_extend(16, 15, 4), 15);
    ck_assert_uint_eq(trk_extend(24, 0, 4), 32);                       /* 16 and 32 are equally near */
    ck_assert_uint_eq(trk_extend(23, 15, 4), 31);                      /* 15 and 31 too */
    ck_assert_uint_eq(trk_extend(UINT64_MAX, 0, 4), UINT64_MAX - 15);  /* never above 2^64 - 1 */
    ck_assert_uint_eq(trk_extend(5, 1234567, 64), 1234567);
    ck_assert_uint_eq(trk_extend(100, 0xffff0001, 16), 1);             /* only the low bits of low count */
}
END_TEST

UNIT_MAIN("sequence", number_and_seq_are_inverse, numbers_begin_at_one, extend_finds_the_nearest,
          extend_recovers_what_was_cut, extend_at_the_edges)
