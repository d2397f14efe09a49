/* stream.c - a connection that is up: bytes from the pair into the client, out of the client into the pair,
 * packets from the client to the link. */
#include <errno.h>
#include <sys/socket.h>
#include "address.h"
#include "connection.h"
#include "libc.h"
#include "links.h"
#include "log.h"

#define OUT_PACKETS  64
#define OUT_BYTES    (256u << 10)
#define OUT_PIECES   TRK_CLIENT_LENT
#define SILENCE_US   1000000           /* without a segment: the next hop may have changed */

/* One engine thread: its scratch memory. */
static uint8_t in_buffer[SHIM_PAIR_READ_MAX + 1];
static uint8_t out_buffer[OUT_BYTES];

/* Over another interface, from the same address: a device that came back has a new number. */
static bool move(struct shim_connection *c, int ifindex)
{
    const struct trk_flow *flow = &c->client.config.flow;
    char why[160];
    struct shim_link_use *link = shim_links_get(c->loop, ifindex, why, sizeof why);
    if (!link)
        return false;
    shim_links_drop_port(c->link, &c->port);
    if (!shim_links_add_port(c->loop, link, &c->port, &flow->src, flow->sport)) {
        shim_links_add_port(c->loop, c->link, &c->port, &flow->src, flow->sport);
        return false;
    }
    c->link = link;
    return true;
}

static void look_up_again(struct shim_connection *c)
{
    const struct trk_flow *flow = &c->client.config.flow;
    uint64_t now = c->loop->now_us;
    if (now - c->heard_us < SILENCE_US || trk_client_next_timeout(&c->client) == UINT64_MAX)
        return;
    c->heard_us = now;
    struct trk_route route;
    int scope = shim_address_scope(&c->socket->shared->peer);
    if (trk_route_lookup_on(scope, flow->dst.family, flow->dst.bytes, flow->src.bytes, 1, &route) < 0)
        return;
    if (route.ifindex == c->route.ifindex || move(c, route.ifindex))
        c->route = route;
}

void shim_stream_send(struct shim_connection *c)
{
    struct trk_link_out out[OUT_PACKETS];
    int n;
    do {
        uint32_t used = 0;
        n = 0;
        while (n < OUT_PACKETS && used + TRK_SLOT_MAX + TRK_HEADER_MAX + TRK_OPTION_BYTES <= OUT_BYTES) {
            size_t bytes = trk_client_poll(&c->client, c->loop->now_us, out_buffer + used, OUT_BYTES - used);
            if (!bytes)
                break;
            out[n++] = (struct trk_link_out){ .head = out_buffer + used, .head_bytes = (uint32_t)bytes, .to = c->route.neighbour };
            used += (uint32_t)bytes;
        }
        if (n && trk_link_send(shim_links_link(c->link), out, n) < 0)
            shim_log(SHIM_LOG_DEBUG, "port %u: sending failed, as if lost", c->client.config.flow.sport);
    } while (n);
}

static void pull_input(struct shim_connection *c)
{
    uint32_t room;
    const uint8_t *data;
    size_t n;
    while ((room = trk_client_writable(&c->client)) > 0 && (n = shim_pair_read(&c->pair, in_buffer, room, &data)) > 0)
        trk_client_write(&c->client, data, (uint32_t)n, c->loop->now_us);
    if (c->app_shut && !c->input_shut && shim_pair_unread(&c->pair) == 0) {
        c->input_shut = true;
        trk_client_shutdown(&c->client, c->loop->now_us);
    }
}

/* What is readable, as the pieces of one write. Returns its bytes. */
static size_t gather_output(const struct shim_connection *c, struct iovec *out, size_t *n)
{
    struct trk_bytes pieces[OUT_PIECES];
    size_t bytes = 0;
    *n = trk_client_readable_pieces(&c->client, pieces, OUT_PIECES);
    for (size_t i = 0; i < *n; i++) {
        out[i] = (struct iovec){ (void *)(uintptr_t)pieces[i].data, pieces[i].bytes };
        bytes += pieces[i].bytes;
    }
    return bytes;
}

static void push_output(struct shim_connection *c)
{
    struct iovec pieces[OUT_PIECES];
    struct msghdr message = { .msg_iov = pieces };
    size_t bytes;
    while (!c->app_full && (bytes = gather_output(c, pieces, &message.msg_iovlen)) > 0) {
        ssize_t n = (ssize_t)bytes;
        if (!c->app_closed && !c->app_deaf)
            n = libc_sendmsg(c->pair.fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN) {
            c->app_full = true;
            return;
        }
        if (n < 0) {
            c->app_deaf = true;        /* SHUT_RD */
            n = (ssize_t)bytes;
        }
        trk_client_consume(&c->client, (uint32_t)n, c->loop->now_us);
    }
    if (!c->peer_shut && trk_client_at_end(&c->client)) {
        c->peer_shut = true;
        atomic_store(&c->socket->shared->ended, 1);
        libc_shutdown(c->pair.fd, SHUT_WR);
    }
}

/* The program closed: what it wrote leaves first, unless it closed with unread data or abortively. */
static void follow_close(struct shim_connection *c)
{
    bool sent = c->input_shut && trk_client_unsent(&c->client) == 0;
    if (c->app_reset || sent || c->loop->now_us >= c->limit_us) {
        trk_client_close(&c->client);
        shim_stream_send(c);
        shim_pair_settle(&c->pair);    /* a program that shut both ways may still look: an end, no reset */
        shim_connection_end(c);
    }
}

static void follow_client(struct shim_connection *c)
{
    switch (trk_client_state(&c->client)) {
    case TRK_CLIENT_OPEN:
        if (c->stage == SHIM_ENDING)
            follow_close(c);
        break;
    case TRK_CLIENT_RESET:
        shim_log(SHIM_LOG_INFO, "port %u: reset by the server", c->client.config.flow.sport);
        atomic_store(&c->socket->shared->state, SHIM_RESET);
        shim_connection_end(c);
        break;
    default:                           /* closed by us */
        shim_connection_end(c);
        break;
    }
}

void shim_stream_run(struct shim_connection *c)
{
    push_output(c);
    pull_input(c);
    look_up_again(c);
    shim_stream_send(c);
    atomic_store_explicit(&c->socket->shared->unsent_bytes, trk_client_unsent(&c->client), memory_order_relaxed);
    c->wake_us = trk_client_next_timeout(&c->client);
    if (c->stage == SHIM_ENDING && c->limit_us < c->wake_us)
        c->wake_us = c->limit_us;
    follow_client(c);
}
