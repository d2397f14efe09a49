/* bytes.h - bounds-checked cursors over bytes: the only place in this room that moves a pointer.
 *
 * A cursor that runs out of bytes goes bad and stays bad; readers then return zeros and writers
 * write nothing. So a parser reads a whole header and asks once whether all of it was there. */
#ifndef TRK_WIRE_BYTES_H
#define TRK_WIRE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define TRK_VARINT_MAX ((1ull << 62) - 1)

/* ---- big-endian integers. Written so that compilers make one load or store of each constant length. ---- */

static inline uint32_t trk_load16(const uint8_t *p) { return (uint32_t)p[0] << 8 | p[1]; }
static inline uint32_t trk_load32(const uint8_t *p) { return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3]; }
static inline uint64_t trk_load64(const uint8_t *p) { return (uint64_t)trk_load32(p) << 32 | trk_load32(p + 4); }

static inline uint64_t trk_load(const uint8_t *p, size_t bytes)
{
    uint64_t value = 0;
    switch (bytes) {
    case 1: return p[0];
    case 2: return trk_load16(p);
    case 4: return trk_load32(p);
    case 6: return (uint64_t)trk_load16(p) << 32 | trk_load32(p + 2);
    case 8: return trk_load64(p);
    default:
        for (size_t i = 0; i < bytes; i++)
            value = value << 8 | p[i];
        return value;
    }
}

static inline void trk_store16(uint8_t *p, uint32_t v) { p[0] = (uint8_t)(v >> 8); p[1] = (uint8_t)v; }
static inline void trk_store32(uint8_t *p, uint32_t v) { p[0] = (uint8_t)(v >> 24); p[1] = (uint8_t)(v >> 16); p[2] = (uint8_t)(v >> 8); p[3] = (uint8_t)v; }
static inline void trk_store64(uint8_t *p, uint64_t v) { trk_store32(p, (uint32_t)(v >> 32)); trk_store32(p + 4, (uint32_t)v); }

static inline void trk_store(uint8_t *p, uint64_t value, size_t bytes)
{
    switch (bytes) {
    case 1: p[0] = (uint8_t)value; break;
    case 2: trk_store16(p, (uint32_t)value); break;
    case 4: trk_store32(p, (uint32_t)value); break;
    case 6: trk_store16(p, (uint32_t)(value >> 32)); trk_store32(p + 2, (uint32_t)value); break;
    case 8: trk_store64(p, value); break;
    default:
        for (size_t i = bytes; i-- > 0; value >>= 8)
            p[i] = (uint8_t)value;
    }
}

/* ---- cursors ---- */

struct trk_reader {
    const uint8_t *at, *end;
    bool truncated;                    /* read past the end */
    bool malformed;                    /* a varint that is longer than it needs to be */
};
struct trk_writer { uint8_t *at, *end; bool full; };

static inline struct trk_reader trk_reader_init(const uint8_t *p, size_t n)
{
    return (struct trk_reader){ .at = p, .end = p + n };
}

static inline size_t trk_left(const struct trk_reader *r) { return (size_t)(r->end - r->at); }

/* A view of the next n bytes; NULL, and truncated, if there are fewer. */
static inline const uint8_t *trk_take(struct trk_reader *r, size_t n)
{
    if (r->truncated || n > trk_left(r)) {
        r->truncated = true;
        return NULL;
    }
    const uint8_t *view = r->at;
    r->at += n;
    return view;
}

/* Big-endian integer of `bytes` bytes, at most 8. */
static inline uint64_t trk_get(struct trk_reader *r, size_t bytes)
{
    const uint8_t *p = trk_take(r, bytes);
    return p ? trk_load(p, bytes) : 0;
}

static inline void trk_get_bytes(struct trk_reader *r, uint8_t *out, size_t n)
{
    const uint8_t *p = trk_take(r, n);
    if (p)
        memcpy(out, p, n);
    else
        memset(out, 0, n);
}

/* Bytes of value as a varint (RFC 9000 section 16). */
static inline size_t trk_varint_bytes(uint64_t value)
{
    return value < 1u << 6 ? 1 : value < 1u << 14 ? 2 : value < 1u << 30 ? 4 : 8;
}

/* A varint in its shortest form; a longer form is malformed, so that every message has one encoding. */
static inline uint64_t trk_get_varint(struct trk_reader *r)
{
    uint64_t value = trk_get(r, 1);
    size_t more = ((size_t)1 << (value >> 6)) - 1;
    value = (value & 0x3f) << (8 * more) | trk_get(r, more);
    if (trk_varint_bytes(value) != more + 1)
        r->malformed = true;
    return value;
}

static inline struct trk_writer trk_writer_init(uint8_t *p, size_t cap)
{
    return (struct trk_writer){ .at = p, .end = p + cap };
}

static inline void trk_put(struct trk_writer *w, uint64_t value, size_t bytes)
{
    if (w->full || bytes > (size_t)(w->end - w->at)) {
        w->full = true;
        return;
    }
    trk_store(w->at, value, bytes);
    w->at += bytes;
}

static inline void trk_put_bytes(struct trk_writer *w, const uint8_t *p, size_t n)
{
    if (w->full || n > (size_t)(w->end - w->at)) {
        w->full = true;
        return;
    }
    if (n)
        memcpy(w->at, p, n);
    w->at += n;
}

/* value <= TRK_VARINT_MAX. */
static inline void trk_put_varint(struct trk_writer *w, uint64_t value)
{
    size_t bytes = trk_varint_bytes(value);
    uint64_t prefix = bytes == 1 ? 0 : bytes == 2 ? 1 : bytes == 4 ? 2 : 3;
    trk_put(w, prefix << (8 * bytes - 2) | value, bytes);
}

/* Bytes written since init at `start`; 0 if they did not fit. */
static inline size_t trk_written(const struct trk_writer *w, const uint8_t *start)
{
    return w->full ? 0 : (size_t)(w->at - start);
}

#endif
