/* address.c - see address.h. */
#include "address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool fail(char *error, size_t bytes, const char *text)
{
    snprintf(error, bytes, "'%s' is not a listen address: write ADDR:PORT, [V6ADDR]:PORT or *:PORT with numeric parts", text);
    return false;
}

static bool parse_port(const char *text, uint16_t *port)
{
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 5 || text[digits] != '\0')
        return false;
    long value = strtol(text, NULL, 10);
    *port = (uint16_t)value;
    return value <= 65535;
}

static bool parse_host(const char *host, bool brackets, uint16_t port, struct sockaddr_storage *out)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)out;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;
    memset(out, 0, sizeof *out);
    if (!brackets && inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
        return true;
    }
    if (!brackets && strcmp(host, "*") == 0)
        host = "::";
    else if (!brackets)
        return false;
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    return inet_pton(AF_INET6, host, &v6->sin6_addr) == 1;
}

bool msk_address_parse(const char *text, struct sockaddr_storage *out, char *error, size_t error_bytes)
{
    char host[64];
    bool brackets = text[0] == '[';
    const char *begin = text + brackets;
    const char *stop = brackets ? strchr(begin, ']') : strrchr(begin, ':');
    uint16_t port;

    if (!stop || (size_t)(stop - begin) >= sizeof host)
        return fail(error, error_bytes, text);
    memcpy(host, begin, (size_t)(stop - begin));
    host[stop - begin] = '\0';
    if (brackets && *++stop != ':')
        return fail(error, error_bytes, text);
    if (!parse_port(stop + 1, &port) || !parse_host(host, brackets, port, out))
        return fail(error, error_bytes, text);
    return true;
}

void msk_address_format(const struct sockaddr_storage *a, char *out, size_t cap)
{
    char host[INET6_ADDRSTRLEN] = "?";
    if (a->ss_family == AF_INET) {
        inet_ntop(AF_INET, &((const struct sockaddr_in *)a)->sin_addr, host, sizeof host);
        snprintf(out, cap, "%s:%u", host, msk_address_port(a));
    } else {
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)a)->sin6_addr, host, sizeof host);
        snprintf(out, cap, "[%s]:%u", host, msk_address_port(a));
    }
}

socklen_t msk_address_length(const struct sockaddr_storage *a)
{
    return a->ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
}

uint16_t msk_address_port(const struct sockaddr_storage *a)
{
    return ntohs(a->ss_family == AF_INET ? ((const struct sockaddr_in *)a)->sin_port : ((const struct sockaddr_in6 *)a)->sin6_port);
}

bool msk_address_any(const struct sockaddr_storage *a)
{
    static const uint8_t zero[16];
    uint8_t bytes[16];
    return msk_address_bytes(a, bytes) && memcmp(bytes, zero, sizeof zero) == 0;
}

void msk_address_of(const struct trk_addr *addr, uint16_t port, struct sockaddr_storage *out)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)out;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;
    memset(out, 0, sizeof *out);
    if (addr->family == 4) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
        memcpy(&v4->sin_addr, addr->bytes, 4);
    } else {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(port);
        memcpy(&v6->sin6_addr, addr->bytes, 16);
    }
}

uint8_t msk_address_bytes(const struct sockaddr_storage *a, uint8_t out[16])
{
    memset(out, 0, 16);
    if (a->ss_family == AF_INET) {
        memcpy(out, &((const struct sockaddr_in *)a)->sin_addr, 4);
        return 4;
    }
    memcpy(out, &((const struct sockaddr_in6 *)a)->sin6_addr, 16);
    return 6;
}
