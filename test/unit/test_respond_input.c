/* What the application says: the answer to an input, the end of an output of unknown length, bytes from several places. */
#include "fake_answers.h"

/* ---------------- input ---------------- */
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

/* ---------------- the end of an output of unknown length ---------------- */
static struct trk_ucont next_input;

static void plan_end(uint32_t given, uint16_t opaque_bytes)
{
    begin(TRK_FORM_REQUEST);
    ask_all(fake_part(&fake, TRK_NORMAL, slow_start, 5, 2), 4 * ROOM);
    fake_planned(&fake);
    next_input = ucont(TRK_UCONT_INPUT, 50, given, opaque_bytes);
    fake.result.given[0].bytes = given;
    fake.result.given[0].end = true;
    fake.result.next_input = &next_input;
}

START_TEST(end_with_the_last_byte)
{
    plan_end(ROOM + 100, 20);
    fake.result.given[0].fin = true;
    fake_respond(&fake);
    for (size_t i = 0; i < 4; i++) {
        read_number(i, 18 + i, 18, 21);
        ASSERT_FLAGS(i == 1 ? TRK_F_END | TRK_F_FIN : 0);
        if (i == 1) {
            ASSERT_CARRIES(ROOM, 100);
            ck_assert_uint_eq(got.answer.n_conts, 1);
            ck_assert_uint_eq(got.answer.conts[0].first, 50);
        }
    }
}
END_TEST

START_TEST(end_where_its_continuation_fits)
{
    plan_end(2 * ROOM - 5, 20);        /* 5 bytes are left in the packet with the last byte */
    fake_respond(&fake);
    for (size_t i = 0; i < 4; i++) {
        read_number(i, 18 + i, 18, 21);
        ASSERT_FLAGS(i == 2 ? TRK_F_END : 0);
        if (i == 1)
            ASSERT_CARRIES(ROOM, ROOM - 5);
        if (i == 2)
            ASSERT_CARRIES(2 * ROOM - 5, 0);           /* the offset says where the output ended */
    }
}
END_TEST

START_TEST(end_without_another_byte)
{
    plan_end(0, 20);
    fake_respond(&fake);
    read_number(0, 18, 18, 21);
    ASSERT_FLAGS(TRK_F_END);
    ASSERT_CARRIES(0, 0);
    read_number(1, 19, 18, 21);
    ASSERT_FLAGS(0);
}
END_TEST

START_TEST(end_that_fits_nowhere_is_said_later)
{
    plan_end(4 * ROOM, 20);
    ck_assert_int_eq(fake_respond(&fake), TRK_V_ANSWERED);
    for (size_t i = 0; i < 4; i++) {
        read_number(i, 18 + i, 18, 21);
        ASSERT_FLAGS(0);
        ASSERT_CARRIES(i * ROOM, ROOM);
    }
}
END_TEST

START_TEST(end_in_a_cut_answer_is_sent)
{
    begin(TRK_FORM_RESTART);
    ask_all(fake_part(&fake, TRK_NORMAL, slow_start, 5, 1), 2 * LONG_ROOM);
    fake_planned(&fake);
    next_input = ucont(TRK_UCONT_INPUT, 50, LONG_ROOM, 0);
    fake.result.given[0].bytes = LONG_ROOM;
    fake.result.given[0].end = true;
    fake.result.next_input = &next_input;
    fake_respond(&fake);
    ck_assert_uint_eq(fake.out.n, 2);
    read_number(1, 21, 20, 21);
    ASSERT_FLAGS(TRK_F_END);
    ASSERT_CARRIES(LONG_ROOM, 0);
    ck_assert_uint_eq(got.answer.grant.f, 21);
}
END_TEST

START_TEST(end_in_a_terminal)
{
    begin(TRK_FORM_REQUEST);
    struct trk_part *p = fake_part(&fake, TRK_NORMAL, slow_start, 4, 1);
    fake_lose(p, 3);
    ask_all(p, 800);
    p->terminal_ask = true;
    fake_planned(&fake);
    next_input = ucont(TRK_UCONT_INPUT, 50, 700, 0);
    fake.result.given[0].bytes = 700;
    fake.result.given[0].end = true;
    fake.result.next_input = &next_input;
    fake_respond(&fake);
    ck_assert_uint_eq(fake.out.n, 1);
    fake_read(&fake, 0, &got);
    ck_assert_uint_eq(got.answer.form, TRK_FORM_TERMINAL);
    ASSERT_FLAGS(TRK_F_END);
    ASSERT_CARRIES(0, 700);
}
END_TEST

START_TEST(done_and_end_in_one_packet)
{
    plan_input(300);
    next_input = ucont(TRK_UCONT_INPUT, 93, 1100, 3);
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

START_TEST(end_waits_behind_more)
{
    begin(TRK_FORM_REQUEST);
    struct trk_part *p = fake_part(&fake, TRK_NORMAL, slow_start, 5, 2);
    fake.request.has_input = true;
    ask_all(p, 3 * ROOM);
    fake_planned(&fake);
    next_input = ucont(TRK_UCONT_INPUT, 50, 100, 0);
    fake.result.fate = TRK_INPUT_MORE;
    fake.result.input = ucont(TRK_UCONT_INPUT, 1, 0, 0);
    fake.result.given[0].bytes = 100;
    fake.result.given[0].end = true;
    fake.result.next_input = &next_input;
    ck_assert_int_eq(fake_respond(&fake), TRK_V_ANSWERED);
    read_number(0, 18, 18, 21);
    ASSERT_FLAGS(TRK_F_MORE);
    read_number(1, 19, 18, 21);
    ASSERT_FLAGS(TRK_F_END);
    ASSERT_CARRIES(100, 0);
}
END_TEST

/* ---------------- a packet over several givens ---------------- */
static uint8_t apart[8][ROOM + 1];

/* asks of `bytes` each that adjoin, every one with its own continuation and its own memory */
static void plan_apart(unsigned n, uint32_t bytes)
{
    begin(TRK_FORM_REQUEST);
    struct trk_part *p = fake_part(&fake, TRK_NORMAL, slow_start, 5, 1);
    for (unsigned i = 0; i < n; i++)
        fake_ask(p, fake_cont(&fake, TRK_UCONT_OUTPUT, i * bytes, (i + 1) * bytes, "x"), i * bytes, bytes);
    fake_planned(&fake);
    ck_assert_uint_eq(fake.plan.n_wants, n);
    for (unsigned i = 0; i < n; i++) {
        memcpy(apart[i], fake.pattern + i * bytes, bytes);
        fake.result.given[i].data = apart[i];
    }
}

START_TEST(fragments_are_copied_but_the_last)
{
    plan_apart(3, 300);
    fake_respond(&fake);
    read_number(0, 18, 18, 19);
    ASSERT_CARRIES(0, 900);            /* fake_read compares the bytes */
    ck_assert_ptr_eq(fake.out.packets[0].data, apart[2]);
    ck_assert_uint_eq(fake.out.packets[0].data_bytes, 300);
    ck_assert_uint_eq(fake.out.packets[0].head_bytes, 44 + TRK_NORMAL_BYTES + 600);
}
END_TEST

START_TEST(contiguous_memory_is_one_fragment)
{
    plan_apart(3, 300);
    for (unsigned i = 0; i < 3; i++)
        fake.result.given[i].data = fake.pattern + i * 300;
    fake_respond(&fake);
    read_number(0, 18, 18, 19);
    ASSERT_CARRIES(0, 900);
    ck_assert_uint_eq(fake.out.packets[0].data_bytes, 900);
}
END_TEST

START_TEST(too_many_fragments_shorten_the_packet)
{
    plan_apart(6, 200);
    fake_respond(&fake);
    read_number(0, 18, 18, 19);
    ASSERT_CARRIES(0, 800);
    read_number(1, 19, 18, 19);
    ck_assert_uint_eq(got.answer.data_bytes, 0);
}
END_TEST

START_TEST(a_gap_in_what_is_given_ends_the_packet)
{
    plan_apart(3, 300);
    fake.result.given[1].bytes = 100;
    fake_respond(&fake);
    read_number(0, 18, 18, 19);
    ASSERT_CARRIES(0, 400);
}
END_TEST

UNIT_MAIN("respond_input", input_more, input_done, input_done_beyond_the_reserve_shortens_the_first_packet,
          input_answer_counts_as_something_sent, no_room, no_room_in_memory, end_with_the_last_byte,
          end_where_its_continuation_fits, end_without_another_byte, end_that_fits_nowhere_is_said_later,
          end_in_a_cut_answer_is_sent, end_in_a_terminal, done_and_end_in_one_packet, end_waits_behind_more,
          fragments_are_copied_but_the_last, contiguous_memory_is_one_fragment, too_many_fragments_shorten_the_packet,
          a_gap_in_what_is_given_ends_the_packet)
