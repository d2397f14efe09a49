/* seal.h - open and seal grants, user continuations, and the client's digest of what it predicts (PROTOCOL.md 4.3, 4.5, 8). */
#ifndef TRK_TCB_SEAL_H
#define TRK_TCB_SEAL_H

#include "tcb/keys.h"

#define TRK_GRANT_SEALED_BYTES 51      /* version and all fields of struct trk_grant, as the MAC sees them */
/* The canonical bytes. 0 if a field is out of bounds (a <= f <= b < a + TRK_GRANT_MAX, 48-bit numbers, 16-bit start
 * and ssthresh): such a grant has no seal. */
size_t trk_grant_bytes(const struct trk_grant *g, uint8_t out[TRK_GRANT_SEALED_BYTES]);

/* MAC of the grant under its epoch e (paper 2.2). A grant out of bounds or of another epoch gets zeros, which never open. */
void trk_grant_seal(const struct trk_epoch *e, const struct trk_grant *g, uint8_t seal[TRK_SEAL_BYTES]);
/* Constant-time check; false also for a grant out of bounds or of another epoch. */
bool trk_grant_open(const struct trk_epoch *e, const struct trk_grant *g, const uint8_t seal[TRK_SEAL_BYTES]);

/* Digest (16 bits, no key) of all fields that the normal form leaves out, in seal order (PROTOCOL.md 4.5):
 * kind, epoch, domain, id, generation, piece, slot, address tag. */
uint16_t trk_grant_digest(const struct trk_grant *g);

/* A user continuation in the clear, as the application sees it. */
struct trk_ucont {
    uint8_t  type, flags;              /* enum trk_ucont_type; TRK_UCONT_FIN | TRK_UCONT_ENCRYPTED */
    uint64_t first, second;            /* as in struct trk_ucont_view */
    uint16_t opaque_bytes;
    uint8_t  opaque[TRK_OPAQUE_MAX];
};
/* Seal deterministically (SIV: the MAC is the nonce), bound to the connection. Returns the bytes
 * written, 0 if cap is short or opaque_bytes exceeds TRK_OPAQUE_MAX. */
size_t trk_ucont_seal(const struct trk_epoch *e, const struct trk_conn_id *id, const struct trk_ucont *u, uint8_t *out, size_t cap);
/* UNKNOWN_EPOCH, RETIRED_EPOCH, BAD_CONTINUATION, or ACCEPTED and *out, of whose opaque part opaque_bytes are written. A
 * retiring epoch still opens. keys->memo is asked first, if there is one. */
enum trk_verdict trk_ucont_open(const struct trk_keys *keys, const struct trk_conn_id *id, const struct trk_ucont_view *v, struct trk_ucont *out);
static inline size_t trk_ucont_sealed_bytes(uint16_t opaque) { return (size_t)TRK_UCONT_HEADER + opaque + TRK_SEAL_BYTES; }

#endif
