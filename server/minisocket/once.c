/* once.c - answers that cannot be made again (minisocket.h has the whole story). An output continuation of ours is the
 * answer itself behind a mark, or names where this process keeps it. */
#include "once.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "server.h"
#include "wire/bytes.h"

#define MARK_BYTES 4
static const uint8_t inlined[MARK_BYTES] = { 0xff, 'o', 'n', 'c' }, buffered[MARK_BYTES] = { 0xff, 'o', 'n', 'C' };
#define NAME_BYTES (MARK_BYTES + 16)   /* input offset 8, id 8 */

_Static_assert(MSK_ONCE_INLINE + MARK_BYTES == MSK_OPAQUE_MAX, "what fits");

static uint64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

struct msk_once *msk_once_open(size_t bytes, uint32_t keep_ms)
{
    struct msk_once *once = bytes >= 4096 && bytes < ONCE_NONE && sodium_init() >= 0 ? calloc(1, bytes) : NULL;
    if (!once) {
        errno = bytes >= 4096 && bytes < ONCE_NONE ? ENOMEM : EINVAL;
        return NULL;
    }
    once->n_buckets = (uint32_t)(bytes / 512);
    once->buckets = (uint32_t *)(once + 1);
    memset(once->buckets, 0xff, once->n_buckets * sizeof *once->buckets);
    size_t used = (sizeof *once + once->n_buckets * sizeof *once->buckets + 7) & ~(size_t)7;
    once->ring = (uint8_t *)once + used;
    once->size = once->wrap_at = (uint32_t)((bytes - used) & ~(size_t)7);
    once->keep_ms = keep_ms;
    randombytes_buf(&once->next_id, sizeof once->next_id);
    return once;
}

void msk_once_close(struct msk_once *once) { free(once); }
void msk_once_count(const struct msk_once *once, struct msk_once_stats *out) { *out = once->stats; }

/* What a server says first has no input. */
static struct once_key key_of(const struct msk_event *e)
{
    struct once_key key = { .input_offset = e->input.present ? e->input.offset : UINT64_MAX, .output_offset = e->input.output_offset };
    memcpy(key.connection, e->connection, sizeof key.connection);
    return key;
}

static int say(struct minisock *m, const struct msk_output *o, bool inline_it, uint64_t id)
{
    uint8_t opaque[MSK_OPAQUE_MAX];
    struct trk_writer w = trk_writer_init(opaque, sizeof opaque);
    struct msk_output said = *o;
    trk_put_bytes(&w, inline_it ? inlined : buffered, MARK_BYTES);
    if (inline_it) {
        trk_put_bytes(&w, o->output.data, o->output.bytes);
    } else {
        trk_put(&w, key_of(msk_event(m)).input_offset, 8);
        trk_put(&w, id, 8);
    }
    said.output = (struct msk_bytes){ opaque, trk_written(&w, opaque) };
    said.length = o->output.bytes;
    return msk_done(m, &said);
}

int msk_once_done(struct msk_once *once, struct minisock *m, const struct msk_output *o)
{
    bool inline_it = o->output.bytes <= MSK_ONCE_INLINE;
    uint64_t now = now_ms();
    if (o->input.bytes > MSK_OPAQUE_MAX)
        return -EMSGSIZE;
    /* What fits inline only has to be remembered in case its input comes again: better not than not at all. */
    bool room = once_make_room(once, o->output.bytes, o->input.bytes, now);
    if (!room && !inline_it)
        return -ENOBUFS;
    int rc = say(m, o, inline_it, once->next_id);
    if (rc != 0)
        return rc;
    once->stats.answers++;
    once->stats.inlined += inline_it;
    if (!room)
        return 0;
    const struct once_key key = key_of(msk_event(m));
    struct once_entry *e = once_add(once, &key, o->output.bytes, o->input.bytes, now);
    e->consumed = o->consumed;
    e->last = o->last;
    e->encrypt = o->encrypt;
    e->inlined = inline_it;
    if (o->output.bytes > 0)
        memcpy(once_answer(e), o->output.data, o->output.bytes);
    if (o->input.bytes > 0)
        memcpy(once_answer(e) + e->answer_bytes, o->input.data, o->input.bytes);
    return 0;
}

int msk_once_again(struct msk_once *once, struct minisock *m)
{
    const struct msk_event *event = msk_event(m);
    if (!event->input.present && event->type != MSK_OPEN)
        return 0;
    const struct once_key key = key_of(event);
    struct once_entry *e = once_find(once, &key);
    if (!e)
        return 0;
    struct msk_output o = {
        .consumed = e->consumed, .output = { once_answer(e), e->answer_bytes }, .input = { once_answer(e) + e->answer_bytes, e->input_bytes },
        .last = e->last, .encrypt = e->encrypt,
    };
    int rc = say(m, &o, e->inlined, e->id);
    once->stats.again += rc == 0;
    return rc == 0 ? 1 : rc;
}

static int give_buffered(struct msk_once *once, struct minisock *m, size_t i, const struct msk_range *r)
{
    struct trk_reader in = trk_reader_init(r->opaque + MARK_BYTES, NAME_BYTES - MARK_BYTES);
    struct once_key key = { .input_offset = trk_get(&in, 8), .output_offset = r->first };
    uint64_t id = trk_get(&in, 8);
    memcpy(key.connection, msk_event(m)->connection, sizeof key.connection);
    struct once_entry *e = once_find(once, &key);
    if (e && e->id == id)
        return msk_give(m, i, once_answer(e) + (r->offset - r->first), r->bytes);
    once->stats.stale++;
    return -ESTALE;
}

int msk_once_give(struct msk_once *once, struct minisock *m, size_t i)
{
    struct msk_range r;
    int rc = msk_range(m, i, &r);
    if (rc != 0)
        return rc;
    if (r.bytes == 0)
        return msk_give(m, i, NULL, 0);
    if (r.opaque_bytes == NAME_BYTES && memcmp(r.opaque, buffered, MARK_BYTES) == 0)
        return give_buffered(once, m, i, &r);
    if (r.opaque_bytes < MARK_BYTES || memcmp(r.opaque, inlined, MARK_BYTES) != 0)
        return -ENOMSG;
    return msk_give(m, i, r.opaque + MARK_BYTES + (r.offset - r.first), r.bytes);
}
