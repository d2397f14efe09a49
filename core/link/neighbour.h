/* neighbour.h - link-layer addresses and devices, for route.c. Private to core/link. */
#ifndef TRK_LINK_NEIGHBOUR_H
#define TRK_LINK_NEIGHBOUR_H

#include "link/link.h"

struct trk_next_hop { uint8_t family; uint8_t address[16]; int ifindex; };
/* The next hop's link-layer address, waiting up to timeout_ms for its answer. 0, or -1: EHOSTUNREACH, ... */
int trk_neighbour_resolve(const struct trk_next_hop *hop, unsigned timeout_ms, struct trk_link_neighbour *out);

struct trk_device { char name[16]; uint32_t mtu; unsigned flags; bool has_addresses; };
int trk_device_read(int ifindex, struct trk_device *out);

#endif
