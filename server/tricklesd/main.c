/* main.c - tricklesd: set up, then one libev loop. */
#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <trickles/minisocket_ev.h>
#include "tricklesd/log.h"
#include "tricklesd/options.h"
#include "tricklesd/service.h"
#include "tricklesd/stats.h"

#define STATS_SECONDS 10.

struct daemon {
    struct options options;
    struct service service;
    struct msk_server *server;
    struct msk_ev events;
    ev_signal term, interrupt, hangup, user1;
    ev_timer stats;
    ev_prepare round;
};

static bool write_stats(const struct daemon *d)
{
    if (!d->options.stats || stats_write(d->server, d->options.stats))
        return true;
    log_line("cannot write statistics to %s: %m", d->options.stats);
    return false;
}

static void on_end(struct ev_loop *loop, ev_signal *w, int revents)
{
    (void)w;
    (void)revents;
    ev_break(loop, EVBREAK_ALL);
}

static void on_hangup(struct ev_loop *loop, ev_signal *w, int revents)
{
    struct daemon *d = w->data;
    struct msk_keys keys;
    char error[MSK_ERROR_BYTES];
    (void)loop;
    (void)revents;
    if (!d->options.key_file)
        log_line("no key file to read again: keys stay");
    else if (msk_keys_read(d->options.key_file, &keys, error, sizeof error) != 0)
        log_line("keys stay as they were: %s", error);
    else if (msk_set_keys(d->server, &keys) == 0)
        log_line("keys read again from %s: %u epochs", d->options.key_file, (unsigned)keys.n);
    sodium_memzero(&keys, sizeof keys);
}

static void on_user1(struct ev_loop *loop, ev_signal *w, int revents)
{
    const struct daemon *d = w->data;
    (void)loop;
    (void)revents;
    stats_print(d->server);
    write_stats(d);
}

static void on_stats(struct ev_loop *loop, ev_timer *w, int revents)
{
    (void)loop;
    (void)revents;
    write_stats(w->data);
}

static void on_round(struct ev_loop *loop, ev_prepare *w, int revents)
{
    struct daemon *d = w->data;
    (void)loop;
    (void)revents;
    service_round(&d->service);
}

static void log_library(void *arg, enum msk_log_level level, const char *line)
{
    (void)arg;
    if (level <= MSK_LOG_WARNING || log_verbose)
        log_line("%s", line);
}

/* Open everything. False: one line has said what is wrong. */
static bool set_up(struct daemon *d)
{
    const struct options *o = &d->options;
    char error[MSK_ERROR_BYTES];
    struct msk_keys keys;
    if (o->key_file && msk_keys_read(o->key_file, &keys, error, sizeof error) != 0) {
        log_line("%s", error);
        return false;
    }
    if (service_open(&d->service, o->root) != 0) {
        log_line("cannot serve %s: %m", o->root);
        return false;
    }
    struct msk_options options = {
        .listen = o->listen, .n_listen = o->n_listen, .keys = o->key_file ? &keys : NULL, .capture = o->pcap, .log = log_library,
        .filter_bytes = (size_t)o->filter_kib * 1024, .filter_name = o->filter_name, .domain = (uint32_t)o->domain,
    };
    d->server = msk_open(&options, error, sizeof error);
    sodium_memzero(&keys, sizeof keys);
    if (!d->server) {
        log_line("%s", error);
        service_close(&d->service);
        return false;
    }
    if (!o->key_file)
        log_line("warning: no --key-file: keys are random, so a restart breaks all connections");
    return true;
}

static void on_signal(struct ev_loop *loop, struct daemon *d, ev_signal *w, void (*handler)(struct ev_loop *, ev_signal *, int), int number)
{
    ev_signal_init(w, handler, number);
    w->data = d;
    ev_signal_start(loop, w);
}

static void run(struct daemon *d, struct ev_loop *loop)
{
    signal(SIGPIPE, SIG_IGN);
    on_signal(loop, d, &d->term, on_end, SIGTERM);
    on_signal(loop, d, &d->interrupt, on_end, SIGINT);
    on_signal(loop, d, &d->hangup, on_hangup, SIGHUP);
    on_signal(loop, d, &d->user1, on_user1, SIGUSR1);
    ev_timer_init(&d->stats, on_stats, STATS_SECONDS, STATS_SECONDS);
    d->stats.data = d;
    if (d->options.stats)
        ev_timer_start(loop, &d->stats);
    ev_prepare_init(&d->round, on_round);
    d->round.data = d;
    ev_prepare_start(loop, &d->round);
    msk_attach_ev(&d->events, loop, d->server, service_handle, &d->service);
    ev_run(loop, 0);
    write_stats(d);
}

/* "serving DIR on ADDR:PORT, ADDR:PORT": with the ports that the kernel picked for port 0. */
static void say_where(const struct daemon *d)
{
    char where[1024] = "", host[64], port[8];
    struct sockaddr_storage a;
    for (size_t i = 0, n = 0; msk_listen_address(d->server, i, &a) == 0 && n < sizeof where; i++)
        if (getnameinfo((struct sockaddr *)&a, sizeof a, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV) == 0)
            n += (size_t)snprintf(where + n, sizeof where - n, a.ss_family == AF_INET ? "%s%s:%s" : "%s[%s]:%s", i ? ", " : "", host, port);
    log_line("serving %s on %s", d->options.root, where);
}

static int generate_key(const char *path)
{
    char error[MSK_ERROR_BYTES];
    if (msk_keys_generate(path, error, sizeof error) == 0)
        return EXIT_FINE;
    log_line("%s", error);
    return EXIT_RUN;
}

int main(int argc, char **argv)
{
    static struct daemon d;
    int exit_code;
    if (!options_parse(argc, argv, &d.options, &exit_code))
        return exit_code;
    if (sodium_init() < 0) {
        log_line("no source of random numbers");
        return EXIT_RUN;
    }
    if (d.options.generate_key)
        return generate_key(d.options.generate_key);
    log_verbose = d.options.verbose;
    if (!set_up(&d))
        return EXIT_RUN;
    struct ev_loop *loop = ev_default_loop(EVFLAG_AUTO);
    bool ok = write_stats(&d) && loop;
    if (ok) {
        say_where(&d);
        run(&d, loop);
    } else if (!loop)
        log_line("no event loop: %m");
    msk_close(d.server);
    service_close(&d.service);
    return ok ? EXIT_FINE : EXIT_RUN;
}
