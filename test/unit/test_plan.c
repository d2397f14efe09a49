/* Which numbers are granted, and which bytes they carry, for every kind of answer. */
#include "fake_plan.h"

START_TEST(normal)
{
    begin(TRK_FORM_REQUEST);
    struct trk_part *p = fake_part(&fake, TRK_NORMAL, slow_start, 5, 2);
    ask_all(p, 5000);
    fake_planned(&fake);
    ck_assert_int_eq(fake.plan.form, TRK_FORM_NORMAL);
    ck_assert(!fake.plan.restart && !fake.plan.refresh && !fake.plan.may_input);
    ck_assert_uint_eq(fake.plan.room, ROOM);
    ck_assert_uint_eq(fake.plan.n_grants, 1);
    ASSERT_GRANT(0, 4 + 13 + 1, 6 + 15);
    ck_assert_uint_eq(fake.plan.n_wants, 1);
    ASSERT_WANT(0, 0, 0, 5000);
    ASSERT_SLICE(fake.plan.grants[0].slices[0], 0, ROOM);
    ASSERT_SLICE(fake.plan.grants[0].slices[1], ROOM, ROOM);
    ASSERT_SLICE(fake.plan.grants[0].slices[3], 3 * ROOM, 5000 - 3 * ROOM);
}
END_TEST

START_TEST(wants_are_limited_to_what_is_granted)
{
    begin(TRK_FORM_REQUEST);
    struct trk_part *p = fake_part(&fake, TRK_NORMAL, slow_start, 5, 1);
    ask_all(p, 100000);
    fake_planned(&fake);
    ASSERT_GRANT(0, 18, 19);
    ck_assert_uint_eq(fake.plan.n_wants, 1);
    ASSERT_WANT(0, 0, 0, 2 * ROOM);
}
END_TEST

START_TEST(want_long)
{
    begin(TRK_FORM_REQUEST)->want_long = true;
    fake_part(&fake, TRK_NORMAL, slow_start, 5, 1);
    fake_planned(&fake);
    ck_assert_int_eq(fake.plan.form, TRK_FORM_LONG);
    ck_assert_uint_eq(fake.plan.room, LONG_ROOM);
    ck_assert(!fake.plan.restart);
}
END_TEST

START_TEST(smaller_fill)
{
    begin(TRK_FORM_REQUEST)->fill = 600;
    ask_all(fake_part(&fake, TRK_NORMAL, slow_start, 5, 1), 1000);
    fake_planned(&fake);
    ASSERT_SLICE(fake.plan.grants[0].slices[0], 0, 600 - TRK_NORMAL_BYTES);
}
END_TEST

START_TEST(opening_with_input)
{
    struct trk_request *r = begin(TRK_FORM_REQUEST);
    struct trk_part *p = fake_opening(&fake, 1, TRK_IW, TRK_SSTHRESH_NONE);
    r->has_input = true;
    r->reserve = 200;
    fake_ask(p, TRK_ASK_INPUT, 0, 1000000);
    fake_planned(&fake);
    ck_assert_int_eq(fake.plan.form, TRK_FORM_LONG);
    ck_assert(fake.plan.restart && fake.plan.may_input);
    ASSERT_GRANT(0, 2, 11);
    ck_assert(fake.plan.grants[0].carries_input);
    ck_assert_uint_eq(fake.plan.input_room, 10 * LONG_ROOM - 200);
    ASSERT_WANT(0, TRK_ASK_INPUT, 0, 10 * LONG_ROOM - 200);
    ASSERT_SLICE(fake.plan.grants[0].slices[0], 0, LONG_ROOM - 200);
    ASSERT_SLICE(fake.plan.grants[0].slices[1], LONG_ROOM - 200, LONG_ROOM);
}
END_TEST

START_TEST(a_reserve_of_everything)
{
    struct trk_request *r = begin(TRK_FORM_REQUEST);
    struct trk_part *p = fake_part(&fake, TRK_NORMAL, slow_start, 5, 1);
    r->has_input = true;
    r->reserve = r->fill;
    fake_ask(p, TRK_ASK_INPUT, 0, 5000);
    fake_planned(&fake);
    ASSERT_SLICE(fake.plan.grants[0].slices[0], 0, 0);
    ASSERT_SLICE(fake.plan.grants[0].slices[1], 0, ROOM);
    ck_assert(fake.plan.may_input);
}
END_TEST

START_TEST(recovery_with_terminal)
{
    struct trk_part *p = recovery(4, 6, 3, 3);
    ask_all(p, 700);                   /* the terminal's */
    p->terminal_ask = true;
    fake_ask(p, 0, 2000, 900);
    fake_planned(&fake);
    ASSERT_GRANT(0, 9 + 5, 9 + 5);     /* of 4 .. 9, only 9 > R - w lives on */
    const struct trk_plan_grant *g = &fake.plan.grants[0];
    ck_assert_int_eq(g->step.mode, TRK_MODE_RECOVERY);
    ck_assert_uint_eq(g->step.terminal, 3);
    ASSERT_SLICE(g->terminal, 0, 700);
    ASSERT_SLICE(g->slices[0], 2000, 900);
    ck_assert_uint_eq(fake.plan.n_wants, 2);
    ASSERT_WANT(0, 0, 0, 700);
    ASSERT_WANT(1, 0, 2000, 900);
}
END_TEST

START_TEST(a_terminal_alone)
{
    struct trk_part *p = recovery(4, 1, 3, 3);         /* 4 <= R - w: its trickle ends */
    ask_all(p, 70000);
    p->terminal_ask = true;
    fake_planned(&fake);
    ck_assert_uint_eq(fake.plan.n_grants, 1);
    ck_assert_uint_gt(fake.plan.grants[0].step.a, fake.plan.grants[0].step.b);
    ck_assert_uint_eq(fake.plan.grants[0].step.terminal, 3);
    ASSERT_SLICE(fake.plan.grants[0].terminal, 0, 1456 - TRK_TERMINAL_BYTES);
    ASSERT_WANT(0, 0, 0, 1456 - TRK_TERMINAL_BYTES);
}
END_TEST

START_TEST(no_terminal_twice)
{
    struct trk_part *p = recovery(9, 1, 8, 8);
    ask_all(p, 700);
    p->terminal_ask = true;
    fake_prove(&fake);
    fake_send_request(&fake);
    fake_decide(&fake);
    fake.decision.terminal[0] = false;
    ck_assert_int_eq(fake_plan(&fake), TRK_V_ACCEPTED);
    for (unsigned i = 0; i < fake.plan.n_grants; i++)
        ck_assert_uint_eq(fake.plan.grants[i].step.terminal, 0);
    ck_assert_uint_eq(fake.plan.n_wants, 0);
}
END_TEST

START_TEST(trickles_that_end)
{
    recovery(5, 2, 3, 3);              /* 4 arrived, so no run, no terminal; 5 and 6 <= R - w */
    fake_planned(&fake);
    ck_assert_uint_eq(fake.plan.n_grants, 0);
    ck_assert_int_eq(fake_respond(&fake), TRK_V_ANSWERED);
    ck_assert_uint_eq(fake.out.n, 0);
}
END_TEST

START_TEST(beyond_recovery)
{
    recovery(13, 1, 3, 3);
    fake_planned(&fake);               /* R itself */
    recovery(13, 2, 3, 3);
    fake_prove(&fake);
    fake_send_request(&fake);
    fake_decide(&fake);
    ck_assert_int_eq(fake_plan(&fake), TRK_V_BEYOND_RECOVERY);
}
END_TEST

/* Loss of 3: R = 13. Nobody was granted 14 in this piece, so k* = 14 cannot be restarted from, nor refreshed. */
START_TEST(restart_beyond_recovery)
{
    for (uint64_t k = 13; k <= 14; k++) {
        for (int refreshes = 0; refreshes < 2; refreshes++) {
            begin(TRK_FORM_RESTART);
            struct trk_part *p = fake_part(&fake, TRK_NORMAL, slow_start, k, 1);
            fake_lose(p, 3);
            if (refreshes)
                p->grants[0].tick -= 10000;
            fake_prove(&fake);
            fake_send_request(&fake);
            fake_decide(&fake);
            ck_assert_int_eq(fake_plan(&fake), k == 13 ? TRK_V_ACCEPTED : TRK_V_BEYOND_RECOVERY);
        }
    }
}
END_TEST

START_TEST(a_reserve_without_input_is_nothing)
{
    begin(TRK_FORM_REQUEST)->reserve = 200;
    ask_all(fake_part(&fake, TRK_NORMAL, slow_start, 5, 1), 5000);
    fake_planned(&fake);
    ASSERT_SLICE(fake.plan.grants[0].slices[0], 0, ROOM);
}
END_TEST

START_TEST(a_single_number_carries_input)
{
    begin(TRK_FORM_REQUEST)->has_input = true;
    fake_ask(fake_part(&fake, TRK_NORMAL, (struct trk_piece){ 1, 10, 10 }, 5, 1), TRK_ASK_INPUT, 0, 5000);
    fake_planned(&fake);
    ASSERT_GRANT(0, 15, 15);
    ck_assert(fake.plan.may_input);
    ck_assert_uint_eq(fake.plan.input_room, ROOM);
}
END_TEST

START_TEST(input_rides_on_the_last_part)
{
    struct trk_request *r = begin(TRK_FORM_REQUEST);
    fake_part(&fake, TRK_NORMAL, slow_start, 5, 1);
    struct trk_part *p = fake_part(&fake, TRK_NORMAL, slow_start, 6, 1);
    r->has_input = true;
    r->reserve = 100;
    fake_ask(p, TRK_ASK_INPUT, 0, 100000);
    fake_planned(&fake);
    ck_assert_uint_eq(fake.plan.n_grants, 2);
    ck_assert(!fake.plan.grants[0].carries_input);
    ck_assert(fake.plan.grants[1].carries_input);
    ck_assert_uint_eq(fake.plan.grants[1].part, 1);
    ck_assert_uint_eq(fake.plan.input_room, 2 * ROOM - 100);
}
END_TEST

START_TEST(wants_of_several_continuations)
{
    begin(TRK_FORM_REQUEST);
    struct trk_part *p = fake_part(&fake, TRK_NORMAL, slow_start, 5, 4);
    uint8_t one = fake_cont(&fake, TRK_UCONT_OUTPUT, 0, 500, "one"), two = fake_cont(&fake, TRK_UCONT_OUTPUT, 500, 9000, "two");
    fake_ask(p, one, 100, 400);
    fake_ask(p, two, 500, 3000);       /* adjoins: the first packet crosses over */
    fake_ask(p, two, 3500, 100);       /* adjoins in the same continuation: one want */
    fake_ask(p, two, 7000, 10);        /* a gap: another packet, another want */
    fake_planned(&fake);
    ck_assert_uint_eq(fake.plan.n_wants, 3);
    ASSERT_WANT(0, one, 100, 400);
    ASSERT_WANT(1, two, 500, 3100);
    ASSERT_WANT(2, two, 7000, 10);
    ASSERT_SLICE(fake.plan.grants[0].slices[0], 100, ROOM);
    ASSERT_SLICE(fake.plan.grants[0].slices[2], 100 + 2 * ROOM, 3500 - 2 * ROOM);
    ASSERT_SLICE(fake.plan.grants[0].slices[3], 7000, 10);
    ASSERT_SLICE(fake.plan.grants[0].slices[4], 0, 0);
}
END_TEST

START_TEST(too_many_packets)
{
    begin(TRK_FORM_REQUEST);
    fake_part(&fake, TRK_NORMAL, slow_start, 5, 64);   /* slow start: 128 packets each */
    fake_part(&fake, TRK_NORMAL, slow_start, 69, 64);
    fake_planned(&fake);
    fake_part(&fake, TRK_NORMAL, slow_start, 133, 1);
    fake_prove(&fake);
    fake_send_request(&fake);
    fake_decide(&fake);
    ck_assert_int_eq(fake_plan(&fake), TRK_V_TOO_MANY);
}
END_TEST

/* 256 packets are the most, of one grant as of the whole answer. */
START_TEST(the_largest_answers)
{
    for (uint32_t start = 256; start <= 257; start++) {
        begin(TRK_FORM_REQUEST);
        fake_opening(&fake, 1, start, TRK_SSTHRESH_NONE);
        fake_planned(&fake);
        ASSERT_GRANT(0, 2, 257);

        begin(TRK_FORM_RESTART)->restart_kind = TRK_RESTART_RESUME;
        struct trk_part *p = fake_part(&fake, TRK_NORMAL, (struct trk_piece){ 1, start, TRK_SSTHRESH_NONE }, 5, 1);
        p->grants[0].b = 9;
        ask_all(p, 1000000);
        fake_planned(&fake);
        ck_assert_uint_eq(fake.plan.grants[0].step.b - fake.plan.grants[0].step.a + 1, 256);
        ck_assert_uint_eq(fake.plan.wants[0].bytes, 256 * LONG_ROOM);
    }
}
END_TEST

/* From 5 with nothing lost: W = C(5) = 14, F = 19. Cut at 7: 6 and 7 count as lost, F = 5 + 14 + 7. */
START_TEST(restarts)
{
    static const struct { uint8_t kind; uint64_t b, f; uint32_t age; uint64_t base, start; } cases[] = {
        { TRK_RESTART_TIMEOUT, 5, 5, 3, 19, 2 },
        { TRK_RESTART_RESUME, 5, 5, 3, 19, 6 },        /* not attested: three quarters of w = 7 */
        { TRK_RESTART_RESUME, 9, 5, 3, 19, 10 },       /* cut, nothing lost: the piece's start */
        { TRK_RESTART_RESUME, 9, 7, 3, 26, 7 },        /* cut, and its rest lost: w */
        { TRK_RESTART_RESUME, 9, 5, 200, 19, 10 },     /* aged: min(start, IW) */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        begin(TRK_FORM_RESTART)->restart_kind = cases[i].kind;
        struct trk_part *p = fake_part(&fake, TRK_NORMAL, slow_start, 5, 1);
        p->grants[0].b = cases[i].b;
        p->grants[0].f = cases[i].f;
        p->grants[0].tick = trk_tick(fake.now_ms) - cases[i].age;
        ask_all(p, 1000000);
        fake_planned(&fake);
        ck_assert(fake.plan.restart);
        ck_assert_int_eq(fake.plan.form, TRK_FORM_LONG);
        ASSERT_GRANT(0, cases[i].base + 1, cases[i].base + cases[i].start);
        ck_assert_uint_eq(fake.plan.wants[0].bytes, cases[i].start * LONG_ROOM);
    }
}
END_TEST

START_TEST(refresh)
{
    struct trk_request *r = begin(TRK_FORM_REQUEST);
    struct trk_part *p = fake_part(&fake, TRK_NORMAL, slow_start, 5, 2);
    p->grants[0].tick -= 10000;
    r->has_input = true;
    ask_all(p, 5000);
    fake_planned(&fake);
    ck_assert(fake.plan.refresh && !fake.plan.may_input);
    ck_assert_int_eq(fake.plan.form, TRK_FORM_LONG);
    ck_assert_uint_eq(fake.plan.n_wants, 0);
    ck_assert_uint_eq(fake.plan.n_grants, 1);
    ASSERT_GRANT(0, 6 + 15 + 1, 6 + 15 + 1);
    ck_assert_uint_eq(fake.plan.grants[0].step.piece.base, 21);
    ck_assert_uint_eq(fake.plan.grants[0].step.piece.start, 7);
}
END_TEST

START_TEST(no_room_in_a_small_syn)
{
    fake_init(&fake);
    fake_open(&fake, NULL, 1460, 20);
    fake_decide(&fake);
    ck_assert_int_eq(fake_plan(&fake), TRK_V_NO_ROOM);
    fake_open(&fake, NULL, 1460, 4 + TRK_OPENED_BYTES - 1);
    fake_decide(&fake);
    ck_assert_int_eq(fake_plan(&fake), TRK_V_NO_ROOM);
    fake_open(&fake, NULL, 1460, 4 + TRK_OPENED_BYTES);
    fake_decide(&fake);
    ck_assert_int_eq(fake_plan(&fake), TRK_V_ACCEPTED);
    ck_assert_uint_eq(fake.plan.n_wants, 0);
}
END_TEST

START_TEST(open)
{
    fake_init(&fake);
    fake_open(&fake, "GET", 1460, TRK_SYN_PAYLOAD);
    fake_decide(&fake);
    ck_assert_int_eq(fake_plan(&fake), TRK_V_ACCEPTED);
    ck_assert_int_eq(fake.plan.form, TRK_FORM_OPENED);
    ck_assert(fake.plan.may_input);
    ASSERT_GRANT(0, 1, 1);
    ck_assert_uint_eq(fake.plan.n_wants, 1);
    ASSERT_WANT(0, TRK_ASK_INPUT, 0, TRK_SYN_PAYLOAD - 4 - TRK_OPENED_BYTES);
    ck_assert_uint_eq(fake.plan.input_room, fake.plan.room);
    fake_open(&fake, NULL, 600, TRK_SYN_PAYLOAD);      /* a small path bounds it too */
    fake_decide(&fake);
    fake_plan(&fake);
    ck_assert(!fake.plan.may_input);
    ck_assert_uint_eq(fake.plan.room, 596 - 8 - TRK_OPENED_BYTES);
}
END_TEST

UNIT_MAIN("plan", normal, wants_are_limited_to_what_is_granted, want_long, smaller_fill, opening_with_input,
          a_reserve_of_everything, recovery_with_terminal, a_terminal_alone, no_terminal_twice, trickles_that_end,
          beyond_recovery, restart_beyond_recovery, a_reserve_without_input_is_nothing, a_single_number_carries_input, input_rides_on_the_last_part, wants_of_several_continuations,
          too_many_packets, the_largest_answers, restarts, refresh, no_room_in_a_small_syn, open)
