/* What the application says to an input: MORE, DONE, nothing, and more than there is room for. */
#include "fake_answers.h"

static void plan_input(uint16_t reserve)
{
    struct trk_request *r = begin(TRK_FORM_REQUEST);
    struct trk_part *p = fake_part(&fake, TRK_NORMAL, slow_start, 5, 2);
    r->has_input = true;
    r->input = (const uint8_t *)"GET";
    r->input_bytes = 3;
    r->reserve = reserve;
    r->input_cont = fake_cont(&fake, TRK_UCONT_INPUT, 90, 1000, "state");
    r->input_offset = 90;
    fake_ask(p, TRK_ASK_INPUT, 1000, 4 * ROOM);
    fake_planned(&fake);
    ck_assert(fake.plan.may_input);
    ck_assert_uint_eq(fake.plan.wants[0].offset, 1000);
}

START_TEST(input_more)
{
    plan_input(300);
    fake.result.given[0].bytes = 0;
    fake.result.fate = TRK_INPUT_MORE;
    fake.result.input = ucont(TRK_UCONT_INPUT, 93, 1000, 7);
    fake_respond(&fake);
    ck_assert_uint_eq(fake.out.n, 4);
    read_number(0, 18, 18, 21);
    ASSERT_FLAGS(TRK_F_MORE);
    ck_assert_uint_eq(got.answer.n_conts, 1);
    struct trk_ucont u;
    ck_assert_int_eq(trk_ucont_open(&fake.keys, &fake.spend.id, &got.answer.conts[0], &u), TRK_V_ACCEPTED);
    ck_assert_uint_eq(u.first, 93);
    ck_assert_uint_eq(u.opaque_bytes, 7);
    ck_assert_uint_eq(got.answer.data_bytes, 0);
    read_number(1, 19, 18, 21);
    ASSERT_FLAGS(0);
}
END_TEST

START_TEST(input_done)
{
    plan_input(300);
    fake.result.fate = TRK_INPUT_DONE;
    fake.result.input = ucont(TRK_UCONT_INPUT, 93, 9000, 20);
    fake.result.output = ucont(TRK_UCONT_OUTPUT, 1000, 9000, 60);
    fake_respond(&fake);
    read_number(0, 18, 18, 21);
    ASSERT_FLAGS(TRK_F_DONE);
    ck_assert_uint_eq(got.answer.n_conts, 2);
    ck_assert_uint_eq(got.answer.conts[0].type, TRK_UCONT_INPUT);
    ck_assert_uint_eq(got.answer.conts[1].type, TRK_UCONT_OUTPUT);
    ASSERT_CARRIES(1000, ROOM - 300);
    read_number(1, 19, 18, 21);
    ASSERT_FLAGS(0);
    ASSERT_CARRIES(1000 + ROOM - 300, ROOM);
}
END_TEST

/* A continuation of an epoch that is not the current one comes back sealed under that, on a packet with data. */
START_TEST(old_epochs_are_renewed)
{
    const uint8_t master[TRK_MASTER_BYTES] = { 7 };
    struct trk_request *r = begin(TRK_FORM_REQUEST);
    struct trk_part *p = fake_part(&fake, TRK_NORMAL, slow_start, 5, 2);
    fake_ask(p, fake_cont(&fake, TRK_UCONT_OUTPUT, 500, 90000, "endless"), 2000, 4 * ROOM);
    fake_planned(&fake);
    fake_respond(&fake);
    read_number(0, 18, 18, 21);
    ASSERT_FLAGS(0);                   /* the current one: nothing to do */
    fake.keys.epochs[fake.keys.current].state = TRK_EPOCH_ADDED;
    fake.keys.current = TRK_EPOCHS_MAX;
    ck_assert(trk_keys_add(&fake.keys, (uint8_t)(r->epoch + 9), TRK_EPOCH_CURRENT, master));
    fake_respond(&fake);
    read_number(0, 18, 18, 21);
    ASSERT_FLAGS(TRK_F_RENEW);
    struct trk_ucont u;
    ck_assert_uint_eq(got.answer.conts[0].epoch, r->epoch + 9);
    ck_assert_int_eq(trk_ucont_open(&fake.keys, &fake.spend.id, &got.answer.conts[0], &u), TRK_V_ACCEPTED);
    ck_assert_uint_eq(u.first, 500);
    ck_assert_uint_eq(u.second, 90000);
    ck_assert_mem_eq(u.opaque, "endless", 7);
    ASSERT_CARRIES(2000, ROOM - got.answer.conts[0].total_bytes);
    read_number(1, 19, 18, 21);
    ASSERT_FLAGS(0);                   /* once */
    ASSERT_CARRIES(2000 + ROOM, ROOM);
}
END_TEST

/* The application's own, on the number it names; not where there is no data. */
START_TEST(renewals_of_the_application)
{
    struct trk_renewal renewals[2] = { { .n = 19 }, { .n = 21 } };
    begin(TRK_FORM_REQUEST);
    struct trk_part *p = fake_part(&fake, TRK_NORMAL, slow_start, 5, 2);
    fake_ask(p, fake_cont(&fake, TRK_UCONT_OUTPUT, 500, 90000, "endless"), 2000, 3 * ROOM);
    fake_planned(&fake);
    renewals[0].cont = ucont(TRK_UCONT_OUTPUT, 2000 + ROOM, 90000, TRK_OPAQUE_MAX);
    renewals[1].cont = ucont(TRK_UCONT_OUTPUT, 2000 + 3 * ROOM, 90000, 4);
    fake.result.renewals = renewals;
    fake.result.n_renewals = 2;
    fake_respond(&fake);
    ck_assert_uint_eq(fake.out.n, 4);
    for (size_t i = 0; i < 4; i++) {
        read_number(i, 18 + i, 18, 21);
        ASSERT_FLAGS(i == 1 ? TRK_F_RENEW : 0);
        if (i < 3)
            ASSERT_CARRIES(2000 + i * ROOM, ROOM - (i == 1 ? got.answer.conts[0].total_bytes : 0));
        else
            ck_assert_uint_eq(got.answer.data_bytes, 0);
    }
    renewals[0].cont.opaque_bytes = TRK_OPAQUE_MAX + 1;
    ck_assert_int_eq(fake_respond(&fake), TRK_V_NO_ROOM);
}
END_TEST

static struct trk_request *plan_placed(uint8_t form)
{
    struct trk_request *r = begin(form);
    struct trk_part *p = form == TRK_FORM_RESTART ? fake_part(&fake, TRK_NORMAL, slow_start, 5, 1) : fake_part(&fake, TRK_NORMAL, slow_start, 5, 2);
    (void)p;
    r->has_input = r->placed = true;
    r->input = (const uint8_t *)"bytes";
    r->input_bytes = 5;
    r->input_cont = fake_cont(&fake, TRK_UCONT_RANGE, 90, 100000, "range");
    r->input_offset = 5000;
    fake_planned(&fake);
    ck_assert(fake.plan.may_input);
    return r;
}

START_TEST(input_by_position_is_taken)
{
    plan_placed(TRK_FORM_REQUEST);
    fake.result.fate = TRK_INPUT_TAKEN;
    fake_respond(&fake);
    ck_assert_uint_eq(fake.out.n, 4);
    read_number(0, 18, 18, 21);
    ASSERT_FLAGS(TRK_F_PLACED);
    ck_assert_uint_eq(got.answer.n_conts, 0);
    read_number(1, 19, 18, 21);
    ASSERT_FLAGS(0);
}
END_TEST

/* What answers input by position clocks the next packets of it: all numbers go out, though they carry nothing. */
START_TEST(a_restart_with_input_by_position_is_not_cut)
{
    plan_placed(TRK_FORM_RESTART);
    fake.result.fate = TRK_INPUT_TAKEN;
    fake_respond(&fake);
    const struct trk_step *step = &fake.plan.grants[0].step;
    size_t n = (size_t)(step->b - step->a + 1);
    ck_assert_uint_gt(n, 1);
    ck_assert_uint_eq(fake.out.n, n);
    uint64_t a = step->a;
    read_number(0, a, a, a + n - 1);
    ck_assert(got.answer.flags & TRK_F_PLACED);
    ck_assert_uint_eq(got.answer.grant.f, a + n - 1);
}
END_TEST

START_TEST(more_may_name_a_range)
{
    plan_input(300);
    fake.result.given[0].bytes = 0;
    fake.result.fate = TRK_INPUT_MORE;
    fake.result.has_range = true;
    fake.result.input = ucont(TRK_UCONT_INPUT, 100000, 1000, 7);
    fake.result.range = ucont(TRK_UCONT_RANGE, 93, 100000, 9);
    fake_respond(&fake);
    read_number(0, 18, 18, 21);
    ASSERT_FLAGS(TRK_F_MORE | TRK_F_PLACED);
    ck_assert_uint_eq(got.answer.n_conts, 2);
    struct trk_ucont u;
    ck_assert_int_eq(trk_ucont_open(&fake.keys, &fake.spend.id, &got.answer.conts[1], &u), TRK_V_ACCEPTED);
    ck_assert(u.type == TRK_UCONT_RANGE && u.first == 93 && u.second == 100000 && u.opaque_bytes == 9);
}
END_TEST

START_TEST(input_done_beyond_the_reserve_shortens_the_first_packet)
{
    plan_input(10);
    fake.result.fate = TRK_INPUT_DONE;
    fake.result.input = ucont(TRK_UCONT_INPUT, 93, 9000, 500);
    fake.result.output = ucont(TRK_UCONT_OUTPUT, 1000, 9000, 500);
    ck_assert_int_eq(fake_respond(&fake), TRK_V_ANSWERED);
    read_number(0, 18, 18, 21);
    ASSERT_FLAGS(TRK_F_DONE);
    ASSERT_CARRIES(1000, ROOM - 2 * (uint32_t)trk_ucont_sealed_bytes(500));
    ck_assert_uint_eq(got.seg.payload_bytes, 1456);
    read_number(1, 19, 18, 21);
    ASSERT_CARRIES(1000 + ROOM - 10, ROOM);            /* as if nothing had happened */
}
END_TEST

START_TEST(input_answer_counts_as_something_sent)
{
    begin(TRK_FORM_RESTART)->restart_kind = TRK_RESTART_RESUME;
    struct trk_part *p = fake_part(&fake, TRK_NORMAL, slow_start, 5, 1);
    p->grants[0].b = 9;
    fake.request.has_input = true;
    fake_ask(p, TRK_ASK_INPUT, 0, 100000);
    fake_planned(&fake);
    fake.result.fate = TRK_INPUT_DONE;
    fake.result.given[0].bytes = 30;
    fake.result.input = ucont(TRK_UCONT_INPUT, 0, 30, 0);
    fake.result.output = ucont(TRK_UCONT_OUTPUT, 0, 30, 0);
    fake_respond(&fake);
    ck_assert_uint_eq(fake.out.n, 1);
    read_number(0, 20, 20, 29);
    ASSERT_FLAGS(TRK_F_DONE);
    ASSERT_CARRIES(0, 30);
    ck_assert_uint_eq(got.answer.grant.f, 20);
}
END_TEST

START_TEST(input_that_the_application_left)
{
    plan_input(300);                   /* fate NONE: the event was not about the input, or it was dropped */
    fake.result.given[0].bytes = 0;
    fake.result.input = ucont(TRK_UCONT_INPUT, 93, 1000, 7);
    ck_assert_int_eq(fake_respond(&fake), TRK_V_ANSWERED);
    read_number(0, 18, 18, 21);
    ASSERT_FLAGS(0);
}
END_TEST

START_TEST(input_that_has_no_packet_to_be_answered_in)
{
    for (int done = 0; done < 2; done++) {
        plan_input(300);
        fake.decision.mask[0] = 2;     /* the first number was spent before */
        fake_plan(&fake);
        fake_give(&fake);
        fake.result.fate = done ? TRK_INPUT_DONE : TRK_INPUT_MORE;
        fake.result.input = ucont(TRK_UCONT_INPUT, 93, 1000, 7);
        fake.result.output = ucont(TRK_UCONT_OUTPUT, 1000, 9000, 60);
        ck_assert_int_eq(fake_respond(&fake), TRK_V_ANSWERED);
        ck_assert_uint_eq(fake.out.n, 2);
        read_number(0, 20, 20, 21);
        ASSERT_FLAGS(0);
    }
}
END_TEST

START_TEST(no_room_for_the_end)
{
    for (int end = 0; end < 2; end++) {
        begin(TRK_FORM_REQUEST)->fill = TRK_SLOT_MIN;
        ask_all(fake_part(&fake, TRK_NORMAL, slow_start, 5, 1), 100);
        fake_planned(&fake);
        struct trk_ucont next = ucont(TRK_UCONT_INPUT, 50, 100, TRK_SLOT_MIN - TRK_NORMAL_BYTES - TRK_UCONT_HEADER - TRK_SEAL_BYTES);
        fake.result.next_input = &next;
        fake.result.given[0].end = end;
        ck_assert_int_eq(fake_respond(&fake), TRK_V_ANSWERED);
        read_number(1, 19, 18, 19);
        ASSERT_FLAGS(0);               /* it fits into a packet, but this plan has none that would carry what follows */
        next.opaque_bytes++;
        ck_assert_int_eq(fake_respond(&fake), end ? TRK_V_NO_ROOM : TRK_V_ANSWERED);
        next.opaque_bytes = TRK_OPAQUE_MAX + 1;
        ck_assert_int_eq(fake_respond(&fake), end ? TRK_V_NO_ROOM : TRK_V_ANSWERED);
    }
}
END_TEST

START_TEST(no_room)
{
    struct trk_request *r = begin(TRK_FORM_REQUEST);
    r->fill = TRK_SLOT_MIN;
    r->has_input = true;
    fake_part(&fake, TRK_NORMAL, slow_start, 5, 1);
    fake_planned(&fake);
    fake.result.fate = TRK_INPUT_MORE;
    uint16_t fits = TRK_SLOT_MIN - TRK_NORMAL_BYTES - (TRK_UCONT_HEADER + TRK_SEAL_BYTES);
    fake.result.input = ucont(TRK_UCONT_INPUT, 0, 0, fits);
    ck_assert_int_eq(fake_respond(&fake), TRK_V_ANSWERED);
    fake.result.input.opaque_bytes++;
    ck_assert_int_eq(fake_respond(&fake), TRK_V_NO_ROOM);
    ck_assert_uint_eq(fake.out.n, 0);
    fake.result.input.opaque_bytes = TRK_OPAQUE_MAX + 1;
    ck_assert_int_eq(fake_respond(&fake), TRK_V_NO_ROOM);
}
END_TEST

START_TEST(no_room_in_memory)
{
    begin(TRK_FORM_REQUEST);
    ask_all(fake_part(&fake, TRK_NORMAL, slow_start, 5, 2), 4 * ROOM);
    fake_planned(&fake);
    for (size_t cap = 0; cap < 4; cap++) {
        fake.out.cap = cap;
        ck_assert_int_eq(fake_respond(&fake), TRK_V_NO_ROOM);
        ck_assert_uint_eq(fake.out.n, 0);
    }
    fake.out.cap = 4;
    for (fake.out.arena_bytes = 0; fake.out.arena_bytes < 4 * (44 + TRK_NORMAL_BYTES); fake.out.arena_bytes++) {
        ck_assert_int_eq(fake_respond(&fake), TRK_V_NO_ROOM);
        ck_assert_uint_eq(fake.out.n, 0);
    }
    ck_assert_int_eq(fake_respond(&fake), TRK_V_ANSWERED);
    ck_assert_uint_eq(fake.out.arena_used, 4 * (44 + TRK_NORMAL_BYTES));
}
END_TEST

START_TEST(done_and_end_in_one_packet)
{
    plan_input(300);
    struct trk_ucont next_input = ucont(TRK_UCONT_INPUT, 93, 1100, 3);
    fake.result.fate = TRK_INPUT_DONE;
    fake.result.input = ucont(TRK_UCONT_INPUT, 93, TRK_OFFSET_UNKNOWN, 1);
    fake.result.output = ucont(TRK_UCONT_OUTPUT, 1000, TRK_OFFSET_UNKNOWN, 2);
    fake.result.given[0].bytes = 100;
    fake.result.given[0].end = true;
    fake.result.next_input = &next_input;
    fake_respond(&fake);
    read_number(0, 18, 18, 21);
    ASSERT_FLAGS(TRK_F_DONE | TRK_F_END);
    ASSERT_CARRIES(1000, 100);
    ck_assert_uint_eq(got.answer.n_conts, 2);
    ck_assert_uint_eq(got.answer.conts[0].second, 1100);
    ck_assert_uint_eq(got.answer.conts[1].second, TRK_OFFSET_UNKNOWN);
}
END_TEST

UNIT_MAIN("respond_input", input_more, old_epochs_are_renewed, renewals_of_the_application, input_by_position_is_taken, a_restart_with_input_by_position_is_not_cut, more_may_name_a_range, input_done, input_done_beyond_the_reserve_shortens_the_first_packet,
          input_answer_counts_as_something_sent, input_that_the_application_left, input_that_has_no_packet_to_be_answered_in,
          no_room_for_the_end, no_room, no_room_in_memory, done_and_end_in_one_packet)
