/* sockets.c - the packet sockets of all workers. They belong to the master, so a worker that dies loses what it had in hand and
 * nothing that waits. Frames come to them in turn, so a single flow is served by all workers; what a hanging one's socket
 * can hold is small, and what follows passes it over. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "group.h"

#define RECEIVE_BYTES (512u << 10)

static void close_row(struct msk_group *g, size_t at)
{
    for (unsigned i = 0; i < g->n; i++)
        if (g->sockets[at].fds[i] >= 0)
            close(g->sockets[at].fds[i]);
    if (at != --g->n_sockets)
        g->sockets[at] = g->sockets[g->n_sockets];
}

void msk_sockets_close(struct msk_group *g)
{
    while (g->n_sockets > 0)
        close_row(g, g->n_sockets - 1);
}

/* One for each worker, the predecessor's first: whoever joins them joins their group. */
static bool open_row(struct msk_group *g, const struct trk_interface *i, struct msk_pool *handed, char *error, size_t error_bytes)
{
    struct trk_link_port ports[MSK_LISTENS_MAX];
    struct trk_link_config config = {
        .ifindex = i->ifindex, .ports = ports, .n_ports = msk_listens_ports(&g->listens, ports), .receive_bytes = RECEIVE_BYTES,
    };
    struct msk_sockets *row = &g->sockets[g->n_sockets];
    int number = -1;
    bool ok = true;
    row->ifindex = i->ifindex;
    snprintf(row->name, sizeof row->name, "%s", i->name);
    for (unsigned w = 0; w < g->n; w++) {
        row->fds[w] = handed ? msk_pool_socket(handed, i->ifindex, w) : -1;
        if (row->fds[w] >= 0) {
            number = trk_link_group(row->fds[w]);
            ok = ok && trk_link_refilter(row->fds[w], &config, error, error_bytes);
        }
    }
    for (unsigned w = 0; w < g->n; w++)
        if (ok && row->fds[w] < 0) {
            row->fds[w] = trk_link_socket(&config, &number, error, error_bytes);
            ok = row->fds[w] >= 0;
        }
    g->n_sockets++;
    if (!ok)
        close_row(g, g->n_sockets - 1);
    return ok;
}

static bool have(const struct msk_group *g, int ifindex)
{
    for (size_t i = 0; i < g->n_sockets; i++)
        if (g->sockets[i].ifindex == ifindex)
            return true;
    return false;
}

static void close_unwanted(struct msk_group *g, const struct msk_view *v)
{
    for (size_t at = g->n_sockets; at-- > 0;) {
        const struct trk_interface *i = msk_view_find(v, g->sockets[at].ifindex);
        if (i && msk_view_wants(v, &g->listens, i))
            continue;
        msk_group_log(g, MSK_LOG_INFO, "no longer listening on interface %s", g->sockets[at].name);
        close_row(g, at);
    }
}

bool msk_sockets_update(struct msk_group *g, struct msk_pool *handed, bool *opened, char *error, size_t error_bytes)
{
    struct msk_view v;
    char why[MSK_ERROR_BYTES] = "no interface is up";
    *opened = false;
    if (!msk_view_take(&g->listens, &v)) {
        snprintf(error, error_bytes, "cannot list interfaces: %s", trk_route_why(errno));
        return false;
    }
    close_unwanted(g, &v);
    for (const struct trk_interface *i = v.all; i < v.all + v.n; i++) {
        if (!msk_view_wants(&v, &g->listens, i) || have(g, i->ifindex))
            continue;
        if (g->n_sockets == MSK_LINKS_MAX)
            snprintf(why, sizeof why, "more than %d interfaces", MSK_LINKS_MAX);
        else if (open_row(g, i, handed, why, sizeof why)) {
            msk_group_log(g, MSK_LOG_INFO, "listening on interface %s (MTU %u)", i->name, (unsigned)i->mtu);
            *opened = true;
            continue;
        }
        msk_group_log(g, MSK_LOG_WARNING, "not listening on interface %s: %s", i->name, why);
    }
    if (g->n_sockets == 0)
        snprintf(error, error_bytes, "cannot listen on any interface: %.200s", why);
    return g->n_sockets > 0;
}

int msk_sockets_take(struct msk_group *g, int ifindex, unsigned worker)
{
    for (size_t i = 0; i < g->n_sockets; i++)
        if (g->sockets[i].ifindex == ifindex) {
            int fd = g->sockets[i].fds[worker];
            g->sockets[i].fds[worker] = -1;
            return fd;
        }
    return -1;
}
