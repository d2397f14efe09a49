/* open.c - a server's beginning and end. */
#include <errno.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>
#include "address.h"
#include "keyset.h"
#include "server.h"

void msk_log(const struct msk_server *s, enum msk_log_level level, const char *format, ...)
{
    char line[MSK_ERROR_BYTES + 64];
    va_list args;
    if (!s->log)
        return;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    s->log(s->log_arg, level, line);
}

/* An address that is there already, or that one of both families covers. */
static bool covered(const struct msk_server *s, const struct sockaddr_storage *a)
{
    for (size_t i = 0; i < s->n_listens; i++) {
        const struct msk_listen *l = &s->listens[i];
        uint8_t bytes[16];
        if (l->port.port != msk_address_port(a) || l->port.port == 0)
            continue;
        if (l->any && msk_address_any(a) && l->port.family == 0)
            return true;
        if (l->address.ss_family == a->ss_family && msk_address_bytes(a, bytes) && memcmp(bytes, l->port.addr, sizeof bytes) == 0)
            return true;
    }
    return false;
}

static bool add_listen(struct msk_server *s, const struct sockaddr_storage *a, char *error, size_t error_bytes)
{
    char where[64], why[MSK_ERROR_BYTES];
    struct msk_listen *l = &s->listens[s->n_listens];
    if (covered(s, a))
        return true;
    if (s->n_listens == MSK_LISTENS_MAX) {
        snprintf(error, error_bytes, "more than %d listen addresses", MSK_LISTENS_MAX);
        errno = EINVAL;
        return false;
    }
    l->guard = trk_guard_open((const struct sockaddr *)a, msk_address_length(a), TRK_GUARD_ALL, 0, why, sizeof why);
    if (l->guard < 0) {
        int saved = errno;
        msk_address_format(a, where, sizeof where);
        snprintf(error, error_bytes, "cannot listen on %s: %s", where, saved == EADDRINUSE ? "another program has this port" : why);
        errno = saved;
        return false;
    }
    socklen_t length = sizeof l->address;
    getsockname(l->guard, (struct sockaddr *)&l->address, &length);
    l->any = msk_address_any(&l->address);
    l->port.family = msk_address_bytes(&l->address, l->port.addr);
    l->port.port = msk_address_port(&l->address);
    if (l->any && l->port.family == 6)
        l->port.family = 0;
    s->n_listens++;
    return true;
}

/* Addresses of both families first, so that they cover their 0.0.0.0. */
static bool open_listens(struct msk_server *s, const struct msk_options *o, char *error, size_t error_bytes)
{
    struct sockaddr_storage a;
    if (o->n_listen == 0) {
        snprintf(error, error_bytes, "no listen address");
        errno = EINVAL;
        return false;
    }
    for (int both = 1; both >= 0; both--)
        for (size_t i = 0; i < o->n_listen; i++) {
            if (!msk_address_parse(o->listen[i], &a, error, error_bytes)) {
                errno = EINVAL;
                return false;
            }
            bool is_both = a.ss_family == AF_INET6 && msk_address_any(&a);
            if (is_both == both && !add_listen(s, &a, error, error_bytes))
                return false;
        }
    return true;
}

static bool open_queue(struct msk_server *s, char *error, size_t error_bytes)
{
    struct epoll_event e = { .events = EPOLLIN, .data.u32 = MSK_LINKS_MAX };
    s->epoll = epoll_create1(EPOLL_CLOEXEC);
    s->watch = trk_watch_open();
    if (s->epoll < 0 || s->watch < 0 || epoll_ctl(s->epoll, EPOLL_CTL_ADD, s->watch, &e) != 0 || !msk_locals_update(s)) {
        int saved = errno;
        snprintf(error, error_bytes, "cannot watch interfaces: %s", trk_route_why(saved));
        errno = saved;
        return false;
    }
    return true;
}

static bool open_keys(struct msk_server *s, const struct msk_options *o, char *error, size_t error_bytes)
{
    struct msk_keys random;
    const struct msk_keys *keys = o->keys;
    if (!keys) {
        msk_keys_random(&random);
        keys = &random;
    }
    int rc = msk_set_keys(s, keys);
    if (rc != 0) {
        snprintf(error, error_bytes, "bad key set: %s", msk_keys_problem(keys));
        errno = -rc;
    }
    sodium_memzero(&random, sizeof random);
    return rc == 0;
}

static bool open_capture(struct msk_server *s, const char *path, char *error, size_t error_bytes)
{
    char why[MSK_ERROR_BYTES];
    if (!path)
        return true;
    s->capture = trk_capture_open(path, why, sizeof why);
    if (!s->capture)
        snprintf(error, error_bytes, "cannot capture to %s: %s", path, why);
    return s->capture != NULL;
}

/* Everything resident from the start: then memory does not grow with use, and one can see that it does not. */
static void touch(volatile uint8_t *memory, size_t bytes)     /* zeroed memory */
{
    for (size_t i = 0; i < bytes; i += 1024)
        memory[i] = 0;
}

struct msk_server *msk_open(const struct msk_options *o, char *error, size_t error_bytes)
{
    struct msk_server *s = calloc(1, sizeof *s);
    if (s)
        touch((volatile uint8_t *)s, sizeof *s);
    uint32_t minisockets = o->minisockets ? o->minisockets : MSK_MINISOCKETS_DEFAULT;
    if (minisockets < 2 || minisockets > MSK_MINISOCKETS_MAX) {
        snprintf(error, error_bytes, "%u minisockets: 2 to %u can live at once", (unsigned)minisockets, (unsigned)MSK_MINISOCKETS_MAX);
        free(s);
        errno = EINVAL;
        return NULL;
    }
    if (!s || sodium_init() < 0 || !msk_outbox_open(&s->outbox) || !msk_slots_open(s, minisockets)) {
        snprintf(error, error_bytes, "out of memory, or no random numbers");
        if (s)
            msk_outbox_close(&s->outbox);
        free(s);
        errno = ENOMEM;
        return NULL;
    }
    s->epoll = s->watch = -1;
    s->horizon_ms = o->horizon_ms;
    s->skew_ms = o->skew_ms;
    s->extracted_life_ms = o->extracted_life_ms;
    s->log = o->log;
    s->log_arg = o->log_arg;
    if (open_keys(s, o, error, error_bytes) && open_listens(s, o, error, error_bytes) && open_capture(s, o->capture, error, error_bytes) &&
        msk_filter_open(s, o, error, error_bytes) && open_queue(s, error, error_bytes) && msk_links_update(s, error, error_bytes))
        return s;
    int saved = errno;
    msk_close(s);
    errno = saved;
    return NULL;
}

void msk_close(struct msk_server *s)
{
    if (!s)
        return;
    msk_outbox_flush(s);
    msk_links_close(s);
    msk_outbox_close(&s->outbox);
    msk_slots_close(&s->slots);
    msk_filter_close(s);
    for (size_t i = 0; i < s->n_listens; i++)
        close(s->listens[i].guard);
    if (s->watch >= 0)
        close(s->watch);
    if (s->epoll >= 0)
        close(s->epoll);
    if (s->capture)
        trk_capture_close(s->capture);
    trk_keys_wipe(&s->keys);
    free(s);
}

int msk_set_keys(struct msk_server *s, const struct msk_keys *keys)
{
    if (s->current)
        return -EBUSY;                 /* the event's proof points into the old ones */
    int rc = msk_keys_derive(keys, &s->keys);
    if (rc == 0)
        msk_slots_rekey(s);
    return rc;
}

int msk_listen_address(const struct msk_server *s, size_t i, struct sockaddr_storage *out)
{
    if (i >= s->n_listens)
        return -ERANGE;
    *out = s->listens[i].address;
    return 0;
}

int msk_fd(const struct msk_server *s) { return s->epoll; }
