/* recv.c - the receive family: nothing ever waits in a TCP error queue here, a failed connect's error is what the first
 * receive reports, and MSG_TRUNC discards. */
#include <errno.h>
#include "doubles.h"
#include "hook.h"

static bool is_ours(int fd)
{
    struct shim_socket *s = shim_pass() ? NULL : shim_socket_of(fd);
    if (s)
        shim_socket_release(s);
    return s != NULL;
}

/* MSG_ERRQUEUE on AF_UNIX would return data. */
static bool error_queue(int fd, int flags)
{
    if (!(flags & MSG_ERRQUEUE) || !is_ours(fd))
        return false;
    errno = EAGAIN;
    return true;
}

/* The pair says ECONNRESET where a connect failed with something else. */
static ssize_t corrected(int fd, ssize_t n)
{
    if (n >= 0 || errno != ECONNRESET || shim_pass())
        return n;
    struct shim_socket *s = shim_socket_of(fd);
    int error = s ? shim_take_error(s) : 0;
    if (s)
        shim_socket_release(s);
    errno = error ? error : ECONNRESET;
    return n;
}

/* TCP throws bytes away that are received with MSG_TRUNC, whatever the buffer is; AF_UNIX would fill it. */
static bool discards(int fd, int flags) { return flags & MSG_TRUNC && !(flags & MSG_PEEK) && is_ours(fd); }

static ssize_t discard(int fd, size_t bytes, int flags)
{
    char nowhere[16384];
    size_t done = 0;
    ssize_t n;
    do {
        n = libc_recv(fd, nowhere, bytes - done < sizeof nowhere ? bytes - done : sizeof nowhere,
                      (flags & ~MSG_TRUNC) | (done ? MSG_DONTWAIT : 0));
        done += n > 0 ? (size_t)n : 0;
    } while (n > 0 && done < bytes);
    return done ? (ssize_t)done : corrected(fd, n);
}

ssize_t shim_recvfrom(int fd, void *data, size_t bytes, int flags, struct sockaddr *addr, socklen_t *len)
{
    if (error_queue(fd, flags))
        return -1;
    if (discards(fd, flags)) {
        if (addr && len)
            *len = 0;
        return discard(fd, bytes, flags);
    }
    return corrected(fd, libc_recvfrom(fd, data, bytes, flags, addr, len));
}

ssize_t shim_recvmsg(int fd, struct msghdr *message, int flags)
{
    if (error_queue(fd, flags))
        return -1;
    ssize_t n = corrected(fd, libc_recvmsg(fd, message, flags));
    if (n >= 0 && !shim_pass())
        shim_doubled_received(message);
    return n;
}

SHIM_EXPORT ssize_t recv(int fd, void *data, size_t bytes, int flags)
{
    return shim_recvfrom(fd, data, bytes, flags, NULL, NULL);
}

SHIM_EXPORT ssize_t recvfrom(int fd, void *restrict data, size_t bytes, int flags, struct sockaddr *restrict addr,
                             socklen_t *restrict len)
{
    return shim_recvfrom(fd, data, bytes, flags, addr, len);
}

/* What programs call that are compiled with _FORTIFY_SOURCE, as Debian's are: too small a buffer ends the program, in libc. */
ssize_t __recv_chk(int fd, void *data, size_t bytes, size_t room, int flags);
ssize_t __recvfrom_chk(int fd, void *restrict data, size_t bytes, size_t room, int flags, struct sockaddr *restrict addr,
                       socklen_t *restrict len);

SHIM_EXPORT ssize_t __recv_chk(int fd, void *data, size_t bytes, size_t room, int flags)
{
    if (bytes > room)
        return libc___recv_chk(fd, data, bytes, room, flags);
    return shim_recvfrom(fd, data, bytes, flags, NULL, NULL);
}

SHIM_EXPORT ssize_t __recvfrom_chk(int fd, void *restrict data, size_t bytes, size_t room, int flags, struct sockaddr *restrict addr,
                                   socklen_t *restrict len)
{
    if (bytes > room)
        return libc___recvfrom_chk(fd, data, bytes, room, flags, addr, len);
    return shim_recvfrom(fd, data, bytes, flags, addr, len);
}

SHIM_EXPORT ssize_t recvmsg(int fd, struct msghdr *message, int flags) { return shim_recvmsg(fd, message, flags); }

SHIM_EXPORT int recvmmsg(int fd, struct mmsghdr *messages, unsigned int n, int flags, struct timespec *timeout)
{
    if (error_queue(fd, flags))
        return -1;
    int received = (int)corrected(fd, libc_recvmmsg(fd, messages, n, flags, timeout));
    for (int i = 0; i < received && !shim_pass(); i++)
        shim_doubled_received(&messages[i].msg_hdr);
    return received;
}
