/* opening.c - how a connection begins: the way there, the guard on its port, the SYN, and what its answer means. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>
#include "address.h"
#include "config.h"
#include "connection.h"
#include "libc.h"
#include "limit.h"
#include "link/guard.h"
#include "links.h"
#include "log.h"
#include "peers.h"
#include "plain.h"

#define NEIGHBOUR_WAIT_MS   2          /* each look-up; an answer takes 0.3 ms */
#define NEIGHBOUR_RETRY_US  20000
#define NEIGHBOUR_LIMIT_US  1000000
#define TRY_SYN_MS          3000       /* three SYNs, for a firewall that swallows them */
#define TRY_SYN_LOOPBACK_MS 60         /* where nothing is lost, silence says that nobody is there */
#define REQUIRE_SYN_LOOPBACK_MS 1000   /* ... or that it has much to do */

static const char *peer_text(const struct shim_connection *c, char out[SHIM_ADDRESS_TEXT])
{
    return shim_address_text(&c->socket->shared->peer, out, SHIM_ADDRESS_TEXT);
}

static void tell_state(struct shim_connection *c, enum shim_state state)
{
    atomic_store(&c->socket->shared->state, state);
    shim_futex_wake(&c->socket->shared->state);
}

void shim_opening_release(struct shim_connection *c)
{
    shim_connection_drop_port(c);
    if (c->guard_fd >= 0)
        close(c->guard_fd);
    c->guard_fd = -1;
    if (c->memory)
        munmap(c->memory, c->memory_bytes);
    c->memory = NULL;
}

void shim_opening_fail(struct shim_connection *c, int error)
{
    shim_connection_publish(c);
    atomic_store(&c->socket->shared->error, error);
    tell_state(c, SHIM_FAILED);
    shim_opening_release(c);
    c->stage = SHIM_OVER;              /* our end closes with the dummies unread: readable, writable, error, hang-up */
}

/* Half-open at a TCP-only server: it would repeat its SYN|ACK for a minute. */
static void send_reset(struct shim_connection *c)
{
    uint8_t packet[TRK_HEADER_MAX];
    struct trk_segment reset = { .flow = c->client.config.flow, .seq = c->client.config.iss + 1, .flags = TRK_RST };
    struct trk_link_out out = { .head = packet, .to = c->route.neighbour };
    out.head_bytes = (uint32_t)trk_segment_emit(&reset, packet, sizeof packet);
    trk_link_send(shim_links_link(c->link), &out, 1);
}

/* No Trickles there: kernel TCP in `try`, this errno in `require`. */
static void give_up(struct shim_connection *c, int error, const char *why)
{
    char text[SHIM_ADDRESS_TEXT];
    if (shim_config.mode == SHIM_REQUIRE) {
        snprintf(c->socket->shared->why, sizeof c->socket->shared->why, "%s", why);
        shim_opening_fail(c, error);
        return;
    }
    shim_log(SHIM_LOG_INFO, "%s: %s; plain TCP", peer_text(c, text), why);
    shim_opening_release(c);
    uint32_t waited = SHIM_WAITED;
    if (atomic_compare_exchange_strong(&c->socket->shared->state, &waited, SHIM_FALLBACK)) {
        shim_futex_wake(&c->socket->shared->state);
        c->stage = SHIM_OVER;
    } else {
        c->stage = SHIM_TCP;
        shim_relay_start(c);
    }
}

static bool take_memory(struct shim_connection *c)
{
    c->memory_bytes = TRK_CLIENT_NUMBERS_BYTES + SHIM_RECEIVE_BYTES + SHIM_SEND_BYTES;
    void *memory = mmap(NULL, c->memory_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return false;
    c->memory = memory;
    return true;
}

/* An address of ours as the program and the kernel write it: a link-local one with its interface. */
static union shim_address local_address(const struct shim_connection *c, sa_family_t family, const struct trk_addr *source, uint16_t port)
{
    union shim_address at = shim_address_make(family, source, port);
    if (shim_address_is_link_local(source))
        at.v6.sin6_scope_id = (uint32_t)c->route.ifindex;
    return at;
}

/* The guard's port is the connection's. */
static bool take_port(struct shim_connection *c, const struct trk_addr *source, uint16_t *port, char *error, size_t error_bytes)
{
    union shim_address at = local_address(c, source->family == 4 ? AF_INET : AF_INET6, source,
                                          c->bound ? shim_address_port(&c->bound_to) : 0);
    socklen_t len = shim_address_bytes(at.any.sa_family);
    struct shim_lift lift;
    shim_limit_lift(&lift);
    c->guard_fd = trk_guard_open(&at.any, len, TRK_GUARD_ALL, c->bound, error, error_bytes);
    shim_limit_lay(&lift);
    if (c->lent_reuse) {               /* as the program had set it */
        int off = 0;
        libc_setsockopt(c->kernel_fd, SOL_SOCKET, SO_REUSEADDR, &off, sizeof off);
    }
    if (c->guard_fd < 0 || libc_getsockname(c->guard_fd, &at.any, &len) < 0)
        return false;
    *port = shim_address_port(&at);
    return true;
}

static uint16_t mss_of(const struct trk_route *route)
{
    uint32_t mss = route->mtu - (route->family == 4 ? 40 : 60);
    uint32_t most = TRK_SLOT_MAX + TRK_OPTION_BYTES;
    return (uint16_t)(mss < most ? mss : most);
}

static bool open_client(struct shim_connection *c, const struct trk_addr *source, uint16_t port)
{
    struct trk_client_config config = {
        .flow = { .src = *source, .dst = shim_address_addr(&c->socket->shared->peer), .sport = port,
                  .dport = shim_address_port(&c->socket->shared->peer) },
        .mss = mss_of(&c->route),
        .numbers = c->memory, .numbers_bytes = TRK_CLIENT_NUMBERS_BYTES, .numbers_zeroed = true,
        .receive_buffer = c->memory + TRK_CLIENT_NUMBERS_BYTES, .receive_bytes = SHIM_RECEIVE_BYTES, .lends = true,
        .send_buffer = c->memory + TRK_CLIENT_NUMBERS_BYTES + SHIM_RECEIVE_BYTES, .send_bytes = SHIM_SEND_BYTES,
    };
    if (shim_config.mode == SHIM_TRY)
        config.syn_timeout_ms = c->route.loopback ? TRY_SYN_LOOPBACK_MS : TRY_SYN_MS;
    else if (c->route.loopback)
        config.syn_timeout_ms = REQUIRE_SYN_LOOPBACK_MS;
    if (getrandom(&config.iss, sizeof config.iss, 0) < 0 || getrandom(config.random, sizeof config.random, 0) < 0)
        return false;
    return trk_client_open(&c->client, &config, NULL, 0, c->loop->now_us);
}

static void name_local(struct shim_connection *c, const struct trk_addr *source, uint16_t port)
{
    struct shim_shared *shared = c->socket->shared;
    shared->local = local_address(c, shared->peer.any.sa_family, source, port);
    shared->mtu = c->route.mtu;
    atomic_store(&shared->local_known, 1);
    shim_futex_wake(&shared->local_known);
}

static void send_syn(struct shim_connection *c, const struct trk_addr *source)
{
    char why[160] = "no link";
    uint16_t port = 0;
    struct shim_lift lift;
    shim_limit_lift(&lift);
    c->link = shim_links_get(c->loop, c->route.ifindex, why, sizeof why);
    shim_limit_lay(&lift);
    if (!c->link || !take_port(c, source, &port, why, sizeof why)) {
        give_up(c, errno ? errno : EIO, why);
        return;
    }
    if (!take_memory(c) || !open_client(c, source, port) || !shim_links_add_port(c->loop, c->link, &c->port, source, port)) {
        give_up(c, ENOBUFS, "no memory for the connection, or an MTU below 576");
        return;
    }
    shim_connection_take_port(c);
    name_local(c, source, port);
    c->heard_us = c->loop->now_us;
    c->stage = SHIM_OPENING;
}

/* It takes a descriptor, and may wait: under a lifted limit only where it must. */
static int look_up(const struct shim_connection *c, const struct trk_addr *peer, const uint8_t *source, struct trk_route *out)
{
    struct shim_lift lift;
    int scope = shim_address_scope(&c->socket->shared->peer);
    int result = trk_route_lookup_on(scope, peer->family, peer->bytes, source, NEIGHBOUR_WAIT_MS, out);
    if (result == 0 || errno != EMFILE)
        return result;
    shim_limit_lift(&lift);
    result = trk_route_lookup_on(scope, peer->family, peer->bytes, source, NEIGHBOUR_WAIT_MS, out);
    shim_limit_lay(&lift);
    return result;
}

void shim_opening_route(struct shim_connection *c)
{
    struct trk_addr peer = shim_address_addr(&c->socket->shared->peer), source = { .family = peer.family };
    if (c->bound)
        source = shim_address_addr(&c->bound_to);
    bool chosen = c->bound && !shim_address_any(&source);
    if (look_up(c, &peer, chosen ? source.bytes : NULL, &c->route) < 0) {
        int error = errno;
        if (!c->limit_us)
            c->limit_us = c->loop->now_us + NEIGHBOUR_LIMIT_US;
        if (error == EHOSTUNREACH && c->loop->now_us < c->limit_us)
            c->wake_us = c->loop->now_us + NEIGHBOUR_RETRY_US;
        else
            give_up(c, error, strerror(error));
        return;
    }
    if (!chosen) {
        source.family = peer.family;
        memcpy(source.bytes, c->route.source, sizeof source.bytes);
    }
    if (c->route.loopback && !shim_peers_on(c->route.ifindex))
        give_up(c, ECONNREFUSED, "no Trickles server on this host");
    else
        send_syn(c, &source);
}

static void up(struct shim_connection *c)
{
    char text[SHIM_ADDRESS_TEXT];
    shim_log(SHIM_LOG_INFO, "%s: Trickles from port %u over %s", peer_text(c, text), c->client.config.flow.sport, c->route.ifname);
    shim_connection_publish(c);
    c->stage = SHIM_STREAM;
    atomic_store(&c->socket->shared->unread_connect, 1);
    /* State first, as draining makes the socket writable; wake a waiting thread last, as it writes at once. */
    atomic_store(&c->socket->shared->state, SHIM_UP);
    shim_pair_up(&c->pair, c->app_fd);
    shim_connection_let_app_end_go(c);
    shim_connection_let_kernel_go(c);
    shim_futex_wake(&c->socket->shared->state);
}

void shim_opening_follow(struct shim_connection *c)
{
    c->wake_us = trk_client_next_timeout(&c->client);
    if (c->refused && trk_client_state(&c->client) == TRK_CLIENT_OPENING) {
        give_up(c, c->refused, strerror(c->refused));
        return;
    }
    switch (trk_client_state(&c->client)) {
    case TRK_CLIENT_OPEN:
        up(c);
        break;
    case TRK_CLIENT_TCP_ONLY:
        send_reset(c);
        shim_plain_remember(&c->socket->shared->peer);
        give_up(c, ECONNREFUSED, "the server speaks TCP only");
        break;
    case TRK_CLIENT_REFUSED:
        give_up(c, ECONNREFUSED, "refused");
        break;
    case TRK_CLIENT_TIMED_OUT:
        give_up(c, c->route.loopback ? ECONNREFUSED : ETIMEDOUT, "no answer to the SYN");
        break;
    case TRK_CLIENT_CLOSED:
    case TRK_CLIENT_RESET:
        shim_opening_fail(c, ECONNABORTED);
        break;
    default:
        break;
    }
}
