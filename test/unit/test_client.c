/* The engine's edges: opening, refusals, resets, what it does with strangers. Its steady work is tested in test/sim. */
#include "unit.h"
#include <string.h>
#include "client/client.h"

static struct trk_client c;
static struct trk_client_config config;
static uint8_t receive_buffer[65536], send_buffer[16384], packet[2048];
static _Alignas(16) uint8_t numbers[TRK_CLIENT_NUMBERS_BYTES];

static void setup_config(void)
{
    memset(&config, 0, sizeof config);
    config.flow = (struct trk_flow){ .src = { 4, { 10, 0, 0, 1 } }, .dst = { 4, { 10, 0, 0, 2 } }, .sport = 40000, .dport = 80 };
    config.mss = 1460;
    config.iss = 1000;
    config.syn_timeout_ms = 8000;
    config.receive_buffer = receive_buffer;
    config.receive_bytes = sizeof receive_buffer;
    config.send_buffer = send_buffer;
    config.send_bytes = sizeof send_buffer;
    config.numbers = numbers;
    config.numbers_bytes = sizeof numbers;
}

static void start(void)
{
    setup_config();
    ck_assert(trk_client_open(&c, &config, NULL, 0, 0));
}

/* What poll sends now, parsed. */
static bool polled(uint64_t now_us, struct trk_segment *seg)
{
    size_t n = trk_client_poll(&c, now_us, packet, sizeof packet);
    if (!n)
        return false;
    ck_assert_int_eq(trk_segment_parse(packet, n, seg), TRK_V_ACCEPTED);
    return true;
}

static struct trk_segment from_server(uint8_t flags, uint32_t seq, uint32_t ack, const uint8_t *payload, uint32_t bytes)
{
    return (struct trk_segment){ .flow = trk_flow_reverse(&config.flow), .flags = flags, .seq = seq, .ack = ack, .marked = true,
                                 .window = TRK_WINDOW, .payload = payload, .payload_bytes = bytes };
}

static struct trk_segment answer_to_syn(uint32_t syn_bytes, uint8_t message[TRK_OPENED_BYTES])
{
    struct trk_answer m = { .form = TRK_FORM_OPENED, .flags = TRK_F_NO_FILTER, .n = 1 };
    m.grant = (struct trk_grant){ .kind = TRK_OPENING, .id = { 7, 9 }, .piece = { 0, TRK_IW, TRK_SSTHRESH_NONE }, .a = 1, .b = 1, .f = 1,
                                  .slot = config.mss < 1460 ? config.mss - 4 : 1456 };
    ck_assert_uint_eq(trk_answer_emit(&m, message, TRK_OPENED_BYTES), TRK_OPENED_BYTES);
    return from_server(TRK_SYN | TRK_ACK, 5000, config.iss + 1 + syn_bytes, message, TRK_OPENED_BYTES);
}

static void server_opens(void)
{
    struct trk_segment seg;
    uint8_t message[TRK_OPENED_BYTES];
    ck_assert(polled(0, &seg));
    seg = answer_to_syn(seg.payload_bytes, message);
    ck_assert_int_eq(trk_client_feed(&c, &seg, 20000), TRK_V_ACCEPTED);
    ck_assert_int_eq(trk_client_state(&c), TRK_CLIENT_OPEN);
}

START_TEST(syn_is_padded_and_repeated_like_tcp)
{
    start();
    struct trk_segment seg;
    uint64_t at[] = { 0, 1000000, 3000000, 7000000 };
    for (int i = 0; i < 4; i++) {
        ck_assert_uint_eq(trk_client_next_timeout(&c), at[i]);
        ck_assert(polled(at[i], &seg));
        ck_assert_int_eq(seg.flags, TRK_SYN);
        ck_assert_uint_eq(seg.payload_bytes, TRK_SYN_PAYLOAD);
        ck_assert_uint_eq(seg.seq, 1000);
        ck_assert(seg.sack_ok && seg.has_timestamp && seg.has_wscale && seg.mss == 1460);
        ck_assert(!polled(at[i] + 1, &seg));
    }
    ck_assert(!polled(8000000, &seg));
    ck_assert_int_eq(trk_client_state(&c), TRK_CLIENT_TIMED_OUT);
    ck_assert(trk_client_next_timeout(&c) == UINT64_MAX);
}
END_TEST

/* The first one that carries data is as long as most paths take; later ones as all take. The answer to either counts, and no
 * sequence number is used twice. */
START_TEST(syn_with_data_is_longer_once)
{
    static const struct { uint8_t family; uint16_t mss; uint32_t first, later; } cases[] = {
        { 4, 1460, 1428, 1200 }, { 6, 1440, 1408, 1200 }, { 4, 1300, 1276, 1200 }, { 4, 1160, 1136, 1136 }, { 4, 8960, 1428, 1200 },
    };
    static uint8_t data[400];
    uint8_t message[TRK_OPENED_BYTES];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int answered = 0; answered < 2; answered++) {
            struct trk_segment seg;
            setup_config();
            config.mss = cases[i].mss;
            config.flow.src.family = config.flow.dst.family = cases[i].family;
            ck_assert(trk_client_open(&c, &config, data, sizeof data, 0));
            ck_assert(polled(0, &seg));
            ck_assert_uint_eq(seg.payload_bytes, cases[i].first);
            ck_assert(polled(1000000, &seg));
            ck_assert_uint_eq(seg.payload_bytes, cases[i].later);
            struct trk_segment answer = answer_to_syn(1199, message);
            ck_assert_int_eq(trk_client_feed(&c, &answer, 1020000), TRK_V_FOREIGN);
            answer = answer_to_syn(answered ? cases[i].later : cases[i].first, message);
            ck_assert_int_eq(trk_client_feed(&c, &answer, 1020000), TRK_V_ACCEPTED);
            ck_assert(polled(1020000, &seg));
            ck_assert_uint_eq(seg.seq, config.iss + 1 + cases[i].first);
        }
}
END_TEST

START_TEST(tcp_server_is_recognised)
{
    start();
    struct trk_segment seg;
    polled(0, &seg);
    seg = from_server(TRK_SYN | TRK_ACK, 1, 1001, NULL, 0);
    seg.marked = false;
    seg.ack = 999;
    ck_assert_int_eq(trk_client_feed(&c, &seg, 1), TRK_V_UNMARKED);
    ck_assert_int_eq(trk_client_state(&c), TRK_CLIENT_OPENING);
    seg.ack = 1001;
    ck_assert_int_eq(trk_client_feed(&c, &seg, 1), TRK_V_TCP_ONLY);
    ck_assert_int_eq(trk_client_state(&c), TRK_CLIENT_TCP_ONLY);
}
END_TEST

START_TEST(refused_only_by_a_reset_for_our_syn)
{
    start();
    struct trk_segment seg;
    polled(0, &seg);
    seg = from_server(TRK_RST | TRK_ACK, 0, 77, NULL, 0);
    seg.marked = false;
    ck_assert_int_eq(trk_client_feed(&c, &seg, 1), TRK_V_RST_HINT);
    seg.ack = 1001 + TRK_SYN_PAYLOAD;
    ck_assert_int_eq(trk_client_feed(&c, &seg, 1), TRK_V_REFUSED);
    ck_assert_int_eq(trk_client_state(&c), TRK_CLIENT_REFUSED);
}
END_TEST

/* A verdict on the SYN has no id to name; the SYN's end proves it. Only what the same SYN would meet again ends the attempt. */
START_TEST(syn_without_room_ends_the_attempt)
{
    static const struct { enum trk_verdict code; uint32_t ack; enum trk_verdict fate; enum trk_client_state state; } cases[] = {
        { TRK_V_NO_ROOM, 1001, TRK_V_FOREIGN, TRK_CLIENT_OPENING },
        { TRK_V_NO_ROOM, 1000 + TRK_SYN_PAYLOAD, TRK_V_FOREIGN, TRK_CLIENT_OPENING },
        { TRK_V_DROPPED, 1001 + TRK_SYN_PAYLOAD, TRK_V_VERDICT_HEARD, TRK_CLIENT_OPENING },
        { TRK_V_NO_ROOM, 1001 + TRK_SYN_PAYLOAD, TRK_V_REFUSED, TRK_CLIENT_REFUSED },
    };
    start();
    struct trk_segment seg;
    uint8_t message[TRK_VERDICT_BYTES];
    polled(0, &seg);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct trk_verdict_msg m = { .code = trk_verdict_code(cases[i].code), .id = { 5, 6 } };
        uint32_t n = (uint32_t)trk_verdict_msg_emit(&m, message, sizeof message);
        seg = from_server(TRK_ACK, 0, cases[i].ack, message, n);
        ck_assert_int_eq(trk_client_feed(&c, &seg, 1), cases[i].fate);
        ck_assert_int_eq(trk_client_state(&c), cases[i].state);
    }
}
END_TEST

START_TEST(first_input_leaves_at_once_and_close_says_goodbye)
{
    start();
    server_opens();
    struct trk_segment seg;
    ck_assert(!polled(20000, &seg));
    ck_assert(trk_client_next_timeout(&c) == UINT64_MAX);
    ck_assert_uint_eq(trk_client_write(&c, (const uint8_t *)"hello", 5, 30000), 5);
    ck_assert(polled(30000, &seg));
    ck_assert_int_eq(seg.flags, TRK_ACK);
    ck_assert_uint_eq(seg.seq, 1001 + TRK_SYN_PAYLOAD);
    static struct trk_request r;
    ck_assert_int_eq(trk_request_parse(seg.payload, seg.payload_bytes, &r), TRK_V_ACCEPTED);
    ck_assert(r.has_input && r.input_bytes == 5 && !memcmp(r.input, "hello", 5) && r.input_cont == 0xff && r.input_offset == 0);
    ck_assert_uint_eq(r.parts[0].k, 1);
    ck_assert_uint_eq(r.parts[0].kind, TRK_OPENING);
    ck_assert_uint_eq(trk_client_unsent(&c), 5);
    trk_client_close(&c);
    uint8_t form;
    ck_assert(polled(31000, &seg) && trk_form_of(seg.payload, seg.payload_bytes, &form) == TRK_V_ACCEPTED && form == TRK_FORM_CLOSE);
    ck_assert(polled(31000, &seg) && seg.flags == (TRK_RST | TRK_ACK));
    ck_assert(!polled(31000, &seg));
}
END_TEST

START_TEST(lost_opening_request_is_restarted)
{
    start();
    server_opens();
    trk_client_write(&c, (const uint8_t *)"hello", 5, 30000);
    struct trk_segment seg;
    ck_assert(polled(30000, &seg));
    uint64_t at = trk_client_next_timeout(&c);
    ck_assert(at > 30000 && at < 130000);            /* max(1.5 srtt, srtt + 4 rttvar), srtt = 20 ms */
    ck_assert(!polled(at - 1, &seg));
    ck_assert(polled(at, &seg));
    static struct trk_request r;
    ck_assert_int_eq(trk_request_parse(seg.payload, seg.payload_bytes, &r), TRK_V_ACCEPTED);
    ck_assert_int_eq(r.form, TRK_FORM_RESTART);
    ck_assert_int_eq(r.restart_kind, TRK_RESTART_TIMEOUT);
    ck_assert_int_eq(r.attempt, 1);
    ck_assert(r.has_input && r.input_bytes == 5);
}
END_TEST

START_TEST(attempts_wait_their_age_and_end_in_the_horizon)
{
    start();
    server_opens();
    trk_client_write(&c, (const uint8_t *)"x", 1, 30000);
    struct trk_segment seg;
    static struct trk_request r;
    polled(30000, &seg);
    uint64_t now = 30000;
    int attempts = 0, refresh_waits = 0;
    for (int i = 0; i < 16; i++) {
        uint64_t before = now;
        now = trk_client_next_timeout(&c);
        ck_assert(polled(now, &seg));
        trk_request_parse(seg.payload, seg.payload_bytes, &r);
        ck_assert_int_eq(r.form, TRK_FORM_RESTART);
        if (i < 12)
            ck_assert_int_eq(r.attempt, ++attempts);
        else {
            ck_assert_int_eq(r.attempt, 12);
            ck_assert(now - before == (i == 12 ? 75000000u : 5000000u));
            refresh_waits++;
        }
        if (r.attempt >= 2)
            ck_assert(now - 20000 >= 50000ull << (r.attempt - 2));
        ck_assert(!polled(now, &seg));
    }
    ck_assert_int_eq(attempts, 12);
    ck_assert_int_eq(refresh_waits, 4);
}
END_TEST

START_TEST(reset_needs_the_connection_id)
{
    start();
    server_opens();
    struct trk_segment seg = from_server(TRK_RST, 1, 1, NULL, 0);
    seg.marked = false;
    ck_assert_int_eq(trk_client_feed(&c, &seg, 1), TRK_V_RST_HINT);
    struct trk_verdict_msg m = { .code = trk_verdict_code(TRK_V_RESET), .id = { 7, 10 }, .k = 1 };
    uint8_t message[TRK_VERDICT_BYTES];
    trk_verdict_msg_emit(&m, message, sizeof message);
    seg = from_server(TRK_RST | TRK_ACK, 1, 1, message, sizeof message);
    ck_assert_int_eq(trk_client_feed(&c, &seg, 1), TRK_V_RST_HINT);
    ck_assert_int_eq(trk_client_state(&c), TRK_CLIENT_OPEN);
    m.id.t = 9;
    trk_verdict_msg_emit(&m, message, sizeof message);
    ck_assert_int_eq(trk_client_feed(&c, &seg, 1), TRK_V_RST_PROVEN);
    ck_assert_int_eq(trk_client_state(&c), TRK_CLIENT_RESET);
}
END_TEST

START_TEST(strangers_and_rubbish_change_nothing)
{
    start();
    server_opens();
    struct trk_client_stats before, after;
    uint8_t rubbish[200];
    struct trk_segment seg = from_server(TRK_ACK, 6000, 1, rubbish, 0);
    ck_assert_int_eq(trk_client_feed(&c, &seg, 2), TRK_V_SHORT);
    seg.flow.sport = 81;
    ck_assert_int_eq(trk_client_feed(&c, &seg, 2), TRK_V_FOREIGN);
    uint32_t x = 1;
    for (int i = 0; i < 100000; i++) {
        uint32_t n = (x = x * 1664525 + 1013904223) >> 8;
        n %= sizeof rubbish;
        for (uint32_t j = 0; j < n; j++)
            rubbish[j] = (uint8_t)((x = x * 1664525 + 1013904223) >> 24);
        if (n)
            rubbish[0] = (uint8_t)(TRK_VERSION << 4 | (rubbish[0] & 15));
        seg = from_server(TRK_ACK, x, x * 3, rubbish, n);
        trk_client_feed(&c, &seg, 3);
    }
    ck_assert_int_eq(trk_client_state(&c), TRK_CLIENT_OPEN);
    trk_client_stats(&c, &before);
    ck_assert_uint_eq(before.verdicts[TRK_V_ACCEPTED], 1);
    ck_assert_uint_eq(before.generation, 0);
    trk_client_write(&c, (const uint8_t *)"hello", 5, 30000);
    ck_assert(polled(30000, &seg));
    trk_client_stats(&c, &after);
    ck_assert_uint_eq(after.segments_sent, before.segments_sent + 1);
}
END_TEST

START_TEST(bad_configurations_are_refused)
{
    setup_config();
    struct trk_client_config good = config;
    config.receive_bytes = 65535;
    ck_assert(!trk_client_open(&c, &config, NULL, 0, 0));
    config = good;
    config.mss = 500;
    ck_assert(!trk_client_open(&c, &config, NULL, 0, 0));
    config = good;
    config.numbers_bytes = 100;
    ck_assert(!trk_client_open(&c, &config, NULL, 0, 0));
    config = good;
    config.flow.dst.family = 6;
    ck_assert(!trk_client_open(&c, &config, NULL, 0, 0));
    config = good;
    ck_assert(!trk_client_open(&c, &config, send_buffer, 5000, 0));
    ck_assert(trk_client_open(&c, &config, send_buffer, 1000, 0));
}
END_TEST

UNIT_MAIN("client", syn_is_padded_and_repeated_like_tcp, syn_with_data_is_longer_once, tcp_server_is_recognised, refused_only_by_a_reset_for_our_syn,
          syn_without_room_ends_the_attempt, first_input_leaves_at_once_and_close_says_goodbye, lost_opening_request_is_restarted,
          attempts_wait_their_age_and_end_in_the_horizon, reset_needs_the_connection_id, strangers_and_rubbish_change_nothing,
          bad_configurations_are_refused)
