/* conn.c - the life of a connection: the way there, the opening, what packets mean to the program, and its end. */
#include "endpoint/library/context.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NEIGHBOUR_RETRY_US 20000
#define NEIGHBOUR_LIMIT_US 1000000

/* ---- addresses ---- */
/* False if it is none of ours. v4-mapped addresses are IPv4's. */
static bool read_address(const struct sockaddr *in, struct trk_addr *addr, uint16_t *port)
{
    memset(addr, 0, sizeof *addr);
    if (in->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)in;
        addr->family = 4;
        memcpy(addr->bytes, &v4->sin_addr, 4);
        *port = ntohs(v4->sin_port);
        return true;
    }
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)in;
    if (in->sa_family != AF_INET6)
        return false;
    bool mapped = IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr);
    addr->family = mapped ? 4 : 6;
    memcpy(addr->bytes, v6->sin6_addr.s6_addr + (mapped ? 12 : 0), mapped ? 4 : 16);
    *port = ntohs(v6->sin6_port);
    return true;
}

static void write_address(const struct trk_addr *addr, uint16_t port, struct sockaddr_storage *out)
{
    memset(out, 0, sizeof *out);
    if (addr->family == 4) {
        struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)out;
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
        memcpy(&v4->sin_addr, addr->bytes, 4);
        return;
    }
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(void *)out;
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    memcpy(&v6->sin6_addr, addr->bytes, 16);
}

static bool one_host(const struct trk_addr *a)
{
    const uint8_t *b = a->bytes;
    if (a->family == 4)
        return b[0] != 0 && b[0] < 224;                        /* not "this network", multicast, broadcast */
    static const uint8_t any[16];
    return b[0] != 0xff && !(b[0] == 0xfe && (b[1] & 0xc0) == 0x80) && memcmp(b, any, 16) != 0;
}

/* ---- beginning ---- */
void conn_touch(struct trickles_conn *c)
{
    trk_end_touch(&c->end);
    context_rouse(c->t);
}

/* The connection is over; the program hears of it once it has been told. */
static void conn_fail(struct trickles_conn *c, int error, const char *why)
{
    c->error = error;
    c->why = why;
    if (c->stage == CONN_CLOSING) {
        conn_free(c);
        return;
    }
    c->stage = CONN_OVER;
    trk_end_wake(&c->end, UINT64_MAX);
    context_queue(c, TRICKLES_FAILED);
}

/* 0; -EAGAIN: not known yet, ask again later; or another error, told. */
static int find_way(struct trickles_conn *c)
{
    if (trk_end_find_way(&c->end, &c->peer) == 0)
        return 0;
    int error = errno;
    snprintf(c->sentence, sizeof c->sentence, "no way to the server: %s", trk_route_why(error));
    return error == EHOSTUNREACH ? -EAGAIN : -error;
}

static int start(struct trickles_conn *c, const void *data, uint32_t bytes)
{
    if (trk_end_open(&c->end, &c->peer, c->t->open_timeout_ms, data, bytes, c->sentence, sizeof c->sentence) < 0)
        return errno ? -errno : -EIO;
    c->stage = CONN_OPENING;
    c->wants_sent = bytes > 0;
    return 0;
}

/* The next hop's address was not known. */
static void route_again(struct trickles_conn *c)
{
    uint64_t now = trk_endpoint_now(c->t->endpoint);
    int status = find_way(c);
    if (status == -EAGAIN && now < c->limit_us) {
        trk_end_wake(&c->end, now + NEIGHBOUR_RETRY_US);
        return;
    }
    if (status == 0)
        status = start(c, c->first, c->first_bytes);
    free(c->first);
    c->first = NULL;
    if (status < 0)
        conn_fail(c, status == -EAGAIN ? EHOSTUNREACH : -status, c->sentence);
}

static bool keep_first(struct trickles_conn *c, const struct trickles_target *target)
{
    if (target->bytes && !(c->first = malloc(target->bytes)))
        return false;
    if (target->bytes)
        memcpy(c->first, target->data, target->bytes);
    c->first_bytes = (uint32_t)target->bytes;
    c->limit_us = trk_endpoint_now(c->t->endpoint) + NEIGHBOUR_LIMIT_US;
    trk_end_wake(&c->end, trk_endpoint_now(c->t->endpoint) + NEIGHBOUR_RETRY_US);
    context_rouse(c->t);
    return true;
}

static int begin(struct trickles_conn *c, const struct trickles_target *target)
{
    if (!target->peer || !read_address(target->peer, &c->peer.peer, &c->peer.peer_port) || !one_host(&c->peer.peer) || !c->peer.peer_port) {
        snprintf(c->sentence, sizeof c->sentence, "peer is not the IPv4 or IPv6 address and port of one host");
        return -EINVAL;
    }
    if (target->local && (!read_address(target->local, &c->peer.local, &c->peer.local_port) || c->peer.local.family != c->peer.peer.family)) {
        snprintf(c->sentence, sizeof c->sentence, "local is not an address of peer's family");
        return -EINVAL;
    }
    if (target->bytes > c->t->send_bytes) {
        snprintf(c->sentence, sizeof c->sentence, "the first data exceed the send buffer of %u bytes", c->t->send_bytes);
        return -EMSGSIZE;
    }
    if (!trk_end_begin(c->t->endpoint, &c->end)) {
        snprintf(c->sentence, sizeof c->sentence, "out of memory");
        return -ENOMEM;
    }
    int status = find_way(c);
    if (status == 0)
        status = start(c, target->data, (uint32_t)target->bytes);
    else if (status == -EAGAIN)
        status = keep_first(c, target) ? 0 : -ENOMEM;
    if (status == 0)
        context_rouse(c->t);
    return status;
}

struct trickles_conn *trickles_open(struct trickles *t, const struct trickles_target *target)
{
    struct trickles_conn *c = calloc(1, sizeof *c);
    if (!c) {
        snprintf(t->why, sizeof t->why, "out of memory");
        return NULL;
    }
    c->t = t;
    c->user = target->user;
    c->next = t->conns;
    if (c->next)
        c->next->previous = c;
    t->conns = c;
    int status = begin(c, target);
    if (status == 0)
        return c;
    snprintf(t->why, sizeof t->why, "%s", c->sentence);
    conn_free(c);
    errno = -status;
    return NULL;
}

void conn_free(struct trickles_conn *c)
{
    if (c->next)
        c->next->previous = c->previous;
    if (c->previous)
        c->previous->next = c->next;
    else
        c->t->conns = c->next;
    context_unqueue(c);
    trk_end_release(&c->end);
    free(c->first);
    free(c);
}

/* ---- what packets and time mean ---- */
static void follow_opening(struct trickles_conn *c)
{
    switch (trk_client_state(c->end.client)) {
    case TRK_CLIENT_OPENING:
        return;
    case TRK_CLIENT_OPEN:
        c->stage = CONN_OPEN;
        context_queue(c, TRICKLES_OPENED);
        return;
    case TRK_CLIENT_TCP_ONLY:
        trk_end_send_reset(&c->end);
        conn_fail(c, EPROTONOSUPPORT, "the server speaks only TCP");
        return;
    case TRK_CLIENT_REFUSED:
        conn_fail(c, ECONNREFUSED, "connection refused");
        return;
    case TRK_CLIENT_TIMED_OUT:
        conn_fail(c, ETIMEDOUT, "the server does not answer");
        return;
    default:
        conn_fail(c, ECONNRESET, "the server reset the connection");
        return;
    }
}

static bool has_news(struct trickles_conn *c)
{
    const uint8_t *data;
    if (trk_client_readable(c->end.client, &data) > 0)
        return true;
    bool end = !c->end_told && trk_client_at_end(c->end.client);
    c->end_told |= end;
    return end;
}

static void follow_open(struct trickles_conn *c, bool heard)
{
    struct trk_client *client = c->end.client;
    unsigned what = heard && has_news(c) ? TRICKLES_READABLE : 0;
    if (c->wants_room && trk_client_writable(client) >= c->t->send_bytes / 4) {
        c->wants_room = false;
        what |= TRICKLES_WRITABLE;
    }
    if (c->wants_sent && trk_client_unsent(client) == 0) {
        c->wants_sent = false;
        what |= TRICKLES_SENT;
    }
    if (what)
        context_queue(c, what);
    if (trk_client_state(client) != TRK_CLIENT_OPEN)
        conn_fail(c, ECONNRESET, "the server reset the connection");
}

void conn_heard(struct trickles_conn *c)
{
    if (c->stage == CONN_OPENING)
        follow_opening(c);
    if (c->stage == CONN_OPEN)
        follow_open(c, true);
}

/* The program is gone; what it wrote leaves first. What arrives is thrown away. */
static void follow_closing(struct trickles_conn *c)
{
    struct trk_client *client = c->end.client;
    const uint8_t *data;
    uint64_t now = trk_endpoint_now(c->t->endpoint);
    for (uint32_t n; (n = trk_client_readable(client, &data)) > 0; )
        trk_client_consume(client, n, now);
    enum trk_client_state state = trk_client_state(client);
    bool opening = state == TRK_CLIENT_OPENING, open = state == TRK_CLIENT_OPEN;
    if ((opening || open) && trk_client_unsent(client) > 0 && now < c->limit_us) {
        trk_end_send(&c->end);
        uint64_t wake = trk_client_next_timeout(client);
        trk_end_wake(&c->end, wake < c->limit_us ? wake : c->limit_us);
        return;
    }
    trk_client_close(client);
    trk_end_send(&c->end);
    conn_free(c);
}

void conn_run(struct trickles_conn *c)
{
    switch (c->stage) {
    case CONN_ROUTING:
        route_again(c);
        if (c->stage != CONN_OPENING)
            return;
        /* fall through */
    case CONN_OPENING:
    case CONN_OPEN:
        trk_end_send(&c->end);
        trk_end_wake(&c->end, trk_client_next_timeout(c->end.client));
        if (c->stage == CONN_OPENING)
            follow_opening(c);
        else
            follow_open(c, false);
        return;
    case CONN_CLOSING:
        follow_closing(c);
        return;
    case CONN_OVER:
        return;
    }
}

/* ---- the program's end of it ---- */
void trickles_abort(struct trickles_conn *c)
{
    if (!c)
        return;
    struct trickles *t = c->t;
    if (c->end.client) {
        trk_client_close(c->end.client);
        trk_end_send(&c->end);         /* leaves with the next turn */
        context_rouse(t);
    }
    conn_free(c);
}

void trickles_close(struct trickles_conn *c)
{
    if (!c || !c->end.client || c->stage == CONN_OVER || trickles_unsent(c) == 0) {
        trickles_abort(c);
        return;
    }
    uint64_t now = trk_endpoint_now(c->t->endpoint);
    context_unqueue(c);
    c->stage = CONN_CLOSING;
    c->limit_us = now + c->t->linger_ms * 1000ull;
    trk_client_shutdown(c->end.client, now);
    conn_touch(c);
}

int trickles_error(const struct trickles_conn *c) { return c->error; }
const char *trickles_conn_why(const struct trickles_conn *c) { return c->why ? c->why : "no error"; }
void *trickles_user(const struct trickles_conn *c) { return c->user; }
void trickles_set_user(struct trickles_conn *c, void *user) { c->user = user; }

int trickles_local(const struct trickles_conn *c, struct sockaddr_storage *out)
{
    if (!c->end.client)
        return -EAGAIN;
    write_address(&c->end.client->config.flow.src, c->end.client->config.flow.sport, out);
    return 0;
}

int trickles_peer(const struct trickles_conn *c, struct sockaddr_storage *out)
{
    write_address(&c->peer.peer, c->peer.peer_port, out);
    return 0;
}
