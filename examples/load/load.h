/* load.h - the run: connections, their requests, and what is counted. */
#ifndef LOAD_LOAD_H
#define LOAD_LOAD_H

#include <http_parser.h>
#include "histogram.h"
#include "options.h"
#include "target.h"
#include "transport.h"

#define LOAD_ERROR_KINDS 16

struct load_error { const char *why; uint64_t n; };

struct load_counts {                   /* since the warm-up's end */
    uint64_t answers, body_bytes, bytes, opened, errors;
    uint64_t by_status[6];             /* hundreds */
    struct load_error kinds[LOAD_ERROR_KINDS];
};

struct load_list { struct load_conn *first, *last; };

struct load_conn {                     /* about 200 bytes, and what the transport takes */
    struct load *load;
    void *conn;                        /* NULL: not open */
    struct target *target;
    http_parser parser;
    struct crypto_generichash_blake2b_state *hash;     /* --verify */
    uint64_t started_us, due_us;       /* the request; in `resting`: when the next one is due */
    uint64_t body_bytes;
    struct load_conn *next, *previous; /* of one of the load's lists */
    struct load_list *list;
    bool first;                        /* its very first answer is still to come */
    bool complete, keep;               /* the answer was read to its end; the server lets the connection be used again */
    const char *bad;                   /* what was wrong with the answer */
};

struct load {
    const struct options *options;
    const struct transport_ops *ops;
    struct transport *transport;
    struct targets targets;
    struct load_conn *conns; size_t next_target;
    int n_started;                     /* connections that have begun */
    int n_opening;                     /* of these, no answer yet */
    struct load_list asking;           /* requests on their way, the oldest first */
    struct load_list resting;          /* to ask again, the first due first */
    struct load_list failing;          /* the same after an error */
    uint64_t asked;                    /* requests begun */
    uint64_t began_us, counted_from_us, ends_us;
    bool ending, warm;
    struct load_counts counts;
    struct histogram latency;
};

/* Runs to its end. False and a sentence: it could not begin. */
bool load_run(struct load *l, char *error, size_t error_bytes);
extern volatile int load_interrupted;

/* answer.c */
void answer_begin(struct load_conn *c);
/* transport_taker: false once the answer is complete or wrong. */
bool answer_take(void *conn, const uint8_t *data, size_t bytes);
/* The stream has ended: that may complete an answer. */
void answer_ended(struct load_conn *c);
/* Compare with the first answer of this URL. */
void answer_verify(struct load_conn *c);

/* report.c */
void report_progress(const struct load *l, uint64_t now_us);
/* Text to standard output; JSON to `json` if it is set. False: the file cannot be written. */
bool report_end(const struct load *l, uint64_t now_us);

#endif
