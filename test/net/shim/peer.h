/* peer.h - the service that the shim's tests talk to, once over kernel TCP and once over Trickles.
 *
 * A client sends lines:
 *   get N    N bytes of the pattern            end N    the same, then the stream ends
 *   rst      the connection is reset           eat      everything up to the end of the client's stream is
 *   log TEXT TEXT appears on the peer's output          counted; the answer is that number, then the end
 * The pattern's byte at offset o of the server's stream is peer_byte(o), so any mix-up shows. */
#ifndef SHIM_TEST_PEER_H
#define SHIM_TEST_PEER_H

#include <stdint.h>

#define PEER_LINE_BYTES 64

static inline uint8_t peer_byte(uint64_t offset) { return (uint8_t)(offset * 31 + (offset >> 8) * 7 + 3); }

int peer_tcp(uint16_t port);           /* both run until a signal; return an exit status */
int peer_trickles(uint16_t port);

#endif
