/* test_icmp.c - hints from routers: what they say, what they quote, and that anything else is none. */
#include <errno.h>
#include <string.h>
#include "link/icmp.h"
#include "unit.h"

#define QUOTED_MAX 96

/* An ICMP message about a segment of ours. Returns its bytes. */
static size_t make(uint8_t family, uint8_t type, uint8_t code, uint32_t rest, size_t quoted, uint8_t *out)
{
    uint8_t packet[TRK_HEADER_MAX] = { 0 };
    struct trk_segment segment = { .flow = { .sport = 40000, .dport = 80 }, .seq = 0x81828384, .ack = 5, .flags = TRK_ACK, .marked = true };
    segment.flow.src.family = segment.flow.dst.family = family;
    for (size_t i = 0; i < (family == 4 ? 4u : 16u); i++) {
        segment.flow.src.bytes[i] = (uint8_t)(10 + i);
        segment.flow.dst.bytes[i] = (uint8_t)(50 + i);
    }
    ck_assert(trk_segment_emit(&segment, packet, sizeof packet) > 0);
    uint8_t header[8] = { type, code, 0, 0, (uint8_t)(rest >> 24), (uint8_t)(rest >> 16), (uint8_t)(rest >> 8), (uint8_t)rest };
    memcpy(out, header, 8);
    memcpy(out + 8, packet, quoted);
    return 8 + quoted;
}

START_TEST(too_big)
{
    uint8_t message[8 + QUOTED_MAX];
    struct trk_hint hint;
    size_t bytes = make(4, 3, 4, 1400, 28, message);
    ck_assert(trk_icmp_parse(4, message, bytes, &hint));
    ck_assert_int_eq(hint.error, 0);
    ck_assert_uint_eq(hint.mtu, 1400);
    ck_assert_uint_eq(hint.flow.sport, 40000);
    ck_assert_uint_eq(hint.flow.dport, 80);
    ck_assert_uint_eq(hint.seq, 0x81828384);
    ck_assert_uint_eq(hint.flow.src.bytes[3], 13);
    ck_assert_uint_eq(hint.flow.dst.bytes[0], 50);
    bytes = make(6, 2, 0, 1280, 48, message);
    ck_assert(trk_icmp_parse(6, message, bytes, &hint));
    ck_assert_int_eq(hint.error, 0);
    ck_assert_uint_eq(hint.mtu, 1280);
    ck_assert_uint_eq(hint.seq, 0x81828384);
    ck_assert_uint_eq(hint.flow.dst.bytes[15], 65);
}
END_TEST

START_TEST(unreachable)
{
    static const struct { uint8_t family, type, code; int error; } cases[] = {
        { 4, 3, 0, ENETUNREACH }, { 4, 3, 1, EHOSTUNREACH }, { 4, 3, 3, ECONNREFUSED }, { 4, 3, 13, EHOSTUNREACH },
        { 4, 3, 200, EHOSTUNREACH }, { 4, 11, 0, EHOSTUNREACH }, { 6, 1, 0, ENETUNREACH }, { 6, 1, 1, EACCES },
        { 6, 1, 3, EHOSTUNREACH }, { 6, 1, 4, ECONNREFUSED }, { 6, 1, 200, EPROTO }, { 6, 3, 0, EHOSTUNREACH },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t message[8 + QUOTED_MAX];
        struct trk_hint hint;
        size_t bytes = make(cases[i].family, cases[i].type, cases[i].code, 1400, 60, message);
        ck_assert(trk_icmp_parse(cases[i].family, message, bytes, &hint));
        ck_assert_int_eq(hint.error, cases[i].error);
        ck_assert_uint_eq(hint.mtu, 0);
    }
}
END_TEST

START_TEST(no_hint)
{
    uint8_t message[8 + QUOTED_MAX];
    struct trk_hint hint;
    for (uint8_t family = 4; family <= 6; family += 2) {
        size_t least = 8 + (family == 4 ? 20u : 40u) + 8;
        for (size_t bytes = 0; bytes < least; bytes++) {       /* every truncation */
            make(family, family == 4 ? 3 : 1, 1, 0, QUOTED_MAX, message);
            ck_assert(!trk_icmp_parse(family, message, bytes, &hint));
        }
        ck_assert(trk_icmp_parse(family, message, least, &hint));
        ck_assert(!trk_icmp_parse(family == 4 ? 6 : 4, message, least, &hint));
        message[8 + (family == 4 ? 9 : 6)] = 17;               /* it is about a datagram */
        ck_assert(!trk_icmp_parse(family, message, least, &hint));
    }
    for (unsigned type = 0; type < 256; type++) {              /* echoes, redirects, ... */
        size_t bytes = make(4, (uint8_t)type, 1, 0, 40, message);
        ck_assert_int_eq(trk_icmp_parse(4, message, bytes, &hint), type == 3 || type == 11);
        bytes = make(6, (uint8_t)type, 1, 0, 60, message);
        ck_assert_int_eq(trk_icmp_parse(6, message, bytes, &hint), type >= 1 && type <= 3);
    }
    size_t bytes = make(4, 3, 1, 0, 40, message);
    message[8 + 7] = 1;                                        /* a later fragment has no TCP header */
    ck_assert(!trk_icmp_parse(4, message, bytes, &hint));
    make(4, 3, 1, 0, 40, message);
    message[8] = 0x46;                                         /* nor do we send IP options */
    ck_assert(!trk_icmp_parse(4, message, bytes, &hint));
}
END_TEST

UNIT_MAIN("icmp", too_big, unreachable, no_hint)
