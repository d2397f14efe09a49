/* links.h - the packet sockets of the engine: one per interface, opened once and kept, as opening and
 * closing one takes 10 ms and more. */
#ifndef SHIM_LINKS_H
#define SHIM_LINKS_H

#include "loop.h"
#include "wire/segment.h"

/* The link of an interface; NULL, errno and a sentence in error. */
struct shim_link_use *shim_links_get(struct shim_loop *loop, int ifindex, char *error, size_t error_bytes);
/* All of them, when no connection uses one any more: the process ends, and would wait for the kernel to close them. */
void shim_links_close(struct shim_loop *loop);
/* A local address and port whose segments a link receives, in the link's list. The caller's memory. */
struct shim_link_port { struct shim_link_port *next, **at; struct trk_link_port port; };      /* at NULL: in none */
/* Receive segments for this local address and port from now on, or no more. */
bool shim_links_add_port(struct shim_loop *loop, struct shim_link_use *use, struct shim_link_port *p, const struct trk_addr *local, uint16_t port);
void shim_links_drop_port(struct shim_link_use *use, struct shim_link_port *p);

/* Filters that may name their ports again; when to call it. */
void shim_links_narrow(struct shim_loop *loop);
uint64_t shim_links_wake_us(const struct shim_loop *loop);

struct trk_link *shim_links_link(struct shim_link_use *use);
/* Packets of one interface to their connections; the link is named by its event source's owner. */
void shim_links_receive(struct shim_loop *loop, struct shim_link_use *use);

/* Go on with links that stopped before they were empty; true: some did so again, do not sleep. */
bool shim_links_more(struct shim_loop *loop);

#endif
