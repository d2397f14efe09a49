/* links.c - one link for each interface that is wanted (wanted.c). A worker's sockets were opened by the process that it comes
 * from (sockets.c), and are taken from there. */
#include <errno.h>
#include <string.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <unistd.h>
#include "group.h"

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
        .expects = s->filter,
    };
}

static struct trk_link *make_link(struct msk_server *s, const struct trk_interface *i, char *error, size_t error_bytes)
{
    struct trk_link_port ports[MSK_LISTENS_MAX];
    struct trk_link_config config = { .ifindex = i->ifindex, .ports = ports, .n_ports = msk_listens_ports(&s->listens, ports), .capture = s->capture };
    if (!s->group)
        return trk_link_open(&config, error, error_bytes);
    int fd = msk_sockets_take(s->group, i->ifindex, s->worker);
    if (fd < 0) {
        snprintf(error, error_bytes, "no socket yet");
        return NULL;
    }
    struct trk_link *link = trk_link_adopt(&config, fd, error, error_bytes);
    if (!link)
        close(fd);
    return link;
}

static bool open_link(struct msk_server *s, const struct trk_interface *i, char *error, size_t error_bytes)
{
    struct msk_iface *iface = &s->ifaces[s->n_ifaces];
    iface->link = make_link(s, i, error, error_bytes);
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
    if (!s->group)
        msk_log(s, MSK_LOG_INFO, "listening on interface %s (MTU %u)", i->name, (unsigned)i->mtu);
    return true;
}

static void close_link(struct msk_server *s, size_t at)
{
    struct msk_iface *gone = &s->ifaces[at];
    msk_log(s, MSK_LOG_INFO, "no longer listening on interface %s", gone->name);
    s->tally->counts[MSK_COUNT_DROPS] += trk_link_drops(gone->link);
    epoll_ctl(s->epoll, EPOLL_CTL_DEL, trk_link_fd(gone->link), NULL);
    trk_link_close(gone->link);
    if (at != --s->n_ifaces) {
        *gone = s->ifaces[s->n_ifaces];
        struct epoll_event e = { .events = EPOLLIN, .data.u32 = (uint32_t)at };
        epoll_ctl(s->epoll, EPOLL_CTL_MOD, trk_link_fd(gone->link), &e);
    }
}

static void close_unwanted(struct msk_server *s, const struct msk_view *v)
{
    for (size_t at = s->n_ifaces; at-- > 0;) {
        const struct trk_interface *i = msk_view_find(v, s->ifaces[at].ifindex);
        if (i && msk_view_wants(v, &s->listens, i))
            configure(s, &s->ifaces[at], i->mtu);
        else if (s->group)
            s->ending = true;          /* the next worker begins with what is right then */
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
static void open_wanted(struct msk_server *s, const struct msk_view *v, char *failed, size_t failed_bytes)
{
    char why[MSK_ERROR_BYTES];
    size_t n = 0;
    failed[0] = '\0';
    for (const struct trk_interface *i = v->all; i < v->all + v->n; i++) {
        if (!msk_view_wants(v, &s->listens, i) || have(s, i->ifindex))
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
    struct msk_view v;
    char failed[MSK_ERROR_BYTES];
    if (!msk_view_take(&s->listens, &v)) {
        snprintf(error, error_bytes, "cannot list interfaces: %s", trk_route_why(errno));
        return false;
    }
    s->batch_i = s->batch_n = 0;       /* their views may die with a link */
    close_unwanted(s, &v);
    open_wanted(s, &v, failed, sizeof failed);
    if (s->n_ifaces == 0)
        snprintf(error, error_bytes, "%s%s", failed[0] ? "cannot listen on interface " : "no interface is up", failed);
    else if (failed[0] && !s->group)   /* a worker that misses a new interface is replaced by one that has it */
        msk_log(s, MSK_LOG_WARNING, "not listening on interface %s", failed);
    return s->n_ifaces > 0 || s->group;
}

void msk_links_close(struct msk_server *s)
{
    for (size_t i = 0; i < s->n_ifaces; i++)
        trk_link_close(s->ifaces[i].link);
    s->n_ifaces = 0;
}
