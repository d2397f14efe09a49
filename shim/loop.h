/* loop.h - inside the engine's thread: what its files share. */
#ifndef SHIM_LOOP_H
#define SHIM_LOOP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>
#include "link/capture.h"
#include "link/link.h"
#include "timers.h"

enum { SHIM_LOOP_STARTING, SHIM_LOOP_RUNS, SHIM_LOOP_FAILED };

struct shim_loop_start {               /* the argument of the thread; gone once ready is set */
    int control, log;                  /* descriptors to keep */
    bool in_child;                     /* of a fork: the parent may have an engine, too */
    _Atomic uint32_t ready;            /* a futex */
};
void *shim_loop_main(void *start);

/* What an epoll event belongs to. */
struct shim_source {
    enum { SHIM_SOURCE_CONTROL, SHIM_SOURCE_LINK, SHIM_SOURCE_PAIR, SHIM_SOURCE_KERNEL, SHIM_SOURCE_HINTS } kind;
    void *owner;
};

struct shim_link_use;                  /* links.c */
struct shim_connection;                /* connection.c */

#define SHIM_PORT_BUCKETS 16384

struct shim_loop {
    int epoll;
    int control;
    uint64_t now_us;                   /* monotonic, once per round */
    struct shim_source control_source;
    int hint_fds[2];                   /* by family; -1 */
    struct shim_source hint_sources[2];
    struct shim_connection *connections;        /* all, doubly linked */
    struct shim_connection *dirty;              /* those with something to do now */
    struct shim_connection *over;               /* those to be freed */
    struct shim_timers timers;                  /* when others must run */
    struct shim_connection *by_port[SHIM_PORT_BUCKETS];
    struct shim_link_use *links;
    struct trk_capture *capture;
    bool busy;                         /* a link has more: do not sleep */
    bool coarse;                       /* only whole milliseconds can be waited for */
    bool draining, last;
    uint64_t drain_limit_us;
    _Atomic uint32_t *drain_done;      /* a futex; NULL: nobody waits */
};

bool shim_loop_watch(struct shim_loop *loop, int fd, uint32_t events, struct shim_source *source);

#endif
