/* coalesce.c - adjoining packets of one flow into one superframe. */
#include "link/frame.h"
#include <string.h>

uint32_t trk_out_payload(const struct trk_link_out *p, const struct trk_frame_shape *shape)
{
    return p->head_bytes - shape->header_bytes + p->data_bytes;
}

static uint32_t seq_of(const uint8_t *tcp)
{
    return (uint32_t)tcp[4] << 24 | (uint32_t)tcp[5] << 16 | (uint32_t)tcp[6] << 8 | tcp[7];
}

/* Equal but for the IP length, IPv4 checksum, sequence number and TCP checksum: those are rewritten. */
static bool same_headers(const uint8_t *x, const uint8_t *y, const struct trk_frame_shape *shape)
{
    uint32_t tcp = shape->ip_bytes;
    if (shape->family == 4) {
        if (memcmp(x, y, 2) || memcmp(x + 4, y + 4, 6) || memcmp(x + 12, y + 12, tcp - 12))
            return false;
    } else if (memcmp(x, y, 4) || memcmp(x + 6, y + 6, 34)) {
        return false;
    }
    return memcmp(x + tcp, y + tcp, 4) == 0                            /* ports */
        && memcmp(x + tcp + 8, y + tcp + 8, 8) == 0                    /* ack, header length, flags, window */
        && memcmp(x + tcp + 18, y + tcp + 18, shape->header_bytes - tcp - 18) == 0;   /* urgent, options */
}

int trk_coalesce(const struct trk_link_out *p, int n)
{
    struct trk_frame_shape first, shape;
    if (n < 2 || !trk_frame_shape(p[0].head, p[0].head_bytes, &first))
        return 1;
    const uint8_t *tcp = p[0].head + first.ip_bytes;
    uint32_t size = trk_out_payload(&p[0], &first), total = first.header_bytes + size;
    if (tcp[13] != 0x10 || size == 0)
        return 1;
    int i = 1;
    for (uint32_t payload = size; i < n && i < TRK_SLICES_MAX && payload == size; i++) {
        if (p[i].follows) {            /* nothing to compare; the one before it was as large as the first */
            if (total + size > TRK_SUPER_BYTES_MAX)
                break;
            total += size;
            continue;
        }
        if (!trk_frame_shape(p[i].head, p[i].head_bytes, &shape) || shape.family != first.family ||
            shape.ip_bytes != first.ip_bytes || shape.header_bytes != first.header_bytes)
            break;
        payload = trk_out_payload(&p[i], &shape);
        if (payload == 0 || payload > size || total + payload > TRK_SUPER_BYTES_MAX)
            break;
        if (!same_headers(p[0].head, p[i].head, &first) || memcmp(&p[0].to, &p[i].to, sizeof p[0].to) ||
            seq_of(p[i].head + first.ip_bytes) != seq_of(tcp) + (uint32_t)i * size)
            break;
        total += payload;
    }
    return i;
}

uint32_t trk_coalesce_header(const struct trk_link_out *p, int n, uint8_t out[TRK_FRAME_HEADER_MAX])
{
    struct trk_frame_shape shape;
    trk_frame_shape(p[0].head, p[0].head_bytes, &shape);
    uint32_t total = shape.header_bytes;
    for (int i = 0; i < n; i++)
        total += trk_out_payload(&p[i], &shape);
    memcpy(out, p[0].head, shape.header_bytes);
    trk_frame_set_length(out, &shape, total);
    trk_frame_set_pseudo_sum(out, &shape, total);
    return shape.header_bytes;
}
