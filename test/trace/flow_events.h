/* flow_events.h - a Trickles flow as a list of events, one JSON object per line, from its packets alone: so simulated runs
 * and captures of real ones speak one language, and one tool draws both.
 *
 * Every line has "t" (seconds since the flow's first packet), "flow", "side" and "event"; numbers are packets' numbers,
 * sizes bytes, windows packets.
 *   client  open | spend | lost | restart | input | close        what it says, read from its packets
 *   client  receive                                              an answer that arrived
 *   client  read                                                 what its program has read so far (total); only of simulated
 *                                                                runs of several flows. rival: it speaks a textbook TCP
 *   server  opened | answer | terminal | refresh | verdict       an answer that left
 *   server  judge                                                a request's fate; only where the server is simulated
 *   path    drop                                                 a packet that the simulated path lost
 * spend: k, m, piece [base, start, ssthresh], a, b (what it grants), cwnd, outstanding, repeat. lost: from, to.
 * restart: kind, attempt, k, a, b, cwnd, outstanding, repeat. receive, answer: n, generation, offset, bytes, fate. */
#ifndef TRK_TEST_FLOW_EVENTS_H
#define TRK_TEST_FLOW_EVENTS_H

#include <stdio.h>

#include "tcb/step.h"
#include "wire/segment.h"

#define FLOW_NUMBERS 32768             /* numbers of a generation that are told apart */

enum flow_number_state { FLOW_NEVER, FLOW_EXPECTED, FLOW_RECEIVED, FLOW_LOST };

struct flow_number { uint64_t n; uint32_t generation; enum flow_number_state state; struct trk_piece piece; };

struct flow_events {                   /* what a tracer has to know to make sense of the next packet; zeros to begin with */
    FILE    *out;
    unsigned flow;
    bool     begun, opened;
    uint64_t begin_us, now_us;
    uint32_t isn; uint16_t slot; uint64_t near, near_offset;       /* from what is sent to numbers and offsets */
    uint32_t generation;               /* the newest that the client speaks of or was answered in */
    uint32_t restarted_from; uint8_t attempt;          /* the newest restart: its copies say the same */
    uint64_t lost_to, newest_base;     /* losses up to here were told; of the newest piece */
    uint32_t cwnd, outstanding;
    struct flow_number *numbers;       /* FLOW_NUMBERS, the caller's */
};

/* A packet of the client as it leaves (or passes the place where it is captured), and one of the server. fate: of the
 * packet, or NULL. */
void flow_events_request(struct flow_events *f, uint64_t now_us, const struct trk_segment *s);
void flow_events_answer(struct flow_events *f, uint64_t now_us, const struct trk_segment *s, const char *fate);
/* The server's packet reaches the client. */
void flow_events_receive(struct flow_events *f, uint64_t now_us, const struct trk_segment *s, const char *fate);
/* Only the simulated world sees these. up: towards the server. */
void flow_events_judge(struct flow_events *f, uint64_t now_us, const char *verdict);
void flow_events_read(struct flow_events *f, uint64_t now_us, uint64_t total, bool rival);
void flow_events_drop(struct flow_events *f, uint64_t now_us, bool up, uint32_t bytes, const char *why);

#endif
