#include <string.h>

#include "wire/checksum.h"
#include "wire/ip.h"
#include "wire/segment.h"

/* One's complement sums do not care about byte order (RFC 1071, 2B): words are added as the machine reads them, 4 bytes
 * at a time in two independent chains, and only the folded result is turned. */
uint64_t trk_sum(uint64_t sum, const uint8_t *p, size_t bytes)
{
    uint64_t even = 0, odd = 0;
    uint32_t word[2];
    for (; bytes >= sizeof word; p += sizeof word, bytes -= sizeof word) {
        memcpy(word, p, sizeof word);
        even += word[0];
        odd += word[1];
    }
    memset(word, 0, sizeof word);
    memcpy(word, p, bytes);
    uint16_t folded = trk_sum_fold(even + odd + word[0] + word[1]);
    uint8_t turned[2];
    memcpy(turned, &folded, sizeof turned);
    return sum + ((uint64_t)turned[0] << 8 | turned[1]);
}

uint16_t trk_sum_fold(uint64_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

uint64_t trk_sum_pseudo(const uint8_t *ip, uint32_t tcp_bytes)
{
    bool v4 = ip[0] >> 4 == 4;
    uint64_t addresses = v4 ? trk_sum(0, ip + TRK_IP4_SRC, 8) : trk_sum(0, ip + TRK_IP6_SRC, 32);
    return addresses + TRK_IPPROTO_TCP + (tcp_bytes >> 16) + (tcp_bytes & 0xffff);
}

void trk_segment_finish(uint8_t *ip, size_t bytes)
{
    struct trk_ip_span span;
    if (trk_ip_check(ip, bytes, &span) != TRK_V_ACCEPTED)
        return;
    /* The field holds the pseudo-header's sum already, so summing over it adds the pseudo-header. */
    uint8_t *tcp = ip + span.header_bytes;
    uint16_t sum = (uint16_t)~trk_sum_fold(trk_sum(0, tcp, span.tcp_bytes));
    tcp[TRK_TCP_CHECK] = (uint8_t)(sum >> 8);
    tcp[TRK_TCP_CHECK + 1] = (uint8_t)sum;
}

bool trk_segment_checksum_ok(const uint8_t *ip, size_t bytes)
{
    struct trk_ip_span span;
    if (trk_ip_check(ip, bytes, &span) != TRK_V_ACCEPTED)
        return false;
    if (ip[0] >> 4 == 4 && trk_sum_fold(trk_sum(0, ip, span.header_bytes)) != 0xffff)
        return false;
    uint64_t pseudo = trk_sum_pseudo(ip, span.tcp_bytes);
    return trk_sum_fold(trk_sum(pseudo, ip + span.header_bytes, span.tcp_bytes)) == 0xffff;
}
