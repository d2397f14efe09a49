/* keys.h - the replicas' shared keys, and the subkeys made from them (PROTOCOL.md 4.1, 4.2).
 *
 * A key set holds up to TRK_EPOCHS_MAX epochs. Rotation is staged: add (accepted from other
 * replicas, never sealed with), current (exactly one), retiring (its grants are answered by a
 * refresh). An epoch below the lowest one listed is "retired", any other unlisted one unknown.
 * Reading key files is the server's business; this room sees bytes only. */
#ifndef TRK_TCB_KEYS_H
#define TRK_TCB_KEYS_H

#include <stdbool.h>
#include <stdint.h>
#include "wire/messages.h"
#include "wire/segment.h"

#define TRK_EPOCHS_MAX 8
#define TRK_MASTER_BYTES 32

enum trk_epoch_state { TRK_EPOCH_ADDED = 1, TRK_EPOCH_CURRENT = 2, TRK_EPOCH_RETIRING = 3 };

struct trk_epoch {                     /* one epoch's subkeys, each for one purpose */
    uint8_t epoch;
    uint8_t state;                     /* enum trk_epoch_state */
    uint8_t seal[16], nonce[16], id[16], address[16], ucont_mac[16];     /* SipHash keys */
    uint8_t ucont_enc[32];             /* XChaCha20's */
    uint8_t minisocket[32];            /* BLAKE2b's: of what moves between servers */
};
struct trk_memo;                       /* memo.h */
struct trk_keys {
    uint8_t n, current;                /* current: an index */
    struct trk_epoch epochs[TRK_EPOCHS_MAX];
    struct trk_memo *memo;             /* what these keys have opened before; NULL: nothing is kept */
};

void trk_keys_init(struct trk_keys *keys);
/* The master key of one application among those that share `master`: what one of them seals proves nothing to another. An empty
 * name is an application, too: its key is the master itself. out may be master. */
void trk_master_of(const uint8_t master[TRK_MASTER_BYTES], const char *application, size_t bytes, uint8_t out[TRK_MASTER_BYTES]);
/* Derive and add an epoch. False if full, the epoch is present already, or a second current one. */
bool trk_keys_add(struct trk_keys *keys, uint8_t epoch, enum trk_epoch_state state, const uint8_t master[TRK_MASTER_BYTES]);
const struct trk_epoch *trk_keys_find(const struct trk_keys *keys, uint8_t epoch);   /* NULL: not listed */
const struct trk_epoch *trk_keys_current(const struct trk_keys *keys);
/* UNKNOWN_EPOCH or RETIRED_EPOCH for an epoch that is not listed. */
enum trk_verdict trk_keys_missing(const struct trk_keys *keys, uint8_t epoch);
void trk_keys_wipe(struct trk_keys *keys);

/* h of a connection (PROTOCOL.md 4.2): PRF of the SYN's random bytes and the flow as the server sees it (src = client). */
uint64_t trk_conn_hash(const struct trk_epoch *e, const uint8_t random[TRK_RANDOM_BYTES], const struct trk_flow *flow);
/* Of the server's sequence space. A function of h alone, which nobody off the path knows: a request that arrives after a
 * rotation says h and not the ISN, and the sequence space must not jump with the epoch. */
uint32_t trk_conn_isn(uint64_t h);
/* Tag of the client's address and port (src of what the server receives). */
uint32_t trk_address_tag(const struct trk_epoch *e, const struct trk_addr *addr, uint16_t port);

#endif
