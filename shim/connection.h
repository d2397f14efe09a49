/* connection.h - one connection inside the engine: the application's pair end on one side; on the other the
 * client engine of core and a link, or, after a fallback, the kernel's TCP socket.
 *
 *   ROUTING --> OPENING --> STREAM ------------> ENDING --> QUIET --> freed
 *      |           |                               ^
 *      +-----------+------> TCP (relay.c) ---------+
 */
#ifndef SHIM_CONNECTION_H
#define SHIM_CONNECTION_H

#include "client/client.h"
#include "link/route.h"
#include "engine.h"
#include "links.h"
#include "loop.h"
#include "pair.h"
#include "timers.h"

#define SHIM_RECEIVE_BYTES (4u << 20)
#define SHIM_SEND_BYTES    (4u << 20)
#define SHIM_RELAY_BYTES   (128u << 10)

enum shim_stage {
    SHIM_ROUTING,                      /* waiting for the next hop's address */
    SHIM_OPENING,                      /* the SYN is out */
    SHIM_STREAM,
    SHIM_TCP,
    SHIM_ENDING,                       /* the program closed: unsent bytes still leave */
    SHIM_QUIET,                        /* over; the guard stays a little, so the kernel answers no late packet */
    SHIM_OVER,                         /* to be freed at the end of the round */
};

struct shim_relay {                    /* bytes read on one side and not yet written on the other */
    uint32_t from, to;
    bool ended, told;                  /* the source ended; so it was told to the destination */
    uint8_t bytes[SHIM_RELAY_BYTES + 1];
};

struct shim_connection {
    struct shim_connection *next, *previous;           /* all of the loop */
    struct shim_connection *next_dirty; bool dirty;    /* those with something to do in this round */
    struct shim_connection *next_over; bool over;      /* those to be freed at its end */
    struct shim_connection *next_port; bool has_port;  /* by local port */
    struct shim_loop *loop;
    struct shim_socket *socket;        /* one reference */
    enum shim_stage stage;
    uint64_t wake_us;                  /* run again at the latest */
    struct shim_timer timer;           /* wake_us as of the last run */

    struct shim_pair pair;
    int app_fd;                        /* the application's end, held while connecting; -1 */
    int kernel_fd;                     /* the kernel socket, to fall back on; -1 */
    struct shim_source pair_source, kernel_source;
    bool app_shut, app_closed;         /* SHUT_WR; every descriptor closed */
    bool app_reset;                    /* closed with unread data, or abortively */
    bool peer_shut;                    /* the end of output was passed on */
    bool app_full;                     /* the pair takes no more output: an event says when it does */
    bool app_deaf;                     /* SHUT_RD: output is discarded */
    int refused;                       /* OPENING: a router says that nobody is reached; an errno, 0: none */
    bool input_shut;                   /* the end of input was passed on */
    uint64_t limit_us;                 /* ROUTING, ENDING, QUIET: until when */

    bool bound; union shim_address bound_to;
    bool lent_reuse;                   /* SO_REUSEADDR is ours, for the guard */
    struct trk_route route;
    struct shim_link_use *link;
    struct shim_link_port port;        /* in the link's list */
    int guard_fd;
    uint64_t heard_us;                 /* last segment received; the route is looked up again after a silence */
    struct trk_client client;

    struct shim_relay *up, *down;      /* TCP: application to kernel, kernel to application */

    /* memory of the client, by mmap: only touched pages cost anything */
    uint8_t *memory; size_t memory_bytes;
};

/* From an OPEN message; descriptors are ours now: three, or as many as our table had room for. */
void shim_connection_start(struct shim_loop *loop, const struct shim_message *message, const int fds[3], int n);
/* Whatever is to be done now; sets wake_us. */
void shim_connection_run(struct shim_connection *c);
/* It has something to do in this round. */
void shim_connection_touch(struct shim_connection *c);
/* Run the touched ones; `due`: those whose time has come, too. The others cost nothing. */
void shim_connections_run(struct shim_loop *loop, bool due);
/* When the next one must run. */
uint64_t shim_connections_wake_us(const struct shim_loop *loop);
/* Segments for client.config.flow are its own from now on, or no more. */
void shim_connection_take_port(struct shim_connection *c);
void shim_connection_drop_port(struct shim_connection *c);
void shim_connection_pair_event(struct shim_connection *c, uint32_t events);
struct shim_connection *shim_connection_by_flow(struct shim_loop *loop, const struct trk_flow *received);
struct shim_connection *shim_connection_by_socket(const struct shim_socket *s);
/* Fill the shared page's statistics. */
void shim_connection_publish(struct shim_connection *c);
void shim_connection_close_fd(struct shim_connection *c, int *fd);
/* Close our copy of the application's end: from now on our end tells when the program has closed its own. */
void shim_connection_let_app_end_go(struct shim_connection *c);
/* Close our copy of the kernel socket: from now on the program's closing it closes it. */
void shim_connection_let_kernel_go(struct shim_connection *c);
/* Over for the program; the guard stays a moment. */
void shim_connection_end(struct shim_connection *c);
/* Reset, as close() under SO_LINGER {1, 0} or connect(AF_UNSPEC) does. */
void shim_connection_abort(struct shim_connection *c);
/* Nothing of the application's is left to send. */
bool shim_connection_drained(struct shim_connection *c);
/* The process or its image ends: end the connection at once, without a reset for those who still hold it. */
void shim_connection_finish(struct shim_connection *c);
void shim_connections_free_over(struct shim_loop *loop);

/* opening.c */
void shim_opening_route(struct shim_connection *c);            /* ROUTING: look up, then send the SYN */
void shim_opening_follow(struct shim_connection *c);           /* OPENING: has the client an answer? */
/* connect failed for good with this errno. */
void shim_opening_fail(struct shim_connection *c, int error);
/* Let go of link, guard and client memory. */
void shim_opening_release(struct shim_connection *c);

/* stream.c: STREAM and ENDING */
void shim_stream_run(struct shim_connection *c);
void shim_stream_send(struct shim_connection *c);              /* what the client wants to send */

/* relay.c: TCP */
void shim_relay_start(struct shim_connection *c);
void shim_relay_run(struct shim_connection *c);
bool shim_relay_drained(const struct shim_connection *c);

#endif
