/* stream.c - the two byte streams of a connection, and what can be asked about it. */
#include "endpoint/library/context.h"
#include <errno.h>
#include <string.h>

#define PIECES (TRK_CLIENT_LENT + 2)   /* what is readable never lies in more: packets, and both ends of the receive buffer */

/* What reading says when there is nothing to read. */
static ssize_t nothing(const struct trickles_conn *c)
{
    if (trickles_at_end(c))
        return 0;
    return c->error ? -c->error : -EAGAIN;
}

/* All at once: where the receive buffer is what holds the server back, each release of a packet's bytes would be a request. */
static void release(struct trickles_conn *c, size_t bytes)
{
    trk_client_consume(c->end.client, (uint32_t)bytes, trk_endpoint_now(c->t->endpoint));
    conn_touch(c);
}

ssize_t trickles_read(struct trickles_conn *c, void *out, size_t bytes)
{
    struct trk_bytes pieces[PIECES];
    size_t done = 0, n = c->end.client ? trk_client_readable_pieces(c->end.client, pieces, PIECES) : 0;
    for (size_t i = 0; i < n && done < bytes; i++) {
        size_t taken = pieces[i].bytes < bytes - done ? pieces[i].bytes : bytes - done;
        memcpy((uint8_t *)out + done, pieces[i].data, taken);
        done += taken;
    }
    if (!done)
        return bytes ? nothing(c) : 0;
    release(c, done);
    return (ssize_t)done;
}

size_t trickles_peek(const struct trickles_conn *c, struct iovec *out, size_t n)
{
    struct trk_bytes pieces[PIECES];
    if (!c->end.client)
        return 0;
    n = trk_client_readable_pieces(c->end.client, pieces, n < PIECES ? n : PIECES);
    for (size_t i = 0; i < n; i++)
        out[i] = (struct iovec){ (void *)(uintptr_t)pieces[i].data, pieces[i].bytes };
    return n;
}

int trickles_consume(struct trickles_conn *c, size_t bytes)
{
    struct trk_bytes pieces[PIECES];
    size_t there = 0, n = c->end.client ? trk_client_readable_pieces(c->end.client, pieces, PIECES) : 0;
    for (size_t i = 0; i < n && there < bytes; i++)
        there += pieces[i].bytes;
    if (there < bytes)
        return -EINVAL;
    if (bytes)
        release(c, bytes);
    return 0;
}

bool trickles_at_end(const struct trickles_conn *c)
{
    return c->end.client && trk_client_at_end(c->end.client);
}

ssize_t trickles_write(struct trickles_conn *c, const void *data, size_t bytes)
{
    if (c->error)
        return -c->error;
    if (c->shut)
        return -EPIPE;
    if (!c->end.client)                /* the way is not known yet */
        return -EAGAIN;
    uint32_t most = bytes < UINT32_MAX ? (uint32_t)bytes : UINT32_MAX;
    uint32_t n = trk_client_write(c->end.client, data, most, trk_endpoint_now(c->t->endpoint));
    c->wants_room = n < bytes;
    c->wants_sent |= n > 0;
    if (n)
        conn_touch(c);
    return n || !bytes ? (ssize_t)n : -EAGAIN;
}

int trickles_shutdown(struct trickles_conn *c)
{
    if (c->error)
        return -c->error;
    if (!c->end.client)
        return -EAGAIN;
    if (!c->shut) {
        trk_client_shutdown(c->end.client, trk_endpoint_now(c->t->endpoint));
        c->shut = c->wants_sent = true;
        conn_touch(c);
    }
    return 0;
}

size_t trickles_unsent(const struct trickles_conn *c)
{
    return c->end.client ? trk_client_unsent(c->end.client) : c->first_bytes;
}

int trickles_info(const struct trickles_conn *c, struct trickles_info *out)
{
    struct trk_client_stats s;
    memset(out, 0, sizeof *out);
    if (!c->end.client)
        return 0;
    trk_client_stats(c->end.client, &s);
    *out = (struct trickles_info){
        .rtt_us = s.srtt_us, .rtt_deviation_us = s.rttvar_us, .window_packets = s.cwnd_pkts, .threshold_packets = s.ssthresh_pkts,
        .outstanding_packets = s.outstanding_pkts, .packet_bytes = s.fill, .bytes_read = s.bytes_read, .bytes_written = s.bytes_written,
        .packets_sent = s.segments_sent, .packets_received = s.segments_received, .packets_lost = s.numbers_lost,
        .recoveries = s.recoveries, .timeouts = s.timeouts, .resumes = s.resumes, .refreshes = s.refreshes,
    };
    return 0;
}
