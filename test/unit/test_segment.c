/* IP and TCP headers: written and read again, checksums, options, and packets that are not ours. */
#include "unit.h"
#include "wire_random.h"
#include "wire/segment.h"

static uint8_t packet[2048];

static struct trk_segment random_segment(struct dice *d, uint8_t family)
{
    struct trk_segment s = { .seq = (uint32_t)roll(d), .ack = (uint32_t)roll(d), .marked = true, .window = TRK_WINDOW };
    s.flow.src.family = s.flow.dst.family = family;
    roll_bytes(d, s.flow.src.bytes, family == 4 ? 4 : 16);
    roll_bytes(d, s.flow.dst.bytes, family == 4 ? 4 : 16);
    s.flow.sport = (uint16_t)roll(d);
    s.flow.dport = (uint16_t)roll(d);
    static const uint8_t flags[] = { TRK_ACK, TRK_ACK | TRK_PSH, TRK_SYN, TRK_SYN | TRK_ACK, TRK_RST | TRK_ACK, TRK_FIN | TRK_ACK };
    s.flags = flags[between(d, 0, sizeof flags - 1)];
    if (s.flags & TRK_SYN) {
        s.mss = (uint16_t)uneven(d, 0, 65535);
        s.has_wscale = between(d, 0, 1);
        s.wscale = s.has_wscale ? (uint8_t)between(d, 0, 14) : 0;
    }
    if (s.flags == TRK_SYN) {
        s.sack_ok = between(d, 0, 1);
        s.has_timestamp = between(d, 0, 1);
        s.ts_value = s.has_timestamp ? (uint32_t)roll(d) : 0;
        s.ts_echo = s.has_timestamp ? (uint32_t)roll(d) : 0;
    }
    s.payload_bytes = (uint32_t)uneven(d, 0, 1400);
    return s;
}

/* Writes seg and a random payload after it; returns the whole packet's bytes. */
static size_t write_packet(struct dice *d, const struct trk_segment *s)
{
    size_t head = trk_segment_emit(s, packet, TRK_HEADER_MAX);
    ck_assert_uint_gt(head, 0);
    roll_bytes(d, packet + head, s->payload_bytes);
    return head + s->payload_bytes;
}

static void assert_same_segment(const struct trk_segment *a, const struct trk_segment *b)
{
    ck_assert(trk_flow_equal(&a->flow, &b->flow));
    ck_assert(a->seq == b->seq && a->ack == b->ack && a->flags == b->flags && a->marked == b->marked);
    ck_assert(a->window == b->window && a->mss == b->mss && a->wscale == b->wscale && a->has_wscale == b->has_wscale);
    ck_assert(a->sack_ok == b->sack_ok && a->has_timestamp == b->has_timestamp);
    ck_assert(a->ts_value == b->ts_value && a->ts_echo == b->ts_echo && a->payload_bytes == b->payload_bytes);
}

START_TEST(a_renumbered_header_is_as_if_written_so)
{
    struct dice d = { 47 };
    for (int round = 0; round < 1000; round++) {
        struct trk_segment s = random_segment(&d, round % 2 ? 4 : 6);
        uint8_t other[TRK_HEADER_MAX];
        size_t head = trk_segment_emit(&s, packet, TRK_HEADER_MAX);
        s.seq = (uint32_t)roll(&d);
        ck_assert_uint_eq(trk_segment_emit(&s, other, sizeof other), head);
        trk_segment_renumber(packet, s.seq);
        ck_assert_mem_eq(packet, other, head);
    }
}
END_TEST

START_TEST(segment_round_trips)
{
    struct dice d = { 41 };
    for (int round = 0; round < 5000; round++) {
        struct trk_segment s = random_segment(&d, round % 2 ? 4 : 6), seen;
        size_t n = write_packet(&d, &s);
        ck_assert_int_eq(trk_segment_parse(packet, n, &seen), TRK_V_ACCEPTED);
        assert_same_segment(&s, &seen);
        ck_assert_ptr_eq(seen.payload, packet + n - s.payload_bytes);
        if (!(s.flags & TRK_SYN))
            ck_assert_uint_eq(n - s.payload_bytes, trk_header_bytes(s.flow.src.family));
        ck_assert_int_eq(trk_segment_parse(packet, n + 18, &seen), TRK_V_ACCEPTED);   /* link padding */
        ck_assert_uint_eq(seen.payload_bytes, s.payload_bytes);
    }
}
END_TEST

START_TEST(unmarked_segments_are_plain_tcp)
{
    struct dice d = { 42 };
    for (int round = 0; round < 2000; round++) {
        struct trk_segment s = random_segment(&d, round % 2 ? 4 : 6), seen;
        s.marked = false;
        s.window = (uint16_t)roll(&d);
        s.has_timestamp = s.sack_ok = s.flags & TRK_SYN;               /* a plain SYN|ACK has them too */
        s.ts_value = s.ts_echo = s.has_timestamp ? 0x01020304 : 0;
        size_t n = write_packet(&d, &s);
        ck_assert_int_eq(trk_segment_parse(packet, n, &seen), TRK_V_UNMARKED);
        assert_same_segment(&s, &seen);
    }
}
END_TEST

START_TEST(checksums)
{
    struct dice d = { 43 };
    for (int round = 0; round < 300; round++) {
        struct trk_segment s = random_segment(&d, round % 2 ? 4 : 6);
        s.payload_bytes %= 90;                                          /* odd and even lengths */
        size_t n = write_packet(&d, &s);
        trk_segment_finish(packet, n);
        ck_assert(trk_segment_checksum_ok(packet, n));
        packet[n] = 0x5a;
        ck_assert(trk_segment_checksum_ok(packet, n + 1));              /* padding is not summed */
        for (size_t bit = 0; bit < 8 * n; bit++) {
            packet[bit / 8] ^= (uint8_t)(1u << (bit % 8));
            /* IPv6 has no sum of its own: nothing covers traffic class, flow label and hop limit. */
            bool unsummed = s.flow.src.family == 6 && (bit < 4 || (bit >= 8 && bit < 32) || bit / 8 == 7);
            ck_assert_msg(unsummed || !trk_segment_checksum_ok(packet, n), "bit %zu of family %u", bit, s.flow.src.family);
            packet[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        }
    }
}
END_TEST

/* A packet whose checksums were computed by hand from RFC 1071, to anchor the arithmetic. */
START_TEST(a_known_packet)
{
    static const uint8_t known[] = {
        0x45, 0, 0, 44, 0, 0, 0x40, 0, 64, 6, 0x26, 0xca, 10, 0, 0, 1, 10, 0, 0, 2,
        0x30, 0x39, 0, 80, 0, 0, 0, 1, 0, 0, 0, 2, 0x60, 0x10, 0xff, 0xff, 0, 0, 0, 0, 0xfd, 4, 0x54, 0x52,
    };
    struct trk_segment s = { .seq = 1, .ack = 2, .flags = TRK_ACK, .marked = true };
    s.flow = (struct trk_flow){ { 4, { 10, 0, 0, 1 } }, { 4, { 10, 0, 0, 2 } }, 12345, 80 };
    ck_assert_uint_eq(trk_segment_emit(&s, packet, sizeof packet), sizeof known);
    ck_assert_mem_eq(packet, known, 36);
    ck_assert_mem_eq(packet + 38, known + 38, 6);
    ck_assert_uint_eq(packet[36] << 8 | packet[37], 0x0a00 + 1 + 0x0a00 + 2 + 6 + 24);   /* pseudo-header */
    trk_segment_finish(packet, sizeof known);
    /* 0x1421 + 3039 + 0050 + 1 + 2 + 6010 + ffff + fd04 + 5452 = 0x2f612 -> f614 -> ~ 09eb */
    ck_assert_uint_eq(packet[36] << 8 | packet[37], 0x09eb);
    ck_assert(trk_segment_checksum_ok(packet, sizeof known));
}
END_TEST

START_TEST(what_a_packet_shows_is_fixed)
{
    struct dice d = { 44 };
    struct trk_segment s = random_segment(&d, 4);
    s.window = 1;
    write_packet(&d, &s);
    ck_assert_uint_eq(packet[1], 0);                                    /* DSCP, ECN */
    ck_assert_uint_eq(packet[4] << 8 | packet[5], 0);                   /* ID */
    ck_assert_uint_eq(packet[6] << 8 | packet[7], 0x4000);              /* DF */
    ck_assert_uint_eq(packet[8], 64);
    ck_assert_uint_eq(packet[34] << 8 | packet[35], 65535);             /* window */
    ck_assert_mem_eq(packet + 40, "\xfd\4TR", 4);
    s = random_segment(&d, 6);
    write_packet(&d, &s);
    ck_assert_mem_eq(packet, "\x60\0\0\0", 4);
    ck_assert_uint_eq(packet[7], 64);
}
END_TEST

START_TEST(a_full_syn)
{
    static const uint8_t options[] = { 0xfd, 4, 0x54, 0x52, 2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 9, 0, 0, 0, 0, 1, 3, 3, 14 };
    struct trk_segment s = { .flags = TRK_SYN, .marked = true, .mss = 1460, .sack_ok = true, .has_timestamp = true,
                             .ts_value = 9, .has_wscale = true, .wscale = TRK_WSCALE };
    s.flow.src.family = s.flow.dst.family = 4;
    ck_assert_uint_eq(trk_segment_emit(&s, packet, sizeof packet), 40 + sizeof options);
    ck_assert_mem_eq(packet + 40, options, sizeof options);
    s.flags |= TRK_ACK;                                                 /* ours: marker, MSS, window scale */
    ck_assert_uint_eq(trk_segment_emit(&s, packet, sizeof packet), 40 + 12);
    ck_assert_mem_eq(packet + 40, options, 8);
    ck_assert_mem_eq(packet + 48, options + 20, 4);
}
END_TEST

START_TEST(too_little_memory_writes_nothing)
{
    struct dice d = { 45 };
    for (int round = 0; round < 200; round++) {
        struct trk_segment s = random_segment(&d, round % 2 ? 4 : 6);
        size_t head = trk_segment_emit(&s, packet, TRK_HEADER_MAX);
        uint8_t *exact = malloc(head);
        ck_assert_uint_eq(trk_segment_emit(&s, exact, head), head);
        ck_assert_uint_eq(trk_segment_emit(&s, exact, head - 1), 0);
        free(exact);
        s.payload_bytes = 65535;
        ck_assert_uint_eq(trk_segment_emit(&s, packet, sizeof packet), 0);
    }
}
END_TEST

START_TEST(truncations_and_flips_are_safe)
{
    struct dice d = { 46 };
    for (int round = 0; round < 40; round++) {
        struct trk_segment s = random_segment(&d, round % 2 ? 4 : 6), seen;
        s.payload_bytes %= 40;
        size_t n = write_packet(&d, &s);
        for (size_t bytes = 0; bytes < n; bytes++) {
            uint8_t *exact = malloc(bytes ? bytes : 1);
            memcpy(exact, packet, bytes);
            ck_assert_int_eq(trk_segment_parse(exact, bytes, &seen), TRK_V_SHORT);
            ck_assert(!trk_segment_checksum_ok(exact, bytes));
            trk_segment_finish(exact, bytes);
            free(exact);
        }
        uint8_t *flipped = malloc(n);
        for (size_t bit = 0; bit < 8 * n; bit++) {
            memcpy(flipped, packet, n);
            flipped[bit / 8] ^= (uint8_t)(1u << (bit % 8));
            enum trk_verdict v = trk_segment_parse(flipped, n, &seen);
            if (v == TRK_V_ACCEPTED || v == TRK_V_UNMARKED)
                ck_assert(seen.payload + seen.payload_bytes <= flipped + n);
            else
                ck_assert(v <= TRK_V_BAD_FIELD);
        }
        free(flipped);
    }
}
END_TEST

/* One ACK of ours, changed at one byte. */
static enum trk_verdict changed(uint8_t family, size_t at, uint8_t value, size_t bytes)
{
    struct dice d = { 47 };
    struct trk_segment s = random_segment(&d, family), seen;
    s.flags = TRK_ACK;
    s.payload_bytes = 20;
    s.mss = 0;
    s.has_wscale = s.sack_ok = s.has_timestamp = false;
    size_t n = write_packet(&d, &s);
    packet[at] = value;
    return trk_segment_parse(packet, bytes ? bytes : n, &seen);
}

START_TEST(packets_that_are_not_ours)
{
    ck_assert_int_eq(changed(4, 0, 0x55, 0), TRK_V_NOT_IP);             /* version */
    ck_assert_int_eq(changed(4, 0, 0x44, 0), TRK_V_NOT_IP);             /* header of 16 bytes */
    ck_assert_int_eq(changed(4, 3, 19, 0), TRK_V_NOT_IP);               /* shorter than its header */
    ck_assert_int_eq(changed(4, 6, 0x20, 0), TRK_V_FRAGMENT);           /* more fragments */
    ck_assert_int_eq(changed(4, 7, 0x01, 0), TRK_V_FRAGMENT);           /* an offset */
    ck_assert_int_eq(changed(4, 9, 17, 0), TRK_V_NOT_TCP);
    ck_assert_int_eq(changed(6, 6, 17, 0), TRK_V_NOT_TCP);
    ck_assert_int_eq(changed(6, 6, 0, 0), TRK_V_NOT_TCP);               /* hop-by-hop options */
    ck_assert_int_eq(changed(6, 6, 44, 0), TRK_V_FRAGMENT);
    ck_assert_int_eq(changed(4, 3, 30, 0), TRK_V_SHORT);                /* no room for a TCP header */
    ck_assert_int_eq(changed(6, 5, 10, 0), TRK_V_SHORT);
    ck_assert_int_eq(changed(4, 32, 0x40, 0), TRK_V_BAD_FIELD);         /* data offset 4 */
    ck_assert_int_eq(changed(4, 32, 0xf0, 0), TRK_V_SHORT);             /* data offset beyond the packet */
    ck_assert_int_eq(changed(4, 43, 0x53, 0), TRK_V_UNMARKED);          /* another ExID */
    ck_assert_int_eq(changed(4, 40, 1, 0), TRK_V_SHORT);                /* NOP, then a length beyond the header */
    ck_assert_int_eq(changed(4, 40, 4, 0), TRK_V_BAD_FIELD);            /* SACK-permitted of 4 bytes */
    ck_assert_int_eq(changed(4, 40, 2, 0), TRK_V_UNMARKED);             /* an MSS of 4 bytes is none of ours */
    ck_assert_int_eq(changed(4, 41, 1, 0), TRK_V_BAD_FIELD);            /* option length 1 */
    ck_assert_int_eq(changed(4, 41, 5, 0), TRK_V_SHORT);                /* option beyond the header */
    ck_assert_int_eq(changed(4, 0, 0x45, 63), TRK_V_SHORT);
    ck_assert_int_eq(changed(4, 0, 0x45, 0), TRK_V_ACCEPTED);
}
END_TEST

/* The four bytes of options of one ACK, in place of the marker. */
static enum trk_verdict with_options(const char *four)
{
    struct trk_segment s = { .flags = TRK_ACK, .marked = true }, seen;
    s.flow.src.family = s.flow.dst.family = 4;
    size_t n = trk_segment_emit(&s, packet, sizeof packet);
    memcpy(packet + 40, four, 4);
    return trk_segment_parse(packet, n, &seen);
}

START_TEST(option_lengths)
{
    ck_assert_int_eq(with_options("\2\4\5\xb4"), TRK_V_UNMARKED);
    ck_assert_int_eq(with_options("\2\3\5\1"), TRK_V_BAD_FIELD);         /* MSS */
    ck_assert_int_eq(with_options("\3\3\7\1"), TRK_V_UNMARKED);
    ck_assert_int_eq(with_options("\3\2\1\1"), TRK_V_BAD_FIELD);         /* window scale */
    ck_assert_int_eq(with_options("\4\2\1\1"), TRK_V_UNMARKED);
    ck_assert_int_eq(with_options("\4\3\1\1"), TRK_V_BAD_FIELD);         /* SACK-permitted */
    ck_assert_int_eq(with_options("\x8\4\0\0"), TRK_V_BAD_FIELD);        /* timestamps */
    ck_assert_int_eq(with_options("\x63\3\1\1"), TRK_V_UNMARKED);        /* unknown: skipped */
    ck_assert_int_eq(with_options("\1\1\1\2"), TRK_V_SHORT);            /* a kind without its length */
    ck_assert_int_eq(with_options("\0\2\1\1"), TRK_V_UNMARKED);         /* nothing counts after the end */
}
END_TEST

/* The marker somewhere behind another option does not make a segment ours: the guard and the filter look at one place. */
START_TEST(the_marker_comes_first)
{
    struct trk_segment s = { .flags = TRK_SYN, .marked = true, .mss = 1460 }, seen;
    s.flow.src.family = s.flow.dst.family = 4;
    size_t n = trk_segment_emit(&s, packet, sizeof packet);
    uint8_t marker[4];
    memcpy(marker, packet + 40, 4);
    memcpy(packet + 40, packet + 44, 4);
    memcpy(packet + 44, marker, 4);
    ck_assert_int_eq(trk_segment_parse(packet, n, &seen), TRK_V_UNMARKED);
    ck_assert_uint_eq(seen.mss, 1460);
    ck_assert(!seen.marked);
}
END_TEST

START_TEST(ip4_options_are_skipped)
{
    struct dice d = { 48 };
    struct trk_segment s = random_segment(&d, 4), seen;
    size_t n = write_packet(&d, &s);
    memmove(packet + 24, packet + 20, n - 20);
    memcpy(packet + 20, "\x94\x04\0\0", 4);                             /* router alert */
    packet[0] = 0x46;
    packet[2] = (uint8_t)((n + 4) >> 8);
    packet[3] = (uint8_t)(n + 4);
    ck_assert_int_eq(trk_segment_parse(packet, n + 4, &seen), TRK_V_ACCEPTED);
    assert_same_segment(&s, &seen);
}
END_TEST

START_TEST(flows)
{
    struct trk_flow f = { { 4, { 1, 2, 3, 4 } }, { 4, { 5, 6, 7, 8 } }, 9, 10 };
    struct trk_flow r = trk_flow_reverse(&f), back = trk_flow_reverse(&r);
    ck_assert(!trk_flow_equal(&f, &r) && trk_flow_equal(&f, &back));
    ck_assert(r.sport == 10 && r.dport == 9 && trk_addr_equal(&r.src, &f.dst));
    r = f;
    r.src.family = 6;
    ck_assert(!trk_flow_equal(&f, &r) && !trk_addr_equal(&f.src, &r.src));
    r = f;
    r.dport++;
    ck_assert(!trk_flow_equal(&f, &r));
}
END_TEST

UNIT_MAIN("segment", segment_round_trips, a_renumbered_header_is_as_if_written_so, unmarked_segments_are_plain_tcp, checksums, a_known_packet,
          what_a_packet_shows_is_fixed, a_full_syn, too_little_memory_writes_nothing, truncations_and_flips_are_safe,
          packets_that_are_not_ours, option_lengths, the_marker_comes_first, ip4_options_are_skipped, flows)
