/* test_train.c - a superframe fed as a whole does what its packets do one by one (core/client/train.c). Two clients that are alike
 * hear the same answers of a real server, the one in superframes, the other packet by packet; some are damaged, lost or late. They must
 * say the same, byte for byte, and read the same. */
#include "unit.h"
#include <string.h>
#include "client/internal.h"
#include "serve/filter.h"
#include "serve/serve.h"

#define BYTES 3000000u
#define HEAD  44u
#define FRAMES 512
#define FRAME_BYTES 65536

static struct trk_client whole, pieces;
static uint8_t buffers[2][1 << 20], inputs[2][1 << 14], output[1 << 16];
static _Alignas(64) uint8_t numbers[2][TRK_CLIENT_NUMBERS_BYTES], memory[1 << 20];
static struct { uint8_t data[FRAME_BYTES]; uint32_t bytes, slice, end; } frames[FRAMES];
static unsigned first, n_frames;
static struct { struct trk_keys keys; struct trk_serve_config config; struct trk_filter *filter; struct trk_spend spend; struct trk_decision decision;
                struct trk_plan plan; struct trk_result result; struct trk_packet packets[TRK_ANSWER_PACKETS_MAX]; uint8_t arena[TRK_ARENA_BYTES]; } s;

static void open_client(struct trk_client *c, int i)
{
    struct trk_client_config config = {
        .flow = { .src = { 4, { 10, 0, 0, 1 } }, .dst = { 4, { 10, 0, 0, 2 } }, .sport = 40000, .dport = 80 }, .mss = 1460, .iss = 7,
        .receive_buffer = buffers[i], .receive_bytes = sizeof buffers[i], .send_buffer = inputs[i], .send_bytes = sizeof inputs[i],
        .numbers = numbers[i], .numbers_bytes = sizeof numbers[i],
    };
    ck_assert(trk_client_open(c, &config, (const uint8_t *)"get", 3, 1));
}

static void queue(const struct trk_packet *p)
{
    uint32_t bytes = p->head_bytes + p->data_bytes, last = (first + n_frames + FRAMES - 1) % FRAMES;
    bool normal = p->head_bytes == HEAD + TRK_NORMAL_BYTES, joins = n_frames && normal && frames[last].slice && p->seq == frames[last].end;
    if (!joins || frames[last].bytes + bytes > 64000) {
        ck_assert_uint_lt(n_frames, FRAMES);
        last = (first + n_frames++) % FRAMES;
        frames[last].bytes = 0;
        frames[last].slice = normal ? p->slot : 0;
    }
    uint32_t skip = frames[last].bytes ? HEAD : 0;
    memcpy(frames[last].data + frames[last].bytes, p->head + skip, p->head_bytes - skip);
    frames[last].bytes += p->head_bytes - skip;
    if (p->data_bytes)
        memcpy(frames[last].data + frames[last].bytes, p->data, p->data_bytes);
    frames[last].bytes += p->data_bytes;
    frames[last].end = bytes == HEAD + p->slot ? p->seq + p->slot : p->seq + 1;
    frames[last].data[2] = (uint8_t)(frames[last].bytes >> 8);
    frames[last].data[3] = (uint8_t)frames[last].bytes;
}

static void serve(const uint8_t *packet, size_t n, uint64_t now_us)
{
    struct trk_packets out = { .packets = s.packets, .cap = TRK_ANSWER_PACKETS_MAX, .arena = s.arena, .arena_bytes = sizeof s.arena };
    uint64_t now_ms = 1700000000000ull + now_us / 1000;
    struct trk_segment seg;
    if (trk_segment_parse(packet, n, &seg) != TRK_V_ACCEPTED || trk_check(&seg, &s.keys, &s.config, now_ms, &s.spend) != TRK_V_ACCEPTED)
        return;                                      /* a damaged seal came back */
    trk_admit(s.filter, &s.spend, &s.config, now_ms, &s.decision);
    if (trk_plan(&s.spend, &s.decision, &s.config, &s.plan) != TRK_V_ACCEPTED)
        return;
    memset(&s.result, 0, sizeof s.result);
    if (s.plan.may_input) {
        s.result.fate = TRK_INPUT_DONE;
        s.result.input = (struct trk_ucont){ .type = TRK_UCONT_INPUT, .first = s.spend.request.input_bytes, .second = BYTES };
        s.result.output = (struct trk_ucont){ .type = TRK_UCONT_OUTPUT, .second = BYTES };
    }
    for (unsigned i = 0; i < s.plan.n_wants; i++) {
        s.result.given[i].data = output;
        s.result.given[i].bytes = s.plan.wants[i].bytes < sizeof output ? s.plan.wants[i].bytes : (uint32_t)sizeof output;
    }
    if (trk_respond(&s.spend, &s.decision, &s.plan, &s.result, &s.keys, &s.config, now_ms, &out) == TRK_V_ANSWERED)
        for (size_t i = 0; i < out.n; i++)
            queue(&s.packets[i]);
}

/* As feed.c hands them on, but without what is done once for all of them, which the last one brings. */
static void feed_pieces(const struct trk_segment *seg, uint32_t slice_bytes, uint64_t now_us)
{
    struct trk_segment slice = *seg;
    for (; slice.payload_bytes > slice_bytes; slice.payload_bytes -= slice_bytes) {
        struct trk_segment one = slice;
        one.payload_bytes = slice_bytes;
        trk_answer_feed(&pieces, &one, now_us);
        slice.seq += slice_bytes;
        slice.payload += slice_bytes;
    }
    trk_client_feed(&pieces, &slice, now_us);
}

static void feed(unsigned at, uint64_t now_us)
{
    struct trk_segment seg;
    if (trk_segment_parse(frames[at].data, frames[at].bytes, &seg) != TRK_V_ACCEPTED)
        return;
    if (!frames[at].slice) {
        trk_client_feed(&whole, &seg, now_us);
        trk_client_feed(&pieces, &seg, now_us);
        return;
    }
    trk_client_feed_slices(&whole, &seg, frames[at].slice, now_us);
    feed_pieces(&seg, frames[at].slice, now_us);
}

static uint64_t read_both(uint64_t now_us)
{
    const uint8_t *data[2];
    uint64_t sum = 0;
    for (uint32_t n; (n = trk_client_readable(&whole, &data[0])) > 0; sum += n) {
        ck_assert_uint_eq(n, trk_client_readable(&pieces, &data[1]));
        ck_assert_mem_eq(data[0], data[1], n);
        trk_client_consume(&whole, n, now_us);
        trk_client_consume(&pieces, n, now_us);
    }
    return sum;
}

static bool poll_both(uint64_t now_us)
{
    uint8_t a[2048], b[2048];
    size_t n;
    bool any = false;
    while ((n = trk_client_poll(&whole, now_us, a, sizeof a)) > 0) {
        ck_assert_uint_eq(n, trk_client_poll(&pieces, now_us, b, sizeof b));
        ck_assert_mem_eq(a, b, n);
        serve(a, n, now_us);
        any = true;
    }
    ck_assert_uint_eq(trk_client_poll(&pieces, now_us, b, sizeof b), 0);
    return any;
}

/* trouble: of 1,000 frames, how many are lost, how many change places with the next, and how many have a byte of a header changed. */
static void download(unsigned seed, unsigned trouble)
{
    uint64_t now_us = 1, got = 0;
    uint32_t chance = seed * 2654435761u + 1;
    memset(memory, 0, sizeof memory);
    s.filter = trk_filter_create(memory, sizeof memory, 77, (const uint8_t[TRK_FILTER_KEY_BYTES]){ 3 });
    s.config.domain = trk_filter_domain(s.filter);
    first = n_frames = 0;
    open_client(&whole, 0);
    open_client(&pieces, 1);
    for (unsigned round = 0; got < BYTES && round < 200000; round++) {
        if (n_frames) {
            chance = chance * 1103515245u + 12345;
            unsigned at = first, fate = (chance >> 8) % 1000, where = (chance >> 4) % 40;
            uint32_t slot = frames[at].slice, of = slot ? HEAD + (where % (frames[at].bytes / slot + 1)) * slot + (chance >> 20) % TRK_NORMAL_BYTES : 0;
            if (fate < trouble && n_frames > 1) {
                frames[at].bytes = 0;
            } else if (slot && fate < 2 * trouble && of < frames[at].bytes) {
                frames[at].data[of] ^= (uint8_t)(1 << (chance >> 28) % 8);
            }
            first = (first + 1) % FRAMES;
            n_frames--;
            if (frames[at].bytes)
                feed(at, now_us);
        }
        got += read_both(now_us);
        bool any = poll_both(now_us);
        uint64_t at_us = trk_client_next_timeout(&whole);
        ck_assert_uint_eq(at_us, trk_client_next_timeout(&pieces));
        now_us += n_frames || any ? 5 : at_us > now_us && at_us != UINT64_MAX ? at_us - now_us : 100;
    }
    ck_assert_uint_eq(whole.next, pieces.next);
    ck_assert_uint_eq(whole.sum, pieces.sum);
    ck_assert_uint_eq(whole.ack, pieces.ack);
    if (!trouble)
        ck_assert_uint_eq(got, BYTES);
    ck_assert_uint_gt(got, BYTES / 100);
}

START_TEST(superframe_is_as_good_as_its_packets)
{
    uint8_t master[TRK_MASTER_BYTES] = { 9 };
    trk_keys_init(&s.keys);
    ck_assert(trk_keys_add(&s.keys, 1, TRK_EPOCH_CURRENT, master));
    s.config = (struct trk_serve_config){ .mss_v4 = 1460, .mss_v6 = 1440 };
    for (uint32_t i = 0; i < sizeof output; i++)
        output[i] = (uint8_t)(i * 131 + (i >> 8));
    download(1, 0);
    for (unsigned seed = 2; seed < 12; seed++)
        download(seed, 20);
}
END_TEST

UNIT_MAIN("train", superframe_is_as_good_as_its_packets)
