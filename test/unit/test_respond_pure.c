/* Equal arguments give equal bytes; and what a client is told whose request is not honoured. */
#include "fake_answers.h"

/* ---------------- purity ---------------- */
static uint8_t first_run[FAKE_PACKETS * 2048];

static size_t dump(uint8_t *out, size_t cap)
{
    size_t n = 0;
    for (size_t i = 0; i < fake.out.n; i++) {
        const struct trk_packet *p = &fake.out.packets[i];
        ck_assert_uint_le(n + p->head_bytes + p->data_bytes, cap);
        memcpy(out + n, p->head, p->head_bytes);
        if (p->data_bytes)
            memcpy(out + n + p->head_bytes, p->data, p->data_bytes);
        n += p->head_bytes + p->data_bytes;
    }
    return n;
}

/* The whole path again, in memory that holds something else: nothing of that may show. */
static void run_in(uint8_t garbage, bool input)
{
    memset(&fake.spend, garbage, sizeof fake.spend);
    memset(&fake.decision, garbage, sizeof fake.decision);
    memset(&fake.plan, garbage, sizeof fake.plan);
    memset(fake.arena, garbage, sizeof fake.arena);
    memset(fake.packets, garbage, sizeof fake.packets);
    ck_assert_str_eq(trk_verdict_name(fake_decide(&fake)), "accepted");
    ck_assert_str_eq(trk_verdict_name(fake_plan(&fake)), "accepted");
    fake_give(&fake);
    if (input) {
        fake.result.fate = TRK_INPUT_DONE;
        fake.result.input = ucont(TRK_UCONT_INPUT, 3, 5000, 100);
        fake.result.output = ucont(TRK_UCONT_OUTPUT, 0, 5000, 100);
    }
    fake_respond(&fake);
    ck_assert_uint_gt(fake.out.n, 0);
}

static void assert_pure(bool input)
{
    run_in(0xaa, input);
    size_t n = dump(first_run, sizeof first_run);
    static uint8_t again[sizeof first_run];
    run_in(0x55, input);
    ck_assert_uint_eq(dump(again, sizeof again), n);
    ck_assert_mem_eq(first_run, again, n);
}

START_TEST(equal_arguments_equal_bytes)
{
    for (int input = 0; input < 2; input++) {
        fake_init(&fake);
        fake_open(&fake, input ? "GET" : NULL, 1460, TRK_SYN_PAYLOAD);
        assert_pure(input);

        for (int kind = 0; kind < 5; kind++) {
            struct trk_request *r = begin(kind == 3 ? TRK_FORM_RESTART : TRK_FORM_REQUEST);
            struct trk_part *p = kind == 0 ? fake_opening(&fake, 1, TRK_IW, TRK_SSTHRESH_NONE) : fake_part(&fake, TRK_NORMAL, slow_start, 9, kind == 3 ? 1 : 3);
            if (kind == 2)
                fake_lose(p, 8);
            if (kind == 4)
                p->grants[0].tick -= 10000;
            ask_all(p, 3 * ROOM);
            if (kind == 2)
                p->terminal_ask = true;
            r->has_input = input;
            fake_prove(&fake);
            fake_send_request(&fake);
            assert_pure(input);
        }
    }
}
END_TEST

/* ---------------- verdicts ---------------- */
static size_t tell(enum trk_verdict v, bool reset)
{
    trk_respond_verdict(&fake.spend, v, &fake.config, reset, &fake.out);
    return fake.out.n;
}

static void read_verdict(struct trk_verdict_msg *m)
{
    memcpy(got.bytes, fake.out.packets[0].head, fake.out.packets[0].head_bytes);
    got.n = fake.out.packets[0].head_bytes;
    trk_segment_finish(got.bytes, got.n);
    ck_assert(trk_segment_checksum_ok(got.bytes, got.n));
    ck_assert_int_eq(trk_segment_parse(got.bytes, got.n, &got.seg), TRK_V_ACCEPTED);
    ck_assert_int_eq(trk_verdict_msg_parse(got.seg.payload, got.seg.payload_bytes, m), TRK_V_ACCEPTED);
}

START_TEST(verdicts_that_are_told)
{
    struct trk_request *r = begin(TRK_FORM_REQUEST);
    fake_part(&fake, TRK_NORMAL, slow_start, 5, 1);
    r->domain = 0xd0;
    fake.config.domain = 0xd1;
    ck_assert_int_eq(fake_prove_and_check(&fake), TRK_V_WRONG_DOMAIN);
    for (int v = 0; v < TRK_V_COUNT; v++) {
        size_t n = tell((enum trk_verdict)v, false);
        bool of_continuations = v == TRK_V_UNKNOWN_EPOCH || v == TRK_V_RETIRED_EPOCH || v == TRK_V_BAD_CONTINUATION;
        if (!of_continuations && (v < TRK_V_NOT_ADJOINING || v > TRK_V_RESET)) {
            ck_assert_uint_eq(n, 0);
            continue;
        }
        ck_assert_uint_eq(n, 1);
        struct trk_verdict_msg m;
        read_verdict(&m);
        ck_assert_int_eq(trk_verdict_of_code(m.code), v);
        ck_assert_uint_eq(m.id.h, r->id.h);
        ck_assert_uint_eq(m.id.t, r->id.t);
        ck_assert_uint_eq(m.generation, 3);
        ck_assert_uint_eq(m.k, 5);
        ck_assert_uint_eq(m.domain, 0xd1);
        ck_assert_uint_eq(got.seg.flags, TRK_ACK);
        ck_assert_uint_eq(got.seg.seq, fake.seg.ack);
        ck_assert_uint_eq(got.seg.ack, fake.seg.seq + fake.seg.payload_bytes);
        ck_assert_uint_le(got.n, fake.packet_bytes);
    }
}
END_TEST

START_TEST(verdict_with_reset)
{
    begin(TRK_FORM_REQUEST);
    fake_part(&fake, TRK_NORMAL, slow_start, 5, 1);
    ck_assert_int_eq(fake_prove_and_check(&fake), TRK_V_ACCEPTED);
    ck_assert_uint_eq(tell(TRK_V_RESET, true), 1);
    struct trk_verdict_msg m;
    read_verdict(&m);
    ck_assert_uint_eq(got.seg.flags, TRK_RST | TRK_ACK);
    ck_assert_uint_eq(m.code, trk_verdict_code(TRK_V_RESET));
}
END_TEST

START_TEST(verdict_on_a_syn_never_amplifies)
{
    fake_init(&fake);
    for (size_t payload = 20; payload < 60; payload++) {
        fake_open(&fake, NULL, 1460, payload);
        ck_assert_int_eq(fake_check(&fake), TRK_V_ACCEPTED);
        size_t n = tell(TRK_V_RESET, true);
        ck_assert_uint_eq(n, payload + 4 >= TRK_VERDICT_BYTES);     /* the SYN had an option of 4 bytes */
        if (!n)
            continue;
        struct trk_verdict_msg m;
        read_verdict(&m);
        ck_assert_uint_eq(m.k, 0);     /* a SYN spends no number */
        ck_assert_uint_le(fake.out.packets[0].head_bytes, fake.packet_bytes);
    }
}
END_TEST

UNIT_MAIN("respond_pure", equal_arguments_equal_bytes, verdicts_that_are_told, verdict_with_reset,
          verdict_on_a_syn_never_amplifies)
