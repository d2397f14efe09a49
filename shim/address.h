/* address.h - socket addresses of the program and addresses of core. */
#ifndef SHIM_ADDRESS_H
#define SHIM_ADDRESS_H

#include <stdbool.h>
#include "sockets.h"
#include "wire/segment.h"

/* An AF_INET or AF_INET6 address; a v4-mapped one becomes family 4. */
struct trk_addr shim_address_addr(const union shim_address *a);
uint16_t shim_address_port(const union shim_address *a);       /* host order */
/* The reverse, in the family of the program's socket (v4-mapped where that is AF_INET6). */
union shim_address shim_address_make(sa_family_t family, const struct trk_addr *addr, uint16_t port);
socklen_t shim_address_bytes(sa_family_t family);
/* The interface that a link-local address is of; 0: another address, or nobody says. */
int shim_address_scope(const union shim_address *a);
bool shim_address_is_link_local(const struct trk_addr *addr);
bool shim_address_any(const struct trk_addr *addr);            /* 0.0.0.0 or :: */
/* "[v6]:port" or "v4:port" */
const char *shim_address_text(const union shim_address *a, char *out, size_t bytes);
#define SHIM_ADDRESS_TEXT 64

#endif
