/* end.c - one connection: the way there, its port and memory, what it sends, and its end. */
#include "endpoint/endpoint_state.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define NEIGHBOUR_WAIT_MS 2            /* each look-up; an answer takes 0.3 ms */
#define ROUTE_KEPT_US 10000000        /* for new connections; a silent one looks again sooner */
#define FAILURE_KEPT_US 15000           /* less than what a program waits before it tries again */
#define SILENCE_US    1000000          /* without a segment: the next hop may have changed */

static bool is_zero(const struct trk_addr *a)
{
    static const uint8_t zeros[16];
    return memcmp(a->bytes, zeros, sizeof zeros) == 0;
}

/* ---- the way ---- */
static size_t route_place(const struct trk_addr *peer)
{
    uint32_t h = 2166136261u;          /* FNV-1a */
    for (size_t i = 0; i < sizeof peer->bytes; i++)
        h = (h ^ peer->bytes[i]) * 16777619u;
    return h % ROUTES;
}

bool trk_end_begin(struct trk_endpoint *e, struct trk_end *end)
{
    if (!trk_timers_reserve(e))
        return false;
    memset(end, 0, sizeof *end);
    end->endpoint = e;
    end->wake_us = UINT64_MAX;
    e->n_ends++;
    return true;
}

/* Each look-up asks the kernel four times, and may wait for a lock of its, so connections to the same host share one. NULL and
 * errno: it failed. */
static const struct trk_route *route_to(struct trk_endpoint *e, const struct trk_addr *peer, const struct trk_addr *local, uint64_t kept_us)
{
    size_t i = route_place(peer);
    bool known = e->routes[i].at_us && e->now_us - e->routes[i].at_us < kept_us && trk_addr_equal(&e->routes[i].peer, peer) &&
                 memcmp(e->routes[i].local.bytes, local->bytes, sizeof local->bytes) == 0;
    if (known && (!e->routes[i].error || e->now_us - e->routes[i].at_us < FAILURE_KEPT_US)) {
        errno = e->routes[i].error;
        return errno ? NULL : &e->routes[i].route;
    }
    bool found = trk_route_lookup(peer->family, peer->bytes, is_zero(local) ? NULL : local->bytes, NEIGHBOUR_WAIT_MS, &e->routes[i].route) == 0;
    e->routes[i].error = found ? 0 : errno;
    e->routes[i].peer = *peer;
    e->routes[i].local = *local;
    e->routes[i].at_us = e->now_us ? e->now_us : 1;
    return found ? &e->routes[i].route : NULL;
}

int trk_end_find_way(struct trk_end *end, const struct trk_end_peer *peer)
{
    const struct trk_route *route = route_to(end->endpoint, &peer->peer, &peer->local, ROUTE_KEPT_US);
    if (!route)
        return -1;
    end->route = *route;
    return 0;
}

/* Over another interface, from the same address: a device that came back has a new number. */
static bool move(struct trk_end *end, int ifindex)
{
    char why[160];
    struct trk_endpoint_link *link = trk_links_get(end->endpoint, ifindex, why, sizeof why);
    if (!link || !trk_links_add_port(end->endpoint, link, end->port))
        return false;
    end->link = link;
    return true;
}

/* When the server is silent, all its connections are: one of them asks for all. */
static void look_up_again(struct trk_end *end)
{
    const struct trk_flow *flow = &end->client->config.flow;
    uint64_t now = end->endpoint->now_us;
    if (now - end->heard_us < SILENCE_US || trk_client_next_timeout(end->client) == UINT64_MAX)
        return;
    end->heard_us = now;
    const struct trk_route *route = route_to(end->endpoint, &flow->dst, &flow->src, SILENCE_US);
    if (route && (route->ifindex == end->route.ifindex || move(end, route->ifindex)))
        end->route = *route;
}

/* ---- opening ---- */
static uint16_t mss_of(const struct trk_route *route)
{
    uint32_t mss = route->mtu - (route->family == 4 ? 40 : 60);
    uint32_t most = TRK_SLOT_MAX + TRK_OPTION_BYTES;
    return (uint16_t)(mss < most ? mss : most);
}

static bool open_client(struct trk_end *end, const struct trk_end_peer *peer, uint32_t syn_timeout_ms, const void *data, uint32_t bytes)
{
    struct trk_endpoint *e = end->endpoint;
    struct { uint32_t iss; uint8_t random[TRK_RANDOM_BYTES]; } chance;
    struct trk_client_config config = {
        .flow = { .src = end->port->local, .dst = peer->peer, .sport = end->port->port, .dport = peer->peer_port },
        .mss = mss_of(&end->route), .syn_timeout_ms = syn_timeout_ms, .lends = true,
    };
    if (getrandom(&chance, sizeof chance, 0) < 0 || !(end->client = trk_memory_take(e, &config)))
        return false;
    config.iss = chance.iss;
    memcpy(config.random, chance.random, sizeof config.random);
    uint32_t most = config.mss < TRK_END_FIRST_MAX + 128 ? config.mss - 128u : TRK_END_FIRST_MAX, first = bytes < most ? bytes : most;
    if (trk_client_open(end->client, &config, data, first, e->now_us)) {
        if (first < bytes)
            trk_client_write(end->client, (const uint8_t *)data + first, bytes - first, e->now_us);
        return true;
    }
    trk_memory_give_back(e, end->client);
    end->client = NULL;
    return false;
}

static void list(struct trk_end *end)
{
    struct trk_end **bucket = &end->endpoint->by_port[end->port->port];
    end->next_same_port = *bucket;
    *bucket = end;
}

static void unlist(struct trk_end *end)
{
    struct trk_end **at = &end->endpoint->by_port[end->port->port];
    while (*at != end)
        at = &(*at)->next_same_port;
    *at = end->next_same_port;
}

static int fail(int why, char *error, size_t error_bytes, const char *sentence)
{
    if (sentence)
        snprintf(error, error_bytes, "%s", sentence);
    errno = why;
    return -1;
}

int trk_end_open(struct trk_end *end, const struct trk_end_peer *peer, uint32_t syn_timeout_ms, const void *data, uint32_t bytes,
                 char *error, size_t error_bytes)
{
    struct trk_endpoint *e = end->endpoint;
    struct trk_addr local = { .family = peer->peer.family };
    memcpy(local.bytes, end->route.source, sizeof local.bytes);
    end->link = trk_links_get(e, end->route.ifindex, error, error_bytes);
    if (!end->link || !(end->port = trk_ports_take(e, &local, peer->local_port, error, error_bytes)))
        return fail(errno ? errno : EIO, error, error_bytes, NULL);
    if (!trk_links_add_port(e, end->link, end->port) || !open_client(end, peer, syn_timeout_ms, data, bytes)) {
        trk_ports_give_back(e, end->port);
        end->port = NULL;
        return fail(ENOBUFS, error, error_bytes, "no memory for the connection, or an MTU below 576");
    }
    list(end);
    end->heard_us = e->now_us;
    trk_end_touch(end);
    return 0;
}

static void forget_touch(struct trk_end *end)
{
    struct trk_endpoint *e = end->endpoint;
    struct trk_end **at = &e->touched;
    while (*at != end)
        at = &(*at)->next_touched;
    *at = end->next_touched;
    if (!*at)
        e->touched_end = at;
    end->touched = false;
}

static void forget_fed(struct trk_end *end)
{
    struct trk_endpoint *e = end->endpoint;
    struct trk_end **at = &e->fed;
    while (*at != end)
        at = &(*at)->next_fed;
    *at = end->next_fed;
    if (!*at)
        e->fed_end = at;
    end->fed = false;
}

void trk_end_release(struct trk_end *end)
{
    struct trk_endpoint *e = end->endpoint;
    if (!e)
        return;
    trk_timers_drop(end);
    if (end->touched)
        forget_touch(end);
    if (end->fed)
        forget_fed(end);
    if (end->client) {
        unlist(end);
        trk_memory_give_back(e, end->client);
        trk_ports_give_back(e, end->port);
    }
    e->n_ends--;
    memset(end, 0, sizeof *end);
}

uint16_t trk_end_local_port(const struct trk_end *end) { return end->port ? end->port->port : 0; }

/* ---- sending ---- */
static uint8_t *out_room(struct trk_end *end)
{
    struct trk_endpoint *e = end->endpoint;
    if (e->out_link != end->link || e->n_out == OUT_PACKETS || e->out_bytes + TRK_SLOT_MAX + TRK_HEADER_MAX + TRK_OPTION_BYTES > OUT_BYTES)
        trk_endpoint_flush(e);
    e->out_link = end->link;
    return e->out_buffer + e->out_bytes;
}

static void out_add(struct trk_end *end, size_t bytes)
{
    struct trk_endpoint *e = end->endpoint;
    e->out[e->n_out++] = (struct trk_link_out){ .head = e->out_buffer + e->out_bytes, .head_bytes = (uint32_t)bytes, .to = end->route.neighbour };
    e->out_bytes += (uint32_t)bytes;
}

void trk_end_send(struct trk_end *end)
{
    struct trk_endpoint *e = end->endpoint;
    size_t bytes;
    look_up_again(end);
    do {
        uint8_t *room = out_room(end);
        bytes = trk_client_poll(end->client, e->now_us, room, OUT_BYTES - e->out_bytes);
        if (bytes)
            out_add(end, bytes);
    } while (bytes);
}

void trk_end_send_reset(struct trk_end *end)
{
    struct trk_segment reset = { .flow = end->client->config.flow, .seq = end->client->config.iss + 1, .flags = TRK_RST };
    uint8_t *room = out_room(end);
    out_add(end, trk_segment_emit(&reset, room, TRK_HEADER_MAX));
}

void trk_endpoint_flush(struct trk_endpoint *e)
{
    if (e->n_out)
        (void)trk_link_send(e->out_link->link, e->out, e->n_out);      /* what was not sent is lost, like any packet */
    e->n_out = 0;
    e->out_bytes = 0;
}
