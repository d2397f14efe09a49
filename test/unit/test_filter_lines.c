/* test_filter_lines.c - what is asked of a cache line at once has one answer, by whatever instructions of the CPU. */
#include "unit.h"
#include "serve/filter_lines.h"

enum { ROUNDS = 20000 };

static _Alignas(64) _Atomic uint64_t memory[4 * GROUPS_PER_LINE];
static uint64_t state = 7;

static uint64_t next(void) { return trk_filter_mix(state++); }

/* Groups that are often empty, have one of few tags, and are around the end of their life; the upper bits are often set. */
static uint64_t group(uint32_t tag)
{
    uint64_t other = next() % 4 == 0 ? tag : next() % 8 == 0 ? tag ^ 0x800000 : next() % 0xffffff + 1;
    return next() % 4 == 0 ? 0 : other << 40 | (next() & 0xff) << 32 | (next() & UINT32_MAX);
}

START_TEST(groups_of_two_lines)
{
    _Atomic uint64_t *const line[2] = { memory + 2 * GROUPS_PER_LINE, memory };
    unsigned tagged = 0, live = 0, changed = 0;
    for (int round = 0; round < ROUNDS; round++) {
        uint32_t tag = (uint32_t)(next() % 0xffffff + 1);
        uint8_t now = (uint8_t)next();
        struct trk_filter_read a, b;
        for (int i = 0; i < FILTER_PLACES; i++)
            line[i / GROUPS_PER_LINE][i % GROUPS_PER_LINE] = group(tag);
        unsigned got = trk_filter_read(line, tag, &a);
        ck_assert_uint_eq(got, trk_filter_read_portable(line, tag, &b));
        for (int i = 0; i < FILTER_PLACES; i++)
            ck_assert_uint_eq(a.e[i], b.e[i]);
        ck_assert_uint_eq(trk_filter_live(&a, now), trk_filter_live_portable(&a, now));
        ck_assert_uint_eq(trk_filter_changed(line, &a), 0);
        line[next() % 2][next() % GROUPS_PER_LINE] ^= 1ull << next() % 64;
        ck_assert_uint_eq(trk_filter_changed(line, &a), trk_filter_changed_portable(line, &a));
        tagged |= got;
        live |= trk_filter_live(&a, now);
        changed |= trk_filter_changed(line, &a);
    }
    ck_assert_uint_eq(tagged, 0xffff);               /* each place was the one */
    ck_assert_uint_eq(live, 0xffff);
    ck_assert_uint_eq(changed, 0xffff);
}
END_TEST

START_TEST(words_of_a_line)
{
    unsigned tagged = 0;
    for (int round = 0; round < ROUNDS; round++) {
        uint16_t tag = (uint16_t)next();
        for (int i = 0; i < WORDS_PER_LINE; i++) {
            memory[2 * i] = next() | (uint64_t)tag << 48;
            memory[2 * i + 1] = (uint64_t)(next() % 3 ? next() : tag) << 48 | next() >> 16;
        }
        ck_assert_uint_eq(trk_filter_words(memory, tag), trk_filter_words_portable(memory, tag));
        tagged |= trk_filter_words(memory, tag);
    }
    ck_assert_uint_eq(tagged, 0xf);
}
END_TEST

START_TEST(an_entry_lives_for_its_life)
{
    for (int age = 0; age < 256; age++) {
        bool live = age <= FILTER_LIFE_S || age >= 256 - FILTER_AHEAD_S;
        for (int now = 0; now < 256; now++)
            ck_assert_int_eq(trk_second_live((uint8_t)(now - age), (uint8_t)now), live);
    }
}
END_TEST

START_TEST(room_is_in_the_emptier_line)
{
    ck_assert_int_eq(trk_filter_spare(0, 8), 0);
    ck_assert_int_eq(trk_filter_spare(0x0001, 8), 8);          /* one is taken in the first line, none in the second */
    ck_assert_int_eq(trk_filter_spare(0x0301, 8), 1);
    ck_assert_int_eq(trk_filter_spare(0xfeff, 8), 8);
    ck_assert_int_eq(trk_filter_spare(0xff7f, 8), 7);
    ck_assert_int_eq(trk_filter_spare(0xffff, 8), -1);
    ck_assert_int_eq(trk_filter_spare(0x1f, 4), 5);
    ck_assert_int_eq(trk_filter_spare(0xff, 4), -1);
}
END_TEST

UNIT_MAIN("filter_lines", groups_of_two_lines, words_of_a_line, an_entry_lives_for_its_life, room_is_in_the_emptier_line)
