/* ip.h - where fields stand in IP and TCP headers (RFC 791, 8200, 9293), and the check of an IP header. */
#ifndef TRK_WIRE_IP_H
#define TRK_WIRE_IP_H

#include <stddef.h>
#include <stdint.h>
#include "wire/verdict.h"

enum {
    TRK_IP4_BYTES = 20, TRK_IP4_LENGTH = 2, TRK_IP4_FRAGMENT = 6, TRK_IP4_TTL = 8, TRK_IP4_PROTOCOL = 9,
    TRK_IP4_CHECK = 10, TRK_IP4_SRC = 12, TRK_IP4_DST = 16,
    TRK_IP6_BYTES = 40, TRK_IP6_LENGTH = 4, TRK_IP6_NEXT = 6, TRK_IP6_HOPS = 7, TRK_IP6_SRC = 8, TRK_IP6_DST = 24,
    TRK_TCP_BYTES = 20, TRK_TCP_SEQ = 4, TRK_TCP_DOFF = 12, TRK_TCP_FLAGS = 13, TRK_TCP_CHECK = 16,
    TRK_IPPROTO_TCP = 6, TRK_IPPROTO_FRAGMENT = 44,
    TRK_IP4_DONT_FRAGMENT = 0x4000, TRK_IP4_MORE_OR_OFFSET = 0x3fff,
};

struct trk_ip_span { uint32_t header_bytes, tcp_bytes; };   /* TCP header and payload follow the IP header */

/* ACCEPTED if bytes holds a whole, unfragmented IP packet with at least a TCP header's bytes in it;
 * SHORT, NOT_IP, FRAGMENT or NOT_TCP. Bytes after the IP length are link padding. */
enum trk_verdict trk_ip_check(const uint8_t *ip, size_t bytes, struct trk_ip_span *out);

#endif
