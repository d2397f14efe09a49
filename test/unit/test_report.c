/* test_report.c - the nonce sum proves what arrived and nothing else; a report read as a set. */
#include <string.h>
#include "random.h"
#include "tcb/report.h"
#include "unit.h"
#include "vectors.h"

#define BASE 40
#define LAST 50                        /* numbers 41 .. 50: every report of ten */

static struct trk_keys keys;
static const struct trk_epoch *epoch;
static struct trk_nonce_scope scope;

static void setup(void)
{
    uint8_t master[TRK_MASTER_BYTES];
    for (int i = 0; i < TRK_MASTER_BYTES; i++)
        master[i] = (uint8_t)i;
    trk_keys_init(&keys);
    trk_keys_add(&keys, 3, TRK_EPOCH_CURRENT, master);
    epoch = trk_keys_current(&keys);
    scope = (struct trk_nonce_scope){ { 0x0123456789abcdefull, 0x11223344 }, 0xd0d1d2d3u, 0x102, BASE };
}

/* Ranges of the numbers BASE + 1 + i whose bit i is set. */
static size_t ranges_of(uint64_t set, struct trk_range *out)
{
    size_t n = 0;
    for (uint64_t i = 0; i < 64; i++) {
        if (!(set >> i & 1))
            continue;
        if (i == 0 || !(set >> (i - 1) & 1))
            out[n++].left = BASE + 1 + i;
        out[n - 1].right = BASE + 1 + i;
    }
    return n;
}

static uint64_t sum_of(uint64_t set)
{
    uint64_t sum = 0;
    for (uint64_t i = 0; i < 64; i++)
        if (set >> i & 1)
            sum ^= trk_nonce(epoch, &scope, BASE + 1 + i);
    return sum;
}

START_TEST(the_nonce_equals_the_second_implementation)
{
    setup();
    scope.base = 0x010203040506ull;
    ck_assert_uint_eq(trk_nonce(epoch, &scope, 0x0b0c0d0e0f10ull), VECTOR_NONCE);
}
END_TEST

/* Whoever received exactly the set S can prove S and no other of the 1,022 reports: neither one that hides,
 * nor one that invents, nor one that shifts anything. */
START_TEST(what_arrived_proves_itself_alone)
{
    setup();
    struct trk_range ranges[64];
    uint64_t sums[1024];
    for (uint64_t set = 1; set < 1024; set++)
        sums[set] = sum_of(set);
    for (uint64_t claim = 1; claim < 1024; claim++) {
        size_t n = ranges_of(claim, ranges);
        for (uint64_t set = 1; set < 1024; set++)
            if (trk_proof_ok(epoch, &scope, ranges, n, sums[set]) != (set == claim))
                ck_abort_msg("received %#x, claimed %#x", (unsigned)set, (unsigned)claim);
    }
}
END_TEST

/* Nonces telescope: r(left) ^ r(right + 1). A client could add the whole window's sum only with its ends. */
START_TEST(long_ranges_cost_no_more_and_telescope)
{
    setup();
    uint64_t sum = 0;
    for (uint64_t n = BASE + 1; n <= BASE + 5000; n++)
        sum ^= trk_nonce(epoch, &scope, n);
    struct trk_range whole = { BASE + 1, BASE + 5000 };
    ck_assert(trk_proof_ok(epoch, &scope, &whole, 1, sum));
    whole.right++;
    ck_assert(!trk_proof_ok(epoch, &scope, &whole, 1, sum));
    whole.right -= 2;
    ck_assert(!trk_proof_ok(epoch, &scope, &whole, 1, sum));
}
END_TEST

START_TEST(all_64_bits_count)
{
    setup();
    struct trk_range range = { BASE + 1, BASE + 9 };
    uint64_t sum = sum_of(0x1ff);
    for (int bit = 0; bit < 64; bit++)
        ck_assert(!trk_proof_ok(epoch, &scope, &range, 1, sum ^ 1ull << bit));
    ck_assert(trk_proof_ok(epoch, &scope, &range, 1, sum));
    ck_assert(!trk_proof_ok(epoch, &scope, &range, 0, 0));             /* nothing proves nothing */
}
END_TEST

/* Without the base a client could spend a number, then claim it lost; without the domain, answer twice. */
START_TEST(the_proof_holds_in_its_own_scope_only)
{
    setup();
    struct trk_range range = { BASE + 1, BASE + 9 };
    uint64_t sum = sum_of(0x1ff);
    struct trk_nonce_scope other = scope;
    other.base--;
    ck_assert(!trk_proof_ok(epoch, &other, &range, 1, sum));
    other = scope;
    other.domain++;
    ck_assert(!trk_proof_ok(epoch, &other, &range, 1, sum));
    other = scope;
    other.generation++;
    ck_assert(!trk_proof_ok(epoch, &other, &range, 1, sum));
    other = scope;
    other.id.h++;
    ck_assert(!trk_proof_ok(epoch, &other, &range, 1, sum));
    other = scope;
    other.id.t++;
    ck_assert(!trk_proof_ok(epoch, &other, &range, 1, sum));
    uint8_t master[TRK_MASTER_BYTES] = { 1 };
    struct trk_keys foreign;
    trk_keys_init(&foreign);
    trk_keys_add(&foreign, 3, TRK_EPOCH_CURRENT, master);
    ck_assert(!trk_proof_ok(trk_keys_current(&foreign), &scope, &range, 1, sum));
}
END_TEST

/* Every set, every k: first loss and run as one would find them by looking at each number. */
START_TEST(first_loss_and_run_equal_a_search)
{
    struct trk_range ranges[64];
    for (uint64_t set = 0; set < 1024; set++) {
        struct trk_report report = { ranges, ranges_of(set, ranges) };
        for (uint64_t k = BASE + 1; k <= LAST + 1; k++) {
            uint64_t loss = 0, run = BASE;
            for (uint64_t n = k - 1; n > BASE; n--)
                if (!(set >> (n - BASE - 1) & 1))
                    loss = n;
                else if (n > run)
                    run = n;
            if (trk_report_first_loss(&report, BASE, k) != loss || trk_report_run(&report, BASE, k) != run)
                ck_abort_msg("set %#x, k %d", (unsigned)set, (int)k);
        }
    }
}
END_TEST

START_TEST(only_a_report_in_canonical_form_is_valid)
{
    struct trk_range good[] = { { 41, 43 }, { 45, 45 }, { 48, 50 } };
    ck_assert(trk_report_valid(&(struct trk_report){ good, 3 }, BASE, LAST));
    ck_assert(!trk_report_valid(&(struct trk_report){ good, 0 }, BASE, LAST));
    ck_assert(!trk_report_valid(&(struct trk_report){ good, 2 }, BASE, LAST));     /* ends before */
    ck_assert(!trk_report_valid(&(struct trk_report){ good, 3 }, BASE, LAST - 1)); /* ends behind */
    ck_assert(!trk_report_valid(&(struct trk_report){ good, 3 }, BASE + 1, LAST)); /* at its base */
    struct trk_range touching[] = { { 41, 43 }, { 44, 50 } }, backwards[] = { { 45, 46 }, { 41, 50 } }, inverted[] = { { 43, 42 }, { 48, 50 } };
    ck_assert(!trk_report_valid(&(struct trk_report){ touching, 2 }, BASE, LAST));
    ck_assert(!trk_report_valid(&(struct trk_report){ backwards, 2 }, BASE, LAST));
    ck_assert(!trk_report_valid(&(struct trk_report){ inverted, 2 }, BASE, LAST));
}
END_TEST

START_TEST(what_is_spent_must_be_received)
{
    struct trk_range got[] = { { 41, 43 }, { 50, 52 } };
    struct trk_report report = { got, 2 };
    ck_assert(trk_report_holds(&report, 50, 52));
    ck_assert(trk_report_holds(&report, 52, 52));
    ck_assert(!trk_report_holds(&report, 49, 52));
    ck_assert(!trk_report_holds(&report, 52, 53));
    ck_assert(!trk_report_holds(&report, 42, 43));                     /* the last range, or nothing */
    ck_assert(!trk_report_holds(&(struct trk_report){ got, 0 }, 52, 52));
}
END_TEST

UNIT_MAIN("report", the_nonce_equals_the_second_implementation, what_arrived_proves_itself_alone, long_ranges_cost_no_more_and_telescope,
          all_64_bits_count, the_proof_holds_in_its_own_scope_only, first_loss_and_run_equal_a_search,
          only_a_report_in_canonical_form_is_valid, what_is_spent_must_be_received)
