/* sealed.h - a minisocket as bytes, for another process or machine that has the keys: the packet, what the filter decided
 * about it, when and under which configuration. Everything else follows from these, as check and plan are pure.
 *
 *   magic "TMSK" 4 | version 1 | epoch 1 | fingerprint of its key 4 | bytes of all this 4 | real time 8
 *   | configuration 16 | decision 36 | bytes of the packet 2 | packet | MAC 32
 *
 * MAC: BLAKE2b with a key of the epoch that is used for nothing else (PROTOCOL.md 4.1). The fingerprint, of the same key but
 * another personalisation, only tells foreign keys from damage, for the sake of the error. */
#ifndef MSK_SEALED_H
#define MSK_SEALED_H

#include "server.h"

#define MSK_SEALED_HEADER 76
#define MSK_SEALED_MAC    32

static inline size_t msk_sealed_bytes(const struct minisock *m) { return MSK_SEALED_HEADER + m->packet_bytes + MSK_SEALED_MAC; }
/* Writes msk_sealed_bytes(m). */
void msk_seal(const struct minisock *m, uint8_t *out);
/* Reads the one at the start of bytes into m, its packet into m's own memory. 0, or -EBADMSG, -ENOTSUP, -ENOKEY. *used: its
 * bytes, 0 if it does not even say them. */
int msk_unseal(const struct trk_keys *keys, const uint8_t *bytes, size_t n, struct minisock *m, size_t *used);

#endif
