/* http_request.h - an HTTP/1.x request head, read from pieces that may end anywhere.
 *
 * Debian's http_parser does the parsing. What matters across pieces, its own state included, fits into one input
 * continuation, so that the next piece may be read by any replica. Of the head only what this server
 * looks at is kept; the body is never looked at. */
#ifndef TRICKLESD_HTTP_REQUEST_H
#define TRICKLESD_HTTP_REQUEST_H

#include <http_parser.h>
#include "tricklesd/http_path.h"

#define HTTP_HEAD_MAX     32768        /* bytes of a request head */
#define HTTP_SAVED_MAX    512          /* a saved request is never longer */
#define HTTP_SCRATCH      48
#define HTTP_TAGS_MAX     2            /* entity tags in If-None-Match that could be ours; more are ignored */

enum http_range { RANGE_NONE, RANGE_FROM_TO, RANGE_FROM, RANGE_LAST, RANGE_IGNORED };   /* a-b, a-, -b; several or broken */
enum http_if_range { IF_RANGE_NONE, IF_RANGE_TAG, IF_RANGE_DATE, IF_RANGE_OTHER };      /* OTHER: never matches */

struct http_request {
    struct http_parser parser;         /* method, http_major, http_minor, flags, content_length: as http_parser.h says */
    struct http_path path;
    uint32_t head_bytes;               /* so far */
    uint8_t hosts;                     /* how many Host fields: 0, 1, 2 for more */
    bool expect_continue;
    bool continued;                    /* 100 Continue was sent: the answer is still due */
    bool keep_alive, chunked;          /* set when the head is complete. chunked: the body is encoded, its end unknown */
    enum http_range range; uint64_t range_a, range_b;
    enum http_if_range if_range; uint64_t if_range_value;       /* the tag, or seconds */
    bool has_modified_since; int64_t modified_since;
    bool any_tag; uint8_t n_tags; uint64_t tags[HTTP_TAGS_MAX]; /* If-None-Match */
    bool has_none_match;
    bool content_range;                /* what comes is a part of something */

    /* The header field being read. */
    uint8_t field;                     /* enum in http_field.c */
    bool in_value, overflow, complete, begun;
    uint8_t scratch_bytes; char scratch[HTTP_SCRATCH];
};

enum http_progress {
    HTTP_MORE,                         /* all bytes were used, the head is not complete */
    HTTP_COMPLETE,                     /* the head ends after `used` bytes */
    HTTP_BAD,                          /* not a request that can be answered in kind: 400, and close */
    HTTP_TOO_LARGE,                    /* more than HTTP_HEAD_MAX: 431, and close */
    HTTP_UNKNOWN_METHOD,               /* 501, and close */
};

void http_request_init(struct http_request *r);
enum http_progress http_request_feed(struct http_request *r, const uint8_t *data, size_t n, size_t *used);
/* Nothing but empty lines has come: the client may end here. */
bool http_request_empty(const struct http_request *r);
/* Body bytes that follow the head, as far as its Content-Length says. */
uint64_t http_request_body(const struct http_request *r);

/* To and from an input continuation. load: false if the bytes were not made by save with this very version of the
 * parser library. 0 bytes are a request that has not begun. */
size_t http_request_save(const struct http_request *r, uint8_t out[HTTP_SAVED_MAX]);
bool http_request_load(struct http_request *r, const uint8_t *bytes, size_t n);

#endif
