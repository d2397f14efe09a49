/* respond.h - the parts of trk_respond. Private to core/serve. */
#ifndef TRK_SERVE_RESPOND_H
#define TRK_SERVE_RESPOND_H

#include "serve/plan.h"
#include "tcb/report.h"

/* ---- respond_data.c: which of the application's bytes a packet carries ---- */
#define TRK_FRAGMENTS_MAX 4
struct trk_fragments {                 /* adjoining bytes of the output stream, by reference */
    unsigned n; uint32_t bytes;
    struct { const uint8_t *data; uint32_t bytes; } at[TRK_FRAGMENTS_MAX];
};
struct trk_source { const struct trk_plan *plan; const struct trk_result *result; const struct trk_ask *asks; size_t n_asks; };

/* The first bytes of the slice, as far as they were given: at most cap, at most copy in all fragments but the last. */
void trk_gather(const struct trk_source *s, const struct trk_slice *slice, uint32_t cap, uint32_t copy, struct trk_fragments *out);
/* slices[0] was gathered in one fragment, all of it. How many of the n slices from slices[1] on carry just as much each, directly
 * behind it, of the same given, which does not end there: nothing but their number tells those packets apart. */
size_t trk_gather_run(const struct trk_source *s, const struct trk_slice *slices, size_t n);
/* The want that holds the stream offset; plan.n_wants if none does. */
unsigned trk_want_at(const struct trk_source *s, const struct trk_slice *slice, uint64_t offset);

/* ---- respond_fill.c: what one packet says ---- */
struct trk_renewed { uint64_t n; uint64_t first, second; uint16_t bytes; uint8_t sealed[TRK_UCONT_MAX]; };    /* n 0: on any number */
struct trk_conts {                     /* the result's continuations, sealed; bytes 0: not there */
    uint16_t input_bytes, output_bytes, range_bytes, next_bytes;
    uint8_t  input[TRK_UCONT_MAX], output[TRK_UCONT_MAX], range[TRK_UCONT_MAX], next[TRK_UCONT_MAX];
    bool     taken;                    /* input by position was: no continuation says so, a flag does */
    unsigned n_renewed; struct trk_renewed renewed[TRK_RENEWALS_MAX];
};
struct trk_fill {                      /* content of one packet */
    uint8_t  flags;
    uint64_t offset;
    unsigned n_conts; struct { const uint8_t *bytes; uint16_t n; } conts[2];
    struct trk_fragments data;
};
struct trk_said { bool end[TRK_WANTS_MAX], renewed[TRK_RENEWALS_MAX]; uint32_t copied_bytes; };   /* what the packets before this one took care of */

/* n: the packet's number, 0: a terminal; room: bytes after the form's header; first: this packet carries the input's answer. */
void trk_fill(const struct trk_source *s, const struct trk_conts *conts, const struct trk_slice *slice, uint64_t n, uint32_t room,
              bool first, struct trk_said *said, struct trk_fill *out);
static inline bool trk_fill_empty(const struct trk_fill *f) { return f->data.bytes == 0 && f->flags == 0; }

/* ---- respond_emit.c: content to packet ---- */
struct trk_voice {                     /* what all packets of one answer share */
    const struct trk_spend *spend;
    const struct trk_serve_config *config;
    struct trk_packets *out;
    const struct trk_packet *plain;    /* the last one, if it is of the same grant, NORMAL, and nothing but data; else NULL */
    uint64_t plain_offset;             /* of its data */
};
/* Appends a packet of number n: answer's form, grant, nonce and seal are set, the rest is taken from fill. False: no memory. */
bool trk_emit(struct trk_voice *voice, struct trk_answer *answer, uint64_t n, const struct trk_fill *fill);
/* Appends the packets of the m numbers from n on, which are like voice->plain, the one of n - 1, and carry the data that lies behind its own
 * (trk_gather_run). *r: r(n), and after it r(n + m). False: no memory. */
bool trk_emit_run(struct trk_voice *voice, const struct trk_answer *answer, uint64_t n, size_t m, struct trk_nonces *nonces, uint64_t *r);
/* The TCP header of an answer: everything but the sequence number, which is the caller's. */
struct trk_segment trk_answer_segment(const struct trk_spend *spend, uint8_t flags);

#endif
