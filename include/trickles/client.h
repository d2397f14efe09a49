/* trickles/client.h - libtrickles-client: Trickles connections in a program's own event loop.
 *
 * Fetch a page (examples/trickles-fetch.c):
 *
 *     static const char request[] = "GET / HTTP/1.1\r\nHost: example\r\nConnection: close\r\n\r\n";
 *     struct sockaddr_in server = { .sin_family = AF_INET, .sin_port = htons(80) };
 *     char error[TRICKLES_ERROR_BYTES], bytes[16384];
 *     inet_pton(AF_INET, argc > 1 ? argv[1] : "10.0.0.1", &server.sin_addr);
 *
 *     struct trickles *t = trickles_new(NULL, error, sizeof error);
 *     struct trickles_conn *c = t ? trickles_open(t, &(struct trickles_target){
 *         .peer = (struct sockaddr *)&server, .data = request, .bytes = sizeof request - 1 }) : NULL;
 *     if (!c) {
 *         fprintf(stderr, "%s\n", t ? trickles_why(t) : error);
 *         return 1;
 *     }
 *     struct trickles_event event;
 *     ssize_t n = -EAGAIN;
 *     while (n == -EAGAIN && trickles_wait(t, &event, 1, -1) == 1)
 *         while ((n = trickles_read(c, bytes, sizeof bytes)) > 0)
 *             fwrite(bytes, 1, (size_t)n, stdout);
 *     if (n < 0)                                      // 0: the server ended its stream
 *         fprintf(stderr, "%s\n", trickles_conn_why(c));
 *     trickles_free(t);
 *
 * The request travels in the first packet, so a short answer is here after one round trip.
 *
 * A *context* (struct trickles) owns packet sockets, local ports and timers of any number of connections, tens of thousands if
 * the limit on open files allows: each connection takes one descriptor, which keeps the kernel's TCP quiet on its port. Memory
 * of a connection: about 60 KB for small answers, at most 750 KB + receive_bytes + send_bytes.
 *
 * Rights: CAP_NET_RAW, better also CAP_NET_ADMIN (so that the kernel's silence does not depend on the TTL of packets).
 * Servers must speak Trickles: one that answers as plain TCP ends a connection with EPROTONOSUPPORT, and the caller may
 * connect() instead. Nothing of TCP is emulated.
 *
 * Nothing blocks but trickles_wait, and for 10 ms the first connection over a network interface.
 *
 * Threads: a context and its connections belong to one thread at a time. Different contexts know nothing of each other.
 * Fork: the context stays the parent's. A child may call trickles_free, which then frees memory and descriptors and sends
 * nothing, and no other function; descriptors are closed by exec.
 * Signals: none is raised or handled; trickles_wait returns -EINTR.
 *
 * Functions that return int or ssize_t return a negative errno value on failure. Times are microseconds where they are called _us,
 * else milliseconds. */
#ifndef TRICKLES_CLIENT_H
#define TRICKLES_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define TRICKLES_API __attribute__((visibility("default")))
#else
#define TRICKLES_API
#endif

#define TRICKLES_ERROR_BYTES 256            /* enough for every sentence */
#define TRICKLES_FIRST_BYTES 1024           /* of the first data travel in the first packet, if its MTU is not tiny */

struct trickles;                            /* a context */
struct trickles_conn;                       /* a connection; from trickles_open to trickles_close or trickles_abort */

/* ---------------- contexts ---------------- */

struct trickles_options {                   /* zero what you do not set; only read during trickles_new */
    const char *capture;                    /* a pcap file of all packets; NULL: none. Superframes are then cut into packets */
    /* Buffers per connection, powers of two. What lies in the receive buffer unread holds back what is asked of the server,
     * so it bounds the throughput to receive_bytes per round trip; only pages that are used take memory. */
    uint32_t receive_bytes;                 /* 64 KiB to 1 GiB; 0: 4 MiB */
    uint32_t send_bytes;                    /* 16 KiB to 1 GiB; 0: 1 MiB */
    uint32_t open_timeout_ms;               /* without an answer: ETIMEDOUT; 0: 127 s, as Linux's TCP. Its first quarter at
                                               most, and 1 s, passes before the first packet is repeated */
    uint32_t linger_ms;                     /* how long trickles_close tries to deliver what was written; 0: 60 s */
};
/* options may be NULL. NULL with errno and a sentence: EMFILE, ENOMEM, ENOENT (the capture's directory), EINVAL. */
TRICKLES_API struct trickles *trickles_new(const struct trickles_options *options, char *error, size_t error_bytes);
/* Aborts all connections; their pointers are gone. NULL is allowed. */
TRICKLES_API void trickles_free(struct trickles *t);

/* ---------------- the loop ---------------- */

enum trickles_what {                        /* bits; several may come in one event */
    TRICKLES_OPENED = 1,                    /* the server has answered */
    TRICKLES_READABLE = 2,                  /* more to read, or the end of the stream. Said once for what has arrived */
    TRICKLES_WRITABLE = 4,                  /* after a write that was not taken whole: there is room again */
    TRICKLES_SENT = 8,                      /* the server has taken everything that was written, and the end if that was said */
    TRICKLES_FAILED = 16                    /* the last event: trickles_error says why. What has arrived can still be read */
};
struct trickles_event { struct trickles_conn *conn; void *user; unsigned what; };

/* Up to n events, waiting up to timeout_ms for the first one (-1: for ever, 0: not at all). Returns how many; 0: none yet; -EINTR.
 * Packets are received and sent in here and nowhere else. A program with a loop of its own polls the descriptor of trickles_fd and
 * then calls it with timeout 0 until it returns 0; what was written meanwhile leaves, too. A connection has one event at a time,
 * and none after trickles_close or trickles_abort (but it may be among those that were returned together). */
TRICKLES_API int trickles_wait(struct trickles *t, struct trickles_event *events, int n, int timeout_ms);
/* A descriptor for poll, epoll and the like: readable when trickles_wait has something to do, timers included. Not to be read.
 * The context's own. */
TRICKLES_API int trickles_fd(struct trickles *t);
/* Why the last call that had no connection to say it failed (trickles_open); never NULL. */
TRICKLES_API const char *trickles_why(const struct trickles *t);
/* Packets lost between the network and this process, as nobody called trickles_wait in time. */
TRICKLES_API uint64_t trickles_drops(struct trickles *t);

/* ---------------- connections ---------------- */

struct trickles_target {                    /* zero what you do not set; copied */
    const struct sockaddr *peer;            /* sockaddr_in or sockaddr_in6 (no scope: link-local addresses are EINVAL) */
    const struct sockaddr *local;           /* address, port or both; NULL: as the route says */
    /* First data, at most send_bytes. The first TRICKLES_FIRST_BYTES travel with the opening. Like all input of a Trickles server
     * they may be processed more than once when packets get lost: see PROTOCOL.md 7.6. */
    const void *data; size_t bytes;
    void *user;                             /* yours; in every event */
};
/* At once: a connection that is being opened, TRICKLES_OPENED or TRICKLES_FAILED will say how it went. NULL and errno for what is
 * known already, see trickles_why: EINVAL, ENETUNREACH, EACCES, EPERM (rights), EMFILE, ENOMEM, EADDRINUSE (the local port),
 * EADDRNOTAVAIL, EMSGSIZE (data), ENETDOWN. */
TRICKLES_API struct trickles_conn *trickles_open(struct trickles *t, const struct trickles_target *target);

/* Copies what has arrived: bytes, 0 at the end of the stream, -EAGAIN, or the error of the connection. */
TRICKLES_API ssize_t trickles_read(struct trickles_conn *c, void *out, size_t bytes);
/* The same without a copy: fills up to n pieces, in order; returns how many (0: nothing to read now, ask trickles_at_end). They stay
 * where they are until bytes of them are consumed, the next trickles_wait or the end of the connection. */
TRICKLES_API size_t trickles_peek(const struct trickles_conn *c, struct iovec *out, size_t n);
/* Release bytes from the first piece on: of all pieces at once, as each call may be worth a request. -EINVAL: more than there are. */
TRICKLES_API int trickles_consume(struct trickles_conn *c, size_t bytes);
/* Everything was read and the server ended its stream. */
TRICKLES_API bool trickles_at_end(const struct trickles_conn *c);

/* Takes what fits the send buffer; it leaves with the next trickles_wait. -EAGAIN: nothing fits, TRICKLES_WRITABLE will come. -EPIPE:
 * after trickles_shutdown. After the end of the server's stream all is taken and discarded. */
TRICKLES_API ssize_t trickles_write(struct trickles_conn *c, const void *data, size_t bytes);
/* No more input: the server reads the end of the stream after what was written. Reading goes on. */
TRICKLES_API int trickles_shutdown(struct trickles_conn *c);
/* Bytes written that the server has not taken yet (and 1 for the end, if said). */
TRICKLES_API size_t trickles_unsent(const struct trickles_conn *c);

/* Done with it: c is gone for the caller. What was written is still delivered for up to linger_ms, while trickles_wait is called;
 * what arrives is thrown away. NULL is allowed, also for abort. */
TRICKLES_API void trickles_close(struct trickles_conn *c);
/* The same at once; nothing is delivered. */
TRICKLES_API void trickles_abort(struct trickles_conn *c);

/* 0 while it opens or is open, else a positive errno value: ECONNREFUSED (nobody listens, or EPROTONOSUPPORT: TCP answers only),
 * ETIMEDOUT, ECONNRESET (by the server, with proof), EHOSTUNREACH (the next hop does not answer), ... */
TRICKLES_API int trickles_error(const struct trickles_conn *c);
/* The same as a sentence; never NULL. */
TRICKLES_API const char *trickles_conn_why(const struct trickles_conn *c);
TRICKLES_API void *trickles_user(const struct trickles_conn *c);
TRICKLES_API void trickles_set_user(struct trickles_conn *c, void *user);
/* Both ends. local: -EAGAIN before its address is known. */
TRICKLES_API int trickles_local(const struct trickles_conn *c, struct sockaddr_storage *out);
TRICKLES_API int trickles_peer(const struct trickles_conn *c, struct sockaddr_storage *out);

struct trickles_info {
    uint32_t rtt_us, rtt_deviation_us;      /* smoothed, as RFC 6298; 0: not measured yet */
    uint32_t window_packets, threshold_packets;     /* congestion window; slow start threshold, 65535: none yet */
    uint32_t outstanding_packets;           /* asked for and not arrived */
    uint32_t packet_bytes;                  /* payload of a full packet, headers of Trickles included; 0: not open yet */
    uint64_t bytes_read, bytes_written;     /* by this program */
    uint64_t packets_sent, packets_received;
    uint64_t packets_lost;                  /* answers that were missed */
    uint64_t recoveries;                    /* windows halved after a loss */
    uint64_t timeouts, resumes, refreshes;  /* restarts: by the timer, after idling, by a server that had lost its memory */
};
TRICKLES_API int trickles_info(const struct trickles_conn *c, struct trickles_info *out);

#ifdef __cplusplus
}
#endif
#endif
