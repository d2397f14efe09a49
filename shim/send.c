/* send.c - the send family, where TCP and an AF_UNIX stream differ: a name is ignored, control data and MSG_OOB mean
 * nothing to the peer, and the first write after a reset says ECONNRESET without a signal.
 * write() is not intercepted: after a reset it raises SIGPIPE at once. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include "hook.h"
#include "log.h"

static ssize_t send_plainly(int fd, const void *data, size_t bytes, int flags)
{
    return libc_send(fd, data, bytes, flags);
}

/* EPIPE: take the reset if it is still to be told, else the signal that MSG_NOSIGNAL kept away. */
static void broken(int fd, int flags)
{
    struct shim_socket *s = shim_socket_of(fd);
    int error = 0;
    socklen_t len = sizeof error;
    if (s) {
        error = shim_take_error(s);
        int pending = 0;
        libc_getsockopt(fd, SOL_SOCKET, SO_ERROR, &pending, &len);
        if (!error)
            error = pending;
        shim_socket_release(s);
    }
    if (!error && !(flags & MSG_NOSIGNAL))
        raise(SIGPIPE);
    errno = error ? error : EPIPE;
}

static int without_oob(int fd, int flags)
{
    struct shim_socket *s = flags & MSG_OOB ? shim_socket_of(fd) : NULL;
    if (!s)
        return flags;
    shim_socket_release(s);
    shim_log(SHIM_LOG_WARN, "descriptor %d: urgent data goes inline", fd);
    return flags & ~MSG_OOB;
}

ssize_t shim_sendto(int fd, const void *data, size_t bytes, int flags, const struct sockaddr *addr, socklen_t len)
{
    if (shim_pass() || !shim_sockets_any())
        return libc_sendto(fd, data, bytes, flags, addr, len);
    int plain = without_oob(fd, flags);
    struct shim_socket *s = addr ? shim_socket_of(fd) : NULL;
    ssize_t n;
    if (s) {                           /* connected: TCP ignores the name */
        shim_socket_release(s);
        n = send_plainly(fd, data, bytes, plain | MSG_NOSIGNAL);
    } else if (addr) {
        n = libc_sendto(fd, data, bytes, plain | MSG_NOSIGNAL, addr, len);
    } else {
        n = send_plainly(fd, data, bytes, plain | MSG_NOSIGNAL);
    }
    if (n < 0 && errno == EPIPE)
        broken(fd, flags);
    return n;
}

ssize_t shim_sendmsg(int fd, const struct msghdr *message, int flags)
{
    if (shim_pass() || !shim_sockets_any() || !message)
        return libc_sendmsg(fd, message, flags);
    struct msghdr plain = *message;
    struct shim_socket *s = message->msg_name || message->msg_control ? shim_socket_of(fd) : NULL;
    if (s) {
        plain.msg_name = plain.msg_control = NULL;
        plain.msg_namelen = 0;
        plain.msg_controllen = 0;
        shim_socket_release(s);
    }
    ssize_t n = libc_sendmsg(fd, &plain, without_oob(fd, flags) | MSG_NOSIGNAL);
    if (n < 0 && errno == EPIPE)
        broken(fd, flags);
    return n;
}

/* On a socket of ours one by one, as some may have to be changed. */
static int send_many(int fd, struct mmsghdr *messages, unsigned int n, int flags)
{
    struct shim_socket *s = shim_pass() ? NULL : shim_socket_of(fd);
    if (!s)
        return libc_sendmmsg(fd, messages, n, flags);
    shim_socket_release(s);
    unsigned int sent = 0;
    for (; sent < n; sent++) {
        ssize_t bytes = shim_sendmsg(fd, &messages[sent].msg_hdr, flags);
        if (bytes < 0)
            break;
        messages[sent].msg_len = (unsigned int)bytes;
    }
    return sent || !n ? (int)sent : -1;
}

SHIM_EXPORT ssize_t send(int fd, const void *data, size_t bytes, int flags)
{
    return shim_sendto(fd, data, bytes, flags, NULL, 0);
}

SHIM_EXPORT ssize_t sendto(int fd, const void *data, size_t bytes, int flags, const struct sockaddr *addr, socklen_t len)
{
    return shim_sendto(fd, data, bytes, flags, addr, len);
}

SHIM_EXPORT ssize_t sendmsg(int fd, const struct msghdr *message, int flags) { return shim_sendmsg(fd, message, flags); }

SHIM_EXPORT int sendmmsg(int fd, struct mmsghdr *messages, unsigned int n, int flags)
{
    return send_many(fd, messages, n, flags);
}
