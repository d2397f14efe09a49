/* What the load generator takes for a whole answer, fed at once and byte by byte. */
#include <sodium.h>
#include <string.h>
#include "load.h"
#include "unit.h"

static struct load load;
static struct target target;
static struct load_conn conn = { .load = &load, .target = &target };

static void feed(const char *text, size_t step)
{
    size_t bytes = strlen(text);
    answer_begin(&conn);
    for (size_t i = 0; i < bytes; i += step)
        if (!answer_take(&conn, (const uint8_t *)text + i, step < bytes - i ? step : bytes - i))
            return;
}

#define HEAD "HTTP/1.1 200 OK\r\n"

START_TEST(with_a_length)
{
    for (size_t step = 1; step <= 100; step += 33) {
        feed(HEAD "Content-Length: 5\r\n\r\nhello", step);
        ck_assert(conn.complete && conn.keep && !conn.bad);
        ck_assert_uint_eq(conn.body_bytes, 5);
        ck_assert_uint_eq(conn.parser.status_code, 200);
    }
}
END_TEST

START_TEST(in_chunks)
{
    for (size_t step = 1; step <= 100; step += 33) {
        feed(HEAD "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", step);
        ck_assert(conn.complete && conn.keep && !conn.bad);
        ck_assert_uint_eq(conn.body_bytes, 5);
    }
}
END_TEST

START_TEST(ended_by_the_stream)
{
    feed(HEAD "\r\nhello", 3);
    ck_assert(!conn.complete && !conn.bad);
    answer_ended(&conn);
    ck_assert(conn.complete && !conn.keep && !conn.bad);
    ck_assert_uint_eq(conn.body_bytes, 5);
}
END_TEST

START_TEST(cut_short)
{
    feed(HEAD "Content-Length: 6\r\n\r\nhello", 100);
    ck_assert(!conn.complete);
    answer_ended(&conn);
    ck_assert(!conn.complete);
    ck_assert_str_eq(conn.bad, "the connection ended before the answer was complete");
}
END_TEST

START_TEST(last_of_its_connection)
{
    feed(HEAD "Connection: close\r\nContent-Length: 0\r\n\r\n", 100);
    ck_assert(conn.complete && !conn.keep);
}
END_TEST

START_TEST(wrong)
{
    feed("SSH-2.0-OpenSSH\r\n", 100);
    ck_assert_str_eq(conn.bad, "the answer is not HTTP");
    feed(HEAD "Content-Length: 2\r\n\r\nhi and more", 100);
    ck_assert_str_eq(conn.bad, "bytes after the answer's end");
}
END_TEST

START_TEST(compared)
{
    conn.hash = aligned_alloc(64, (sizeof *conn.hash + 63) & ~(size_t)63);
    static const char *const bodies[] = { "hello", "hello", "hullo" };
    for (int i = 0; i < 3; i++) {
        char text[100];
        snprintf(text, sizeof text, HEAD "Content-Length: 5\r\n\r\n%s", bodies[i]);
        feed(text, 7);
        answer_verify(&conn);
        ck_assert(!conn.bad == (i < 2));
    }
    free(conn.hash);
    conn.hash = NULL;
}
END_TEST

UNIT_MAIN("load_answer", with_a_length, in_chunks, ended_by_the_stream, cut_short, last_of_its_connection, wrong, compared)
