/* doubles.h - which sockets may have several descriptors in this process.
 *
 * Finding all descriptors of a socket means reading /proc, which takes longer the more there are: with a thousand
 * connections, milliseconds of each connect(). So every way to get a second descriptor marks the socket: dup() and its
 * kin, one received from another process, and those that an earlier image left behind. Marks stay for good and
 * are kept by a hash: one too many costs time only. */
#ifndef SHIM_DOUBLES_H
#define SHIM_DOUBLES_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/types.h>

/* fd is, or may be, one of several of its file. Not a socket: nothing happens. errno is kept. */
void shim_doubled(int fd);
/* The same for descriptors that came with a received message. */
void shim_doubled_received(const struct msghdr *message);
/* What the image before this one left. At the engine's first start; table lock held. */
void shim_doubles_find(void);
bool shim_is_doubled(ino_t ino);

#endif
