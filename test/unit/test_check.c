/* Each verdict that a packet can get before it has proven anything has one test that produces it, named after it. */
#include "fake_check.h"

static void send_bytes(const char *message, size_t n, uint8_t flags)
{
    fake_init(&fake);
    fake_send(&fake, (const uint8_t *)message, n, flags, 0);
    fake_check(&fake);
}

START_TEST(unmarked)
{
    good_request();
    fake_prove(&fake);
    fake_send_request(&fake);
    fake.seg.marked = false;
    fake_check(&fake);
    ASSERT_VERDICT(UNMARKED);
}
END_TEST

START_TEST(short_message)
{
    send_bytes("", 0, TRK_ACK);
    ASSERT_VERDICT(SHORT);
}
END_TEST

START_TEST(bad_version)
{
    send_bytes("\x22", 1, TRK_ACK);
    ASSERT_VERDICT(BAD_VERSION);
}
END_TEST

START_TEST(bad_form)
{
    static const uint8_t servers_or_unknown[] = { 0, 5, 7, TRK_FORM_OPENED, TRK_FORM_LONG, TRK_FORM_NORMAL, TRK_FORM_TERMINAL, TRK_FORM_VERDICT, 15 };
    for (size_t i = 0; i < sizeof servers_or_unknown; i++) {
        char message[200] = { (char)(TRK_VERSION << 4 | servers_or_unknown[i]) };
        send_bytes(message, sizeof message, TRK_ACK);
        ASSERT_VERDICT(BAD_FORM);
    }
}
END_TEST

START_TEST(bad_flags)
{
    static const uint8_t bad[] = { 0, TRK_SYN, TRK_SYN | TRK_ACK, TRK_FIN | TRK_ACK, TRK_RST | TRK_ACK, TRK_RST };
    for (size_t i = 0; i < sizeof bad; i++) {
        good_request();
        fake_prove(&fake);
        fake_send_request(&fake);
        fake.seg.flags = bad[i];
        fake_check(&fake);
        ASSERT_VERDICT(BAD_FLAGS);
    }
    fake_open(&fake, NULL, 1460, TRK_SYN_PAYLOAD);
    fake.seg.flags = TRK_ACK;
    fake_check(&fake);
    ASSERT_VERDICT(BAD_FLAGS);
}
END_TEST

START_TEST(push_is_no_bad_flag)
{
    good_request();
    fake_prove(&fake);
    fake_send_request(&fake);
    fake.seg.flags = TRK_ACK | TRK_PSH;
    fake_check(&fake);
    ASSERT_VERDICT(ACCEPTED);
}
END_TEST

START_TEST(truncated)
{
    good_request();
    fake_prove(&fake);
    fake_send_request(&fake);
    uint32_t all = fake.seg.payload_bytes;
    for (fake.seg.payload_bytes = 1; fake.seg.payload_bytes < all; fake.seg.payload_bytes++) {
        fake_check(&fake);
        ASSERT_VERDICT(TRUNCATED);
    }
    fake_open(&fake, "GET", 1460, 40);
    fake.seg.payload_bytes = 21;
    fake_check(&fake);
    ASSERT_VERDICT(TRUNCATED);
}
END_TEST

START_TEST(bad_field_spends_what_it_reports_lost)
{
    struct trk_part *p = good_request();
    fake_lose(p, 5);                   /* 5 and 6 are spent */
    fake_prove_and_check(&fake);
    ASSERT_VERDICT(BAD_FIELD);
}
END_TEST

START_TEST(bad_field_input_asked_elsewhere)
{
    struct trk_part *p = good_request();
    fake.request.has_input = true;
    fake_ask(p, TRK_ASK_INPUT, 17, 100);               /* the first input's output starts at 0 */
    fake_prove_and_check(&fake);
    ASSERT_VERDICT(BAD_FIELD);
    p->asks[0].offset = 0;
    fake_prove_and_check(&fake);
    ASSERT_VERDICT(ACCEPTED);
}
END_TEST

START_TEST(bad_field_input_asked_by_an_older_part)
{
    struct trk_part *p = good_request();
    fake_ask(p, TRK_ASK_INPUT, 0, 100);
    fake_part(&fake, TRK_NORMAL, slow_start, 7, 1);
    fake.request.has_input = true;
    fake_prove_and_check(&fake);
    ASSERT_VERDICT(BAD_FIELD);
}
END_TEST

START_TEST(bad_field_input_asked_for_the_terminal)
{
    struct trk_part *p = good_request();
    fake.request.has_input = true;
    fake_ask(p, TRK_ASK_INPUT, 0, 100);
    p->terminal_ask = true;
    fake_prove_and_check(&fake);
    ASSERT_VERDICT(BAD_FIELD);
}
END_TEST

START_TEST(input_asked_in_two_pieces)
{
    struct trk_part *p = good_request();
    fake.request.has_input = true;
    fake.request.input_cont = fake_cont(&fake, TRK_UCONT_INPUT, 90, 1000, "");
    fake.request.input_offset = 90;
    fake_ask(p, TRK_ASK_INPUT, 1000, 100);
    fake_ask(p, TRK_ASK_INPUT, 1100, 100);
    fake_prove_and_check(&fake);
    ASSERT_VERDICT(ACCEPTED);
    p->asks[1].offset = 1101;          /* a hole between them */
    fake_prove_and_check(&fake);
    ASSERT_VERDICT(BAD_FIELD);
}
END_TEST

START_TEST(bad_field_input_while_an_output_runs)
{
    good_request();
    fake.request.has_input = true;
    fake.request.input_cont = fake_cont(&fake, TRK_UCONT_INPUT, 10, TRK_OFFSET_UNKNOWN, "");
    fake.request.input_offset = 10;
    fake_prove_and_check(&fake);
    ASSERT_VERDICT(BAD_FIELD);
}
END_TEST

START_TEST(unknown_epoch)
{
    good_request();
    fake_prove(&fake);
    fake.request.epoch = 9;
    fake_send_request(&fake);
    fake_check(&fake);
    ASSERT_VERDICT(UNKNOWN_EPOCH);
}
END_TEST

START_TEST(unknown_epoch_nothing_current)
{
    fake_init(&fake);
    trk_keys_init(&fake.keys);
    fake_open(&fake, NULL, 1460, TRK_SYN_PAYLOAD);
    fake_check(&fake);
    ASSERT_VERDICT(UNKNOWN_EPOCH);
}
END_TEST

START_TEST(retired_epoch)
{
    good_request();
    fake_prove(&fake);
    fake.request.epoch = 6;            /* below the lowest one listed, 7 */
    fake_send_request(&fake);
    fake_check(&fake);
    ASSERT_VERDICT(RETIRED_EPOCH);
}
END_TEST

START_TEST(bad_address)
{
    for (int what = 0; what < 2; what++) {
        good_request();
        fake_prove(&fake);
        if (what)
            fake.flow.sport++;
        else
            fake.flow.src.bytes[3]++;
        fake_send_request(&fake);
        fake_check(&fake);
        ASSERT_VERDICT(BAD_ADDRESS);
    }
}
END_TEST

/* Whatever the seal covers and the client can say must be what was sealed. */
START_TEST(bad_seal)
{
    for (int what = 0; what < 13; what++) {
        struct trk_part *p = good_request();
        p->grants[0].b++;
        fake_prove(&fake);
        switch (what) {
        case 0:  p->grants[0].seal[15] ^= 1; break;
        case 1:  p->grants[0].a--; break;
        case 2:  p->grants[0].b++; break;
        case 3:  p->grants[0].f++; break;
        case 4:  p->grants[0].tick++; break;
        case 5:  p->piece.start++; break;
        case 6:  p->piece.ssthresh--; break;
        case 7:  fake.request.generation++; break;
        case 8:  fake.request.domain++; break;
        case 9:  fake.request.slot++; break;
        case 10: fake.request.id.h++; break;
        case 11: fake.request.id.t++; break;
        case 12: p->piece.base--; break;
        }
        fake_send_request(&fake);
        fake_check(&fake);
        ASSERT_VERDICT(BAD_SEAL);
    }
}
END_TEST

START_TEST(bad_seal_of_the_second_part)
{
    good_request();
    struct trk_part *p = fake_part(&fake, TRK_NORMAL, slow_start, 7, 1);
    fake_prove(&fake);
    p->grants[0].seal[0] ^= 0x80;
    fake_send_request(&fake);
    fake_check(&fake);
    ASSERT_VERDICT(BAD_SEAL);
}
END_TEST

START_TEST(bad_proof)
{
    struct trk_part *p = good_request();
    fake_prove(&fake);
    p->xor_nonces ^= 1;
    fake_send_request(&fake);
    fake_check(&fake);
    ASSERT_VERDICT(BAD_PROOF);
}
END_TEST

START_TEST(bad_proof_hides_a_loss)
{
    struct trk_part *p = good_request();
    fake_lose(p, 3);
    fake_prove(&fake);
    p->n_ranges = 1;                   /* claims 3 as well, without its nonce */
    p->ranges[0].right = 6;
    fake_send_request(&fake);
    fake_check(&fake);
    ASSERT_VERDICT(BAD_PROOF);
}
END_TEST

START_TEST(bad_continuation)
{
    struct trk_part *p = good_request();
    uint8_t c = fake_cont(&fake, TRK_UCONT_OUTPUT, 0, 1000, "file 1");
    fake_ask(p, c, 0, 1000);
    fake_prove(&fake);
    fake.ucont_bytes[c][TRK_UCONT_HEADER] ^= 1;
    fake_send_request(&fake);
    fake_check(&fake);
    ASSERT_VERDICT(BAD_CONTINUATION);
}
END_TEST

START_TEST(bad_continuation_of_another_connection)
{
    struct trk_part *p = good_request();
    fake.request.id.h++;
    uint8_t c = fake_cont(&fake, TRK_UCONT_OUTPUT, 0, 1000, "file 1");
    fake.request.id.h--;
    fake_ask(p, c, 0, 1000);
    fake_prove_and_check(&fake);
    ASSERT_VERDICT(BAD_CONTINUATION);
}
END_TEST

/* The sender of a proven request hears what is wrong with its continuations, and nobody else does. */
START_TEST(told_about_continuations)
{
    for (int proven = 0; proven < 2; proven++) {
        struct trk_part *p = good_request();
        fake_ask(p, fake_cont(&fake, TRK_UCONT_OUTPUT, 0, 1000, "file 1"), 0, 1000);
        fake_prove(&fake);
        if (!proven)
            p->xor_nonces ^= 1;
        static const struct { uint8_t epoch; enum trk_verdict v; enum trk_tell tell; } cases[] = {
            { 3, TRK_V_RETIRED_EPOCH, TRK_TELL_RESET }, { 9, TRK_V_UNKNOWN_EPOCH, TRK_TELL_VERDICT },
            { 7, TRK_V_BAD_CONTINUATION, TRK_TELL_VERDICT },
        };
        fake.ucont_bytes[0][TRK_UCONT_HEADER] ^= 1;
        for (size_t i = 0; i < 3; i++) {
            fake.ucont_bytes[0][2] = cases[i].epoch;
            fake_send_request(&fake);
            fake_check(&fake);
            ck_assert_int_eq(fake.verdict, proven ? cases[i].v : TRK_V_BAD_PROOF);
            ck_assert_int_eq(trk_tell_of(&fake.spend, cases[i].v), proven ? cases[i].tell : TRK_TELL_NOTHING);
            trk_respond_verdict(&fake.spend, fake.verdict, &fake.config, true, &fake.out);
            ck_assert_uint_eq(fake.out.n, proven);
        }
    }
}
END_TEST

START_TEST(accepted_numbers)
{
    struct trk_part *p = good_request();
    uint8_t c = fake_cont(&fake, TRK_UCONT_OUTPUT, 500, 1500, "file 1");
    fake_ask(p, c, 500, 1000);
    fake_prove_and_check(&fake);
    ASSERT_VERDICT(ACCEPTED);
    ck_assert_int_eq(fake.spend.type, TRK_SPEND_NUMBERS);
    ck_assert_uint_eq(fake.spend.seq, fake.seg.seq);
    ck_assert_uint_eq(fake.spend.ack, fake.seg.ack);
    ck_assert_uint_eq(fake.spend.payload_bytes, fake.seg.payload_bytes);
    ck_assert_uint_eq(fake.spend.packet_bytes, fake.packet_bytes);
    ck_assert_uint_eq(fake.spend.isn, trk_conn_isn(fake.request.id.h));
    ck_assert_uint_eq(fake.spend.tick, p->grants[0].tick);
    ck_assert_uint_eq(fake.spend.conts[c].first, 500);
    ck_assert_uint_eq(fake.spend.conts[c].second, 1500);
    ck_assert_mem_eq(fake.spend.conts[c].opaque, "file 1", 6);
}
END_TEST

START_TEST(accepted_three_parts)
{
    good_request();
    fake_part(&fake, TRK_NORMAL, slow_start, 7, 3);
    struct trk_part *p = fake_part(&fake, TRK_NORMAL, slow_start, 10, 64);
    p->grants[0].b = p->grants[0].f = 41;
    p->grants[1] = p->grants[0];
    p->grants[1].a = 42;
    p->grants[1].b = p->grants[1].f = 80;
    p->n_grants = 2;
    fake_prove_and_check(&fake);
    ASSERT_VERDICT(ACCEPTED);
}
END_TEST

START_TEST(accepted_open)
{
    fake_init(&fake);
    fake_open(&fake, "GET /", 1400, TRK_SYN_PAYLOAD);
    fake_check(&fake);
    ASSERT_VERDICT(ACCEPTED);
    const struct trk_spend *s = &fake.spend;
    ck_assert_int_eq(s->type, TRK_SPEND_OPEN);
    ck_assert_uint_eq(s->tick, trk_tick(fake.now_ms));
    ck_assert_uint_eq(s->id.t, s->tick);
    ck_assert_uint_eq(s->request.slot, 1396);
    ck_assert_uint_eq(s->request.fill, 1396);
    ck_assert(s->request.has_input);
    ck_assert_uint_eq(s->request.input_bytes, 5);
    ck_assert_mem_eq(s->request.input, "GET /", 5);
    ck_assert_uint_eq(s->request.input_cont, 0xff);
    ck_assert_uint_le(s->packet_bytes, fake.packet_bytes);
    uint64_t h = s->id.h;
    uint32_t isn = s->isn;
    fake.now_ms += 3000;               /* a repeated SYN keeps h, and so the ISN */
    fake_check(&fake);
    ck_assert_uint_eq(fake.spend.id.h, h);
    ck_assert_uint_eq(fake.spend.isn, isn);
    ck_assert_uint_ne(fake.spend.id.t, trk_tick(FAKE_NOW_MS));
}
END_TEST

START_TEST(accepted_open_slots)
{
    static const struct { uint16_t theirs, own, slot; } cases[] = {
        { 1460, 1460, 1456 }, { 1200, 1460, 1196 }, { 9000, 1460, 1456 }, { 0, 1460, 532 }, { 400, 1460, 512 },
        { 1460, 500, 512 }, { 65495, 65495, 16384 }, { 16388, 65495, 16384 }, { 516, 516, 512 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fake_init(&fake);
        fake.config.mss_v4 = cases[i].own;
        fake_open(&fake, NULL, cases[i].theirs, TRK_SYN_PAYLOAD);
        fake_check(&fake);
        ASSERT_VERDICT(ACCEPTED);
        ck_assert_uint_eq(fake.spend.request.slot, cases[i].slot);
    }
    fake.flow.src = (struct trk_addr){ 6, { 0xfd, [15] = 1 } };
    fake.flow.dst = (struct trk_addr){ 6, { 0xfd, [15] = 2 } };
    fake.config = (struct trk_serve_config){ .mss_v4 = 1460, .mss_v6 = 1440 };
    fake_open(&fake, NULL, 1460, 1000);
    fake_check(&fake);
    ck_assert_uint_eq(fake.spend.request.slot, 1436);
}
END_TEST

START_TEST(accepted_close)
{
    fake_init(&fake);
    struct trk_close close = { .id = { 5, 6 }, .generation = 9 };
    size_t n = trk_close_emit(&close, fake.message, sizeof fake.message);
    fake_send(&fake, fake.message, n, TRK_ACK, 0);
    fake_check(&fake);
    ASSERT_VERDICT(ACCEPTED);
    ck_assert_int_eq(fake.spend.type, TRK_SPEND_CLOSE);
    ck_assert_uint_eq(fake.spend.id.h, 5);
    ck_assert_uint_eq(fake.spend.id.t, 6);
}
END_TEST

UNIT_MAIN("check", unmarked, short_message, bad_version, bad_form, bad_flags, push_is_no_bad_flag, truncated,
          bad_field_spends_what_it_reports_lost, bad_field_input_asked_elsewhere, bad_field_input_asked_by_an_older_part,
          bad_field_input_asked_for_the_terminal, input_asked_in_two_pieces, bad_field_input_while_an_output_runs, unknown_epoch, unknown_epoch_nothing_current, retired_epoch, bad_address,
          bad_seal, bad_seal_of_the_second_part, bad_proof, bad_proof_hides_a_loss, bad_continuation,
          bad_continuation_of_another_connection, told_about_continuations, accepted_numbers, accepted_three_parts,
          accepted_open, accepted_open_slots, accepted_close)
