/* libminisocket: bytes for ranges: from vectors, from files, packet by packet, and the ends of outputs. */
#include <fcntl.h>
#include "loopback.h"

#define HEAD "the head, from memory\n"
#define HEAD_BYTES (sizeof HEAD - 1)
#define FILE_BYTES 200000
static int file;
static uint8_t content[FILE_BYTES];

static void make_file(void)
{
    char name[] = "/tmp/trk-unit-XXXXXX";
    for (size_t i = 0; i < sizeof content; i++)
        content[i] = (uint8_t)(i * 2654435761u >> 11);
    file = mkstemp(name);
    ck_assert_int_ge(file, 0);
    unlink(name);
    ck_assert_int_eq(write(file, content, sizeof content), sizeof content);
}

static void open_output(struct minisock *m, const struct msk_event *e)
{
    struct msk_output o = { .consumed = e->input.bytes, .output = { "f", 1 }, .length = HEAD_BYTES + FILE_BYTES, .last = true };
    if (e->input.present)
        ck_assert_int_eq(msk_done(m, &o), 0);
}

/* What the ranges ask for, as pieces of the head and of the file, cut once more in the middle. */
static int pieces_of(struct minisock *m, struct fiovec *out)
{
    int n = 0;
    for (size_t i = 0; i < msk_ranges(m); i++) {
        struct msk_range r;
        ck_assert_int_eq(msk_range(m, i, &r), 0);
        uint64_t at = r.offset, end = r.offset + r.bytes;
        if (at < HEAD_BYTES && at < end) {
            size_t bytes = end < HEAD_BYTES ? end - at : HEAD_BYTES - at;
            out[n++] = (struct fiovec){ .fd = -1, .data = &HEAD[at], .bytes = bytes };
            at += bytes;
        }
        if (at < end) {
            size_t half = (end - at + 1) / 2;
            out[n++] = (struct fiovec){ .fd = file, .offset = at - HEAD_BYTES, .bytes = half };
            out[n++] = (struct fiovec){ .fd = file, .offset = at - HEAD_BYTES + half, .bytes = end - at - half };
        }
        ck_assert_int_le(n, 250);
    }
    return n;
}

static bool tried_errors;
static void from_files(struct minisock *m, const struct msk_event *e, void *arg)
{
    struct fiovec v[256], wrong;
    (void)arg;
    open_output(m, e);
    int n = pieces_of(m, v);
    if (!tried_errors && n > 1) {
        tried_errors = true;
        wrong = v[n - 1];
        v[n - 1].offset = FILE_BYTES - 1;
        v[n - 1].bytes = 2;
        ck_assert_int_eq(msk_sendfilev(m, v, n), -ENODATA);
        v[n - 1] = wrong;
        v[n - 1].fd = 999;
        ck_assert_int_eq(msk_sendfilev(m, v, n), -EBADF);
        v[n - 1] = wrong;
        v[n] = (struct fiovec){ .fd = -1, .data = "too much", .bytes = 8 };
        ck_assert_int_eq(msk_sendfilev(m, v, n + 1), -EINVAL);
        ck_assert_int_eq(msk_sendfilev(m, v, -1), -EINVAL);
    }
    ck_assert_int_eq(msk_sendfilev(m, v, n), 0);
    ck_assert_int_eq(msk_sendfilev(m, v, n), -EBADF);
}

/* The same bytes as pieces of memory, whose ends have nothing to do with those of ranges. */
static void from_memory(struct minisock *m, const struct msk_event *e, void *arg)
{
    struct fiovec files[256];
    struct tiovec v[1025] = { { NULL, 0 } };
    (void)arg;
    open_output(m, e);
    int n = pieces_of(m, files), k = 0;
    for (int i = 0; i < n; i++) {
        const uint8_t *data = files[i].fd < 0 ? files[i].data : content + files[i].offset;
        for (size_t at = 0; at < files[i].bytes && k < 1000; k++) {
            size_t bytes = files[i].bytes - at < 777 || k > 900 ? files[i].bytes - at : 777;
            v[k] = (struct tiovec){ data + at, bytes };
            at += bytes;
        }
    }
    ck_assert_int_eq(msk_sendv(m, v, 1025), -EINVAL);
    ck_assert_int_eq(msk_sendv(m, v, -1), -EINVAL);
    ck_assert_int_eq(msk_sendv(m, v, k), 0);
    ck_assert_int_eq(msk_sendv(m, v, k), -EBADF);
}

/* All data is given from one piece; a byte more is too much. */
static void in_one_piece(struct minisock *m, const struct msk_event *e, void *arg)
{
    static uint8_t all[MSK_ANSWER_BYTES_MAX];
    struct fiovec files[256];
    size_t used = 0;
    (void)arg;
    open_output(m, e);
    int n = pieces_of(m, files);
    for (int i = 0; i < n; used += files[i++].bytes)
        memcpy(all + used, files[i].fd < 0 ? files[i].data : content + files[i].offset, files[i].bytes);
    ck_assert_int_eq(msk_send(m, all, used + 1), -EINVAL);
    ck_assert_int_eq(msk_send(m, all, used), 0);
    ck_assert_int_eq(msk_send(m, all, used), -EBADF);
}

/* Half of what was asked: the client asks for the rest again. */
static void half(struct minisock *m, const struct msk_event *e, void *arg)
{
    struct fiovec v[256];
    (void)arg;
    open_output(m, e);
    int n = pieces_of(m, v);
    ck_assert_int_eq(msk_sendfilev(m, v, n > 1 ? n - 1 : n), 0);
}

static void expect_all(msk_handler handler)
{
    struct msk_server *server = open_server(NULL, "127.0.0.1:0");
    begin(server, handler, NULL, "go");
    ck_assert(run_until(at_end));
    ck_assert_uint_eq(ends.received_bytes, HEAD_BYTES + FILE_BYTES);
    ck_assert_mem_eq(ends.received, HEAD, HEAD_BYTES);
    ck_assert_mem_eq(ends.received + HEAD_BYTES, content, FILE_BYTES);
    end_client();
    msk_close(server);
}

START_TEST(files_and_memory)
{
    make_file();
    expect_all(from_files);
    ck_assert(tried_errors);
    expect_all(from_memory);
    expect_all(in_one_piece);
    expect_all(half);
}
END_TEST

/* ---- packet by packet ---- */

static size_t most_packets, input_answers;
static void by_packets(struct minisock *m, const struct msk_event *e, void *arg)
{
    size_t wanted = 0, planned = 0, answers = 0;
    struct msk_packet p;
    (void)arg;
    open_output(m, e);
    for (size_t i = 0; i < msk_packets(m); i++) {
        struct msk_range r;
        ck_assert_int_eq(msk_packet(m, i, &p), 0);
        answers += p.answers_input;
        if (p.bytes == 0) {
            ck_assert_uint_eq(p.range, msk_ranges(m));
            continue;
        }
        ck_assert_int_eq(msk_range(m, p.range, &r), 0);
        if (r.bytes > 0)
            ck_assert(p.offset >= r.offset);
        planned += p.bytes;
    }
    if (msk_packets(m) > most_packets)
        most_packets = msk_packets(m);
    if (e->type == MSK_REQUEST)
        ck_assert_uint_eq(answers, e->input.present);
    input_answers += answers;
    ck_assert_int_eq(msk_packet(m, msk_packets(m), &p), -ERANGE);
    for (size_t i = 0; i < msk_ranges(m); i++) {
        struct msk_range r;
        ck_assert_int_eq(msk_range(m, i, &r), 0);
        wanted += r.bytes;
    }
    ck_assert_uint_ge(planned, wanted);
    struct fiovec v[256];
    int n = pieces_of(m, v);
    ck_assert_int_eq(msk_sendfilev(m, v, n), 0);
    ck_assert_uint_eq(msk_packets(m), 0);
    ck_assert_int_eq(msk_packet(m, 0, &p), -EBADF);
}

START_TEST(packets_of_an_answer)
{
    make_file();
    expect_all(by_packets);
    ck_assert_uint_ge(most_packets, 10);
    ck_assert_uint_ge(input_answers, 1);
}
END_TEST

/* ---- the end of an output of unknown length ---- */

static uint64_t true_end;              /* of the first output: "a" makes it; "b" is answered by "bb" */
static bool by_until, saw_behind;
static void ending(struct minisock *m, const struct msk_event *e, void *arg)
{
    static uint8_t data[MSK_ANSWER_BYTES_MAX];
    (void)arg;
    memset(data, 'd', sizeof data);
    if (e->input.present && e->input.data[0] == 'a') {
        struct msk_output o = { .consumed = 1, .output = { "u", 1 }, .length = MSK_LENGTH_UNKNOWN };
        ck_assert_int_eq(msk_done(m, &o), 0);
    } else if (e->input.present) {
        ck_assert_uint_eq(e->input.output_offset, true_end);
        ck_assert_uint_eq(e->input.opaque_bytes, 1);
        say(m, 1, "bb", 2, true);
    } else if (e->type == MSK_OPEN)
        ck_assert_int_eq(msk_give_end(m, 0, "", 0, (struct msk_bytes){ NULL, 0 }, false), -EINVAL);     /* no output yet */
    for (size_t i = 0; i < msk_ranges(m); i++) {
        struct msk_range r;
        ck_assert_int_eq(msk_range(m, i, &r), 0);
        if (r.bytes > 0 && r.end != MSK_LENGTH_UNKNOWN) {
            ck_assert_int_eq(msk_give_until(m, i, data, r.bytes, r.end, (struct msk_bytes){ NULL, 0 }, false), -EINVAL);
            ck_assert_int_eq(msk_give(m, i, r.opaque + (r.offset - r.first), r.bytes), 0);
        } else if (r.bytes > 0 && by_until) {
            saw_behind |= r.offset > true_end;
            ck_assert_int_eq(msk_give_until(m, i, data, r.bytes, true_end, (struct msk_bytes){ "n", 1 }, false), 0);
        } else if (r.bytes > 0) {
            size_t n = r.offset >= true_end ? 0 : r.offset + r.bytes > true_end ? true_end - r.offset : r.bytes;
            if (r.offset <= true_end && r.offset + r.bytes >= true_end) {
                if (i > 0)             /* there are bytes before it that were not given whole, or an end elsewhere */
                    ck_assert_int_eq(msk_give_end(m, i, data, r.bytes + 1, (struct msk_bytes){ "n", 1 }, false), -EINVAL);
                ck_assert_int_eq(msk_give_end(m, i, data, n, (struct msk_bytes){ "n", 1 }, false), 0);
                ck_assert_int_eq(msk_give_end(m, i, data, n, (struct msk_bytes){ "n", 1 }, false), -EINVAL);
            } else
                ck_assert_int_eq(msk_give(m, i, data, n), 0);
        }
    }
    ck_assert_int_eq(msk_reply(m), 0);
}

START_TEST(outputs_end_where_they_end)
{
    static const uint64_t ends_at[] = { 0, 1, 100, 1400, 1423, 1424, 5000, 14230, 100000 };
    for (int way = 0; way < 2; way++)
        for (size_t i = 0; i < sizeof ends_at / sizeof *ends_at; i++) {
            by_until = way;
            true_end = ends_at[i];
            struct msk_server *server = open_server(NULL, "127.0.0.1:0");
            begin(server, ending, NULL, "");
            write_text("a");
            ck_assert(receive(true_end));
            pause_ms(20);
            write_text("b");
            ck_assert(run_until(at_end));
            ck_assert_uint_eq(ends.received_bytes, true_end + 2);
            ck_assert_mem_eq(ends.received + true_end, "bb", 2);
            end_client();
            msk_close(server);
        }
}
END_TEST

/* A program that says the end of a range wholly behind it, after it gave less than was asked before it, is told so. */
static bool contradicted;
static void contradict(struct minisock *m, const struct msk_event *e, void *arg)
{
    static uint8_t data[MSK_ANSWER_BYTES_MAX];
    struct msk_range r, other;
    (void)arg;
    if (e->input.present) {
        struct msk_output o = { .consumed = 2, .output = { "u", 1 }, .length = MSK_LENGTH_UNKNOWN };
        ck_assert_int_eq(msk_done(m, &o), 0);
    }
    bool two = msk_ranges(m) >= 2 && msk_range(m, 0, &r) == 0 && msk_range(m, 1, &other) == 0 && r.bytes > 1 && other.bytes > 0 &&
               r.end == MSK_LENGTH_UNKNOWN && other.end == r.end && other.offset > r.offset;
    if (two && !contradicted) {
        ck_assert_int_eq(msk_give(m, 0, data, 1), 0);
        ck_assert_int_eq(msk_give_end(m, 1, data, 0, (struct msk_bytes){ NULL, 0 }, false), -EINVAL);
        ck_assert_int_eq(msk_give(m, 1, data, 1), 0);
        ck_assert_int_eq(msk_give_end(m, 0, data, 1, (struct msk_bytes){ NULL, 0 }, false), -EINVAL);
        contradicted = true;
    }
    for (size_t i = 0; i < msk_ranges(m); i++)
        if (msk_range(m, i, &r) == 0 && r.bytes > 0)
            ck_assert_int_eq(msk_give_until(m, i, data, r.bytes > 700 ? r.bytes - 700 : r.bytes, 60000, (struct msk_bytes){ NULL, 0 }, true), 0);
    ck_assert_int_eq(msk_reply(m), 0);
}

START_TEST(ends_that_contradict)
{
    struct msk_server *server = open_server(NULL, "127.0.0.1:0");
    begin(server, contradict, NULL, "");
    write_text("go");
    ck_assert(run_until(at_end));
    ck_assert_uint_eq(ends.received_bytes, 60000);
    ck_assert(contradicted);
    end_client();
    msk_close(server);
}
END_TEST

LOOPBACK_MAIN("minisocket_send", files_and_memory, packets_of_an_answer, outputs_end_where_they_end, ends_that_contradict)
