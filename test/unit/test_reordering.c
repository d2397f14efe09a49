/* How long the client waits for a missing number: learnt from what came late, bounded, and forgotten (PROTOCOL.md 7.2). */
#include "client/internal.h"
#include "unit.h"

enum { SRTT = 40000 };
static _Alignas(16) struct trk_number numbers[TRK_CLIENT_NUMBERS];
static struct trk_client client;

/* Numbers 1 to 9 are expected, next to be resolved is 1. */
static void begin(uint64_t srtt_us)
{
    memset(numbers, 0, sizeof numbers);
    memset(&client, 0, sizeof client);
    client.ring = numbers;
    client.ring_mask = TRK_CLIENT_NUMBERS_FIRST - 1;
    client.srtt_us = srtt_us;
    client.next = 1;
    for (uint64_t n = 1; n < 10; n++)
        trk_number_take(&client, n, 0);
}

static void arrives(uint64_t n, uint64_t at_us) { trk_number_hold(&client, trk_number_at(&client, n), 0, at_us); }

/* Number 1 comes so long after 2, which came at 1000. */
static void comes_late_by(uint64_t us) { trk_reordering_late(&client, trk_number_at(&client, 1), 1000 + us); }

/* Number 1 is taken for lost, as 2 came at 1000. */
static void lose_the_first(void)
{
    arrives(2, 1000);
    ck_assert_uint_eq(trk_resolve(&client, 1000, false), 1000 + SRTT / 4);
    ck_assert_uint_eq(trk_resolve(&client, 1000 + SRTT / 4, false), TRK_NEVER);
    ck_assert_uint_eq(trk_number_at(&client, 1)->state, TRK_N_LOST);
    ck_assert_uint_eq(client.stats.numbers_lost, 1);
}

START_TEST(what_came_late_is_waited_for)
{
    begin(SRTT);
    lose_the_first();
    comes_late_by(12000);
    ck_assert_uint_eq(client.stats.numbers_late, 1);
    arrives(4, 50000);
    ck_assert_uint_eq(trk_resolve(&client, 50000, false), 50000 + 24000);
    ck_assert_uint_eq(trk_resolve(&client, 50000 + 23999, false), 50000 + 24000);
    ck_assert_uint_eq(trk_resolve(&client, 50000 + 24000, false), TRK_NEVER);
    ck_assert_uint_eq(client.stats.numbers_lost, 2);
}
END_TEST

START_TEST(what_came_in_time_teaches_as_well)
{
    begin(SRTT);
    arrives(2, 1000);
    ck_assert_uint_eq(trk_resolve(&client, 1000, false), 1000 + SRTT / 4);
    arrives(1, 1000 + 9000);
    ck_assert_uint_eq(trk_resolve(&client, 1000 + 9000, false), TRK_NEVER);
    ck_assert_uint_eq(client.stats.numbers_lost, 0);
    ck_assert_uint_eq(trk_reordering_window(&client), 18000);
}
END_TEST

START_TEST(it_has_bounds)
{
    begin(SRTT);
    lose_the_first();
    comes_late_by(SRTT);
    ck_assert_uint_eq(trk_reordering_window(&client), SRTT);       /* not 2 srtt */
    begin(SRTT);
    lose_the_first();
    comes_late_by(SRTT + 1);
    ck_assert_uint_eq(trk_reordering_window(&client), SRTT / 4);   /* later than anybody would wait */
    client.srtt_us = 100;
    client.late_us = 9000;
    ck_assert_uint_eq(trk_reordering_window(&client), 10000);      /* what a busy host may take */
    client.late_us = 3;
    ck_assert_uint_eq(trk_reordering_window(&client), 25);
}
END_TEST

START_TEST(a_copy_is_no_news)
{
    begin(SRTT);
    lose_the_first();
    comes_late_by(11000);
    comes_late_by(20000);
    ck_assert_uint_eq(client.stats.numbers_late, 1);
    ck_assert_uint_eq(trk_reordering_window(&client), 22000);
}
END_TEST

START_TEST(losses_make_it_forget)
{
    begin(SRTT);
    lose_the_first();
    comes_late_by(12000);
    for (int i = 0; i < 16; i++)
        trk_reordering_loss(&client);
    ck_assert_uint_eq(trk_reordering_window(&client), 24000);
    trk_reordering_loss(&client);
    ck_assert_uint_eq(trk_reordering_window(&client), SRTT / 4);
}
END_TEST

UNIT_MAIN("reordering", what_came_late_is_waited_for, what_came_in_time_teaches_as_well, it_has_bounds, a_copy_is_no_news, losses_make_it_forget)
