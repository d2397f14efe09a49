/* once_ring.c - see once.h. Entries lie one after the other; one that does not fit before the ring's end begins anew at
 * its start, and wrap_at remembers where the entries before it end. */
#include "once.h"

#include <string.h>

static size_t entry_bytes(size_t answer, size_t input) { return (sizeof(struct once_entry) + answer + input + 7) & ~(size_t)7; }
static struct once_entry *at(const struct msk_once *once, uint32_t offset) { return (struct once_entry *)(void *)(once->ring + offset); }

/* Connection ids are a keyed hash already: no client can choose its bucket. */
static uint32_t *bucket_of(const struct msk_once *once, const struct once_key *key)
{
    uint64_t h;
    memcpy(&h, key->connection, sizeof h);
    h = (h ^ key->input_offset ^ key->output_offset << 20) * 0x9e3779b97f4a7c15u;
    return &once->buckets[(h >> 32) % once->n_buckets];
}

static bool same(const struct once_key *a, const struct once_key *b)
{
    return memcmp(a->connection, b->connection, sizeof a->connection) == 0 && a->input_offset == b->input_offset && a->output_offset == b->output_offset;
}

struct once_entry *once_find(const struct msk_once *once, const struct once_key *key)
{
    for (uint32_t i = *bucket_of(once, key); i != ONCE_NONE; i = at(once, i)->next)
        if (same(&at(once, i)->key, key))
            return at(once, i);
    return NULL;
}

static void evict_oldest(struct msk_once *once)
{
    struct once_entry *e = at(once, once->head);
    uint32_t *link = bucket_of(once, &e->key);
    while (*link != once->head)
        link = &at(once, *link)->next;
    *link = e->next;
    once->stats.bytes -= e->bytes;
    once->stats.evicted++;
    once->head += e->bytes;
    if (--once->n == 0)
        once->head = once->tail = 0;
    if (once->n == 0 || once->head == once->wrap_at) {
        once->head = 0;
        once->wrap_at = once->size;
    }
}

/* Where so many bytes are free; NONE: nowhere. */
static uint32_t place(const struct msk_once *once, size_t bytes)
{
    bool wrapped = once->n > 0 && once->tail <= once->head;
    if (wrapped)
        return once->head - once->tail >= bytes ? once->tail : ONCE_NONE;
    if (once->size - once->tail >= bytes)
        return once->tail;
    return once->head >= bytes ? 0 : ONCE_NONE;
}

bool once_make_room(struct msk_once *once, size_t answer_bytes, size_t input_bytes, uint64_t now_ms)
{
    size_t bytes = entry_bytes(answer_bytes, input_bytes);
    if (bytes > once->size)
        return false;
    while (place(once, bytes) == ONCE_NONE) {
        if (at(once, once->head)->made_ms + once->keep_ms > now_ms)
            return false;
        evict_oldest(once);
    }
    return true;
}

struct once_entry *once_add(struct msk_once *once, const struct once_key *key, size_t answer_bytes, size_t input_bytes, uint64_t now_ms)
{
    uint32_t bytes = (uint32_t)entry_bytes(answer_bytes, input_bytes), offset = place(once, bytes);
    struct once_entry *e = at(once, offset);
    uint32_t *bucket = bucket_of(once, key);
    if (offset < once->tail)
        once->wrap_at = once->tail;
    *e = (struct once_entry){ .bytes = bytes, .next = *bucket, .key = *key, .id = once->next_id++, .made_ms = now_ms,
                              .answer_bytes = (uint32_t)answer_bytes, .input_bytes = (uint16_t)input_bytes };
    *bucket = offset;
    once->tail = offset + bytes;
    once->n++;
    once->stats.bytes += bytes;
    return e;
}
