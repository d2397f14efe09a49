/* reading.c - the reader's side of the output stream: bytes wait in the receive buffer, or, if the caller lends the
 * segments that it feeds, where they arrived. */
#include "client/internal.h"

static void store(struct trk_client *c, uint64_t offset, const uint8_t *data, uint32_t bytes)
{
    uint32_t size = c->config.receive_bytes, at = (uint32_t)(offset & (size - 1));
    uint32_t first = bytes < size - at ? bytes : size - at;
    memcpy(c->config.receive_buffer + at, data, first);
    memcpy(c->config.receive_buffer, data + first, bytes - first);
}

void trk_hold(struct trk_client *c, uint64_t offset, const uint8_t *data, uint32_t bytes)
{
    bool next = offset == c->received_to && offset + bytes <= c->output_end;
    if (!next || !c->config.lends || c->lent_end == TRK_CLIENT_LENT)
        store(c, offset, data, bytes);
    else
        c->lent[c->lent_end++] = (struct trk_lent){ .offset = offset, .data = data, .bytes = bytes };
}

/* Readable bytes from an offset on that lie in one piece; lent: the first lent piece that ends above it. */
static struct trk_bytes piece_at(const struct trk_client *c, uint64_t offset, const struct trk_lent *lent)
{
    bool any = lent < c->lent + c->lent_end;
    if (any && lent->offset <= offset) {
        uint32_t skip = (uint32_t)(offset - lent->offset);
        return (struct trk_bytes){ lent->data + skip, lent->bytes - skip };
    }
    uint32_t size = c->config.receive_bytes, at = (uint32_t)(offset & (size - 1));
    uint64_t have = (any ? lent->offset : c->received_to) - offset;
    return (struct trk_bytes){ c->config.receive_buffer + at, have < size - at ? (uint32_t)have : size - at };
}

size_t trk_client_readable_pieces(const struct trk_client *c, struct trk_bytes *out, size_t cap)
{
    const struct trk_lent *lent = c->lent + c->lent_first;
    uint64_t offset = c->read_offset;
    size_t n = 0;
    while (n < cap && offset < c->received_to) {
        out[n] = piece_at(c, offset, lent);
        offset += out[n++].bytes;
        if (lent < c->lent + c->lent_end && lent->offset + lent->bytes <= offset)
            lent++;
    }
    return n;
}

uint32_t trk_client_readable(const struct trk_client *c, const uint8_t **data)
{
    struct trk_bytes first = { c->config.receive_buffer, 0 };
    trk_client_readable_pieces(c, &first, 1);
    *data = first.data;
    return first.bytes;
}

void trk_client_consume(struct trk_client *c, uint32_t n, uint64_t now_us)
{
    c->read_offset += n;
    c->stats.bytes_read += n;
    while (c->lent_first < c->lent_end && c->lent[c->lent_first].offset + c->lent[c->lent_first].bytes <= c->read_offset)
        c->lent_first++;
    if (c->state == TRK_CLIENT_OPEN)
        trk_run(c, now_us);
}

void trk_client_keep(struct trk_client *c)
{
    for (; c->lent_first < c->lent_end; c->lent_first++) {
        const struct trk_lent *lent = &c->lent[c->lent_first];
        store(c, lent->offset, lent->data, lent->bytes);
    }
    c->lent_first = c->lent_end = 0;
}

bool trk_client_at_end(const struct trk_client *c)
{
    return c->finished && c->read_offset == c->output_end;
}
