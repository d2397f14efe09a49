/* Answers to a SYN, to an opening, without loss and in recovery: their seals and nonces are ones that a client can spend. */
#include "fake_answers.h"

/* ---------------- opening ---------------- */
START_TEST(opened)
{
    fake_init(&fake);
    fake_open(&fake, NULL, 1460, TRK_SYN_PAYLOAD);
    fake_decide(&fake);
    fake_plan(&fake);                  /* nothing is said: no input, and the server does not speak first */
    ck_assert_int_eq(fake_respond(&fake), TRK_V_ANSWERED);
    ck_assert_uint_eq(fake.out.n, 1);
    read_number(0, 1, 1, 1);
    ck_assert_uint_eq(got.seg.flags, TRK_SYN | TRK_ACK);
    ck_assert_uint_eq(got.seg.mss, 1460);
    ck_assert(got.seg.has_wscale);
    ck_assert_uint_eq(got.seg.wscale, TRK_WSCALE);
    ck_assert(!got.seg.sack_ok && !got.seg.has_timestamp);
    ck_assert_uint_eq(got.answer.grant.kind, TRK_OPENING);
    ck_assert_uint_eq(got.answer.grant.piece.start, TRK_IW);
    ck_assert_uint_eq(got.answer.grant.piece.ssthresh, TRK_SSTHRESH_NONE);
    ck_assert_uint_eq(got.answer.grant.generation, 0);
    ck_assert_uint_eq(got.answer.grant.f, 1);
    ck_assert_uint_eq(got.answer.data_bytes, 0);
    ASSERT_FLAGS(0);
}
END_TEST

START_TEST(opened_with_done)
{
    fake_init(&fake);
    fake_open(&fake, "GET", 1460, TRK_SYN_PAYLOAD);
    fake_decide(&fake);
    fake_plan(&fake);
    fake_give(&fake);
    fake.result.fate = TRK_INPUT_DONE;
    fake.result.input = ucont(TRK_UCONT_INPUT, 3, 100000, 10);
    fake.result.output = ucont(TRK_UCONT_OUTPUT, 0, 100000, 50);
    ck_assert_int_eq(fake_respond(&fake), TRK_V_ANSWERED);
    ck_assert_uint_eq(fake.out.n, 1);
    read_number(0, 1, 1, 1);
    ASSERT_FLAGS(TRK_F_DONE);
    ck_assert_uint_eq(got.answer.conts[0].first, 3);
    ck_assert_uint_eq(got.answer.conts[1].second, 100000);
    uint32_t conts = (uint32_t)(trk_ucont_sealed_bytes(10) + trk_ucont_sealed_bytes(50));
    ASSERT_CARRIES(0, TRK_SYN_PAYLOAD - 4 - TRK_OPENED_BYTES - conts);
    ck_assert_uint_le(got.n, fake.packet_bytes);
}
END_TEST

START_TEST(opened_server_speaks_first)
{
    for (int given_input = 0; given_input < 2; given_input++) {
        fake_init(&fake);
        fake_open(&fake, NULL, 1460, TRK_SYN_PAYLOAD);
        fake_decide(&fake);
        fake_plan(&fake);
        fake_give(&fake);
        fake.result.given[0].bytes = 20;
        fake.result.opens_output = true;
        fake.result.output = ucont(TRK_UCONT_OUTPUT, 0, 20, 5);
        if (given_input) {
            fake.result.fate = TRK_INPUT_DONE;
            fake.result.input = ucont(TRK_UCONT_INPUT, 0, 20, 9);
        }
        ck_assert_int_eq(fake_respond(&fake), TRK_V_ANSWERED);
        read_number(0, 1, 1, 1);
        ASSERT_FLAGS(TRK_F_DONE);
        ASSERT_CARRIES(0, 20);
        ck_assert_uint_eq(got.answer.conts[0].first, 0);
        ck_assert_uint_eq(got.answer.conts[0].second, 20);
        ck_assert_uint_eq(got.answer.conts[0].opaque_bytes, given_input ? 9 : 0);
    }
}
END_TEST

/* Too little room for what the application says: the connection opens all the same, its input unanswered. */
START_TEST(opened_without_room_for_its_input)
{
    for (uint16_t opaque = 0; opaque <= 300; opaque += 300) {
        fake_init(&fake);
        fake_open(&fake, "GET", 536, TRK_SYN_PAYLOAD);
        fake_decide(&fake);
        fake_plan(&fake);
        fake_give(&fake);
        fake.result.fate = TRK_INPUT_DONE;
        fake.result.input = ucont(TRK_UCONT_INPUT, 3, 10, 100);
        fake.result.output = ucont(TRK_UCONT_OUTPUT, 0, 10, opaque);
        fake.result.given[0].bytes = 10;
        ck_assert_int_eq(fake_respond(&fake), TRK_V_ANSWERED);
        read_number(0, 1, 1, 1);
        ASSERT_FLAGS(opaque ? 0 : TRK_F_DONE);
        ck_assert_uint_eq(got.answer.data_bytes, opaque ? 0 : 10);
    }
}
END_TEST

/* Nothing amplifies: whatever the SYN's size, and whatever the application says, the answer is no larger. */
START_TEST(opened_never_amplifies)
{
    fake_init(&fake);
    for (int family = 4; family <= 6; family += 2) {
        fake.flow.src.family = fake.flow.dst.family = (uint8_t)family;
        for (size_t payload = 24; payload <= TRK_SYN_PAYLOAD_MAX; payload++) {
            fake_open(&fake, "GET", 1460, payload);
            ck_assert_str_eq(trk_verdict_name(fake_decide(&fake)), "accepted");
            if (fake_plan(&fake) != TRK_V_ACCEPTED)
                continue;
            fake_give(&fake);
            fake.result.fate = TRK_INPUT_DONE;
            fake.result.input = ucont(TRK_UCONT_INPUT, 3, 100000, 40);
            fake.result.output = ucont(TRK_UCONT_OUTPUT, 0, 100000, 200);
            fake_respond(&fake);
            size_t sent = 0;
            for (size_t i = 0; i < fake.out.n; i++)
                sent += fake.out.packets[i].head_bytes + fake.out.packets[i].data_bytes;
            ck_assert_uint_le(sent, fake.packet_bytes);
            ck_assert_int_eq(fake.verdict, TRK_V_ANSWERED);
            ck_assert_uint_eq(fake.out.n, 1);
        }
    }
}
END_TEST

/* What a client does with nothing but the answers' own seals and nonces: SYN, number 1, numbers 2 .. 4. */
START_TEST(a_client_can_spend_what_it_gets)
{
    fake_init(&fake);
    fake_open(&fake, NULL, 1460, TRK_SYN_PAYLOAD);
    fake_decide(&fake);
    fake_plan(&fake);
    fake_respond(&fake);
    fake_read(&fake, 0, &got);
    struct trk_grant g = got.answer.grant;
    struct trk_request *r = fake_request(&fake, TRK_FORM_REQUEST);
    r->id = g.id;
    r->generation = g.generation;
    r->address_tag = g.address_tag;
    struct trk_part *p = fake_opening(&fake, 1, g.piece.start, g.piece.ssthresh);
    p->grants[0].tick = g.tick;
    memcpy(p->grants[0].seal, got.answer.seal, TRK_SEAL_BYTES);
    p->xor_nonces = got.answer.nonce;
    ask_all(p, 100 * LONG_ROOM);
    fake_send_request(&fake);
    ck_assert_str_eq(trk_verdict_name(fake_decide(&fake)), "accepted");
    fake_plan(&fake);
    fake_give(&fake);
    fake_respond(&fake);
    ck_assert_uint_eq(fake.out.n, TRK_IW);

    struct trk_answer answers[TRK_IW];
    for (size_t i = 0; i < TRK_IW; i++) {
        read_number(i, 2 + i, 2, 11);
        ASSERT_CARRIES(i * LONG_ROOM, LONG_ROOM);
        answers[i] = got.answer;
    }
    ck_assert_uint_eq(answers[0].grant.kind, TRK_NORMAL);
    ck_assert_uint_eq(answers[0].grant.f, 11);
    r->n_parts = r->n_conts = 0;
    memset(r->parts, 0, sizeof r->parts);
    p = fake_part(&fake, TRK_NORMAL, answers[0].grant.piece, 2, 3);
    p->grants[0] = (struct trk_grant_ref){ .a = 2, .b = 11, .f = 11, .tick = answers[0].grant.tick };
    memcpy(p->grants[0].seal, answers[0].seal, TRK_SEAL_BYTES);
    p->xor_nonces = answers[0].nonce ^ answers[1].nonce ^ answers[2].nonce;
    fake_send_request(&fake);
    ck_assert_str_eq(trk_verdict_name(fake_decide(&fake)), "accepted");
    fake_plan(&fake);
    fake_give(&fake);
    ck_assert_int_eq(fake_respond(&fake), TRK_V_ANSWERED);
    ck_assert_uint_eq(fake.out.n, 6);
    read_number(5, 17, 12, 17);
}
END_TEST

/* ---------------- normal ---------------- */
START_TEST(normal)
{
    begin(TRK_FORM_REQUEST);
    ask_all(fake_part(&fake, TRK_NORMAL, slow_start, 5, 2), 2 * ROOM + 100);
    fake_answered(&fake);
    ck_assert_uint_eq(fake.out.n, 4);
    for (size_t i = 0; i < 4; i++) {
        read_number(i, 18 + i, 18, 21);
        ck_assert_uint_eq(got.answer.form, TRK_FORM_NORMAL);
        ck_assert_uint_eq(got.seg.flags, TRK_ACK);
        ASSERT_FLAGS(0);
        ASSERT_CARRIES(i < 3 ? i * ROOM : 0, i < 2 ? ROOM : i == 2 ? 100 : 0);
    }
    ck_assert_uint_eq(fake.out.packets[0].head_bytes, 44 + TRK_NORMAL_BYTES);
    ck_assert_ptr_eq(fake.out.packets[0].data, fake.pattern);            /* by reference */
    ck_assert_uint_eq(fake.out.packets[0].seq + fake.out.packets[0].slot, fake.out.packets[1].seq);
}
END_TEST

START_TEST(normal_when_less_is_given)
{
    begin(TRK_FORM_REQUEST);
    ask_all(fake_part(&fake, TRK_NORMAL, slow_start, 5, 2), 4 * ROOM);
    fake_planned(&fake);
    fake.result.given[0].bytes = ROOM + 7;
    fake_respond(&fake);
    ck_assert_uint_eq(fake.out.n, 4);
    read_number(1, 19, 18, 21);
    ASSERT_CARRIES(ROOM, 7);
    read_number(2, 20, 18, 21);
    ASSERT_CARRIES(0, 0);
    read_number(3, 21, 18, 21);
    ASSERT_CARRIES(0, 0);
}
END_TEST

START_TEST(no_filter_is_said_without_a_domain_only)
{
    begin(TRK_FORM_REQUEST);
    fake.config.domain = fake.request.domain = 0xd0;
    fake_part(&fake, TRK_NORMAL, slow_start, 5, 1);
    fake_answered(&fake);
    fake_read(&fake, 0, &got);
    ck_assert_uint_eq(got.answer.flags, 0);
}
END_TEST

START_TEST(several_parts)
{
    begin(TRK_FORM_REQUEST);
    fake_part(&fake, TRK_NORMAL, slow_start, 5, 1);
    ask_all(fake_part(&fake, TRK_NORMAL, slow_start, 6, 1), 10);
    fake_answered(&fake);
    ck_assert_uint_eq(fake.out.n, 4);
    read_number(0, 18, 18, 19);
    read_number(1, 19, 18, 19);
    read_number(2, 20, 20, 21);
    ASSERT_CARRIES(0, 10);
    read_number(3, 21, 20, 21);
}
END_TEST

START_TEST(a_mask_with_holes_gives_several_grants)
{
    begin(TRK_FORM_REQUEST);
    ask_all(fake_part(&fake, TRK_NORMAL, slow_start, 5, 5), 10 * ROOM);
    fake_planned(&fake);
    fake.decision.mask[0] = 0x1b;      /* 7 was spent before */
    fake_plan(&fake);
    fake_give(&fake);
    fake_respond(&fake);
    ck_assert_uint_eq(fake.out.n, 8);
    for (size_t i = 0; i < 8; i++) {
        bool second = i >= 4;
        read_number(i, 18 + i + (second ? 2 : 0), second ? 24 : 18, second ? 27 : 21);
        ASSERT_CARRIES((i + (second ? 2 : 0)) * ROOM, ROOM);
    }
}
END_TEST

/* ---------------- recovery ---------------- */
START_TEST(recovery)
{
    begin(TRK_FORM_REQUEST);
    struct trk_part *p = fake_part(&fake, TRK_NORMAL, slow_start, 4, 7);
    fake_lose(p, 3);                   /* W 11, R 13, w 5: 9 and 10 live on */
    ask_all(p, 800);
    p->terminal_ask = true;
    fake_ask(p, 0, 50000, 2 * ROOM);
    fake_answered(&fake);
    ck_assert_uint_eq(fake.out.n, 3);
    fake_read(&fake, 0, &got);
    ck_assert_uint_eq(got.answer.form, TRK_FORM_TERMINAL);
    ck_assert_uint_eq(got.seg.seq, trk_seq_of(fake.spend.isn, 3, 1456));
    ck_assert_uint_eq(got.answer.grant.generation, 3);
    ck_assert_uint_eq(got.answer.grant.epoch, 7);
    ASSERT_CARRIES(0, 800);
    read_number(1, 14, 14, 15);
    ASSERT_CARRIES(50000, ROOM);
    read_number(2, 15, 14, 15);
}
END_TEST

START_TEST(a_terminal_without_data_is_not_sent)
{
    begin(TRK_FORM_REQUEST);
    struct trk_part *p = fake_part(&fake, TRK_NORMAL, slow_start, 4, 1);
    fake_lose(p, 3);
    ask_all(p, 800);
    p->terminal_ask = true;
    fake_planned(&fake);
    fake.result.given[0].bytes = 0;
    ck_assert_int_eq(fake_respond(&fake), TRK_V_ANSWERED);
    ck_assert_uint_eq(fake.out.n, 0);
}
END_TEST

UNIT_MAIN("respond", opened, opened_with_done, opened_server_speaks_first, opened_without_room_for_its_input,
          opened_never_amplifies, a_client_can_spend_what_it_gets, normal, normal_when_less_is_given,
          no_filter_is_said_without_a_domain_only, several_parts, a_mask_with_holes_gives_several_grants, recovery,
          a_terminal_without_data_is_not_sent)
