/* IP and TCP headers, read. */
#include "wire/bytes.h"
#include "wire/ip.h"
#include "wire/segment.h"

enum { OPT_END = 0, OPT_NOP = 1, OPT_MSS = 2, OPT_WSCALE = 3, OPT_SACK_OK = 4, OPT_TIMESTAMP = 8 };

static struct trk_addr get_addr(const uint8_t *p, uint8_t family)
{
    struct trk_addr addr = { .family = family };
    memcpy(addr.bytes, p, family == 4 ? 4 : 16);
    return addr;
}

static struct trk_flow get_flow(const uint8_t *ip, const uint8_t *tcp)
{
    bool v4 = ip[0] >> 4 == 4;
    struct trk_reader ports = trk_reader_init(tcp, 4);
    struct trk_flow flow = {
        .src = v4 ? get_addr(ip + TRK_IP4_SRC, 4) : get_addr(ip + TRK_IP6_SRC, 6),
        .dst = v4 ? get_addr(ip + TRK_IP4_DST, 4) : get_addr(ip + TRK_IP6_DST, 6),
    };
    flow.sport = (uint16_t)trk_get(&ports, 2);
    flow.dport = (uint16_t)trk_get(&ports, 2);
    return flow;
}

/* One known option's value; false if its length is wrong. Unknown ones are skipped. */
static bool get_option(uint8_t kind, struct trk_reader value, struct trk_segment *out)
{
    size_t bytes = trk_left(&value);
    switch (kind) {
    case OPT_MSS:
        out->mss = (uint16_t)trk_get(&value, 2);
        return bytes == 2;
    case OPT_WSCALE:
        out->wscale = (uint8_t)trk_get(&value, 1);
        out->has_wscale = true;
        return bytes == 1;
    case OPT_SACK_OK:
        out->sack_ok = true;
        return bytes == 0;
    case OPT_TIMESTAMP:
        out->ts_value = (uint32_t)trk_get(&value, 4);
        out->ts_echo = (uint32_t)trk_get(&value, 4);
        out->has_timestamp = true;
        return bytes == 8;
    default:
        return true;
    }
}

static enum trk_verdict get_options(const uint8_t *options, size_t bytes, struct trk_segment *out)
{
    struct trk_reader r = trk_reader_init(options, bytes), first = r;
    out->marked = trk_get(&first, 4) == TRK_MARKER;
    while (trk_left(&r)) {
        uint8_t kind = (uint8_t)trk_get(&r, 1);
        if (kind == OPT_END)
            break;
        if (kind == OPT_NOP)
            continue;
        uint8_t length = (uint8_t)trk_get(&r, 1);
        if (r.truncated)
            return TRK_V_SHORT;
        if (length < 2)
            return TRK_V_BAD_FIELD;
        const uint8_t *value = trk_take(&r, length - 2u);
        if (!value)
            return TRK_V_SHORT;
        if (!get_option(kind, trk_reader_init(value, length - 2u), out))
            return TRK_V_BAD_FIELD;
    }
    return out->marked ? TRK_V_ACCEPTED : TRK_V_UNMARKED;
}

enum trk_verdict trk_segment_parse(const uint8_t *ip, size_t bytes, struct trk_segment *out)
{
    struct trk_ip_span span;
    enum trk_verdict v = trk_ip_check(ip, bytes, &span);
    if (v != TRK_V_ACCEPTED)
        return v;
    const uint8_t *tcp = ip + span.header_bytes;
    uint32_t header = (tcp[TRK_TCP_DOFF] >> 4) * 4u;
    if (header < TRK_TCP_BYTES)
        return TRK_V_BAD_FIELD;
    if (header > span.tcp_bytes)
        return TRK_V_SHORT;
    struct trk_reader r = trk_reader_init(tcp + 4, TRK_TCP_BYTES - 4);
    *out = (struct trk_segment){ .flow = get_flow(ip, tcp) };
    out->seq = (uint32_t)trk_get(&r, 4);
    out->ack = (uint32_t)trk_get(&r, 4);
    trk_get(&r, 1);
    /* URG, ECE and CWR are a path's or a plain peer's business; no rule of ours looks at them. */
    out->flags = (uint8_t)trk_get(&r, 1) & (TRK_FIN | TRK_SYN | TRK_RST | TRK_PSH | TRK_ACK);
    out->window = (uint16_t)trk_get(&r, 2);
    out->payload = tcp + header;
    out->payload_bytes = span.tcp_bytes - header;
    return get_options(tcp + TRK_TCP_BYTES, header - TRK_TCP_BYTES, out);
}

bool trk_addr_equal(const struct trk_addr *a, const struct trk_addr *b)
{
    return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

bool trk_flow_equal(const struct trk_flow *a, const struct trk_flow *b)
{
    return trk_addr_equal(&a->src, &b->src) && trk_addr_equal(&a->dst, &b->dst)
        && a->sport == b->sport && a->dport == b->dport;
}

struct trk_flow trk_flow_reverse(const struct trk_flow *f)
{
    return (struct trk_flow){ .src = f->dst, .dst = f->src, .sport = f->dport, .dport = f->sport };
}
