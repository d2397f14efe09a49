/* One example of each message byte by byte, as PROTOCOL.md section 3 draws it: the layout cannot change by accident. */
#include "unit.h"
#include "wire/messages.h"

#include <string.h>

static uint8_t out[2048];

#define SEAL "SSSSssssSSSSssss"
#define ID   "\x01\x02\x03\x04\x05\x06\x07\x08" "\x11\x12\x13\x14"
static const struct trk_conn_id id = { 0x0102030405060708, 0x11121314 };

/* A string literal without its zero. */
#define ASSERT_BYTES(n, literal) do { \
    ck_assert_uint_eq(n, sizeof(literal) - 1); \
    ck_assert_mem_eq(out, literal, sizeof(literal) - 1); } while (0)

/* Sealed continuations as section 8.1 draws them: opaque "ab". */
#define INPUT_CONT  "\x01\x00\x05\x00\x02" "\0\0\0\0\0\0\0\x64" "\0\0\0\0\0\0\x03\xe8" "ab" SEAL
#define OUTPUT_CONT "\x02\x01\x05\x00\x02" "\0\0\0\0\0\0\0\x0a" "\0\0\0\0\0\0\x03\xe8" "ab" SEAL

static struct trk_ucont_view view(const char *literal)
{
    struct trk_ucont_view v;
    ck_assert_int_eq(trk_ucont_parse((const uint8_t *)literal, TRK_UCONT_HEADER + 2 + TRK_SEAL_BYTES, &v), TRK_V_ACCEPTED);
    return v;
}

START_TEST(continuation)
{
    struct trk_ucont_view in = view(INPUT_CONT), end = view(OUTPUT_CONT);
    ck_assert(in.type == TRK_UCONT_INPUT && in.flags == 0 && in.epoch == 5 && in.opaque_bytes == 2);
    ck_assert(in.first == 100 && in.second == 1000 && in.total_bytes == 39);
    ck_assert(end.type == TRK_UCONT_OUTPUT && end.flags == TRK_UCONT_FIN && end.first == 10 && end.second == 1000);
}
END_TEST

START_TEST(open_message)
{
    struct trk_open m = { .has_input = true, .input_end = true, .input_bytes = 3, .input = (const uint8_t *)"GET" };
    memcpy(m.random, "0123456789abcdef", 16);
    ASSERT_BYTES(trk_open_emit(&m, out, 26), "\x11\x03" "0123456789abcdef" "\x00\x03" "GET" "\0\0\0");
}
END_TEST

START_TEST(close_message)
{
    struct trk_close m = { id, 0x21222324 };
    ASSERT_BYTES(trk_close_emit(&m, out, sizeof out), "\x14\x00" ID "\x21\x22\x23\x24");
}
END_TEST

START_TEST(verdict_message)
{
    struct trk_verdict_msg m = { .code = trk_verdict_code(TRK_V_WRONG_DOMAIN), .id = id, .generation = 0x21222324,
                                 .k = 0x313233343536, .domain = 0x41424344 };
    ASSERT_BYTES(trk_verdict_msg_emit(&m, out, sizeof out),
                 "\x1c\x24" ID "\x21\x22\x23\x24" "\x31\x32\x33\x34\x35\x36" "\x41\x42\x43\x44");
}
END_TEST

static struct trk_grant grant(void)
{
    return (struct trk_grant){ .kind = TRK_NORMAL, .epoch = 0x25, .domain = 0x41424344, .id = id, .generation = 0x21222324,
                               .piece = { 0x100, 0x0a, 0x20 }, .a = 0x201, .b = 0x20a, .f = 0x205, .slot = 0x05b0,
                               .tick = 0x51525354, .address_tag = 0x61626364 };
}

#define LONG_FIELDS "\x25\x00" "\x41\x42\x43\x44" "\x61\x62\x63\x64" "\x05\xb0" "\x21\x22\x23\x24" "\x00\x0a" "\x00\x20" \
                    "\x09\x04" "\0\0\0\0\x01\x00" "\0\0\0\0\x02\x01" "\x02" "\x51\x52\x53\x54" \
                    "\x00\x00\x00\x01\x71\x72\x73\x74" "NNNNnnnn" SEAL

static struct trk_answer answer(uint8_t form)
{
    struct trk_answer m = { .form = form, .grant = grant(), .n = 0x203, .n_minus_a = 2, .b_minus_a = 9, .digest = 0x8182,
                            .offset = 0x171727374, .nonce = 0x4e4e4e4e6e6e6e6e };
    memcpy(m.seal, SEAL, TRK_SEAL_BYTES);
    return m;
}

START_TEST(long_message)
{
    struct trk_answer m = answer(TRK_FORM_LONG);
    m.flags = TRK_F_MORE | TRK_F_NO_FILTER;
    m.n_conts = 1;
    m.conts[0] = view(INPUT_CONT);
    ASSERT_BYTES(trk_answer_emit(&m, out, sizeof out), "\x19\x11" LONG_FIELDS INPUT_CONT);
}
END_TEST

START_TEST(opened_message)
{
    struct trk_answer m = answer(TRK_FORM_OPENED);
    m.flags = TRK_F_DONE;
    m.n_conts = 2;
    m.conts[0] = view(INPUT_CONT);
    m.conts[1] = view(OUTPUT_CONT);
    ASSERT_BYTES(trk_answer_emit(&m, out, sizeof out), "\x18\x02" LONG_FIELDS ID INPUT_CONT OUTPUT_CONT);
}
END_TEST

START_TEST(normal_message)
{
    struct trk_answer m = answer(TRK_FORM_NORMAL);
    ASSERT_BYTES(trk_answer_emit(&m, out, sizeof out), "\x1a\x00" "\x45" "\x02\x09" "\x81\x82" "\x53\x54" "\x71\x72\x73\x74" "NNNNnnnn" SEAL);
    trk_answer_renumber(out, 5, 0x161626364, 0x4d4d4d4d6d6d6d6d);
    ck_assert_mem_eq(out, "\x1a\x00" "\x45" "\x05\x09" "\x81\x82" "\x53\x54" "\x61\x62\x63\x64" "MMMMmmmm" SEAL, TRK_NORMAL_BYTES);
}
END_TEST

START_TEST(terminal_message)
{
    struct trk_answer m = answer(TRK_FORM_TERMINAL);
    m.flags = TRK_F_END | TRK_F_FIN;
    m.n_conts = 1;
    m.conts[0] = view(INPUT_CONT);
    ASSERT_BYTES(trk_answer_emit(&m, out, sizeof out), "\x1b\x0c" "\x45" "\x71\x72\x73\x74" INPUT_CONT);
}
END_TEST

#define REQUEST_FIELDS ID "\x41\x42\x43\x44" "\x25" "\x21\x22\x23\x24" "\x61\x62\x63\x64" "\x05\xb0" "\x05\x00" "\x00\xc0"

/* Numbers 0x203 and 0x204 of [0x201, 0x205] spent, 0x105 and 0x106 lost. */
static void request(struct trk_request *m)
{
    memset(m, 0, sizeof *m);
    m->form = TRK_FORM_REQUEST;
    m->id = id;
    m->domain = 0x41424344;
    m->epoch = 0x25;
    m->generation = 0x21222324;
    m->address_tag = 0x61626364;
    m->slot = 0x05b0;
    m->fill = 0x0500;
    m->reserve = 0xc0;
    m->n_parts = 1;
    m->input_cont = 0xff;
    struct trk_part *p = &m->parts[0];
    p->m = 2;
    p->k = 0x203;
    p->piece = (struct trk_piece){ 0x100, 0x0a, 0x20 };
    p->xor_nonces = 0x4e4e4e4e6e6e6e6e;
    p->n_ranges = 2;
    p->ranges[0] = (struct trk_range){ 0x101, 0x104 };
    p->ranges[1] = (struct trk_range){ 0x107, 0x204 };
    p->n_grants = 2;
    p->grants[0] = (struct trk_grant_ref){ .a = 0x201, .b = 0x203, .f = 0x203, .tick = 0x51525354 };
    p->grants[1] = (struct trk_grant_ref){ .a = 0x204, .b = 0x20a, .f = 0x205, .tick = 0x51525355 };
    memcpy(p->grants[0].seal, SEAL, TRK_SEAL_BYTES);
    memcpy(p->grants[1].seal, SEAL, TRK_SEAL_BYTES);
    m->n_conts = 1;
    m->conts[0] = view(OUTPUT_CONT);
    p->terminal_ask = true;
    p->n_asks = 2;
    p->asks[0] = (struct trk_ask){ 0, 10, 50 };
    p->asks[1] = (struct trk_ask){ 0, 100, 900 };
}

#define PIECE "\0\0\0\0\x01\x00" "\x00\x0a" "\x00\x20"

START_TEST(request_message)
{
    static struct trk_request m;
    request(&m);
    ASSERT_BYTES(trk_request_emit(&m, out, sizeof out),
                 "\x12\x00" REQUEST_FIELDS "\x11"
                 "\x02" "\x02" "\x02" "\x02" "\x02" PIECE "\x41\x02"                    /* k - base - 1 = 0x102 in two bytes */
                 "\x00\x03" "\x02"                                                      /* none missing, 4 numbers; 2 missing */
                 "NNNNnnnn"
                 "\x41\x00" "\x02\x02" "\x51\x52\x53\x54" SEAL "\x00" "\x06\x01" "\x51\x52\x53\x55" SEAL
                 "\x00\x0a\x32" "\x00\x40\x64\x43\x84"
                 OUTPUT_CONT);
}
END_TEST

START_TEST(restart_message)
{
    static struct trk_request m;
    request(&m);
    m.form = TRK_FORM_RESTART;
    m.restart_kind = TRK_RESTART_RESUME;
    m.attempt = 3;
    m.want_long = true;
    m.parts[0].m = 1;
    m.parts[0].k = 0x204;
    m.parts[0].terminal_ask = false;
    m.parts[0].n_asks = 1;
    m.parts[0].asks[0] = (struct trk_ask){ TRK_ASK_INPUT, 1000, 70000 };
    m.conts[0] = view(INPUT_CONT);
    m.has_input = true;
    m.input_cont = 0;
    m.input_offset = 100;
    m.input = (const uint8_t *)"GET";
    m.input_bytes = 3;
    ASSERT_BYTES(trk_request_emit(&m, out, sizeof out),
                 "\x13\x03" REQUEST_FIELDS "\x11" "\x02\x03"
                 "\x00" "\x01" "\x02" "\x02" "\x01" PIECE "\x41\x03"
                 "\x00\x03" "\x02"
                 "NNNNnnnn"
                 "\x41\x00" "\x02\x02" "\x51\x52\x53\x54" SEAL "\x00" "\x06\x01" "\x51\x52\x53\x55" SEAL
                 "\xff\x43\xe8\x80\x01\x11\x70"
                 INPUT_CONT "\x00" "GET");
}
END_TEST

UNIT_MAIN("message_bytes", continuation, open_message, close_message, verdict_message, long_message, opened_message,
          normal_message, terminal_message, request_message, restart_message)
