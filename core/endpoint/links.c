/* links.c - packet sockets, one per interface: opened once and kept, as opening and closing one takes 10 ms and more. */
#include "endpoint/endpoint_state.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#define NARROW_US 1000000              /* without a new port: name the ports again */
#define RECEIVE_BYTES (32u << 20)      /* a limit, not memory: the answers to thousands of connections may come at once */

static const struct trk_link_port nobody = { .family = 4, .port = 0 };   /* nothing passes */

static struct trk_endpoint_link *open_link(struct trk_endpoint *e, int ifindex, char *error, size_t error_bytes)
{
    struct trk_endpoint_link *l = calloc(1, sizeof *l);
    if (!l) {
        snprintf(error, error_bytes, "out of memory");
        return NULL;
    }
    struct trk_link_config config = {
        .ifindex = ifindex, .ports = &nobody, .n_ports = 1, .want_unmarked = true, .want_whole = true, .receive_bytes = RECEIVE_BYTES,
        .capture = e->config.capture,
    };
    l->ifindex = ifindex;
    l->link = trk_link_open(&config, error, error_bytes);
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = e->config.epoll_tag };
    if (!l->link || epoll_ctl(e->config.epoll, EPOLL_CTL_ADD, trk_link_fd(l->link), &event) < 0) {
        int kept = errno;
        if (l->link)
            trk_link_close(l->link);
        free(l);
        errno = kept;
        return NULL;
    }
    struct stat st;
    l->ino = fstat(trk_link_fd(l->link), &st) == 0 ? st.st_ino : 0;
    l->next = e->links;
    e->links = l;
    return l;
}

struct trk_endpoint_link *trk_links_get(struct trk_endpoint *e, int ifindex, char *error, size_t error_bytes)
{
    for (struct trk_endpoint_link *l = e->links; l; l = l->next)
        if (l->ifindex == ifindex)
            return l;
    return open_link(e, ifindex, error, error_bytes);
}

static bool set_filter(struct trk_endpoint_link *l, bool wide)
{
    struct trk_link_port named[TRK_LINK_PORTS_MAX];
    size_t n = 0;
    l->wide = wide;
    if (wide)
        return trk_link_set_ports(l->link, &nobody, TRK_LINK_PORTS_MAX + 1);
    for (const struct trk_port *p = l->ports; p && n < TRK_LINK_PORTS_MAX; p = p->next, n++) {
        named[n] = (struct trk_link_port){ .family = p->local.family, .port = p->port };
        memcpy(named[n].addr, p->local.bytes, sizeof named[n].addr);
    }
    return n ? trk_link_set_ports(l->link, named, n) : trk_link_set_ports(l->link, &nobody, 1);
}

static void put_in(struct trk_endpoint_link *l, struct trk_port *p)
{
    p->link = l;
    p->previous = NULL;
    p->next = l->ports;
    if (p->next)
        p->next->previous = p;
    l->ports = p;
    l->n_ports++;
}

/* The filter is narrowed later: a segment too many is dropped by its flow. */
void trk_links_drop_port(struct trk_port *p)
{
    if (!p->link)
        return;
    if (p->next)
        p->next->previous = p->previous;
    if (p->previous)
        p->previous->next = p->next;
    else
        p->link->ports = p->next;
    p->link->n_ports--;
    p->link = NULL;
}

/* Connections that follow each other quickly share a filter that takes every marked segment. */
bool trk_links_add_port(struct trk_endpoint *e, struct trk_endpoint_link *l, struct trk_port *p)
{
    if (p->link == l)
        return true;
    trk_links_drop_port(p);
    put_in(l, p);
    bool often = l->changed_us && e->now_us - l->changed_us < NARROW_US;
    l->changed_us = e->now_us;
    l->narrow_us = e->now_us + NARROW_US;
    if (l->wide || set_filter(l, often || l->n_ports > TRK_LINK_PORTS_MAX))
        return true;
    trk_links_drop_port(p);
    return false;
}

static bool may_narrow(const struct trk_endpoint_link *l) { return l->wide && l->n_ports <= TRK_LINK_PORTS_MAX; }

void trk_links_narrow(struct trk_endpoint *e)
{
    for (struct trk_endpoint_link *l = e->links; l; l = l->next)
        if (may_narrow(l) && e->now_us >= l->narrow_us && !set_filter(l, false))
            l->narrow_us = e->now_us + NARROW_US;
}

uint64_t trk_links_wake_us(const struct trk_endpoint *e)
{
    uint64_t wake = UINT64_MAX;
    for (const struct trk_endpoint_link *l = e->links; l; l = l->next)
        if (may_narrow(l) && l->narrow_us < wake)
            wake = l->narrow_us;
    return wake;
}

void trk_links_close(struct trk_endpoint *e)
{
    while (e->links) {
        struct trk_endpoint_link *l = e->links;
        e->links = l->next;
        trk_link_close(l->link);
        free(l);
    }
}

static bool is_ours(const struct trk_endpoint *e, uint64_t ino)
{
    for (const struct trk_endpoint_link *l = e->links; l; l = l->next)
        if (l->ino == ino)
            return true;
    return false;
}

bool trk_endpoint_peer_on(const struct trk_endpoint *e, int ifindex)
{
    FILE *file = fopen("/proc/thread-self/net/packet", "re");
    if (!file)
        return true;
    char line[256];
    bool found = false;
    /* sk RefCnt Type Proto Iface R Rmem User Inode */
    while (!found && fgets(line, sizeof line, file)) {
        int interface;
        uint64_t ino;
        if (sscanf(line, "%*s %*d %*d %*x %d %*d %*u %*u %" SCNu64, &interface, &ino) == 2)
            found = (interface == ifindex || interface == 0) && !is_ours(e, ino);
    }
    fclose(file);
    return found;
}

uint64_t trk_endpoint_drops(struct trk_endpoint *e)
{
    uint64_t drops = 0;
    for (struct trk_endpoint_link *l = e->links; l; l = l->next)
        drops += trk_link_drops(l->link);
    return drops;
}
