/* close.c - close() and the calls that close many: ours are spared, and SO_LINGER with a time waits. */
#include <errno.h>
#include <limits.h>
#include <time.h>
#include <unistd.h>
#include "engine.h"
#include "hook.h"

#define LINGER_STEP_MS 5
#define HOLD_WAIT_MS   100

/* Wait until what was written has been taken by the server, as the kernel does for its acknowledgement. */
static void linger(struct shim_socket *s)
{
    struct linger wanted = { 0 };
    socklen_t len = sizeof wanted;
    int other[2];
    if (!s->engine_holds)
        return;                        /* a forked child: its parent has the socket, too */
    libc_getsockopt(shim_hidden_fd(&s->kernel), SOL_SOCKET, SO_LINGER, &wanted, &len);
    if (!wanted.l_onoff || !wanted.l_linger || shim_state(s) != SHIM_UP || shim_fds_of(s->ino, s->fd, other, 2) > 1)
        return;
    for (long waited_ms = 0; waited_ms < wanted.l_linger * 1000L; waited_ms += LINGER_STEP_MS) {
        struct timespec step = { .tv_nsec = LINGER_STEP_MS * 1000000 };
        shim_engine_query(s);
        if (atomic_load(&s->shared->unsent_bytes) == 0 || shim_state(s) != SHIM_UP)
            return;
        nanosleep(&step, NULL);
    }
}

/* While connecting the engine has a copy of the application's end: only when that is closed too, epoll forgets the
 * socket and the engine learns that it is closed. */
static void let_go(struct shim_socket *s)
{
    struct timespec limit = { .tv_nsec = HOLD_WAIT_MS * 1000000 };
    struct shim_message message = { .command = SHIM_HINT, .socket = s };
    if (!s->engine_holds || !atomic_load(&s->shared->held))
        return;
    if (shim_engine_tell(&message, NULL, 0))
        shim_futex_wait(&s->shared->held, 1, &limit);
}

void shim_closed(struct shim_socket *s)
{
    let_go(s);
    struct shim_kept kept;
    shim_lock(&kept);
    if (atomic_load(&s->shared->finished))
        shim_socket_reap(s);
    shim_sockets_reap_some();          /* what was closed before this one, and is finished by now */
    shim_unlock(&kept);
}

static int close_ours(struct shim_socket *s, int fd)
{
    linger(s);
    int result = libc_close(fd), kept = errno;
    shim_closed(s);
    errno = kept;
    return result;
}

int shim_close(int fd)
{
    if (shim_pass())
        return libc_close(fd);
    if (shim_fd_is_hidden(fd)) {       /* a loop over all numbers: for the program there is nothing here */
        errno = EBADF;
        return -1;
    }
    struct shim_socket *s = shim_socket_of(fd);
    if (!s)
        return libc_close(fd);
    int result = close_ours(s, fd), kept = errno;
    shim_socket_release(s);
    errno = kept;
    return result;
}

/* The ranges between hidden numbers. */
int shim_close_range(unsigned int first, unsigned int last, int flags)
{
    long hidden;
    if (shim_pass() || flags & CLOSE_RANGE_CLOEXEC || first > last)
        return libc_close_range(first, last, flags);
    while ((hidden = shim_next_hidden(first, last)) >= 0) {
        if ((unsigned)hidden > first && libc_close_range(first, (unsigned)hidden - 1, flags) < 0)
            return -1;
        if ((unsigned)hidden == last)
            return 0;
        first = (unsigned)hidden + 1;
    }
    return libc_close_range(first, last, flags);
}

SHIM_EXPORT int close(int fd) { return shim_close(fd); }

SHIM_EXPORT int close_range(unsigned int first, unsigned int last, int flags)
{
    return shim_close_range(first, last, flags);
}

SHIM_EXPORT void closefrom(int low)
{
    shim_close_range(low < 0 ? 0 : (unsigned)low, UINT_MAX, 0);
}
