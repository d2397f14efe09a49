/* Which bytes go into which number: properties over random asks, and cases drawn by hand. */
#include "unit.h"
#include "wire_random.h"

#define ASKS 8
#define SLICES 40

/* Asks in ascending offset, some adjoining, some apart, some empty. Returns how many. */
static size_t random_asks(struct dice *d, struct trk_ask *asks)
{
    size_t n = between(d, 0, ASKS);
    uint64_t offset = between(d, 0, 1000);
    for (size_t i = 0; i < n; i++) {
        if (between(d, 0, 2) == 0)
            offset += between(d, 1, 500);
        asks[i] = (struct trk_ask){ (uint8_t)i, offset, (uint32_t)(between(d, 0, 7) ? between(d, 1, 4000) : 0) };
        offset += asks[i].bytes;
    }
    return n;
}

static bool asked_for(const struct trk_ask *asks, size_t n, uint64_t offset)
{
    for (size_t i = 0; i < n; i++)
        if (offset >= asks[i].offset && offset - asks[i].offset < asks[i].bytes)
            return true;
    return false;
}

/* Bytes that adjoin from offset on; the asks never overlap. */
static uint64_t chain_from(const struct trk_ask *asks, size_t n, uint64_t offset)
{
    uint64_t end = offset;
    for (size_t i = 0; i < n; i++)
        if (end >= asks[i].offset && end < asks[i].offset + asks[i].bytes)
            end = asks[i].offset + asks[i].bytes;
    return end - offset;
}

static void check_slices(const struct trk_ask *asks, size_t n_asks, const struct trk_slice *s, size_t n,
                         uint32_t first_room, uint32_t room)
{
    uint64_t total = 0, asked = 0, end = 0;
    bool over = false;
    for (size_t i = 0; i < n_asks; i++)
        asked += asks[i].bytes;
    for (size_t i = 0; i < n; i++) {
        uint32_t may = i == 0 ? first_room : room;
        if (s[i].bytes == 0) {
            ck_assert_uint_eq(s[i].offset, 0);
            ck_assert(may == 0 || total == asked);      /* empty only for want of room or of bytes */
            over = may > 0;
            continue;
        }
        ck_assert(!over);
        ck_assert_uint_le(s[i].bytes, may);
        ck_assert(total == 0 || s[i].offset >= end);    /* ascending, no byte twice */
        for (uint64_t gap = end; total > 0 && gap < s[i].offset; gap++)
            ck_assert_msg(!asked_for(asks, n_asks, gap), "byte %lu is left out", gap);
        ck_assert(s[i].ask < n_asks && s[i].offset >= asks[s[i].ask].offset
                  && s[i].offset - asks[s[i].ask].offset < asks[s[i].ask].bytes);
        uint64_t chain = chain_from(asks, n_asks, s[i].offset);
        ck_assert_uint_eq(s[i].bytes, chain < may ? chain : may);
        end = s[i].offset + s[i].bytes;
        total += s[i].bytes;
    }
    if (n > 0 && s[n - 1].bytes == 0 && (n > 1 ? room : first_room) > 0)
        ck_assert_uint_eq(total, asked);                /* nothing is lost if room suffices */
}

START_TEST(layout_keeps_its_promises)
{
    struct dice d = { 31 };
    struct trk_ask asks[ASKS];
    struct trk_slice slices[SLICES];
    for (int round = 0; round < 5000; round++) {
        size_t n_asks = random_asks(&d, asks), n = between(&d, 0, SLICES);
        uint32_t room = (uint32_t)between(&d, 0, 9) ? (uint32_t)between(&d, 1, 1500) : 0;
        uint32_t first_room = (uint32_t)between(&d, 0, 3) ? (uint32_t)between(&d, 0, room) : 0;
        memset(slices, 0xaa, sizeof slices);
        size_t carrying = trk_layout(asks, n_asks, first_room, room, slices, n), counted = 0;
        for (size_t i = 0; i < n; i++)
            counted += slices[i].bytes > 0;
        ck_assert_uint_eq(carrying, counted);
        check_slices(asks, n_asks, slices, n, first_room, room);
    }
}
END_TEST

static void assert_slice(const struct trk_slice *s, uint64_t offset, uint32_t bytes, uint8_t ask)
{
    ck_assert_uint_eq(s->offset, offset);
    ck_assert_uint_eq(s->bytes, bytes);
    ck_assert_uint_eq(s->ask, ask);
}

START_TEST(adjoining_asks_share_a_packet)
{
    const struct trk_ask asks[] = { { 0, 100, 150 }, { 1, 250, 30 }, { 2, 280, 500 } };
    struct trk_slice s[8];
    ck_assert_uint_eq(trk_layout(asks, 3, 200, 200, s, 8), 4);
    assert_slice(&s[0], 100, 200, 0);
    assert_slice(&s[1], 300, 200, 2);
    assert_slice(&s[2], 500, 200, 2);
    assert_slice(&s[3], 700, 80, 2);
    assert_slice(&s[4], 0, 0, 0);
}
END_TEST

START_TEST(asks_apart_begin_a_packet_each)
{
    const struct trk_ask asks[] = { { 0, 100, 50 }, { 0, 200, 250 } };
    struct trk_slice s[4];
    ck_assert_uint_eq(trk_layout(asks, 2, 200, 200, s, 4), 3);
    assert_slice(&s[0], 100, 50, 0);
    assert_slice(&s[1], 200, 200, 1);
    assert_slice(&s[2], 400, 50, 1);
    assert_slice(&s[3], 0, 0, 0);
}
END_TEST

START_TEST(a_first_packet_without_room_is_a_header)
{
    const struct trk_ask asks[] = { { 0, 0, 250 } };
    struct trk_slice s[3];
    ck_assert_uint_eq(trk_layout(asks, 1, 0, 200, s, 3), 2);
    assert_slice(&s[0], 0, 0, 0);
    assert_slice(&s[1], 0, 200, 0);
    assert_slice(&s[2], 200, 50, 0);
    ck_assert_uint_eq(trk_layout(asks, 1, 100, 200, s, 3), 2);
    assert_slice(&s[0], 0, 100, 0);
    assert_slice(&s[1], 100, 150, 0);
}
END_TEST

START_TEST(too_few_numbers_leave_the_end_unasked)
{
    const struct trk_ask asks[] = { { 0, 0, 1000 } };
    struct trk_slice s[2];
    ck_assert_uint_eq(trk_layout(asks, 1, 200, 200, s, 2), 2);
    assert_slice(&s[1], 200, 200, 0);
    ck_assert_uint_eq(trk_layout(asks, 0, 200, 200, s, 2), 0);
    ck_assert_uint_eq(trk_layout(asks, 1, 200, 200, s, 0), 0);
}
END_TEST

UNIT_MAIN("layout", layout_keeps_its_promises, adjoining_asks_share_a_packet, asks_apart_begin_a_packet_each,
          a_first_packet_without_room_is_a_header, too_few_numbers_leave_the_end_unasked)
