/* client_cases.c - what a program may do with libtrickles-client, tried out at a daemon that serves 300k and 1k.
 *
 * usage: trk-client_cases ADDRESS PORT */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <trickles/client.h>
#include <unistd.h>

static struct sockaddr_in server;
static const char get[] = "GET /300k HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
static char reference[400000]; static size_t reference_bytes;

#define CHECK(condition) do { if (!(condition)) { fprintf(stderr, "line %d: %s\n", __LINE__, #condition); exit(1); } } while (0)

static struct trickles *context(const struct trickles_options *options)
{
    char error[TRICKLES_ERROR_BYTES];
    struct trickles *t = trickles_new(options, error, sizeof error);
    if (!t)
        fprintf(stderr, "%s\n", error);
    CHECK(t);
    return t;
}

static struct trickles_conn *open_with(struct trickles *t, const void *data, size_t bytes)
{
    struct trickles_conn *c = trickles_open(t, &(struct trickles_target){ .peer = (struct sockaddr *)&server, .data = data, .bytes = bytes, .user = t });
    CHECK(c);
    return c;
}

/* A whole answer by reads of `step` bytes. */
static size_t read_all(struct trickles *t, struct trickles_conn *c, char *out, size_t step)
{
    size_t got = 0;
    ssize_t n = -EAGAIN;
    struct trickles_event event;
    while (n != 0) {
        while ((n = trickles_read(c, out + got, step)) > 0)
            got += (size_t)n;
        CHECK(n == 0 || n == -EAGAIN);
        if (n == -EAGAIN)
            CHECK(trickles_wait(t, &event, 1, 10000) == 1 && event.conn == c && event.user == t);
    }
    return got;
}

static void check_answer(const char *answer, size_t bytes)
{
    const char *a = memmem(answer, bytes, "\r\n\r\n", 4), *b = memmem(reference, reference_bytes, "\r\n\r\n", 4);
    CHECK(a && b && (answer + bytes) - a == (reference + reference_bytes) - b);
    CHECK(memcmp(a, b, (size_t)((answer + bytes) - a)) == 0);
}

static void by_reads(void)
{
    static char answer[400000];
    struct trickles *t = context(NULL);
    struct trickles_conn *c = open_with(t, get, sizeof get - 1);
    reference_bytes = read_all(t, c, reference, sizeof reference);
    CHECK(reference_bytes > 300000);
    CHECK(trickles_at_end(c) && trickles_read(c, answer, 1) == 0);
    trickles_close(c);
    c = open_with(t, get, sizeof get - 1);
    check_answer(answer, read_all(t, c, answer, 777));
    struct trickles_info info;
    CHECK(trickles_info(c, &info) == 0 && info.rtt_us > 30000 && info.rtt_us < 200000 && info.bytes_read > 300000 && info.packets_received > 200);
    struct sockaddr_storage local, peer;
    CHECK(trickles_local(c, &local) == 0 && trickles_peer(c, &peer) == 0);
    CHECK(memcmp(&((struct sockaddr_in *)&peer)->sin_addr, &server.sin_addr, 4) == 0 && ((struct sockaddr_in *)&local)->sin_port != 0);
    trickles_close(c);
    trickles_free(t);
}

/* In place, by poll() on the descriptor; the request is written when the connection is open. Peeks do not move by themselves. */
static void by_peeks_and_poll(void)
{
    static char answer[400000];
    struct trickles *t = context(&(struct trickles_options){ .receive_bytes = 65536, .send_bytes = 16384 });
    int fd = trickles_fd(t);
    CHECK(fd >= 0);
    struct trickles_conn *c = open_with(t, NULL, 0);
    size_t got = 0;
    while (!trickles_at_end(c)) {
        struct pollfd p = { .fd = fd, .events = POLLIN };
        CHECK(poll(&p, 1, 10000) == 1);
        struct trickles_event event;
        while (trickles_wait(t, &event, 1, 0) == 1) {
            struct iovec pieces[8], again[8];
            CHECK(!(event.what & TRICKLES_FAILED));
            if (event.what & TRICKLES_OPENED)
                CHECK(trickles_write(c, get, sizeof get - 1) == (ssize_t)sizeof get - 1);
            for (size_t n; (n = trickles_peek(c, pieces, 8)) > 0; ) {
                CHECK(trickles_peek(c, again, 8) == n && memcmp(pieces, again, n * sizeof *pieces) == 0);
                size_t take = pieces[0].iov_len > 100 ? pieces[0].iov_len - 100 : pieces[0].iov_len;
                memcpy(answer + got, pieces[0].iov_base, take);
                got += take;               /* what is left of a piece comes first next time */
                CHECK(trickles_consume(c, take) == 0);
            }
        }
    }
    CHECK(trickles_consume(c, 1) == -EINVAL);
    check_answer(answer, got);
    trickles_abort(c);
    trickles_free(t);
}

/* What was written before trickles_close still arrives; an event tells when the server has taken it. */
static void sent_and_closed(void)
{
    struct trickles *t = context(NULL);
    struct trickles_conn *c = open_with(t, get, sizeof get - 1);
    struct trickles_event event;
    unsigned what = 0;
    while (!(what & TRICKLES_SENT)) {
        CHECK(trickles_wait(t, &event, 1, 10000) == 1);
        what |= event.what;
    }
    CHECK(trickles_unsent(c) == 0 && (what & TRICKLES_OPENED));
    CHECK(trickles_shutdown(c) == 0 && trickles_write(c, "x", 1) == -EPIPE);
    trickles_close(c);
    CHECK(trickles_wait(t, &event, 1, 200) == 0);      /* no event of a connection that was closed */
    trickles_free(t);
}

static void errors_at_once(void)
{
    struct trickles *t = context(NULL);
    struct sockaddr_in6 link_local = { .sin6_family = AF_INET6, .sin6_port = htons(80), .sin6_addr.s6_addr = { 0xfe, 0x80, [15] = 1 } };
    CHECK(!trickles_open(t, &(struct trickles_target){ 0 }) && errno == EINVAL);
    CHECK(!trickles_open(t, &(struct trickles_target){ .peer = (struct sockaddr *)&link_local }) && errno == EINVAL);
    CHECK(strstr(trickles_why(t), "one host"));
    struct sockaddr_in elsewhere = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(0x01020304), .sin_port = 0 };
    CHECK(!trickles_open(t, &(struct trickles_target){ .peer = (struct sockaddr *)&server, .local = (struct sockaddr *)&elsewhere }));
    static char big[2 << 20];
    CHECK(!trickles_open(t, &(struct trickles_target){ .peer = (struct sockaddr *)&server, .data = big, .bytes = sizeof big }) && errno == EMSGSIZE);
    trickles_free(t);
    trickles_free(NULL);
    trickles_close(NULL);
    char error[TRICKLES_ERROR_BYTES];
    CHECK(!trickles_new(&(struct trickles_options){ .receive_bytes = 100000 }, error, sizeof error) && errno == EINVAL);
    CHECK(!trickles_new(&(struct trickles_options){ .capture = "/nowhere/x.pcap" }, error, sizeof error));
}

/* A port of the program's choice, twice in a row. */
static void bound(void)
{
    static char answer[400000];
    struct trickles *t = context(NULL);
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(4567) };
    for (int i = 0; i < 2; i++) {
        struct sockaddr_storage local;
        struct trickles_target target = { .peer = (struct sockaddr *)&server, .local = (struct sockaddr *)&at, .data = get, .bytes = sizeof get - 1, .user = t };
        struct trickles_conn *c = trickles_open(t, &target);
        CHECK(c);
        CHECK(trickles_local(c, &local) == 0 && ((struct sockaddr_in *)&local)->sin_port == htons(4567));
        check_answer(answer, read_all(t, c, answer, sizeof answer));
        CHECK(!trickles_open(t, &target) && errno == EADDRINUSE);
        trickles_close(c);
    }
    trickles_free(t);
}

/* A child that frees what it inherited disturbs nothing. */
static void forked(void)
{
    static char answer[400000];
    struct trickles *t = context(NULL);
    struct trickles_conn *c = open_with(t, get, sizeof get - 1);
    struct trickles_event event;
    CHECK(trickles_wait(t, &event, 1, 10000) == 1);
    pid_t child = fork();
    if (child == 0) {
        trickles_free(t);
        _exit(0);
    }
    int status;
    CHECK(child > 0 && waitpid(child, &status, 0) == child && status == 0);
    check_answer(answer, read_all(t, c, answer, sizeof answer));
    trickles_free(t);
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    server = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[2])) };
    inet_pton(AF_INET, argv[1], &server.sin_addr);
    by_reads();
    by_peeks_and_poll();
    sent_and_closed();
    errors_at_once();
    bound();
    forked();
    puts("ok: reads, peeks, poll, half-close, errors, a chosen port, fork");
    return 0;
}
