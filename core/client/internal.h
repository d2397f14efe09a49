/* internal.h - what the files of the client engine call of each other. The way of a packet:
 *   feed.c -> answer.c (train.c for the rest of a superframe) -> numbers.c (resolve) -> spend.c -> compose.c -> outbox -> poll.c
 * with output.c / reading.c / input.c for the two byte streams, restart.c and timer.c for what goes wrong. */
#ifndef TRK_CLIENT_INTERNAL_H
#define TRK_CLIENT_INTERNAL_H

#include <string.h>
#include "client/client.h"

#define TRK_NEVER UINT64_MAX

/* intervals.c: sets of byte ranges [left, right). Functions that can overflow say so. */
bool     trk_intervals_add(struct trk_intervals *s, uint64_t left, uint64_t right);      /* false: no room, unchanged */
bool     trk_intervals_subtract(struct trk_intervals *s, uint64_t left, uint64_t right); /* false: no room, unchanged */
uint64_t trk_intervals_bytes(const struct trk_intervals *s);

/* numbers.c: the ring of numbers, their resolution in order, the report. */
struct trk_number *trk_number_at(struct trk_client *c, uint64_t n);          /* NULL if the ring holds another one there */
struct trk_number *trk_number_take(struct trk_client *c, uint64_t n, uint8_t piece);   /* a fresh EXPECTED entry */
/* The ring holds this many consecutive numbers, grown if need be. False: never. */
bool     trk_numbers_span(struct trk_client *c, uint64_t numbers);
uint8_t  trk_piece_add(struct trk_client *c, const struct trk_piece *piece, enum trk_kind kind);
void     trk_number_hold(struct trk_client *c, struct trk_number *e, uint64_t nonce, uint64_t now_us);      /* e was EXPECTED, and has come */
uint64_t trk_resolve(struct trk_client *c, uint64_t now_us, bool force);     /* returns when to look again */
void     trk_void_from(struct trk_client *c, uint64_t n);                    /* numbers >= n of this generation are void */
size_t   trk_report_cap(const struct trk_client *c);                          /* ranges that surely fit a request */
size_t   trk_report_make(const struct trk_client *c, uint64_t base, uint64_t last, struct trk_range *out, size_t cap); /* 0: too many */
uint64_t trk_report_sum(struct trk_client *c, uint8_t piece, uint64_t last);
uint64_t trk_next_kept(struct trk_client *c);                                /* lowest kept number, 0: none */
void     trk_want_number_again(struct trk_client *c, struct trk_number *e);

/* reordering.c: how long a gap lasts before its number is lost, learnt from numbers that came later than that. */
uint64_t trk_reordering_window(const struct trk_client *c);
void     trk_reordering_late(struct trk_client *c, struct trk_number *e, uint64_t now_us);   /* e is LOST, and has come */
void     trk_reordering_closed(struct trk_client *c, const struct trk_number *e, uint64_t now_us);     /* e has come in time */
void     trk_reordering_loss(struct trk_client *c);                          /* a gap turns out to be a loss */

/* output.c: which bytes are wanted, what arrived. */
uint64_t trk_window_end(const struct trk_client *c);                         /* first byte the receive buffer cannot take */
uint64_t trk_askable_end(const struct trk_client *c);                        /* what continuations cover, the buffer takes and makes sense */
uint64_t trk_wanted_bytes(const struct trk_client *c);
void     trk_want_again(struct trk_client *c, uint64_t offset, uint64_t bytes);
void     trk_want_terminals_again(struct trk_client *c);                      /* none is waited for any more */
bool     trk_take_data(struct trk_client *c, uint64_t offset, const uint8_t *data, uint32_t bytes, const struct trk_origin *origin);
void     trk_forget_early(struct trk_client *c);                             /* data of an input's answer without DONE */
bool     trk_output_cont_add(struct trk_client *c, const struct trk_ucont_view *v);
void     trk_output_renew(struct trk_client *c, const struct trk_ucont_view *v, const struct trk_origin *origin);
void     trk_output_known(struct trk_client *c, uint64_t end, bool fin);     /* the output ends there */
bool     trk_output_open_ended(const struct trk_client *c);                  /* the last one's length is unknown */

/* reading.c */
void     trk_hold(struct trk_client *c, uint64_t offset, const uint8_t *data, uint32_t bytes);   /* until it is read */

/* input.c */
bool     trk_input_ready(const struct trk_client *c);                        /* something to send, and allowed to */
uint64_t trk_input_due(const struct trk_client *c);                          /* when it may leave; NEVER: nothing to send */
void     trk_input_lost(struct trk_client *c);
void     trk_input_answer(struct trk_client *c, const struct trk_answer *m, const struct trk_origin *origin);
uint32_t trk_input_copy(const struct trk_client *c, uint64_t offset, uint8_t *out, uint32_t max);   /* returns bytes */

/* placing.c: input by position. */
void     trk_placing_begin(struct trk_client *c, const struct trk_ucont_view *range);
bool     trk_placing_ready(const struct trk_client *c);                      /* a packet of it may leave now */
bool     trk_placing_outstanding(const struct trk_client *c);                /* sent, neither taken nor known to be lost */
void     trk_placing_attach(struct trk_client *c, struct trk_request *r, uint32_t room, struct trk_number *carrier);
void     trk_placed_answer(struct trk_client *c, struct trk_number *e, const struct trk_answer *m, const struct trk_origin *origin);
void     trk_placed_lost(struct trk_client *c, struct trk_number *e);
void     trk_placing_find_forgotten(struct trk_client *c);                   /* bytes that fell out of a full interval set */

/* spend.c */
void     trk_spend_kept(struct trk_client *c, uint64_t now_us);              /* as many as can be used */
bool     trk_spend(struct trk_client *c, uint64_t k, uint64_t now_us);       /* false: not this one now */
void     trk_flush(struct trk_client *c);                   /* the batch leaves */
bool     trk_may_spend(const struct trk_client *c);
void     trk_run(struct trk_client *c, uint64_t now_us);                     /* everything that time or news allow */
uint64_t trk_batch_due(const struct trk_client *c);

/* compose.c: a batch or a restart becomes a request in the outbox. */
void     trk_compose(struct trk_client *c, const struct trk_step *step, const struct trk_client_piece *p, uint64_t k, uint32_t m, uint8_t restart_kind);
/* Index in r->conts of the continuation that covers an output offset, added there if it fits into budget bytes; -1: none. */
int      trk_cont_index(struct trk_client *c, struct trk_request *r, uint64_t offset, uint32_t budget, uint64_t *covers_to);

/* repeat.c: the parts of the last requests travel again (PROTOCOL.md 7, repeats). */
void     trk_repeat_note(struct trk_client *c, const struct trk_part *part, uint64_t granted);  /* part left in a request; granted: its lowest number */
void     trk_repeat_add(struct trk_client *c, struct trk_request *r);        /* in front of the request's own part, as far as they fit */
void     trk_repeat_judge(struct trk_client *c, const struct trk_sent *request, uint64_t n);   /* this request brought number n */

/* black_hole.c: whether the path carries messages of the size of fill. */
void     trk_heard(struct trk_client *c, uint32_t message_bytes);
void     trk_answered(struct trk_client *c, const struct trk_sent *request);
void     trk_missed(struct trk_client *c, const struct trk_number *e);       /* e is taken for lost */
void     trk_suspect_path(struct trk_client *c, uint64_t now_us);             /* lowers fill if it does not seem so */
bool     trk_probe_due(struct trk_client *c, uint64_t now_us);                /* true: the next batch asks for full packets */

/* restart.c */
void     trk_restart_send(struct trk_client *c, enum trk_restart_kind kind, uint64_t now_us);
void     trk_settle(struct trk_client *c, const struct trk_grant *g);
/* An opening's one number has arrived: the SYN's answer, or a refresh. Nothing before it counts any more. */
void     trk_opening_take(struct trk_client *c, const struct trk_answer *m, uint64_t now_us);
void     trk_refreshed(struct trk_client *c, const struct trk_answer *m, uint64_t now_us);

/* timer.c */
void     trk_rtt_sample(struct trk_client *c, uint64_t rtt_us);
uint64_t trk_timer_due(const struct trk_client *c);
void     trk_timer_run(struct trk_client *c, uint64_t now_us);
bool     trk_busy(const struct trk_client *c);

/* answer.c */
enum trk_verdict trk_answer_feed(struct trk_client *c, const struct trk_segment *seg, uint64_t now_us);
void     trk_acknowledge(struct trk_client *c, uint32_t end);                /* of a payload that answers us */

/* train.c: packets that continue a superframe's last one. It was accepted, and stands at the beginning of `bytes` message bytes.
 * Returns how many of those behind it were taken: whole packets that bring just what was predicted. */
uint32_t trk_train_feed(struct trk_client *c, const struct trk_segment *first, uint32_t bytes);

/* poll.c */
uint8_t *trk_outbox_room(struct trk_client *c, uint32_t bytes);              /* NULL: full */
/* input_offset: of a request that has_input; granted: see struct trk_sent. */
void     trk_outbox_push(struct trk_client *c, uint32_t bytes, bool has_input, uint64_t input_offset, uint64_t granted);
struct trk_origin trk_origin_of(struct trk_client *c, uint32_t ack);
struct trk_sent *trk_sent_find(struct trk_client *c, uint32_t ack);

#endif
