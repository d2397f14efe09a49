/* What somebody off the path can do to a client who knows its addresses and has guessed its port: nothing. Such packets begin at
 * a slot and say what a server would say, but cannot name the end of a request that the client has sent. */
#include "unit.h"
#include <string.h>
#include "client/client.h"
#include "tcb/seal.h"

enum { SLOT = 1456, OUTPUT = 100000 };
#define ISN (5001u - SLOT)

static struct trk_client c;
static struct trk_client_config config;
static uint8_t receive_buffer[262144], send_buffer[16384], packet[2048], message[TRK_SLOT_MAX];
static _Alignas(16) uint8_t numbers[TRK_CLIENT_NUMBERS_BYTES];

static bool polled(uint64_t now_us, struct trk_segment *seg)
{
    size_t n = trk_client_poll(&c, now_us, packet, sizeof packet);
    return n && trk_segment_parse(packet, n, seg) == TRK_V_ACCEPTED;
}

static struct trk_segment from_server(uint8_t flags, uint32_t seq, uint32_t ack, uint32_t bytes)
{
    return (struct trk_segment){ .flow = trk_flow_reverse(&config.flow), .flags = flags, .seq = seq, .ack = ack, .marked = true,
                                 .window = TRK_WINDOW, .payload = message, .payload_bytes = bytes };
}

static struct trk_ucont_view cont(uint8_t type, uint64_t first, uint64_t second, uint8_t out[TRK_UCONT_MAX])
{
    static const struct trk_epoch nobodys;           /* the client cannot tell */
    struct trk_ucont u = { .type = type, .first = first, .second = second };
    struct trk_ucont_view v;
    size_t n = trk_ucont_seal(&nobodys, &(struct trk_conn_id){ 7, 9 }, &u, out, TRK_UCONT_MAX);
    ck_assert_int_eq(trk_ucont_parse(out, n, &v), TRK_V_ACCEPTED);
    return v;
}

/* A connection with 100,000 bytes of output to come, of which the first packets were asked for: *request asks. */
static void download(struct trk_segment *request)
{
    uint8_t in[TRK_UCONT_MAX], out[TRK_UCONT_MAX];
    struct trk_segment syn;
    memset(&config, 0, sizeof config);
    config.flow = (struct trk_flow){ .src = { 4, { 10, 0, 0, 1 } }, .dst = { 4, { 10, 0, 0, 2 } }, .sport = 40000, .dport = 80 };
    config.mss = SLOT + TRK_OPTION_BYTES;
    config.iss = 1000;
    config.receive_buffer = receive_buffer;
    config.receive_bytes = sizeof receive_buffer;
    config.send_buffer = send_buffer;
    config.send_bytes = sizeof send_buffer;
    config.numbers = numbers;
    config.numbers_bytes = sizeof numbers;
    ck_assert(trk_client_open(&c, &config, NULL, 0, 0));
    ck_assert(polled(0, &syn));
    struct trk_answer m = { .form = TRK_FORM_OPENED, .flags = TRK_F_DONE, .n = 1, .n_conts = 2 };
    m.grant = (struct trk_grant){ .kind = TRK_OPENING, .id = { 7, 9 }, .epoch = 1, .piece = { 0, TRK_IW, TRK_SSTHRESH_NONE }, .a = 1, .b = 1, .f = 1,
                                  .slot = SLOT, .domain = 77, .address_tag = 88 };
    m.conts[0] = cont(TRK_UCONT_INPUT, 0, OUTPUT, in);
    m.conts[1] = cont(TRK_UCONT_OUTPUT, 0, OUTPUT, out);
    size_t n = trk_answer_emit(&m, message, sizeof message);
    ck_assert_uint_gt(n, 0);
    struct trk_segment opened = from_server(TRK_SYN | TRK_ACK, ISN + SLOT - 1, config.iss + 1 + syn.payload_bytes, (uint32_t)n);
    ck_assert_int_eq(trk_client_feed(&c, &opened, 20000), TRK_V_ACCEPTED);
    ck_assert(polled(20000, request));
}

/* A message of this form with the bytes "forged!" for the stream's beginning. */
static uint32_t forge(uint8_t form, uint64_t n)
{
    struct trk_answer m = { .form = form, .n = n };
    m.grant = (struct trk_grant){ .kind = TRK_NORMAL, .epoch = 1, .piece = { 1, 10, TRK_SSTHRESH_NONE }, .a = n, .b = n, .f = n, .slot = SLOT };
    size_t bytes = trk_answer_emit(&m, message, sizeof message);
    ck_assert_uint_gt(bytes, 0);
    memcpy(message + bytes, "forged!", 7);
    return (uint32_t)bytes + 7;
}

static const uint8_t forms[] = { TRK_FORM_NORMAL, TRK_FORM_LONG, TRK_FORM_TERMINAL };

START_TEST(data_needs_the_end_of_a_request)
{
    struct trk_segment request;
    const uint8_t *data;
    for (size_t f = 0; f < sizeof forms; f++)
        for (uint64_t n = 2; n < 5000; n++) {
            if (n == 2)
                download(&request);
            uint32_t end = request.seq + request.payload_bytes, ack = (uint32_t)(n * 2654435761u);
            struct trk_segment seg = from_server(TRK_ACK, trk_seq_of(ISN, n, SLOT), ack == end ? ack + 1 : ack, forge(forms[f], n));
            enum trk_verdict v = trk_client_feed(&c, &seg, 21000);
            ck_assert_int_ne(v, TRK_V_ACCEPTED);
            ck_assert_uint_eq(trk_client_readable(&c, &data), 0);
        }
}
END_TEST

START_TEST(the_acknowledgement_is_not_moved)
{
    struct trk_segment request, next;
    for (size_t f = 0; f < sizeof forms; f++) {
        download(&request);
        uint32_t ack = request.ack;
        for (uint64_t n = 2; n < 1u << 20; n += 37777) {
            struct trk_segment seg = from_server(TRK_ACK, trk_seq_of(ISN, n, SLOT), (uint32_t)n * 77777, forge(forms[f], n));
            trk_client_feed(&c, &seg, 21000);
        }
        struct trk_segment off_slot = from_server(TRK_ACK, ISN + 0x7fffffff, 1, forge(forms[f], 3));
        trk_client_feed(&c, &off_slot, 21000);
        ck_assert_uint_eq(trk_client_write(&c, (const uint8_t *)"x", 1, 22000), 1);
        ck_assert(polled(trk_client_next_timeout(&c), &next));
        ck_assert_uint_eq(next.ack, ack);
    }
}
END_TEST

/* What is too late to be spent still has its data used, if it answers something that was asked. */
START_TEST(late_data_of_our_own_requests_counts)
{
    struct trk_segment request;
    const uint8_t *data;
    download(&request);
    uint32_t end = request.seq + request.payload_bytes;
    struct trk_segment seg = from_server(TRK_ACK, trk_seq_of(ISN, 500, SLOT), end, forge(TRK_FORM_NORMAL, 500));
    ck_assert_int_ne(trk_client_feed(&c, &seg, 21000), TRK_V_ACCEPTED);
    ck_assert_uint_eq(trk_client_readable(&c, &data), 7);
}
END_TEST

UNIT_MAIN("client_forgeries", data_needs_the_end_of_a_request, the_acknowledgement_is_not_moved, late_data_of_our_own_requests_counts)
