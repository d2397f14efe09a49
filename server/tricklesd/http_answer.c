/* http_answer.c - which answer a request gets (RFC 9110). */
#include "http_answer.h"

#include <string.h>

static void begin(const struct http_request *r, enum answer_kind kind, bool close, int64_t date, struct http_answer *out)
{
    memset(out, 0, sizeof *out);
    out->kind = kind;
    out->no_body = r->complete && r->parser.method == HTTP_HEAD;
    out->close = close;
    out->say_keep_alive = !close && r->parser.http_major == 1 && r->parser.http_minor == 0;
    out->date = date;
}

/* Lengths follow from everything else: last of all. */
static void finish(struct http_answer *a)
{
    char head[ANSWER_HEAD_MAX];
    if (!http_answer_has_file(a))
        a->bytes = strlen(http_answer_text(a));
    a->head_bytes = (uint16_t)http_answer_head(a, head);
}

void http_answer_refuse(const struct http_request *r, enum answer_kind kind, bool close, int64_t date, struct http_answer *out)
{
    begin(r, kind, close, date, out);
    finish(out);
}

void http_answer_say(enum answer_kind kind, bool close, bool say_keep_alive, int64_t date, struct http_answer *out)
{
    *out = (struct http_answer){ .kind = kind, .close = close, .say_keep_alive = say_keep_alive && !close, .date = date };
    finish(out);
}

bool http_answer_refused(const struct http_request *r, bool uploads, enum answer_kind *kind)
{
    bool known = r->parser.method == HTTP_GET || r->parser.method == HTTP_HEAD || (uploads && r->parser.method == HTTP_PUT);
    *kind = r->parser.http_major != 1                                            ? ANSWER_VERSION
            : r->parser.http_minor > 0 && r->hosts != 1                          ? ANSWER_BAD_HOST
            : !known                                                             ? uploads ? ANSWER_METHOD_PUT : ANSWER_METHOD
            : r->path.too_long                                                   ? ANSWER_TARGET_TOO_LONG
            : r->path.bad || r->path.bytes == 0                                  ? ANSWER_BAD_TARGET
                                                                                 : ANSWER_KINDS;
    return *kind != ANSWER_KINDS;
}

static int64_t seconds_of(const struct file_identity *id)
{
    int64_t s = id->mtime_ns / 1000000000;
    return id->mtime_ns < 0 && id->mtime_ns % 1000000000 != 0 ? s - 1 : s;
}

/* RFC 9110 section 13.2.2: If-None-Match, or else If-Modified-Since. */
static bool not_modified(const struct http_request *r, const struct file_identity *id)
{
    if (!r->has_none_match)
        return r->has_modified_since && seconds_of(id) <= r->modified_since;
    for (size_t i = 0; i < r->n_tags; i++)
        if (r->tags[i] == id->tag)
            return true;
    return r->any_tag;
}

/* If-Range: the part only if the file is still the one that the client has the rest of. */
static bool range_applies(const struct http_request *r, const struct file_identity *id)
{
    switch (r->if_range) {
    case IF_RANGE_NONE: return true;
    case IF_RANGE_TAG:  return r->if_range_value == id->tag;
    case IF_RANGE_DATE: return (int64_t)r->if_range_value == seconds_of(id);
    default:            return false;
    }
}

/* The part of the file that Range asks for. False: it asks for nothing that is there. */
static bool apply_range(const struct http_request *r, struct http_answer *a)
{
    uint64_t size = a->file.size, last = size - 1;
    switch (r->range) {
    case RANGE_FROM_TO: case RANGE_FROM:
        if (r->range_a >= size)
            return false;
        if (r->range == RANGE_FROM_TO && r->range_b < last)
            last = r->range_b;
        a->first = r->range_a;
        break;
    default:                           /* RANGE_LAST */
        if (r->range_b == 0 || size == 0)
            return false;
        a->first = r->range_b < size ? size - r->range_b : 0;
        break;
    }
    a->bytes = last - a->first + 1;
    return true;
}

static void make_file(const struct http_request *r, struct http_answer *a)
{
    bool ranged = r->range == RANGE_FROM_TO || r->range == RANGE_FROM || r->range == RANGE_LAST;
    a->bytes = a->file.size;
    if (not_modified(r, &a->file))
        a->kind = ANSWER_NOT_MODIFIED;
    else if (ranged && r->parser.method == HTTP_GET && range_applies(r, &a->file))
        a->kind = apply_range(r, a) ? ANSWER_PART : ANSWER_RANGE;
}

void http_answer_make(const struct http_request *r, enum file_result found, const struct file_identity *id, const char *path,
                      int64_t date, struct http_answer *out)
{
    static const enum answer_kind kinds[] = {
        [FILE_OK] = ANSWER_FILE, [FILE_DIRECTORY] = ANSWER_MOVED, [FILE_NOT_FOUND] = ANSWER_NOT_FOUND,
        [FILE_FORBIDDEN] = ANSWER_FORBIDDEN, [FILE_FAILED] = ANSWER_FAILED,
    };
    begin(r, kinds[found], !r->keep_alive || r->chunked, date, out);
    size_t n = strnlen(path, HTTP_PATH_MAX);
    memcpy(out->path, path, n);
    if (found == FILE_OK) {
        out->file = *id;
        make_file(r, out);
    }
    finish(out);
}

bool http_answer_has_file(const struct http_answer *a) { return a->kind == ANSWER_FILE || a->kind == ANSWER_PART; }
