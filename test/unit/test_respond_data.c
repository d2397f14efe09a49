/* The end of an output of unknown length, and packets over several pieces of memory. */
#include "fake_answers.h"

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

START_TEST(end_that_just_fits)
{
    for (uint32_t more = 0; more < 2; more++) {
        plan_end(2 * ROOM - (uint32_t)trk_ucont_sealed_bytes(20) + more, 20);
        fake_respond(&fake);
        read_number(1, 19, 18, 21);
        ASSERT_FLAGS(more ? 0 : TRK_F_END);
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

/* Two packets of two fragments, of which 9000 bytes each would be copied: the second is beyond what one answer copies. */
START_TEST(copies_are_limited)
{
    static uint8_t far[4][9001];     /* not contiguous */
    struct trk_request *r = begin(TRK_FORM_REQUEST);
    r->slot = r->fill = TRK_SLOT_MAX;
    struct trk_part *p = fake_part(&fake, TRK_NORMAL, slow_start, 5, 1);
    static const struct { uint64_t offset; uint32_t bytes; } asks[] = { { 0, 9000 }, { 9000, 7000 }, { 18100, 9000 }, { 27100, 7000 } };
    for (unsigned i = 0; i < 4; i++) {
        uint64_t from = asks[i].offset, to = from + asks[i].bytes;
        fake_ask(p, fake_cont(&fake, TRK_UCONT_OUTPUT, from, to, "x"), from, asks[i].bytes);
    }
    fake_planned(&fake);
    for (unsigned i = 0; i < 4; i++) {
        memcpy(far[i], fake.result.given[i].data, fake.result.given[i].bytes);
        fake.result.given[i].data = far[i];
    }
    fake_respond(&fake);
    read_number(0, 18, 18, 19);
    ASSERT_CARRIES(0, 16000);
    read_number(1, 19, 18, 19);
    ASSERT_CARRIES(18100, 9000);
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

UNIT_MAIN("respond_data", end_with_the_last_byte, end_where_its_continuation_fits, end_that_just_fits,
          end_without_another_byte, end_that_fits_nowhere_is_said_later, end_in_a_cut_answer_is_sent, end_in_a_terminal,
          end_waits_behind_more, fragments_are_copied_but_the_last, contiguous_memory_is_one_fragment,
          too_many_fragments_shorten_the_packet, copies_are_limited, a_gap_in_what_is_given_ends_the_packet)
