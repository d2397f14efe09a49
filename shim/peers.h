/* peers.h - who else listens on an interface: on loopback only another packet socket can answer a Trickles SYN. */
#ifndef SHIM_PEERS_H
#define SHIM_PEERS_H

#include <stdbool.h>
#include <sys/types.h>

#define SHIM_LOOPBACK_IFINDEX 1        /* the kernel's own constant, in every network namespace */

/* A packet socket of this process's engine, by its inode: it answers nobody. */
void shim_peers_ours(ino_t ino);
/* True if a packet socket that is not ours listens on this interface, or if nobody can tell. Any thread. */
bool shim_peers_on(int ifindex);

#endif
