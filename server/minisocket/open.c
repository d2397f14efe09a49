/* open.c - a server's beginning and end. */
#include <errno.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>
#include "address.h"
#include "keyset.h"
#include "group.h"

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

/* A worker's guards stay with the process that all workers come from, and outlive it. */
static bool open_listens(struct msk_server *s, const struct msk_options *o, char *error, size_t error_bytes)
{
    if (!s->group)
        return msk_listens_open(&s->listens, o, NULL, error, error_bytes);
    s->listens = s->group->listens;
    for (size_t i = 0; i < s->listens.n; i++)
        s->listens.at[i].guard = -1;
    return true;
}

static bool open_filter(struct msk_server *s, const struct msk_options *o, char *error, size_t error_bytes)
{
    if (!s->group && !msk_memory_open(&s->memory, o, false, NULL, error, error_bytes))
        return false;
    s->filter = s->group ? s->group->memory.filter : s->memory.filter;
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
    if (s->group)
        return msk_group_keys(s);
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
    char why[MSK_ERROR_BYTES], own[4096];
    if (!path)
        return true;
    if (s->group) {                    /* two processes cannot write into one file */
        snprintf(own, sizeof own, "%s.%u", path, s->worker);
        path = own;
    }
    s->capture = trk_capture_open(path, why, sizeof why);
    if (!s->capture)
        snprintf(error, error_bytes, "cannot capture to %s: %s", path, why);
    return s->capture != NULL;
}

static bool open_cache(struct msk_server *s, const struct msk_options *o, char *error, size_t error_bytes)
{
    if (!o->cache_bytes)
        return true;
    void *memory = mmap(NULL, o->cache_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    s->memo = memory != MAP_FAILED ? trk_memo_create(memory, o->cache_bytes, &s->tally->cache) : NULL;
    if (!s->memo) {
        snprintf(error, error_bytes, "cache memory: at least 4096 bytes, or 0 for none");
        errno = o->cache_bytes < TRK_MEMO_BYTES_MIN ? EINVAL : ENOMEM;
    }
    s->memo_bytes = o->cache_bytes;
    return s->memo != NULL;
}

/* Everything resident from the start: then memory does not grow with use, and one can see that it does not. */
static void touch(volatile uint8_t *memory, size_t bytes)     /* zeroed memory */
{
    for (size_t i = 0; i < bytes; i += 1024)
        memory[i] = 0;
}

struct msk_server *msk_open_as(const struct msk_options *o, struct msk_group *group, unsigned worker, char *error, size_t error_bytes)
{
    struct msk_server *s = calloc(1, sizeof *s);
    if (s)
        touch((volatile uint8_t *)s, sizeof *s);
    if (s && o->application && strlen(o->application) > MSK_APPLICATION_MAX) {       /* two that begin alike must not be one */
        snprintf(error, error_bytes, "an application's name has at most %d bytes", MSK_APPLICATION_MAX);
        free(s);
        errno = EINVAL;
        return NULL;
    }
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
    s->epoll = s->watch = s->memory.fd = s->wake = -1;
    s->group = group;
    s->worker = worker;
    s->tally = group ? &group->block->slots[worker].tally : &s->own;
    s->horizon_ms = o->horizon_ms;
    s->skew_ms = o->skew_ms;
    s->extracted_life_ms = o->extracted_life_ms;
    snprintf(s->application, sizeof s->application, "%s", o->application ? o->application : "");
    s->log = o->log;
    s->log_arg = o->log_arg;
    if (open_cache(s, o, error, error_bytes) && open_keys(s, o, error, error_bytes) && open_listens(s, o, error, error_bytes) && open_capture(s, o->capture, error, error_bytes) &&
        open_filter(s, o, error, error_bytes) && open_queue(s, error, error_bytes) && msk_links_update(s, error, error_bytes))
        return s;
    int saved = errno;
    msk_close(s);
    errno = saved;
    return NULL;
}

int msk_check(const struct msk_options *o, char *error, size_t error_bytes)
{
    struct sockaddr_storage a;
    const char *problem = o->keys ? msk_keys_problem(o->keys) : NULL;
    if (problem)
        snprintf(error, error_bytes, "bad key set: %s", problem);
    else if (o->n_listen == 0 || o->n_listen > MSK_LISTENS_MAX)
        snprintf(error, error_bytes, "1 to %d listen addresses", MSK_LISTENS_MAX);
    else if (o->application && strlen(o->application) > MSK_APPLICATION_MAX)
        snprintf(error, error_bytes, "an application's name has at most %d bytes", MSK_APPLICATION_MAX);
    else if (o->filter_bytes > 0 && o->filter_bytes < TRK_FILTER_BYTES_MIN)
        snprintf(error, error_bytes, "filter memory: at least 64 KiB, or 0 for none");
    else if (o->cache_bytes > 0 && o->cache_bytes < TRK_MEMO_BYTES_MIN)
        snprintf(error, error_bytes, "cache memory: at least 4096 bytes, or 0 for none");
    else {
        for (size_t i = 0; i < o->n_listen; i++)
            if (!msk_address_parse(o->listen[i], &a, error, error_bytes))
                return -EINVAL;
        return 0;
    }
    return -EINVAL;
}

struct msk_server *msk_open(const struct msk_options *o, char *error, size_t error_bytes)
{
    return msk_open_as(o, NULL, 0, error, error_bytes);
}

void msk_close(struct msk_server *s)
{
    if (!s)
        return;
    msk_outbox_flush(s);
    msk_links_close(s);
    msk_outbox_close(&s->outbox);
    msk_slots_close(&s->slots);
    msk_memory_close(&s->memory);
    if (s->memo)
        munmap(s->memo, s->memo_bytes);
    msk_listens_close(&s->listens);
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
    int rc = msk_keys_derive(keys, s->application, &s->keys);
    if (s->memo)
        trk_memo_clear(s->memo);
    s->keys.memo = s->memo;
    if (rc == 0)
        msk_slots_rekey(s);
    return rc;
}

int msk_listen_address(const struct msk_server *s, size_t i, struct sockaddr_storage *out)
{
    if (i >= s->listens.n)
        return -ERANGE;
    *out = s->listens.at[i].address;
    return 0;
}

int msk_fd(const struct msk_server *s) { return s->epoll; }
