/* metrics.h - the counters for a monitor: HTTP on a local address or a Unix socket, in Prometheus' text format. */
#ifndef TRICKLESD_METRICS_H
#define TRICKLESD_METRICS_H

#include <ev.h>
#include <trickles/minisocket.h>

#define METRICS_CLIENTS 4              /* at a time; more of them wait */
#define METRICS_REQUEST 1024

struct metrics_client { struct metrics *metrics; ev_io io; ev_timer limit; size_t got; char request[METRICS_REQUEST]; };
struct metrics {
    struct msk_server *server;
    struct ev_loop *loop;
    ev_io listener;
    struct metrics_client clients[METRICS_CLIENTS];
};

/* "unix:PATH", "ADDR:PORT" or "[V6ADDR]:PORT". A descriptor, that workers may share; -1: one line has said why. */
int metrics_listen(const char *where);
/* Answer there from now on. */
void metrics_start(struct metrics *m, struct ev_loop *loop, int fd, struct msk_server *server);
/* The text. Returns its length, at most cap - 1. */
size_t metrics_text(const struct msk_server *server, char *out, size_t cap);

#endif
