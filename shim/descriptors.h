/* descriptors.h - our own descriptors in the program's table, and the program's descriptors of one socket.
 *
 * Few descriptors of ours live in the program's table (the hidden kernel sockets, the control socket, the log):
 * they are high, so that lowest-number rules and select() never meet them, close-on-exec, and spared by
 * close, close_range and closefrom. Raw system calls can still close them; so each use first asks whether
 * the number still names the same file. */
#ifndef SHIM_DESCRIPTORS_H
#define SHIM_DESCRIPTORS_H

#include <stdbool.h>
#include <sys/types.h>

struct shim_hidden { int fd; ino_t ino; dev_t dev; };

/* Moves fd to a high number and marks it ours. Closes the old number. {-1, ...} and errno on failure. */
struct shim_hidden shim_hide(int fd);
/* The descriptor, or -1 if its number was closed or names something else by now. */
int shim_hidden_fd(const struct shim_hidden *hidden);
/* Closes and unmarks; harmless on one that is gone. */
void shim_hidden_close(struct shim_hidden *hidden);
bool shim_fd_is_hidden(int fd);
/* The next hidden number in [first, last], or -1. */
long shim_next_hidden(unsigned first, unsigned last);

/* The inode of a socket, which names it whatever descriptors it has; 0: not a socket. */
ino_t shim_socket_inode(int fd);

/* All descriptors of this process that name the socket, hidden ones left out. Writes up to n; returns how many it wrote.
 * usual: the one by which it is known; the only one there can be unless the socket is marked (doubles.h). */
int shim_fds_of(ino_t ino, int usual, int *out, int n);
/* Calls visit for every open descriptor that is not hidden. False: nobody can tell (no /proc). */
bool shim_fds_visit(void (*visit)(int fd, void *context), void *context);

/* Makes every descriptor of the socket `old` (usual: as above) name new_fd's file instead; descriptor flags and epoll registrations
 * go along (DEL, dup3, ADD: a bare dup3 would leave registrations behind that nobody could delete).
 * Returns the number of descriptors changed, -1 and errno if one could not be. Table lock held. */
int shim_fds_replace(ino_t old, int usual, int new_fd);

#endif
