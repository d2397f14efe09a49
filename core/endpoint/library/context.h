/* context.h - the fields of a context and a connection, and what the files of the library call of each other. */
#ifndef TRICKLES_CONTEXT_H
#define TRICKLES_CONTEXT_H

#include <trickles/client.h>
#include "endpoint/endpoint.h"

enum conn_stage {
    CONN_ROUTING,                      /* the next hop has not answered yet */
    CONN_OPENING,                      /* the SYN is out */
    CONN_OPEN,
    CONN_CLOSING,                      /* gone for the program: what it wrote is delivered */
    CONN_OVER,                         /* failed; what has arrived can be read */
};

struct trickles_conn {
    struct trk_end end;                /* first: an end is its connection */
    struct trickles *t;
    struct trickles_conn *next, *previous;             /* all of the context */
    struct trickles_conn *next_event; bool queued;
    enum conn_stage stage;
    void *user;
    unsigned what;                     /* of its event */
    bool wants_room, wants_sent;       /* TRICKLES_WRITABLE, TRICKLES_SENT have to be said */
    bool shut, end_told;
    int error; const char *why;
    char sentence[TRICKLES_ERROR_BYTES / 2];           /* where why has to be made */
    uint64_t limit_us;                 /* ROUTING, CLOSING: until when */
    struct trk_end_peer peer;
    uint8_t *first; uint32_t first_bytes;              /* ROUTING: the first data */
};

struct trickles {
    struct trk_endpoint *endpoint;
    struct trk_capture *capture;
    pid_t pid;                         /* whose it is: a forked child must send nothing */
    int epoll, timer;                  /* timer: -1 until trickles_fd was asked for */
    uint64_t armed_us;                 /* when it goes off; UINT64_MAX: never */
    bool coarse;                       /* only whole milliseconds can be waited for */
    bool idle;                         /* the last trickles_wait left nothing to do: the program may sleep */
    uint32_t send_bytes, open_timeout_ms, linger_ms;
    struct trickles_conn *conns, *events, **events_end;
    char why[TRICKLES_ERROR_BYTES];
};

/* conn.c: run it, after a packet, a call of the program's, or when its time has come. May free it. */
void conn_run(struct trickles_conn *c);
/* What a packet that was just fed means to the program. */
void conn_heard(struct trickles_conn *c);
/* It has something to do: now, in the next turn. */
void conn_touch(struct trickles_conn *c);
/* Take it from the context and free it. */
void conn_free(struct trickles_conn *c);

/* context.c */
void context_queue(struct trickles_conn *c, unsigned what);
void context_unqueue(struct trickles_conn *c);
void context_rouse(struct trickles *t);                /* the poll descriptor becomes readable */

#endif
