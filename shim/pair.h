/* pair.h - the AF_UNIX stream pair that stands for a TCP socket: where the two differ, this makes them alike.
 *
 * While connecting, the application's end is filled with dummy bytes: it is not writable and edge-triggered
 * pollers stay silent. When the connection is up, all dummies but one are drained. One byte always stays in
 * the engine's queue (the kept byte): closing the engine's end then is a reset for the application
 * (queued data, ECONNRESET once, end), as a RST is. What was forwarded last is the byte that is kept. */
#ifndef SHIM_PAIR_H
#define SHIM_PAIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define SHIM_PAIR_BUFFER_BYTES (4 << 20)       /* asked for each way; the kernel may grant less */
#define SHIM_PAIR_READ_MAX     (256 << 10)     /* one shim_pair_read */

/* A pair, the application's end filled: ends[0] is the application's, ends[1] ours, both CLOEXEC, ours
 * non-blocking. 0, or -1 and errno. */
int shim_pair_open(int ends[2]);

struct shim_pair { int fd; bool kept; };       /* the engine's end */

/* Up: raise the application's buffer (app_fd, -1: nobody has it here), drain the dummies. */
void shim_pair_up(struct shim_pair *p, int app_fd);
/* Raise the send buffer of an end. */
void shim_pair_widen(int fd);
/* New bytes of the application, at most want (<= SHIM_PAIR_READ_MAX): *data points into buffer, which has
 * room for SHIM_PAIR_READ_MAX + 1. 0: none now. */
size_t shim_pair_read(struct shim_pair *p, uint8_t *buffer, size_t want, const uint8_t **data);
/* Bytes that shim_pair_read would find. */
size_t shim_pair_unread(const struct shim_pair *p);
/* Take the kept byte out, so that closing our end means end of stream, no reset. */
void shim_pair_settle(struct shim_pair *p);

#endif
