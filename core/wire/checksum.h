/* checksum.h - the Internet checksum (RFC 1071) of IP and TCP headers. */
#ifndef TRK_WIRE_CHECKSUM_H
#define TRK_WIRE_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/* Adds bytes, as big-endian 16-bit words, to a running sum of at most 64 KiB in all; an odd last byte counts as a word's first. */
uint64_t trk_sum(uint64_t sum, const uint8_t *p, size_t bytes);
/* Folds to 16 bits, not complemented. */
uint16_t trk_sum_fold(uint64_t sum);
/* Sum of TCP's pseudo-header for the IP packet at ip (its version, addresses) and a TCP length. */
uint64_t trk_sum_pseudo(const uint8_t *ip, uint32_t tcp_bytes);

#endif
