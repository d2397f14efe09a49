/* limit.h - the numbers that a program may use (RLIMIT_NOFILE) are all its own: ours are made beyond them.
 *
 * The limit counts the descriptors of our engine's table, too, and most programs may have 1024. So it is lifted while we
 * make one, where we may: up to the hard limit, or beyond it with CAP_SYS_RESOURCE. */
#ifndef SHIM_LIMIT_H
#define SHIM_LIMIT_H

#include <stdbool.h>
#include <sys/resource.h>
#include "sockets.h"

struct shim_lift { struct rlimit own, lifted; struct shim_kept kept; bool up; };

/* Between the two nothing may wait, and no brief lock be taken: they hold it, as a fork would inherit the limit. errno is kept. */
void shim_limit_lift(struct shim_lift *lift);
void shim_limit_lay(const struct shim_lift *lift);

#endif
