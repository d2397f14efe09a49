/* connect.c - connect(): where a TCP socket becomes a Trickles connection. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <time.h>
#include <sys/time.h>
#include "address.h"
#include "bind.h"
#include "engine.h"
#include "hook.h"
#include "log.h"
#include "plain.h"

/* Whatever comes up, kernel TCP in `try`, an error in `require`. */
static int without_trickles(int fd, const struct sockaddr *addr, socklen_t len, const char *why)
{
    if (shim_config.mode == SHIM_REQUIRE) {
        shim_complain("%s (TRICKLES=require forbids TCP)", why);       /* errno is kept */
        return -1;
    }
    shim_log(SHIM_LOG_INFO, "%s; plain TCP", why);
    return libc_connect(fd, addr, len);
}

struct waiting { struct shim_binding *binding; int fd; };

/* The waiting thread was cancelled: the socket goes on connecting. */
static void leave(void *argument)
{
    struct waiting *w = argument;
    uint32_t waited = SHIM_WAITED;
    _Atomic uint32_t *state = &w->binding->socket->shared->state;
    if (atomic_compare_exchange_strong(state, &waited, SHIM_CONNECTING) || waited == SHIM_UP || waited == SHIM_RESET)
        shim_bind_swap(w->binding, w->fd);
    else
        shim_bind_drop(w->binding);
}

/* connect() is a cancellation point, and a futex none: only during that system call the thread may be cancelled at once. */
static int wait_for_state(struct shim_binding *b, int fd)
{
    struct timeval limit = { 0, 0 };
    socklen_t limit_len = sizeof limit;
    libc_getsockopt(b->app_end, SOL_SOCKET, SO_SNDTIMEO, &limit, &limit_len);
    struct timespec timeout = { .tv_sec = limit.tv_sec, .tv_nsec = limit.tv_usec * 1000 };
    bool limited = limit.tv_sec || limit.tv_usec;
    struct waiting waiting = { b, fd };
    int kind, result;
    pthread_cleanup_push(leave, &waiting);
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &kind);
    result = shim_futex_wait(&b->socket->shared->state, SHIM_WAITED, limited ? &timeout : NULL);
    pthread_setcanceltype(kind, NULL);
    pthread_cleanup_pop(0);
    return result;
}

/* Wait as the kernel would: a handler without SA_RESTART ends it with EINTR, SO_SNDTIMEO with EINPROGRESS; the
 * connection goes on being made in both cases, and the program polls. */
static int wait_connected(struct shim_binding *b, int fd, const struct sockaddr *addr, socklen_t len)
{
    _Atomic uint32_t *state = &b->socket->shared->state;
    if (wait_for_state(b, fd) < 0) {
        uint32_t waited = SHIM_WAITED;
        int error = errno == ETIMEDOUT ? EINPROGRESS : EINTR;
        if (atomic_compare_exchange_strong(state, &waited, SHIM_CONNECTING)) {
            shim_bind_swap(b, fd);
            errno = error;
            return -1;
        }
    }
    int error = shim_take_error(b->socket);
    switch (atomic_load(state)) {
    case SHIM_UP:
    case SHIM_RESET:
        atomic_store(&b->socket->shared->unread_connect, 0);
        shim_bind_swap(b, fd);
        return 0;
    case SHIM_FALLBACK:
        shim_bind_drop(b);
        return libc_connect(fd, addr, len);
    default:
        shim_bind_drop(b);
        errno = error ? error : ECONNABORTED;
        return -1;
    }
}

static int connect_first(int fd, const struct sockaddr *addr, socklen_t len, const union shim_address *peer)
{
    struct shim_binding binding;
    const char *why = shim_config.mode == SHIM_TRY ? shim_plain_why(peer) : NULL;
    if (why)
        return without_trickles(fd, addr, len, why);
    bool polls = libc_fcntl(fd, F_GETFL, 0) & O_NONBLOCK;
    if (!shim_bind(fd, peer, polls ? SHIM_CONNECTING : SHIM_WAITED, &binding, &why))
        return without_trickles(fd, addr, len, why);
    if (!polls)
        return wait_connected(&binding, fd, addr, len);
    shim_bind_swap(&binding, fd);
    errno = EINPROGRESS;
    return -1;
}

/* AF_UNSPEC: reset the connection; the socket can be connected again. So after a failed one. */
static int disconnect(struct shim_socket *s)
{
    struct shim_message message = { .command = SHIM_ABORT, .socket = s };
    struct sockaddr none = { .sa_family = AF_UNSPEC };
    struct shim_kept kept;
    atomic_store(&s->shared->state, SHIM_GIVEN_BACK);          /* the engine leaves the kernel socket alone */
    shim_engine_tell(&message, NULL, 0);
    shim_lock(&kept);
    int kernel = shim_hidden_fd(&s->kernel), fd;
    bool ok = kernel >= 0 && shim_fds_of(s->ino, s->fd, &fd, 1) == 1;
    if (ok) {
        libc_connect(kernel, &none, sizeof none);
        shim_copy_flags(fd, kernel);
        shim_fds_replace(s->ino, s->fd, kernel);
        shim_socket_remove(s);
    }
    shim_unlock(&kept);
    if (!ok)
        errno = EBADF;
    return ok ? 0 : -1;
}

static int result_of_failure(struct shim_socket *s, int fd, const struct sockaddr *addr, socklen_t len)
{
    int error = shim_take_error(s);
    if (error) {
        errno = error;
        return -1;
    }
    return disconnect(s) < 0 ? -1 : shim_connect(fd, addr, len);
}

static int connect_again(struct shim_socket *s, int fd, const struct sockaddr *addr, socklen_t len)
{
    if (addr && len >= sizeof(sa_family_t) && addr->sa_family == AF_UNSPEC)
        return disconnect(s);
    shim_give_back(s);
    switch (shim_state(s)) {
    case SHIM_CONNECTING:
    case SHIM_TCP_CONNECTING:
        errno = EALREADY;
        return -1;
    case SHIM_FAILED:
        return result_of_failure(s, fd, addr, len);
    default:
        if (atomic_exchange(&s->shared->unread_connect, 0))
            return 0;                  /* the first call after EINPROGRESS reports success */
        errno = EISCONN;
        return -1;
    }
}

int shim_connect(int fd, const struct sockaddr *addr, socklen_t len)
{
    union shim_address peer;
    if (shim_pass())
        return libc_connect(fd, addr, len);
    struct shim_socket *s = shim_socket_of(fd);
    if (s) {
        int result = connect_again(s, fd, addr, len), kept = errno;
        shim_socket_release(s);
        errno = kept;
        return result;
    }
    if (!shim_eligible(fd, addr, len, &peer))
        return libc_connect(fd, addr, len);
    return connect_first(fd, addr, len, &peer);
}

SHIM_EXPORT int connect(int fd, const struct sockaddr *addr, socklen_t len) { return shim_connect(fd, addr, len); }
