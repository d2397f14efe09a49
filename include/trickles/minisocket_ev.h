/* minisocket_ev.h - a minisocket server in a libev loop. In a header of its own, inline, so that
 * libminisocket itself does not need libev. */
#ifndef TRICKLES_MINISOCKET_EV_H
#define TRICKLES_MINISOCKET_EV_H

#include <errno.h>
#include <ev.h>
#include <trickles/minisocket.h>

struct msk_ev {                             /* the caller's memory, from msk_attach_ev to msk_detach_ev */
    ev_io io;
    struct msk_server *server;
    msk_handler handler; void *arg;
};

static inline void msk_ev_ready(struct ev_loop *loop, ev_io *io, int revents)
{
    struct msk_ev *e = (struct msk_ev *)io->data;
    (void)revents;
    if (msk_process(e->server, e->handler, e->arg) == -ECANCELED)
        ev_break(loop, EVBREAK_ALL);    /* a worker that is to end */
}

/* From now on the loop calls handler for every event of server. */
static inline void msk_attach_ev(struct msk_ev *e, struct ev_loop *loop, struct msk_server *server, msk_handler handler, void *arg)
{
    e->server = server;
    e->handler = handler;
    e->arg = arg;
    ev_init(&e->io, msk_ev_ready);
    ev_io_set(&e->io, msk_fd(server), EV_READ);
    e->io.data = e;
    ev_io_start(loop, &e->io);
}

static inline void msk_detach_ev(struct msk_ev *e, struct ev_loop *loop) { ev_io_stop(loop, &e->io); }

#endif
