/* worker.c - a worker's life, from the fork to its end. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>
#include "group.h"

static volatile sig_atomic_t wake = -1;      /* for the handler alone */

static void on_term(int number)
{
    int saved = errno;
    (void)number;
    (void)!write(wake, &(uint64_t){ 1 }, 8);
    errno = saved;
}

/* Told by the master to end: what polls the server's descriptor learns of it there. */
static bool open_wake(struct msk_server *s)
{
    struct epoll_event e = { .events = EPOLLIN, .data.u32 = MSK_WAKE };
    s->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    wake = s->wake;
    return s->wake >= 0 && epoll_ctl(s->epoll, EPOLL_CTL_ADD, s->wake, &e) == 0;
}

/* The master's signals mean nothing here, not even those that a terminal sends to both. */
static void set_signals(void)
{
    static const int ignored[] = { SIGINT, SIGHUP, SIGUSR1, SIGUSR2 };
    struct sigaction term = { .sa_handler = on_term, .sa_flags = SA_RESTART };
    sigset_t none;
    for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
        signal(ignored[i], SIG_IGN);
    signal(SIGCHLD, SIG_DFL);
    sigaction(SIGTERM, &term, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Sockets of other workers are theirs. The guards are the master's: they must be gone when it is. */
static void close_others(struct msk_group *g, unsigned worker)
{
    for (size_t i = 0; i < g->n_sockets; i++)
        for (unsigned w = 0; w < g->n; w++)
            if (w != worker)
                close(msk_sockets_take(g, g->sockets[i].ifindex, w));
    for (size_t i = 0; i < g->listens.n; i++)
        close(g->listens.at[i].guard);
    close(g->watch);
    if (g->memory.fd >= 0)
        close(g->memory.fd);
}

_Noreturn void msk_worker_main(struct msk_group *g, unsigned worker, pid_t master)
{
    const struct msk_workers *w = g->workers;
    char error[MSK_ERROR_BYTES];
    int status = 1;
    prctl(PR_SET_PDEATHSIG, SIGKILL);  /* without a master nobody would end it */
    if (getppid() != master)
        _exit(1);
    close_others(g, worker);
    struct msk_server *s = msk_open_as(w->options, g, worker, error, sizeof error);
    if (!s)
        msk_group_log(g, MSK_LOG_ERROR, "worker %u: %s", worker, error);
    else if (!open_wake(s))
        msk_group_log(g, MSK_LOG_ERROR, "worker %u: no descriptor to be woken by", worker);
    else {
        set_signals();
        status = w->run(s, worker, w->arg);
    }
    msk_close(s);
    exit(status);
}
