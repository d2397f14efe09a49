/* route.c - the way to a destination, as the kernel would choose it. */
#include "link/route.h"
#include "link/neighbour.h"
#include "link/netlink.h"
#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>

struct found_route {
    struct trk_route *out;
    struct trk_next_hop hop;
    uint8_t type;                      /* RTN_UNICAST, RTN_LOCAL, ...; 0: no answer */
};

static size_t address_bytes(uint8_t family) { return family == 4 ? 4 : 16; }

static void copy_address(uint8_t out[16], const void *data, uint16_t bytes, size_t wanted)
{
    memset(out, 0, 16);
    if (data && bytes >= wanted)
        memcpy(out, data, wanted);
}

/* Next hop: gateway of the same family, of the other (RTA_VIA), or the destination itself. */
static void read_next_hop(const struct netlink_attrs *attrs, uint8_t family, struct trk_next_hop *hop)
{
    hop->family = family;
    if (attrs->data[RTA_GATEWAY]) {
        copy_address(hop->address, attrs->data[RTA_GATEWAY], attrs->bytes[RTA_GATEWAY], address_bytes(family));
    } else if (attrs->data[RTA_VIA] && attrs->bytes[RTA_VIA] >= sizeof(struct rtvia) + 4) {
        const struct rtvia *via = attrs->data[RTA_VIA];
        hop->family = via->rtvia_family == AF_INET6 ? 6 : 4;
        copy_address(hop->address, via->rtvia_addr, (uint16_t)(attrs->bytes[RTA_VIA] - sizeof *via), address_bytes(hop->family));
    }                                  /* else the destination, set by the caller */
}

static void on_route(const void *payload, const struct netlink_attrs *attrs, void *context)
{
    struct found_route *found = context;
    const struct rtmsg *route = payload;
    struct trk_route *out = found->out;
    struct netlink_attrs metrics;
    found->type = route->rtm_type;
    out->ifindex = (int)netlink_u32(attrs, RTA_OIF);
    copy_address(out->source, attrs->data[RTA_PREFSRC], attrs->bytes[RTA_PREFSRC], address_bytes(out->family));
    read_next_hop(attrs, out->family, &found->hop);
    netlink_nested(attrs, RTA_METRICS, &metrics);
    out->mtu = netlink_u32(&metrics, RTAX_MTU);
}

static int ask_route(int ifindex, uint8_t family, const uint8_t *dst, const uint8_t *want_source, struct found_route *found)
{
    struct netlink_request request;
    struct rtmsg *route = netlink_begin(&request, RTM_GETROUTE, 0, sizeof *route);
    if (!route)
        return -1;
    size_t bytes = address_bytes(family);
    route->rtm_family = family == 4 ? AF_INET : AF_INET6;
    route->rtm_dst_len = (uint8_t)(bytes * 8);
    netlink_add(&request, RTA_DST, dst, bytes);
    if (ifindex)
        netlink_add(&request, RTA_OIF, &ifindex, sizeof ifindex);
    if (want_source) {
        route->rtm_src_len = (uint8_t)(bytes * 8);
        netlink_add(&request, RTA_SRC, want_source, bytes);
    }
    return netlink_ask(&request, sizeof *route, on_route, found);
}

/* The kernel may answer with a route that leads nowhere instead of an error. */
static int judge_type(const struct found_route *found)
{
    switch (found->type) {
    case RTN_UNICAST: case RTN_LOCAL: return 0;
    case RTN_PROHIBIT:                errno = EACCES; return -1;
    default:                          errno = ENETUNREACH; return -1;
    }
}

const char *trk_route_why(int error)
{
    switch (error) {
    case ENETUNREACH:  return "there is no route to it";
    case EHOSTUNREACH: return "the next hop does not answer, or the route says unreachable";
    case EACCES:       return "the route to it is prohibited";
    case EINVAL:       return "the route to it is a blackhole";
    case ENOSYS:       return trk_mnl_error();
    default:           return strerror(error);
    }
}

int trk_route_lookup(uint8_t family, const uint8_t dst[16], const uint8_t *want_source, unsigned timeout_ms, struct trk_route *out)
{
    return trk_route_lookup_on(0, family, dst, want_source, timeout_ms, out);
}

int trk_route_lookup_on(int ifindex, uint8_t family, const uint8_t dst[16], const uint8_t *want_source, unsigned timeout_ms, struct trk_route *out)
{
    struct found_route found = { .out = out };
    struct trk_device device;
    memset(out, 0, sizeof *out);
    out->family = family;
    memcpy(found.hop.address, dst, address_bytes(family));
    if (ask_route(ifindex, family, dst, want_source, &found) || judge_type(&found) || trk_device_read(out->ifindex, &device))
        return -1;
    if (want_source)
        memcpy(out->source, want_source, address_bytes(family));
    if (found.hop.family == family)
        memcpy(out->next_hop, found.hop.address, sizeof out->next_hop);
    memcpy(out->ifname, device.name, sizeof out->ifname);
    out->loopback = device.flags & IFF_LOOPBACK;
    if (out->mtu == 0 || out->mtu > device.mtu)
        out->mtu = device.mtu;
    if (out->loopback || !device.has_addresses) {
        out->neighbour.valid = out->loopback;        /* the loopback device's addresses are all zero */
        return 0;
    }
    found.hop.ifindex = out->ifindex;
    return trk_neighbour_resolve(&found.hop, timeout_ms, &out->neighbour);
}
