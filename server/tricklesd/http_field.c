/* http_field.c - see http_field.h. Names and values gather in r->scratch; a value that does not fit cannot mean
 * anything to us. */
#include "http_field.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "http_date.h"

enum { FIELD_OTHER, FIELD_HOST, FIELD_RANGE, FIELD_IF_RANGE, FIELD_MODIFIED_SINCE, FIELD_NONE_MATCH, FIELD_EXPECT,
       FIELD_CONTENT_RANGE };

static const char *const names[] = {
    [FIELD_HOST] = "host", [FIELD_RANGE] = "range", [FIELD_IF_RANGE] = "if-range", [FIELD_MODIFIED_SINCE] = "if-modified-since",
    [FIELD_NONE_MATCH] = "if-none-match", [FIELD_EXPECT] = "expect", [FIELD_CONTENT_RANGE] = "content-range",
};

static void gather(struct http_request *r, const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (r->scratch_bytes == HTTP_SCRATCH - 1)
            r->overflow = true;
        else
            r->scratch[r->scratch_bytes++] = text[i];
    }
}

static void clear(struct http_request *r)
{
    r->scratch_bytes = 0;
    r->overflow = false;
    memset(r->scratch, 0, sizeof r->scratch);
}

/* What was gathered, without white space around it. */
static const char *gathered(struct http_request *r)
{
    char *text = r->scratch;
    while (r->scratch_bytes > 0 && (text[r->scratch_bytes - 1] == ' ' || text[r->scratch_bytes - 1] == '\t'))
        r->scratch_bytes--;
    text[r->scratch_bytes] = '\0';
    return text + strspn(text, " \t");
}

bool http_tag_parse(const char *text, uint64_t *tag)
{
    if (strlen(text) != 18 || text[0] != '"' || text[17] != '"' || strspn(text + 1, "0123456789abcdef") != 16)
        return false;
    *tag = strtoull(text + 1, NULL, 16);
    return true;
}

/* One member of If-None-Match. Weak comparison: W/ makes no difference (RFC 9110 section 13.1.2). */
static void finish_tag(struct http_request *r)
{
    const char *text = gathered(r);
    uint64_t tag;
    if (strncmp(text, "W/", 2) == 0)
        text += 2;
    if (strcmp(text, "*") == 0)
        r->any_tag = true;
    else if (!r->overflow && r->n_tags < HTTP_TAGS_MAX && http_tag_parse(text, &tag))
        r->tags[r->n_tags++] = tag;
    clear(r);
}

/* Digits only, at most 18 of them. */
static bool number(const char *text, size_t n, uint64_t *out)
{
    if (n == 0 || n > 18 || strspn(text, "0123456789") < n)
        return false;
    *out = strtoull(text, NULL, 10);
    return true;
}

static enum http_range read_range(const char *text, uint64_t *a, uint64_t *b)
{
    if (strncasecmp(text, "bytes=", 6) != 0)
        return RANGE_IGNORED;
    text += 6 + strspn(text + 6, " \t");
    size_t left = strspn(text, "0123456789");
    if (text[left] != '-')
        return RANGE_IGNORED;
    const char *second = text + left + 1;
    size_t right = strlen(second);
    if (left == 0)
        return number(second, right, b) ? RANGE_LAST : RANGE_IGNORED;
    if (!number(text, left, a))
        return RANGE_IGNORED;
    if (right == 0)
        return RANGE_FROM;
    return number(second, right, b) && *a <= *b ? RANGE_FROM_TO : RANGE_IGNORED;
}

static void finish_range(struct http_request *r)
{
    enum http_range range = r->overflow ? RANGE_IGNORED : read_range(gathered(r), &r->range_a, &r->range_b);
    r->range = r->range == RANGE_NONE ? range : RANGE_IGNORED;
}

static void finish_if_range(struct http_request *r)
{
    const char *text = gathered(r);
    int64_t seconds;
    r->if_range = IF_RANGE_OTHER;
    if (r->overflow)
        return;
    if (http_tag_parse(text, &r->if_range_value))
        r->if_range = IF_RANGE_TAG;
    else if (http_date_parse(text, &seconds)) {
        r->if_range = IF_RANGE_DATE;
        r->if_range_value = (uint64_t)seconds;
    }
}

void http_field_finish(struct http_request *r)
{
    if (r->in_value) {
        if (r->field == FIELD_RANGE)
            finish_range(r);
        else if (r->field == FIELD_IF_RANGE)
            finish_if_range(r);
        else if (r->field == FIELD_MODIFIED_SINCE)
            r->has_modified_since = !r->overflow && http_date_parse(gathered(r), &r->modified_since);
        else if (r->field == FIELD_NONE_MATCH)
            finish_tag(r);
        else if (r->field == FIELD_EXPECT && strcasecmp(gathered(r), "100-continue") == 0)
            r->expect_continue = true;
    }
    r->in_value = false;
    r->field = FIELD_OTHER;
    clear(r);
}

void http_field_name(struct http_request *r, const char *text, size_t n)
{
    if (r->in_value)
        http_field_finish(r);
    gather(r, text, n);
}

/* The name is complete: which field is it? */
static void begin_value(struct http_request *r)
{
    r->field = FIELD_OTHER;
    for (uint8_t f = FIELD_HOST; f <= FIELD_CONTENT_RANGE; f++)
        if (!r->overflow && strlen(names[f]) == r->scratch_bytes && strncasecmp(names[f], r->scratch, r->scratch_bytes) == 0)
            r->field = f;
    r->in_value = true;
    clear(r);
    if (r->field == FIELD_HOST && r->hosts < 2)
        r->hosts++;
    if (r->field == FIELD_NONE_MATCH)
        r->has_none_match = true;
    if (r->field == FIELD_CONTENT_RANGE)
        r->content_range = true;
}

void http_field_value(struct http_request *r, const char *text, size_t n)
{
    if (!r->in_value)
        begin_value(r);
    if (r->field == FIELD_NONE_MATCH) {
        for (const char *comma; (comma = memchr(text, ',', n)) != NULL;) {
            size_t part = (size_t)(comma - text);
            gather(r, text, part);
            finish_tag(r);
            text += part + 1;
            n -= part + 1;
        }
    }
    if (r->field > FIELD_HOST)
        gather(r, text, n);
}
