/* ports.c - local ports that the kernel's TCP leaves alone, each behind a guard.
 *
 * A guard costs some system calls and a descriptor, so a port is used by one connection after the other. Between two it rests:
 * a late packet of the first must not meet the second. (Its chance to be taken for one of the second's is 2^-26 even so:
 * it must begin at a slot of the other's numbering and carry the digest of its state.) One that nobody takes is closed. */
#include "endpoint/endpoint_state.h"
#include "link/guard.h"
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REST_US  250000                /* before another connection may have it */
#define REST_LEAST_US 10000            /* the same where no other port is to be had */
#define IDLE_US 1000000                /* before it is closed */

union address { struct sockaddr any; struct sockaddr_in v4; struct sockaddr_in6 v6; };

static socklen_t make_address(const struct trk_addr *local, uint16_t port, int ifindex, union address *out)
{
    memset(out, 0, sizeof *out);
    if (local->family == 4) {
        out->v4.sin_family = AF_INET;
        out->v4.sin_port = htons(port);
        memcpy(&out->v4.sin_addr, local->bytes, 4);
        return sizeof out->v4;
    }
    out->v6.sin6_family = AF_INET6;
    out->v6.sin6_port = htons(port);
    out->v6.sin6_scope_id = (uint32_t)ifindex;
    memcpy(&out->v6.sin6_addr, local->bytes, 16);
    return sizeof out->v6;
}

static bool guard(struct trk_port *p, uint16_t port, char *error, size_t error_bytes)
{
    union address at;
    socklen_t bytes = make_address(&p->local, port, 0, &at);
    p->guard = trk_guard_open(&at.any, bytes, TRK_GUARD_ALL, port != 0, error, error_bytes);
    if (p->guard < 0 || getsockname(p->guard, &at.any, &bytes) < 0)
        return false;
    p->port = ntohs(p->local.family == 4 ? at.v4.sin_port : at.v6.sin6_port);
    return true;
}

static void free_port(struct trk_port *p)
{
    trk_links_drop_port(p);
    if (p->guard >= 0)
        close(p->guard);
    free(p);
}

/* One that has rested, of this address. Connections of a program come from few addresses: mostly it is the first. */
static struct trk_port *rested(struct trk_endpoint *e, const struct trk_addr *local, uint64_t rest_us)
{
    for (struct trk_port **at = &e->resting; *at && e->now_us - (*at)->rests_since_us >= rest_us; at = &(*at)->next_resting) {
        struct trk_port *p = *at;
        if (p->bound || !trk_addr_equal(&p->local, local))
            continue;
        *at = p->next_resting;
        if (!*at)
            e->resting_end = at;
        e->n_resting--;
        return p;
    }
    return NULL;
}

/* The program's own choice, if it rests here. */
static struct trk_port *chosen(struct trk_endpoint *e, const struct trk_addr *local, uint16_t port)
{
    for (struct trk_port **at = &e->resting; *at; at = &(*at)->next_resting) {
        struct trk_port *p = *at;
        if (p->port != port || !trk_addr_equal(&p->local, local))
            continue;
        *at = p->next_resting;
        if (!*at)
            e->resting_end = at;
        e->n_resting--;
        return p;
    }
    return NULL;
}

static struct trk_port *new_port(const struct trk_addr *local, uint16_t port, char *error, size_t error_bytes)
{
    struct trk_port *p = calloc(1, sizeof *p);
    if (!p) {
        snprintf(error, error_bytes, "out of memory");
        return NULL;
    }
    p->local = *local;
    if (guard(p, port, error, error_bytes))
        return p;
    int kept = errno;
    free_port(p);
    errno = kept;
    return NULL;
}

struct trk_port *trk_ports_take(struct trk_endpoint *e, const struct trk_addr *local, uint16_t port, char *error, size_t error_bytes)
{
    struct trk_port *p = port ? chosen(e, local, port) : rested(e, local, REST_US);
    if (!p)
        p = new_port(local, port, error, error_bytes);
    if (!p && !port && (errno == EMFILE || errno == EADDRINUSE)) {
        int kept = errno;
        p = rested(e, local, REST_LEAST_US);
        errno = kept;
    }
    if (p)
        p->bound = port != 0;
    return p;
}

void trk_ports_give_back(struct trk_endpoint *e, struct trk_port *port)
{
    port->rests_since_us = e->now_us;
    port->next_resting = NULL;
    *e->resting_end = port;
    e->resting_end = &port->next_resting;
    e->n_resting++;
}

void trk_ports_trim(struct trk_endpoint *e)
{
    while (e->resting && e->now_us - e->resting->rests_since_us >= IDLE_US) {
        struct trk_port *p = e->resting;
        e->resting = p->next_resting;
        if (!e->resting)
            e->resting_end = &e->resting;
        e->n_resting--;
        free_port(p);
    }
}

uint64_t trk_ports_wake_us(const struct trk_endpoint *e)
{
    return e->resting ? e->resting->rests_since_us + IDLE_US : UINT64_MAX;
}

void trk_ports_close(struct trk_endpoint *e)
{
    while (e->resting) {
        struct trk_port *p = e->resting;
        e->resting = p->next_resting;
        free_port(p);
    }
    e->resting_end = &e->resting;
    e->n_resting = 0;
}
