/* lives.c - workers begin, end, hang, and are replaced.
 *
 * Whether one hangs is seen from its sockets: something waits there, and it takes nothing. While nothing is sent to the
 * service the master sleeps on these sockets; once something comes it looks every MSK_LOOK_MS, until all is quiet again. A
 * worker that hangs is relieved: another one begins on its sockets, and it is told to end when it has done what holds it up. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "master.h"

#define SHORT_LIFE_MS   1000           /* a worker that fails sooner, and has taken no packet, is not replaced at once */
#define DELAY_FIRST_MS  10
#define DELAY_MAX_MS    5000
#define HUNG_MS         100            /* what waits, and nothing taken, for so long */
#define RELIEVED_MS     3000           /* a relieved one may still end by itself for so long */
#define END_MS          5000           /* all of them, when told to */

void msk_lives_retire(const struct master *m)
{
    for (unsigned i = 0; i < m->group.n; i++)
        if (m->lives[i].pid > 0)
            kill(m->lives[i].pid, SIGTERM);
}

static void start(struct master *m, unsigned i)
{
    struct life *l = &m->lives[i];
    pid_t master = getpid();
    fflush(NULL);                      /* or both would write what is buffered */
    pid_t pid = fork();
    if (pid == 0) {
        msk_master_close_descriptors(m);
        msk_worker_main(&m->group, i, master);
    }
    l->began_ms = msk_monotonic_ms();
    l->idle_since_ms = 0;
    l->taken_before = atomic_load(&m->group.block->slots[i].taken);
    if (pid > 0) {
        l->pid = pid;
        msk_group_log(&m->group, MSK_LOG_INFO, "worker %u is process %ld", i, (long)pid);
        return;
    }
    msk_group_log(&m->group, MSK_LOG_ERROR, "cannot start worker %u: %s", i, strerror(errno));
    l->due_ms = l->began_ms + DELAY_MAX_MS;
}

void msk_lives_start_due(struct master *m)
{
    int64_t now = msk_monotonic_ms();
    for (unsigned i = 0; i < m->group.n; i++)
        if (m->lives[i].pid == 0 && m->lives[i].due_ms <= now)
            start(m, i);
}

/* It could not even begin: the next one will hardly do better. */
static bool failed_at_once(const struct master *m, unsigned i, int status, int64_t now)
{
    const struct life *l = &m->lives[i];
    bool fine = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    bool from_outside = WIFSIGNALED(status) && (WTERMSIG(status) == SIGKILL || WTERMSIG(status) == SIGTERM);
    return !fine && !from_outside && now - l->began_ms < SHORT_LIFE_MS && atomic_load(&m->group.block->slots[i].taken) == l->taken_before;
}

/* Others are replaced at once: whatever ended them, there is work that waits. */
static void bury(struct master *m, unsigned i, int status)
{
    struct life *l = &m->lives[i];
    int64_t now = msk_monotonic_ms();
    bool fine = WIFEXITED(status) && WEXITSTATUS(status) == 0, brief = failed_at_once(m, i, status, now);
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
void msk_lives_reap(struct master *m)
{
    int status;
    for (unsigned i = 0; i < m->group.n; i++) {
        struct life *l = &m->lives[i];
        if (l->pid > 0 && waitpid(l->pid, &status, WNOHANG) == l->pid)
            bury(m, i, status);
        if (l->relieved > 0 && waitpid(l->relieved, &status, WNOHANG) == l->relieved)
            l->relieved = 0;
    }
}

/* ---------------- those that hang ---------------- */

static bool something_waits(const struct msk_group *g, unsigned worker)
{
    struct pollfd p[MSK_LINKS_MAX];
    for (size_t i = 0; i < g->n_sockets; i++)
        p[i] = (struct pollfd){ .fd = g->sockets[i].fds[worker], .events = POLLIN };
    return poll(p, g->n_sockets, 0) > 0;
}

static void relieve(struct master *m, unsigned i)
{
    struct life *l = &m->lives[i];
    if (l->relieved > 0)
        return;                        /* one at a time: if the second one hangs as well, a third would */
    msk_group_log(&m->group, MSK_LOG_WARNING, "worker %u (process %ld) takes no packets: another one takes its place", i, (long)l->pid);
    atomic_fetch_add(&m->group.block->hung, 1);
    l->relieved = l->pid;
    l->relieved_ms = msk_monotonic_ms();
    kill(l->relieved, SIGTERM);
    start(m, i);
}

static void look_at(struct master *m, unsigned i, int64_t now)
{
    struct life *l = &m->lives[i];
    uint64_t taken = atomic_load(&m->group.block->slots[i].taken);
    bool waits = something_waits(&m->group, i), moves = taken != l->taken;
    l->taken = taken;
    if (waits || moves || l->relieved > 0)
        m->busy = true;
    if (l->relieved > 0 && now - l->relieved_ms > RELIEVED_MS)
        kill(l->relieved, SIGKILL);
    if (l->pid == 0 || moves || !waits)
        l->idle_since_ms = 0;
    else if (l->idle_since_ms == 0)
        l->idle_since_ms = now;
    else if (now - l->idle_since_ms >= HUNG_MS && now - l->began_ms >= HUNG_MS)
        relieve(m, i);
}

void msk_lives_look(struct master *m)
{
    int64_t now = msk_monotonic_ms();
    m->busy = false;
    for (unsigned i = 0; i < m->group.n; i++)
        look_at(m, i, now);
}

int msk_lives_patience(const struct master *m)
{
    int64_t now = msk_monotonic_ms(), wait = m->busy ? MSK_LOOK_MS : -1;
    for (unsigned i = 0; i < m->group.n; i++) {
        int64_t due = m->lives[i].due_ms > now ? m->lives[i].due_ms - now : 0;
        if (m->lives[i].pid == 0 && (wait < 0 || due < wait))
            wait = due;
    }
    return (int)wait;
}

/* ---------------- the end ---------------- */

static bool any_alive(const struct master *m)
{
    for (unsigned i = 0; i < m->group.n; i++)
        if (m->lives[i].pid > 0 || m->lives[i].relieved > 0)
            return true;
    return false;
}

static void kill_all(const struct master *m)
{
    for (unsigned i = 0; i < m->group.n; i++) {
        if (m->lives[i].pid > 0)
            kill(m->lives[i].pid, SIGKILL);
        if (m->lives[i].relieved > 0)
            kill(m->lives[i].relieved, SIGKILL);
    }
}

/* What a worker has in hand, it answers; one that does not end is ended. */
void msk_lives_end(struct master *m)
{
    const struct timespec pause = { .tv_nsec = 5000000 };
    int64_t until = msk_monotonic_ms() + END_MS;
    m->ending = true;
    msk_lives_retire(m);
    for (msk_lives_reap(m); any_alive(m); msk_lives_reap(m)) {
        nanosleep(&pause, NULL);
        if (msk_monotonic_ms() > until)
            kill_all(m);
    }
}
