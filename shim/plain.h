/* plain.h - destinations that are met by TCP without asking, in `try`: it is known that no Trickles server answers. */
#ifndef SHIM_PLAIN_H
#define SHIM_PLAIN_H

#include "sockets.h"

/* A sentence why, or NULL: ask there. */
const char *shim_plain_why(const union shim_address *peer);
/* The server answered a Trickles SYN as a TCP-only one does: for some seconds its other connections need not ask. */
void shim_plain_remember(const union shim_address *peer);

#endif
