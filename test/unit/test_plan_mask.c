/* What a filter takes from an answer: each bit of a mask governs only its own number, under every mask. */
#include "fake_plan.h"

/* Lost 3 and 9 .. 12: spending 13 re-creates them, as many as the filter had free. */
START_TEST(recreation)
{
    for (uint8_t recreate = 0; recreate <= TRK_RECREATE_MAX; recreate++) {
        struct trk_part *p = recovery(13, 1, 3, 3);
        for (uint64_t n = 9; n <= 12; n++)
            fake_lose(p, n);
        ask_all(p, 100000);
        fake_prove(&fake);
        fake_send_request(&fake);
        fake_decide(&fake);
        fake.decision.recreate[0] = recreate;
        ck_assert_int_eq(fake_plan(&fake), TRK_V_ACCEPTED);
        uint64_t lowest = recreate < 4 ? 13 - recreate : 9;
        ASSERT_GRANT(0, lowest + 5, 13 + 5);
        /* Bytes were assigned before: number 18 carries the fifth packet's, whatever came of the others. */
        ASSERT_SLICE(fake.plan.grants[0].slices[13 - lowest], 4 * ROOM, ROOM);
    }
}
END_TEST

/* The grants under a mask are those of the whole part without the masked numbers' own, and carry the same bytes. */
static void compare_with_full(uint64_t mask, const struct trk_plan *full)
{
    const struct trk_part *p = &fake.request.parts[0];
    struct trk_report report = { p->ranges, p->n_ranges };
    size_t granted = 0, bytes = 0;
    for (unsigned i = 0; i < p->m; i++) {
        if (!(mask >> i & 1))
            continue;
        struct trk_step one = trk_step(p->kind, &p->piece, &report, p->k + i, 1);
        for (uint64_t n = one.a; n <= one.b; n++) {
            const struct trk_plan_grant *g = fake.plan.grants;
            while (g < fake.plan.grants + fake.plan.n_grants && !(g->step.a <= n && n <= g->step.b))
                g++;
            ck_assert_msg(g < fake.plan.grants + fake.plan.n_grants, "number %lu is missing under mask %lx", (unsigned long)n, (unsigned long)mask);
            const struct trk_slice *mine = &g->slices[n - g->step.a], *whole = &full->grants[0].slices[n - full->grants[0].step.a];
            ASSERT_SLICE(*mine, whole->offset, whole->bytes);
            ck_assert_mem_eq(&g->step.piece, &full->grants[0].step.piece, sizeof g->step.piece);
            granted++;
            bytes += mine->bytes;
        }
    }
    size_t planned = 0, wanted = 0;
    for (unsigned i = 0; i < fake.plan.n_grants; i++)
        planned += fake.plan.grants[i].step.b + 1 - fake.plan.grants[i].step.a;
    for (unsigned i = 0; i < fake.plan.n_wants; i++)
        wanted += fake.plan.wants[i].bytes;
    ck_assert_uint_eq(planned, granted);
    ck_assert_uint_eq(wanted, bytes);
}

static void all_masks(void)
{
    static struct trk_plan full;
    fake_planned(&fake);
    ck_assert_uint_eq(fake.plan.n_grants, 1);
    full = fake.plan;
    for (uint64_t mask = 0; mask < (uint64_t)1 << fake.request.parts[0].m; mask++) {
        fake.decision.mask[0] = mask;
        ck_assert_int_eq(fake_plan(&fake), TRK_V_ACCEPTED);
        compare_with_full(mask, &full);
    }
}

START_TEST(every_mask_normal)
{
    begin(TRK_FORM_REQUEST);
    ask_all(fake_part(&fake, TRK_NORMAL, slow_start, 5, 9), 17 * ROOM + 77);
    all_masks();
    begin(TRK_FORM_REQUEST);
    ask_all(fake_part(&fake, TRK_NORMAL, (struct trk_piece){ 100, 7, 7 }, 113, 9), 11 * ROOM + 77);
    all_masks();
}
END_TEST

START_TEST(every_mask_recovery)
{
    ask_all(recovery(6, 8, 3, 3), 20 * ROOM);
    all_masks();
    struct trk_part *p = recovery(10, 4, 3, 3);
    fake_lose(p, 8);
    fake_lose(p, 9);
    ask_all(p, 20 * ROOM);
    all_masks();
}
END_TEST

START_TEST(input_needs_its_first_number)
{
    struct trk_request *r = begin(TRK_FORM_REQUEST);
    struct trk_part *p = fake_part(&fake, TRK_NORMAL, slow_start, 5, 3);
    r->has_input = true;
    fake_ask(p, TRK_ASK_INPUT, 0, 100000);
    fake_planned(&fake);
    ck_assert(fake.plan.may_input);
    fake.decision.mask[0] = 6;
    fake_plan(&fake);
    ck_assert(!fake.plan.may_input);
    ck_assert_uint_eq(fake.plan.n_grants, 1);
    ck_assert_uint_eq(fake.plan.n_wants, 0);           /* nothing will make those bytes */
    ck_assert_uint_eq(fake.plan.input_room, 0);
    fake.decision.mask[0] = 5;
    fake_plan(&fake);
    ck_assert(fake.plan.may_input);
    ck_assert_uint_eq(fake.plan.n_grants, 2);
    ck_assert(fake.plan.grants[0].carries_input);
    ck_assert(!fake.plan.grants[1].carries_input);
}
END_TEST

START_TEST(too_many_holes)
{
    begin(TRK_FORM_REQUEST);
    fake_part(&fake, TRK_NORMAL, slow_start, 5, 18);
    fake_planned(&fake);
    fake.decision.mask[0] = 0x5555;    /* eight runs */
    ck_assert_int_eq(fake_plan(&fake), TRK_V_ACCEPTED);
    fake.decision.mask[0] = 0x15555;
    ck_assert_int_eq(fake_plan(&fake), TRK_V_TOO_MANY);
}
END_TEST

/* A part of which nothing is spent is not looked at: it cannot refuse what others have spent. */
START_TEST(a_part_without_a_bit)
{
    recovery(13, 2, 3, 3);             /* 14 is above R */
    ask_all(fake_part(&fake, TRK_NORMAL, slow_start, 20, 1), 100);
    fake_prove(&fake);
    fake_send_request(&fake);
    fake_decide(&fake);
    ck_assert_int_eq(fake_plan(&fake), TRK_V_BEYOND_RECOVERY);
    fake.decision.mask[0] = 0;
    ck_assert_int_eq(fake_plan(&fake), TRK_V_ACCEPTED);
    ck_assert_uint_eq(fake.plan.n_grants, 1);
    ck_assert_uint_eq(fake.plan.grants[0].part, 1);
}
END_TEST

UNIT_MAIN("plan_mask", recreation, every_mask_normal, every_mask_recovery, input_needs_its_first_number, too_many_holes,
          a_part_without_a_bit)
