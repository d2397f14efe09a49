/* libminisocket: answers that cannot be made again. */
#include "loopback.h"

/* Each answer is made of a counter, so none is ever made twice: its number in text, repeated to `length` bytes. */
static struct msk_once *once;
static unsigned made;
static size_t length;
static uint8_t expected[1 << 18];

static size_t make(uint8_t *out)
{
    char number[16];
    int n = snprintf(number, sizeof number, "%07u\n", ++made);
    for (size_t i = 0; i < length; i++)
        out[i] = (uint8_t)number[i % (size_t)n];
    return length;
}

static int losing;                     /* percent of answers that do not leave */
#define TIMES 4
static void count(struct minisock *m, const struct msk_event *e, void *arg)
{
    static uint8_t answer[1 << 16];
    (void)arg;
    if (e->input.present && msk_once_again(once, m) == 0) {
        struct msk_output o = { .consumed = e->input.bytes, .output = { answer, make(answer) }, .input = { "state", 5 }, .encrypt = true };
        if (e->input.offset > 0)
            ck_assert_mem_eq(e->input.opaque, "state", 5);
        ck_assert_int_eq(msk_once_done(once, m, &o), 0);
    }
    for (size_t i = 0; i < msk_ranges(m); i++)
        ck_assert_int_eq(msk_once_give(once, m, i), 0);
    if (e->type == MSK_REQUEST && rand() % 100 < losing)
        msk_drop(m);
    else
        ck_assert_int_eq(msk_reply(m), 0);
}

static void ask_often(void)
{
    size_t total = 0;
    struct msk_server *server = open_server(NULL, "127.0.0.1:0");
    begin(server, count, NULL, "");
    for (int i = 0; i < TIMES; i++) {
        unsigned before = made;
        write_text("?");
        ck_assert(receive(total + length));
        ck_assert_uint_eq(made, before + 1);     /* once, however often the input came */
        made = before;
        total += make(expected + total);
        ck_assert_uint_eq(ends.received_bytes, total);
        ck_assert_mem_eq(ends.received, expected, total);
    }
    end_client();
    msk_close(server);
}

START_TEST(each_answer_is_made_once)
{
    static const size_t lengths[] = { 1, MSK_ONCE_INLINE, MSK_ONCE_INLINE + 1, 20000 };
    uint64_t again = 0;
    srand(7);
    for (losing = 0; losing <= 25; losing += 25)
        for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
            struct msk_once_stats s;
            once = msk_once_open(1 << 20, 0);
            ck_assert_ptr_nonnull(once);
            length = lengths[i];
            ask_often();
            msk_once_count(once, &s);
            ck_assert_uint_eq(s.answers, TIMES);
            ck_assert_uint_eq(s.inlined, length <= MSK_ONCE_INLINE ? TIMES : 0);
            ck_assert_uint_eq(s.evicted, 0);
            ck_assert_uint_ge(s.bytes, TIMES * length);
            again += s.again;
            msk_once_close(once);
        }
    ck_assert_uint_gt(again, 0);
}
END_TEST

/* ---- evicted, or kept by another process: a verdict ---- */

static bool forget;
static int verdict;
static void forgetful(struct minisock *m, const struct msk_event *e, void *arg)
{
    static uint8_t answer[1 << 16];
    (void)arg;
    if (e->input.present) {
        struct msk_output o = { .consumed = e->input.bytes, .output = { answer, make(answer) } };
        ck_assert_int_eq(msk_once_done(once, m, &o), 0);
        msk_reply(m);                  /* what it said is there; its bytes are asked for in the next event */
        if (forget) {
            msk_once_close(once);
            once = msk_once_open(1 << 20, 0);
        }
        return;
    }
    for (size_t i = 0; i < msk_ranges(m); i++) {
        verdict = msk_once_give(once, m, i);
        if (verdict != 0) {
            msk_reset(m);
            return;
        }
    }
    msk_reply(m);
}

START_TEST(gone_is_a_verdict)
{
    struct msk_once_stats s;
    once = msk_once_open(1 << 20, 0);
    struct msk_server *server = open_server(NULL, "127.0.0.1:0");
    length = 300;
    forget = true;
    begin(server, forgetful, NULL, "");
    write_text("?");
    ck_assert(receive(300));           /* inline: nothing can lose it */
    length = 3000;
    write_text("?");
    ck_assert(run_until(was_reset));
    ck_assert_int_eq(verdict, -ESTALE);
    msk_once_count(once, &s);
    ck_assert_uint_eq(s.stale, 1);
    end_client();
    msk_close(server);
    msk_once_close(once);
}
END_TEST

static void not_ours(struct minisock *m, const struct msk_event *e, void *arg)
{
    (void)arg;
    if (e->input.present)
        say(m, e->input.bytes, "mine", 4, true);
    for (size_t i = 0; i < msk_ranges(m); i++) {
        struct msk_range r;
        ck_assert_int_eq(msk_range(m, i, &r), 0);
        ck_assert_int_eq(msk_once_give(once, m, i), r.bytes > 0 ? -ENOMSG : 0);
    }
    ck_assert_int_eq(msk_once_give(once, m, msk_ranges(m)), -ERANGE);
    give_opaque(m);
    msk_reply(m);
    ck_assert_int_eq(msk_once_give(once, m, 0), -EBADF);
}

START_TEST(answers_of_another_kind)
{
    once = msk_once_open(4096, 0);
    struct msk_server *server = open_server(NULL, "127.0.0.1:0");
    begin(server, not_ours, NULL, "?");
    expect_text("mine");
    end_client();
    msk_close(server);
    msk_once_close(once);
}
END_TEST

/* ---- its memory ---- */

static bool keeps;
static unsigned refused;
static size_t fits;
static void fill(struct minisock *m, const struct msk_event *e, void *arg)
{
    static uint8_t answer[1 << 17];
    (void)arg;
    if (e->input.present && msk_once_again(once, m) == 0) {
        struct msk_output o = { .consumed = e->input.bytes, .output = { answer, sizeof answer } };
        ck_assert_int_eq(msk_once_done(once, m, &o), -ENOBUFS);        /* larger than all of it */
        o.output.bytes = 700 + made % 1500;
        memset(answer, 'a' + made % 26, o.output.bytes);
        int rc = msk_once_done(once, m, &o);
        if (rc != 0) {
            ck_assert_int_eq(rc, -ENOBUFS);
            ck_assert(keeps);
            refused++;
            o.output.bytes = MSK_ONCE_INLINE;                           /* what fits inline needs no memory */
            memset(answer, 'a' + made % 26, o.output.bytes);
            ck_assert_int_eq(msk_once_done(once, m, &o), 0);
        } else
            fits++;
        memset(expected, 'a' + made % 26, o.output.bytes);
        length = o.output.bytes;
        made++;
    }
    for (size_t i = 0; i < msk_ranges(m); i++)
        ck_assert_int_eq(msk_once_give(once, m, i), 0);
    msk_reply(m);
}

START_TEST(bounded_memory)
{
    ck_assert_ptr_null(msk_once_open(4095, 0));
    ck_assert_int_eq(errno, EINVAL);
    msk_once_close(NULL);
    for (int way = 0; way < 2; way++) {
        struct msk_once_stats s;
        keeps = way == 1;
        made = refused = 0;
        fits = 0;
        once = msk_once_open(1 << 16, keeps ? 3600000 : 0);
        struct msk_server *server = open_server(NULL, "127.0.0.1:0");
        size_t total = 0;
        begin(server, fill, NULL, "");
        for (unsigned i = 0; i < 200; i++) {
            write_text("?");
            ck_assert(receive(total + 1));
            ck_assert(receive(total + length));
            ck_assert_mem_eq(ends.received + total, expected, length);
            total += length;
        }
        ck_assert_uint_eq(made, 200);
        msk_once_count(once, &s);
        ck_assert_uint_le(s.bytes, 1 << 16);
        ck_assert_uint_ge(s.bytes, (1 << 16) * 9 / 10 - 2300);
        if (keeps) {
            ck_assert_uint_gt(refused, 100);
            ck_assert_uint_gt(fits, 20);
            ck_assert_uint_eq(s.evicted, 0);
        } else {
            ck_assert_uint_eq(refused, 0);
            ck_assert_uint_gt(s.evicted, 100);
        }
        end_client();
        msk_close(server);
        msk_once_close(once);
    }
}
END_TEST

LOOPBACK_MAIN("minisocket_once", each_answer_is_made_once, gone_is_a_verdict, answers_of_another_kind, bounded_memory)
