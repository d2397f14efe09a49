/* libminisocket: continuations that are replaced while they are in use: a cursor that moves on, and keys that go away. */
#include "loopback.h"

/* An output whose byte n is made of the sum of all n's before it: who begins at the start has far to go, so the cursor is
 * {where it stands, the sum until there}. */
struct cursor { uint64_t at, sum; };
static uint64_t steps, length;         /* steps to reach what is asked for */
static size_t most_given = SIZE_MAX;   /* of a range in one answer: a slow server */
static bool moves, unknown;

static struct cursor walk(struct cursor c, uint64_t to)
{
    for (; c.at < to; c.at++)
        c.sum += c.at * 7 + 1;
    return c;
}

static void tell(struct minisock *m, const struct msk_event *e, void *arg)
{
    uint8_t *room = msk_room(m);
    struct msk_packet p;
    struct msk_range r;
    (void)arg;
    if (e->input.present) {
        struct cursor start = { 0 };
        struct msk_output o = { .consumed = e->input.bytes, .output = { &start, sizeof start }, .length = unknown ? MSK_LENGTH_UNKNOWN : length,
                                .last = !unknown };
        ck_assert_int_eq(msk_done(m, &o), 0);
    }
    for (size_t i = 0; i < msk_ranges(m); i++) {
        struct cursor c;
        ck_assert_int_eq(msk_range(m, i, &r), 0);
        if (r.bytes == 0)
            continue;
        ck_assert_uint_eq(r.opaque_bytes, sizeof c);
        memcpy(&c, r.opaque, sizeof c);
        ck_assert_uint_eq(c.at, r.first);
        if (r.bytes > most_given)
            r.bytes = most_given;
        steps += r.offset - c.at;
        c = walk(c, r.offset);
        for (size_t b = 0; b < r.bytes; b++) {
            c = walk(c, r.offset + b);
            room[b] = (uint8_t)(c.sum >> 3);
        }
        if (unknown)
            ck_assert_int_eq(msk_give_until(m, i, room, r.bytes, length, (struct msk_bytes){ NULL, 0 }, true), 0);
        else
            ck_assert_int_eq(msk_give(m, i, room, r.bytes), 0);
        room += r.bytes;
    }
    /* The first packet of each answer that carries bytes of the output moves the cursor there. */
    for (size_t i = 0; moves && msk_packet(m, i, &p) == 0; i++) {
        struct cursor c;
        if (p.bytes == 0 || p.answers_input || p.offset >= length)
            continue;
        msk_range(m, p.range, &r);
        memcpy(&c, r.opaque, sizeof c);
        c = walk(c, p.offset);
        ck_assert_int_eq(msk_setucont(m, (int)i, &c, sizeof c), 0);
        break;
    }
    ck_assert_int_eq(msk_reply(m), 0);
}

static void expect_output(void)
{
    struct cursor c = { 0 };
    ck_assert(run_until(at_end));
    ck_assert_uint_eq(ends.received_bytes, length);
    for (size_t i = 0; i < length; i++) {
        c = walk(c, i);
        ck_assert_uint_eq(ends.received[i], (uint8_t)(c.sum >> 3));
    }
}

START_TEST(a_cursor_moves_on)
{
    uint64_t steps_from_the_start = 0;
    length = 200000;
    most_given = 2000;
    for (int way = 0; way < 4; way++) {
        moves = way & 1;
        unknown = way & 2;
        steps = 0;
        struct msk_server *server = open_server(NULL, "127.0.0.1:0");
        begin(server, tell, NULL, "go");
        ck_assert(run_until(at_end));
        if (moves)
            ck_assert_uint_lt(steps, steps_from_the_start / 2);
        else
            steps_from_the_start = steps;
        expect_output();
        end_client();
        msk_close(server);
    }
}
END_TEST

/* ---- what msk_setucont refuses ---- */

static bool refused_all;
static void refuse(struct minisock *m, const struct msk_event *e, void *arg)
{
    char full[MSK_OPAQUE_MAX + 1] = "";
    struct msk_packet p;
    int set = 0;
    (void)arg;
    ck_assert_int_eq(msk_setucont(m, (int)msk_packets(m), "x", 1), e->type == MSK_CLOSE ? -ERANGE : -ERANGE);
    ck_assert_int_eq(msk_setucont(m, -3, "x", 1), -EINVAL);
    if (e->input.present) {
        struct msk_output o = { .consumed = e->input.bytes, .output = { "long", 4 }, .length = length, .last = true };
        ck_assert_int_eq(msk_done(m, &o), 0);
    }
    for (size_t i = 0; msk_packet(m, i, &p) == 0; i++) {
        int rc = msk_setucont(m, (int)i, "long", 4);
        if (p.answers_input || p.bytes == 0 || p.offset >= length)
            ck_assert_int_eq(rc, -EINVAL);
        else
            ck_assert_int_eq(rc, set++ < 4 ? 0 : -ENOBUFS);
        if (rc == 0) {
            ck_assert_int_eq(msk_setucont(m, (int)i, full, sizeof full), -EMSGSIZE);
            ck_assert_int_eq(msk_setucont(m, (int)i, "long", 4), 0);           /* again: the same one */
        }
    }
    refused_all |= set > 4;
    for (size_t i = 0; i < msk_ranges(m); i++) {
        static uint8_t zeros[MSK_ANSWER_BYTES_MAX];
        struct msk_range r;
        ck_assert_int_eq(msk_range(m, i, &r), 0);
        if (r.bytes > 0)
            ck_assert_mem_eq(r.opaque, "long", 4);
        ck_assert_int_eq(msk_give(m, i, zeros, r.bytes), 0);
    }
    msk_reply(m);
    ck_assert_int_eq(msk_setucont(m, 0, "x", 1), -EBADF);
}

START_TEST(per_packet_and_its_errors)
{
    length = 400000;
    struct msk_server *server = open_server(NULL, "127.0.0.1:0");
    begin(server, refuse, NULL, "go");
    ck_assert(run_until(at_end));
    ck_assert_uint_eq(ends.received_bytes, length);
    ck_assert(refused_all);
    end_client();
    msk_close(server);
}
END_TEST

/* ---- a download outlives the epoch that it began under ---- */

static void rotate(struct msk_keys *keys)
{
    keys->n = 2;
    keys->keys[1] = keys->keys[0];
    keys->keys[1].epoch++;
    keys->keys[1].secret[5]++;
    keys->keys[0].state = MSK_KEY_RETIRING;
    ck_assert_int_eq(msk_set_keys(ends.server, keys), 0);
}

START_TEST(a_download_outlives_its_epochs)
{
    struct msk_keys keys;
    msk_keys_random(&keys);
    length = 300000;
    for (int way = 0; way < 2; way++) {
        moves = false;
        unknown = way;
        most_given = 2000;
        struct msk_server *server = open_server(&keys, "127.0.0.1:0");
        begin(server, tell, NULL, "go");
        for (size_t part = 1; part <= 4; part++) {
            ck_assert(receive(part * length / 5));
            rotate(&keys);
            ck_assert(receive(part * length / 5 + length / 10));
            keys.keys[0] = keys.keys[1];               /* the old one is gone */
            keys.n = 1;
            ck_assert_int_eq(msk_set_keys(server, &keys), 0);
        }
        expect_output();
        end_client();
        msk_close(server);
    }
}
END_TEST

LOOPBACK_MAIN("minisocket_renew", a_cursor_moves_on, per_packet_and_its_errors, a_download_outlives_its_epochs)
