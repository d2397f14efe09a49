/* daemon.h - what the program consists of, in one process or as a worker of several. */
#ifndef TRICKLESD_DAEMON_H
#define TRICKLESD_DAEMON_H

#include <trickles/minisocket.h>
#include "tricklesd/options.h"
#include "tricklesd/rights.h"
#include "tricklesd/service.h"

struct daemon {
    struct options options;
    struct rights rights;
    struct service service;
    struct msk_keys keys;              /* wiped once they are in use */
    struct msk_options library;        /* of the server, or of each worker's */
    int metrics;                       /* listening descriptor; -1: none */
};

/* Open what needs the rights that we begin with. False: one line has said what is wrong. */
bool daemon_open(struct daemon *d);
void daemon_close(struct daemon *d);
/* Serve until the end, in one process or several. The program's exit code. */
int daemon_run(struct daemon *d, char **argv);
/* loop.c: one process's event loop, until it is told to end. worker: -1: there are none. */
int loop_run(struct daemon *d, struct msk_server *server, int worker);
/* Keys of the key file. False: one line has said why not. */
bool daemon_keys(const struct daemon *d, struct msk_keys *out);

#endif
