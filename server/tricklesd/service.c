/* service.c - see service.h. */
#include "service.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "access.h"
#include "http_answer.h"
#include "http_request.h"
#include "log.h"
#include "put.h"

#define VIEW_BYTES_MIN (32u << 10)      /* a shorter range is read */

int service_open(struct service *s, const char *root, bool may_view)
{
    s->may_view = may_view;
    return file_root_open(&s->root, root);
}

void service_close(struct service *s)
{
    file_views_close(&s->views);
    file_root_close(&s->root);
}

void service_round(struct service *s) { file_root_release(&s->root); }

/* ---- input: a request becomes an answer ---- */

/* The directory's index, if the path is a directory written with its slash. path has room for HTTP_PATH_MAX. */
static enum file_result look_up(struct file_root *root, char *path, struct file_identity *id)
{
    struct file f;
    size_t n = strlen(path);
    enum file_result found = file_open(root, path, &f);
    if (found == FILE_DIRECTORY) {
        bool slash = n > 0 && path[n - 1] == '/';
        const char *more = slash ? "index.html" : "/";
        if (n + strlen(more) > HTTP_PATH_MAX)
            return FILE_NOT_FOUND;
        strcpy(path + n, more);
        if (!slash)
            return FILE_DIRECTORY;
        found = file_open(root, path, &f);
        if (found == FILE_NOT_FOUND || found == FILE_DIRECTORY)
            return FILE_FORBIDDEN;     /* no index, and no listing */
    }
    if (found == FILE_OK)
        *id = f.id;
    if (found == FILE_FAILED)
        log_event("cannot open %s: %m", path);
    return found;
}

/* False: no answer yet, but a body that is to be stored. */
static bool answer_request(struct service *s, struct http_request *r, int64_t date, struct http_answer *out)
{
    bool uploads = s->uploads.fd >= 0;
    enum answer_kind refused;
    struct file_identity id = { 0 };
    char path[HTTP_PATH_MAX + 1];
    uint64_t body = http_request_body(r);
    http_path_finish(&r->path);
    if (http_answer_refused(r, uploads, &refused) || (r->parser.method == HTTP_PUT && put_refused(r, &refused))) {
        /* Whoever waits for 100 Continue may leave out the body, so where the next request begins is unknown. */
        bool close = !r->keep_alive || r->chunked || refused == ANSWER_VERSION || (r->expect_continue && body > 0 && !r->continued);
        http_answer_refuse(r, refused, close, date, out);
        return true;
    }
    if (r->expect_continue && body > 0 && !r->continued && r->parser.http_minor > 0) {
        r->continued = true;
        http_answer_refuse(r, ANSWER_CONTINUE, false, date, out);
        return true;
    }
    if (r->parser.method == HTTP_PUT)
        return false;
    memcpy(path, r->path.text, sizeof path);
    enum file_result found = look_up(&s->root, path, &id);
    http_answer_make(r, found, &id, path, date, out);
    return true;
}

static uint64_t length_of(const struct http_answer *a) { return a->head_bytes + (a->no_body ? 0 : a->bytes); }

static void log_answer(const struct msk_event *event, const struct http_request *r, const struct http_answer *a)
{
    const char *method = r->complete ? http_method_str((enum http_method)r->parser.method) : "-", *path = r->path.bytes ? r->path.text : "-";
    if (log_verbose)
        log_line("%s %s: %u, %llu bytes (input %llu)", method, path, http_answer_status(a), (unsigned long long)length_of(a),
                 (unsigned long long)event->input.offset);
    access_line(event, method, path, http_answer_status(a), length_of(a));
}

int service_say(struct minisock *m, const struct http_answer *a, uint64_t consumed, struct msk_bytes then, bool last)
{
    uint8_t saved[ANSWER_SAVED_MAX];
    struct msk_output output = {
        .consumed = consumed, .input = then, .output = { saved, http_answer_save(a, saved) }, .length = length_of(a), .last = last, .encrypt = true,
    };
    return msk_done(m, &output);
}

/* The client's stream ended where no request had begun: so does ours. */
static int end_stream(struct minisock *m, const struct msk_input *in)
{
    struct msk_output nothing = { .consumed = in->bytes + 1, .length = 0, .last = true };
    return msk_done(m, &nothing);
}

static int refuse_input(struct minisock *m, const struct msk_event *event, const struct http_request *r, enum http_progress progress)
{
    static const enum answer_kind kinds[] = {
        [HTTP_MORE] = ANSWER_BAD_REQUEST, [HTTP_BAD] = ANSWER_BAD_REQUEST, [HTTP_TOO_LARGE] = ANSWER_HEAD_TOO_LARGE,
        [HTTP_UNKNOWN_METHOD] = ANSWER_UNKNOWN_METHOD,
    };
    struct http_answer a;
    http_answer_refuse(r, kinds[progress], true, (int64_t)(event->time_ms / 1000), &a);
    log_answer(event, r, &a);
    return service_say(m, &a, event->input.bytes + event->input.end, (struct msk_bytes){ 0 }, true);
}

static int answer_input(struct service *s, struct minisock *m, const struct msk_event *event, struct http_request *r, size_t used)
{
    const struct msk_input *in = &event->input;
    struct http_answer a;
    uint8_t saved[HTTP_SAVED_MAX];
    struct msk_bytes then = { 0 };
    uint64_t consumed = used;
    int64_t date = (int64_t)(event->time_ms / 1000);
    enum answer_kind kind;
    if (!answer_request(s, r, date, &a)) {
        if (put_begin(s, m, event, r, used, &kind))
            return 0;
        http_answer_refuse(r, kind, !r->keep_alive || (r->expect_continue && !r->continued && http_request_body(r) > 0), date, &a);
    }
    log_answer(event, r, &a);
    if (a.kind == ANSWER_CONTINUE)
        then = (struct msk_bytes){ saved, http_request_save(r, saved) };
    else if (!r->chunked && http_request_body(r) <= UINT64_MAX - used)
        consumed += http_request_body(r);      /* thrown away unseen, unsent if the client has not sent it yet */
    bool cut_short = in->end && consumed > in->bytes;
    return service_say(m, &a, consumed, then, a.close || cut_short);
}

/* 0, or a negative errno value: the state does not fit or is not ours. */
static int take_input(struct service *s, struct minisock *m, const struct msk_event *event)
{
    const struct msk_input *in = &event->input;
    struct http_request r;
    uint8_t saved[HTTP_SAVED_MAX];
    size_t used = 0;
    if (in->placed)
        return put_take(s, m, event);
    if (put_is_saved(in->opaque, in->opaque_bytes))
        return put_finish(s, m, event);
    if (!http_request_load(&r, in->opaque, in->opaque_bytes))
        return -EPROTO;
    enum http_progress progress = http_request_feed(&r, in->data, in->bytes, &used);
    if (progress == HTTP_COMPLETE)
        return answer_input(s, m, event, &r, used);
    if (progress == HTTP_MORE && !in->end)
        return msk_more(m, used, (struct msk_bytes){ saved, http_request_save(&r, saved) });
    if (progress == HTTP_MORE && http_request_empty(&r))
        return end_stream(m, in);
    return refuse_input(m, event, &r, progress);
}

/* ---- output: ranges become bytes ---- */

static bool copy_body(struct service *s, const struct http_answer *a, uint64_t offset, uint8_t *out, size_t n)
{
    struct file f;
    if (n == 0)
        return true;
    if (!http_answer_has_file(a)) {
        memcpy(out, http_answer_text(a) + offset, n);      /* produce has checked that it is as long as it was */
        return true;
    }
    enum file_result found = file_open(&s->root, a->path, &f);
    bool same = found == FILE_OK && file_same(&f.id, &a->file);
    bool ok = same && file_read(&f, a->first + offset, out, n);
    if (!ok)
        log_event("%s %s: connection reset", a->path,
                 found != FILE_OK ? "can no longer be read" : same ? "changed while it was read" : "has changed since its download began");
    return ok;
}

/* The answer that a range belongs to. False: another version of this program would have made other bytes. */
static bool load_answer(const struct msk_range *r, struct http_answer *a)
{
    bool ok = http_answer_load(a, r->opaque, r->opaque_bytes) &&
              (http_answer_has_file(a) || a->bytes == strlen(http_answer_text(a))) && r->end - r->first == length_of(a);
    if (!ok)
        log_event("an answer that another version of tricklesd began: connection reset");
    return ok;
}

/* Bytes [at, at + n) of the head. A range of the body alone needs none: where the body begins is saved. */
static bool copy_head(const struct http_answer *a, size_t at, uint8_t *out, size_t n)
{
    char head[ANSWER_HEAD_MAX];
    if (n == 0)
        return true;
    if (http_answer_head(a, head) != a->head_bytes) {
        log_event("an answer whose head another version of tricklesd made: connection reset");
        return false;
    }
    memcpy(out, head + at, n);
    return true;
}

/* Bytes [r->offset, + r->bytes) of the stream into out: from the head, then from the body. */
static bool produce(struct service *s, const struct msk_range *r, uint8_t *out)
{
    struct http_answer a;
    uint64_t at = r->offset - r->first;
    if (!load_answer(r, &a))
        return false;
    size_t of_head = at < a.head_bytes ? a.head_bytes - (size_t)at : 0;
    if (of_head > r->bytes)
        of_head = r->bytes;
    return copy_head(&a, (size_t)at, out, of_head) && copy_body(s, &a, at + of_head - a.head_bytes, out + of_head, r->bytes - of_head);
}

/* The event's one range, if it is a long part from within a file: then the packets are made from the file itself. Bytes sent so
 * may be those of a file that changed a moment ago. Then the client's next request finds another file and ends in a reset;
 * and there is a next one, as an answer's end is always read, and seen to be of the same file still. */
static bool give_view(struct service *s, struct minisock *m)
{
    struct msk_range r;
    struct http_answer a;
    struct file f;
    if (!s->may_view || msk_ranges(m) != 1 || msk_range(m, 0, &r) != 0 || r.bytes < VIEW_BYTES_MIN || r.offset + r.bytes >= r.end)
        return false;
    if (!http_answer_load(&a, r.opaque, r.opaque_bytes) || !http_answer_has_file(&a) || r.end - r.first != length_of(&a) ||
        r.offset - r.first < a.head_bytes)
        return false;
    if (file_open(&s->root, a.path, &f) != FILE_OK || !file_same(&f.id, &a.file))
        return false;
    if (!file_views_show(&s->views, &f))
        msk_flush(m);                  /* a new view takes the place of one that answers may wait in */
    const uint8_t *bytes = file_view(&s->views, &f, a.first + (r.offset - r.first) - a.head_bytes);
    return bytes && msk_give_kept(m, 0, bytes, r.bytes) == 0;
}

/* All ranges of the event. */
static bool give_ranges(struct service *s, struct minisock *m)
{
    uint8_t *room = msk_room(m);
    size_t used = 0;
    for (size_t i = 0; i < msk_ranges(m); i++) {
        struct msk_range r;
        if (msk_range(m, i, &r) != 0 || r.bytes == 0)
            continue;
        if (r.bytes > MSK_ANSWER_BYTES_MAX - used || !produce(s, &r, room + used))
            return false;
        msk_give(m, i, room + used, r.bytes);
        used += r.bytes;
    }
    return true;
}

void service_handle(struct minisock *m, const struct msk_event *event, void *arg)
{
    struct service *s = arg;
    int rc = event->input.present ? take_input(s, m, event) : 0;
    if (rc != 0)
        log_event("cannot go on with a request that another version of tricklesd began: connection reset");
    if (rc != 0 || !(give_view(s, m) || give_ranges(s, m)))
        msk_reset(m);
    else
        msk_reply(m);
}
