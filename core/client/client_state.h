/* client_state.h - the fields of struct trk_client. Private: only core/client reads them.
 *
 * Vocabulary (PROTOCOL.md 7): numbers are *resolved* in order, as received or lost. `next` is the lowest
 * unresolved one, `end` the highest predicted one, `star` (k*) the highest resolved as received, `last` the
 * highest spent one; those in (last, star] that arrived are *kept*. Resolved nonces are summed up as we go, so
 * a report's sum is one XOR of two prefix sums. */
#ifndef TRK_CLIENT_CLIENT_STATE_H
#define TRK_CLIENT_CLIENT_STATE_H

#include "tcb/step.h"

enum trk_number_state { TRK_N_NONE, TRK_N_EXPECTED, TRK_N_HELD, TRK_N_RECEIVED, TRK_N_LOST };

struct trk_number {                    /* one number of the current generation; 64 bytes, ring-indexed by n */
    uint64_t n;                        /* whose entry this is: ring places are reused */
    uint64_t nonce;                    /* HELD: its own; resolved: the sum over all received ones so far */
    uint64_t offset;                   /* output bytes that it was asked to carry */
    uint64_t arrived_us;               /* LOST: when a later one arrived first, 0: not known */
    uint32_t bytes;                    /* 0: none, or wanted again already */
    uint32_t tick;
    uint8_t  seal[TRK_SEAL_BYTES];
    uint8_t  n_minus_a, b_minus_a, f_minus_a;
    uint8_t  state;                    /* enum trk_number_state */
    uint8_t  piece;                    /* index into pieces */
    bool     placed;                   /* its answer says whether input bytes [offset, offset + bytes) were taken */
    uint8_t  pad[2];
};

struct trk_client_piece {
    struct trk_piece piece;
    enum trk_kind kind;
    uint64_t sum;                      /* nonce sum at base */
    bool     sum_known;                /* base is resolved */
    bool     digest_known;
    uint16_t digest;                   /* of what the normal form leaves out */
};

/* Disjoint byte ranges [left, right), ascending, not adjoining. */
#define TRK_INTERVALS_MAX 512
struct trk_interval { uint64_t left, right; };
struct trk_intervals { uint32_t n; struct trk_interval at[TRK_INTERVALS_MAX]; };

/* Makes the bytes [first, second) of an output that begins at `begin`. What is sealed may make more. */
struct trk_output_cont { uint64_t begin, first, second; bool fin; uint16_t bytes; uint8_t sealed[TRK_UCONT_MAX]; };

/* Bytes [offset, offset + bytes), all below received_to, that lie in a fed segment. Ascending, disjoint. */
struct trk_lent { uint64_t offset; const uint8_t *data; uint32_t bytes; };

struct trk_terminal {                  /* lost data asked for in a terminal packet */
    uint64_t offset; uint32_t bytes;
    bool     sent; uint32_t request_end;             /* end of the request that asked for it */
    uint8_t  later;                                  /* answers to later requests since */
};

struct trk_sent {                      /* a request on its way, found by the ack that answers it */
    uint32_t end;                      /* its last sequence number + 1 */
    bool     answered;
    uint64_t sent_us, granted;         /* granted: the lowest number that its own part grants, 0: none. Repeats grant lower ones */
};

struct trk_input_sent {                /* a request that carried input */
    uint32_t end;
    bool     accepted;                 /* its DONE was the first for this input, and counts */
    uint64_t offset, output_from;      /* of the input; of what it makes */
};
/* What is known of the request that an answer answers. More requests can be on their way than inputs. */
struct trk_origin { bool known; struct trk_input_sent *input; };       /* input NULL: it carried none */

enum trk_input_state {
    TRK_IN_IDLE,                       /* nothing outstanding: what is written may leave */
    TRK_IN_OUTSTANDING,                /* sent, neither MORE nor DONE yet */
    TRK_IN_HELD_BACK,                  /* an output of unknown length is running (PROTOCOL.md 7) */
    TRK_IN_PLACING,                    /* bytes of a range leave by position, many at a time */
};

#define TRK_CLIENT_REPEATS   2
#define TRK_CLIENT_NUMBERS_FIRST 512   /* of the ring at first: it grows with the window, trk_numbers_span */
#define TRK_CLIENT_PIECES    16
#define TRK_CLIENT_LOST_MAX  512
#define TRK_CLIENT_CONTS     16
#define TRK_CLIENT_TERMINALS 32
#define TRK_CLIENT_SENT      1024
#define TRK_CLIENT_INPUTS    64
#define TRK_CLIENT_LENT      384       /* packets in as many superframes as are worth one write to the reader */
#define TRK_CLIENT_OUTBOX    65536     /* bytes of composed requests that wait for poll */

struct trk_client {
    struct trk_client_config config;
    struct trk_client_stats stats;
    enum trk_client_state state;

    /* the connection, and the identity of the settled generation */
    struct trk_conn_id id;
    uint32_t isn, domain, address_tag, generation, tick;
    uint8_t  epoch;
    uint16_t slot, fill, reserve;
    uint32_t heard_bytes, said_bytes, large_missed, missed_at;  /* largest messages that came through so far, each way; lost large ones; n_sent then */
    uint64_t probe_us, probe_wait_us;  /* fill was lowered: when a full packet is asked for again, 0: never; the wait for it */
    bool     no_filter, want_long;

    /* numbers */
    struct trk_number *ring; uint32_t ring_mask;
    uint64_t next, end, star, last, max_held, sum;
    uint32_t n_expected, n_held;
    uint64_t gap;                      /* the number whose loss is being judged, 0: none */
    uint64_t gap_since_us;             /* when a later one arrived first */
    uint64_t late_us;                  /* by how much a number was late that was taken for lost; 0: none was of late */
    uint32_t late_losses;              /* gaps since then that were losses */
    struct trk_client_piece pieces[TRK_CLIENT_PIECES];
    uint8_t  newest_piece;
    uint32_t n_lost; struct trk_range lost[TRK_CLIENT_LOST_MAX];   /* of the settled generation */

    /* restarts */
    bool     awaiting;                 /* the answer to an opening or restart: it names its piece */
    uint8_t  attempt;                  /* r of the restart under way, 0: none; 13: waiting for a refresh */
    uint64_t cut_f;                    /* of the current generation's cut grant, 0: not cut */
    struct trk_number star_number;     /* k*'s entry and piece, kept for further attempts */
    struct trk_client_piece star_piece;

    /* the batch being built: numbers [k, k+m) spent, not sent yet */
    struct { bool active, waits, probes; uint64_t k; uint32_t m; uint8_t piece; struct trk_step step; uint64_t started_us; uint8_t n_grants; uint64_t grant_end; uint32_t most; } batch;

    /* the last requests' parts, newest first, to be repeated (PROTOCOL.md 7, repeats) */
    struct trk_spent { bool repeats; uint16_t fill; uint32_t generation; uint64_t granted; struct trk_part part; } previous[TRK_CLIENT_REPEATS];
    uint8_t  newest_previous;
    uint64_t last_trouble;             /* the number that was lost last, or at which the timer ran last */
    uint64_t last_repaid;              /* the number that came last because a request was repeated, or at which the timer ran last */

    /* output stream */
    uint64_t read_offset, received_to; /* consumed by the application; contiguous up to */
    uint64_t ask_next;                 /* lowest output byte never asked for */
    uint64_t output_end;               /* end of what the continuations cover */
    bool     finished;                 /* the stream ends at output_end */
    struct trk_intervals beyond;       /* received above received_to */
    struct trk_intervals again;        /* lost, to be asked again */
    uint32_t n_conts; struct trk_output_cont conts[TRK_CLIENT_CONTS];
    uint32_t n_terminals; struct trk_terminal terminals[TRK_CLIENT_TERMINALS];
    uint32_t early_request; bool early;   /* data of an input's answer that came before its DONE, and whose */

    /* input stream: ring of bytes [consumed, written) */
    enum trk_input_state input_state;
    uint64_t consumed, written, input_sent_to;
    bool     input_ending, input_ended, input_stuck;           /* shutdown asked; consumed by the server; MORE without progress */
    uint64_t input_number;             /* the number that carries the answer */
    uint64_t next_free;                /* where the next input's output starts */
    uint16_t input_cont_bytes; uint8_t input_cont[TRK_UCONT_MAX];
    uint32_t last_answer_pkts;

    /* input by position: bytes [consumed, placing_end) */
    uint64_t placing_end, placing_next;                        /* of the range; lowest byte never sent */
    bool     placing_end_sent;         /* that the stream ends inside the range */
    uint16_t placing_cont_bytes; uint8_t placing_cont[TRK_UCONT_MAX];

    /* time */
    uint64_t srtt_us, rttvar_us, progress_us;
    uint32_t backoff;
    uint64_t syn_started_us, syn_due_us; uint32_t syns;

    /* sending */
    uint32_t seq, ack; bool ack_valid;
    struct trk_flow from_server;       /* the flow of what we receive */
    uint32_t n_inputs; struct trk_input_sent inputs[TRK_CLIENT_INPUTS];        /* likewise */
    struct trk_sent *last_found;       /* the answers to one request arrive together */
    uint32_t answered_to;              /* requests before this one of n_sent were answered, or later ones were */
    uint32_t n_sent; struct trk_sent sent[TRK_CLIENT_SENT];    /* ring, n_sent counts all */
    uint32_t outbox_head, outbox_end;
    uint8_t  closing;                  /* 1: CLOSE to be sent, 2: RST to be sent */
    uint16_t syn_bytes, syn_most;      /* payload of the last SYN, and of the first, which may be longer */
    uint32_t syn_input;                /* input bytes in it */

    /* written before it is read: opening leaves the rest untouched, as a page that no byte was written to costs nothing */
    uint32_t lent_first, lent_end; struct trk_lent lent[TRK_CLIENT_LENT];
    uint8_t  outbox[TRK_CLIENT_OUTBOX];
    struct trk_intervals placed_again, placed_taken;           /* input by position: sent and lost; taken, above consumed */
};

#endif
