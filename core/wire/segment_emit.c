/* IP and TCP headers, written. Everything a packet shows is fixed (PROTOCOL.md 2.2). */
#include "wire/bytes.h"
#include "wire/checksum.h"
#include "wire/ip.h"
#include "wire/segment.h"

static void put_mss(struct trk_writer *w, uint16_t mss) { trk_put(w, 0x02040000u | mss, 4); }
static void put_wscale(struct trk_writer *w, uint8_t wscale) { trk_put(w, 0x01030300u | wscale, 4); }   /* after a NOP */

static void put_sack_and_timestamp(struct trk_writer *w, const struct trk_segment *s)
{
    if (s->sack_ok)
        trk_put(w, s->has_timestamp ? 0x0402 : 0x01010402, s->has_timestamp ? 2 : 4);
    else if (s->has_timestamp)
        trk_put(w, 0x0101, 2);
    if (s->has_timestamp) {
        trk_put(w, 0x080a, 2);
        trk_put(w, s->ts_value, 4);
        trk_put(w, s->ts_echo, 4);
    }
}

/* The marker stands first; MSS comes right after it, or a clamping NAT would put one in front (PROTOCOL.md 2.2). */
static void put_options(struct trk_writer *w, const struct trk_segment *s)
{
    if (s->marked)
        trk_put(w, TRK_MARKER, 4);
    if (!(s->flags & TRK_SYN))
        return;
    if (s->mss)
        put_mss(w, s->mss);
    if (!(s->marked && (s->flags & TRK_ACK)))
        put_sack_and_timestamp(w, s);
    if (s->has_wscale)
        put_wscale(w, s->wscale);
}

static void put_ip4(struct trk_writer *w, const struct trk_flow *f, uint32_t total)
{
    uint8_t *ip = w->at;
    trk_put(w, 0x4500, 2);                             /* no options; DSCP and ECN 0 */
    trk_put(w, total, 2);
    trk_put(w, 0, 2);                                  /* ID 0 is fine where DF is set (RFC 6864) */
    trk_put(w, TRK_IP4_DONT_FRAGMENT, 2);
    trk_put(w, TRK_TTL << 8 | TRK_IPPROTO_TCP, 2);
    trk_put(w, 0, 2);
    trk_put_bytes(w, f->src.bytes, 4);
    trk_put_bytes(w, f->dst.bytes, 4);
    uint16_t sum = (uint16_t)~trk_sum_fold(trk_sum(0, ip, TRK_IP4_BYTES));
    ip[TRK_IP4_CHECK] = (uint8_t)(sum >> 8);
    ip[TRK_IP4_CHECK + 1] = (uint8_t)sum;
}

static void put_ip6(struct trk_writer *w, const struct trk_flow *f, uint32_t tcp_bytes)
{
    trk_put(w, 0x60000000, 4);                         /* traffic class and flow label 0 */
    trk_put(w, tcp_bytes, 2);
    trk_put(w, TRK_IPPROTO_TCP << 8 | TRK_TTL, 2);
    trk_put_bytes(w, f->src.bytes, 16);
    trk_put_bytes(w, f->dst.bytes, 16);
}

static void put_tcp(struct trk_writer *w, const struct trk_segment *s, uint32_t header_bytes)
{
    trk_put(w, s->flow.sport, 2);
    trk_put(w, s->flow.dport, 2);
    trk_put(w, s->seq, 4);
    trk_put(w, s->ack, 4);
    trk_put(w, header_bytes / 4 << 4, 1);
    trk_put(w, s->flags, 1);
    trk_put(w, s->marked ? TRK_WINDOW : s->window, 2);
    trk_put(w, 0, 4);                                  /* checksum, urgent pointer */
}

size_t trk_segment_emit(const struct trk_segment *seg, uint8_t *out, size_t cap)
{
    uint8_t options[40];
    struct trk_writer o = trk_writer_init(options, sizeof options);
    put_options(&o, seg);
    size_t option_bytes = trk_written(&o, options);
    uint32_t tcp_header = TRK_TCP_BYTES + (uint32_t)option_bytes;
    uint64_t tcp_bytes = (uint64_t)tcp_header + seg->payload_bytes;
    bool v4 = seg->flow.src.family == 4;
    uint32_t ip_header = v4 ? TRK_IP4_BYTES : TRK_IP6_BYTES;
    if (cap < ip_header + tcp_header || tcp_bytes + (v4 ? ip_header : 0) > UINT16_MAX)
        return 0;

    struct trk_writer w = trk_writer_init(out, cap);
    if (v4)
        put_ip4(&w, &seg->flow, ip_header + (uint32_t)tcp_bytes);
    else
        put_ip6(&w, &seg->flow, (uint32_t)tcp_bytes);
    uint8_t *tcp = w.at;
    put_tcp(&w, seg, tcp_header);
    trk_put_bytes(&w, options, option_bytes);
    uint16_t pseudo = trk_sum_fold(trk_sum_pseudo(out, (uint32_t)tcp_bytes));
    tcp[TRK_TCP_CHECK] = (uint8_t)(pseudo >> 8);
    tcp[TRK_TCP_CHECK + 1] = (uint8_t)pseudo;
    return trk_written(&w, out);
}

void trk_segment_renumber(uint8_t *ip, uint32_t seq)
{
    struct trk_writer w = trk_writer_init(ip + (ip[0] >> 4 == 4 ? TRK_IP4_BYTES : TRK_IP6_BYTES) + TRK_TCP_SEQ, 4);
    trk_put(&w, seq, 4);
}
