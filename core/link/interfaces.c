/* interfaces.c - devices, who owns an address, and word of changes. */
#include "link/route.h"
#include "link/neighbour.h"
#include "link/netlink.h"
#include <errno.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define DUMP_TRIES 5                   /* a list that changed while it was read (EINTR) is read again */

struct device_list { struct trk_interface *out; int n, cap; };

static void copy_name(char out[16], const struct netlink_attrs *attrs)
{
    size_t bytes = attrs->data[IFLA_IFNAME] ? attrs->bytes[IFLA_IFNAME] : 0;
    memset(out, 0, 16);
    memcpy(out, attrs->data[IFLA_IFNAME] ? attrs->data[IFLA_IFNAME] : "", bytes < 15 ? bytes : 15);
}

static void on_device(const void *payload, const struct netlink_attrs *attrs, void *context)
{
    const struct ifinfomsg *info = payload;
    struct trk_device *out = context;
    copy_name(out->name, attrs);
    out->mtu = netlink_u32(attrs, IFLA_MTU);
    out->flags = info->ifi_flags;
    out->has_addresses = info->ifi_type == ARPHRD_ETHER;
}

int trk_device_read(int ifindex, struct trk_device *out)
{
    struct netlink_request request;
    memset(out, 0, sizeof *out);
    struct ifinfomsg *info = netlink_begin(&request, RTM_GETLINK, 0, sizeof *info);
    if (!info)
        return -1;
    info->ifi_index = ifindex;
    return netlink_ask(&request, sizeof *info, on_device, out);
}

/* A port of a bridge, bond or the like: what comes in there is heard again on its master. (A VRF's are not such.) */
static bool is_port(const struct netlink_attrs *attrs)
{
    struct netlink_attrs info;
    if (netlink_u32(attrs, IFLA_MASTER) == 0)
        return false;
    netlink_nested(attrs, IFLA_LINKINFO, &info);
    const char *kind = info.data[IFLA_INFO_SLAVE_KIND];
    return !kind || info.bytes[IFLA_INFO_SLAVE_KIND] < 3 || memcmp(kind, "vrf", 3) != 0;
}

static void on_listed_device(const void *payload, const struct netlink_attrs *attrs, void *context)
{
    const struct ifinfomsg *info = payload;
    struct device_list *list = context;
    if (list->n < list->cap) {
        struct trk_interface *out = &list->out[list->n];
        *out = (struct trk_interface){ .ifindex = info->ifi_index, .mtu = netlink_u32(attrs, IFLA_MTU) };
        copy_name(out->name, attrs);
        out->up = info->ifi_flags & IFF_UP;
        out->loopback = info->ifi_flags & IFF_LOOPBACK;
        out->port = is_port(attrs);
    }
    list->n++;
}

int trk_interfaces(struct trk_interface *out, int n)
{
    struct netlink_request request;
    struct device_list list = { out, 0, n };
    struct ifinfomsg *info = netlink_begin(&request, RTM_GETLINK, 1, sizeof *info);
    for (int i = 0; info && i < DUMP_TRIES; i++) {
        list.n = 0;
        if (netlink_ask(&request, sizeof *info, on_listed_device, &list) == 0)
            return list.n;
        if (errno != EINTR)
            break;
    }
    return -1;
}

struct owner { uint8_t family; const uint8_t *addr; int ifindex; };

/* An address of the device itself; on lo the whole of 127/8 (its prefix) is local. */
static bool owns(const struct ifaddrmsg *message, const struct netlink_attrs *attrs, const struct owner *owner)
{
    uint16_t type = attrs->data[IFA_LOCAL] ? IFA_LOCAL : IFA_ADDRESS;
    size_t bytes = owner->family == 4 ? 4 : 16;
    const uint8_t *local = attrs->data[type];
    if (!local || attrs->bytes[type] < bytes)
        return false;
    if (owner->family == 4 && local[0] == 127 && message->ifa_prefixlen == 8)
        bytes = 1;
    return memcmp(local, owner->addr, bytes) == 0;
}

static void on_address(const void *payload, const struct netlink_attrs *attrs, void *context)
{
    const struct ifaddrmsg *message = payload;
    struct owner *owner = context;
    if (message->ifa_family == (owner->family == 4 ? AF_INET : AF_INET6) && owner->ifindex == 0 && owns(message, attrs, owner))
        owner->ifindex = (int)message->ifa_index;
}

int trk_interface_of(uint8_t family, const uint8_t addr[16])
{
    struct netlink_request request;
    struct owner owner = { family, addr, 0 };
    struct ifaddrmsg *message = netlink_begin(&request, RTM_GETADDR, 1, sizeof *message);
    if (!message)
        return 0;
    message->ifa_family = family == 4 ? AF_INET : AF_INET6;
    for (int i = 0; i < DUMP_TRIES; i++)
        if (netlink_ask(&request, sizeof *message, on_address, &owner) == 0 || errno != EINTR)
            break;
    return owner.ifindex;
}

int trk_watch_open(void)
{
    struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR };
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
    if (fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address)) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

/* ENOBUFS (news were lost) ends it too, at the next read: the caller looks at everything anew anyway. */
void trk_watch_drain(int fd)
{
    char ignored[8192];
    while (recv(fd, ignored, sizeof ignored, MSG_DONTWAIT) > 0 || errno == ENOBUFS || errno == EINTR)
        ;
}
