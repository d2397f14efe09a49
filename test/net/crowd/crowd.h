/* crowd.h - the parts of trk-crowd (main.c says what it is). */
#ifndef TRK_NET_CROWD_H
#define TRK_NET_CROWD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "link/link.h"
#include "tcb/keys.h"
#include "wire/messages.h"

#define OUTSTANDING   1024             /* SYNs without an answer, or the next wait */
#define SEND_BATCH    64
#define ACTIVE        32               /* fetches at a time */
#define FIRST_PORT    20000
#define ANSWER_BYTES  16384
#define PATIENCE_MS   2000

struct conn {                          /* all that a client must keep of an idle connection. h 0: not open */
    uint64_t h, nonce;
    uint32_t tag, tick;
    uint8_t  seal[TRK_SEAL_BYTES];
};

struct fetch {                         /* one that is under way */
    int64_t since_ms;
    uint32_t conn, seq, ack;
    bool busy, refreshed;
    uint64_t end;                      /* of the output, once it is known; else 0 */
    uint32_t got;
    struct trk_grant grant; uint8_t seal[TRK_SEAL_BYTES];    /* the newest answer's, */
    uint32_t numbers;                  /* how many of it have come, */
    uint64_t sum;                      /* and the nonces of all in its piece */
    uint8_t cont[TRK_UCONT_MAX]; uint16_t cont_bytes;        /* that makes the output */
    uint8_t answer[ANSWER_BYTES];
};

struct crowd {
    struct trk_link *link;
    struct trk_addr server; uint16_t port;
    struct trk_link_neighbour to;
    struct conn *conns; uint32_t n, opened;
    uint32_t domain; uint8_t epoch; uint16_t slot; struct trk_piece piece;   /* equal for all */
    uint32_t *t_of;                    /* opening tick of each */
    uint8_t packets[SEND_BATCH][1400]; struct trk_link_out out[SEND_BATCH]; int n_out;
    struct fetch fetches[ACTIVE];
    uint32_t done, exact, refreshes, failed;
    const char *path; uint8_t file[ANSWER_BYTES]; size_t file_bytes;
};

int64_t crowd_now_ms(void);
_Noreturn void crowd_fail(const char *what, const char *detail);
uint64_t crowd_mix(uint64_t z);        /* good bits from a counter */

/* packets.c: the flow of connection i, and what it sends. flush before waiting. */
bool crowd_conn_of(const struct crowd *c, const struct trk_flow *received, uint32_t *i);
uint32_t crowd_iss(uint32_t i);
void crowd_flush(struct crowd *c);
void crowd_send_syn(struct crowd *c, uint32_t i);
/* seq is the fetch's, and moves on. */
void crowd_send_request(struct crowd *c, struct fetch *f, const struct trk_request *r);

/* fetch.c: connections that fetch the file. */
void crowd_take_answer(struct crowd *c, uint32_t i, const struct trk_segment *seg, const struct trk_answer *a);
void crowd_begin_fetch(struct crowd *c, struct fetch *f, uint32_t i);
void crowd_end_fetch(struct crowd *c, struct fetch *f, bool exact);

#endif
