/* messages.h - what our messages are. Read this first: all limits as named constants, then one
 * struct per message and its parse/emit pair. PROTOCOL.md draws each of them.
 *
 * A message is the payload of one marked TCP segment: one byte {version:4, form:4}, a fixed
 * header of that form, then lists, then data. Integers are big-endian, "varint" is the
 * variable-length integer of RFC 9000 section 16. A struct here is the *value*: plain numbers
 * plus views (pointers into the received bytes, or into the caller's memory when emitting).
 * emit(parse(x)) == x for every accepted x, and parse(emit(v)) == v. Nothing here has a key:
 * seals and nonces are opaque bytes, proven by tcb/. */
#ifndef TRK_WIRE_MESSAGES_H
#define TRK_WIRE_MESSAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "wire/verdict.h"

#define TRK_VERSION          1

/* ---- limits (both ends, checked by parse) ---- */
#define TRK_IW               10        /* RFC 6928 */
#define TRK_IW_ACKED         (TRK_IW + 1)   /* once its first packet, the answer to the SYN, brought data and was acknowledged */
#define TRK_ATTEMPTS_MAX     12
#define TRK_REFRESH_STEP     13        /* a refresh of g enters g + 13 */
#define TRK_GRANT_MAX        256       /* numbers in one grant: b - a is one byte */
#define TRK_SINGLE_MAX       10        /* packets that answer a single number */
#define TRK_RECREATE_MAX     8
#define TRK_PARTS_MAX        3         /* one new, two repeated */
#define TRK_PART_GRANTS_MAX  32        /* seals in one part */
#define TRK_PART_NUMBERS_MAX 64        /* m */
#define TRK_RANGES_MAX       255       /* received ranges in one report */
#define TRK_ASKS_MAX         32        /* byte ranges asked for in one part */
#define TRK_CONTS_MAX        8         /* continuations in one request */
#define TRK_OPAQUE_MAX       512       /* application bytes in one user continuation */
#define TRK_SLOT_MIN         512
#define TRK_SLOT_MAX         16384
#define TRK_START_MAX        65534u
#define TRK_SSTHRESH_NONE    65535u    /* on the wire and in memory: no ssthresh yet */
#define TRK_SYN_PAYLOAD      1200      /* every SYN is padded to this, so that its answer may be as long */
#define TRK_SYN_PAYLOAD_MAX  1428      /* and the first one that carries data to more: an IPv4 packet of TRK_SYN_PACKET bytes */
#define TRK_SYN_PACKET       1492      /* passes PPPoE; where less passes, a router says so or the next SYN is answered */
#define TRK_RANDOM_BYTES     16
#define TRK_SEAL_BYTES       16
#define TRK_NUMBER_MAX       ((1ull << 48) - 1)
#define TRK_ASK_INPUT        0xff      /* an ask's continuation index: what this request's input makes */
#define TRK_OFFSET_MAX       ((1ull << 62) - 1)   /* of both streams, their end included */
#define TRK_OFFSET_UNKNOWN   UINT64_MAX/* validEnd of an output whose length is not known yet */

enum trk_form {                        /* low nibble of the first byte */
    TRK_FORM_OPEN = 1,                 /* client: in the SYN */
    TRK_FORM_REQUEST = 2, TRK_FORM_RESTART = 3, TRK_FORM_CLOSE = 4,
    TRK_FORM_OPENED = 8,               /* server: in the SYN|ACK; the long form and the id */
    TRK_FORM_LONG = 9, TRK_FORM_NORMAL = 10, TRK_FORM_TERMINAL = 11, TRK_FORM_VERDICT = 12,
};
#define TRK_OPENED_BYTES   85
#define TRK_LONG_BYTES     73
#define TRK_NORMAL_BYTES   37
#define TRK_TERMINAL_BYTES 7
#define TRK_VERDICT_BYTES  28
#define TRK_CLOSE_BYTES    18

struct trk_conn_id { uint64_t h; uint32_t t; };     /* PROTOCOL.md 4.2: PRF of the SYN; tick of its arrival */

/* A stretch without loss (PROTOCOL.md 5.1). start and ssthresh in packets. */
struct trk_piece { uint64_t base; uint32_t start, ssthresh; };

enum trk_kind { TRK_NORMAL = 0, TRK_OPENING = 1 };

/* Everything that a grant's seal covers, in seal order (the transport continuation). */
struct trk_grant {
    uint8_t  kind;                     /* enum trk_kind */
    uint8_t  epoch;
    uint32_t domain;                   /* 0: a server without filter */
    struct trk_conn_id id;
    uint32_t generation;
    struct trk_piece piece;
    uint64_t a, b, f;                  /* granted [a, b]; f: last number really sent, f < b when cut */
    uint16_t slot;                     /* payload bytes that each number owns in sequence space */
    uint32_t tick;                     /* when sealed, 16 ms units */
    uint32_t address_tag;
};

/* ---------------- user continuations, sealed (PROTOCOL.md 8) ---------------- */
enum trk_ucont_type { TRK_UCONT_INPUT = 1, TRK_UCONT_OUTPUT = 2,
                      TRK_UCONT_RANGE = 3 };         /* input by position: any bytes of [first, second), in any order */
enum { TRK_UCONT_FIN = 1,              /* output: the stream ends at valid_end; input: the end was consumed */
       TRK_UCONT_ENCRYPTED = 2 };
#define TRK_UCONT_HEADER 21            /* type 1, flags 1, epoch 1, opaque length 2, two offsets of 8 */
#define TRK_UCONT_MAX (TRK_UCONT_HEADER + TRK_OPAQUE_MAX + TRK_SEAL_BYTES)

/* One sealed continuation, as a view. The client reads type, flags and the two offsets; only the
 * server can read (if encrypted) or make the opaque part. */
struct trk_ucont_view {
    uint8_t  type, flags, epoch;
    uint16_t opaque_bytes;
    uint64_t first, second;            /* output: validStart, validEnd; input: consumed, next free output offset; range: its bounds */
    const uint8_t *bytes; uint16_t total_bytes;   /* the whole sealed thing, to be sent back as it is */
};
/* Reads one continuation at the start of bytes. TRUNCATED or BAD_FIELD if it is not one.
 * output: first <= second; offsets up to TRK_OFFSET_MAX, second may be TRK_OFFSET_UNKNOWN. range: first < second, known. */
enum trk_verdict trk_ucont_parse(const uint8_t *bytes, size_t n, struct trk_ucont_view *out);

/* ---------------- client to server ---------------- */
struct trk_open {                      /* the SYN's payload: zeros pad it to cap, or to TRK_SYN_PAYLOAD_MAX if that is less */
    uint8_t random[TRK_RANDOM_BYTES];
    bool has_input, input_end;         /* first data in the SYN; the stream ends after it */
    const uint8_t *input; uint16_t input_bytes;
};
#define TRK_OPEN_HEADER    20
#define TRK_OPEN_INPUT_MAX (TRK_SYN_PAYLOAD - TRK_OPEN_HEADER)
enum trk_verdict trk_open_parse(const uint8_t *p, size_t n, struct trk_open *out);
size_t trk_open_emit(const struct trk_open *m, uint8_t *out, size_t cap);   /* 0: does not fit */

struct trk_range { uint64_t left, right; };          /* received numbers, inclusive */

struct trk_grant_ref {                 /* the fields of a part's grant that its part does not say already */
    uint64_t a, b, f; uint32_t tick; uint8_t seal[TRK_SEAL_BYTES];
};

/* cont: index in conts[] of an output that holds the range, or TRK_ASK_INPUT. bytes >= 1. */
struct trk_ask { uint8_t cont; uint64_t offset; uint32_t bytes; };

struct trk_part {                      /* m contiguous numbers of one piece (PROTOCOL.md 5.2) */
    uint8_t  kind;                     /* enum trk_kind of the grants */
    bool     terminal_ask;             /* asks[0] is for the terminal packet; never in RESTART */
    uint16_t m;                        /* OPENING, RESTART: 1 */
    uint64_t k;
    struct trk_piece piece;
    uint64_t xor_nonces;               /* of all numbers in ranges */
    uint16_t n_ranges, n_grants, n_asks;
    struct trk_range ranges[TRK_RANGES_MAX];          /* of (base, k+m-1], ascending, last ends at k+m-1 */
    struct trk_grant_ref grants[TRK_PART_GRANTS_MAX]; /* adjoining, ascending */
    struct trk_ask asks[TRK_ASKS_MAX];                /* in ascending number order */
};

enum trk_restart_kind { TRK_RESTART_TIMEOUT = 1, TRK_RESTART_RESUME = 2 };   /* asked by the client */

struct trk_request {                   /* forms REQUEST and RESTART */
    uint8_t  form;
    bool     want_long;                /* answer in the long form */
    struct trk_conn_id id;
    uint32_t domain, generation, address_tag;
    uint8_t  epoch;
    uint16_t slot, fill;               /* fill: message bytes per packet, header included; TRK_SLOT_MIN <= fill <= slot */
    uint16_t reserve;                  /* bytes kept free in the grant's first packet for continuations */
    uint8_t  restart_kind, attempt;    /* RESTART only: enum trk_restart_kind, r in 1..; k* is parts[0].k, m = 1 */
    uint8_t  n_parts, n_conts;         /* oldest part first; RESTART has one */
    struct trk_part parts[TRK_PARTS_MAX];
    struct trk_ucont_view conts[TRK_CONTS_MAX];
    bool     has_input, input_end;     /* input rides on the last part */
    bool     placed;                   /* input by position: input_cont is a range that holds it */
    uint8_t  input_cont;               /* index of its input continuation in conts[], 0xff: the stream's first input */
    uint64_t input_offset;             /* of input[0] in the client's stream: the continuation's "consumed", 0 without one;
                                          so it is not sent, parse fills it in and emit refuses another value. placed: sent */
    const uint8_t *input; uint32_t input_bytes;
};
/* A parsed request keeps every bound stated here: numbers <= TRK_NUMBER_MAX, base < k, grants ascending with
 * base < a <= f <= b and b - a < TRK_GRANT_MAX, ranges ascending with gaps >= 1, the last one ending at k+m-1,
 * continuations of the type that their index needs. Left to tcb and serve: whether grants adjoin and cover k. */
enum trk_verdict trk_request_parse(const uint8_t *p, size_t n, struct trk_request *out);
size_t trk_request_emit(const struct trk_request *m, uint8_t *out, size_t cap);   /* 0: does not fit, or out of bounds */
#define TRK_REQUEST_HEADER 34          /* bytes before a REQUEST's parts; a RESTART has 2 more */

struct trk_close { struct trk_conn_id id; uint32_t generation; };
enum trk_verdict trk_close_parse(const uint8_t *p, size_t n, struct trk_close *out);
size_t trk_close_emit(const struct trk_close *m, uint8_t *out, size_t cap);

/* ---------------- server to client ---------------- */
/* Flags of every data-carrying answer. Continuations follow the header: an input if MORE, DONE or END is set,
 * then an output if DONE is. A server that speaks first answers the SYN with DONE, as if to an input of 0 bytes:
 * input {consumed 0, next free output offset}, output. DONE with END in one packet: one input, the next one.
 * MORE excludes DONE and END. PLACED with MORE: a range follows the input, whose consumed is the range's end; alone: the
 * input by position was taken, no continuation follows. It excludes DONE and END. TERMINAL has END, FIN and NO_FILTER only. */
enum {
    TRK_F_MORE      = 1,               /* the input was taken up to "consumed"; send more */
    TRK_F_DONE      = 2,               /* the input made output: both continuations follow */
    TRK_F_END       = 4,               /* an output of unknown length ends after this packet's data */
    TRK_F_FIN       = 8,               /* with END: and so does the stream */
    TRK_F_NO_FILTER = 16,              /* the server has no filter: do not repeat */
    TRK_F_REFRESH   = 32,              /* LONG: this opening is a refresh */
    TRK_F_PLACED    = 64,              /* input by position: may be sent (with MORE), or was taken */
    TRK_F_RENEW     = 128,             /* an output continuation, the last one here, may replace the one in use for its bytes */
};

/* OPENED, LONG, NORMAL and TERMINAL. In NORMAL, only flags, low 4 bits of generation and epoch,
 * n-a, b-a, digest, the low 16 bits of tick, the low 32 of offset, nonce and seal are on the wire
 * (number n itself is the TCP sequence number); the receiver fills in the rest from its prediction
 * and compares the digest (paper 5.3). TERMINAL has flags, the same nibbles and the offset. */
struct trk_answer {
    uint8_t  form, flags;
    struct trk_grant grant;            /* NORMAL, TERMINAL: partly known, see above; then piece etc. are 0 */
    uint64_t n;                        /* LONG, OPENED; in NORMAL unknown to parse (0) */
    uint8_t  n_minus_a, b_minus_a;
    uint16_t digest;                   /* NORMAL */
    uint64_t offset;                   /* of data[0] in the output stream; NORMAL, TERMINAL: low 32 bits */
    uint64_t nonce;
    uint8_t  seal[TRK_SEAL_BYTES];
    uint8_t  n_conts; struct trk_ucont_view conts[2];  /* MORE, END: input. DONE: input, then output. MORE and PLACED: input, then range */
    const uint8_t *data; uint32_t data_bytes;
};
enum trk_verdict trk_answer_parse(const uint8_t *p, size_t n, struct trk_answer *out);
/* Writes the header and the continuations; the caller's data follows. Returns bytes written, 0 if it does not fit
 * or a bound is broken. LONG and OPENED take a, b, f, n from grant and n, NORMAL n_minus_a and b_minus_a. */
size_t trk_answer_emit(const struct trk_answer *m, uint8_t *out, size_t cap);
/* An emitted NORMAL header becomes that of another number of its grant. */
void trk_answer_renumber(uint8_t message[TRK_NORMAL_BYTES], uint8_t n_minus_a, uint64_t offset, uint64_t nonce);
/* The other way round: whether `message` is the NORMAL header of the number `distance` above that of `first` in its grant, without
 * continuations. Then offset is the low 32 bits of its offset. (first: what was parsed, or any bytes.) */
bool trk_answer_follows(const uint8_t first[TRK_NORMAL_BYTES], const uint8_t message[TRK_NORMAL_BYTES], uint32_t distance,
                        uint32_t *offset, uint64_t *nonce);
/* Header bytes of a form: 85, 73, 37, 7; 0 for others. */
uint32_t trk_form_bytes(uint8_t form);

struct trk_verdict_msg {               /* form VERDICT; in a RST segment it ends the connection */
    uint8_t code;                      /* the wire's code, not the enum's value: see trk_verdict_code */
    struct trk_conn_id id;
    uint32_t generation; uint64_t k; uint32_t domain;
};
enum trk_verdict trk_verdict_msg_parse(const uint8_t *p, size_t n, struct trk_verdict_msg *out);
size_t trk_verdict_msg_emit(const struct trk_verdict_msg *m, uint8_t *out, size_t cap);
/* Code of a verdict that a server tells, as PROTOCOL.md 6.6 fixes it; 0 for all others. */
uint8_t trk_verdict_code(enum trk_verdict v);
/* The verdict of a code; VERDICT_HEARD for a code we do not know (a newer server's). */
enum trk_verdict trk_verdict_of_code(uint8_t code);

/* Form of a payload: TRK_V_ACCEPTED and *form, or SHORT, BAD_VERSION. */
enum trk_verdict trk_form_of(const uint8_t *p, size_t n, uint8_t *form);

/* ---------------- sequence space (PROTOCOL.md 2.3) ---------------- */
/* TCP sequence number of number n's first payload byte. */
static inline uint32_t trk_seq_of(uint32_t isn, uint64_t n, uint16_t slot) { return isn + (uint32_t)(n * slot); }
/* The number (from 1) nearest to `near` whose slot starts at seq; false if seq is not a slot's start. */
bool trk_number_of_seq(uint32_t isn, uint32_t seq, uint16_t slot, uint64_t near, uint64_t *n);
/* The value nearest to `near` whose low `bits` bits are `low` (tick, offset, generation, epoch).
 * Never below 0; of two equally near the higher. */
uint64_t trk_extend(uint64_t near, uint64_t low, unsigned bits);

/* ---------------- layout: which bytes go into which number (PROTOCOL.md 5.4) ---------------- */
struct trk_slice { uint64_t offset; uint32_t bytes; uint8_t ask; };   /* bytes 0: a header only; ask: first ask it draws from */
/* Assign the asks (without the terminal's) to n numbers in ascending order. first_room and room are data bytes
 * of the first and of every other packet (0: a header only). A packet is filled across asks only where they adjoin
 * in offset; nothing is left out, no packet has a hole. Returns how many slices carry data; the rest are zeros. */
size_t trk_layout(const struct trk_ask *asks, size_t n_asks, uint32_t first_room, uint32_t room,
                  struct trk_slice *out, size_t n);

#endif
