/* libc.h - libc's form of every function that we intercept: libc_connect() and so on.
 *
 * Three names for one call: connect is what the program calls (exported by us), shim_connect what we do,
 * libc_connect what libc does. The pointers start at raw system calls, so a hook that runs before our
 * constructor works; the constructor resolves all of them at once, because dlsym() in the middle of a
 * program may meet a held lock or a half-built allocator. */
#ifndef SHIM_LIBC_H
#define SHIM_LIBC_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/types.h>

/* X(result, name, parameters): those that have a system call of the same meaning. */
#define SHIM_LIBC_CALLS(X)                                                                        \
    X(int, connect, (int fd, const struct sockaddr *addr, socklen_t len))                         \
    X(int, getsockname, (int fd, struct sockaddr *addr, socklen_t *len))                          \
    X(int, getpeername, (int fd, struct sockaddr *addr, socklen_t *len))                          \
    X(int, getsockopt, (int fd, int level, int name, void *value, socklen_t *len))                \
    X(int, setsockopt, (int fd, int level, int name, const void *value, socklen_t len))           \
    X(int, ioctl, (int fd, unsigned long request, void *argument))                                \
    X(int, epoll_ctl, (int epfd, int op, int fd, struct epoll_event *event))                      \
    X(ssize_t, send, (int fd, const void *data, size_t bytes, int flags))                         \
    X(ssize_t, sendto, (int fd, const void *data, size_t bytes, int flags,                        \
                        const struct sockaddr *addr, socklen_t len))                              \
    X(ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags))                        \
    X(int, sendmmsg, (int fd, struct mmsghdr *messages, unsigned int n, int flags))               \
    X(ssize_t, recv, (int fd, void *data, size_t bytes, int flags))                               \
    X(ssize_t, recvfrom, (int fd, void *data, size_t bytes, int flags,                            \
                          struct sockaddr *addr, socklen_t *len))                                 \
    X(ssize_t, recvmsg, (int fd, struct msghdr *message, int flags))                              \
    X(int, recvmmsg, (int fd, struct mmsghdr *messages, unsigned int n, int flags,                \
                      struct timespec *timeout))                                                  \
    X(int, shutdown, (int fd, int how))                                                           \
    X(int, dup, (int fd))                                                                         \
    X(int, dup2, (int from, int to))                                                              \
    X(int, dup3, (int from, int to, int flags))                                                   \
    X(int, fcntl, (int fd, int command, long argument))                                           \
    X(int, close, (int fd))                                                                       \
    X(int, close_range, (unsigned int first, unsigned int last, int flags))                       \
    X(int, execve, (const char *path, char *const argv[], char *const envp[]))                    \
    X(int, execveat, (int dir, const char *path, char *const argv[], char *const envp[], int flags)) \
    X(long, syscall, (long number, long a, long b, long c, long d, long e, long f))

/* Those without: they are looked up when first needed, should that be before the constructor. */
#define SHIM_LIBC_OTHERS(X)                                                                       \
    X(int, execvpe, (const char *file, char *const argv[], char *const envp[]))                   \
    X(ssize_t, __recv_chk, (int fd, void *data, size_t bytes, size_t room, int flags))            \
    X(ssize_t, __recvfrom_chk, (int fd, void *data, size_t bytes, size_t room, int flags,         \
                                struct sockaddr *addr, socklen_t *len))                           \
    X(int, fexecve, (int fd, char *const argv[], char *const envp[]))                             \
    X(void, _exit, (int status))                                                                  \
    X(void, quick_exit, (int status))

#define X(result, name, parameters) extern result (*libc_##name) parameters;
SHIM_LIBC_CALLS(X)
SHIM_LIBC_OTHERS(X)
#undef X

/* Find all of them. Called by the constructor; again is harmless. */
void shim_libc_resolve(void);

/* What the program may see of us. */
#define SHIM_EXPORT __attribute__((visibility("default")))

/* True on the engine's thread: every hook then is libc's function, as the engine's descriptors are its own. */
extern _Thread_local bool shim_on_engine __attribute__((tls_model("initial-exec")));

#endif
