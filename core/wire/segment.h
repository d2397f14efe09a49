/* segment.h - one IP packet carrying one TCP segment: the outermost shell of every message.
 *
 * parse: bytes -> struct trk_segment, whose pointers are views into those bytes.
 * emit:  struct trk_segment -> header bytes; the payload follows and is never copied here.
 * Everything a packet of ours shows is fixed (PROTOCOL.md 2.2): IP id 0, DF, TTL/hop limit 64,
 * DSCP, ECN and flow label 0, window 65535, our marker option first. */
#ifndef TRK_WIRE_SEGMENT_H
#define TRK_WIRE_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "wire/verdict.h"

#define TRK_MARKER        0xfd045452u /* option kind 253, length 4, ExID "TR" (RFC 6994) */
#define TRK_WINDOW        65535
#define TRK_WSCALE        14
#define TRK_TTL           64
#define TRK_HEADER_MAX    100         /* IPv6 40 + TCP 60 */
#define TRK_OPTION_BYTES  4           /* what the marker takes from every segment */

enum { TRK_FIN = 1, TRK_SYN = 2, TRK_RST = 4, TRK_PSH = 8, TRK_ACK = 16 };

/* An address as bytes in network order; IPv4 uses the first four and leaves the rest zero,
 * so two addresses can be compared with memcmp. family: 4 or 6. */
struct trk_addr { uint8_t family; uint8_t bytes[16]; };

/* Direction as on the packet; ports in host order. No padding is ever read. */
struct trk_flow { struct trk_addr src, dst; uint16_t sport, dport; };

struct trk_segment {
    struct trk_flow flow;
    uint32_t seq, ack;
    uint8_t  flags;          /* TRK_SYN | ...; parse leaves out URG, ECE and CWR */
    bool     marked;         /* our option stands first */
    uint16_t window;
    uint16_t mss;            /* from the option; 0: absent */
    uint8_t  wscale;         /* valid if has_wscale */
    bool     has_wscale, sack_ok, has_timestamp;
    uint32_t ts_value, ts_echo;
    const uint8_t *payload;  /* view */
    uint32_t payload_bytes;
};

/* Check and read an IP packet (from the IP header on). Link-layer padding after the IP length is
 * ignored. Does not verify the TCP checksum: that is trk_segment_checksum_ok, as the device often
 * did it. Returns ACCEPTED for a well-formed marked segment, UNMARKED for a well-formed plain TCP
 * segment (out is filled in both cases), else the reason: SHORT, NOT_IP, FRAGMENT, NOT_TCP (IPv6 extension
 * headers too), BAD_FIELD (data offset or an option's length). */
enum trk_verdict trk_segment_parse(const uint8_t *ip, size_t bytes, struct trk_segment *out);

/* Write IP and TCP header with options for seg (payload_bytes is counted, payload not read).
 * SYN carries marker, MSS, SACK, timestamp, window scale when set in seg; SYN|ACK marker, MSS and
 * window scale; all others the marker alone. seg->marked false omits the marker (test peers).
 * A marked segment's window is TRK_WINDOW whatever seg says, an unmarked one's is seg's; the family is flow.src's.
 * The IPv4 header checksum is complete. The TCP checksum field holds the folded pseudo-header sum,
 * not complemented, which is what checksum offload (virtio NEEDS_CSUM) wants.
 * Returns the header's bytes, or 0 if cap (at least TRK_HEADER_MAX is always enough) is short. */
size_t trk_segment_emit(const struct trk_segment *seg, uint8_t *out, size_t cap);

/* Another sequence number in an emitted header: the checksum field, of the pseudo-header alone, stays right. */
void trk_segment_renumber(uint8_t *ip, uint32_t seq);

/* Finish the TCP checksum of a whole packet in place (software path, captures, the simulated world). */
void trk_segment_finish(uint8_t *ip, size_t bytes);
/* True if IPv4 header and TCP checksums are right. bytes covers the whole packet. */
bool trk_segment_checksum_ok(const uint8_t *ip, size_t bytes);

bool trk_addr_equal(const struct trk_addr *a, const struct trk_addr *b);
bool trk_flow_equal(const struct trk_flow *a, const struct trk_flow *b);
struct trk_flow trk_flow_reverse(const struct trk_flow *f);

/* IP + TCP header bytes before the payload of an ordinary (non-SYN) segment: 44 or 64. */
static inline uint32_t trk_header_bytes(uint8_t family) { return (family == 4 ? 20u : 40u) + 20u + TRK_OPTION_BYTES; }

#endif
