/* dup.c - dup() and its kin: remember which sockets have several descriptors, and notice one that is closed by another's
 * taking its number. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <unistd.h>
#include "doubles.h"
#include "hook.h"

int shim_dup(int fd)
{
    if (!shim_pass())
        shim_doubled(fd);              /* before there is a second one: another thread may connect */
    return libc_dup(fd);
}

/* What had the number `to` is closed without close(). */
static int onto(int from, int to, int flags, bool same_allowed)
{
    struct shim_socket *before = shim_pass() || from == to ? NULL : shim_socket_of(to);
    if (!shim_pass() && from != to)
        shim_doubled(from);
    int result = same_allowed ? libc_dup2(from, to) : libc_dup3(from, to, flags), kept = errno;
    if (before) {
        if (result >= 0)
            shim_closed(before);
        shim_socket_release(before);
    }
    errno = kept;
    return result;
}

int shim_dup2(int from, int to) { return onto(from, to, 0, true); }
int shim_dup3(int from, int to, int flags) { return onto(from, to, flags, false); }

int shim_fcntl(int fd, int command, long argument)
{
    if ((command == F_DUPFD || command == F_DUPFD_CLOEXEC) && !shim_pass())
        shim_doubled(fd);
    return libc_fcntl(fd, command, argument);
}

SHIM_EXPORT int dup(int fd) { return shim_dup(fd); }
SHIM_EXPORT int dup2(int from, int to) { return shim_dup2(from, to); }
SHIM_EXPORT int dup3(int from, int to, int flags) { return shim_dup3(from, to, flags); }

SHIM_EXPORT int fcntl(int fd, int command, ...)
{
    va_list arguments;
    va_start(arguments, command);
    long argument = va_arg(arguments, long);
    va_end(arguments);
    return shim_fcntl(fd, command, argument);
}

/* What programs with 64-bit file offsets call; the same on the machines that we know. */
SHIM_EXPORT int fcntl64(int fd, int command, ...)
{
    va_list arguments;
    va_start(arguments, command);
    long argument = va_arg(arguments, long);
    va_end(arguments);
    return shim_fcntl(fd, command, argument);
}
