/* test_cut.c - superframes: cut(coalesce(x)) == x, and what must not be coalesced. */
#include "unit.h"
#include "link/frame.h"
#include "wire/segment.h"
#include <string.h>

#define PACKETS_MAX 60
#define PACKET_MAX  2000

/* Deterministic bytes, so that a failure repeats. */
static uint32_t state = 1;
static uint32_t draw(uint32_t below)
{
    state = state * 1664525u + 1013904223u;
    return (state >> 8) % below;
}

struct packet { uint8_t bytes[PACKET_MAX]; uint32_t n, head; };
static struct packet packets[PACKETS_MAX];
static struct trk_link_out outs[PACKETS_MAX];

/* One marked ACK segment; `head` bytes of it are given as head, the rest as data. */
static void make(struct packet *p, uint8_t family, uint32_t seq, uint32_t payload, uint32_t message_header)
{
    uint32_t ip_bytes = family == 4 ? 20 : 40, header = ip_bytes + 24;
    memset(p->bytes, 0, header);
    uint8_t *ip = p->bytes, *tcp = ip + ip_bytes;
    if (family == 4) {
        memcpy(ip, (uint8_t[]){ 0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2 }, 20);
    } else {
        memcpy(ip, (uint8_t[]){ 0x60, 0, 0, 0, 0, 0, 6, 64, 0xfd }, 9);
        ip[23] = 1; ip[24] = 0xfd; ip[39] = 2;
    }
    memcpy(tcp, (uint8_t[]){ 0, 80, 0x9c, 0x40 }, 4);
    for (int i = 0; i < 4; i++)
        tcp[4 + i] = (uint8_t)(seq >> (24 - 8 * i));
    memcpy(tcp + 8, (uint8_t[]){ 1, 2, 3, 4, 0x60, 0x10, 0xff, 0xff, 0, 0, 0, 0, 253, 4, 'T', 'R' }, 16);
    for (uint32_t i = 0; i < payload; i++)
        p->bytes[header + i] = (uint8_t)draw(256);
    p->n = header + payload;
    p->head = header + (message_header < payload ? message_header : payload);
    struct trk_frame_shape shape;
    ck_assert(trk_frame_shape(ip, p->n, &shape));
    ck_assert_uint_eq(shape.header_bytes, header);
    trk_frame_set_length(ip, &shape, p->n);
    trk_frame_set_pseudo_sum(ip, &shape, p->n);
}

static void give(int n)
{
    for (int i = 0; i < n; i++)
        outs[i] = (struct trk_link_out){ packets[i].bytes, packets[i].head, packets[i].bytes + packets[i].head,
                                         packets[i].n - packets[i].head, { { 2, 0, 0, 0, 0, 1 }, true }, false };
}

/* n packets of `size` payload bytes, the last of `last`. */
static void make_run(uint8_t family, int n, uint32_t size, uint32_t last)
{
    uint32_t seq = 0xffffff00;         /* wraps on the way */
    for (int i = 0; i < n; i++) {
        make(&packets[i], family, seq, i == n - 1 ? last : size, draw(80));
        seq += size;
    }
    give(n);
}

static uint32_t flatten(int n, uint8_t *out)
{
    uint32_t header = trk_coalesce_header(outs, n, out), used = header;
    for (int i = 0; i < n; i++) {
        memcpy(out + used, packets[i].bytes + header, packets[i].n - header);
        used += packets[i].n - header;
    }
    return used;
}

/* The same in place: all packets are right, and still so when the last one has been taken. */
static void check_in_place(int n, uint8_t *super, uint32_t bytes, uint32_t gso_size)
{
    static uint8_t scratch[PACKETS_MAX][PACKET_MAX];
    const uint8_t *taken[PACKETS_MAX];
    struct trk_cut cut;
    ck_assert(trk_cut_begin(&cut, super, bytes, gso_size));
    for (int i = 0; i < n; i++) {
        ck_assert_uint_eq(trk_cut_size(&cut), packets[i].n);
        taken[i] = trk_cut_take(&cut, scratch[i]);
    }
    ck_assert_uint_eq(trk_cut_size(&cut), 0);
    for (int i = 0; i < n; i++)
        ck_assert_mem_eq(taken[i], packets[i].bytes, packets[i].n);
}

static void check_round_trip(int n, uint32_t gso_size)
{
    static uint8_t super[70000];
    uint8_t packet[PACKET_MAX];
    struct trk_cut cut;
    uint32_t bytes = flatten(n, super);
    ck_assert_uint_eq(trk_frame_length(super), bytes);
    ck_assert(trk_cut_begin(&cut, super, bytes, gso_size));
    for (int i = 0; i < n; i++) {
        ck_assert_uint_eq(trk_cut_size(&cut), packets[i].n);
        trk_cut_copy(&cut, packet);
        ck_assert_mem_eq(packet, packets[i].bytes, packets[i].n);
    }
    ck_assert_uint_eq(trk_cut_size(&cut), 0);
    check_in_place(n, super, bytes, gso_size);
}

START_TEST(cut_undoes_coalesce)
{
    for (int round = 0; round < 2000; round++) {
        uint32_t size = 1 + draw(1400), last = 1 + draw(size);
        int n = 2 + (int)draw(TRK_SLICES_MAX - 1);
        make_run(round % 2 ? 4 : 6, n, size, last);
        int run = trk_coalesce(outs, n);
        ck_assert_int_eq(run, n);
        check_round_trip(run, size);
    }
}
END_TEST

/* What is promised comes to what is compared. */
START_TEST(a_promise_changes_nothing)
{
    for (int round = 0; round < 500; round++) {
        uint32_t size = 600 + draw(860);
        int n = 2 + (int)draw(PACKETS_MAX - 2), from = (int)draw((uint32_t)n);
        make_run(round % 2 ? 4 : 6, n, size, size);
        int compared = trk_coalesce(outs, n);
        for (int i = from + 1; i < n; i++)
            outs[i].follows = true;
        ck_assert_int_eq(trk_coalesce(outs, n), compared);
        outs[0].follows = true;        /* of one that is not sent with it */
        ck_assert_int_eq(trk_coalesce(outs, n), compared);
    }
}
END_TEST

START_TEST(a_short_packet_ends_a_superframe)
{
    make_run(4, 6, 1000, 1000);
    make(&packets[2], 4, 0xffffff00u + 2000, 999, 30);
    give(6);
    ck_assert_int_eq(trk_coalesce(outs, 6), 3);
    ck_assert_int_eq(trk_coalesce(outs + 3, 3), 3);
}
END_TEST

START_TEST(limits_hold)
{
    make_run(4, 60, 1000, 1000);
    ck_assert_int_eq(trk_coalesce(outs, 60), TRK_SLICES_MAX);
    make_run(6, 60, 1900, 1900);
    int run = trk_coalesce(outs, 60);
    ck_assert_int_gt(run, 30);
    ck_assert_uint_le(64 + (uint32_t)run * 1900, TRK_SUPER_BYTES_MAX);
    ck_assert_uint_gt(64 + (uint32_t)(run + 1) * 1900, TRK_SUPER_BYTES_MAX);
}
END_TEST

/* Each byte of the second header, changed alone, keeps the two packets apart, except where coalesce rewrites it. */
START_TEST(different_headers_stay_apart)
{
    for (uint8_t family = 4; family <= 6; family += 2) {
        uint32_t ip_bytes = family == 4 ? 20 : 40;
        for (uint32_t i = 0; i < ip_bytes + 24; i++) {
            make_run(family, 2, 700, 700);
            ck_assert_int_eq(trk_coalesce(outs, 2), 2);
            packets[1].bytes[i] ^= 1;
            bool length = family == 4 ? i == 2 || i == 3 || i == 10 || i == 11 : i == 4 || i == 5;
            bool checksum = i == ip_bytes + 16 || i == ip_bytes + 17;
            ck_assert_msg(trk_coalesce(outs, 2) == (length || checksum ? 2 : 1), "family %d byte %u", family, i);
        }
        make_run(family, 2, 700, 700);
        outs[1].to.mac[5] ^= 1;
        ck_assert_int_eq(trk_coalesce(outs, 2), 1);
    }
}
END_TEST

START_TEST(only_plain_acks_with_payload_are_coalesced)
{
    for (unsigned flags = 0; flags < 256; flags++) {
        make_run(4, 2, 700, 700);
        packets[0].bytes[33] = packets[1].bytes[33] = (uint8_t)flags;
        ck_assert_int_eq(trk_coalesce(outs, 2), flags == 0x10 ? 2 : 1);
    }
    make_run(4, 2, 0, 0);
    ck_assert_int_eq(trk_coalesce(outs, 2), 1);
    make_run(4, 2, 700, 700);
    packets[1].bytes[7] ^= 1;          /* a gap in sequence */
    make(&packets[1], 4, 0xffffff00u + 701, 700, 30);
    ck_assert_int_eq(trk_coalesce(outs, 2), 1);
}
END_TEST

START_TEST(flags_of_the_last_slice)
{
    uint8_t super[4000], packet[PACKET_MAX];
    struct trk_cut cut;
    make_run(4, 3, 800, 500);
    uint32_t bytes = flatten(3, super);
    super[20 + 13] = 0x19;             /* FIN, PSH and ACK, as kernel TCP sends them */
    ck_assert(trk_cut_begin(&cut, super, bytes, 800));
    for (int i = 0; i < 3; i++) {
        trk_cut_copy(&cut, packet);
        ck_assert_uint_eq(packet[33], i == 2 ? 0x19 : 0x10);
    }
}
END_TEST

START_TEST(what_is_no_superframe)
{
    struct trk_cut cut;
    make_run(4, 1, 800, 800);
    ck_assert(!trk_cut_begin(&cut, packets[0].bytes, packets[0].n, 0));
    ck_assert(!trk_cut_begin(&cut, packets[0].bytes, 44, 800));         /* no payload */
    for (uint32_t n = 0; n < 44; n++)
        ck_assert(!trk_cut_begin(&cut, packets[0].bytes, n, 800));
    packets[0].bytes[9] = 17;
    ck_assert(!trk_cut_begin(&cut, packets[0].bytes, packets[0].n, 800));
}
END_TEST

START_TEST(checksums_complete_once)
{
    for (uint8_t family = 4; family <= 6; family += 2) {
        struct trk_frame_shape shape;
        make_run(family, 1, 801, 801);
        uint8_t *ip = packets[0].bytes;
        ck_assert(trk_frame_shape(ip, packets[0].n, &shape));
        trk_frame_finish(ip, &shape, packets[0].n);
        uint8_t once[PACKET_MAX];
        memcpy(once, ip, packets[0].n);
        trk_frame_finish(ip, &shape, packets[0].n);
        ck_assert_mem_eq(once, ip, packets[0].n);
        ip[packets[0].n - 1] ^= 4;     /* a corrupted packet is not made good */
        once[packets[0].n - 1] ^= 4;
        trk_frame_finish(ip, &shape, packets[0].n);
        ck_assert_mem_eq(once, ip, packets[0].n);
    }
}
END_TEST

UNIT_MAIN("cut", cut_undoes_coalesce, a_promise_changes_nothing, a_short_packet_ends_a_superframe, limits_hold, different_headers_stay_apart,
          only_plain_acks_with_payload_are_coalesced, flags_of_the_last_slice, what_is_no_superframe, checksums_complete_once)
