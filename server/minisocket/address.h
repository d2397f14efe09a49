/* address.h - listen addresses as people write them, and addresses as the three rooms hold them. */
#ifndef MSK_ADDRESS_H
#define MSK_ADDRESS_H

#include <sys/socket.h>
#include "link/link.h"
#include "wire/segment.h"

/* "10.0.0.1:80", "[fd00::1]:80", "0.0.0.0:80", "[::]:80", "*:80". Numeric only: what a name means may change. The last
 * two are the address :: of both families. False and a sentence in error if text is none of these. */
bool msk_address_parse(const char *text, struct sockaddr_storage *out, char *error, size_t error_bytes);
/* "10.0.0.1:80" or "[fd00::1]:80", NUL-terminated in out (at least 56 bytes). */
void msk_address_format(const struct sockaddr_storage *a, char *out, size_t cap);

socklen_t msk_address_length(const struct sockaddr_storage *a);
uint16_t msk_address_port(const struct sockaddr_storage *a);
bool msk_address_any(const struct sockaddr_storage *a);                  /* 0.0.0.0 or :: */
void msk_address_of(const struct trk_addr *addr, uint16_t port, struct sockaddr_storage *out);
/* family 4 or 6 and the address bytes, IPv4 in the first four. */
uint8_t msk_address_bytes(const struct sockaddr_storage *a, uint8_t out[16]);

#endif
