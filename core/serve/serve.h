/* serve.h - the server's whole response path: check, admit, respond (PROTOCOL.md 6).
 *
 * check and respond are pure: equal arguments give equal bytes on every replica. Only admit remembers
 * anything (the filter, behind a pointer that may be NULL). plan is the pure middle piece that tells the
 * application what it may say before respond says it. Nothing here allocates, reads a clock or does I/O.
 *
 *   segment -> trk_check -> struct trk_spend -> trk_admit -> struct trk_decision -> trk_plan -> struct trk_plan
 *           -> (the application fills struct trk_result) -> trk_respond -> struct trk_packet[] */
#ifndef TRK_SERVE_SERVE_H
#define TRK_SERVE_SERVE_H

#include "tcb/keys.h"
#include "tcb/seal.h"
#include "tcb/step.h"

struct trk_filter;                     /* the replay filter (filter.h); a server may do without: NULL, domain 0 */

struct trk_serve_config {
    uint32_t domain;                   /* trk_filter_domain; 0 without a filter */
    uint16_t mss_v4, mss_v6;           /* of the device the packet came by: MTU - 40, MTU - 60; slots never exceed it */
    uint32_t horizon_ms, skew_ms;      /* 0: TRK_HORIZON_MS, TRK_SKEW_MS */
    const struct trk_filter *expects;  /* the filter that admit will be given, or NULL: check has its memory fetched while it
                                          proves, and looks at nothing of it */
};

enum trk_spend_type { TRK_SPEND_OPEN, TRK_SPEND_NUMBERS, TRK_SPEND_RESTART, TRK_SPEND_CLOSE };

/* What a packet proves. Views point into the packet: it must stay until respond has returned. */
struct trk_spend {
    enum trk_spend_type type;
    struct trk_flow flow;              /* as received: src = client */
    bool proven;                       /* grants and nonces hold: whoever sent it is the client */
    uint32_t seq, ack, payload_bytes;  /* of its segment: the answer's ack names its end */
    uint32_t packet_bytes;             /* the IP packet, at least: bounds the answer to an unproven address */
    const struct trk_epoch *epoch;     /* of the grants; OPEN: the current one */
    struct trk_conn_id id;
    uint32_t isn, address_tag;
    uint32_t tick;                     /* the sealed time the application is told (OPEN: of arrival) */
    bool must_refresh;                 /* proven, but too old, ahead, or of a retiring epoch */
    struct trk_request request;        /* NUMBERS, RESTART, fully parsed; OPEN: has_input.., slot and fill filled in */
    struct trk_step steps[TRK_PARTS_MAX];    /* NUMBERS: of each part, if all of it is spent */
    uint64_t cut_f;                    /* RESTART: f of the grant of k* if it was cut, else 0 */
    uint32_t age_ms;                   /* RESTART: of the grant of k*, 0 if in the future */
    bool aged;                         /* RESTART: sealed over 1 s ago */
    struct trk_ucont conts[TRK_CONTS_MAX];   /* opened, same index as request.conts */
};

/* Judge one marked segment. Cheap checks first. ACCEPTED and *out, or the verdict: then trk_tell_of says whether the
 * client is told, for which *out holds what is needed. now_ms: real time. */
enum trk_verdict trk_check(const struct trk_segment *seg, const struct trk_keys *keys, const struct trk_serve_config *config,
                           uint64_t now_ms, struct trk_spend *out);

struct trk_decision {
    enum trk_verdict verdict;          /* ANSWERED: answer; REFRESHED: refresh; else tell the client why not */
    uint64_t mask[TRK_PARTS_MAX];      /* bit i: number k+i of that part is spent by this very request (m <= 64) */
    bool     terminal[TRK_PARTS_MAX];  /* L turned from free to lost: its terminal goes out */
    uint8_t  recreate[TRK_PARTS_MAX];  /* how many numbers directly before k may be re-created, 0..8 */
    bool     attested;                 /* RESTART: resume believed */
    bool     stale;                    /* RESTART, refresh: not of the connection's newest window */
    uint32_t generation;               /* the answer's: g; restart g + r; refresh g + 13 or above */
    uint32_t domain;
};
/* The only step that remembers. With filter NULL: everything proven is spent, a cut seal attests. */
void trk_admit(struct trk_filter *filter, const struct trk_spend *spend, const struct trk_serve_config *config,
               uint64_t now_ms, struct trk_decision *out);

/* One contiguous grant of the answer and the bytes each of its numbers carries. */
struct trk_plan_grant {
    uint8_t  part;                     /* of the request; its asks are request.parts[part].asks */
    struct trk_step step;              /* a, b, piece, terminal */
    struct trk_slice slices[TRK_GRANT_MAX];   /* of number a + i */
    struct trk_slice terminal;         /* valid if step.terminal */
    bool     carries_input;            /* the input's answer goes into its first packet */
};
#define TRK_PLAN_GRANTS_MAX 8
#define TRK_WANTS_MAX (TRK_PARTS_MAX * TRK_ASKS_MAX + TRK_PLAN_GRANTS_MAX)   /* a hole between grants may split an ask */
struct trk_plan {
    bool refresh;                      /* answer is one refresh opening: the application is not asked */
    bool restart;                      /* answers in the long form, may be cut */
    bool may_input;                    /* the application is to process the input (it has a packet to be answered in) */
    uint8_t form;                      /* of the answers */
    uint32_t room;                     /* bytes for continuations and data after the form's header, in each packet */
    uint8_t n_grants; struct trk_plan_grant grants[TRK_PLAN_GRANTS_MAX];
    uint32_t input_room;               /* data bytes that the input's own output may have in this answer */
    /* What the application is asked for: byte ranges of the output stream that the granted numbers will carry, in the
     * order in which the request asks. cont: index in spend.conts, or TRK_ASK_INPUT for what this request's input makes,
     * whose offset is a stream offset like the others (it starts where the input continuation's `second` says). */
    uint8_t n_wants; struct { uint8_t cont; uint64_t offset; uint32_t bytes; } wants[TRK_WANTS_MAX];
};
/* Pure. BEYOND_RECOVERY, TOO_MANY, NO_ROOM, or ACCEPTED; the decision's own verdict if that is no answer.
 * A SYN has one want, {TRK_ASK_INPUT, 0, room}, also without input: a server may speak first. */
enum trk_verdict trk_plan(const struct trk_spend *spend, const struct trk_decision *d, const struct trk_serve_config *config, struct trk_plan *out);

enum trk_input_fate { TRK_INPUT_NONE, TRK_INPUT_MORE, TRK_INPUT_DONE,
                      TRK_INPUT_TAKEN };               /* input by position: these bytes need not come again */

/* A continuation that may replace the one in use (PROTOCOL.md 8.4), to ride on number n, if that carries data. */
struct trk_renewal { uint64_t n; struct trk_ucont cont; };
#define TRK_RENEWALS_MAX 4             /* in one answer, those included that change their epoch alone */

/* What the application says. Memory stays the caller's until the packets are sent. */
struct trk_result {
    enum trk_input_fate fate;
    struct trk_ucont input, output;    /* MORE: input; DONE: input and output */
    bool has_range;                    /* MORE: bytes of `range` may come by position; input goes on behind it */
    struct trk_ucont range;
    bool opens_output;                 /* OPEN without input, the server speaks first: output, and input if fate is DONE
                                          (otherwise an input of nothing consumed is made from the output's end) */
    struct {                           /* parallel to plan.wants; fewer bytes than wanted: that is all there is now */
        const uint8_t *data; uint32_t bytes;           /* data[0] is at wants[i].offset */
        bool end, fin;                 /* an output of unknown length ends after these bytes (and the stream with it) */
    } given[TRK_WANTS_MAX];
    const struct trk_ucont *next_input;/* with end: the next input continuation; without one the end is not said. So one answer
                                          says the end of one output, of the newest: the client knows the others */
    unsigned n_renewals; const struct trk_renewal *renewals;
};

/* An outgoing packet: IP and TCP header, message header and continuations in head, then data by reference. Where one
 * packet carries bytes of several givens, all but the last are copied to the end of head. */
struct trk_packet {
    const uint8_t *head; uint32_t head_bytes;
    const uint8_t *data; uint32_t data_bytes;
    bool follows;                      /* like the packet before it, and directly behind it: they differ in sequence number, nonce and
                                          place in data and stream alone */
    uint32_t seq; uint16_t slot;       /* packets with seq + slot == next seq, data filling the slot, may go as one superframe */
};
struct trk_packets {                   /* caller's memory */
    struct trk_packet *packets; size_t cap, n;
    uint8_t *arena; size_t arena_bytes, arena_used;      /* heads are written here */
};
#define TRK_ANSWER_PACKETS_MAX (TRK_GRANT_MAX + TRK_PLAN_GRANTS_MAX)
#define TRK_COPY_BYTES TRK_SLOT_MAX    /* data copied into heads by one answer; a packet that would need more is shortened */
#define TRK_ARENA_BYTES (TRK_ANSWER_PACKETS_MAX * (TRK_HEADER_MAX + TRK_OPENED_BYTES) + (4 + TRK_RENEWALS_MAX) * TRK_UCONT_MAX + TRK_COPY_BYTES)

/* Pure. ANSWERED, REFRESHED, or why nothing could be written (NO_ROOM: a continuation larger than a packet, or memory
 * below the two limits above). Starts by emptying *out. An answer may have no packet: then every trickle ends.
 * A short given leaves its numbers as headers, a continuation that exceeds request.reserve shortens the first packet's
 * data, and the end of an output goes where its continuation fits: the client asks again for what is missing. A SYN's
 * answer that has no room for the input's continuations opens the connection without them: the input comes again. */
enum trk_verdict trk_respond(const struct trk_spend *spend, const struct trk_decision *d, const struct trk_plan *plan,
                             const struct trk_result *result, const struct trk_keys *keys, const struct trk_serve_config *config,
                             uint64_t now_ms, struct trk_packets *out);
/* Whether the sender of a segment that was not honoured is told. What proves nothing is met with silence. */
enum trk_tell {
    TRK_TELL_NOTHING,
    TRK_TELL_VERDICT,
    TRK_TELL_RESET,                    /* nothing that the client can send will be honoured: a continuation of a retired epoch */
};
enum trk_tell trk_tell_of(const struct trk_spend *spend, enum trk_verdict v);
/* The verdict message for a request that is not honoured; with reset true in a RST segment, which ends the connection
 * at the client (PROTOCOL.md 8.3: a replica that would produce other bytes must reset, never mix). At most one packet,
 * never larger than the request; none for a verdict that trk_tell_of keeps quiet about. */
void trk_respond_verdict(const struct trk_spend *spend, enum trk_verdict v, const struct trk_serve_config *config, bool reset, struct trk_packets *out);

#endif
