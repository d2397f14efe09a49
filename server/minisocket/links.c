/* links.c - which interfaces the listen addresses need, and one link for each.
 * A wildcard needs all of them. A specific address needs the one that owns it, and the loopback, by which
 * packets from this very host travel. An address that the loopback owns (not 127/8 or ::1) is one that
 * a load balancer sends to by any interface: all of them again. Ports of bridges and bonds are left out: what comes in
 * there is heard on the bridge, and must not be answered twice. */
#include <errno.h>
#include <string.h>
#include <stdio.h>
#include <sys/epoll.h>
#include "server.h"

#define INTERFACES_MAX 256

static bool is_loopback_address(const struct trk_link_port *p)
{
    static const uint8_t one[16] = { [15] = 1 };
    return p->family == 4 ? p->addr[0] == 127 : memcmp(p->addr, one, sizeof one) == 0;
}

/* What one look at the host says: its interfaces, and which of them owns each listen address (0: any, or none). */
struct view {
    struct trk_interface all[INTERFACES_MAX]; int n;
    int owners[MSK_LISTENS_MAX];
};

static bool take_view(const struct msk_server *s, struct view *v)
{
    v->n = trk_interfaces(v->all, INTERFACES_MAX);
    if (v->n > INTERFACES_MAX)
        v->n = INTERFACES_MAX;
    for (size_t i = 0; i < s->n_listens; i++)
        v->owners[i] = s->listens[i].any ? 0 : trk_interface_of(s->listens[i].port.family, s->listens[i].port.addr);
    return v->n >= 0;
}

static const struct trk_interface *find(const struct view *v, int ifindex)
{
    for (int i = 0; i < v->n; i++)
        if (v->all[i].ifindex == ifindex)
            return &v->all[i];
    return NULL;
}

static bool needs(const struct msk_listen *l, const struct trk_interface *owner, const struct trk_interface *i)
{
    if (l->any || i->loopback)
        return true;
    if (owner && owner->loopback)
        return !is_loopback_address(&l->port);
    return owner == i;
}

static bool wanted(const struct msk_server *s, const struct view *v, const struct trk_interface *candidate)
{
    for (size_t i = 0; i < s->n_listens; i++)
        if (needs(&s->listens[i], find(v, v->owners[i]), candidate))
            return candidate->up && !candidate->port;
    return false;
}

static uint16_t mss(uint32_t mtu, uint32_t headers)
{
    uint32_t room = mtu > headers ? mtu - headers : 0;
    return (uint16_t)(room < 65535 ? room : 65535);
}

static void configure(const struct msk_server *s, struct msk_iface *iface, uint32_t mtu)
{
    iface->config = (struct trk_serve_config){
        .domain = s->filter ? trk_filter_domain(s->filter) : 0,
        .mss_v4 = mss(mtu, 40), .mss_v6 = mss(mtu, 60), .horizon_ms = s->horizon_ms, .skew_ms = s->skew_ms,
    };
}

static bool open_link(struct msk_server *s, const struct trk_interface *i, char *error, size_t error_bytes)
{
    struct trk_link_port ports[MSK_LISTENS_MAX];
    struct msk_iface *iface = &s->ifaces[s->n_ifaces];
    for (size_t p = 0; p < s->n_listens; p++)
        ports[p] = s->listens[p].port;
    struct trk_link_config config = { .ifindex = i->ifindex, .ports = ports, .n_ports = s->n_listens, .capture = s->capture };
    iface->link = trk_link_open(&config, error, error_bytes);
    if (!iface->link)
        return false;
    iface->ifindex = i->ifindex;
    snprintf(iface->name, sizeof iface->name, "%s", i->name);
    configure(s, iface, i->mtu);
    struct epoll_event e = { .events = EPOLLIN, .data.u32 = (uint32_t)s->n_ifaces };
    if (epoll_ctl(s->epoll, EPOLL_CTL_ADD, trk_link_fd(iface->link), &e) != 0) {
        snprintf(error, error_bytes, "interface %s: %s", i->name, strerror(errno));
        trk_link_close(iface->link);
        return false;
    }
    s->n_ifaces++;
    msk_log(s, MSK_LOG_INFO, "listening on interface %s (MTU %u)", i->name, (unsigned)i->mtu);
    return true;
}

static void close_link(struct msk_server *s, size_t at)
{
    struct msk_iface *gone = &s->ifaces[at];
    msk_log(s, MSK_LOG_INFO, "no longer listening on interface %s", gone->name);
    s->counts[MSK_COUNT_DROPS] += trk_link_drops(gone->link);
    epoll_ctl(s->epoll, EPOLL_CTL_DEL, trk_link_fd(gone->link), NULL);
    trk_link_close(gone->link);
    if (at != --s->n_ifaces) {
        *gone = s->ifaces[s->n_ifaces];
        struct epoll_event e = { .events = EPOLLIN, .data.u32 = (uint32_t)at };
        epoll_ctl(s->epoll, EPOLL_CTL_MOD, trk_link_fd(gone->link), &e);
    }
}

static void close_unwanted(struct msk_server *s, const struct view *v)
{
    for (size_t at = s->n_ifaces; at-- > 0;) {
        const struct trk_interface *i = find(v, s->ifaces[at].ifindex);
        if (i && wanted(s, v, i))
            configure(s, &s->ifaces[at], i->mtu);
        else
            close_link(s, at);
    }
}

static bool have(const struct msk_server *s, int ifindex)
{
    for (size_t i = 0; i < s->n_ifaces; i++)
        if (s->ifaces[i].ifindex == ifindex)
            return true;
    return false;
}

/* Open what is wanted and not open yet. failed: names and reasons of those that could not be, or "". */
static void open_wanted(struct msk_server *s, const struct view *v, char *failed, size_t failed_bytes)
{
    char why[MSK_ERROR_BYTES];
    size_t n = 0;
    failed[0] = '\0';
    for (const struct trk_interface *i = v->all; i < v->all + v->n; i++) {
        if (!wanted(s, v, i) || have(s, i->ifindex))
            continue;
        if (s->n_ifaces == MSK_LINKS_MAX)
            snprintf(why, sizeof why, "more than %d interfaces", MSK_LINKS_MAX);
        else if (open_link(s, i, why, sizeof why))
            continue;
        if (n < failed_bytes)
            n += (size_t)snprintf(failed + n, failed_bytes - n, "%s%s: %s", n ? "; " : "", i->name, why);
    }
}

bool msk_links_update(struct msk_server *s, char *error, size_t error_bytes)
{
    struct view v;
    char failed[MSK_ERROR_BYTES];
    if (!take_view(s, &v)) {
        snprintf(error, error_bytes, "cannot list interfaces: %s", trk_route_why(errno));
        return false;
    }
    s->batch_i = s->batch_n = 0;       /* their views may die with a link */
    close_unwanted(s, &v);
    open_wanted(s, &v, failed, sizeof failed);
    if (s->n_ifaces == 0)
        snprintf(error, error_bytes, "%s%s", failed[0] ? "cannot listen on interface " : "no interface is up", failed);
    else if (failed[0])
        msk_log(s, MSK_LOG_WARNING, "not listening on interface %s", failed);
    return s->n_ifaces > 0;
}

void msk_links_close(struct msk_server *s)
{
    for (size_t i = 0; i < s->n_ifaces; i++)
        trk_link_close(s->ifaces[i].link);
    s->n_ifaces = 0;
}
