/* loop.c - one process's event loop. Worker 0 also does what is to be done once for all workers. */
#include <errno.h>
#include <signal.h>
#include <sodium.h>
#include <trickles/minisocket_ev.h>
#include "tricklesd/daemon.h"
#include "tricklesd/log.h"
#include "tricklesd/metrics.h"
#include "tricklesd/stats.h"

#define STATS_SECONDS 10.
#define VIEWS_SECONDS 10.

struct loop {
    struct daemon *daemon;
    struct msk_server *server;
    struct msk_ev events;
    struct metrics metrics;
    ev_signal term, interrupt, hangup, user1;
    ev_timer stats;
    ev_prepare round;
    ev_timer views;                    /* runs while there are any */
};

static void write_stats(const struct loop *l)
{
    const char *path = l->daemon->options.stats;
    if (path && !stats_write(l->server, path))
        log_line("cannot write statistics to %s: %m", path);
}

static void on_end(struct ev_loop *loop, ev_signal *w, int revents)
{
    (void)w;
    (void)revents;
    ev_break(loop, EVBREAK_ALL);
}

static void on_hangup(struct ev_loop *loop, ev_signal *w, int revents)
{
    struct loop *l = w->data;
    const char *path = l->daemon->options.key_file;
    struct msk_keys keys;
    (void)loop;
    (void)revents;
    if (!path)
        log_line("no key file to read again: keys stay");
    else if (!daemon_keys(l->daemon, &keys))
        log_line("keys stay as they were");
    else if (msk_set_keys(l->server, &keys) == 0)
        log_line("keys read again from %s: %u epochs", path, (unsigned)keys.n);
    sodium_memzero(&keys, sizeof keys);
}

static void on_user1(struct ev_loop *loop, ev_signal *w, int revents)
{
    const struct loop *l = w->data;
    (void)loop;
    (void)revents;
    stats_print(l->server);
    write_stats(l);
}

static void on_stats(struct ev_loop *loop, ev_timer *w, int revents)
{
    (void)loop;
    (void)revents;
    write_stats(w->data);
}

static void on_round(struct ev_loop *loop, ev_prepare *w, int revents)
{
    struct loop *l = w->data;
    (void)revents;
    service_round(&l->daemon->service);
    upload_round(&l->daemon->service.uploads);
    if (!ev_is_active(&l->views) && file_views_any(&l->daemon->service.views))
        ev_timer_again(loop, &l->views);
}

static void on_views(struct ev_loop *loop, ev_timer *w, int revents)
{
    struct loop *l = w->data;
    (void)revents;
    file_views_age(&l->daemon->service.views);
    if (!file_views_any(&l->daemon->service.views))
        ev_timer_stop(loop, w);
}

static void on_signal(struct ev_loop *loop, struct loop *l, ev_signal *w, void (*handler)(struct ev_loop *, ev_signal *, int), int number)
{
    ev_signal_init(w, handler, number);
    w->data = l;
    ev_signal_start(loop, w);
}

/* A worker hears TERM by the library, and the other signals not at all: its master reads keys and ends. */
static void start_watchers(struct ev_loop *loop, struct loop *l, int worker)
{
    if (worker < 0) {
        on_signal(loop, l, &l->term, on_end, SIGTERM);
        on_signal(loop, l, &l->interrupt, on_end, SIGINT);
        on_signal(loop, l, &l->hangup, on_hangup, SIGHUP);
    }
    ev_timer_init(&l->stats, on_stats, STATS_SECONDS, STATS_SECONDS);
    l->stats.data = l;
    if (worker <= 0) {
        on_signal(loop, l, &l->user1, on_user1, SIGUSR1);
        if (l->daemon->options.stats)
            ev_timer_start(loop, &l->stats);
    }
    ev_timer_init(&l->views, on_views, VIEWS_SECONDS, VIEWS_SECONDS);
    l->views.data = l;
    ev_prepare_init(&l->round, on_round);
    l->round.data = l;
    ev_prepare_start(loop, &l->round);
    if (l->daemon->metrics >= 0)
        metrics_start(&l->metrics, loop, l->daemon->metrics, l->server);
}

int loop_run(struct daemon *d, struct msk_server *server, int worker)
{
    static struct loop l;
    l.daemon = d;
    l.server = server;
    struct ev_loop *loop = ev_default_loop(EVFLAG_AUTO);
    if (!loop) {
        log_line("no event loop: %m");
        return EXIT_RUN;
    }
    if (worker == 0)
        write_stats(&l);
    signal(SIGPIPE, SIG_IGN);
    start_watchers(loop, &l, worker);
    msk_attach_ev(&l.events, loop, server, service_handle, &d->service);
    ev_run(loop, 0);
    if (worker <= 0)
        write_stats(&l);
    return EXIT_FINE;
}
