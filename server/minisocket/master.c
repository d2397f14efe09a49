/* master.c - the process that all workers come from: it starts them, replaces those that end or hang, passes on signals, and
 * gives everything to its successor when there is one. It reads no packet. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "group.h"

#define SHORT_LIFE_MS   50             /* a worker that ends sooner is not replaced at once */
#define DELAY_FIRST_MS  10
#define DELAY_MAX_MS    5000
#define LOOK_MS         1000           /* how often it is seen whether workers take what waits for them */
#define HUNG_MS         3000           /* what waits, and nothing taken, for so long */
#define END_MS          5000           /* to end in, when told to */

struct life {                          /* of one worker's place */
    pid_t pid;                         /* 0: none now */
    int64_t began_ms, due_ms;          /* its beginning; when the next one may begin */
    int delay_ms;
    uint64_t rounds; int64_t idle_since_ms;          /* it has taken nothing that waits since then; 0: not so */
};

struct master {
    struct msk_group group;
    struct msk_pool pool;
    struct life lives[MSK_WORKERS_MAX];
    int signals, control, successor;   /* descriptors; successor: connected, and has not said that it serves */
    pid_t successor_pid; ino_t control_inode;
    int64_t looked_ms;
    bool interfaces_changed, ending;
};

static int64_t monotonic_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---------------- workers ---------------- */

/* All that run are replaced, one after the other by the loop. */
static void retire_workers(const struct master *m)
{
    for (unsigned i = 0; i < m->group.n; i++)
        if (m->lives[i].pid > 0)
            kill(m->lives[i].pid, SIGTERM);
}

static void look_at_interfaces(struct master *m)
{
    char error[MSK_ERROR_BYTES];
    bool opened;
    m->interfaces_changed = false;
    trk_watch_drain(m->group.watch);
    if (!msk_sockets_update(&m->group, NULL, &opened, error, sizeof error))
        msk_group_log(&m->group, MSK_LOG_WARNING, "%s; waiting for one", error);
    if (opened)
        retire_workers(m);
}

static void close_descriptors(const struct master *m)
{
    const int all[] = { m->signals, m->control, m->successor, m->pool.peer };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i] >= 0)
            close(all[i]);
}

static void start_worker(struct master *m, unsigned i)
{
    struct life *l = &m->lives[i];
    pid_t master = getpid();
    fflush(NULL);                      /* or both would write what is buffered */
    pid_t pid = fork();
    if (pid == 0) {
        close_descriptors(m);
        msk_worker_main(&m->group, i, master);
    }
    l->began_ms = monotonic_ms();
    l->idle_since_ms = 0;
    if (pid > 0) {
        l->pid = pid;
        msk_group_log(&m->group, MSK_LOG_INFO, "worker %u is process %ld", i, (long)pid);
        return;
    }
    msk_group_log(&m->group, MSK_LOG_ERROR, "cannot start worker %u: %s", i, strerror(errno));
    l->due_ms = l->began_ms + DELAY_MAX_MS;
}

static void start_due(struct master *m)
{
    int64_t now = monotonic_ms();
    for (unsigned i = 0; i < m->group.n; i++)
        if (m->lives[i].pid == 0 && m->lives[i].due_ms <= now)
            start_worker(m, i);
}

/* One that lived for a while is replaced at once: whatever ended it, the next may do better. */
static void bury(struct master *m, unsigned i, int status)
{
    struct life *l = &m->lives[i];
    int64_t now = monotonic_ms();
    bool fine = WIFEXITED(status) && WEXITSTATUS(status) == 0, brief = now - l->began_ms < SHORT_LIFE_MS && !fine;
    long pid = (long)l->pid;
    l->pid = 0;
    if (m->ending)
        return;
    l->delay_ms = !brief ? 0 : l->delay_ms == 0 ? DELAY_FIRST_MS : l->delay_ms < DELAY_MAX_MS / 2 ? 2 * l->delay_ms : DELAY_MAX_MS;
    l->due_ms = now + l->delay_ms;
    atomic_fetch_add(&m->group.block->replaced, 1);
    if (fine)
        msk_group_log(&m->group, MSK_LOG_INFO, "worker %u (process %ld) has ended; the next begins", i, pid);
    else
        msk_group_log(&m->group, MSK_LOG_WARNING, "worker %u (process %ld) %s %d; the next begins in %d ms", i, pid,
                      WIFSIGNALED(status) ? "was killed by signal" : "ended with status", WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), l->delay_ms);
}

/* Only our own children: the program may have others. */
static void reap(struct master *m)
{
    int status;
    for (unsigned i = 0; i < m->group.n; i++)
        if (m->lives[i].pid > 0 && waitpid(m->lives[i].pid, &status, WNOHANG) == m->lives[i].pid)
            bury(m, i, status);
    if (m->successor_pid > 0 && waitpid(m->successor_pid, &status, WNOHANG) == m->successor_pid) {
        msk_group_log(&m->group, MSK_LOG_WARNING, "the successor has ended; going on");
        m->successor_pid = 0;
    }
}

static bool something_waits(const struct msk_group *g, unsigned worker)
{
    struct pollfd p[MSK_LINKS_MAX];
    for (size_t i = 0; i < g->n_sockets; i++)
        p[i] = (struct pollfd){ .fd = g->sockets[i].fds[worker], .events = POLLIN };
    return poll(p, g->n_sockets, 0) > 0;
}

/* A worker that takes nothing while something waits has stopped, or is caught in a loop. */
static void look_for_hung(struct master *m)
{
    int64_t now = monotonic_ms();
    if (now - m->looked_ms < LOOK_MS)
        return;
    m->looked_ms = now;
    for (unsigned i = 0; i < m->group.n; i++) {
        struct life *l = &m->lives[i];
        uint64_t rounds = atomic_load(&m->group.block->slots[i].rounds);
        if (l->pid == 0 || rounds != l->rounds || !something_waits(&m->group, i))
            l->idle_since_ms = 0;
        else if (l->idle_since_ms == 0)
            l->idle_since_ms = now;
        else if (now - l->idle_since_ms >= HUNG_MS) {
            msk_group_log(&m->group, MSK_LOG_WARNING, "worker %u (process %ld) hangs and is ended", i, (long)l->pid);
            atomic_fetch_add(&m->group.block->hung, 1);
            kill(l->pid, SIGKILL);
            l->idle_since_ms = now;
        }
        l->rounds = rounds;
    }
}

/* ---------------- successor ---------------- */

static void start_successor(struct master *m)
{
    const struct msk_workers *w = m->group.workers;
    sigset_t none;
    if (!w->successor || m->control < 0) {
        msk_group_log(&m->group, MSK_LOG_WARNING, "no control socket, by which a successor could take over");
        return;
    }
    if (m->successor_pid > 0)
        return;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        execvp(w->successor[0], w->successor);
        msk_group_log(&m->group, MSK_LOG_ERROR, "cannot run %s: %s", w->successor[0], strerror(errno));
        _exit(127);
    }
    m->successor_pid = pid > 0 ? pid : 0;
}

static void meet_successor(struct master *m)
{
    int peer = accept4(m->control, NULL, NULL, SOCK_CLOEXEC);
    if (peer < 0)
        return;
    if (m->successor >= 0 || !msk_group_give(&m->group, peer)) {
        msk_group_log(&m->group, MSK_LOG_WARNING, "somebody wanted to take over and could not");
        close(peer);
        return;
    }
    m->successor = peer;
}

/* It serves, or it is gone. */
static void hear_successor(struct master *m)
{
    char serves;
    if (recv(m->successor, &serves, 1, MSG_DONTWAIT) == 1) {
        msk_group_log(&m->group, MSK_LOG_INFO, "a successor serves: ending");
        m->ending = true;
    } else
        msk_group_log(&m->group, MSK_LOG_WARNING, "a successor came, and ended before it served; going on");
    close(m->successor);
    m->successor = -1;
}

static bool open_control(struct master *m, char *error, size_t error_bytes)
{
    const char *path = m->group.workers->control;
    struct stat st;
    if (!path)
        return true;
    m->control = msk_control_listen(path, error, error_bytes);
    if (m->control >= 0 && stat(path, &st) == 0)
        m->control_inode = st.st_ino;
    return m->control >= 0;
}

/* Unless a successor listens there. */
static void close_control(struct master *m)
{
    struct stat st;
    if (m->control >= 0 && stat(m->group.workers->control, &st) == 0 && st.st_ino == m->control_inode)
        unlink(m->group.workers->control);
}

/* ---------------- the loop ---------------- */

static void reload(struct master *m)
{
    const struct msk_workers *w = m->group.workers;
    struct msk_keys keys;
    if (w->reload && w->reload(&keys, w->arg) == 0)
        msk_group_set_keys(&m->group, &keys);
    memset(&keys, 0, sizeof keys);
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
            start_successor(m);
            break;
        }
}

static int patience(const struct master *m)
{
    int64_t now = monotonic_ms(), wait = LOOK_MS;
    for (unsigned i = 0; i < m->group.n; i++)
        if (m->lives[i].pid == 0 && m->lives[i].due_ms - now < wait)
            wait = m->lives[i].due_ms > now ? m->lives[i].due_ms - now : 0;
    return (int)wait;
}

static void one_round(struct master *m)
{
    struct pollfd p[] = {
        { .fd = m->signals, .events = POLLIN }, { .fd = m->group.watch, .events = POLLIN },
        { .fd = m->control, .events = POLLIN }, { .fd = m->successor, .events = POLLIN },
    };
    poll(p, sizeof p / sizeof *p, patience(m));
    if (p[0].revents)
        on_signal(m);
    if (p[1].revents || m->interfaces_changed)
        look_at_interfaces(m);
    if (p[2].revents)
        meet_successor(m);
    if (p[3].revents)
        hear_successor(m);
    reap(m);
    if (!m->ending) {
        start_due(m);
        look_for_hung(m);
    }
}

static bool any_alive(const struct master *m)
{
    for (unsigned i = 0; i < m->group.n; i++)
        if (m->lives[i].pid > 0)
            return true;
    return false;
}

/* What a worker has in hand, it answers; one that does not end is ended. */
static void end_workers(struct master *m)
{
    const struct timespec pause = { .tv_nsec = 5000000 };
    int64_t until = monotonic_ms() + END_MS;
    m->ending = true;
    retire_workers(m);
    for (reap(m); any_alive(m); reap(m)) {
        nanosleep(&pause, NULL);
        for (unsigned i = 0; monotonic_ms() > until && i < m->group.n; i++)
            if (m->lives[i].pid > 0)
                kill(m->lives[i].pid, SIGKILL);
    }
}

static bool open_signals(struct master *m, sigset_t *before)
{
    static const int ours[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGCHLD };
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        sigaddset(&set, ours[i]);
    sigprocmask(SIG_BLOCK, &set, before);
    m->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
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
        if (open_signals(m, &before) && open_control(m, error, error_bytes)) {
            start_due(m);
            say_ready(m);
            while (!m->ending)
                one_round(m);
            end_workers(m);
            close_control(m);
        } else
            rc = -errno;
        msk_group_close(&m->group);
        sigprocmask(SIG_SETMASK, &before, NULL);
    }
    msk_pool_close(&m->pool);
    close_descriptors(m);
    free(m);
    return rc;
}
