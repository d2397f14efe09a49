/* once.h - the memory of answers that cannot be made again: a ring of entries, the oldest of which go first. */
#ifndef MSK_ONCE_H
#define MSK_ONCE_H

#include <trickles/minisocket.h>

struct once_key { uint8_t connection[12]; uint64_t input_offset, output_offset; };

struct once_entry {                    /* in the ring; the answer follows, then the next input continuation */
    uint32_t bytes;                    /* all of it, a multiple of 8 */
    uint32_t next;                     /* in its bucket, as an offset in the ring; NONE: none */
    struct once_key key;
    uint64_t id, made_ms, consumed;
    uint32_t answer_bytes;
    uint16_t input_bytes;
    bool last, encrypt, inlined;
};

#define ONCE_NONE UINT32_MAX

struct msk_once {
    uint8_t *ring; uint32_t size;
    uint32_t head, tail, wrap_at, n;   /* entries from head on; where the next one goes; where the ring's end is for now */
    uint32_t *buckets, n_buckets;
    uint32_t keep_ms;
    uint64_t next_id;
    struct msk_once_stats stats;
};

/* once_ring.c */
struct once_entry *once_find(const struct msk_once *once, const struct once_key *key);
/* Evicts what is old enough until so many bytes are free; false: they cannot be. */
bool once_make_room(struct msk_once *once, size_t answer_bytes, size_t input_bytes, uint64_t now_ms);
/* After once_make_room. The caller fills in the rest, and the bytes. */
struct once_entry *once_add(struct msk_once *once, const struct once_key *key, size_t answer_bytes, size_t input_bytes, uint64_t now_ms);
static inline uint8_t *once_answer(struct once_entry *e) { return (uint8_t *)(e + 1); }

#endif
