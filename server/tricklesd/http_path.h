/* http_path.h - a request target, decoded byte by byte as it arrives: percent-decoding, and the path of both
 * "/path?query" and "http://host/path?query". The query is ignored. */
#ifndef TRICKLESD_HTTP_PATH_H
#define TRICKLESD_HTTP_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_PATH_MAX 376              /* decoded bytes: what a continuation has room for */

struct http_path {                     /* plain data: it travels in the input continuation */
    uint8_t state;                     /* enum in http_path.c */
    uint8_t escape;                    /* first digit of a %XX whose second has not come yet */
    bool bad;                          /* a broken escape, or one for NUL */
    bool too_long;
    uint16_t bytes;
    char text[HTTP_PATH_MAX + 1];      /* "/…", always NUL-terminated */
};
#define HTTP_PATH_STATES 8

void http_path_init(struct http_path *p);
void http_path_feed(struct http_path *p, const char *target, size_t n);
/* The target is over. False if it is bad, or has no path (too_long is looked at separately). */
bool http_path_finish(struct http_path *p);

#endif
