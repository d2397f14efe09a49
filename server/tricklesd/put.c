/* put.c - see put.h. All bytes of a body but the last come by position, in any order; the last one comes in order, when all
 * others were taken, and finishes the upload. */
#include "put.h"

#include <errno.h>
#include <string.h>
#include "access.h"
#include "log.h"
#include "wire/bytes.h"

#define PUT_FORMAT 100                 /* no http_request begins so */
#define PUT_SAVED_MAX (1 + 1 + 8 + 8 + HTTP_PATH_MAX)

struct put {                           /* what is remembered of the request until its last byte */
    bool close, say_keep_alive, replaces;
    uint64_t size, inode;
    char path[HTTP_PATH_MAX + 1];
};

static size_t save(const struct put *p, uint8_t out[PUT_SAVED_MAX])
{
    struct trk_writer w = trk_writer_init(out, PUT_SAVED_MAX);
    trk_put(&w, PUT_FORMAT, 1);
    trk_put(&w, (uint64_t)(p->close | p->say_keep_alive << 1 | p->replaces << 2), 1);
    trk_put(&w, p->size, 8);
    trk_put(&w, p->inode, 8);
    trk_put_bytes(&w, (const uint8_t *)p->path, strlen(p->path));
    return trk_written(&w, out);
}

bool put_is_saved(const uint8_t *opaque, size_t bytes) { return bytes > 0 && opaque[0] == PUT_FORMAT; }

static bool load(struct put *p, const uint8_t *bytes, size_t n)
{
    struct trk_reader in = trk_reader_init(bytes, n);
    memset(p, 0, sizeof *p);
    uint64_t format = trk_get(&in, 1), flags = trk_get(&in, 1);
    p->close = flags & 1;
    p->say_keep_alive = flags >> 1 & 1;
    p->replaces = flags >> 2 & 1;
    p->size = trk_get(&in, 8);
    p->inode = trk_get(&in, 8);
    size_t path = trk_left(&in);
    if (in.truncated || format != PUT_FORMAT || path > HTTP_PATH_MAX)
        return false;
    trk_get_bytes(&in, (uint8_t *)p->path, path);
    return true;
}

static enum answer_kind kind_of(enum upload_result result, bool replaces, const char *what)
{
    static const enum answer_kind kinds[] = {
        [UPLOAD_NO_DIRECTORY] = ANSWER_NO_DIRECTORY, [UPLOAD_FORBIDDEN] = ANSWER_NO_UPLOAD, [UPLOAD_FULL] = ANSWER_STORAGE,
        [UPLOAD_GONE] = ANSWER_UPLOAD_GONE, [UPLOAD_FAILED] = ANSWER_FAILED,
    };
    if (result == UPLOAD_OK)
        return replaces ? ANSWER_REPLACED : ANSWER_CREATED;
    if (result == UPLOAD_FAILED || result == UPLOAD_FULL)
        log_event("cannot store %s: %m", what);
    return kinds[result];
}

bool put_refused(const struct http_request *r, enum answer_kind *kind)
{
    bool sized = !r->chunked && r->parser.content_length != UINT64_MAX;
    *kind = r->content_range ? ANSWER_CONTENT_RANGE : !sized ? ANSWER_LENGTH_REQUIRED : ANSWER_KINDS;
    return *kind != ANSWER_KINDS;
}

bool put_begin(struct service *s, struct minisock *m, const struct msk_event *event, const struct http_request *r, size_t used, enum answer_kind *kind)
{
    char name[UPLOAD_NAME_BYTES];
    uint8_t saved[PUT_SAVED_MAX];
    struct put p = { .close = !r->keep_alive, .size = http_request_body(r) };
    p.say_keep_alive = r->keep_alive && r->parser.http_minor == 0;
    memcpy(p.path, r->path.text, sizeof p.path);
    upload_name(event->connection, event->input.offset + used, name);
    enum upload_result result = upload_begin(&s->uploads, name, p.path, p.size, &p.inode, &p.replaces);
    bool whole = p.size <= 1 && event->input.bytes >= used + p.size;
    if (result == UPLOAD_OK && whole)
        result = upload_write(&s->uploads, name, 0, event->input.data + used, (size_t)p.size);
    if (result == UPLOAD_OK && whole)
        result = upload_finish(&s->uploads, name, p.path, p.size, p.inode);
    if (result != UPLOAD_OK || whole) {
        *kind = kind_of(result, p.replaces, p.path);
        return false;
    }
    struct msk_bytes behind = { saved, save(&p, saved) };
    int rc = p.size == 1 ? msk_more(m, used, behind) : msk_more_range(m, used, p.size - 1, (struct msk_bytes){ 0 }, behind);
    if (rc != 0)
        upload_forget(&s->uploads, name);
    *kind = ANSWER_STORAGE;            /* a length beyond the largest offset */
    return rc == 0;
}

/* The stream ended before the body did. */
static int abandon(struct service *s, struct minisock *m, const char *name, uint64_t consumed)
{
    struct msk_output nothing = { .consumed = consumed, .length = 0, .last = true };
    upload_forget(&s->uploads, name);
    return msk_done(m, &nothing);
}

static int answer(struct minisock *m, const struct msk_event *event, const char *what, enum answer_kind kind, bool close, bool say_keep_alive, uint64_t consumed)
{
    struct http_answer a;
    http_answer_say(kind, close, say_keep_alive, (int64_t)(event->time_ms / 1000), &a);
    if (log_verbose)
        log_line("PUT %s: %u", what, http_answer_status(&a));
    access_line(event, "PUT", what, http_answer_status(&a), a.head_bytes + a.bytes);
    return service_say(m, &a, consumed, (struct msk_bytes){ 0 }, close);
}

int put_take(struct service *s, struct minisock *m, const struct msk_event *event)
{
    const struct msk_input *in = &event->input;
    char name[UPLOAD_NAME_BYTES];
    upload_name(event->connection, in->range_first, name);
    if (in->end)
        return abandon(s, m, name, in->bytes + 1);
    enum upload_result result = upload_write(&s->uploads, name, in->offset - in->range_first, in->data, in->bytes);
    if (result == UPLOAD_OK || result == UPLOAD_GONE)
        return msk_taken(m);           /* gone: a late copy of bytes of a finished upload, or put_finish will say so */
    /* The rest of the body is not wanted; its last byte lies behind the range. */
    return answer(m, event, name, kind_of(result, false, name), true, false, in->range_end + 1 - in->offset);
}

int put_finish(struct service *s, struct minisock *m, const struct msk_event *event)
{
    const struct msk_input *in = &event->input;
    char name[UPLOAD_NAME_BYTES];
    struct put p;
    if (!load(&p, in->opaque, in->opaque_bytes))
        return -EPROTO;
    upload_name(event->connection, in->offset + 1 - p.size, name);
    if (in->bytes == 0 && in->end)
        return abandon(s, m, name, 1);
    if (in->bytes == 0)
        return msk_more(m, 0, (struct msk_bytes){ in->opaque, in->opaque_bytes });
    enum upload_result result = upload_write(&s->uploads, name, p.size - 1, in->data, 1);
    if (result == UPLOAD_OK || result == UPLOAD_GONE)
        result = upload_finish(&s->uploads, name, p.path, p.size, p.inode);
    enum answer_kind kind = kind_of(result, p.replaces, p.path);
    return answer(m, event, p.path, kind, p.close || (in->end && in->bytes == 1), p.say_keep_alive, 1);
}
