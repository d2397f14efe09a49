/* syscall.c - syscall(): calls that we intercept under their own names, asked for by number. All others pass. */
#include <stdarg.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "hook.h"

static long dispatch(long number, const long a[6])
{
    switch (number) {
    case SYS_connect:
        return shim_connect((int)a[0], (const struct sockaddr *)a[1], (socklen_t)a[2]);
    case SYS_getsockname:
        return shim_getsockname((int)a[0], (struct sockaddr *)a[1], (socklen_t *)a[2]);
    case SYS_getpeername:
        return shim_getpeername((int)a[0], (struct sockaddr *)a[1], (socklen_t *)a[2]);
    case SYS_getsockopt:
        return shim_getsockopt((int)a[0], (int)a[1], (int)a[2], (void *)a[3], (socklen_t *)a[4]);
    case SYS_setsockopt:
        return shim_setsockopt((int)a[0], (int)a[1], (int)a[2], (const void *)a[3], (socklen_t)a[4]);
    case SYS_epoll_ctl:
        return shim_epoll_ctl((int)a[0], (int)a[1], (int)a[2], (struct epoll_event *)a[3]);
    case SYS_sendto:
        return shim_sendto((int)a[0], (const void *)a[1], (size_t)a[2], (int)a[3], (const struct sockaddr *)a[4], (socklen_t)a[5]);
    case SYS_sendmsg:
        return shim_sendmsg((int)a[0], (const struct msghdr *)a[1], (int)a[2]);
    case SYS_recvfrom:
        return shim_recvfrom((int)a[0], (void *)a[1], (size_t)a[2], (int)a[3], (struct sockaddr *)a[4], (socklen_t *)a[5]);
    case SYS_recvmsg:
        return shim_recvmsg((int)a[0], (struct msghdr *)a[1], (int)a[2]);
    case SYS_shutdown:
        return shim_shutdown((int)a[0], (int)a[1]);
    case SYS_dup:
        return shim_dup((int)a[0]);
#ifdef SYS_dup2
    case SYS_dup2:
        return shim_dup2((int)a[0], (int)a[1]);
#endif
    case SYS_dup3:
        return shim_dup3((int)a[0], (int)a[1], (int)a[2]);
    case SYS_fcntl:
        return shim_fcntl((int)a[0], (int)a[1], a[2]);
    case SYS_close:
        return shim_close((int)a[0]);
    case SYS_close_range:
        return shim_close_range((unsigned)a[0], (unsigned)a[1], (int)a[2]);
    default:
        return libc_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
    }
}

/* How many arguments were given is not known; reading six is what libc does, too. */
SHIM_EXPORT long syscall(long number, ...)
{
    long a[6];
    va_list arguments;
    va_start(arguments, number);
    for (int i = 0; i < 6; i++)
        a[i] = va_arg(arguments, long);
    va_end(arguments);
    return shim_pass() ? libc_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]) : dispatch(number, a);
}
