/* A request head read in pieces: every split point gives the same request, through a saved and loaded state; limits
 * and bad input end with the right outcome. */
#include <stdio.h>
#include <string.h>
#include "tricklesd/http_request.h"
#include "unit.h"

/* Feed all of text in pieces that end at the cuts, each read by a fresh "replica". Returns the outcome. */
static enum http_progress feed_cut(const char *text, size_t n, const size_t *cuts, size_t n_cuts, struct http_request *r, size_t *used)
{
    uint8_t saved[HTTP_SAVED_MAX] = { 0 };
    size_t bytes = 0, at = 0;
    for (size_t i = 0; i <= n_cuts; i++) {
        size_t end = i < n_cuts ? cuts[i] : n, part;
        memset(r, 0xaa, sizeof *r);
        bool loaded = http_request_load(r, saved, bytes);
        enum http_progress p = http_request_feed(r, (const uint8_t *)text + at, end - at, &part);
        *used = at + part;
        if (loaded && p != HTTP_MORE)
            return p;
        bytes = http_request_save(r, saved);
        if (!loaded || at + part != end || bytes == 0)
            ck_abort_msg("piece %zu of %zu: loaded %d, used %zu of %zu, saved %zu", i, n_cuts + 1, loaded, part, end - at, bytes);
        at = end;
    }
    return HTTP_MORE;
}

static enum http_progress feed(const char *text, struct http_request *r)
{
    size_t used;
    return feed_cut(text, strlen(text), NULL, 0, r, &used);
}

/* One assertion for all: Check writes to a pipe at each, and there are hundreds of thousands of splits. */
static void same_request(const struct http_request *a, const struct http_request *b)
{
    bool same = a->parser.method == b->parser.method && a->parser.http_major == b->parser.http_major &&
                a->parser.http_minor == b->parser.http_minor &&
                http_request_body(a) == http_request_body(b) && strcmp(a->path.text, b->path.text) == 0 &&
                a->path.bad == b->path.bad && a->head_bytes == b->head_bytes && a->hosts == b->hosts &&
                a->expect_continue == b->expect_continue && a->keep_alive == b->keep_alive &&
                a->chunked == b->chunked && a->range == b->range && a->range_a == b->range_a &&
                a->range_b == b->range_b && a->if_range == b->if_range &&
                a->if_range_value == b->if_range_value && a->has_modified_since == b->has_modified_since &&
                a->modified_since == b->modified_since && a->has_none_match == b->has_none_match &&
                a->any_tag == b->any_tag && a->n_tags == b->n_tags &&
                memcmp(a->tags, b->tags, sizeof a->tags) == 0;
    ck_assert(same);
}

static const char *const good[] = {
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "\r\n\r\nGET /x HTTP/1.1\r\nHost: a\r\n\r\n",
    "HEAD /a%20b/%e4%B8%ad.txt?q=%41#f HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    "GET http://host:80/p%2fq HTTP/1.1\r\nhOsT:   host  \r\nConnection: close\r\n\r\n",
    "GET http://host HTTP/1.1\r\nHost: host\r\n\r\n",
    "POST /form HTTP/1.1\r\nHost: a\r\nContent-Length: 1048576\r\nExpect: 100-Continue\r\n\r\n",
    "POST /form HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
    "GET /f HTTP/1.1\r\nHost: a\r\nRange: bytes=100-199\r\nIf-Range: \"0123456789abcdef\"\r\n\r\n",
    "GET /f HTTP/1.1\r\nHost: a\r\nRange: bytes=-5\r\nIf-Range: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n",
    "GET /f HTTP/1.1\r\nHost: a\r\nRange:bytes=7- \r\nIf-Modified-Since: Sunday, 06-Nov-94 08:49:37 GMT\r\n\r\n",
    "GET /f HTTP/1.1\r\nHost: a\r\nIf-None-Match: \"x\", W/\"0123456789abcdef\" , \"fedcba9876543210\"\r\nIf-Modified-Since: Sun Nov  6 08:49:37 1994\r\n\r\n",
    "GET /f HTTP/1.1\r\nHost: a\r\nIf-None-Match: *\r\nRange: bytes=1-2,4-5\r\nX-Empty:\r\nX:y\r\n\r\n",
    "GET /f HTTP/1.1\r\nHost: a\r\nHost: b\r\nRange: bytes=1-2\r\nRange: bytes=3-4\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
    "GET /f HTTP/1.1\nHost: a\nX-Folded: a\n  b\nIf-None-Match: \"0123456789abcdef\",\n \"fedcba9876543210\"\n\n",
    "GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n",
    "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
};
#define GOOD (sizeof good / sizeof *good)

/* What comes behind the head belongs to the next request. */
static size_t with_tail(size_t i, char *text, size_t cap)
{
    return (size_t)snprintf(text, cap, "%sGET /next HTTP/1.1\r\n", good[i]);
}

START_TEST(every_split_point_gives_the_same_request)
{
    for (size_t i = 0; i < GOOD; i++) {
        char text[512];
        struct http_request whole, cut;
        size_t n = with_tail(i, text, sizeof text), head = strlen(good[i]), used;
        ck_assert_int_eq(feed_cut(text, n, NULL, 0, &whole, &used), HTTP_COMPLETE);
        ck_assert_uint_eq(used, head);
        for (size_t a = 0; a <= n; a++) {
            ck_assert_int_eq(feed_cut(text, n, &a, 1, &cut, &used), HTTP_COMPLETE);
            ck_assert_uint_eq(used, head);
            same_request(&whole, &cut);
        }
    }
}
END_TEST

START_TEST(every_pair_of_split_points_gives_the_same_request)
{
    for (size_t i = 0; i < GOOD; i++) {
        struct http_request whole, cut;
        size_t n = strlen(good[i]), used;
        feed_cut(good[i], n, NULL, 0, &whole, &used);
        for (size_t a = 0; a <= n; a++)
            for (size_t b = a; b <= n; b++) {
                size_t cuts[] = { a, b };
                ck_assert_int_eq(feed_cut(good[i], n, cuts, 2, &cut, &used), HTTP_COMPLETE);
                same_request(&whole, &cut);
            }
    }
}
END_TEST

START_TEST(byte_by_byte)
{
    for (size_t i = 0; i < GOOD; i++) {
        struct http_request whole, cut;
        size_t cuts[512], n = strlen(good[i]), used;
        for (size_t at = 0; at < n; at++)
            cuts[at] = at + 1;
        feed_cut(good[i], n, NULL, 0, &whole, &used);
        ck_assert_int_eq(feed_cut(good[i], n, cuts, n - 1, &cut, &used), HTTP_COMPLETE);
        ck_assert_uint_eq(used, n);
        same_request(&whole, &cut);
    }
}
END_TEST

START_TEST(fields_mean_what_they_say)
{
    struct http_request r;
    feed(good[2], &r);
    ck_assert_str_eq(r.path.text, "/a b/\xe4\xb8\xad.txt");
    ck_assert(r.keep_alive);
    ck_assert_uint_eq(r.hosts, 0);
    feed(good[3], &r);
    ck_assert_str_eq(r.path.text, "/p/q");
    ck_assert(!r.keep_alive);
    feed(good[4], &r);
    ck_assert(http_path_finish(&r.path));
    ck_assert_str_eq(r.path.text, "/");
    feed(good[5], &r);
    ck_assert(r.expect_continue);
    ck_assert_uint_eq(http_request_body(&r), 1048576);
    feed(good[6], &r);
    ck_assert(r.chunked);
    feed(good[7], &r);
    ck_assert_int_eq(r.range, RANGE_FROM_TO);
    ck_assert_uint_eq(r.range_a, 100);
    ck_assert_uint_eq(r.range_b, 199);
    ck_assert_int_eq(r.if_range, IF_RANGE_TAG);
    ck_assert_uint_eq(r.if_range_value, 0x0123456789abcdef);
    feed(good[8], &r);
    ck_assert_int_eq(r.range, RANGE_LAST);
    ck_assert_int_eq(r.if_range, IF_RANGE_DATE);
    ck_assert_uint_eq(r.if_range_value, 784111777);
    feed(good[9], &r);
    ck_assert_int_eq(r.range, RANGE_FROM);
    ck_assert_int_eq(r.modified_since, 784111777);
    feed(good[10], &r);
    ck_assert_uint_eq(r.n_tags, 2);
    ck_assert_uint_eq(r.tags[0], 0x0123456789abcdef);
    ck_assert_int_eq(r.modified_since, 784111777);
    feed(good[11], &r);
    ck_assert(r.any_tag);
    ck_assert_int_eq(r.range, RANGE_IGNORED);
    feed(good[12], &r);
    ck_assert_uint_eq(r.hosts, 2);
    ck_assert_int_eq(r.range, RANGE_IGNORED);
    feed(good[13], &r);
    ck_assert_uint_eq(r.n_tags, 2);
    feed(good[14], &r);
    ck_assert(!http_path_finish(&r.path));
}
END_TEST

START_TEST(odd_ranges_are_ignored_not_misread)
{
    static const char *const odd[] = {
        "bytes=", "bytes=-", "bytes=a-b", "bytes=1", "bytes=5-4", "bytes=1-2,3-4", "bytes=1-2x", "lines=1-2", "bytes=--5",
        "bytes=99999999999999999999-", "bytes=0-99999999999999999999", "bytes 1-2", "",
        "bytes=1-2                                                                   3",
    };
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        char text[256];
        struct http_request r;
        snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: a\r\nRange: %s\r\n\r\n", odd[i]);
        ck_assert_int_eq(feed(text, &r), HTTP_COMPLETE);
        ck_assert_msg(r.range == RANGE_IGNORED, "'%s'", odd[i]);
    }
}
END_TEST

/* Where a body ends that is encoded is not known without decoding it: nothing behind the head may pass for another request
 * (RFC 9112 section 6.3). */
START_TEST(encoded_bodies_end_the_connection)
{
    static const char *const codings[] = { "chunked", "gzip", "gzip, chunked", "chunked, gzip", "identity", "xchunked", "" };
    for (size_t i = 0; i < sizeof codings / sizeof *codings; i++) {
        char text[256];
        struct http_request r;
        snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: %s\r\n\r\n", codings[i]);
        ck_assert_int_eq(feed(text, &r), HTTP_COMPLETE);
        ck_assert_msg(r.chunked, "'%s'", codings[i]);
    }
}
END_TEST

START_TEST(bad_input_has_its_own_outcome)
{
    static const struct { const char *text; enum http_progress outcome; } bad[] = {
        { "FOO / HTTP/1.1\r\n\r\n", HTTP_UNKNOWN_METHOD },
        { "GETX / HTTP/1.1\r\n\r\n", HTTP_UNKNOWN_METHOD },
        { "PRI * HTTP/2.0\r\n\r\n", HTTP_UNKNOWN_METHOD },
        { "\x16\x03\x01\x02", HTTP_BAD },
        { " GET / HTTP/1.1\r\n\r\n", HTTP_BAD },
        { "GET / XTTP/1.1\r\n\r\n", HTTP_BAD },
        { "GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n", HTTP_BAD },
        { "GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", HTTP_BAD },
        { "POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", HTTP_BAD },
        { "GET / HTTP/1.1\r\nA\x01: c\r\n\r\n", HTTP_BAD },
        { "GET  HTTP/1.1\r\n\r\n", HTTP_BAD },
        { "GET \x01 HTTP/1.1\r\n\r\n", HTTP_BAD },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct http_request r;
        size_t n = strlen(bad[i].text), used;
        for (size_t at = 0; at <= n; at++) {
            enum http_progress p = feed_cut(bad[i].text, n, &at, 1, &r, &used);
            ck_assert_msg(p == bad[i].outcome, "'%s' cut at %zu: %d", bad[i].text, at, p);
        }
    }
}
END_TEST

/* A head of n bytes: request line, Host, and one long field. */
static char *long_head(size_t n)
{
    static const char front[] = "GET / HTTP/1.1\r\nHost: a\r\nCookie: ";
    char *text = malloc(n + 1);
    memset(text, 'c', n);
    memcpy(text, front, sizeof front - 1);
    memcpy(text + n - 4, "\r\n\r\n", 5);
    return text;
}

START_TEST(long_heads_work_up_to_the_limit)
{
    const size_t sizes[] = { 6144, HTTP_HEAD_MAX - 1, HTTP_HEAD_MAX, HTTP_HEAD_MAX + 1, 65536 };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char *text = long_head(sizes[i]);
        size_t cuts[128], n = 0, used;
        struct http_request r;
        for (size_t at = 1000; at < sizes[i]; at += 1000)
            cuts[n++] = at;
        enum http_progress p = feed_cut(text, sizes[i], cuts, n, &r, &used);
        ck_assert_int_eq(p, sizes[i] <= HTTP_HEAD_MAX ? HTTP_COMPLETE : HTTP_TOO_LARGE);
        free(text);
    }
}
END_TEST

START_TEST(long_paths_are_marked_and_still_fit)
{
    for (size_t n = HTTP_PATH_MAX - 2; n <= HTTP_PATH_MAX + 2; n++) {
        char text[2048];
        struct http_request r;
        size_t used, at = snprintf(text, sizeof text, "GET /");
        for (size_t i = 1; i < n; i++)
            at += (size_t)snprintf(text + at, sizeof text - at, "%%7a");
        size_t total = at + (size_t)snprintf(text + at, sizeof text - at, " HTTP/1.1\r\nHost: a\r\nIf-None-Match: \"0123456789abcdef\","
                                             " \"0123456789abcdee\", \"                                          \r\n\r\n");
        for (size_t cut = 0; cut < total; cut++) {
            ck_assert_int_eq(feed_cut(text, total, &cut, 1, &r, &used), HTTP_COMPLETE);
            ck_assert_uint_eq(r.path.too_long, n > HTTP_PATH_MAX);
        }
    }
}
END_TEST

START_TEST(a_saved_request_is_loaded_whole_or_not_at_all)
{
    struct http_request r, other;
    uint8_t saved[HTTP_SAVED_MAX + 1];
    size_t used;
    http_request_init(&r);
    ck_assert_int_eq(http_request_feed(&r, (const uint8_t *)good[10], 70, &used), HTTP_MORE);
    size_t n = http_request_save(&r, saved);
    ck_assert(http_request_load(&other, saved, n));
    for (size_t i = 1; i < n; i++)
        ck_assert(!http_request_load(&other, saved, i));
    ck_assert(!http_request_load(&other, saved, n + 1));
    saved[0]++;
    ck_assert(!http_request_load(&other, saved, n));
    saved[0]--;
    saved[3]++;                        /* another version of the parser library */
    ck_assert(!http_request_load(&other, saved, n));
}
END_TEST

/* The seal keeps clients from changing any of it; what a faulty replica may write is still bounded. The parser's own
 * state (the first 26 bytes) is its library's to trust. */
START_TEST(no_lengths_in_a_continuation_can_do_harm)
{
    uint8_t saved[HTTP_SAVED_MAX];
    for (size_t i = 0; i < GOOD; i++)
        for (size_t cut = 1; cut < strlen(good[i]); cut += 3) {
            struct http_request r;
            size_t used;
            http_request_init(&r);
            http_request_feed(&r, (const uint8_t *)good[i], cut, &used);
            size_t n = http_request_save(&r, saved);
            for (size_t at = 26; at < n; at++)
                for (int bit = 0; bit < 8; bit++) {
                    saved[at] ^= (uint8_t)(1 << bit);
                    if (http_request_load(&r, saved, n))
                        http_request_feed(&r, (const uint8_t *)good[i] + cut, strlen(good[i]) - cut, &used);
                    saved[at] ^= (uint8_t)(1 << bit);
                }
        }
}
END_TEST

/* Damaged requests, cut anywhere: the same outcome as in one piece. */
START_TEST(damaged_requests_end_the_same_in_pieces)
{
    uint32_t seed = 7;
    for (int round = 0; round < 30000; round++) {
        char text[512];
        struct http_request whole, cut;
        size_t cuts[3], n = with_tail((size_t)round % GOOD, text, sizeof text), used_whole, used_cut;
        for (int change = 0; change < 1 + round % 3; change++) {
            seed = seed * 1664525 + 1013904223;
            text[(seed >> 8) % n] = seed & 1 ? (char)(seed >> 24) : "\r\n :,/%?\"=-"[(seed >> 24) % 12];
        }
        seed = seed * 1664525 + 1013904223;
        cuts[0] = (seed >> 4) % n;
        cuts[1] = cuts[0] + (seed >> 12) % (n - cuts[0]);
        cuts[2] = cuts[1] + (seed >> 20) % (n - cuts[1]);
        enum http_progress p = feed_cut(text, n, NULL, 0, &whole, &used_whole);
        ck_assert_msg(feed_cut(text, n, cuts, 3, &cut, &used_cut) == p, "%d: '%s' cut at %zu %zu %zu", p, text, cuts[0], cuts[1], cuts[2]);
        if (p != HTTP_COMPLETE)
            continue;
        ck_assert_uint_eq(used_cut, used_whole);
        same_request(&whole, &cut);
    }
}
END_TEST

UNIT_MAIN("http_request", every_split_point_gives_the_same_request, every_pair_of_split_points_gives_the_same_request, byte_by_byte,
          fields_mean_what_they_say, odd_ranges_are_ignored_not_misread, encoded_bodies_end_the_connection, bad_input_has_its_own_outcome, long_heads_work_up_to_the_limit,
          long_paths_are_marked_and_still_fit, damaged_requests_end_the_same_in_pieces, a_saved_request_is_loaded_whole_or_not_at_all, no_lengths_in_a_continuation_can_do_harm)
