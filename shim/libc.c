#include "libc.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include "raw.h"

_Thread_local bool shim_on_engine __attribute__((tls_model("initial-exec")));

/* ---- before the constructor: system calls ---- */
#define L(x) ((long)(x))
static int raw_connect(int fd, const struct sockaddr *addr, socklen_t len)
{
    return (int)shim_raw6(SYS_connect, fd, L(addr), len, 0, 0, 0);
}
static int raw_getsockname(int fd, struct sockaddr *addr, socklen_t *len)
{
    return (int)shim_raw6(SYS_getsockname, fd, L(addr), L(len), 0, 0, 0);
}
static int raw_getpeername(int fd, struct sockaddr *addr, socklen_t *len)
{
    return (int)shim_raw6(SYS_getpeername, fd, L(addr), L(len), 0, 0, 0);
}
static int raw_getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
    return (int)shim_raw6(SYS_getsockopt, fd, level, name, L(value), L(len), 0);
}
static int raw_setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
    return (int)shim_raw6(SYS_setsockopt, fd, level, name, L(value), len, 0);
}
static int raw_ioctl(int fd, unsigned long request, void *argument)
{
    return (int)shim_raw6(SYS_ioctl, fd, (long)request, L(argument), 0, 0, 0);
}
static int raw_epoll_ctl(int epfd, int op, int fd, struct epoll_event *event)
{
    return (int)shim_raw6(SYS_epoll_ctl, epfd, op, fd, L(event), 0, 0);
}
static ssize_t raw_sendto(int fd, const void *data, size_t bytes, int flags, const struct sockaddr *addr, socklen_t len)
{
    return shim_raw6(SYS_sendto, fd, L(data), (long)bytes, flags, L(addr), len);
}
static ssize_t raw_send(int fd, const void *data, size_t bytes, int flags)
{
    return raw_sendto(fd, data, bytes, flags, NULL, 0);
}
static ssize_t raw_sendmsg(int fd, const struct msghdr *message, int flags)
{
    return shim_raw6(SYS_sendmsg, fd, L(message), flags, 0, 0, 0);
}
static int raw_sendmmsg(int fd, struct mmsghdr *messages, unsigned int n, int flags)
{
    return (int)shim_raw6(SYS_sendmmsg, fd, L(messages), n, flags, 0, 0);
}
static ssize_t raw_recvfrom(int fd, void *data, size_t bytes, int flags, struct sockaddr *addr, socklen_t *len)
{
    return shim_raw6(SYS_recvfrom, fd, L(data), (long)bytes, flags, L(addr), L(len));
}
static ssize_t raw_recv(int fd, void *data, size_t bytes, int flags)
{
    return raw_recvfrom(fd, data, bytes, flags, NULL, NULL);
}
static ssize_t raw_recvmsg(int fd, struct msghdr *message, int flags)
{
    return shim_raw6(SYS_recvmsg, fd, L(message), flags, 0, 0, 0);
}
static int raw_recvmmsg(int fd, struct mmsghdr *messages, unsigned int n, int flags, struct timespec *timeout)
{
    return (int)shim_raw6(SYS_recvmmsg, fd, L(messages), n, flags, L(timeout), 0);
}
static int raw_shutdown(int fd, int how) { return (int)shim_raw6(SYS_shutdown, fd, how, 0, 0, 0, 0); }
static int raw_dup(int fd) { return (int)shim_raw6(SYS_dup, fd, 0, 0, 0, 0, 0); }
static int raw_dup3(int from, int to, int flags) { return (int)shim_raw6(SYS_dup3, from, to, flags, 0, 0, 0); }
/* Some machines have dup3 alone, which refuses equal numbers. */
static int raw_dup2(int from, int to)
{
    if (from == to)
        return shim_raw6(SYS_fcntl, from, F_GETFD, 0, 0, 0, 0) < 0 ? -1 : to;
    return raw_dup3(from, to, 0);
}
static int raw_fcntl(int fd, int command, long argument)
{
    return (int)shim_raw6(SYS_fcntl, fd, command, argument, 0, 0, 0);
}
static int raw_close(int fd) { return (int)shim_raw6(SYS_close, fd, 0, 0, 0, 0, 0); }
static int raw_close_range(unsigned int first, unsigned int last, int flags)
{
    return (int)shim_raw6(SYS_close_range, first, last, flags, 0, 0, 0);
}
static int raw_execve(const char *path, char *const argv[], char *const envp[])
{
    return (int)shim_raw6(SYS_execve, L(path), L(argv), L(envp), 0, 0, 0);
}
static int raw_execveat(int dir, const char *path, char *const argv[], char *const envp[], int flags)
{
    return (int)shim_raw6(SYS_execveat, dir, L(path), L(argv), L(envp), flags, 0);
}
static long raw_syscall(long number, long a, long b, long c, long d, long e, long f)
{
    return shim_raw6(number, a, b, c, d, e, f);
}

/* ---- or resolve at the first need ---- */
static int raw_execvpe(const char *file, char *const argv[], char *const envp[])
{
    shim_libc_resolve();
    return libc_execvpe(file, argv, envp);
}
static ssize_t raw___recv_chk(int fd, void *data, size_t bytes, size_t room, int flags)
{
    shim_libc_resolve();
    return libc___recv_chk(fd, data, bytes, room, flags);
}
static ssize_t raw___recvfrom_chk(int fd, void *data, size_t bytes, size_t room, int flags, struct sockaddr *addr, socklen_t *len)
{
    shim_libc_resolve();
    return libc___recvfrom_chk(fd, data, bytes, room, flags, addr, len);
}
static int raw_fexecve(int fd, char *const argv[], char *const envp[])
{
    shim_libc_resolve();
    return libc_fexecve(fd, argv, envp);
}
static void raw__exit(int status)
{
    for (;;)
        shim_raw6(SYS_exit_group, status, 0, 0, 0, 0, 0);
}
static void raw_quick_exit(int status)
{
    shim_libc_resolve();
    libc_quick_exit(status);
}

#define X(result, name, parameters) result (*libc_##name) parameters = raw_##name;
SHIM_LIBC_CALLS(X)
SHIM_LIBC_OTHERS(X)
#undef X

/* A function that this libc does not have keeps its system call. */
static void *next_or(const char *name, void *otherwise)
{
    void *found = dlsym(RTLD_NEXT, name);
    return found ? found : otherwise;
}

void shim_libc_resolve(void)
{
    /* POSIX lets the object pointer of dlsym become a function pointer; C wants it spelled so. */
#define X(result, name, parameters) *(void **)&libc_##name = next_or(#name, *(void **)&libc_##name);
    SHIM_LIBC_CALLS(X)
    SHIM_LIBC_OTHERS(X)
#undef X
}
