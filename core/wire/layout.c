/* Which bytes go into which number: both ends compute it, so the client knows what each number carries. */
#include "wire/messages.h"

struct supply { const struct trk_ask *asks; size_t n, at; uint32_t used; };   /* used: bytes taken of asks[at] */

static void skip_empty(struct supply *s)
{
    while (s->at < s->n && s->used == s->asks[s->at].bytes) {
        s->at++;
        s->used = 0;
    }
}

/* Takes up to room bytes, on into the next ask only while offsets adjoin. */
static struct trk_slice take(struct supply *s, uint32_t room)
{
    struct trk_slice slice = { 0 };
    skip_empty(s);
    if (s->at == s->n || room == 0)
        return slice;
    slice.offset = s->asks[s->at].offset + s->used;
    slice.ask = (uint8_t)s->at;
    while (s->at < s->n && slice.bytes < room) {
        const struct trk_ask *ask = &s->asks[s->at];
        if (ask->offset + s->used != slice.offset + slice.bytes)
            break;
        uint32_t left = ask->bytes - s->used, free_bytes = room - slice.bytes;
        uint32_t bytes = left < free_bytes ? left : free_bytes;
        slice.bytes += bytes;
        s->used += bytes;
        skip_empty(s);
    }
    return slice;
}

size_t trk_layout(const struct trk_ask *asks, size_t n_asks, uint32_t first_room, uint32_t room,
                  struct trk_slice *out, size_t n)
{
    struct supply supply = { .asks = asks, .n = n_asks };
    size_t carrying = 0;
    for (size_t i = 0; i < n; i++) {
        out[i] = take(&supply, i == 0 ? first_room : room);
        carrying += out[i].bytes > 0;
    }
    return carrying;
}
