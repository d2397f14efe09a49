/* hints.h - routers' messages about our segments, to the connections that they are about. */
#ifndef SHIM_HINTS_H
#define SHIM_HINTS_H

#include "loop.h"

/* Listen for them. Without the right to, connections find out by themselves. */
void shim_hints_open(struct shim_loop *loop);
/* The source, one of two by family, has some. */
void shim_hints_receive(struct shim_loop *loop, struct shim_source *source);

#endif
