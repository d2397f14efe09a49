#include "link/icmp.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/icmp.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEADER_BYTES  8                /* of ICMP, before what it quotes */
#define QUOTED_TCP    8                /* ports and sequence number: all that must be quoted */
#define RECEIVE_BYTES (64 << 10)
#define MESSAGE_BYTES 1500             /* more is never looked at */
#define MESSAGES_MAX  64               /* that tell us nothing, in one call */

static uint32_t u16(const uint8_t *p) { return (uint32_t)p[0] << 8 | p[1]; }
static uint32_t u32(const uint8_t *p) { return u16(p) << 16 | u16(p + 2); }

/* As Linux maps them for a TCP socket. */
static int error_of_v4(uint8_t type, uint8_t code)
{
    static const int unreachable[] = {
        ENETUNREACH, EHOSTUNREACH, ENOPROTOOPT, ECONNREFUSED, 0, EOPNOTSUPP, ENETUNREACH, EHOSTDOWN,
        ENONET, ENETUNREACH, EHOSTUNREACH, ENETUNREACH, EHOSTUNREACH, EHOSTUNREACH, EHOSTUNREACH, EHOSTUNREACH,
    };
    if (type == ICMP_TIME_EXCEEDED)
        return EHOSTUNREACH;
    return code < sizeof unreachable / sizeof *unreachable ? unreachable[code] : EHOSTUNREACH;
}

static int error_of_v6(uint8_t type, uint8_t code)
{
    static const int unreachable[] = { ENETUNREACH, EACCES, EHOSTUNREACH, EHOSTUNREACH, ECONNREFUSED, EACCES, EACCES };
    if (type == ICMP6_TIME_EXCEEDED)
        return EHOSTUNREACH;
    return code < sizeof unreachable / sizeof *unreachable ? unreachable[code] : EPROTO;
}

static bool read_kind(uint8_t family, const uint8_t *m, struct trk_hint *out)
{
    uint8_t type = m[0], code = m[1];
    if (family == 4) {
        if (type != ICMP_DEST_UNREACH && type != ICMP_TIME_EXCEEDED)
            return false;
        out->error = error_of_v4(type, code);
        out->mtu = out->error ? 0 : u16(m + 6);
    } else {
        if (type != ICMP6_DST_UNREACH && type != ICMP6_PACKET_TOO_BIG && type != ICMP6_TIME_EXCEEDED)
            return false;
        out->error = type == ICMP6_PACKET_TOO_BIG ? 0 : error_of_v6(type, code);
        out->mtu = out->error ? 0 : u32(m + 4);
    }
    return true;
}

/* Our segment's IP header; returns its bytes, 0: not one of ours. We send neither fragments nor IPv6 extension headers. */
static size_t read_quoted_ip(uint8_t family, const uint8_t *ip, size_t bytes, struct trk_flow *flow)
{
    size_t header = family == 4 ? 20 : 40, address = family == 4 ? 4 : 16, at = family == 4 ? 12 : 8;
    if (bytes < header || ip[0] >> 4 != family || ip[family == 4 ? 9 : 6] != IPPROTO_TCP)
        return 0;
    if (family == 4 && ((ip[0] & 15) != 5 || u16(ip + 6) & 0x1fff))
        return 0;
    flow->src.family = flow->dst.family = family;
    memcpy(flow->src.bytes, ip + at, address);
    memcpy(flow->dst.bytes, ip + at + address, address);
    return header;
}

bool trk_icmp_parse(uint8_t family, const uint8_t *message, size_t bytes, struct trk_hint *out)
{
    memset(out, 0, sizeof *out);
    if (bytes < HEADER_BYTES || !read_kind(family, message, out))
        return false;
    size_t header = read_quoted_ip(family, message + HEADER_BYTES, bytes - HEADER_BYTES, &out->flow);
    if (!header || bytes < HEADER_BYTES + header + QUOTED_TCP)
        return false;
    const uint8_t *tcp = message + HEADER_BYTES + header;
    out->flow.sport = (uint16_t)u16(tcp);
    out->flow.dport = (uint16_t)u16(tcp + 2);
    out->seq = u32(tcp + 4);
    return true;
}

static int filter(int fd, uint8_t family)
{
    if (family == 4) {
        struct icmp_filter only = { .data = ~(1u << ICMP_DEST_UNREACH | 1u << ICMP_TIME_EXCEEDED) };
        return setsockopt(fd, SOL_RAW, ICMP_FILTER, &only, sizeof only);
    }
    struct icmp6_filter only;
    ICMP6_FILTER_SETBLOCKALL(&only);
    ICMP6_FILTER_SETPASS(ICMP6_DST_UNREACH, &only);
    ICMP6_FILTER_SETPASS(ICMP6_PACKET_TOO_BIG, &only);
    ICMP6_FILTER_SETPASS(ICMP6_TIME_EXCEEDED, &only);
    return setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &only, sizeof only);
}

int trk_icmp_open(uint8_t family)
{
    int fd = socket(family == 4 ? AF_INET : AF_INET6, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, family == 4 ? IPPROTO_ICMP : (int)IPPROTO_ICMPV6);
    int bytes = RECEIVE_BYTES;
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    if (filter(fd, family) == 0)
        return fd;
    int kept = errno;
    close(fd);
    errno = kept;
    return -1;
}

bool trk_icmp_receive(int fd, uint8_t family, struct trk_hint *out)
{
    uint8_t message[MESSAGE_BYTES];
    for (int i = 0; i < MESSAGES_MAX; i++) {
        ssize_t n = recv(fd, message, sizeof message, MSG_DONTWAIT);
        if (n <= 0)
            return false;
        size_t skip = family == 4 ? (size_t)(message[0] & 15) * 4 : 0;     /* IPv4 raw sockets give the IP header, too */
        if ((size_t)n >= skip && trk_icmp_parse(family, message + skip, (size_t)n - skip, out))
            return true;
    }
    return false;
}
