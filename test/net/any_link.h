/* any_link.h - a link to an IPv4 server for a program that plays many clients: whatever carries our option comes to it. */
#ifndef TRK_TEST_ANY_LINK_H
#define TRK_TEST_ANY_LINK_H

#include <arpa/inet.h>
#include "link/link.h"
#include "link/route.h"

/* server: as text, and then as address; to: where its frames go. fail does not return. */
static inline struct trk_link *any_link_open(const char *text, struct trk_addr *server, struct trk_link_neighbour *to,
                                             void (*fail)(const char *what, const char *detail))
{
    static struct trk_link_port all[TRK_LINK_PORTS_MAX + 1];      /* so many that no port is looked at */
    char error[256];
    struct trk_route route;
    server->family = 4;
    if (inet_pton(AF_INET, text, server->bytes) != 1 || trk_route_lookup(4, server->bytes, NULL, 1000, &route) != 0)
        fail("no way to the server", text);
    *to = route.neighbour;
    struct trk_link_config config = { .ifindex = route.ifindex, .ports = all, .n_ports = TRK_LINK_PORTS_MAX + 1, .receive_bytes = 16u << 20 };
    struct trk_link *link = trk_link_open(&config, error, sizeof error);
    if (!link)
        fail("no link", error);
    return link;
}

#endif
