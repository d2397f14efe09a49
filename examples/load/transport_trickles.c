/* transport_trickles.c - on libtrickles-client: answers are read where the packets arrived. */
#include "transport.h"
#include "options.h"
#include <errno.h>
#include <string.h>
#include <trickles/client.h>

#define SEND_BYTES 16384               /* a request; the least that the library takes */
#define PIECES     400

static struct trickles *context(struct transport *t) { return (struct trickles *)(void *)t; }

static struct transport *make(const struct options *o, char *error, size_t error_bytes)
{
    struct trickles_options options = {
        .capture = o->pcap, .receive_bytes = (uint32_t)o->receive_kib * 1024, .send_bytes = SEND_BYTES, .open_timeout_ms = (uint32_t)o->timeout_ms,
    };
    return (struct transport *)(void *)trickles_new(&options, error, error_bytes);
}

static void unmake(struct transport *t) { trickles_free(context(t)); }

static void *open_one(struct transport *t, const struct sockaddr *peer, const void *data, size_t bytes, void *user, const char **why)
{
    struct trickles_target target = { .peer = peer, .data = data, .bytes = bytes, .user = user };
    void *conn = trickles_open(context(t), &target);
    *why = trickles_why(context(t));
    return conn;
}

static bool write_one(void *conn, const void *data, size_t bytes) { return trickles_write(conn, data, bytes) == (ssize_t)bytes; }

static int pull(void *conn, transport_taker *take, void *user)
{
    struct iovec pieces[PIECES];
    bool more = true;
    size_t n;
    while (more && (n = trickles_peek(conn, pieces, PIECES)) > 0) {
        size_t bytes = 0;
        for (size_t i = 0; more && i < n; i++) {
            more = take(user, pieces[i].iov_base, pieces[i].iov_len);
            bytes += pieces[i].iov_len;
        }
        trickles_consume(conn, bytes);
    }
    if (more && trickles_at_end(conn))
        return 0;
    return more && !trickles_error(conn) ? 1 : -1;
}

/* The answer is here: nothing is left to be delivered. */
static void close_one(void *conn) { trickles_abort(conn); }

static int wait_some(struct transport *t, struct transport_event *events, int n, uint64_t until_us)
{
    struct trickles_event got[TRANSPORT_EVENTS];
    uint64_t now = clock_us(), wait_ms = until_us > now ? (until_us - now + 999) / 1000 : 0;
    int filled = 0, count = trickles_wait(context(t), got, n, (int)(wait_ms < 60000 ? wait_ms : 60000));
    for (int i = 0; i < count; i++) {
        bool failed = got[i].what & TRICKLES_FAILED;
        if (failed || (got[i].what & TRICKLES_READABLE))
            events[filled++] = (struct transport_event){ got[i].user, failed, failed ? trickles_conn_why(got[i].conn) : NULL };
    }
    return filled;
}

static uint64_t drops(struct transport *t) { return trickles_drops(context(t)); }

const struct transport_ops transport_trickles = { "trickles", make, unmake, open_one, write_one, pull, close_one, wait_some, drops };
