/* frame.c - reading and rewriting TCP/IP headers. */
#include "link/frame.h"
#include <string.h>

static uint32_t get16(const uint8_t *p) { return (uint32_t)p[0] << 8 | p[1]; }
static void put16(uint8_t *p, uint32_t v) { p[0] = (uint8_t)(v >> 8); p[1] = (uint8_t)v; }

static bool shape_ip(const uint8_t *ip, size_t bytes, struct trk_frame_shape *out)
{
    if (bytes >= 40 && ip[0] >> 4 == 6 && ip[6] == 6) {
        out->family = 6;
        out->ip_bytes = 40;
        return true;
    }
    if (bytes < 20 || ip[0] >> 4 != 4 || ip[9] != 6 || (get16(ip + 6) & 0x3fff))
        return false;
    out->family = 4;
    out->ip_bytes = (ip[0] & 15u) * 4;
    return out->ip_bytes >= 20;
}

bool trk_frame_shape(const uint8_t *ip, size_t bytes, struct trk_frame_shape *out)
{
    if (!shape_ip(ip, bytes, out) || bytes < out->ip_bytes + 20)
        return false;
    uint32_t tcp_bytes = (ip[out->ip_bytes + 12] >> 4) * 4u;
    out->header_bytes = out->ip_bytes + tcp_bytes;
    return tcp_bytes >= 20 && bytes >= out->header_bytes;
}

uint32_t trk_frame_sum(const uint8_t *bytes, size_t n, uint32_t sum)
{
    size_t i = 0;
    for (; i + 1 < n; i += 2)
        sum += get16(bytes + i);
    if (i < n)
        sum += (uint32_t)bytes[i] << 8;
    return sum;
}

uint16_t trk_frame_fold(uint32_t sum)
{
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

void trk_frame_set_length(uint8_t *ip, const struct trk_frame_shape *shape, uint32_t total)
{
    if (shape->family == 6) {
        put16(ip + 4, total - 40);
        return;
    }
    put16(ip + 2, total);
    put16(ip + 10, 0);
    put16(ip + 10, 0xffff & ~(uint32_t)trk_frame_fold(trk_frame_sum(ip, shape->ip_bytes, 0)));
}

static uint32_t pseudo_sum(const uint8_t *ip, const struct trk_frame_shape *shape, uint32_t total)
{
    uint32_t sum = total - shape->ip_bytes + 6;      /* TCP length and protocol */
    return shape->family == 4 ? trk_frame_sum(ip + 12, 8, sum) : trk_frame_sum(ip + 8, 32, sum);
}

void trk_frame_set_pseudo_sum(uint8_t *ip, const struct trk_frame_shape *shape, uint32_t total)
{
    put16(ip + shape->ip_bytes + 16, trk_frame_fold(pseudo_sum(ip, shape, total)));
}

void trk_frame_finish(uint8_t *ip, const struct trk_frame_shape *shape, uint32_t total)
{
    uint8_t *check = ip + shape->ip_bytes + 16;
    uint32_t pseudo = pseudo_sum(ip, shape, total);
    if (get16(check) != trk_frame_fold(pseudo))
        return;
    put16(check, 0);
    put16(check, 0xffff & ~(uint32_t)trk_frame_fold(trk_frame_sum(ip + shape->ip_bytes, total - shape->ip_bytes, pseudo)));
}

uint32_t trk_frame_length(const uint8_t *ip)
{
    return ip[0] >> 4 == 6 ? 40 + get16(ip + 4) : get16(ip + 2);
}
