/* test_filter.c - the compiled filter over sample frames, run by libpcap's own interpreter. */
#include "unit.h"
#include "link/filter.h"
#include "wire/segment.h"
#include <pcap/pcap.h>
#include <string.h>

enum tcp_kind { MARKED, PLAIN_ACK, PLAIN_SYNACK, PLAIN_SYN, BARE_RST, MARKER_SECOND, MARKER_IN_PAYLOAD };

struct frame { uint8_t bytes[200]; uint32_t n; };

static void put_tcp(uint8_t *tcp, enum tcp_kind kind, uint16_t dport, uint32_t *n)
{
    static const uint8_t marker[] = { 253, 4, 'T', 'R' }, mss[] = { 2, 4, 5, 180 };
    tcp[0] = 0x9c; tcp[1] = 0x40; tcp[2] = (uint8_t)(dport >> 8); tcp[3] = (uint8_t)dport;
    tcp[12] = 0x50;
    tcp[13] = kind == PLAIN_SYNACK ? 0x12 : kind == PLAIN_SYN ? 2 : kind == BARE_RST ? 4 : 0x10;
    *n = 20;
    if (kind == MARKED || kind == MARKER_SECOND) {
        tcp[12] = 0x70;
        memcpy(tcp + 20, kind == MARKED ? marker : mss, 4);
        memcpy(tcp + 24, kind == MARKED ? mss : marker, 4);
        *n = 28;
    } else if (kind == MARKER_IN_PAYLOAD) {
        memcpy(tcp + 20, marker, 4);
        *n = 24;
    }
}

/* An Ethernet frame to 10.0.0.`last` or fd00::`last`; ip_options: words of IPv4 options. */
static struct frame make(uint8_t family, uint8_t last, uint16_t dport, enum tcp_kind kind, uint32_t ip_options)
{
    struct frame f = { .n = 14 };
    uint32_t tcp_bytes, ip_bytes = family == 4 ? 20 + 4 * ip_options : 40;
    uint8_t *ip = f.bytes + 14;
    put_tcp(ip + ip_bytes, kind, dport, &tcp_bytes);
    f.n += ip_bytes + tcp_bytes;
    f.bytes[12] = family == 4 ? 0x08 : 0x86;
    f.bytes[13] = family == 4 ? 0x00 : 0xdd;
    if (family == 4) {
        ip[0] = (uint8_t)(0x40 | ip_bytes / 4);
        ip[3] = (uint8_t)(ip_bytes + tcp_bytes);
        ip[8] = 64; ip[9] = 6;
        memcpy(ip + 16, (uint8_t[]){ 10, 0, 0, last }, 4);
    } else {
        ip[0] = 0x60; ip[5] = (uint8_t)tcp_bytes; ip[6] = 6; ip[7] = 64;
        ip[24] = 0xfd; ip[39] = last;
    }
    return f;
}

static bool passes(const struct trk_link_port *ports, size_t n, bool want_unmarked, const struct frame *f)
{
    char error[200];
    bool result[2];
    for (int raw = 0; raw < 2; raw++) {          /* the same answer with and without link header */
        struct trk_filter filter;
        ck_assert_msg(trk_filter_compile(ports, n, want_unmarked, raw ? TRK_FRAMING_RAW_IP : TRK_FRAMING_ETHERNET, &filter,
                                         error, sizeof error), "%s", error);
        struct bpf_program program = { filter.n, filter.insns };
        uint32_t skip = raw ? 14 : 0;
        struct pcap_pkthdr header = { .caplen = f->n - skip, .len = f->n - skip };
        result[raw] = pcap_offline_filter(&program, &header, f->bytes + skip) != 0;
        trk_filter_free(&filter);
    }
    ck_assert_int_eq(result[0], result[1]);
    return result[0];
}

static const struct trk_link_port any80 = { 0, { 0 }, 80 };

static bool passes80(uint8_t family, uint16_t dport, enum tcp_kind kind, bool want_unmarked)
{
    struct frame f = make(family, 1, dport, kind, 0);
    return passes(&any80, 1, want_unmarked, &f);
}

START_TEST(marked_segments_for_our_port)
{
    for (uint8_t family = 4; family <= 6; family += 2) {
        ck_assert(passes80(family, 80, MARKED, false));
        ck_assert(!passes80(family, 81, MARKED, false));
        ck_assert(!passes80(family, 80, PLAIN_ACK, false));
        ck_assert(!passes80(family, 80, PLAIN_SYNACK, false));
        ck_assert(!passes80(family, 80, BARE_RST, false));
        ck_assert(!passes80(family, 80, MARKER_SECOND, false));
        ck_assert(!passes80(family, 80, MARKER_IN_PAYLOAD, false));
    }
}
END_TEST

START_TEST(unmarked_answers_where_wanted)
{
    for (uint8_t family = 4; family <= 6; family += 2) {
        ck_assert(passes80(family, 80, MARKED, true));
        ck_assert(passes80(family, 80, PLAIN_SYNACK, true));
        ck_assert(passes80(family, 80, BARE_RST, true));         /* 20 bytes of TCP, nothing behind them */
        ck_assert(!passes80(family, 80, PLAIN_ACK, true));
        ck_assert(!passes80(family, 80, PLAIN_SYN, true));
        ck_assert(!passes80(family, 81, PLAIN_SYNACK, true));
    }
}
END_TEST

START_TEST(addresses)
{
    struct trk_link_port v4 = { 4, { 10, 0, 0, 1 }, 80 }, v6 = { 6, { 0xfd, [15] = 1 }, 80 };
    struct trk_link_port both[2] = { v4, v6 };
    for (uint8_t last = 1; last <= 2; last++) {
        struct frame f4 = make(4, last, 80, MARKED, 0), f6 = make(6, last, 80, MARKED, 0);
        ck_assert_int_eq(passes(&v4, 1, false, &f4), last == 1);
        ck_assert_int_eq(passes(&v6, 1, false, &f6), last == 1);
        ck_assert(!passes(&v4, 1, false, &f6));
        ck_assert(!passes(&v6, 1, false, &f4));
        ck_assert_int_eq(passes(both, 2, false, &f4), last == 1);
        ck_assert_int_eq(passes(both, 2, false, &f6), last == 1);
        struct trk_link_port any4 = { 4, { 0 }, 80 }, any6 = { 6, { 0 }, 80 };
        ck_assert(passes(&any4, 1, false, &f4) && !passes(&any4, 1, false, &f6));
        ck_assert(passes(&any6, 1, false, &f6) && !passes(&any6, 1, false, &f4));
    }
}
END_TEST

START_TEST(ip_options_and_fragments)
{
    struct frame options = make(4, 1, 80, MARKED, 3), fragment = make(4, 1, 80, MARKED, 0), other = make(4, 1, 80, MARKED, 0);
    ck_assert(passes(&any80, 1, false, &options));
    fragment.bytes[14 + 7] = 1;        /* an offset: what follows is no TCP header */
    ck_assert(!passes(&any80, 1, false, &fragment));
    other.bytes[14 + 9] = 17;
    ck_assert(!passes(&any80, 1, false, &other));
    struct frame arp = make(4, 1, 80, MARKED, 0);
    arp.bytes[13] = 6;
    struct trk_filter filter;
    char error[200];
    ck_assert(trk_filter_compile(&any80, 1, false, TRK_FRAMING_ETHERNET, &filter, error, sizeof error));
    struct bpf_program program = { filter.n, filter.insns };
    struct pcap_pkthdr header = { .caplen = arp.n, .len = arp.n };
    ck_assert_int_eq(pcap_offline_filter(&program, &header, arp.bytes), 0);
    trk_filter_free(&filter);
}
END_TEST

/* Every truncation of every frame is rejected or judged, never read beyond. */
START_TEST(truncated_frames_never_pass_as_marked)
{
    for (uint8_t family = 4; family <= 6; family += 2) {
        struct frame f = make(family, 1, 80, MARKED, 0);
        uint32_t needed = 14 + (family == 4 ? 20u : 40u) + 24;
        for (uint32_t n = 14; n <= f.n; n++) {
            struct frame cut = f;
            cut.n = n;
            ck_assert_int_eq(passes(&any80, 1, false, &cut), n >= needed);
        }
    }
}
END_TEST

START_TEST(many_ports)
{
    struct trk_link_port ports[TRK_FILTER_PORTS_MAX + 1];
    for (uint16_t i = 0; i < TRK_FILTER_PORTS_MAX + 1; i++)
        ports[i] = (struct trk_link_port){ 6, { 0xfd, [14] = 7, [15] = (uint8_t)i }, (uint16_t)(1000 + i) };
    for (uint16_t i = 0; i < TRK_FILTER_PORTS_MAX; i++) {
        struct frame hit = make(6, (uint8_t)i, (uint16_t)(1000 + i), MARKED, 0);
        hit.bytes[14 + 38] = 7;
        ck_assert(passes(ports, TRK_FILTER_PORTS_MAX, false, &hit));
        hit.bytes[14 + 38] = 8;
        ck_assert(!passes(ports, TRK_FILTER_PORTS_MAX, false, &hit));
        ck_assert(passes(ports, TRK_FILTER_PORTS_MAX + 1, false, &hit));     /* the marker alone */
    }
    struct frame plain = make(6, 1, 5, PLAIN_ACK, 0), other_family = make(4, 1, 5, MARKED, 0);
    ck_assert(!passes(ports, TRK_FILTER_PORTS_MAX + 1, false, &plain));
    ck_assert(passes(ports, TRK_FILTER_PORTS_MAX + 1, false, &other_family));
}
END_TEST

START_TEST(no_ports_pass_nothing)
{
    struct frame f = make(4, 1, 80, MARKED, 0);
    ck_assert(!passes(NULL, 0, false, &f));
    ck_assert(!passes(NULL, 0, true, &f));
}
END_TEST

UNIT_MAIN("filter", marked_segments_for_our_port, unmarked_answers_where_wanted, addresses, ip_options_and_fragments,
          truncated_frames_never_pass_as_marked, many_ports, no_ports_pass_nothing)
