/* local.c - see server.h. The list is read when addresses change, never per packet. */
#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <string.h>
#include "address.h"
#include "server.h"

bool msk_locals_update(struct msk_server *s)
{
    struct ifaddrs *all;
    if (getifaddrs(&all) != 0)
        return false;
    s->n_locals = 0;
    for (struct ifaddrs *i = all; i; i = i->ifa_next) {
        if (!i->ifa_addr || (i->ifa_addr->sa_family != AF_INET && i->ifa_addr->sa_family != AF_INET6))
            continue;
        if (s->n_locals == MSK_LOCALS_MAX) {
            msk_log(s, MSK_LOG_WARNING, "more than %d local addresses: name the one to listen on", MSK_LOCALS_MAX);
            break;
        }
        struct sockaddr_storage a = { 0 };
        memcpy(&a, i->ifa_addr, i->ifa_addr->sa_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6));
        struct trk_addr *local = &s->locals[s->n_locals++];
        local->family = msk_address_bytes(&a, local->bytes);
    }
    freeifaddrs(all);
    return true;
}

static bool is_local(const struct msk_server *s, const struct trk_addr *addr)
{
    if (addr->family == 4 && addr->bytes[0] == 127)      /* all of 127/8 is local without being listed */
        return true;
    for (size_t i = 0; i < s->n_locals; i++)
        if (trk_addr_equal(&s->locals[i], addr))
            return true;
    return false;
}

bool msk_is_ours(const struct msk_server *s, const struct trk_addr *addr, uint16_t port)
{
    for (size_t i = 0; i < s->listens.n; i++) {
        const struct msk_listen *l = &s->listens.at[i];
        if (l->port.port != port || (l->port.family != 0 && l->port.family != addr->family))
            continue;
        if (l->any ? is_local(s, addr) : memcmp(l->port.addr, addr->bytes, sizeof l->port.addr) == 0)
            return true;
    }
    return false;
}
