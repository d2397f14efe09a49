/* relay.c - after a fallback that a thread no longer waits for: the engine connects the kernel socket and carries
 * bytes between it and the pair, so that a program that polls its descriptor already notices nothing.
 * As long as no byte has moved, the hook of SO_ERROR (and others) takes the kernel socket back: then the
 * program has plain TCP and we are out of the way. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "address.h"
#include "connection.h"
#include "libc.h"
#include "log.h"

#define GRACE_US 5000                  /* a server that speaks first: the program may still ask for SO_ERROR */

static void fail(struct shim_connection *c, int error)
{
    char text[SHIM_ADDRESS_TEXT];
    shim_log(SHIM_LOG_INFO, "%s: TCP: %s", shim_address_text(&c->socket->shared->peer, text, sizeof text), strerror(error));
    shim_opening_fail(c, error);
}

void shim_relay_start(struct shim_connection *c)
{
    const union shim_address *peer = &c->socket->shared->peer;
    int flags = libc_fcntl(c->kernel_fd, F_GETFL, 0);
    c->up = calloc(1, sizeof *c->up);
    c->down = calloc(1, sizeof *c->down);
    if (!c->up || !c->down || libc_fcntl(c->kernel_fd, F_SETFL, flags | O_NONBLOCK) < 0) {
        fail(c, ENOMEM);
        return;
    }
    int off = 0;                       /* else connect() would wait for the first write, which waits for it */
    libc_setsockopt(c->kernel_fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &off, sizeof off);
    atomic_store(&c->socket->shared->state, SHIM_TCP_CONNECTING);
    c->wake_us = UINT64_MAX;
    if (libc_connect(c->kernel_fd, &peer->any, shim_address_bytes(peer->any.sa_family)) < 0 && errno != EINPROGRESS)
        fail(c, errno);
    else
        shim_loop_watch(c->loop, c->kernel_fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, &c->kernel_source);
}

/* Has the kernel's connect ended? */
static bool connected(struct shim_connection *c)
{
    int error = 0;
    socklen_t len = sizeof error;
    struct tcp_info info;
    socklen_t info_len = sizeof info;
    struct shim_shared *shared = c->socket->shared;
    libc_getsockopt(c->kernel_fd, SOL_SOCKET, SO_ERROR, &error, &len);
    if (error) {
        fail(c, error);
        return false;
    }
    len = sizeof shared->local;
    if (libc_getsockopt(c->kernel_fd, IPPROTO_TCP, TCP_INFO, &info, &info_len) < 0 || info.tcpi_state == TCP_SYN_SENT)
        return false;
    libc_getsockname(c->kernel_fd, &shared->local.any, &len);
    atomic_store(&shared->local_known, 1);
    shim_futex_wake(&shared->local_known);
    uint32_t connecting = SHIM_TCP_CONNECTING;
    atomic_store(&shared->unread_connect, 1);
    if (!atomic_compare_exchange_strong(&shared->state, &connecting, SHIM_TCP_IDLE))
        return false;                  /* disconnected by connect(AF_UNSPEC) */
    shim_pair_up(&c->pair, c->app_fd);
    shim_connection_let_app_end_go(c);
    shim_futex_wake(&shared->state);
    c->limit_us = 0;
    return true;
}

/* May bytes move? Between TCP_IDLE and a hook that takes the socket back, one wins. */
static bool may_move(struct shim_connection *c)
{
    uint32_t idle = SHIM_TCP_IDLE;
    struct shim_shared *shared = c->socket->shared;
    if (atomic_load(&shared->state) == SHIM_TCP_RELAYING)
        return true;
    char byte;
    bool app_speaks = shim_pair_unread(&c->pair) > 0 || c->app_shut;
    bool peer_speaks = libc_recv(c->kernel_fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 || errno != EAGAIN;
    if (!app_speaks && !peer_speaks)
        return false;
    if (!app_speaks && !c->limit_us)
        c->limit_us = c->loop->now_us + GRACE_US;
    if (!app_speaks && c->loop->now_us < c->limit_us) {
        c->wake_us = c->limit_us;
        return false;
    }
    return atomic_compare_exchange_strong(&shared->state, &idle, SHIM_TCP_RELAYING);
}

/* A reset of the kernel's connection becomes one for the program. */
static void reset(struct shim_connection *c)
{
    atomic_store(&c->socket->shared->state, SHIM_RESET);
    atomic_store(&c->socket->shared->finished, 1);
    c->stage = SHIM_OVER;
}

/* From the program to the kernel. False: over. */
static bool move_up(struct shim_connection *c)
{
    struct shim_relay *r = c->up;
    for (;;) {
        if (r->from == r->to) {
            const uint8_t *data;
            size_t n = shim_pair_read(&c->pair, r->bytes, SHIM_RELAY_BYTES, &data);
            if (!n)
                break;
            r->from = (uint32_t)(data - r->bytes);
            r->to = r->from + (uint32_t)n;
        }
        ssize_t n = libc_send(c->kernel_fd, r->bytes + r->from, r->to - r->from, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0)
            return errno == EAGAIN || (reset(c), false);
        r->from += (uint32_t)n;
    }
    if (c->app_shut && !r->told) {
        r->told = true;
        libc_shutdown(c->kernel_fd, SHUT_WR);
    }
    return true;
}

static bool move_down(struct shim_connection *c)
{
    struct shim_relay *r = c->down;
    for (;;) {
        if (r->from == r->to && !r->ended) {
            ssize_t n = libc_recv(c->kernel_fd, r->bytes, SHIM_RELAY_BYTES, MSG_DONTWAIT);
            if (n < 0)
                return errno == EAGAIN || (reset(c), false);
            r->ended = n == 0;
            r->from = 0;
            r->to = (uint32_t)n;
        }
        if (r->from == r->to)
            break;
        ssize_t n = libc_send(c->pair.fd, r->bytes + r->from, r->to - r->from, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN)
            return true;
        r->from += n < 0 ? r->to - r->from : (uint32_t)n;      /* SHUT_RD: discard */
    }
    if (r->ended && !r->told) {
        r->told = true;
        atomic_store(&c->socket->shared->ended, 1);
        libc_shutdown(c->pair.fd, SHUT_WR);
    }
    return true;
}

/* Every descriptor of the program is closed. The hidden one may live on, so closing ours is not enough. */
static void close_both(struct shim_connection *c)
{
    struct sockaddr none = { .sa_family = AF_UNSPEC };
    if (c->app_reset)
        libc_connect(c->kernel_fd, &none, sizeof none);        /* RST */
    else
        libc_shutdown(c->kernel_fd, SHUT_RDWR);
    c->stage = SHIM_OVER;
}

void shim_relay_run(struct shim_connection *c)
{
    enum shim_state state = atomic_load(&c->socket->shared->state);
    c->wake_us = UINT64_MAX;
    if (state == SHIM_GIVEN_BACK || (c->app_closed && (c->app_reset || state == SHIM_TCP_CONNECTING))) {
        if (state != SHIM_GIVEN_BACK)
            close_both(c);
        c->stage = SHIM_OVER;
        return;
    }
    if (state == SHIM_TCP_CONNECTING && !connected(c))
        return;
    if (!may_move(c) || !move_up(c) || !move_down(c))
        return;                        /* an event or the grace's end goes on */
    if (c->app_closed && c->up->from == c->up->to && c->up->told)
        close_both(c);
}

bool shim_relay_drained(const struct shim_connection *c)
{
    return shim_pair_unread(&c->pair) == 0 && c->up && c->up->from == c->up->to;
}
