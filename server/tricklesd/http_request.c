/* http_request.c - see http_request.h. */
#include "http_request.h"

#include <ctype.h>
#include <string.h>
#include "http_field.h"

void http_request_init(struct http_request *r)
{
    memset(r, 0, sizeof *r);
    http_parser_init(&r->parser, HTTP_REQUEST);
    http_path_init(&r->path);
}

static int on_message_begin(http_parser *p)
{
    ((struct http_request *)p->data)->begun = true;
    return 0;
}

static int on_url(http_parser *p, const char *at, size_t n)
{
    http_path_feed(&((struct http_request *)p->data)->path, at, n);
    return 0;
}

static int on_header_field(http_parser *p, const char *at, size_t n)
{
    http_field_name(p->data, at, n);
    return 0;
}

static int on_header_value(http_parser *p, const char *at, size_t n)
{
    http_field_value(p->data, at, n);
    return 0;
}

static int on_headers_complete(http_parser *p)
{
    struct http_request *r = p->data;
    http_field_finish(r);
    r->keep_alive = http_should_keep_alive(p) != 0;
    r->chunked = p->uses_transfer_encoding;       /* whatever the coding: where the body ends is not looked for */
    return 1;                          /* the body is not parsed: the message ends here */
}

static int on_message_complete(http_parser *p)
{
    ((struct http_request *)p->data)->complete = true;
    http_parser_pause(p, 1);           /* what follows belongs to the next request */
    return 0;
}

static const http_parser_settings settings = {
    .on_message_begin = on_message_begin, .on_url = on_url, .on_header_field = on_header_field, .on_header_value = on_header_value,
    .on_headers_complete = on_headers_complete, .on_message_complete = on_message_complete,
};

static enum http_progress failure(const struct http_request *r, const uint8_t *rest, size_t n)
{
    enum http_errno e = HTTP_PARSER_ERRNO(&r->parser);
    if (e == HPE_HEADER_OVERFLOW)
        return HTTP_TOO_LARGE;
    if (e == HPE_INVALID_METHOD && (r->begun || (n > 0 && isupper(rest[0]))))
        return HTTP_UNKNOWN_METHOD;
    return HTTP_BAD;
}

enum http_progress http_request_feed(struct http_request *r, const uint8_t *data, size_t n, size_t *used)
{
    *used = 0;
    if (r->complete)                   /* 100 Continue was sent, and here comes the body */
        return HTTP_COMPLETE;
    size_t allowed = HTTP_HEAD_MAX - r->head_bytes, take = n < allowed ? n : allowed;
    r->parser.data = r;
    *used = take > 0 ? http_parser_execute(&r->parser, &settings, (const char *)data, take) : 0;
    r->parser.data = NULL;
    r->head_bytes += (uint32_t)*used;
    if (r->complete)
        return HTTP_COMPLETE;
    if (HTTP_PARSER_ERRNO(&r->parser) != HPE_OK)
        return failure(r, data + *used, n - *used);
    return r->head_bytes == HTTP_HEAD_MAX ? HTTP_TOO_LARGE : HTTP_MORE;
}

bool http_request_empty(const struct http_request *r) { return !r->begun; }

uint64_t http_request_body(const struct http_request *r)
{
    return r->parser.content_length == UINT64_MAX ? 0 : r->parser.content_length;
}
