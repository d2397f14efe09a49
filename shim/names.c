/* names.c - getsockname() and getpeername(): the TCP endpoints, not the pair's. */
#include <errno.h>
#include <string.h>
#include <time.h>
#include "hook.h"

#define PORT_WAIT_MS 100               /* between connect() and the engine's choice of a port */

static int give(const union shim_address *from, socklen_t bytes, struct sockaddr *addr, socklen_t *len)
{
    if (!len || (!addr && *len)) {
        errno = EFAULT;
        return -1;
    }
    if ((int)*len < 0) {
        errno = EINVAL;
        return -1;
    }
    if (*len)
        memcpy(addr, from, *len < bytes ? *len : bytes);
    *len = bytes;
    return 0;
}

static int local_name(struct shim_socket *s, struct sockaddr *addr, socklen_t *len)
{
    struct timespec limit = { .tv_nsec = PORT_WAIT_MS * 1000000 };
    bool connecting = shim_state(s) == SHIM_CONNECTING || shim_state(s) == SHIM_TCP_CONNECTING;
    if (connecting && !atomic_load(&s->shared->local_known))
        shim_futex_wait(&s->shared->local_known, 0, &limit);
    if (atomic_load(&s->shared->local_known))
        return give(&s->shared->local, s->shared->name_bytes, addr, len);
    return libc_getsockname(shim_hidden_fd(&s->kernel), addr, len);
}

int shim_getsockname(int fd, struct sockaddr *addr, socklen_t *len)
{
    struct shim_socket *s = shim_pass() ? NULL : shim_socket_of(fd);
    if (!s)
        return libc_getsockname(fd, addr, len);
    int result = shim_give_back(s) ? libc_getsockname(fd, addr, len) : local_name(s, addr, len);
    int kept = errno;
    shim_socket_release(s);
    errno = kept;
    return result;
}

int shim_getpeername(int fd, struct sockaddr *addr, socklen_t *len)
{
    struct shim_socket *s = shim_pass() ? NULL : shim_socket_of(fd);
    if (!s)
        return libc_getpeername(fd, addr, len);
    int result = -1, error = ENOTCONN;
    if (shim_give_back(s)) {
        result = libc_getpeername(fd, addr, len);
        error = errno;
    } else {
        enum shim_state state = shim_state(s);
        if (state == SHIM_UP || state == SHIM_TCP_IDLE || state == SHIM_TCP_RELAYING) {
            result = give(&s->shared->peer, s->shared->name_bytes, addr, len);
            error = errno;
        }
    }
    shim_socket_release(s);
    errno = error;
    return result;
}

SHIM_EXPORT int getsockname(int fd, struct sockaddr *addr, socklen_t *len) { return shim_getsockname(fd, addr, len); }
SHIM_EXPORT int getpeername(int fd, struct sockaddr *addr, socklen_t *len) { return shim_getpeername(fd, addr, len); }
