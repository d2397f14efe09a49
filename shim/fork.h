/* fork.h - fork(): the child's descriptors go on working, served by its parent; it has no engine until it connects. */
#ifndef SHIM_FORK_H
#define SHIM_FORK_H

#include <stdbool.h>

/* From now on forks are watched. Once per process image, not in the constructor (it may allocate). */
bool shim_fork_watch(void);

#endif
