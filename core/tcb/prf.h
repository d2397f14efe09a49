/* prf.h - the 64-bit PRF behind nonces and identifiers. Private to tcb. */
#ifndef TRK_TCB_PRF_H
#define TRK_TCB_PRF_H

#include <sodium.h>
#include <stddef.h>
#include <stdint.h>
#include "wire/bytes.h"

/* SipHash-2-4 as a number, read big-endian so that replicas of any byte order agree. */
static inline uint64_t trk_prf64(const uint8_t key[crypto_shorthash_KEYBYTES], const uint8_t *in, size_t bytes)
{
    uint8_t hash[crypto_shorthash_BYTES];
    crypto_shorthash(hash, in, bytes, key);
    return trk_load64(hash);
}

#endif
