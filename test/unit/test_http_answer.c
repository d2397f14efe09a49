/* What each request is answered, to the byte; that a saved answer gives the same bytes again; ranges and conditions. */
#include <stdio.h>
#include <string.h>
#include "tricklesd/http_answer.h"
#include "tricklesd/http_date.h"
#include "tricklesd/mime.h"
#include "unit.h"

#define DATE 784111777                 /* Sun, 06 Nov 1994 08:49:37 GMT */
static const struct file_identity file = { .size = 1000, .mtime_ns = 784000000500000000, .tag = 0x0123456789abcdef };
#define MODIFIED "Sat, 05 Nov 1994 01:46:40 GMT"

static void read_request(const char *text, struct http_request *r)
{
    size_t used;
    http_request_init(r);
    ck_assert_int_eq(http_request_feed(r, (const uint8_t *)text, strlen(text), &used), HTTP_COMPLETE);
    http_path_finish(&r->path);
}

/* The answer for the file, after a trip through a continuation; its head in `head`. */
static struct http_answer answer(const char *text, enum file_result found, const struct file_identity *id, const char *path, char head[ANSWER_HEAD_MAX + 1])
{
    struct http_request r;
    struct http_answer made, loaded;
    uint8_t saved[ANSWER_SAVED_MAX];
    char again[ANSWER_HEAD_MAX];
    enum answer_kind refused;
    read_request(text, &r);
    if (http_answer_refused(&r, false, &refused))
        http_answer_refuse(&r, refused, !r.keep_alive, DATE, &made);
    else
        http_answer_make(&r, found, id, path, DATE, &made);
    size_t n = http_answer_save(&made, saved);
    ck_assert_uint_gt(n, 0);
    ck_assert(http_answer_load(&loaded, saved, n));
    ck_assert_uint_eq(http_answer_head(&made, head), made.head_bytes);
    ck_assert_uint_eq(http_answer_head(&loaded, again), loaded.head_bytes);
    ck_assert_uint_eq(loaded.head_bytes, made.head_bytes);
    ck_assert_mem_eq(head, again, made.head_bytes);
    head[made.head_bytes] = '\0';
    return loaded;
}

static struct http_answer get(const char *fields, char head[ANSWER_HEAD_MAX + 1])
{
    char text[1024];
    snprintf(text, sizeof text, "GET /f.txt HTTP/1.1\r\nHost: a\r\n%s\r\n", fields);
    return answer(text, FILE_OK, &file, "/f.txt", head);
}

START_TEST(a_file_to_the_byte)
{
    char head[ANSWER_HEAD_MAX + 1];
    struct http_answer a = get("", head);
    ck_assert_str_eq(head, "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nLast-Modified: " MODIFIED "\r\n"
                           "ETag: \"0123456789abcdef\"\r\nContent-Type: text/plain\r\nContent-Length: 1000\r\n\r\n");
    ck_assert_uint_eq(a.first, 0);
    ck_assert_uint_eq(a.bytes, 1000);
    ck_assert(!a.close && !a.no_body && http_answer_has_file(&a));
}
END_TEST

START_TEST(every_answer_to_the_byte)
{
    static const struct { const char *request; enum file_result found; const char *path, *head; } cases[] = {
        { "HEAD /f HTTP/1.1\r\nHost: a\r\nRange: bytes=1-2\r\nConnection: close\r\n\r\n", FILE_OK, "/f",
          "HTTP/1.1 200 OK\r\nDate: D\r\nLast-Modified: " MODIFIED "\r\nETag: \"0123456789abcdef\"\r\n"
          "Content-Type: application/octet-stream\r\nContent-Length: 1000\r\nConnection: close\r\n\r\n" },
        { "GET /f HTTP/1.0\r\n\r\n", FILE_NOT_FOUND, "/f",
          "HTTP/1.1 404 Not Found\r\nDate: D\r\nContent-Type: text/plain\r\nContent-Length: 28\r\nConnection: close\r\n\r\n" },
        { "GET /f HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", FILE_NOT_FOUND, "/f",
          "HTTP/1.1 404 Not Found\r\nDate: D\r\nContent-Type: text/plain\r\nContent-Length: 28\r\nConnection: keep-alive\r\n\r\n" },
        { "GET /d?x HTTP/1.1\r\nHost: a\r\n\r\n", FILE_DIRECTORY, "//d e/\xc3\xa4%\"<>/",
          "HTTP/1.1 301 Moved Permanently\r\nDate: D\r\nContent-Type: text/plain\r\nContent-Length: 41\r\n"
          "Location: /d%20e/%C3%A4%25%22%3C%3E/\r\n\r\n" },
        { "POST /f HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n", FILE_OK, "/f",
          "HTTP/1.1 405 Method Not Allowed\r\nDate: D\r\nContent-Type: text/plain\r\nContent-Length: 45\r\nAllow: GET, HEAD\r\n\r\n" },
        { "GET /f HTTP/1.1\r\n\r\n", FILE_OK, "/f",
          "HTTP/1.1 400 Bad Request\r\nDate: D\r\nContent-Type: text/plain\r\nContent-Length: 48\r\n\r\n" },
        { "GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", FILE_OK, "/f",
          "HTTP/1.1 400 Bad Request\r\nDate: D\r\nContent-Type: text/plain\r\nContent-Length: 62\r\n\r\n" },
        { "GET /f HTTP/1.1\r\nHost: a\r\n\r\n", FILE_FORBIDDEN, "/f",
          "HTTP/1.1 403 Forbidden\r\nDate: D\r\nContent-Type: text/plain\r\nContent-Length: 99\r\n\r\n" },
        { "GET /f HTTP/1.1\r\nHost: a\r\n\r\n", FILE_FAILED, "/f",
          "HTTP/1.1 500 Internal Server Error\r\nDate: D\r\nContent-Type: text/plain\r\nContent-Length: 57\r\n\r\n" },
        { "GET /f HTTP/1.1\r\nHost: a\r\nRange: bytes=1000-\r\n\r\n", FILE_OK, "/f",
          "HTTP/1.1 416 Range Not Satisfiable\r\nDate: D\r\nContent-Range: bytes */1000\r\nContent-Type: text/plain\r\n"
          "Content-Length: 39\r\n\r\n" },
        { "GET /f HTTP/1.1\r\nHost: a\r\nIf-None-Match: *\r\n\r\n", FILE_OK, "/f",
          "HTTP/1.1 304 Not Modified\r\nDate: D\r\nLast-Modified: " MODIFIED "\r\nETag: \"0123456789abcdef\"\r\n\r\n" },
        { "GET /f HTTP/2.0\r\nHost: a\r\nConnection: close\r\n\r\n", FILE_OK, "/f",
          "HTTP/1.1 505 HTTP Version Not Supported\r\nDate: D\r\nContent-Type: text/plain\r\nContent-Length: 26\r\n"
          "Connection: close\r\n\r\n" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char head[ANSWER_HEAD_MAX + 1], want[ANSWER_HEAD_MAX + 1];
        struct http_answer a = answer(cases[i].request, cases[i].found, &file, cases[i].path, head);
        const char *d = strstr(cases[i].head, "Date: D");
        snprintf(want, sizeof want, "%.*sDate: Sun, 06 Nov 1994 08:49:37 GMT%s", (int)(d - cases[i].head), cases[i].head, d + 7);
        ck_assert_str_eq(head, want);
        const char *length = strstr(head, "Content-Length: ");
        if (!http_answer_has_file(&a) && length)
            ck_assert_uint_eq(strtoull(length + 16, NULL, 10), strlen(http_answer_text(&a)));
    }
}
END_TEST

START_TEST(one_hundred_continue_is_only_a_status_line)
{
    struct http_request r;
    struct http_answer a;
    char head[ANSWER_HEAD_MAX];
    read_request("GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n", &r);
    http_answer_refuse(&r, ANSWER_CONTINUE, false, DATE, &a);
    ck_assert_uint_eq(http_answer_head(&a, head), 25);
    ck_assert_mem_eq(head, "HTTP/1.1 100 Continue\r\n\r\n", 25);
    ck_assert_uint_eq(a.bytes, 0);
}
END_TEST

START_TEST(ranges)
{
    static const struct { const char *range; unsigned status; uint64_t first, bytes; } cases[] = {
        { "bytes=0-0", 206, 0, 1 },          { "bytes=0-999", 206, 0, 1000 },    { "bytes=0-", 206, 0, 1000 },
        { "bytes=999-", 206, 999, 1 },       { "bytes=500-5000", 206, 500, 500 }, { "bytes=-1", 206, 999, 1 },
        { "bytes=-1000", 206, 0, 1000 },     { "bytes=-5000", 206, 0, 1000 },    { "bytes=1000-", 416, 0, 0 },
        { "bytes=1000-2000", 416, 0, 0 },    { "bytes=-0", 416, 0, 0 },          { "bytes=0-1,5-6", 200, 0, 1000 },
        { "bytes=x", 200, 0, 1000 },         { "items=0-1", 200, 0, 1000 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char head[ANSWER_HEAD_MAX + 1], fields[128], want[128];
        snprintf(fields, sizeof fields, "Range: %s\r\n", cases[i].range);
        struct http_answer a = get(fields, head);
        ck_assert_msg(http_answer_status(&a) == cases[i].status, "%s: %u", cases[i].range, http_answer_status(&a));
        if (cases[i].status != 206)
            continue;
        ck_assert_uint_eq(a.first, cases[i].first);
        ck_assert_uint_eq(a.bytes, cases[i].bytes);
        snprintf(want, sizeof want, "\r\nContent-Range: bytes %llu-%llu/1000\r\n", (unsigned long long)a.first, (unsigned long long)(a.first + a.bytes - 1));
        ck_assert(strstr(head, want) != NULL);
    }
}
END_TEST

START_TEST(an_empty_file_has_no_range)
{
    const struct file_identity empty = { .tag = 1 };
    char head[ANSWER_HEAD_MAX + 1];
    static const char *const odd[] = { "0-", "0-0", "-1" };
    for (size_t i = 0; i < 3; i++) {
        char text[128];
        snprintf(text, sizeof text, "GET /e HTTP/1.1\r\nHost: a\r\nRange: bytes=%s\r\n\r\n", odd[i]);
        struct http_answer a = answer(text, FILE_OK, &empty, "/e", head);
        ck_assert_uint_eq(http_answer_status(&a), 416);
        ck_assert(strstr(head, "bytes */0") != NULL);
    }
}
END_TEST

START_TEST(conditions)
{
    static const struct { const char *fields; unsigned status; } cases[] = {
        { "If-None-Match: \"0123456789abcdef\"\r\n", 304 },
        { "If-None-Match: \"x\", W/\"0123456789abcdef\"\r\n", 304 },
        { "If-None-Match: \"1123456789abcdef\"\r\n", 200 },
        { "If-None-Match: \"1123456789abcdef\"\r\nIf-Modified-Since: " MODIFIED "\r\n", 200 },
        { "If-Modified-Since: " MODIFIED "\r\n", 304 },
        { "If-Modified-Since: Sat, 05 Nov 1994 01:46:39 GMT\r\n", 200 },
        { "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n", 304 },
        { "If-Modified-Since: yesterday\r\n", 200 },
        { "Range: bytes=0-1\r\nIf-Range: \"0123456789abcdef\"\r\n", 206 },
        { "Range: bytes=0-1\r\nIf-Range: \"1123456789abcdef\"\r\n", 200 },
        { "Range: bytes=0-1\r\nIf-Range: W/\"0123456789abcdef\"\r\n", 200 },
        { "Range: bytes=0-1\r\nIf-Range: " MODIFIED "\r\n", 206 },
        { "Range: bytes=0-1\r\nIf-Range: Sat, 05 Nov 1994 01:46:41 GMT\r\n", 200 },
        { "Range: bytes=5000-\r\nIf-Range: \"1123456789abcdef\"\r\n", 200 },
        { "Range: bytes=0-1\r\nIf-None-Match: \"0123456789abcdef\"\r\n", 304 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char head[ANSWER_HEAD_MAX + 1];
        struct http_answer a = get(cases[i].fields, head);
        ck_assert_msg(http_answer_status(&a) == cases[i].status, "%s: %u", cases[i].fields, http_answer_status(&a));
    }
}
END_TEST

START_TEST(the_longest_answers_fit)
{
    char head[ANSWER_HEAD_MAX + 1], path[HTTP_PATH_MAX + 1];
    memset(path, 0xff, HTTP_PATH_MAX);
    path[0] = '/';
    path[HTTP_PATH_MAX] = '\0';
    struct http_answer a = answer("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", FILE_DIRECTORY, &file, path, head);
    ck_assert_str_eq(head + a.head_bytes - 4, "\r\n\r\n");
    ck_assert_str_eq(a.path, path);
}
END_TEST

START_TEST(a_saved_answer_is_loaded_whole_or_not_at_all)
{
    struct http_request r;
    struct http_answer a, other;
    uint8_t saved[ANSWER_SAVED_MAX];
    read_request("GET / HTTP/1.0\r\n\r\n", &r);
    http_answer_make(&r, FILE_OK, &file, "/", DATE, &a);
    size_t n = http_answer_save(&a, saved);
    ck_assert(http_answer_load(&other, saved, n));
    for (size_t i = 0; i < n - 1; i++)
        ck_assert(!http_answer_load(&other, saved, i));
    saved[0]++;
    ck_assert(!http_answer_load(&other, saved, n));
    saved[0]--;
    saved[1] = ANSWER_KINDS;
    ck_assert(!http_answer_load(&other, saved, n));
}
END_TEST

START_TEST(dates_and_types)
{
    char text[HTTP_DATE_BYTES];
    int64_t seconds;
    for (int64_t t = -2000000000; t < 5000000000; t += 98765431) {
        http_date_format(t, text);
        ck_assert_uint_eq(strlen(text), 29);
        ck_assert(http_date_parse(text, &seconds));
        ck_assert_int_eq(seconds, t);
    }
    http_date_format(INT64_MAX, text);
    ck_assert_str_eq(text, "Fri, 31 Dec 9999 23:59:59 GMT");
    ck_assert(!http_date_parse("Sun, 06 Nov 1994 08:49:37 GMT and more", &seconds));
    ck_assert(!http_date_parse("", &seconds));
    ck_assert_str_eq(mime_of("/a.b/c.HTML"), "text/html");
    ck_assert_str_eq(mime_of("/a.html/c"), "application/octet-stream");
    ck_assert_str_eq(mime_of(""), "application/octet-stream");
}
END_TEST

UNIT_MAIN("http_answer", a_file_to_the_byte, every_answer_to_the_byte, one_hundred_continue_is_only_a_status_line, ranges, an_empty_file_has_no_range,
          conditions, the_longest_answers_fit, a_saved_answer_is_loaded_whole_or_not_at_all, dates_and_types)
