/* shutdown.c - shutdown() works on the pair; what was asked for is remembered, and before a connection is up TCP has
 * nothing to shut. */
#include <errno.h>
#include "hook.h"

int shim_shutdown(int fd, int how)
{
    struct shim_socket *s = shim_pass() ? NULL : shim_socket_of(fd);
    if (!s)
        return libc_shutdown(fd, how);
    int result = -1, error = ENOTCONN;
    enum shim_state state = shim_state(s);
    if (state == SHIM_UP || state == SHIM_TCP_IDLE || state == SHIM_TCP_RELAYING) {
        result = libc_shutdown(fd, how);
        error = errno;
    }
    if (result == 0)
        atomic_fetch_or(&s->shared->shut, how == SHUT_RDWR ? 3u : how == SHUT_WR ? 2u : 1u);
    shim_socket_release(s);
    errno = error;
    return result;
}

SHIM_EXPORT int shutdown(int fd, int how) { return shim_shutdown(fd, how); }
