/* http_path.c - see http_path.h. */
#include "http_path.h"

#include <string.h>

enum { AT_START, IN_SCHEME, IN_AUTHORITY, IN_PATH, IN_ESCAPE, IN_ESCAPE_2, IN_QUERY, SCHEME_SLASH };

void http_path_init(struct http_path *p) { memset(p, 0, sizeof *p); }

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static void put(struct http_path *p, char c)
{
    if (c == '\0')
        p->bad = true;
    if (p->bytes == HTTP_PATH_MAX)
        p->too_long = true;
    else
        p->text[p->bytes++] = c;
    p->text[p->bytes] = '\0';
}

static void feed_path(struct http_path *p, char c)
{
    if (c == '%')
        p->state = IN_ESCAPE;
    else if (c == '?' || c == '#')
        p->state = IN_QUERY;
    else
        put(p, c);
}

static void feed_escape(struct http_path *p, char c)
{
    int digit = hex_digit(c);
    if (digit < 0) {
        p->bad = true;
        p->state = IN_QUERY;
    } else if (p->state == IN_ESCAPE) {
        p->escape = (uint8_t)digit;
        p->state = IN_ESCAPE_2;
    } else {
        put(p, (char)(p->escape << 4 | digit));
        p->escape = 0;
        p->state = IN_PATH;
    }
}

static void feed_char(struct http_path *p, char c)
{
    switch (p->state) {
    case AT_START:
        p->state = c == '/' ? IN_PATH : IN_SCHEME;
        if (c == '/')
            put(p, c);
        break;
    case IN_SCHEME:
        if (c == '/')
            p->state = SCHEME_SLASH;
        break;
    case SCHEME_SLASH:
        p->state = c == '/' ? IN_AUTHORITY : IN_SCHEME;
        break;
    case IN_AUTHORITY:
        if (c != '/' && c != '?')
            break;
        put(p, '/');
        p->state = c == '/' ? IN_PATH : IN_QUERY;
        break;
    case IN_PATH:
        feed_path(p, c);
        break;
    case IN_ESCAPE: case IN_ESCAPE_2:
        feed_escape(p, c);
        break;
    default:                           /* IN_QUERY: ignored */
        break;
    }
}

void http_path_feed(struct http_path *p, const char *target, size_t n)
{
    for (size_t i = 0; i < n; i++)
        feed_char(p, target[i]);
}

bool http_path_finish(struct http_path *p)
{
    if (p->state == IN_AUTHORITY)      /* "http://host" */
        put(p, '/');
    if (p->state == IN_ESCAPE || p->state == IN_ESCAPE_2)
        p->bad = true;
    return !p->bad && p->bytes > 0;
}
