/* libminisocket: minisockets that move to another server (paper 3.1). Both servers are in this process and have the keys. */
#include "loopback.h"

#define LONG_BYTES 300000
static uint8_t byte_at(uint64_t offset) { return (uint8_t)(offset * 2654435761u >> 13); }

static struct msk_server *there;      /* where they move to */
static unsigned answered_there;

static void answer(struct minisock *m, const struct msk_event *e, void *arg)
{
    uint8_t *room = msk_room(m);
    (void)arg;
    if (e->input.present) {
        ck_assert_mem_eq(e->input.data, "go", 2);
        struct msk_output o = { .consumed = e->input.bytes, .output = { "long", 4 }, .length = LONG_BYTES, .last = true };
        ck_assert_int_eq(msk_done(m, &o), 0);
    }
    for (size_t i = 0; i < msk_ranges(m); i++) {
        struct msk_range r;
        ck_assert_int_eq(msk_range(m, i, &r), 0);
        for (size_t b = 0; b < r.bytes; b++)
            room[b] = byte_at(r.offset + b);
        ck_assert_int_eq(msk_give(m, i, room, r.bytes), 0);
        room += r.bytes;
    }
    ck_assert_int_eq(msk_reply(m), 0);
    answered_there++;
}

static void expect_long(void)
{
    ck_assert(run_until(at_end));
    ck_assert_uint_eq(ends.received_bytes, LONG_BYTES);
    for (size_t i = 0; i < LONG_BYTES; i++)
        ck_assert_uint_eq(ends.received[i], byte_at(i));
}

/* ---- every event moves ---- */

static uint8_t bytes[16 * 2048];
static unsigned twice;
static void move_all(void)
{
    struct extract_mskdesc_in in[16];
    struct msk_collection out = { .data = bytes, .capacity = sizeof bytes };
    struct minisock *m;
    int n = 0, collections = 1;
    msk_gather(ends.server);
    for (m = msk_first(ends.server); m && n < 16; m = msk_after(m))
        if (msk_event(m)->type != MSK_CLOSE)
            in[n++].m = m;
    ck_assert_int_eq(msk_extract_events(ends.server, in, n, &out, &collections), n);
    ck_assert_int_eq(collections, n > 0);
    ck_assert_int_eq(out.n, n);
    ck_assert_uint_le(out.bytes, (size_t)n * MSK_EXTRACTED_BYTES(1500));
    for (int i = 0; i < n; i++)
        ck_assert_int_eq(in[i].result, 0);
    ck_assert_int_eq(msk_install_events(there, &out, 1), n);
    ck_assert_int_eq(out.n, n);
    ck_assert_int_eq(out.result, 0);
    if (n > 0 && twice++ < 3)          /* a second time: answered a second time, which does no harm */
        ck_assert_int_eq(msk_install_events(there, &out, 1), n);
    ck_assert_int_ge(msk_process(there, answer, NULL), n);
}

START_TEST(a_download_whose_every_request_is_answered_elsewhere)
{
    struct msk_keys keys;
    msk_keys_random(&keys);
    for (int filter = 0; filter < 2; filter++) {
        const size_t filter_bytes = filter ? 1 << 20 : 0;
        struct msk_server *server = open_with((struct msk_options){ .keys = &keys, .filter_bytes = filter_bytes }, "127.0.0.1:7001");
        there = open_with((struct msk_options){ .keys = &keys, .filter_bytes = filter_bytes }, "127.0.0.1:7002");
        answered_there = twice = 0;
        begin(server, NULL, NULL, "go");
        ends.pump = move_all;
        expect_long();
        uint64_t extracted = counter("extracted");
        ck_assert_uint_gt(extracted, 3);
        ck_assert_uint_eq(counter("answered"), 0);
        ends.server = there;
        ck_assert_uint_gt(counter("installed"), extracted);
        ck_assert_uint_eq(counter("answered"), answered_there);
        ck_assert_uint_eq(counter("not-installed"), 0);
        end_client();
        msk_close(server);
        msk_close(there);
    }
}
END_TEST

/* ---- what is refused ---- */

static struct minisock *caught;
static void catch(struct minisock *m, const struct msk_event *e, void *arg)
{
    (void)e;
    (void)arg;
    if (!caught && msk_detach(m) == 0)
        caught = m;
}
static bool is_caught(void) { return caught != NULL; }

/* One extracted minisocket, of an opening with input. */
static size_t catch_one(struct msk_server *server, const char *first)
{
    struct extract_mskdesc_in in;
    struct msk_collection out = { .data = bytes, .capacity = sizeof bytes };
    int n = 1;
    caught = NULL;
    begin(server, catch, NULL, first);
    ck_assert(run_until(is_caught));
    in.m = caught;
    ck_assert_int_eq(msk_extract_events(server, &in, 1, &out, &n), 1);
    ck_assert_int_eq(msk_reply(caught), -EBADF);
    end_client();
    return out.bytes;
}
static int install(struct msk_server *server, uint8_t *data, size_t n)
{
    struct msk_collection c = { .data = data, .capacity = n, .bytes = n, .n = 77, .result = 77 };
    int installed = msk_install_events(server, &c, 1);
    ck_assert_int_eq(c.n, installed);
    for (struct minisock *m; (m = msk_first(server)) != NULL;)
        ck_assert_int_eq(msk_drop(m), 0);
    return installed == 1 ? 1 : c.result;
}

START_TEST(damaged_foreign_and_old_ones_are_refused)
{
    struct msk_keys keys, other, renamed;
    msk_keys_random(&keys);
    msk_keys_random(&other);
    renamed = keys;
    renamed.keys[0].epoch++;
    struct msk_options quick = { .keys = &keys, .extracted_life_ms = 60, .skew_ms = 1 };
    struct msk_server *server = open_with(quick, "127.0.0.1:7001"), *lasting = open_server(&keys, "127.0.0.1:7002");
    size_t n = catch_one(server, "go");
    ck_assert_int_eq(install(lasting, bytes, n), 1);
    ck_assert_int_eq(install(server, bytes, n), 1);
    for (size_t i = 0; i < n; i++)
        for (int bit = 0; bit < 8; bit++) {
            bytes[i] ^= (uint8_t)(1 << bit);
            int rc = install(lasting, bytes, n);
            ck_assert_msg(rc == -EBADMSG || (i == 4 && rc == -ENOTSUP) || (i >= 5 && i < 10 && rc == -ENOKEY), "byte %zu bit %d: %d", i, bit, rc);
            bytes[i] ^= (uint8_t)(1 << bit);
        }
    for (size_t i = 1; i < n; i++)
        ck_assert_int_eq(install(lasting, bytes, i), -EBADMSG);
    ck_assert_int_eq(install(lasting, bytes, 0), 0);
    usleep(100000);
    ck_assert_int_eq(install(server, bytes, n), -ETIME);
    ck_assert_int_eq(install(lasting, bytes, n), 1);
    ends.server = server;
    ck_assert_uint_eq(counter("not-installed"), 1);

    struct msk_server *strange = open_server(&other, "127.0.0.1:7003"), *unnamed = open_server(&renamed, "127.0.0.1:7004");
    ck_assert_int_eq(install(strange, bytes, n), -ENOKEY);
    ck_assert_int_eq(install(unnamed, bytes, n), -ENOKEY);
    msk_close(server);
    msk_close(lasting);
    msk_close(strange);
    msk_close(unnamed);
}
END_TEST

/* Sealed with a key that both have, but of a request whose own epoch only one of them has. */
START_TEST(keys_of_the_seal_are_not_those_of_the_request)
{
    struct msk_keys old, both, fresh;
    msk_keys_random(&old);
    msk_keys_random(&fresh);
    fresh.keys[0].epoch = (uint8_t)(old.keys[0].epoch + 1);
    both = (struct msk_keys){ .n = 2, .keys = { old.keys[0], fresh.keys[0] } };
    both.keys[1].state = MSK_KEY_ADDED;
    struct msk_server *server = open_server(&both, "127.0.0.1:7001");
    there = open_server(&fresh, "127.0.0.1:7002");
    caught = NULL;
    begin(server, answer, NULL, "go");
    ck_assert(receive(20000));         /* now its requests are of the old epoch */
    ends.handler = catch;
    ck_assert(run_until(is_caught));
    both.keys[0].state = MSK_KEY_ADDED;
    both.keys[1].state = MSK_KEY_CURRENT;
    ck_assert_int_eq(msk_set_keys(server, &both), 0);
    struct extract_mskdesc_in in = { .m = caught };
    struct msk_collection out = { .data = bytes, .capacity = sizeof bytes };
    int n = 1;
    ck_assert_int_eq(msk_extract_events(server, &in, 1, &out, &n), 1);
    ck_assert_int_eq(install(there, bytes, out.bytes), -ENOKEY);
    both.keys[0].state = MSK_KEY_RETIRING;      /* and where it retires, it would have to be refreshed instead */
    ck_assert_int_eq(msk_set_keys(there, &both), 0);
    ck_assert_int_eq(install(there, bytes, out.bytes), -ENOKEY);
    both.keys[0].state = MSK_KEY_ADDED;
    ck_assert_int_eq(msk_set_keys(there, &both), 0);
    ck_assert_int_eq(install(there, bytes, out.bytes), 1);
    end_client();
    msk_close(server);
    msk_close(there);
}
END_TEST

/* ---- bounds ---- */

START_TEST(extraction_and_its_bounds)
{
    struct msk_keys keys;
    msk_keys_random(&keys);
    struct msk_server *server = open_server(&keys, "127.0.0.1:7001"), *small = open_with((struct msk_options){ .keys = &keys, .minisockets = 2 }, "127.0.0.1:7002");
    caught = NULL;
    begin(server, catch, NULL, "go");
    ck_assert(run_until(is_caught));
    struct extract_mskdesc_in in[2] = { { caught, 1 }, { caught, 1 } };
    struct msk_collection out[3] = { { .data = bytes, .capacity = 10 }, { .data = bytes + 100, .capacity = 4000 }, { .data = bytes + 5000, .capacity = 4000 } };
    int n = 1;
    ck_assert_int_eq(msk_extract_events(server, in, 1, out, &n), 0);        /* too small: it lives */
    ck_assert_int_eq(in[0].result, -ENOBUFS);
    ck_assert_int_eq(n, 0);
    n = 3;
    ck_assert_int_eq(msk_extract_events(small, in, 1, out, &n), 0);
    ck_assert_int_eq(in[0].result, -EINVAL);
    n = 3;
    ck_assert_int_eq(msk_extract_events(server, in, 2, out, &n), 1);
    ck_assert_int_eq(in[0].result, 0);
    ck_assert_int_eq(in[1].result, -EBADF);
    ck_assert_int_eq(n, 2);
    ck_assert_int_eq(out[0].n, 0);
    ck_assert_int_eq(out[1].n, 1);
    ck_assert_int_eq(out[2].n, 0);
    end_client();

    struct msk_collection again[2] = { out[1], out[1] };
    ck_assert_int_eq(msk_install_events(small, again, 2), 1);               /* the second minisocket is kept for the next event */
    ck_assert_int_eq(again[0].result, 0);
    ck_assert_int_eq(again[1].result, -ENOBUFS);
    struct minisock *m = msk_next_event(small);
    ck_assert_ptr_nonnull(m);
    ck_assert_mem_eq(msk_event(m)->input.data, "go", 2);
    ck_assert_int_eq(msk_install_events(small, &out[1], 1), 1);             /* ... which is being answered now */
    ck_assert_int_eq(msk_drop(m), 0);

    struct ifreq lo = { .ifr_name = "lo", .ifr_mtu = 1000 };
    int s = socket(AF_INET, SOCK_DGRAM, 0);
    ck_assert_int_eq(ioctl(s, SIOCSIFMTU, &lo), 0);
    ck_assert_int_eq(install(server, out[1].data, out[1].bytes), -EMSGSIZE);
    lo.ifr_mtu = 65536;
    ck_assert_int_eq(ioctl(s, SIOCSIFMTU, &lo), 0);
    ck_assert_int_eq(install(server, out[1].data, out[1].bytes), 1);
    close(s);
    msk_close(server);
    msk_close(small);
}
END_TEST

static bool saw_close;
static void refuse_close(struct minisock *m, const struct msk_event *e, void *arg)
{
    (void)arg;
    if (e->type == MSK_CLOSE) {
        struct extract_mskdesc_in in = { .m = m };
        struct msk_collection out = { .data = bytes, .capacity = sizeof bytes };
        int n = 1;
        ck_assert_int_eq(msk_extract_events(ends.server, &in, 1, &out, &n), 0);
        ck_assert_int_eq(in.result, -EINVAL);
        saw_close = true;
    } else
        answer(m, e, arg);
}

START_TEST(a_close_does_not_move)
{
    struct msk_server *server = open_server(NULL, "127.0.0.1:0");
    begin(server, refuse_close, NULL, "go");
    expect_long();
    end_client();
    for (int i = 0; i < 100 && !saw_close; i++) {
        msk_process(server, refuse_close, NULL);
        usleep(1000);
    }
    ck_assert(saw_close);
    msk_close(server);
}
END_TEST

LOOPBACK_MAIN("minisocket_move", a_download_whose_every_request_is_answered_elsewhere, damaged_foreign_and_old_ones_are_refused,
              keys_of_the_seal_are_not_those_of_the_request, extraction_and_its_bounds, a_close_does_not_move)
