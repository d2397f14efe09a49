/* libminisocket: the queue in the program's hands: walk, reorder, skip, and minisockets that outlive their turn. */
#include "loopback.h"

#define LONG_BYTES 600000
static uint8_t byte_at(uint64_t offset) { return (uint8_t)(offset * 2654435761u >> 13); }

/* Answers an event of the long download. */
static void answer(struct minisock *m)
{
    const struct msk_event *e = msk_event(m);
    uint8_t *room = msk_room(m);
    ck_assert_ptr_nonnull(room);
    if (e->input.present) {
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
}
static void handle(struct minisock *m, const struct msk_event *e, void *arg)
{
    (void)e;
    (void)arg;
    answer(m);
}

static void expect_long(void)
{
    ck_assert(run_until(at_end));
    ck_assert_uint_eq(ends.received_bytes, LONG_BYTES);
    for (size_t i = 0; i < LONG_BYTES; i++)
        ck_assert_uint_eq(ends.received[i], byte_at(i));
}

/* ---- walking ---- */

static size_t most_pending, reordered, skipped, dropped_out_of_turn;
static void walk(void)
{
    size_t n = msk_gather(ends.server), seen = 0;
    if (n > most_pending)
        most_pending = n;
    struct minisock *last = NULL;
    for (struct minisock *next, *m = msk_first(ends.server); m; m = next, seen++) {
        next = msk_after(m);
        last = m;
    }
    ck_assert_uint_eq(seen, n);
    if (n >= 3) {                      /* the last one comes first, the first one last, one is dropped out of turn */
        struct minisock *first = msk_first(ends.server);
        ck_assert_int_eq(msk_to_front(last), 0);
        ck_assert_int_eq(msk_to_back(first), 0);
        ck_assert_ptr_eq(msk_first(ends.server), last);
        ck_assert_ptr_null(msk_after(first));
        if (dropped_out_of_turn < 3) {
            ck_assert_int_eq(msk_drop(msk_after(last)), 0);
            dropped_out_of_turn++;
        }
        reordered++;
        struct minisock *m = msk_next_event(ends.server);
        ck_assert_ptr_eq(m, last);
        ck_assert_uint_lt(msk_gather(ends.server), n);       /* takes nothing in while one is being answered */
        answer(m);
    }
    struct minisock *m = msk_first(ends.server);
    if (m && msk_after(m) && skipped < 5) {        /* the second one is answered, the first one stays */
        answer(msk_after(m));
        skipped++;
        ck_assert_ptr_eq(msk_first(ends.server), m);
        return;
    }
    while ((m = msk_next_event(ends.server)) != NULL)
        answer(m);
    ck_assert_ptr_null(msk_first(ends.server));
}

START_TEST(pending_events_are_walked_reordered_and_skipped)
{
    struct msk_server *server = open_server(NULL, "127.0.0.1:0");
    begin(server, NULL, NULL, "go");
    ck_assert_ptr_null(msk_first(server));
    ends.pump = walk;
    expect_long();
    ck_assert_uint_ge(most_pending, 3);
    ck_assert_uint_gt(reordered, 0);
    ck_assert_uint_eq(skipped, 5);
    end_client();
    msk_close(server);
}
END_TEST

/* ---- bounds ---- */

START_TEST(no_more_minisockets_than_were_asked_for)
{
    char error[MSK_ERROR_BYTES];
    const char *listen[] = { "127.0.0.1:0" };
    for (uint32_t n = 1; n <= 4097; n += 4096) {
        struct msk_options options = { .listen = listen, .n_listen = 1, .minisockets = n };
        ck_assert_ptr_null(msk_open(&options, error, sizeof error));
        ck_assert_int_eq(errno, EINVAL);
        ck_assert_ptr_nonnull(strstr(error, "2 to 4096"));
    }
    struct msk_server *server = open_with((struct msk_options){ .minisockets = 3 }, listen[0]);
    begin(server, NULL, NULL, "go");
    struct minisock *kept[2], *m;
    size_t n = 0;
    uint64_t limit = now_us() + 5000000;
    while (n < 2) {                    /* two events of the download wait, and a third one cannot */
        ck_assert(now_us() < limit);
        client_turn();
        while ((m = msk_next_event(server)) != NULL) {
            if (msk_event(m)->input.present) {
                answer(m);
                continue;
            }
            ck_assert_int_eq(msk_detach(m), n < 2 ? 0 : -ENOBUFS);
            if (n < 2)
                kept[n++] = m;
        }
    }
    ck_assert_uint_eq(msk_gather(server), 0);
    while ((m = msk_next_event(server)) == NULL) {
        ck_assert(now_us() < limit);
        client_turn();
    }
    ck_assert_int_eq(msk_detach(m), -ENOBUFS);
    ck_assert_int_eq(msk_to_back(m), -ENOBUFS);
    ck_assert_int_eq(msk_drop(m), 0);
    ck_assert_int_eq(msk_drop(kept[0]), 0);
    ck_assert_int_eq(msk_drop(kept[1]), 0);
    ends.handler = handle;
    expect_long();
    end_client();
    msk_close(server);
}
END_TEST

/* ---- detached ---- */

static struct minisock *later;
static bool answered;
static void detach_input(struct minisock *m, const struct msk_event *e, void *arg)
{
    (void)arg;
    if (e->type == MSK_CLOSE) {
        ck_assert_int_eq(msk_detach(m), -EINVAL);
        return;
    }
    if (!e->input.present || answered) {
        give_opaque(m);
        msk_reply(m);
        return;
    }
    say(m, 4, "wrong: forgotten", 16, false);
    ck_assert_int_eq(msk_detach(m), 0);
    if (later)
        ck_assert_int_eq(msk_drop(later), 0);      /* the client asked again: only the newest can be answered whole */
    later = m;
}
static bool is_detached(void) { return later != NULL; }

START_TEST(a_detached_event_is_answered_later)
{
    struct msk_server *server = open_server(NULL, "127.0.0.1:0");
    begin(server, detach_input, NULL, "");
    write_text("what");
    ck_assert(run_until(is_detached));
    pause_ms(100);                     /* other packets come and go in the link's memory */
    const struct msk_event *e = msk_event(later);
    ck_assert(e->input.present);
    ck_assert_uint_eq(e->input.bytes, 4);
    ck_assert_mem_eq(e->input.data, "what", 4);
    ck_assert_uint_gt(msk_ranges(later), 0);
    answered = true;
    say(later, 4, "later", 5, true);
    give_opaque(later);
    ck_assert_int_eq(msk_reply(later), 0);
    ck_assert_int_eq(msk_detach(later), -EBADF);
    ck_assert_int_eq(msk_to_front(later), -EBADF);
    expect_text("later");
    ck_assert(run_until(at_end));
    end_client();
    msk_process(server, detach_input, NULL);
    msk_close(server);
}
END_TEST

/* Put back, it is dispatched again; dropped or reset it ends. */
static unsigned rounds;
static void put_back(struct minisock *m, const struct msk_event *e, void *arg)
{
    (void)arg;
    if (e->input.present && rounds++ < 3) {
        ck_assert_int_eq(rounds % 2 ? msk_to_back(m) : msk_to_front(m), 0);
        return;
    }
    if (e->input.present && e->input.data[0] == 'r') {
        ck_assert_int_eq(msk_detach(m), 0);
        ck_assert_int_eq(msk_reset(m), 0);
        return;
    }
    if (e->input.present)
        say(m, 1, "after three", 11, false);
    give_opaque(m);
    msk_reply(m);
}

START_TEST(put_back_and_reset)
{
    struct msk_server *server = open_server(NULL, "127.0.0.1:0");
    begin(server, put_back, NULL, "");
    write_text("x");
    expect_text("after three");
    ck_assert_uint_eq(rounds, 4);
    write_text("r");
    ck_assert(run_until(was_reset));
    end_client();
    msk_close(server);
}
END_TEST

/* ---- keys that change meanwhile ---- */

START_TEST(keys_change_while_events_are_kept)
{
    struct msk_keys keys;
    msk_keys_random(&keys);
    struct msk_server *server = open_server(&keys, "127.0.0.1:0");
    begin(server, detach_input, NULL, "");
    write_text("what");
    ck_assert(run_until(is_detached));
    keys.keys[1] = keys.keys[0];       /* rotation: the old one retires */
    keys.keys[1].epoch++;
    keys.keys[1].secret[0]++;
    keys.keys[0].state = MSK_KEY_RETIRING;
    keys.n = 2;
    ck_assert_int_eq(msk_set_keys(server, &keys), 0);
    answered = true;
    say(later, 4, "still", 5, true);
    give_opaque(later);
    ck_assert_int_eq(msk_reply(later), 0);
    expect_text("still");
    end_client();

    msk_process(server, detach_input, NULL);
    later = NULL;
    answered = false;
    begin(server, detach_input, NULL, "");
    write_text("what");
    ck_assert(run_until(is_detached));
    keys.keys[0] = keys.keys[1];       /* and its successor is removed at once */
    keys.keys[0].epoch += 7;
    keys.n = 1;
    ck_assert_int_eq(msk_set_keys(server, &keys), 0);
    uint64_t dropped = counter("dropped");
    ck_assert_int_eq(msk_reply(later), -ENOKEY);
    ck_assert_int_eq(msk_reply(later), -EBADF);
    ck_assert_uint_eq(counter("dropped"), dropped + 1);
    end_client();
    msk_close(server);
}
END_TEST

/* ---- in bulk ---- */

#define BULK 4
static struct minisock *bulk[BULK];
static size_t n_bulk;
static void collect(struct minisock *m, const struct msk_event *e, void *arg)
{
    (void)arg;
    if (n_bulk < BULK && !e->input.present && msk_ranges(m) > 0) {
        ck_assert_int_eq(msk_detach(m), 0);
        bulk[n_bulk++] = m;
        return;
    }
    answer(m);
}
static bool collected(void) { return n_bulk == BULK; }

START_TEST(several_answers_leave_together)
{
    static uint8_t bytes[BULK][MSK_ANSWER_BYTES_MAX / 64];
    struct tiovec vectors[BULK][64];
    struct mskdesc descriptions[BULK + 2];
    struct msk_server *server = open_server(NULL, "127.0.0.1:0"), *other = open_server(NULL, "127.0.0.1:0");
    begin(server, collect, NULL, "go");
    ck_assert(run_until(collected));
    for (size_t k = 0; k < BULK; k++) {
        size_t n = msk_ranges(bulk[k]), used = 0;
        ck_assert_uint_le(n, 64);
        for (size_t i = 0; i < n; i++) {
            struct msk_range r;
            ck_assert_int_eq(msk_range(bulk[k], i, &r), 0);
            ck_assert_uint_le(used + r.bytes, sizeof bytes[k]);
            for (size_t b = 0; b < r.bytes; b++)
                bytes[k][used + b] = byte_at(r.offset + b);
            vectors[k][i] = (struct tiovec){ bytes[k] + used, r.bytes };
            used += r.bytes;
        }
        descriptions[k] = (struct mskdesc){ .m = bulk[k], .vectors = vectors[k], .n = (int)n, .result = 1 };
    }
    descriptions[BULK] = descriptions[0];          /* twice: it has ended by then */
    descriptions[BULK + 1] = (struct mskdesc){ .m = bulk[1], .vectors = vectors[1], .n = -1 };
    ck_assert_int_eq(msk_sendbulk(other, descriptions, 1), 0);
    ck_assert_int_eq(descriptions[0].result, -EINVAL);
    ck_assert_int_eq(msk_sendbulk(server, descriptions, BULK + 2), BULK);
    for (size_t k = 0; k < BULK; k++)
        ck_assert_int_eq(descriptions[k].result, 0);
    ck_assert_int_eq(descriptions[BULK].result, -EBADF);
    ck_assert_int_eq(descriptions[BULK + 1].result, -EBADF);
    expect_long();
    end_client();
    msk_close(server);
    msk_close(other);
}
END_TEST

LOOPBACK_MAIN("minisocket_queue", pending_events_are_walked_reordered_and_skipped, no_more_minisockets_than_were_asked_for,
              a_detached_event_is_answered_later, put_back_and_reset, keys_change_while_events_are_kept, several_answers_leave_together)
