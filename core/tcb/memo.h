/* memo.h - soft state that spares work: user continuations that were opened before (paper 5.1).
 *
 * A client brings the same continuations back with each request of a stream. What was found genuine once is genuine when the
 * very same bytes come from the same connection under the same keys, so neither MAC nor cipher need be computed again. Any
 * entry may be dropped at any time: an answer never depends on it. The memory is the caller's, of one thread, and its size is
 * the bound; the keys point to it (struct trk_keys), and it must be emptied when they change. */
#ifndef TRK_TCB_MEMO_H
#define TRK_TCB_MEMO_H

#include "tcb/seal.h"

#define TRK_MEMO_SEALED_MAX 256        /* longer ones are not kept */
#define TRK_MEMO_BYTES_MIN  4096

struct trk_memo_stats {
    uint64_t hits, misses;             /* continuations that were looked for */
    uint64_t saved;                    /* bytes that no MAC was computed of */
    uint64_t entries;                  /* held now */
};
struct trk_memo;

/* A memo in bytes of memory (8-aligned, at least TRK_MEMO_BYTES_MIN, all of it is overwritten); stats outlives it. NULL if the
 * memory is unsuited. */
struct trk_memo *trk_memo_create(void *memory, size_t bytes, struct trk_memo_stats *stats);
/* Forget all: the keys are others now. */
void trk_memo_clear(struct trk_memo *m);
/* Drop the entry at this place (any number), if there is one. */
void trk_memo_drop(struct trk_memo *m, uint64_t place);

/* True and *out: these very bytes were opened before. */
bool trk_memo_find(struct trk_memo *m, const struct trk_conn_id *id, const struct trk_ucont_view *v, struct trk_ucont *out);
/* They were opened now, to this. */
void trk_memo_keep(struct trk_memo *m, const struct trk_conn_id *id, const struct trk_ucont_view *v, const struct trk_ucont *opened);

#endif
