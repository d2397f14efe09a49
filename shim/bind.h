/* bind.h - late binding: a kernel TCP socket becomes a pair, and back. */
#ifndef SHIM_BIND_H
#define SHIM_BIND_H

#include "sockets.h"

/* May a connect to this address be a Trickles connection? The kernel socket is unconnected, of plain TCP, without
 * options that only the kernel's TCP can honour, and the destination is one host. *peer: where the kernel would go. */
bool shim_eligible(int fd, const struct sockaddr *addr, socklen_t len, union shim_address *peer);

struct shim_binding { struct shim_socket *socket; int app_end; };
/* Make the pair and tell the engine to connect. The program's descriptors are untouched so far.
 * False: it cannot be done; errno and *why say so. */
bool shim_bind(int fd, const union shim_address *peer, enum shim_state state, struct shim_binding *out, const char **why);
/* Put the application's end in the place of every descriptor of the kernel socket. */
bool shim_bind_swap(struct shim_binding *b, int fd);
/* What F_SETFL, F_SETOWN and F_SETSIG set. */
void shim_copy_flags(int from, int to);
/* Undo before the swap. */
void shim_bind_drop(struct shim_binding *b);

#endif
