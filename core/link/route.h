/* route.h - which way to a destination: interface, source address, next hop, MTU, its link-layer address.
 * By netlink (libmnl). A missing neighbour is resolved by an empty UDP datagram to the next hop.
 * Any thread may call these; each call is a short conversation with the kernel (about 0.1 ms). */
#ifndef TRK_LINK_ROUTE_H
#define TRK_LINK_ROUTE_H

#include "link/link.h"

struct trk_route {
    int ifindex; char ifname[16];
    uint32_t mtu;                      /* of the route if it has one, else of the device */
    uint8_t family; uint8_t source[16], next_hop[16];
    bool loopback;
    struct trk_link_neighbour neighbour;
};
/* family 4 or 6, dst in network order; want_source (may be NULL): the address the socket is bound to.
 * Resolves the neighbour, waiting up to timeout_ms. 0, or -1 with errno: ENETUNREACH, EHOSTUNREACH (no neighbour),
 * EACCES (prohibited), EINVAL (blackhole), ENOSYS (libmnl is missing), ... */
int trk_route_lookup(uint8_t family, const uint8_t dst[16], const uint8_t *want_source, unsigned timeout_ms, struct trk_route *out);

/* The same over one interface, as link-local addresses need it; 0: any. */
int trk_route_lookup_on(int ifindex, uint8_t family, const uint8_t dst[16], const uint8_t *want_source, unsigned timeout_ms, struct trk_route *out);

/* A sentence for the errno of a failed look-up; static. */
const char *trk_route_why(int error);

struct trk_interface {
    int ifindex; char name[16]; uint32_t mtu; bool up, loopback;
    bool port;                         /* of a bridge or bond, whose own device hears the same packets */
};
/* All interfaces; returns the count (at most n written), -1 and errno. */
int trk_interfaces(struct trk_interface *out, int n);
/* Interface that owns a local address; 0 if none does. */
int trk_interface_of(uint8_t family, const uint8_t addr[16]);
/* A netlink socket that becomes readable when links or addresses change; trk_watch_drain empties it. */
int trk_watch_open(void);
void trk_watch_drain(int fd);

#endif
