/* master.c - the master's loop: signals, interfaces, its workers (lives.c), its successor (succession.c). It reads no packet. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "master.h"

int64_t msk_monotonic_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Workers without the new ones' sockets are replaced by workers that have them. */
static void look_at_interfaces(struct master *m)
{
    char error[MSK_ERROR_BYTES];
    bool opened;
    trk_watch_drain(m->group.watch);
    if (!msk_sockets_update(&m->group, NULL, &opened, error, sizeof error))
        msk_group_log(&m->group, MSK_LOG_WARNING, "%s; waiting for one", error);
    if (opened)
        msk_lives_retire(m);
}

void msk_master_close_descriptors(const struct master *m)
{
    const int all[] = { m->signals, m->control, m->successor, m->pool.peer };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i] >= 0)
            close(all[i]);
}

static void reload(struct master *m)
{
    const struct msk_workers *w = m->group.workers;
    struct msk_keys keys;
    if (w->reload && w->reload(&keys, w->arg) == 0)
        msk_group_set_keys(&m->group, &keys);
    sodium_memzero(&keys, sizeof keys);
}

static void on_signal(struct master *m)
{
    struct signalfd_siginfo info;
    while (read(m->signals, &info, sizeof info) == (ssize_t)sizeof info)
        switch (info.ssi_signo) {
        case SIGTERM:
        case SIGINT:
            m->ending = true;
            break;
        case SIGHUP:
            reload(m);
            break;
        case SIGUSR1:
            if (m->lives[0].pid > 0)
                kill(m->lives[0].pid, SIGUSR1);
            break;
        case SIGUSR2:
            msk_successor_start(m);
            break;
        }
}

/* While all is quiet, what comes for a worker wakes the master as well, once: then it looks whether the worker takes it. */
static void one_round(struct master *m)
{
    struct pollfd p[4 + MSK_LINKS_MAX * MSK_WORKERS_MAX] = {
        { .fd = m->signals, .events = POLLIN }, { .fd = m->group.watch, .events = POLLIN },
        { .fd = m->control, .events = POLLIN }, { .fd = m->successor, .events = POLLIN },
    };
    nfds_t n = 4;
    for (size_t i = 0; !m->busy && i < m->group.n_sockets; i++)
        for (unsigned w = 0; w < m->group.n; w++)
            p[n++] = (struct pollfd){ .fd = m->group.sockets[i].fds[w], .events = POLLIN };
    poll(p, n, msk_lives_patience(m));
    if (p[0].revents)
        on_signal(m);
    if (p[1].revents)
        look_at_interfaces(m);
    if (p[2].revents)
        msk_successor_meet(m);
    if (p[3].revents)
        msk_successor_hear(m);
    msk_lives_reap(m);
    msk_successor_reap(m);
    if (!m->ending) {
        msk_lives_start_due(m);
        msk_lives_look(m);
    }
}

static bool open_signals(struct master *m, sigset_t *before, char *error, size_t error_bytes)
{
    static const int ours[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGCHLD };
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        sigaddset(&set, ours[i]);
    sigprocmask(SIG_BLOCK, &set, before);
    m->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (m->signals < 0)
        snprintf(error, error_bytes, "no descriptor for signals: %s", strerror(errno));
    return m->signals >= 0;
}

/* From a predecessor, if one serves; its absence is no error. */
static bool take_over(struct master *m, char *error, size_t error_bytes)
{
    const char *path = m->group.workers->control;
    return !path || msk_pool_receive(&m->pool, path, error, error_bytes) || errno == ENOENT || errno == ECONNREFUSED;
}

static void say_ready(struct master *m)
{
    const struct msk_workers *w = m->group.workers;
    struct sockaddr_storage addresses[MSK_LISTENS_MAX];
    if (m->pool.peer >= 0)
        (void)!send(m->pool.peer, "", 1, MSG_NOSIGNAL);
    msk_pool_close(&m->pool);          /* a predecessor's sockets that nobody wants any more */
    for (size_t i = 0; i < m->group.listens.n; i++)
        addresses[i] = m->group.listens.at[i].address;
    if (w->ready)
        w->ready(addresses, m->group.listens.n, w->arg);
}

int msk_run_workers(const struct msk_workers *w, char *error, size_t error_bytes)
{
    sigset_t before;
    if (w->n == 0 || w->n > MSK_WORKERS_MAX || !w->options || !w->run) {
        snprintf(error, error_bytes, "1 to %d workers, with options and a program", MSK_WORKERS_MAX);
        return -EINVAL;
    }
    struct master *m = calloc(1, sizeof *m);
    if (!m) {
        snprintf(error, error_bytes, "out of memory");
        return -ENOMEM;
    }
    m->signals = m->control = m->successor = m->pool.peer = -1;
    m->group.workers = w;
    bool ok = take_over(m, error, error_bytes) && msk_group_open(&m->group, w, &m->pool, error, error_bytes);
    int rc = ok ? 0 : -errno;
    if (ok) {
        if (open_signals(m, &before, error, error_bytes) && msk_succession_open(m, error, error_bytes)) {
            msk_lives_start_due(m);
            say_ready(m);
            while (!m->ending)
                one_round(m);
            msk_lives_end(m);
            msk_succession_close(m);
        } else
            rc = -errno;
        msk_group_close(&m->group);
        sigprocmask(SIG_SETMASK, &before, NULL);
    }
    msk_pool_close(&m->pool);
    msk_master_close_descriptors(m);
    free(m);
    return rc;
}
