/* The client's ring of numbers grows under what lies in it, and is washed for the next connection. */
#include "client/internal.h"
#include "unit.h"

static _Alignas(16) struct trk_number numbers[TRK_CLIENT_NUMBERS];
static struct trk_client client;

static void begin(void)
{
    memset(numbers, 0, sizeof numbers);
    memset(&client, 0, sizeof client);
    client.ring = numbers;
    client.ring_mask = TRK_CLIENT_NUMBERS_FIRST - 1;
}

START_TEST(it_grows_by_doubling)
{
    begin();
    ck_assert(trk_numbers_span(&client, TRK_CLIENT_NUMBERS_FIRST - 1));
    ck_assert_uint_eq(client.ring_mask, TRK_CLIENT_NUMBERS_FIRST - 1);
    ck_assert(trk_numbers_span(&client, TRK_CLIENT_NUMBERS_FIRST));
    ck_assert_uint_eq(client.ring_mask, 2 * TRK_CLIENT_NUMBERS_FIRST - 1);
    ck_assert(trk_numbers_span(&client, TRK_CLIENT_NUMBERS - 1));
    ck_assert(!trk_numbers_span(&client, TRK_CLIENT_NUMBERS));
    ck_assert_uint_eq(client.ring_mask, TRK_CLIENT_NUMBERS - 1);
}
END_TEST

/* A window that starts anywhere is found again after each growth. */
START_TEST(what_lies_in_it_stays)
{
    for (uint64_t from = 1; from < 3 * TRK_CLIENT_NUMBERS; from += 4999) {
        begin();
        uint64_t to = from;
        for (uint32_t span = TRK_CLIENT_NUMBERS_FIRST; span <= TRK_CLIENT_NUMBERS; span *= 2) {
            ck_assert(trk_numbers_span(&client, span - 1));
            for (; to < from + span - 1; to++)
                trk_number_take(&client, to, 3)->offset = to * 7;
            for (uint64_t n = from; n < to; n++) {
                struct trk_number *e = trk_number_at(&client, n);
                ck_assert_ptr_nonnull(e);
                ck_assert_uint_eq(e->offset, n * 7);
            }
            ck_assert_ptr_null(trk_number_at(&client, to));
        }
    }
}
END_TEST

static void check_washed(void)
{
    static const struct trk_number zero;
    trk_client_wash(&client);
    for (size_t i = 0; i < TRK_CLIENT_NUMBERS; i++)
        ck_assert_mem_eq(&numbers[i], &zero, sizeof zero);
}

START_TEST(washed_it_is_zero)
{
    begin();
    for (uint64_t n = 1; n <= 30; n++)
        trk_number_take(&client, n, 0);
    check_washed();
    begin();
    for (uint64_t n = 5000; n <= 5300; n++)            /* once around, in a later generation */
        trk_number_take(&client, n, 0);
    client.generation = 1;
    trk_numbers_span(&client, 3000);
    check_washed();
}
END_TEST

UNIT_MAIN("numbers_ring", it_grows_by_doubling, what_lies_in_it_stays, washed_it_is_zero)
