#include "wire/ip.h"


static uint32_t be16(const uint8_t *p) { return (uint32_t)p[0] << 8 | p[1]; }

static enum trk_verdict check_v4(const uint8_t *ip, size_t bytes, struct trk_ip_span *out)
{
    if (bytes < TRK_IP4_BYTES)
        return TRK_V_SHORT;
    uint32_t header = (ip[0] & 0x0fu) * 4, total = be16(ip + TRK_IP4_LENGTH);
    if (header < TRK_IP4_BYTES || total < header)
        return TRK_V_NOT_IP;
    if (be16(ip + TRK_IP4_FRAGMENT) & TRK_IP4_MORE_OR_OFFSET)
        return TRK_V_FRAGMENT;
    if (ip[TRK_IP4_PROTOCOL] != TRK_IPPROTO_TCP)
        return TRK_V_NOT_TCP;
    if (total > bytes || total - header < TRK_TCP_BYTES)
        return TRK_V_SHORT;
    *out = (struct trk_ip_span){ header, total - header };
    return TRK_V_ACCEPTED;
}

/* Extension headers are not followed: nothing of ours carries one, so they are another protocol here. */
static enum trk_verdict check_v6(const uint8_t *ip, size_t bytes, struct trk_ip_span *out)
{
    if (bytes < TRK_IP6_BYTES)
        return TRK_V_SHORT;
    uint32_t payload = be16(ip + TRK_IP6_LENGTH);
    if (ip[TRK_IP6_NEXT] == TRK_IPPROTO_FRAGMENT)
        return TRK_V_FRAGMENT;
    if (ip[TRK_IP6_NEXT] != TRK_IPPROTO_TCP)
        return TRK_V_NOT_TCP;
    if (payload > bytes - TRK_IP6_BYTES || payload < TRK_TCP_BYTES)
        return TRK_V_SHORT;
    *out = (struct trk_ip_span){ TRK_IP6_BYTES, payload };
    return TRK_V_ACCEPTED;
}

enum trk_verdict trk_ip_check(const uint8_t *ip, size_t bytes, struct trk_ip_span *out)
{
    if (bytes == 0)
        return TRK_V_SHORT;
    switch (ip[0] >> 4) {
    case 4:  return check_v4(ip, bytes, out);
    case 6:  return check_v6(ip, bytes, out);
    default: return TRK_V_NOT_IP;
    }
}
