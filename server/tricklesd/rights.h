/* rights.h - giving up what is needed only to set up. */
#ifndef TRICKLESD_RIGHTS_H
#define TRICKLESD_RIGHTS_H

#include <stdbool.h>
#include <sys/types.h>

struct rights { const char *name; uid_t uid; gid_t gid; };     /* name NULL: stay who we are */

/* False: one line has said that there is no such user, or that only root can become another one. */
bool rights_find(const char *user, struct rights *out);
/* Become that user, for good. network: keep CAP_NET_RAW, to listen on interfaces that come later; otherwise nothing is kept.
 * Root without --user keeps what it has. False: one line has said why, and the process must end. */
bool rights_drop(const struct rights *r, bool network);

#endif
