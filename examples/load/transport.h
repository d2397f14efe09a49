/* transport.h - what carries the requests: Trickles by the library, or the kernel's TCP to compare with. */
#ifndef LOAD_TRANSPORT_H
#define LOAD_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct transport;
struct options;

struct transport_event {
    void *user;
    bool failed;                       /* the last event of the connection; it can still be read, and has to be closed */
    const char *why;
};

/* bytes of an answer, where they arrived. False: take no more. It closes no connection. */
typedef bool transport_taker(void *user, const uint8_t *data, size_t bytes);

#define TRANSPORT_EVENTS 256

struct transport_ops {
    const char *name;
    /* NULL, and a sentence. */
    struct transport *(*new)(const struct options *options, char *error, size_t error_bytes);
    void (*free)(struct transport *t);
    /* A connection with its first data; NULL and *why. */
    void *(*open)(struct transport *t, const struct sockaddr *peer, const void *data, size_t bytes, void *user, const char **why);
    /* A further request; false if it does not fit. */
    bool (*write)(void *conn, const void *data, size_t bytes);
    /* Hand out what has arrived. 1: more may come; 0: the server ended its stream; -1: failed, or the taker wants no more. */
    int (*pull)(void *conn, transport_taker *take, void *user);
    void (*close)(void *conn);
    /* Up to n <= TRANSPORT_EVENTS events, waiting at most until_us (monotonic) for the first. */
    int (*wait)(struct transport *t, struct transport_event *events, int n, uint64_t until_us);
    uint64_t (*drops)(struct transport *t);
};
extern const struct transport_ops transport_trickles, transport_tcp;

uint64_t clock_us(void);

#endif
