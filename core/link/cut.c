/* cut.c - a superframe into the packets it stands for, as the kernel's own segmentation would. */
#include "link/frame.h"
#include <string.h>

enum { FIN_PSH = 0x09 };               /* flags that only the last slice keeps */

bool trk_cut_begin(struct trk_cut *c, uint8_t *ip, uint32_t bytes, uint32_t gso_size)
{
    if (gso_size == 0 || !trk_frame_shape(ip, bytes, &c->shape) || bytes <= c->shape.header_bytes)
        return false;
    c->ip = ip;
    memcpy(c->header, ip, c->shape.header_bytes);
    c->total = bytes;
    c->gso_size = gso_size;
    c->next = c->shape.header_bytes;
    return true;
}

static uint32_t slice_bytes(const struct trk_cut *c)
{
    uint32_t left = c->total - c->next;
    return left < c->gso_size ? left : c->gso_size;
}

uint32_t trk_cut_size(const struct trk_cut *c)
{
    return c->next < c->total ? c->shape.header_bytes + slice_bytes(c) : 0;
}

/* Sequence number of the slice that begins `done` payload bytes into the superframe. */
static void advance_seq(uint8_t *tcp, uint32_t done)
{
    uint32_t seq = (uint32_t)tcp[4] << 24 | (uint32_t)tcp[5] << 16 | (uint32_t)tcp[6] << 8 | tcp[7];
    seq += done;
    for (int i = 0; i < 4; i++)
        tcp[4 + i] = (uint8_t)(seq >> (24 - 8 * i));
}

/* Header and payload are in place; say what makes this slice a packet of its own, and go on to the next. */
static void finish_slice(struct trk_cut *c, uint8_t *packet, uint32_t payload)
{
    uint32_t header = c->shape.header_bytes;
    uint8_t *tcp = packet + c->shape.ip_bytes;
    if (c->shape.family == 4)
        memset(packet + 4, 0, 2);      /* IP id: ours is always 0 */
    trk_frame_set_length(packet, &c->shape, header + payload);
    advance_seq(tcp, c->next - header);
    if (c->next + payload < c->total)
        tcp[13] &= (uint8_t)~FIN_PSH;
    trk_frame_set_pseudo_sum(packet, &c->shape, header + payload);
    c->next += payload;
}

void trk_cut_copy(struct trk_cut *c, uint8_t *out)
{
    uint32_t header = c->shape.header_bytes, payload = slice_bytes(c);
    memcpy(out, c->header, header);
    memcpy(out + header, c->ip + c->next, payload);
    finish_slice(c, out, payload);
}

uint8_t *trk_cut_take(struct trk_cut *c, uint8_t *scratch)
{
    uint32_t header = c->shape.header_bytes, index = (c->next - header) / c->gso_size;
    if (index % 2 == 1 || c->gso_size < header) {
        trk_cut_copy(c, scratch);
        return scratch;
    }
    uint8_t *packet = c->ip + c->next - header;
    memcpy(packet, c->header, header);
    finish_slice(c, packet, slice_bytes(c));
    return packet;
}
