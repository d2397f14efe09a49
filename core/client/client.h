/* client.h - the client engine: all the state a connection has, in one caller-owned object.
 *
 * No I/O, clock, randomness or malloc: segments are fed, segments are polled, time is an argument and comes
 * in once per call. The caller loops:
 *     feed each received segment; then poll until it returns 0; sleep until next_timeout; poll again.
 * After every few feeds poll must be drained (the outbox is bounded). Time is a monotonic clock in microseconds. */
#ifndef TRK_CLIENT_CLIENT_H
#define TRK_CLIENT_CLIENT_H

#include "wire/messages.h"
#include "wire/segment.h"

enum trk_client_state {
    TRK_CLIENT_IDLE,                   /* before open */
    TRK_CLIENT_OPENING,                /* SYN sent */
    TRK_CLIENT_OPEN,
    TRK_CLIENT_TCP_ONLY,               /* end: the server answered as plain TCP: fall back */
    TRK_CLIENT_REFUSED,                /* end: RST in answer to the SYN */
    TRK_CLIENT_TIMED_OUT,              /* end: no answer to the SYN */
    TRK_CLIENT_RESET,                  /* end: the server reset the connection, with proof */
    TRK_CLIENT_CLOSED,                 /* end: closed or aborted by the caller */
};

struct trk_client_config {
    struct trk_flow flow;              /* as sent: src = client */
    uint16_t mss;                      /* MTU - 40 (IPv4) or - 60 (IPv6) */
    uint32_t iss;                      /* random initial sequence number */
    uint8_t  random[TRK_RANDOM_BYTES]; /* for the SYN */
    uint32_t syn_timeout_ms;           /* all attempts together; 0: 127000, as Linux's default */
    uint8_t *receive_buffer; uint32_t receive_bytes;   /* a power of two, at least 64 KiB; owned by the caller */
    uint8_t *send_buffer; uint32_t send_bytes;         /* likewise, at least 16 KiB */
    void *numbers; size_t numbers_bytes;               /* at least TRK_CLIENT_NUMBERS_BYTES, 16-aligned */
    bool lends;                        /* fed segments stay where they are until trk_client_keep: what is next in order is read there */
    bool numbers_zeroed;               /* they are zeros, as mmap gives them: opening then touches none of their pages */
};
#define TRK_CLIENT_NUMBERS 8192        /* numbers between the oldest kept and the newest predicted, for the largest window */
#define TRK_CLIENT_NUMBERS_BYTES (TRK_CLIENT_NUMBERS * 64)

struct trk_client_stats {
    uint64_t verdicts[TRK_V_COUNT];
    uint64_t segments_sent, segments_received, bytes_read, bytes_written;
    uint64_t requests_unsent;          /* did not fit the outbox or their own limits */
    uint64_t numbers_lost, numbers_late, timeouts, resumes, refreshes, recoveries;
    uint32_t srtt_us, rttvar_us, cwnd_pkts, ssthresh_pkts, outstanding_pkts;
    uint16_t slot, fill; uint32_t generation;
};

#include "client/client_state.h"       /* struct trk_client: complete, so the caller can allocate it; fields are private */

/* False if the config is out of bounds. data: first input to put into the SYN (may be 0 bytes). */
bool trk_client_open(struct trk_client *c, const struct trk_client_config *config, const uint8_t *data, uint32_t bytes, uint64_t now_us);

/* After its end: zeroes what it used of its numbers, for another connection with numbers_zeroed. */
void trk_client_wash(struct trk_client *c);

/* One segment for this flow (checksum verified by the caller). Returns its fate. */
enum trk_verdict trk_client_feed(struct trk_client *c, const struct trk_segment *seg, uint64_t now_us);

/* The next packet to send: whole IP packet (TCP checksum: pseudo-header sum only, see trk_segment_emit).
 * Returns its bytes, 0 if there is nothing to send now. cap >= slot + TRK_HEADER_MAX. */
size_t trk_client_poll(struct trk_client *c, uint64_t now_us, uint8_t *packet, size_t cap);

/* A superframe: a segment whose payload is that of packets of slice_bytes each (the last may be shorter). As good as
 * feeding each of them, at less cost. */
void trk_client_feed_slices(struct trk_client *c, const struct trk_segment *seg, uint32_t slice_bytes, uint64_t now_us);

/* When poll must be called again at the latest; UINT64_MAX: never. */
uint64_t trk_client_next_timeout(const struct trk_client *c);

/* ---- the byte streams ---- */
/* Contiguous readable bytes at the head of the output stream: *data points into the receive buffer or a lent segment. */
uint32_t trk_client_readable(const struct trk_client *c, const uint8_t **data);
/* The same, piece after piece: all that is readable, as far as cap goes. Returns the pieces. */
struct trk_bytes { const uint8_t *data; uint32_t bytes; };
size_t trk_client_readable_pieces(const struct trk_client *c, struct trk_bytes *out, size_t cap);
/* Release n bytes (n <= readable). Poll afterwards: room may let it ask for more. */
void trk_client_consume(struct trk_client *c, uint32_t n, uint64_t now_us);
/* With lends: fed segments are about to go. What was not consumed is copied to the receive buffer. */
void trk_client_keep(struct trk_client *c);
/* All bytes were consumed and the server ended its stream. */
bool trk_client_at_end(const struct trk_client *c);
/* Copy input; returns how many bytes fitted. After the end of output everything is taken and discarded. */
uint32_t trk_client_write(struct trk_client *c, const uint8_t *data, uint32_t bytes, uint64_t now_us);
uint32_t trk_client_writable(const struct trk_client *c);   /* free bytes of the send buffer */
uint32_t trk_client_unsent(const struct trk_client *c);     /* input bytes (and end) not yet consumed by the server */
/* No more input: the end of stream travels as one more unit (half-close). */
void trk_client_shutdown(struct trk_client *c, uint64_t now_us);
/* CLOSE once, then RST; both come out of poll, then the state is CLOSED. */
void trk_client_close(struct trk_client *c);

/* A router says that the segment with this sequence number was too big for a link of mtu bytes (RFC 1191, 8201). Believed
 * (true) if such a segment is on its way and would be smaller now: messages shrink, both ways, to no less than the least slot. */
bool trk_client_path_mtu(struct trk_client *c, uint32_t seq, uint32_t mtu, uint64_t now_us);

enum trk_client_state trk_client_state(const struct trk_client *c);
void trk_client_stats(const struct trk_client *c, struct trk_client_stats *out);

#endif
