/* libminisocket: input by position. */
#include "loopback.h"

static uint8_t byte_at(uint64_t offset) { return (uint8_t)(offset * 2654435761u >> 13); }

/* An upload whose bytes come in any order: all but its first, which names it, and its last, which ends it. */
#define UPLOAD_BYTES 300000u
static uint8_t uploaded[UPLOAD_BYTES];
static unsigned placed_events;
static uint32_t upload_written;

static void take_placed(struct minisock *m, const struct msk_input *in)
{
    ck_assert_uint_eq(in->opaque_bytes, 5);
    ck_assert_int_eq(memcmp(in->opaque, "range", 5), 0);
    ck_assert(in->range_first == 1 && in->range_end == UPLOAD_BYTES - 1);
    ck_assert(in->offset >= 1 && in->offset + in->bytes <= UPLOAD_BYTES - 1);
    memcpy(uploaded + in->offset, in->data, in->bytes);
    placed_events++;
    ck_assert_int_eq(msk_more_range(m, 0, 1, (struct msk_bytes){ 0 }, (struct msk_bytes){ 0 }), -EINVAL);
    ck_assert_int_eq(msk_taken(m), 0);
    ck_assert_int_eq(msk_taken(m), -EINVAL);
}

static void upload(struct minisock *m, const struct msk_event *e, void *arg)
{
    static const char too_long[MSK_OPAQUE_MAX] = "";
    const struct msk_input *in = &e->input;
    (void)arg;
    if (in->present && in->placed) {
        take_placed(m, in);
    } else if (in->present && in->opaque_bytes == 0) {
        const struct msk_bytes range = { "range", 5 }, behind = { "behind", 6 }, none = { NULL, 0 };
        uploaded[0] = in->data[0];
        ck_assert_int_eq(msk_taken(m), -EINVAL);
        ck_assert_int_eq(msk_more_range(m, in->bytes + 1, 10, none, none), -EINVAL);
        ck_assert_int_eq(msk_more_range(m, 1, 0, none, none), -ERANGE);
        ck_assert_int_eq(msk_more_range(m, 1, UINT64_MAX, none, none), -ERANGE);
        ck_assert_int_eq(msk_more_range(m, 1, 10, (struct msk_bytes){ too_long, MSK_OPAQUE_MAX - 7 }, none), -EMSGSIZE);
        ck_assert_int_eq(msk_more_range(m, 1, UPLOAD_BYTES - 2, range, behind), 0);
        ck_assert_int_eq(msk_more(m, 1, none), -EINVAL);
    } else if (in->present) {
        ck_assert(in->opaque_bytes == 6 && memcmp(in->opaque, "behind", 6) == 0);
        ck_assert_uint_eq(in->offset, UPLOAD_BYTES - 1);
        uploaded[UPLOAD_BYTES - 1] = in->data[0];
        say(m, 1, "thanks", 6, true);
    }
    give_opaque(m);
    msk_reply(m);
    ck_assert_int_eq(msk_taken(m), -EBADF);
    ck_assert_int_eq(msk_more_range(m, 0, 1, (struct msk_bytes){ 0 }, (struct msk_bytes){ 0 }), -EBADF);
}

static bool upload_step(void)
{
    uint8_t part[4096];
    uint32_t n = UPLOAD_BYTES - upload_written < sizeof part ? UPLOAD_BYTES - upload_written : (uint32_t)sizeof part;
    for (uint32_t i = 0; i < n; i++)
        part[i] = byte_at(upload_written + i);
    upload_written += trk_client_write(&ends.client, part, n, now_us());
    return at_end();
}

START_TEST(an_upload_by_position)
{
    struct msk_server *server = open_server(NULL, "127.0.0.1:0");
    placed_events = upload_written = 0;
    begin(server, upload, NULL, "");
    ck_assert(run_until(upload_step));
    ck_assert_uint_eq(ends.received_bytes, 6);
    ck_assert_uint_eq(upload_written, UPLOAD_BYTES);
    for (uint32_t i = 0; i < UPLOAD_BYTES; i++)
        ck_assert_uint_eq(uploaded[i], byte_at(i));
    ck_assert_uint_le(placed_events, 2 * UPLOAD_BYTES / 1200);
    end_client();
    msk_close(server);
}
END_TEST

LOOPBACK_MAIN("minisocket_range", an_upload_by_position)
