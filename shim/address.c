#include "address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

struct trk_addr shim_address_addr(const union shim_address *a)
{
    struct trk_addr addr = { .family = 4 };
    if (a->any.sa_family == AF_INET) {
        memcpy(addr.bytes, &a->v4.sin_addr, 4);
    } else if (IN6_IS_ADDR_V4MAPPED(&a->v6.sin6_addr)) {
        memcpy(addr.bytes, a->v6.sin6_addr.s6_addr + 12, 4);
    } else {
        addr.family = 6;
        memcpy(addr.bytes, &a->v6.sin6_addr, 16);
    }
    return addr;
}

uint16_t shim_address_port(const union shim_address *a)
{
    return ntohs(a->any.sa_family == AF_INET ? a->v4.sin_port : a->v6.sin6_port);
}

union shim_address shim_address_make(sa_family_t family, const struct trk_addr *addr, uint16_t port)
{
    union shim_address a;
    memset(&a, 0, sizeof a);
    a.any.sa_family = family;
    if (family == AF_INET) {
        memcpy(&a.v4.sin_addr, addr->bytes, 4);
        a.v4.sin_port = htons(port);
        return a;
    }
    a.v6.sin6_port = htons(port);
    if (addr->family == 6) {
        memcpy(&a.v6.sin6_addr, addr->bytes, 16);
    } else {
        a.v6.sin6_addr.s6_addr[10] = a.v6.sin6_addr.s6_addr[11] = 0xff;
        memcpy(a.v6.sin6_addr.s6_addr + 12, addr->bytes, 4);
    }
    return a;
}

bool shim_address_is_link_local(const struct trk_addr *addr)
{
    return addr->family == 6 && addr->bytes[0] == 0xfe && (addr->bytes[1] & 0xc0) == 0x80;
}

int shim_address_scope(const union shim_address *a)
{
    struct trk_addr addr = shim_address_addr(a);
    return shim_address_is_link_local(&addr) ? (int)a->v6.sin6_scope_id : 0;
}

socklen_t shim_address_bytes(sa_family_t family)
{
    return family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
}

bool shim_address_any(const struct trk_addr *addr)
{
    static const uint8_t zeros[16];
    return memcmp(addr->bytes, zeros, addr->family == 4 ? 4 : 16) == 0;
}

const char *shim_address_text(const union shim_address *a, char *out, size_t bytes)
{
    char host[INET6_ADDRSTRLEN];
    struct trk_addr addr = shim_address_addr(a);
    if (!inet_ntop(addr.family == 4 ? AF_INET : AF_INET6, addr.bytes, host, sizeof host))
        strcpy(host, "?");
    snprintf(out, bytes, addr.family == 4 ? "%s:%u" : "[%s]:%u", host, shim_address_port(a));
    return out;
}
