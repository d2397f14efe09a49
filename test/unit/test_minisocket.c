/* libminisocket end to end: real packets over a loopback of our own, the client engine against applications that use
 * each call. Server and client take turns in one thread. */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <trickles/minisocket.h>
#include "client/client.h"
#include "link/link.h"
#include "link/route.h"
#include "unit.h"

static uint64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* ---- a host of our own: one namespace with a loopback ---- */

static bool make_host(void)
{
    struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING | IFF_LOOPBACK };
    if (unshare(CLONE_NEWNET) != 0)
        return false;
    int s = socket(AF_INET, SOCK_DGRAM, 0);
    bool ok = s >= 0 && ioctl(s, SIOCSIFFLAGS, &lo) == 0;
    close(s);
    return ok;
}

/* ---- the two ends ---- */

struct ends {
    struct msk_server *server;
    msk_handler handler;
    void *arg;
    struct trk_link *link;
    struct trk_link_neighbour server_mac;
    struct trk_client client;
    struct trk_client_config config;
    uint8_t received[1 << 20]; size_t received_bytes;
};
static struct ends ends;
static bool lends;                    /* superframes come whole, and are read where they are */
static unsigned superframes;
static uint8_t receive_buffer[1 << 20], send_buffer[1 << 16];
static _Alignas(16) uint8_t numbers[TRK_CLIENT_NUMBERS_BYTES];

static struct msk_server *open_server(const struct msk_keys *keys, const char *address)
{
    char error[MSK_ERROR_BYTES];
    const char *listen[] = { address };
    struct msk_options options = { .listen = listen, .n_listen = 1, .keys = keys };
    struct msk_server *server = msk_open(&options, error, sizeof error);
    ck_assert_msg(server != NULL, "%s", error);
    return server;
}

static void open_client(uint16_t port, const char *first)
{
    static uint16_t last_port = 40000;
    uint16_t local_port = ++last_port;
    char error[256];
    struct trk_route route;
    const uint8_t host[16] = { 127, 0, 0, 1 };
    struct trk_link_port local = { .family = 4, .addr = { 127, 0, 0, 1 }, .port = local_port };
    ck_assert_int_eq(trk_route_lookup(4, host, NULL, 1000, &route), 0);
    ends.server_mac = route.neighbour;
    struct trk_link_config link = { .ifindex = route.ifindex, .ports = &local, .n_ports = 1, .want_whole = lends };
    ends.link = trk_link_open(&link, error, sizeof error);
    ck_assert_msg(ends.link != NULL, "%s", error);
    ends.config = (struct trk_client_config){
        .mss = 1460, .iss = 1000u * local_port, .random = { (uint8_t)local_port, (uint8_t)(local_port >> 8) }, .syn_timeout_ms = 5000,
        .receive_buffer = receive_buffer, .receive_bytes = sizeof receive_buffer, .send_buffer = send_buffer, .send_bytes = sizeof send_buffer,
        .numbers = numbers, .numbers_bytes = sizeof numbers, .lends = lends,
        .flow = { .src = { 4, { 127, 0, 0, 1 } }, .dst = { 4, { 127, 0, 0, 1 } }, .sport = local_port, .dport = port },
    };
    ck_assert(trk_client_open(&ends.client, &ends.config, (const uint8_t *)first, (uint32_t)strlen(first), now_us()));
    ends.received_bytes = 0;
}

static void begin(struct msk_server *server, msk_handler handler, void *arg, const char *first)
{
    struct sockaddr_storage a;
    ends.server = server;
    ends.handler = handler;
    ends.arg = arg;
    ck_assert_int_eq(msk_listen_address(server, 0, &a), 0);
    open_client(ntohs(((struct sockaddr_in *)&a)->sin_port), first);
}

static void end_client(void)
{
    uint8_t packet[TRK_SLOT_MAX + TRK_HEADER_MAX];
    size_t n;
    trk_client_close(&ends.client);
    while ((n = trk_client_poll(&ends.client, now_us(), packet, sizeof packet)) > 0) {
        struct trk_link_out out = { .head = packet, .head_bytes = (uint32_t)n, .to = ends.server_mac };
        trk_link_send(ends.link, &out, 1);
    }
    trk_link_close(ends.link);
}

static void feed(const struct trk_link_packet *packet)
{
    struct trk_segment seg;
    if (trk_segment_parse(packet->ip, packet->bytes, &seg) != TRK_V_ACCEPTED)
        return;
    if (packet->slice_bytes)
        trk_client_feed_slices(&ends.client, &seg, packet->slice_bytes, now_us());
    else
        trk_client_feed(&ends.client, &seg, now_us());
    superframes += packet->slice_bytes > 0;
}

static void read_all(void)
{
    const uint8_t *data;
    size_t n;
    while ((n = trk_client_readable(&ends.client, &data)) > 0) {
        ck_assert_uint_le(ends.received_bytes + n, sizeof ends.received);
        memcpy(ends.received + ends.received_bytes, data, n);
        ends.received_bytes += n;
        trk_client_consume(&ends.client, (uint32_t)n, now_us());
    }
}

/* The pieces are what readable finds, one after the other; what is left of them is still there when segments are gone. */
static void read_some_in_place(void)
{
    struct trk_bytes pieces[8];
    size_t n = trk_client_readable_pieces(&ends.client, pieces, 8);
    for (size_t i = 0; i + 1 < n; i++) {
        const uint8_t *data;
        ck_assert_uint_eq(trk_client_readable(&ends.client, &data), pieces[i].bytes);
        ck_assert_ptr_eq(data, pieces[i].data);
        memcpy(ends.received + ends.received_bytes, data, pieces[i].bytes - 1);
        ends.received_bytes += pieces[i].bytes - 1;
        trk_client_consume(&ends.client, pieces[i].bytes - 1, now_us());
        ck_assert_uint_eq(trk_client_readable(&ends.client, &data), 1);
        ends.received[ends.received_bytes++] = *data;
        trk_client_consume(&ends.client, 1, now_us());
    }
    trk_client_keep(&ends.client);
}

static void client_turn(void)
{
    static uint8_t packet[65536];
    struct trk_link_packet in[16];
    size_t n;
    int got;
    while ((got = trk_link_receive(ends.link, in, 16)) > 0)
        for (int i = 0; i < got; i++) {
            feed(&in[i]);
            if (lends)
                read_some_in_place();
            while ((n = trk_client_poll(&ends.client, now_us(), packet, sizeof packet)) > 0) {
                struct trk_link_out out = { .head = packet, .head_bytes = (uint32_t)n, .to = ends.server_mac };
                trk_link_send(ends.link, &out, 1);
            }
        }
    read_all();
    while ((n = trk_client_poll(&ends.client, now_us(), packet, sizeof packet)) > 0) {
        struct trk_link_out out = { .head = packet, .head_bytes = (uint32_t)n, .to = ends.server_mac };
        trk_link_send(ends.link, &out, 1);
    }
}

/* Both ends take turns until done, at most 10 s. */
static bool run_until(bool (*done)(void))
{
    uint64_t limit = now_us() + 10000000;
    while (!done()) {
        if (now_us() > limit)
            return false;
        client_turn();
        if (ends.server)
            msk_process(ends.server, ends.handler, ends.arg);
        struct pollfd fds[2] = { { .fd = trk_link_fd(ends.link), .events = POLLIN } };
        if (ends.server)
            fds[1] = (struct pollfd){ .fd = msk_fd(ends.server), .events = POLLIN };
        poll(fds, ends.server ? 2 : 1, 5);
    }
    return true;
}

static size_t wanted_bytes;
static bool got_all(void) { return ends.received_bytes >= wanted_bytes; }
static bool at_end(void) { return trk_client_at_end(&ends.client); }
static bool was_reset(void) { return trk_client_state(&ends.client) == TRK_CLIENT_RESET; }
static bool receive(size_t bytes)
{
    wanted_bytes = bytes;
    return run_until(got_all);
}
static void write_text(const char *text)
{
    ck_assert_uint_eq(trk_client_write(&ends.client, (const uint8_t *)text, (uint32_t)strlen(text), now_us()), strlen(text));
}
static void expect_text(const char *text)
{
    bool ok = receive(strlen(text));
    ck_assert_msg(ok && ends.received_bytes == strlen(text) && memcmp(ends.received, text, ends.received_bytes) == 0, "got %zu bytes: %.*s",
                  ends.received_bytes, (int)(ends.received_bytes < 200 ? ends.received_bytes : 200), (const char *)ends.received);
}
static uint64_t counter(const char *name)
{
    struct msk_counter all[128];
    size_t n = msk_counters(ends.server, all, 128);
    for (size_t i = 0; i < n; i++)
        if (strcmp(all[i].name, name) == 0)
            return all[i].value;
    ck_abort_msg("no counter %s", name);
}

/* ---- applications ---- */

/* Says what it was asked: each input byte range becomes an output of its own, text in the continuation. */
static void say(struct minisock *m, uint64_t consumed, const void *text, size_t n, bool last)
{
    struct msk_output o = { .consumed = consumed, .output = { text, n }, .length = n, .last = last };
    ck_assert_int_eq(msk_done(m, &o), 0);
}
static void give_opaque(struct minisock *m)
{
    for (size_t i = 0; i < msk_ranges(m); i++) {
        struct msk_range r;
        ck_assert_int_eq(msk_range(m, i, &r), 0);
        if (r.bytes > 0)
            ck_assert_int_eq(msk_give(m, i, r.opaque + (r.offset - r.first), r.bytes), 0);
    }
}
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

/* Gathers a line over several packets, by each of the two ways; throws away what follows a '#'. */
static void lines(struct minisock *m, const struct msk_event *e, void *arg)
{
    const bool by_consuming = *(bool *)arg;
    const struct msk_input *in = &e->input;
    char line[MSK_OPAQUE_MAX];
    if (in->present) {
        memcpy(line, in->opaque, in->opaque_bytes);
        size_t n = in->opaque_bytes, more = in->bytes;
        const uint8_t *newline = in->bytes ? memchr(in->data, '\n', in->bytes) : NULL;
        if (newline)
            more = (size_t)(newline - in->data) + 1;
        ck_assert_uint_le(n + more, sizeof line);
        memcpy(line + n, in->data, more);
        if (newline)
            say(m, line[0] == '#' ? more + 100 : more, line, n + more, false);
        else if (by_consuming)
            ck_assert_int_eq(msk_more(m, more, (struct msk_bytes){ line, n + more }), 0);
        else
            ck_assert_int_eq(msk_more(m, 0, (struct msk_bytes){ NULL, 0 }), 0);
    }
    give_opaque(m);
    msk_reply(m);
}

static uint64_t pause_until;
static bool paused(void) { return now_us() >= pause_until; }
static void pause_ms(unsigned ms)
{
    pause_until = now_us() + ms * 1000;
    run_until(paused);
}

START_TEST(input_in_pieces)
{
    for (int way = 0; way < 2; way++) {
        bool by_consuming = way == 0;
        struct msk_server *server = open_server(NULL, "127.0.0.1:0");
        begin(server, lines, &by_consuming, "");
        write_text("one ");
        pause_ms(30);
        write_text("line");
        pause_ms(30);
        write_text("\ntwo\nthree");
        expect_text("one line\ntwo\n");
        write_text("\n");
        expect_text("one line\ntwo\nthree\n");
        end_client();
        msk_close(server);
    }
}
END_TEST

START_TEST(input_that_is_thrown_away)
{
    bool by_consuming = true;
    char junk[101];
    struct msk_server *server = open_server(NULL, "127.0.0.1:0");
    begin(server, lines, &by_consuming, "");
    write_text("#refused\n");
    expect_text("#refused\n");
    memset(junk, 'j', 100);
    junk[100] = '\0';
    write_text(junk);
    write_text("after\n");
    expect_text("#refused\nafter\n");
    end_client();
    msk_close(server);
}
END_TEST

/* Speaks first, then counts with an output whose length only its end knows. */
static void greeting(struct minisock *m, const struct msk_event *e, void *arg)
{
    (void)arg;
    if (e->type == MSK_OPEN)
        say(m, 0, "hello", 5, false);
    else if (e->input.present && e->input.data[0] == '?') {
        struct msk_output o = { .consumed = e->input.bytes, .output = { "count", 5 }, .length = MSK_LENGTH_UNKNOWN };
        ck_assert_int_eq(msk_done(m, &o), 0);
    } else if (e->input.present) {
        ck_assert_uint_eq(e->input.opaque_bytes, e->input.data[0] == '!' ? 4 : 0);
        say(m, e->input.bytes, e->input.data, e->input.bytes, e->input.data[0] == '!');
    }
    for (size_t i = 0; i < msk_ranges(m); i++) {
        struct msk_range r;
        msk_range(m, i, &r);
        if (r.end != MSK_LENGTH_UNKNOWN) {
            if (r.bytes > 0)
                msk_give(m, i, r.opaque + (r.offset - r.first), r.bytes);
            continue;
        }
        ck_assert_uint_eq(r.opaque_bytes, 5);
        uint64_t at = r.offset - r.first, length = 20000;
        size_t n = at + r.bytes < length ? r.bytes : at < length ? (size_t)(length - at) : 0;
        memset(buffer, 'n', n);
        if (at + n != length)
            ck_assert_int_eq(msk_give(m, i, buffer, n), 0);
        else
            ck_assert_int_eq(msk_give_end(m, i, buffer, n, (struct msk_bytes){ "next", 4 }, false), 0);
    }
    msk_reply(m);
}

START_TEST(the_server_speaks_first_and_does_not_know_how_long)
{
    struct msk_server *server = open_server(NULL, "127.0.0.1:0");
    begin(server, greeting, NULL, "");
    expect_text("hello");
    write_text("x");
    expect_text("hellox");
    write_text("?");
    ck_assert(receive(20006));
    write_text("!");
    ck_assert(run_until(at_end));
    ck_assert_uint_eq(ends.received_bytes, 20007);
    ck_assert_mem_eq(ends.received, "helloxnn", 8);
    ck_assert_uint_eq(ends.received[20005], 'n');
    ck_assert_uint_eq(ends.received[20006], '!');
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

/* Tests run in a process of their own each (Check forks), in this namespace. */
static int run_tests(void)
{
    Suite *suite = suite_create("minisocket");
    TCase *tcase = tcase_create("minisocket");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, listen_addresses);
    tcase_add_test(tcase, key_sets);
    tcase_add_test(tcase, echo_with_and_without_data_in_the_syn);
    tcase_add_test(tcase, a_long_output_over_restarts_of_the_server);
    tcase_add_test(tcase, superframes_are_read_where_they_arrive);
    tcase_add_test(tcase, input_in_pieces);
    tcase_add_test(tcase, input_that_is_thrown_away);
    tcase_add_test(tcase, the_server_speaks_first_and_does_not_know_how_long);
    tcase_add_test(tcase, figure_8_and_reset);
    tcase_add_test(tcase, events_pulled_by_hand);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(void)
{
    if (!make_host()) {
        printf("SKIP unit.minisocket: a network namespace needs root: %s\n", strerror(errno));
        return 77;
    }
    return run_tests();
}
