/* icmp.h - what routers say about packets that we sent: too big for a link, or not to be delivered (RFC 792, 1191, 4443, 8201).
 *
 * The kernel keeps such messages from packet sockets' flows to itself, so they are read from raw sockets. Anybody on the way, and
 * who guesses well, can send them: they are hints, to be believed only where flow and sequence number are those of a segment
 * that is on its way. */
#ifndef TRK_LINK_ICMP_H
#define TRK_LINK_ICMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "wire/segment.h"

struct trk_hint {
    struct trk_flow flow;              /* of our segment, as we sent it */
    uint32_t seq;                      /* its sequence number */
    int error;                         /* what connect() says of this: EHOSTUNREACH, ECONNREFUSED, ...; 0: too big */
    uint32_t mtu;                      /* too big: what the link takes, header and all; 0: it does not say */
};

/* A non-blocking, CLOEXEC raw socket that receives these messages and no others, family 4 or 6. -1 and errno (EPERM). */
int trk_icmp_open(uint8_t family);
/* The next hint about a TCP segment; false: no more for now. */
bool trk_icmp_receive(int fd, uint8_t family, struct trk_hint *out);

/* From the ICMP header on. False: malformed, of another kind, or not about a TCP segment. */
bool trk_icmp_parse(uint8_t family, const uint8_t *message, size_t bytes, struct trk_hint *out);

#endif
