/* guard.h - keeps the kernel's TCP from answering our segments: a listener that drops them. */
#ifndef TRK_LINK_GUARD_H
#define TRK_LINK_GUARD_H

#include <stdint.h>
#include <stddef.h>
#include <netinet/in.h>
#include <sys/socket.h>

enum trk_guard_kind {
    TRK_GUARD_ALL,                     /* drops every segment for the port */
    TRK_GUARD_MARKED,                  /* drops marked ones, passes plain TCP to the listener */
};
/* A guard socket bound to addr (port 0: the kernel picks one; read it back with getsockname). Falls back to
 * IP_MINTTL / IPV6_MINHOPCOUNT 255 where SO_ATTACH_FILTER is not permitted (CAP_NET_ADMIN): that drops every
 * segment with an ordinary TTL, for either kind. "::" covers IPv4 too, unless the port is taken there: then IPv6
 * alone (IPV6_V6ONLY tells). reuse: set SO_REUSEADDR before bind.
 * Returns a CLOEXEC descriptor, or -1 with errno (EADDRINUSE, EACCES) and a sentence in errbuf. */
int trk_guard_open(const struct sockaddr *addr, socklen_t len, enum trk_guard_kind kind, int reuse, char *errbuf, size_t errbuf_bytes);

#endif
