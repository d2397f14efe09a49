/* daemon.c - setting up, and the choice between one process and workers. */
#include "daemon.h"

#include <errno.h>
#include <netdb.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "tricklesd/access.h"
#include "tricklesd/log.h"
#include "tricklesd/metrics.h"
#include "tricklesd/notify.h"
#include "tricklesd/stats.h"

static void log_library(void *arg, enum msk_log_level level, const char *line)
{
    (void)arg;
    if (level <= MSK_LOG_WARNING || log_verbose)
        log_line("%s", line);
}

bool daemon_keys(const struct daemon *d, struct msk_keys *out)
{
    char error[MSK_ERROR_BYTES];
    if (msk_keys_read(d->options.key_file, out, error, sizeof error) == 0)
        return true;
    log_line("%s", error);
    return false;
}

bool daemon_open(struct daemon *d)
{
    const struct options *o = &d->options;
    char error[MSK_ERROR_BYTES];
    d->metrics = -1;
    d->service.uploads.fd = -1;
    d->library = (struct msk_options){
        .listen = o->listen, .n_listen = o->n_listen, .keys = o->key_file ? &d->keys : NULL, .capture = o->pcap, .log = log_library,
        .filter_bytes = (size_t)o->filter_kib * 1024, .filter_name = o->filter_name, .domain = (uint32_t)o->domain,
        .cache_bytes = (size_t)o->cache_kib * 1024, .application = "tricklesd",
    };
    if (!rights_find(o->user, &d->rights) || (o->key_file && !daemon_keys(d, &d->keys)))
        return false;
    if (msk_check(&d->library, error, sizeof error) != 0) {
        log_line("%s", error);
        return false;
    }
    if (service_open(&d->service, o->root, !o->pcap) != 0) {
        log_line("cannot serve %s: %m", o->root);
        return false;
    }
    if (o->upload && upload_open(&d->service.uploads, o->upload) != 0) {
        log_line("cannot store uploads in %s: %m", o->upload);
        return false;
    }
    if (o->check)
        return true;
    return (!o->access_log || access_open(o->access_log)) && (!o->metrics || (d->metrics = metrics_listen(o->metrics)) >= 0);
}

void daemon_close(struct daemon *d)
{
    sodium_memzero(&d->keys, sizeof d->keys);
    service_close(&d->service);
    upload_close(&d->service.uploads);
    access_close();
    if (d->metrics >= 0)
        close(d->metrics);
}

/* "serving DIR on ADDR:PORT, ADDR:PORT": with the ports that the kernel picked for port 0. */
static void say_where(const struct sockaddr_storage *addresses, size_t n, void *arg)
{
    const struct daemon *d = arg;
    char where[1024] = "", host[64], port[8];
    size_t at = 0;
    for (size_t i = 0; i < n && at < sizeof where; i++)
        if (getnameinfo((const struct sockaddr *)&addresses[i], sizeof addresses[i], host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV) == 0)
            at += (size_t)snprintf(where + at, sizeof where - at, addresses[i].ss_family == AF_INET ? "%s%s:%s" : "%s[%s]:%s", i ? ", " : "", host, port);
    log_line("serving %s on %s", d->options.root, where);
    if (!d->options.key_file)
        log_line("warning: no --key-file: keys are random, so a restart breaks all connections");
    notify_ready();
}

/* ---------------- one process ---------------- */

static int run_alone(struct daemon *d)
{
    char error[MSK_ERROR_BYTES];
    struct sockaddr_storage addresses[LISTEN_MAX];
    size_t n = 0;
    struct msk_server *server = msk_open(&d->library, error, sizeof error);
    sodium_memzero(&d->keys, sizeof d->keys);
    if (!server) {
        log_line("%s", error);
        return EXIT_RUN;
    }
    while (n < LISTEN_MAX && msk_listen_address(server, n, &addresses[n]) == 0)
        n++;
    int status = EXIT_RUN;
    if (d->options.stats && !stats_write(server, d->options.stats))
        log_line("cannot write statistics to %s: %m", d->options.stats);
    else if (rights_drop(&d->rights, true)) {
        say_where(addresses, n, d);
        status = loop_run(d, server, -1);
    }
    msk_close(server);
    return status;
}

/* ---------------- workers ---------------- */

static int run_worker(struct msk_server *server, unsigned worker, void *arg)
{
    struct daemon *d = arg;
    log_as_worker((int)worker);
    sodium_memzero(&d->keys, sizeof d->keys);
    return rights_drop(&d->rights, false) ? loop_run(d, server, (int)worker) : EXIT_RUN;
}

static int reload(struct msk_keys *out, void *arg)
{
    const struct daemon *d = arg;
    if (!d->options.key_file)
        log_line("no key file to read again: keys stay");
    else if (daemon_keys(d, out)) {
        log_line("keys read again from %s: %u epochs", d->options.key_file, (unsigned)out->n);
        return 0;
    }
    return -1;
}

int daemon_run(struct daemon *d, char **argv)
{
    char error[MSK_ERROR_BYTES];
    if (d->options.workers == 0)
        return run_alone(d);
    struct msk_workers workers = {
        .n = (unsigned)d->options.workers, .options = &d->library, .run = run_worker, .reload = reload, .ready = say_where, .arg = d,
        .control = d->options.control, .successor = argv,
    };
    if (msk_run_workers(&workers, error, sizeof error) == 0)
        return EXIT_FINE;
    log_line("%s", error);
    return EXIT_RUN;
}
