/* The endpoint's heap of timers beside a list that is searched. */
#include <string.h>
#include "endpoint/endpoint_state.h"
#include "random.h"
#include "unit.h"

enum { ENDS = 200, STEPS = 20000 };
static struct trk_end ends[ENDS];
static struct trk_endpoint e;

static void begin(void)
{
    free(e.heap);
    memset(&e, 0, sizeof e);
    for (int i = 0; i < ENDS; i++)
        ck_assert(trk_end_begin(&e, &ends[i]));
}

/* Everything whose time has come is told once; nothing else is. */
static void check_due(void)
{
    struct trk_end *end;
    while ((end = trk_timers_due(&e))) {
        ck_assert_uint_le(end->wake_us, e.now_us);
        end->wake_us = UINT64_MAX;
    }
    for (int i = 0; i < ENDS; i++)
        ck_assert(ends[i].wake_us == UINT64_MAX || ends[i].wake_us > e.now_us);
}

/* It never sleeps longer than the earliest of them. */
static void check_wake(void)
{
    uint64_t first = UINT64_MAX;
    for (int i = 0; i < ENDS; i++)
        if (ends[i].wake_us < first)
            first = ends[i].wake_us;
    ck_assert_uint_le(trk_endpoint_wake_us(&e), first);
    if (e.heap_n)
        ck_assert_uint_gt(trk_endpoint_wake_us(&e), e.now_us);
}

START_TEST(beside_a_list)
{
    uint64_t seed = 7;
    begin();
    for (int step = 0; step < STEPS; step++) {
        struct trk_end *end = &ends[random_below(&seed, ENDS)];
        switch (random_below(&seed, 8)) {
        case 0:
            trk_end_wake(end, UINT64_MAX);
            break;
        case 1:
            trk_timers_drop(end);
            end->wake_us = UINT64_MAX;
            break;
        case 2:
            e.now_us += random_below(&seed, 50);
            check_due();
            check_wake();
            break;
        default:
            trk_end_wake(end, e.now_us + 1 + random_below(&seed, 1000));
        }
    }
    e.now_us += 2000;
    check_due();
    ck_assert_uint_eq(e.heap_n, 0);
}
END_TEST

START_TEST(a_released_end_is_never_told)
{
    begin();
    for (int i = 0; i < ENDS; i++)
        trk_end_wake(&ends[i], (uint64_t)i);
    for (int i = 0; i < ENDS; i += 2)
        trk_end_release(&ends[i]);
    e.now_us = ENDS;
    for (int i = 1; i < ENDS; i += 2)
        ck_assert_ptr_eq(trk_timers_due(&e), &ends[i]);
    ck_assert_ptr_null(trk_timers_due(&e));
    ck_assert_uint_eq(e.n_ends, ENDS / 2);
}
END_TEST

UNIT_MAIN("timers", beside_a_list, a_released_end_is_never_told)
