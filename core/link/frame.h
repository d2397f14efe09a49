/* frame.h - TCP/IP headers as bytes, and the two directions of a superframe. Pure functions.
 *
 * A superframe is one TCP packet of up to 64 KB that the kernel cuts into slices of gso_size payload bytes
 * (or that GRO merged from them). coalesce makes one from adjoining packets, cut takes one apart:
 * cut(coalesce(x)) == x, byte for byte. The checksum field holds the folded pseudo-header sum throughout,
 * which is what checksum offload (virtio NEEDS_CSUM) wants. */
#ifndef TRK_LINK_FRAME_H
#define TRK_LINK_FRAME_H

#include "link/link.h"

#define TRK_FRAME_HEADER_MAX 120       /* IPv4 with options 60 + TCP with options 60 */
#define TRK_SLICES_MAX       44        /* per superframe: what fills 64 KB at an Ethernet MTU */
#define TRK_SUPER_BYTES_MAX  65500     /* IP bytes: below the 16-bit length with room for the link header */

struct trk_frame_shape { uint8_t family; uint32_t ip_bytes, header_bytes; };  /* IP header; IP and TCP header */
/* False unless the bytes begin with a whole IPv4 (not a fragment) or IPv6 header followed by a whole TCP header. */
bool trk_frame_shape(const uint8_t *ip, size_t bytes, struct trk_frame_shape *out);

/* One's complement sum of bytes, added to sum (not folded). */
uint32_t trk_frame_sum(const uint8_t *bytes, size_t n, uint32_t sum);
uint16_t trk_frame_fold(uint32_t sum);
/* Write the IP length field for a packet of total bytes, and the IPv4 header checksum. */
void trk_frame_set_length(uint8_t *ip, const struct trk_frame_shape *shape, uint32_t total);
/* Write the folded pseudo-header sum into the TCP checksum field, for a packet of total bytes. */
void trk_frame_set_pseudo_sum(uint8_t *ip, const struct trk_frame_shape *shape, uint32_t total);
/* If the TCP checksum field still holds just the pseudo-header sum, complete it over the whole packet. */
void trk_frame_finish(uint8_t *ip, const struct trk_frame_shape *shape, uint32_t total);
/* Bytes of the packet by its own length field: link-layer padding may follow them. */
uint32_t trk_frame_length(const uint8_t *ip);

struct trk_cut {                       /* where the next slice begins */
    uint8_t *ip; struct trk_frame_shape shape;
    uint32_t total, gso_size, next;
    uint8_t header[TRK_FRAME_HEADER_MAX];            /* the superframe's own */
};
/* False if it is no TCP packet with payload, or gso_size is 0: hand it out as it is. */
bool trk_cut_begin(struct trk_cut *c, uint8_t *ip, uint32_t bytes, uint32_t gso_size);
/* Bytes of the next packet; 0 at the end. */
uint32_t trk_cut_size(const struct trk_cut *c);
/* Writes the next packet (trk_cut_size bytes) to out. The superframe stays as it is. */
void trk_cut_copy(struct trk_cut *c, uint8_t *out);
/* The next packet, in place or in scratch (trk_cut_size bytes of room): every other one needs no copy, as its
 * header may overwrite the end of the one before, which was copied. Not to be mixed with trk_cut_copy. */
uint8_t *trk_cut_take(struct trk_cut *c, uint8_t *scratch);

/* How many packets from p[0] on may leave as one superframe: same flow, headers equal but for length and
 * sequence, plain ACKs, contiguous, all payloads but the last equal. 1: p[0] travels alone. */
int trk_coalesce(const struct trk_link_out *p, int n);
/* The superframe's IP and TCP header for p[0..n-1]; returns its bytes. The payloads follow in order. */
uint32_t trk_coalesce_header(const struct trk_link_out *p, int n, uint8_t out[TRK_FRAME_HEADER_MAX]);
/* Payload bytes of one packet to send. */
uint32_t trk_out_payload(const struct trk_link_out *p, const struct trk_frame_shape *shape);

#endif
