/* transport_tcp.c - on the kernel's TCP, to compare with: non-blocking sockets and one epoll. */
#include "transport.h"
#include "options.h"
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define READ_BYTES (256u << 10)

struct transport { int epoll; };
struct tcp_conn {
    int fd;
    void *user;
    bool connecting, failed;
    char *first; size_t first_bytes;   /* until it is connected */
};
static uint8_t read_buffer[READ_BYTES];

static struct transport *make(const struct options *o, char *error, size_t error_bytes)
{
    struct transport *t = calloc(1, sizeof *t);
    if (o->pcap) {
        snprintf(error, error_bytes, "--pcap records Trickles only; use tcpdump");
        free(t);
        return NULL;
    }
    if (!t || (t->epoll = epoll_create1(EPOLL_CLOEXEC)) < 0) {
        snprintf(error, error_bytes, "no epoll: %s", strerror(errno));
        free(t);
        return NULL;
    }
    return t;
}

static void unmake(struct transport *t)
{
    close(t->epoll);
    free(t);
}

static void close_one(void *conn)
{
    struct tcp_conn *c = conn;
    close(c->fd);
    free(c->first);
    free(c);
}

static bool begin(struct transport *t, struct tcp_conn *c, const struct sockaddr *peer)
{
    int on = 1;
    struct linger reset = { .l_onoff = 1 };            /* as Trickles ends: else tens of thousands of ports wait in TIME_WAIT */
    struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = c };
    socklen_t bytes = peer->sa_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
    c->fd = socket(peer->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) < 0 ||
        setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset) < 0)
        return false;
    return (connect(c->fd, peer, bytes) == 0 || errno == EINPROGRESS) && epoll_ctl(t->epoll, EPOLL_CTL_ADD, c->fd, &event) == 0;
}

static void *open_one(struct transport *t, const struct sockaddr *peer, const void *data, size_t bytes, void *user, const char **why)
{
    struct tcp_conn *c = calloc(1, sizeof *c);
    *why = "out of memory";
    if (!c)
        return NULL;
    c->fd = -1;
    c->user = user;
    c->connecting = true;
    c->first_bytes = bytes;
    c->first = malloc(bytes);
    if (c->first)
        memcpy(c->first, data, bytes);
    errno = ENOMEM;
    if (c->first && begin(t, c, peer))
        return c;
    *why = strerror(errno);
    close_one(c);
    return NULL;
}

static bool write_one(void *conn, const void *data, size_t bytes)
{
    struct tcp_conn *c = conn;
    return send(c->fd, data, bytes, MSG_NOSIGNAL) == (ssize_t)bytes;
}

static int pull(void *conn, transport_taker *take, void *user)
{
    struct tcp_conn *c = conn;
    for (;;) {
        ssize_t n = recv(c->fd, read_buffer, sizeof read_buffer, 0);
        if (n < 0)
            return errno == EAGAIN || errno == EINTR ? 1 : -1;
        if (n == 0)
            return 0;
        bool all = (size_t)n < sizeof read_buffer;
        if (!take(user, read_buffer, (size_t)n))
            return -1;
        if (all)
            return 1;                  /* edge-triggered: an event tells of more */
    }
}

/* The connection is up, or has failed. */
static const char *connected(struct tcp_conn *c)
{
    int error = 0;
    socklen_t len = sizeof error;
    getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len);
    c->connecting = false;
    if (!error && !write_one(c, c->first, c->first_bytes))
        error = errno;
    return error ? strerror(error) : NULL;
}

static int wait_some(struct transport *t, struct transport_event *events, int n, uint64_t until_us)
{
    struct epoll_event got[TRANSPORT_EVENTS];
    uint64_t now = clock_us(), wait = until_us > now ? until_us - now : 0;
    struct timespec limit = { (time_t)(wait / 1000000), (long)(wait % 1000000) * 1000 };
    int filled = 0, count = epoll_pwait2(t->epoll, got, n, until_us == UINT64_MAX ? NULL : &limit, NULL);
    for (int i = 0; i < count; i++) {
        struct tcp_conn *c = got[i].data.ptr;
        const char *why = c->connecting ? connected(c) : got[i].events & EPOLLERR ? "connection reset" : NULL;
        bool readable = got[i].events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP);
        if (why || readable)
            events[filled++] = (struct transport_event){ c->user, why != NULL, why };
    }
    return filled;
}

static uint64_t drops(struct transport *t) { (void)t; return 0; }

const struct transport_ops transport_tcp = { "tcp", make, unmake, open_one, write_one, pull, close_one, wait_some, drops };
