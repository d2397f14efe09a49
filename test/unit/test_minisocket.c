/* libminisocket: events, continuations, answers and set-up. */
#include "loopback.h"

/* ---- applications ---- */

static int opens, closes;
static void echo(struct minisock *m, const struct msk_event *e, void *arg)
{
    (void)arg;
    ck_assert_ptr_eq(msk_event(m), e);
    opens += e->type == MSK_OPEN;
    closes += e->type == MSK_CLOSE;
    uint64_t now = (uint64_t)time(NULL) * 1000;
    ck_assert_uint_ge(e->time_ms + 60000, now);
    ck_assert_uint_le(e->time_ms, now + 2000);
    ck_assert_int_eq(e->peer.ss_family, AF_INET);
    if (e->input.present)
        say(m, e->input.bytes + e->input.end, e->input.data, e->input.bytes, e->input.end);
    give_opaque(m);
    ck_assert_int_eq(msk_reply(m), 0);
    ck_assert_int_eq(msk_reply(m), -EBADF);
}

START_TEST(echo_with_and_without_data_in_the_syn)
{
    struct msk_server *server = open_server(NULL, "127.0.0.1:0");
    opens = closes = 0;
    begin(server, echo, NULL, "first ");
    expect_text("first ");
    write_text("second");
    expect_text("first second");
    trk_client_shutdown(&ends.client, now_us());
    ck_assert(run_until(at_end));
    ck_assert_uint_eq(ends.received_bytes, 12);
    end_client();
    begin(server, echo, NULL, "");
    write_text("only");
    expect_text("only");
    end_client();
    msk_process(server, echo, NULL);
    ck_assert_int_eq(opens, 2);
    ck_assert_int_eq(closes, 2);
    ck_assert_uint_eq(counter("closed"), 2);
    ck_assert_uint_ge(counter("answered"), 4);
    msk_close(server);
}
END_TEST

/* A long output: bytes by position. consumed counts more than was sent at once. */
#define LONG_BYTES 900000
static uint8_t byte_at(uint64_t offset) { return (uint8_t)(offset * 2654435761u >> 13); }
static uint8_t buffer[MSK_ANSWER_BYTES_MAX];
static void long_output(struct minisock *m, const struct msk_event *e, void *arg)
{
    size_t used = 0;
    (void)arg;
    if (e->input.present) {
        struct msk_output o = { .consumed = e->input.bytes, .output = { "long", 4 }, .length = LONG_BYTES, .last = true, .encrypt = true };
        ck_assert_int_eq(msk_done(m, &o), 0);
        ck_assert_int_eq(msk_done(m, &o), -EINVAL);
    }
    for (size_t i = 0; i < msk_ranges(m); i++) {
        struct msk_range r;
        ck_assert_int_eq(msk_range(m, i, &r), 0);
        if (r.bytes == 0)
            continue;
        ck_assert_uint_eq(r.opaque_bytes, 4);
        ck_assert_mem_eq(r.opaque, "long", 4);
        ck_assert_uint_le(r.offset + r.bytes, LONG_BYTES);
        for (size_t b = 0; b < r.bytes; b++)
            buffer[used + b] = byte_at(r.offset + b);
        ck_assert_int_eq(msk_give(m, i, buffer + used, r.bytes + 1), -EINVAL);
        ck_assert_int_eq(msk_give(m, i, buffer + used, r.bytes), 0);
        used += r.bytes;
    }
    ck_assert_int_eq(msk_range(m, msk_ranges(m), &(struct msk_range){ 0 }), -ERANGE);
    msk_reply(m);
}

START_TEST(a_long_output_over_restarts_of_the_server)
{
    struct msk_keys keys;
    msk_keys_random(&keys);
    struct msk_server *server = open_server(&keys, "127.0.0.1:7001");
    begin(server, long_output, NULL, "go");
    for (size_t part = 1; part <= 5; part++) {
        ck_assert(receive(part * LONG_BYTES / 5 - 1000));
        msk_close(ends.server);
        ends.server = server = open_server(&keys, "127.0.0.1:7001");
    }
    ck_assert(run_until(at_end));
    ck_assert_uint_eq(ends.received_bytes, LONG_BYTES);
    for (size_t i = 0; i < LONG_BYTES; i++)
        ck_assert_uint_eq(ends.received[i], byte_at(i));
    end_client();
    msk_close(server);
}
END_TEST

START_TEST(superframes_are_read_where_they_arrive)
{
    lends = true;
    struct msk_server *server = open_server(NULL, "127.0.0.1:7001");
    begin(server, long_output, NULL, "go");
    ck_assert(run_until(at_end));
    ck_assert_uint_eq(ends.received_bytes, LONG_BYTES);
    for (size_t i = 0; i < LONG_BYTES; i++)
        ck_assert_uint_eq(ends.received[i], byte_at(i));
    ck_assert_uint_gt(superframes, 0);
    struct trk_client_stats stats;
    trk_client_stats(&ends.client, &stats);
    ck_assert_uint_ge(stats.verdicts[TRK_V_ACCEPTED], LONG_BYTES / 1460);
    end_client();
    msk_close(server);
}
END_TEST

/* Figure 8: send, sendv, setucont, drop; and reset. */
static bool dropped, left;
static void figure_8(struct minisock *m, const struct msk_event *e, void *arg)
{
    (void)arg;
    if (e->input.present && e->input.data[0] == 'r') {
        ck_assert_int_eq(msk_reset(m), 0);
        return;
    }
    if (e->input.present && e->input.data[0] == 'd' && !dropped) {
        dropped = true;
        ck_assert_int_eq(msk_drop(m), 0);
        ck_assert_int_eq(msk_drop(m), -EBADF);
        return;
    }
    if (e->input.present && e->input.data[0] == 'l' && !left) {
        left = true;
        return;                        /* left unanswered: dropped by the library */
    }
    if (e->input.present) {
        char too_long[MSK_OPAQUE_MAX + 1] = "";
        say(m, e->input.bytes, "wrong", 5, false);
        ck_assert_int_eq(msk_setucont(m, MSK_UCONT_OUTPUT, too_long, sizeof too_long), -EMSGSIZE);
        ck_assert_int_eq(msk_setucont(m, MSK_UCONT_OUTPUT, "right", 5), 0);
    } else
        ck_assert_int_eq(msk_setucont(m, MSK_UCONT_OUTPUT, "x", 1), -EINVAL);
    struct tiovec v[128];
    struct msk_range r = { 0 };
    size_t n = msk_ranges(m);
    if (n == 1 && msk_range(m, 0, &r) == 0 && r.bytes > 0) {
        ck_assert_int_eq(msk_send(m, r.opaque + (r.offset - r.first), r.bytes), 0);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        msk_range(m, i, &r);
        v[i] = (struct tiovec){ r.opaque + (r.offset - r.first), r.bytes };
    }
    ck_assert_int_eq(msk_sendv(m, v, (int)n), 0);
}

START_TEST(figure_8_and_reset)
{
    struct msk_server *server = open_server(NULL, "127.0.0.1:0");
    dropped = left = false;
    begin(server, figure_8, NULL, "");
    write_text("a");
    expect_text("right");
    write_text("d");
    expect_text("rightright");
    ck_assert_uint_eq(counter("dropped"), 1);
    write_text("l");
    expect_text("rightrightright");
    ck_assert_uint_eq(counter("dropped"), 2);
    write_text("r");
    ck_assert(run_until(was_reset));
    ck_assert_uint_ge(counter("reset"), 1);
    end_client();
    msk_close(server);
}
END_TEST

/* The same by hand: pulled events, memory of the library's, and what is refused. */
static void answer_pulled(struct minisock *m)
{
    const struct msk_event *e = msk_event(m);
    char too_long[MSK_OPAQUE_MAX + 1] = "";
    struct msk_keys keys;
    struct msk_output o = { .consumed = e->input.bytes, .output = { "o", 1 }, .length = 10, .last = true };
    msk_keys_random(&keys);
    ck_assert_int_eq(msk_set_keys(ends.server, &keys), -EBUSY);
    if (e->input.present) {
        ck_assert_int_eq(msk_more(m, 0, (struct msk_bytes){ too_long, sizeof too_long }), -EMSGSIZE);
        o.output.bytes = sizeof too_long;
        o.output.data = too_long;
        ck_assert_int_eq(msk_done(m, &o), -EMSGSIZE);
        o.output = (struct msk_bytes){ "o", 1 };
        ck_assert_int_eq(msk_done(m, &o), 0);
        ck_assert_int_eq(msk_more(m, 0, (struct msk_bytes){ NULL, 0 }), -EINVAL);
    } else if (e->type != MSK_OPEN) {
        ck_assert_int_eq(msk_done(m, &o), -EINVAL);
        ck_assert_int_eq(msk_more(m, 0, (struct msk_bytes){ NULL, 0 }), -EINVAL);
    }
    ck_assert_int_eq(msk_give(m, msk_ranges(m), "x", 1), -ERANGE);
    uint8_t *room = msk_room(m);
    for (size_t i = 0; i < msk_ranges(m); i++) {
        struct msk_range r;
        ck_assert_int_eq(msk_range(m, i, &r), 0);
        if (r.bytes == 0)
            continue;
        ck_assert_int_eq(msk_give_end(m, i, room, 0, (struct msk_bytes){ NULL, 0 }, false), -EINVAL);
        for (size_t b = 0; b < r.bytes; b++)
            room[b] = (uint8_t)('0' + r.offset + b);
        ck_assert_int_eq(msk_give(m, i, room, r.bytes), 0);
        room += r.bytes;
    }
    ck_assert_int_eq(msk_reply(m), 0);
    ck_assert_int_eq(msk_reset(m), -EBADF);
    ck_assert_int_eq(msk_send(m, NULL, 0), -EBADF);
    ck_assert_int_eq(msk_give(m, 0, "x", 1), -EBADF);
    ck_assert_int_eq(msk_done(m, &o), -EBADF);
    ck_assert_int_eq(msk_more(m, 0, (struct msk_bytes){ NULL, 0 }), -EBADF);
    ck_assert_int_eq(msk_setucont(m, MSK_UCONT_INPUT, "x", 1), -EBADF);
    ck_assert_ptr_null(msk_room(m));
    ck_assert_uint_eq(msk_ranges(m), 0);
}

START_TEST(events_pulled_by_hand)
{
    struct msk_server *server = open_server(NULL, "127.0.0.1:0");
    uint64_t limit = now_us() + 10000000;
    int left_alive = 0;
    begin(server, NULL, NULL, "");
    ck_assert_int_eq(msk_process(server, NULL, NULL), -EINVAL);
    write_text("go");
    while (!at_end()) {
        struct minisock *m;
        ck_assert(now_us() < limit);
        client_turn();
        while ((m = msk_next_event(server)) != NULL)
            if (msk_event(m)->input.present && left_alive < 2)
                left_alive++;          /* the next call drops it */
            else
                answer_pulled(m);
        usleep(1000);
    }
    expect_text("0123456789");
    ck_assert_uint_eq(counter("dropped"), 2);
    end_client();
    msk_close(server);
}
END_TEST

/* ---- set-up ---- */

static void refused(const char *address, int error, const char *words)
{
    char text[MSK_ERROR_BYTES];
    const char *listen[] = { address };
    struct msk_options options = { .listen = listen, .n_listen = 1 };
    errno = 0;
    ck_assert_ptr_null(msk_open(&options, text, sizeof text));
    ck_assert_msg(errno == error && strstr(text, words), "%s: %d, %s", address, errno, text);
}

START_TEST(listen_addresses)
{
    static const char *const bad[] = {
        "", "80", "localhost:80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:8x", "127.0.0.1:080000", "::1:80",
        "[::1]80", "[::1]", "[127.0.0.1]:80", "[*]:80", "*", ":80", "[::1:80", "1.2.3.4.5:80",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        refused(bad[i], EINVAL, "is not a listen address");
    refused("192.0.2.1:80", EADDRNOTAVAIL, "192.0.2.1:80");
    struct msk_server *server = open_server(NULL, "127.0.0.1:7002");
    refused("127.0.0.1:7002", EADDRINUSE, "another program has this port");
    refused("0.0.0.0:7002", EADDRINUSE, "another program has this port");
    msk_close(server);
    char error[MSK_ERROR_BYTES];
    static const char *const both[] = { "0.0.0.0:7002", "[::]:7002", "*:7002", "127.0.0.1:7003", "[::1]:7003", "127.0.0.1:7003" };
    struct msk_options options = { .listen = both, .n_listen = 6 };
    server = msk_open(&options, error, sizeof error);
    ck_assert_msg(server != NULL, "%s", error);
    struct sockaddr_storage a;
    ck_assert_int_eq(msk_listen_address(server, 0, &a), 0);
    ck_assert_int_eq(a.ss_family, AF_INET6);
    ck_assert_int_eq(msk_listen_address(server, 2, &a), 0);
    ck_assert_int_eq(msk_listen_address(server, 3, &a), -ERANGE);
    msk_close(server);
    msk_close(NULL);
}
END_TEST

START_TEST(key_sets)
{
    struct msk_keys keys;
    struct msk_server *server = open_server(NULL, "127.0.0.1:0");
    msk_keys_random(&keys);
    ck_assert_int_eq(msk_set_keys(server, &keys), 0);
    keys.n = 2;
    keys.keys[1] = keys.keys[0];
    ck_assert_int_eq(msk_set_keys(server, &keys), -EINVAL);
    keys.keys[1].epoch++;
    ck_assert_int_eq(msk_set_keys(server, &keys), -EINVAL);
    keys.keys[1].state = MSK_KEY_RETIRING;
    ck_assert_int_eq(msk_set_keys(server, &keys), 0);
    keys.n = 0;
    ck_assert_int_eq(msk_set_keys(server, &keys), -EINVAL);
    msk_close(server);
}
END_TEST

LOOPBACK_MAIN("minisocket", listen_addresses, key_sets, echo_with_and_without_data_in_the_syn, a_long_output_over_restarts_of_the_server, superframes_are_read_where_they_arrive, figure_8_and_reset, events_pulled_by_hand)
