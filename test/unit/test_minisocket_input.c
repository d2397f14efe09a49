/* libminisocket: the standard continuations (paper 4.1 to 4.3): input in pieces, state of the application between them, what it
 * hides, outputs whose end only it knows. */
#include <sodium.h>
#include "loopback.h"

static uint8_t buffer[MSK_ANSWER_BYTES_MAX];

/* Gathers a line over several packets, by each of the two ways; throws away what follows a '#'. */
static void lines(struct minisock *m, const struct msk_event *e, void *arg)
{
    const bool by_consuming = *(bool *)arg;
    const struct msk_input *in = &e->input;
    char line[MSK_OPAQUE_MAX];
    if (in->present) {
        memcpy(line, in->opaque, in->opaque_bytes);
        size_t n = in->opaque_bytes, more = in->bytes;
        const uint8_t *newline = in->bytes ? memchr(in->data, '\n', in->bytes) : NULL;
        if (newline)
            more = (size_t)(newline - in->data) + 1;
        ck_assert_uint_le(n + more, sizeof line);
        memcpy(line + n, in->data, more);
        if (newline)
            say(m, line[0] == '#' ? more + 100 : more, line, n + more, false);
        else if (by_consuming)
            ck_assert_int_eq(msk_more(m, more, (struct msk_bytes){ line, n + more }), 0);
        else
            ck_assert_int_eq(msk_more(m, 0, (struct msk_bytes){ NULL, 0 }), 0);
    }
    give_opaque(m);
    msk_reply(m);
}

START_TEST(input_in_pieces)
{
    for (int way = 0; way < 2; way++) {
        bool by_consuming = way == 0;
        struct msk_server *server = open_server(NULL, "127.0.0.1:0");
        begin(server, lines, &by_consuming, "");
        write_text("one ");
        pause_ms(30);
        write_text("line");
        pause_ms(30);
        write_text("\ntwo\nthree");
        expect_text("one line\ntwo\n");
        write_text("\n");
        expect_text("one line\ntwo\nthree\n");
        end_client();
        msk_close(server);
    }
}
END_TEST

START_TEST(input_that_is_thrown_away)
{
    bool by_consuming = true;
    char junk[101];
    struct msk_server *server = open_server(NULL, "127.0.0.1:0");
    begin(server, lines, &by_consuming, "");
    write_text("#refused\n");
    expect_text("#refused\n");
    memset(junk, 'j', 100);
    junk[100] = '\0';
    write_text(junk);
    write_text("after\n");
    expect_text("#refused\nafter\n");
    end_client();
    msk_close(server);
}
END_TEST

/* Speaks first, then counts with an output whose length only its end knows. */
static void greeting(struct minisock *m, const struct msk_event *e, void *arg)
{
    (void)arg;
    if (e->type == MSK_OPEN)
        say(m, 0, "hello", 5, false);
    else if (e->input.present && e->input.data[0] == '?') {
        struct msk_output o = { .consumed = e->input.bytes, .output = { "count", 5 }, .length = MSK_LENGTH_UNKNOWN };
        ck_assert_int_eq(msk_done(m, &o), 0);
    } else if (e->input.present) {
        ck_assert_uint_eq(e->input.opaque_bytes, e->input.data[0] == '!' ? 4 : 0);
        say(m, e->input.bytes, e->input.data, e->input.bytes, e->input.data[0] == '!');
    }
    for (size_t i = 0; i < msk_ranges(m); i++) {
        struct msk_range r;
        msk_range(m, i, &r);
        if (r.end != MSK_LENGTH_UNKNOWN) {
            if (r.bytes > 0)
                msk_give(m, i, r.opaque + (r.offset - r.first), r.bytes);
            continue;
        }
        ck_assert_uint_eq(r.opaque_bytes, 5);
        uint64_t at = r.offset - r.first, length = 20000;
        size_t n = at + r.bytes < length ? r.bytes : at < length ? (size_t)(length - at) : 0;
        memset(buffer, 'n', n);
        if (at + n != length)
            ck_assert_int_eq(msk_give(m, i, buffer, n), 0);
        else
            ck_assert_int_eq(msk_give_end(m, i, buffer, n, (struct msk_bytes){ "next", 4 }, false), 0);
    }
    msk_reply(m);
}

START_TEST(the_server_speaks_first_and_does_not_know_how_long)
{
    struct msk_server *server = open_server(NULL, "127.0.0.1:0");
    begin(server, greeting, NULL, "");
    expect_text("hello");
    write_text("x");
    expect_text("hellox");
    write_text("?");
    ck_assert(receive(20006));
    write_text("!");
    ck_assert(run_until(at_end));
    ck_assert_uint_eq(ends.received_bytes, 20007);
    ck_assert_mem_eq(ends.received, "helloxnn", 8);
    ck_assert_uint_eq(ends.received[20005], 'n');
    ck_assert_uint_eq(ends.received[20006], '!');
    end_client();
    msk_close(server);
}
END_TEST

/* ---- a digest over an upload of many packets ---- */

#define UPLOAD_BYTES 60000
static int largest_opaque;
struct upload { crypto_generichash_state digest; uint32_t bytes; };
_Static_assert(sizeof(struct upload) <= MSK_OPAQUE_MAX, "the running digest travels in the continuation");

/* Takes odd amounts, so that pieces end anywhere; the last bit of state is how much there was. */
static void digest(struct minisock *m, const struct msk_event *e, void *arg)
{
    const struct msk_input *in = &e->input;
    struct upload u;
    (void)arg;
    if (in->present && in->opaque_bytes == 0) {
        memset(&u, 0, sizeof u);
        crypto_generichash_init(&u.digest, NULL, 0, 32);
    } else if (in->present) {
        ck_assert_uint_eq(in->opaque_bytes, sizeof u);
        memcpy(&u, in->opaque, sizeof u);
        ck_assert_uint_eq(u.bytes, in->offset);
    }
    if (in->present) {
        size_t take = in->bytes > 1001 ? in->bytes - 7 : in->bytes;
        crypto_generichash_update(&u.digest, in->data, take);
        u.bytes += (uint32_t)take;
        if (in->end && take == in->bytes) {
            uint8_t hash[32];
            crypto_generichash_final(&u.digest, hash, sizeof hash);
            say(m, in->bytes + 1, hash, sizeof hash, true);
        } else
            ck_assert_int_eq(msk_more(m, take, (struct msk_bytes){ &u, sizeof u }), 0);
        if (in->opaque_bytes > (size_t)largest_opaque)
            largest_opaque = (int)in->opaque_bytes;
    }
    give_opaque(m);
    ck_assert_int_eq(msk_reply(m), 0);
}

START_TEST(a_digest_over_many_packets)
{
    static uint8_t body[UPLOAD_BYTES];
    uint8_t hash[32];
    ck_assert_int_ge(sodium_init(), 0);
    randombytes_buf(body, sizeof body);
    crypto_generichash(hash, sizeof hash, body, sizeof body, NULL, 0);
    struct msk_server *server = open_server(NULL, "127.0.0.1:0");
    begin(server, digest, NULL, "");
    ck_assert_uint_eq(trk_client_write(&ends.client, body, sizeof body, now_us()), sizeof body);
    trk_client_shutdown(&ends.client, now_us());
    ck_assert(run_until(at_end));
    ck_assert_uint_eq(ends.received_bytes, sizeof hash);
    ck_assert_mem_eq(ends.received, hash, sizeof hash);
    ck_assert_int_eq(largest_opaque, sizeof(struct upload));
    end_client();
    msk_close(server);
}
END_TEST

/* ---- what the client may not read ---- */

static void hide(struct minisock *m, const struct msk_event *e, void *arg)
{
    const bool encrypt = *(bool *)arg;
    const struct msk_input *in = &e->input;
    if (!in->present)
        ck_assert_int_eq(msk_encrypt_input(m), -EINVAL);
    if (in->present && in->data[0] == 'm')
        ck_assert_int_eq(msk_more(m, 1, (struct msk_bytes){ "secret-more", 11 }), 0);
    else if (in->present && in->data[0] == 'd') {
        ck_assert_mem_eq(in->opaque, "secret-more", 11);
        struct msk_output o = { .consumed = 1, .input = { "secret-done", 11 }, .output = { "out", 3 }, .length = 3 };
        ck_assert_int_eq(msk_done(m, &o), 0);
    } else if (in->present && in->data[0] == 'u') {
        ck_assert_mem_eq(in->opaque, "secret-done", 11);
        struct msk_output o = { .consumed = 1, .output = { "u", 1 }, .length = MSK_LENGTH_UNKNOWN };
        ck_assert_int_eq(msk_done(m, &o), 0);
    } else if (in->present) {
        ck_assert_mem_eq(in->opaque, "secret-next", 11);
        say(m, 1, "end", 3, true);
    }
    for (size_t i = 0; i < msk_ranges(m); i++) {
        struct msk_range r;
        ck_assert_int_eq(msk_range(m, i, &r), 0);
        if (r.bytes > 0 && r.end == MSK_LENGTH_UNKNOWN)
            ck_assert_int_eq(msk_give_until(m, i, "u", r.offset == r.first, r.first + 1, (struct msk_bytes){ "secret-next", 11 }, false), 0);
        else if (r.bytes > 0)
            ck_assert_int_eq(msk_give(m, i, r.opaque + (r.offset - r.first), r.bytes), 0);
    }
    if (encrypt && in->present)
        ck_assert_int_eq(msk_encrypt_input(m), 0);
    msk_reply(m);
    ck_assert_int_eq(msk_encrypt_input(m), -EBADF);
}

static bool client_sees(const char *text)
{
    return memmem(ends.client.input_cont, ends.client.input_cont_bytes, text, strlen(text)) != NULL;
}

START_TEST(input_continuations_are_hidden_on_request)
{
    for (int way = 0; way < 2; way++) {
        bool encrypt = way == 1;
        struct msk_server *server = open_server(NULL, "127.0.0.1:0");
        begin(server, hide, &encrypt, "");
        write_text("m");
        pause_ms(30);
        ck_assert_int_eq(client_sees("secret-more"), !encrypt);
        write_text("d");
        expect_text("out");
        ck_assert_int_eq(client_sees("secret-done"), !encrypt);
        write_text("u");
        expect_text("outu");
        pause_ms(30);
        ck_assert_int_eq(client_sees("secret-next"), !encrypt);
        write_text("x");
        expect_text("outuend");
        end_client();
        msk_close(server);
    }
}
END_TEST

/* ---- the largest continuations there may be, both in one answer ---- */

static void largest(struct minisock *m, const struct msk_event *e, void *arg)
{
    char full[MSK_OPAQUE_MAX + 1];
    (void)arg;
    memset(full, 'f', sizeof full);
    if (e->input.present) {
        struct msk_output o = { .consumed = e->input.bytes, .input = { full, MSK_OPAQUE_MAX }, .output = { full, MSK_OPAQUE_MAX }, .length = 400 };
        o.input.bytes++;
        ck_assert_int_eq(msk_done(m, &o), -EMSGSIZE);
        o.input.bytes--;
        o.output.bytes++;
        ck_assert_int_eq(msk_done(m, &o), -EMSGSIZE);
        o.output.bytes--;
        o.length = MSK_LENGTH_UNKNOWN;
        ck_assert_int_eq(msk_done(m, &o), -EMSGSIZE);
        o.output.bytes = MSK_OPAQUE_MAX - 8;
        ck_assert_int_eq(msk_done(m, &o), 0);
        ck_assert_int_eq(msk_setucont(m, MSK_UCONT_OUTPUT, full, MSK_OPAQUE_MAX - 7), -EMSGSIZE);
        msk_to_back(m);               /* forgets all of this */
        return;
    }
    give_opaque(m);
    msk_reply(m);
}
static void largest_second(void)
{
    struct minisock *m;
    char full[MSK_OPAQUE_MAX];
    memset(full, 'f', sizeof full);
    while ((m = msk_next_event(ends.server)) != NULL) {
        const struct msk_event *e = msk_event(m);
        if (e->input.present && e->input.offset > 0)
            ck_assert_uint_eq(e->input.opaque_bytes, MSK_OPAQUE_MAX);
        if (e->input.present && !ends.arg) {
            ends.arg = ends.server;
            largest(m, e, NULL);
            continue;
        }
        if (e->input.present) {
            struct msk_output o = { .consumed = e->input.bytes, .input = { full, MSK_OPAQUE_MAX }, .output = { full, MSK_OPAQUE_MAX }, .length = 400 };
            ck_assert_int_eq(msk_done(m, &o), 0);
        }
        give_opaque(m);
        ck_assert_int_eq(msk_reply(m), 0);
    }
}

START_TEST(the_largest_continuations)
{
    struct msk_server *server = open_server(NULL, "127.0.0.1:0");
    begin(server, NULL, NULL, "");
    ends.pump = largest_second;
    write_text("a");
    ck_assert(receive(400));
    write_text("b");
    ck_assert(receive(800));
    end_client();
    ends.pump = NULL;
    msk_close(server);
}
END_TEST

LOOPBACK_MAIN("minisocket_input", input_in_pieces, input_that_is_thrown_away, the_server_speaks_first_and_does_not_know_how_long,
              a_digest_over_many_packets, input_continuations_are_hidden_on_request, the_largest_continuations)
