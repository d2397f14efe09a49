/* endpoint.h - the connections of one thread: packet sockets, local ports, ways to servers, timers, and which packet is whose.
 *
 * The client library and the preload are built on it. An *end* is one connection: its client engine, its way and its port.
 * The owner turns the loop, and sleeps on its own epoll descriptor, in which the endpoint's packet sockets are registered:
 *
 *     trk_endpoint_clock(e, now);
 *     do {
 *         more = trk_endpoint_feed(e);                    what has arrived goes to its ends
 *         while ((end = trk_endpoint_next(e)))            those that heard, were touched, or whose time has come:
 *             read, write, trk_end_send(end), trk_end_wake(end, ...)
 *         trk_endpoint_flush(e);                          what they sent leaves
 *     } while (more);
 *     sleep until trk_endpoint_wake_us(e)
 *
 * Data of a packet that was fed is read where it arrived (trk_client, `lends`) until the next feed, which keeps the rest.
 * One thread. Nothing blocks but opening the first connection over an interface (about 10 ms), and a look-up of a next hop
 * that is not known yet (2 ms). */
#ifndef TRK_ENDPOINT_ENDPOINT_H
#define TRK_ENDPOINT_ENDPOINT_H

#include "client/client.h"
#include "link/capture.h"
#include "link/link.h"
#include "link/route.h"

struct trk_endpoint;
struct trk_endpoint_link;              /* links.c: one packet socket */
struct trk_port;                       /* ports.c: one local port, guarded */

struct trk_endpoint_config {
    int epoll;                         /* the owner's: packet sockets are added to it, level-triggered */
    void *epoll_tag;                   /* their event's data.ptr */
    struct trk_capture *capture;       /* NULL: none; not owned */
    uint32_t receive_bytes, send_bytes;/* buffers of each client; powers of two as trk_client_config wants them */
};
/* NULL: out of memory. */
struct trk_endpoint *trk_endpoint_open(const struct trk_endpoint_config *config);
/* All ends must be released before. */
void trk_endpoint_close(struct trk_endpoint *e);
/* Monotonic time in microseconds, once per round; and what it was set to. */
void trk_endpoint_clock(struct trk_endpoint *e, uint64_t now_us);
uint64_t trk_endpoint_now(const struct trk_endpoint *e);

/* ---- one connection ---- */
struct trk_end {
    struct trk_endpoint *endpoint;
    struct trk_client *client;         /* NULL before open and after release */
    struct trk_route route;
    struct trk_endpoint_link *link;
    struct trk_port *port;
    uint64_t heard_us;                 /* last segment received; the way is looked up again after a silence */
    uint64_t wake_us;                  /* when it wants to run, UINT64_MAX: never */
    /* private to core/endpoint */
    struct trk_end *next_same_port, *next_touched, *next_fed;
    size_t heap_at;                    /* place in the heap + 1; 0: none */
    bool touched, fed;
};

struct trk_end_peer { struct trk_addr peer, local; uint16_t peer_port, local_port; };  /* local: zeros and 0 where it is free to choose */

/* Make it an end of this endpoint, until trk_end_release. False: out of memory. */
bool trk_end_begin(struct trk_endpoint *e, struct trk_end *end);
/* Find the way to a peer. 0, or -1 and errno as trk_route_lookup says; EHOSTUNREACH: the next hop has not answered yet,
 * try again some times. */
int trk_end_find_way(struct trk_end *end, const struct trk_end_peer *peer);
/* Take a port, memory and the interface's link; the SYN leaves by the next send. data: the first input, at most
 * TRK_END_FIRST_MAX bytes of it travel in the SYN. 0, or -1 with errno and a sentence: EADDRINUSE, EMFILE, ENOBUFS, EPERM, ... */
int trk_end_open(struct trk_end *end, const struct trk_end_peer *peer, uint32_t syn_timeout_ms, const void *data, uint32_t bytes,
                 char *error, size_t error_bytes);
#define TRK_END_FIRST_MAX 1024
/* What the client wants to send, into the endpoint's batch. Looks up the way again after a silence. */
void trk_end_send(struct trk_end *end);
/* A plain RST, for a server that answered as TCP: it would repeat its SYN|ACK for a minute. */
void trk_end_send_reset(struct trk_end *end);
/* It has something to do in this round. */
void trk_end_touch(struct trk_end *end);
/* It wants to run again at the latest at. */
void trk_end_wake(struct trk_end *end, uint64_t at_us);
/* Over: port, memory and timer go. The port stays guarded a while, so that the kernel answers no late packet. Any state. */
void trk_end_release(struct trk_end *end);
uint16_t trk_end_local_port(const struct trk_end *end);

/* ---- the loop ---- */
/* One batch of packets to their ends, which are touched. True: there may be more. */
bool trk_endpoint_feed(struct trk_endpoint *e);
/* The next end that was touched or whose time has come; NULL: none. */
struct trk_end *trk_endpoint_next(struct trk_endpoint *e);
/* The ends that the last feed fed: the one after this, NULL: the first. None of them may be released meanwhile. */
struct trk_end *trk_endpoint_fed(const struct trk_endpoint *e, const struct trk_end *after);
void trk_endpoint_flush(struct trk_endpoint *e);
/* When the endpoint must be turned again; UINT64_MAX: never. */
uint64_t trk_endpoint_wake_us(const struct trk_endpoint *e);

/* True if a packet socket other than ours listens on this interface: on loopback nobody else could answer us. */
bool trk_endpoint_peer_on(const struct trk_endpoint *e, int ifindex);
/* Frames lost in the packet sockets for want of room. */
uint64_t trk_endpoint_drops(struct trk_endpoint *e);

#endif
