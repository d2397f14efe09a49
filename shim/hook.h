/* hook.h - what every intercepted call begins with. */
#ifndef SHIM_HOOK_H
#define SHIM_HOOK_H

#include "config.h"
#include "libc.h"
#include "sockets.h"

/* Nothing to do with us: hand the call to libc as it is. */
static inline bool shim_pass(void) { return shim_on_engine || shim_config.mode == SHIM_OFF; }

/* Our forms of the calls that syscall() can name, too. */
int shim_connect(int fd, const struct sockaddr *addr, socklen_t len);
int shim_getsockname(int fd, struct sockaddr *addr, socklen_t *len);
int shim_getpeername(int fd, struct sockaddr *addr, socklen_t *len);
int shim_getsockopt(int fd, int level, int name, void *value, socklen_t *len);
int shim_setsockopt(int fd, int level, int name, const void *value, socklen_t len);
int shim_ioctl(int fd, unsigned long request, void *argument);
int shim_epoll_ctl(int epfd, int op, int fd, struct epoll_event *event);
ssize_t shim_sendto(int fd, const void *data, size_t bytes, int flags, const struct sockaddr *addr, socklen_t len);
ssize_t shim_sendmsg(int fd, const struct msghdr *message, int flags);
ssize_t shim_recvfrom(int fd, void *data, size_t bytes, int flags, struct sockaddr *addr, socklen_t *len);
ssize_t shim_recvmsg(int fd, struct msghdr *message, int flags);
int shim_shutdown(int fd, int how);
int shim_dup(int fd);
int shim_dup2(int from, int to);
int shim_dup3(int from, int to, int flags);
int shim_fcntl(int fd, int command, long argument);
int shim_close(int fd);
int shim_close_range(unsigned int first, unsigned int last, int flags);

/* SHIM_TCP_IDLE: the program takes its kernel socket back. True if it has. */
bool shim_give_back(struct shim_socket *s);
/* A descriptor of it was closed, one way or another. */
void shim_closed(struct shim_socket *s);
/* The error of a failed connect, once; 0: none. */
int shim_take_error(struct shim_socket *s);

#endif
