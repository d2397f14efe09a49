/* wanted.c - which interfaces the listen addresses need.
 * A wildcard needs all of them. A specific address needs the one that owns it, and the loopback, by which
 * packets from this very host travel. An address that the loopback owns (not 127/8 or ::1) is one that
 * a load balancer sends to by any interface: all of them again. Ports of bridges and bonds are left out: what comes in
 * there is heard on the bridge, and must not be answered twice. */
#include <string.h>
#include "server.h"

static bool is_loopback_address(const struct trk_link_port *p)
{
    static const uint8_t one[16] = { [15] = 1 };
    return p->family == 4 ? p->addr[0] == 127 : memcmp(p->addr, one, sizeof one) == 0;
}

bool msk_view_take(const struct msk_listens *l, struct msk_view *v)
{
    v->n = trk_interfaces(v->all, MSK_INTERFACES_MAX);
    if (v->n > MSK_INTERFACES_MAX)
        v->n = MSK_INTERFACES_MAX;
    for (size_t i = 0; i < l->n; i++)
        v->owners[i] = l->at[i].any ? 0 : trk_interface_of(l->at[i].port.family, l->at[i].port.addr);
    return v->n >= 0;
}

const struct trk_interface *msk_view_find(const struct msk_view *v, int ifindex)
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

bool msk_view_wants(const struct msk_view *v, const struct msk_listens *l, const struct trk_interface *candidate)
{
    for (size_t i = 0; i < l->n; i++)
        if (needs(&l->at[i], msk_view_find(v, v->owners[i]), candidate))
            return candidate->up && !candidate->port;
    return false;
}
