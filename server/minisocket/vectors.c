/* vectors.c - bytes for the ranges of an event, from pieces of memory and files that begin and end where they like. */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include "server.h"

/* Where in the vectors we are. */
struct source { const struct fiovec *at, *end; size_t used; };

static size_t left(const struct source *s) { return s->at->bytes - s->used; }

static void advance(struct source *s, size_t bytes)
{
    s->used += bytes;
    while (s->at < s->end && s->used == s->at->bytes) {
        s->at++;
        s->used = 0;
    }
}

static int read_whole(int fd, uint64_t offset, uint8_t *out, size_t bytes)
{
    while (bytes > 0) {
        ssize_t n = pread(fd, out, bytes, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -ENODATA;
        out += n;
        offset += (size_t)n;
        bytes -= (size_t)n;
    }
    return 0;
}

/* Up to `bytes` of the source into memory; *copied: how many there were. */
static int copy(struct source *s, uint8_t *out, size_t bytes, size_t *copied)
{
    *copied = 0;
    while (*copied < bytes && s->at < s->end) {
        size_t part = left(s) < bytes - *copied ? left(s) : bytes - *copied;
        int rc = 0;
        if (s->at->fd >= 0)
            rc = read_whole(s->at->fd, s->at->offset + s->used, out + *copied, part);
        else
            memcpy(out + *copied, (const uint8_t *)s->at->data + s->used, part);
        if (rc != 0)
            return rc;
        *copied += part;
        advance(s, part);
    }
    return 0;
}

/* One range; *room: free memory, behind what ranges before this one needed. */
static int fill(struct minisock *m, size_t i, struct source *s, uint8_t **room)
{
    struct msk_range r;
    size_t copied;
    int rc = msk_range(m, i, &r);
    if (rc != 0 || r.bytes == 0 || s->at == s->end)
        return rc;
    if (s->at->fd < 0 && (left(s) >= r.bytes || s->at + 1 == s->end)) {     /* as it lies there */
        size_t bytes = left(s) < r.bytes ? left(s) : r.bytes;
        rc = msk_give(m, i, (const uint8_t *)s->at->data + s->used, bytes);
        advance(s, bytes);
        return rc;
    }
    if (!*room && !(*room = msk_room(m)))
        return -EBUSY;
    rc = copy(s, *room, r.bytes, &copied);
    if (rc == 0)
        rc = msk_give(m, i, *room, copied);
    *room += copied;
    return rc;
}

static int send_source(struct minisock *m, const struct fiovec *vectors, int n)
{
    struct source s = { vectors, vectors + n, 0 };
    uint8_t *room = NULL;
    int rc = 0;
    advance(&s, 0);
    for (size_t i = 0; i < msk_ranges(m) && rc == 0; i++)
        rc = fill(m, i, &s, &room);
    if (rc == 0 && s.at < s.end)
        rc = -EINVAL;
    return rc != 0 ? rc : msk_reply(m);
}

int msk_sendfilev(struct minisock *m, const struct fiovec *vectors, int n)
{
    if (m->state == MSK_FREE)
        return -EBADF;
    return n < 0 ? -EINVAL : send_source(m, vectors, n);
}

#define VECTORS_MAX 1024               /* of one msk_sendv: the same as IOV_MAX */

int msk_sendv(struct minisock *m, const struct tiovec *vectors, int n)
{
    struct fiovec sources[VECTORS_MAX];
    if (m->state == MSK_FREE)
        return -EBADF;
    if (n < 0 || n > VECTORS_MAX)
        return -EINVAL;
    for (int i = 0; i < n; i++)
        sources[i] = (struct fiovec){ .fd = -1, .data = vectors[i].data, .bytes = vectors[i].bytes };
    return send_source(m, sources, n);
}

int msk_send(struct minisock *m, const void *data, size_t bytes)
{
    return msk_sendv(m, &(struct tiovec){ data, bytes }, 1);
}

int msk_sendbulk(struct msk_server *s, struct mskdesc *descriptions, int n)
{
    int answered = 0;
    s->bulk = true;
    for (int i = 0; i < n; i++) {
        struct mskdesc *d = &descriptions[i];
        d->result = d->m->server == s ? msk_sendv(d->m, d->vectors, d->n) : -EINVAL;
        answered += d->result == 0;
    }
    s->bulk = false;
    msk_outbox_flush(s);
    return answered;
}
