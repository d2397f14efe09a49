/* loopback.h - libminisocket end to end: real packets over a loopback of our own, the client engine against an application.
 * Server and client take turns in one thread. A test program includes this once, and ends with LOOPBACK_MAIN. */
#ifndef TRK_TEST_LOOPBACK_H
#define TRK_TEST_LOOPBACK_H

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

static inline uint64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* ---- a host of our own: one namespace with a loopback ---- */

static inline bool make_host(void)
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
    void (*pump)(void);               /* what the server's side does in its turn; NULL: msk_process */
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

static inline struct msk_server *open_with(struct msk_options options, const char *address)
{
    char error[MSK_ERROR_BYTES];
    options.listen = &address;
    options.n_listen = 1;
    struct msk_server *server = msk_open(&options, error, sizeof error);
    ck_assert_msg(server != NULL, "%s", error);
    return server;
}
static inline struct msk_server *open_server(const struct msk_keys *keys, const char *address)
{
    return open_with((struct msk_options){ .keys = keys }, address);
}

static inline void open_client(uint16_t port, const char *first)
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

static inline void begin(struct msk_server *server, msk_handler handler, void *arg, const char *first)
{
    struct sockaddr_storage a;
    ends.server = server;
    ends.handler = handler;
    ends.arg = arg;
    ck_assert_int_eq(msk_listen_address(server, 0, &a), 0);
    open_client(ntohs(((struct sockaddr_in *)&a)->sin_port), first);
}

static inline void end_client(void)
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

static inline void feed(const struct trk_link_packet *packet)
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

static inline void read_all(void)
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
static inline void read_some_in_place(void)
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

static inline void client_turn(void)
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
static inline bool run_until(bool (*done)(void))
{
    uint64_t limit = now_us() + 10000000;
    while (!done()) {
        if (now_us() > limit)
            return false;
        client_turn();
        if (ends.pump)
            ends.pump();
        else if (ends.server)
            msk_process(ends.server, ends.handler, ends.arg);
        struct pollfd fds[2] = { { .fd = trk_link_fd(ends.link), .events = POLLIN } };
        if (ends.server)
            fds[1] = (struct pollfd){ .fd = msk_fd(ends.server), .events = POLLIN };
        poll(fds, ends.server ? 2 : 1, 5);
    }
    return true;
}

static size_t wanted_bytes;
static inline bool got_all(void) { return ends.received_bytes >= wanted_bytes; }
static inline bool at_end(void) { return trk_client_at_end(&ends.client); }
static inline bool was_reset(void) { return trk_client_state(&ends.client) == TRK_CLIENT_RESET; }
static inline bool receive(size_t bytes)
{
    wanted_bytes = bytes;
    return run_until(got_all);
}
static uint64_t pause_until;
static inline bool paused(void) { return now_us() >= pause_until; }
static inline void pause_ms(unsigned ms)
{
    pause_until = now_us() + ms * 1000;
    run_until(paused);
}
static inline void write_text(const char *text)
{
    ck_assert_uint_eq(trk_client_write(&ends.client, (const uint8_t *)text, (uint32_t)strlen(text), now_us()), strlen(text));
}
static inline void expect_text(const char *text)
{
    bool ok = receive(strlen(text));
    ck_assert_msg(ok && ends.received_bytes == strlen(text) && memcmp(ends.received, text, ends.received_bytes) == 0, "got %zu bytes: %.*s",
                  ends.received_bytes, (int)(ends.received_bytes < 200 ? ends.received_bytes : 200), (const char *)ends.received);
}
static inline uint64_t counter(const char *name)
{
    struct msk_counter all[128];
    size_t n = msk_counters(ends.server, all, 128);
    for (size_t i = 0; i < n; i++)
        if (strcmp(all[i].name, name) == 0)
            return all[i].value;
    ck_abort_msg("no counter %s", name);
}

/* Says what it was asked: text in the continuation, given from there. */
static inline void say(struct minisock *m, uint64_t consumed, const void *text, size_t n, bool last)
{
    struct msk_output o = { .consumed = consumed, .output = { text, n }, .length = n, .last = last };
    ck_assert_int_eq(msk_done(m, &o), 0);
}
static inline void give_opaque(struct minisock *m)
{
    for (size_t i = 0; i < msk_ranges(m); i++) {
        struct msk_range r;
        ck_assert_int_eq(msk_range(m, i, &r), 0);
        if (r.bytes > 0)
            ck_assert_int_eq(msk_give(m, i, r.opaque + (r.offset - r.first), r.bytes), 0);
    }
}

/* LOOPBACK_MAIN("name", test_a, ...): runs them, each in a process of its own (Check forks), in a namespace of ours. */
#define LOOPBACK_MAIN(name, ...)                                                                             \
    int main(void)                                                                                          \
    {                                                                                                       \
        const TTest *tests[] = { __VA_ARGS__ };                                                             \
        if (!make_host()) {                                                                                 \
            printf("SKIP unit." name ": a network namespace needs root: %s\n", strerror(errno));            \
            return 77;                                                                                      \
        }                                                                                                   \
        Suite *suite = suite_create(name);                                                                  \
        TCase *tcase = tcase_create(name);                                                                  \
        tcase_set_timeout(tcase, 60);                                                                       \
        for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)                                           \
            tcase_add_test(tcase, tests[i]);                                                                \
        suite_add_tcase(suite, tcase);                                                                      \
        SRunner *runner = srunner_create(suite);                                                            \
        srunner_run_all(runner, CK_ENV);                                                                    \
        int failed = srunner_ntests_failed(runner);                                                         \
        srunner_free(runner);                                                                               \
        return failed ? EXIT_FAILURE : EXIT_SUCCESS;                                                        \
    }

#endif
