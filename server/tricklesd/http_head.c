/* http_head.c - an answer's bytes: status line, header fields, explanation. Every change to them raises ANSWER_FORMAT. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "http_answer.h"
#include "http_date.h"
#include "mime.h"

static const struct { unsigned status; const char *reason, *text; } kinds[ANSWER_KINDS] = {
    [ANSWER_CONTINUE]        = { 100, "Continue", "" },
    [ANSWER_FILE]            = { 200, "OK", "" },
    [ANSWER_PART]            = { 206, "Partial Content", "" },
    [ANSWER_MOVED]           = { 301, "Moved Permanently", "A directory's address ends with a slash.\n" },
    [ANSWER_NOT_MODIFIED]    = { 304, "Not Modified", "" },
    [ANSWER_BAD_REQUEST]     = { 400, "Bad Request", "This is not an HTTP/1.1 request.\n" },
    [ANSWER_BAD_HOST]        = { 400, "Bad Request", "An HTTP/1.1 request has exactly one Host field.\n" },
    [ANSWER_BAD_TARGET]      = { 400, "Bad Request", "The request's target is not a path, or has a broken %-escape.\n" },
    [ANSWER_FORBIDDEN]       = { 403, "Forbidden", "This path is not served: no right to read it, no plain file, or a link or '..' that leads outside.\n" },
    [ANSWER_NOT_FOUND]       = { 404, "Not Found", "There is no such file here.\n" },
    [ANSWER_METHOD]          = { 405, "Method Not Allowed", "This server has files only: use GET or HEAD.\n" },
    [ANSWER_TARGET_TOO_LONG] = { 414, "URI Too Long", "This server's paths have at most 376 bytes: a path travels in one continuation.\n" },
    [ANSWER_RANGE]           = { 416, "Range Not Satisfiable", "The range begins after the file's end.\n" },
    [ANSWER_HEAD_TOO_LARGE]  = { 431, "Request Header Fields Too Large", "A request's head has at most 32768 bytes.\n" },
    [ANSWER_FAILED]          = { 500, "Internal Server Error", "The file could not be opened; the server's log says why.\n" },
    [ANSWER_UNKNOWN_METHOD]  = { 501, "Not Implemented", "Unknown request method: use GET or HEAD.\n" },
    [ANSWER_VERSION]         = { 505, "HTTP Version Not Supported", "Use HTTP/1.1 or HTTP/1.0.\n" },
    [ANSWER_CREATED]         = { 201, "Created", "Stored.\n" },
    [ANSWER_REPLACED]        = { 200, "OK", "Stored in place of the file that was here.\n" },
    [ANSWER_CONTENT_RANGE]   = { 400, "Bad Request", "Parts of a file cannot be uploaded: send the whole file.\n" },
    [ANSWER_NO_UPLOAD]       = { 403, "Forbidden", "Nothing can be stored under this path: no right to, no plain file, or it leads outside.\n" },
    [ANSWER_METHOD_PUT]      = { 405, "Method Not Allowed", "This server has files only: use GET, HEAD or PUT.\n" },
    [ANSWER_NO_DIRECTORY]    = { 409, "Conflict", "There is no such directory here.\n" },
    [ANSWER_UPLOAD_GONE]     = { 409, "Conflict", "What was uploaded is gone: deleted, or replaced by another upload.\n" },
    [ANSWER_LENGTH_REQUIRED] = { 411, "Length Required", "An upload says how long it is, by Content-Length.\n" },
    [ANSWER_STORAGE]         = { 507, "Insufficient Storage", "There is no room for this file.\n" },
};

unsigned http_answer_status(const struct http_answer *a) { return kinds[a->kind].status; }

const char *http_answer_text(const struct http_answer *a) { return kinds[a->kind].text; }

struct text { char *at; size_t cap, n; };

static void __attribute__((format(printf, 2, 3))) add(struct text *t, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(t->at + t->n, t->cap - t->n, format, args);
    va_end(args);
    if (n > 0)
        t->n += (size_t)n < t->cap - t->n ? (size_t)n : t->cap - t->n - 1;
}

/* Percent-encode what a path may not hold (RFC 3986 section 3.3). A path that begins with // would name a host. */
static void add_path(struct text *t, const char *path)
{
    while (path[0] == '/' && path[1] == '/')
        path++;
    for (; *path; path++) {
        unsigned char c = (unsigned char)*path;
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("-._~!$&'()*+,;=:@/", c);
        add(t, plain ? "%c" : "%%%02X", c);
    }
}

static void add_validators(struct text *t, const struct http_answer *a)
{
    char date[HTTP_DATE_BYTES];
    int64_t modified = a->file.mtime_ns / 1000000000 - (a->file.mtime_ns % 1000000000 < 0);
    http_date_format(modified < a->date ? modified : a->date, date);     /* never later than Date (RFC 9110 8.8.2.1) */
    add(t, "Last-Modified: %s\r\nETag: \"%016llx\"\r\n", date, (unsigned long long)a->file.tag);
}

static void add_entity(struct text *t, const struct http_answer *a)
{
    unsigned long long size = a->file.size;
    if (a->kind == ANSWER_PART)
        add(t, "Content-Range: bytes %llu-%llu/%llu\r\n", (unsigned long long)a->first, (unsigned long long)(a->first + a->bytes - 1), size);
    if (a->kind == ANSWER_RANGE)
        add(t, "Content-Range: bytes */%llu\r\n", size);
    if (a->kind == ANSWER_NOT_MODIFIED)
        return;
    add(t, "Content-Type: %s\r\n", http_answer_has_file(a) ? mime_of(a->path) : "text/plain");
    add(t, "Content-Length: %llu\r\n", (unsigned long long)a->bytes);
}

size_t http_answer_head(const struct http_answer *a, char out[ANSWER_HEAD_MAX])
{
    struct text t = { out, ANSWER_HEAD_MAX, 0 };
    char date[HTTP_DATE_BYTES];
    add(&t, "HTTP/1.1 %u %s\r\n", kinds[a->kind].status, kinds[a->kind].reason);
    if (a->kind != ANSWER_CONTINUE) {
        http_date_format(a->date, date);
        add(&t, "Date: %s\r\n", date);        /* no Server nor Accept-Ranges: so 1 KB fits the answer to a SYN */
        if (http_answer_has_file(a) || a->kind == ANSWER_NOT_MODIFIED)
            add_validators(&t, a);
        add_entity(&t, a);
        if (a->kind == ANSWER_METHOD)
            add(&t, "Allow: GET, HEAD\r\n");
        if (a->kind == ANSWER_METHOD_PUT)
            add(&t, "Allow: GET, HEAD, PUT\r\n");
        if (a->kind == ANSWER_MOVED) {
            add(&t, "Location: ");
            add_path(&t, a->path);
            add(&t, "\r\n");
        }
        if (a->close || a->say_keep_alive)
            add(&t, "Connection: %s\r\n", a->close ? "close" : "keep-alive");
    }
    add(&t, "\r\n");
    return t.n;
}
