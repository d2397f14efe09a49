/* filter.c - the expression, and libpcap's compiler.
 *
 * A load beyond the end of a packet rejects it in classic BPF, whatever else would match. So the header
 * length is tested before the option is read: a bare RST must still pass where unmarked segments are wanted. */
#include "link/filter.h"
#include "wire/segment.h"
#include "link/pcap_door.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SNAPSHOT_BYTES  0x40000        /* more than any frame: a superframe must not be cut short */
#define PORT_TEXT_BYTES 192            /* one port and IPv6 address in the expression, generously */

struct text { char *bytes; size_t used, cap; };

__attribute__((format(printf, 2, 3)))
static void add(struct text *t, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    int n = vsnprintf(t->bytes + t->used, t->cap - t->used, format, ap);
    va_end(ap);
    if (n > 0)
        t->used += (size_t)n < t->cap - t->used ? (size_t)n : t->cap - t->used - 1;
}

static uint32_t word(const uint8_t *p) { return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3]; }

static bool is_zero(const uint8_t addr[16])
{
    static const uint8_t zero[16];
    return memcmp(addr, zero, sizeof zero) == 0;
}

/* "(port [and address]) or ..." for the ports that this family can have; false if there is none. */
static bool add_ports(struct text *t, const struct trk_link_port *ports, size_t n, uint8_t family, const char *tcp)
{
    bool any = false;
    for (size_t i = 0; i < n; i++) {
        const struct trk_link_port *p = &ports[i];
        if (p->family != 0 && p->family != family)
            continue;
        add(t, any ? " or " : "(");
        any = true;
        add(t, "(%s+2:2] = %u", tcp, p->port);
        bool any_address = is_zero(p->addr);
        if (p->family == 4 && !any_address)
            add(t, " and ip[16:4] = 0x%x", word(p->addr));
        for (unsigned w = 0; p->family == 6 && !any_address && w < 4; w++)
            add(t, " and ip6[%u:4] = 0x%x", 24 + 4 * w, word(p->addr + 4 * w));
        add(t, ")");
    }
    add(t, any ? ") and " : "");
    return any;
}

/* tcp: how an access to the TCP header begins, such as "ip6[40". */
static void add_segment(struct text *t, const char *tcp, bool want_unmarked)
{
    add(t, "(%s+12] & 0xf0 > 0x50 and %s+20:4] = 0x%x)", tcp, tcp, TRK_MARKER);
    if (want_unmarked)                 /* RST, or SYN|ACK */
        add(t, " or %s+13] & 4 != 0 or %s+13] & 0x12 = 0x12", tcp, tcp);
}

/* False if nothing may pass. */
static bool write_expression(struct text *t, const struct trk_link_port *ports, size_t n, bool want_unmarked)
{
    static const char *const tcp4 = "tcp[0", *const tcp6 = "ip6[40";
    static const char *const begin4 = "(ip and tcp and ", *const begin6 = "(ip6 and ip6[6] = 6 and ";
    bool all = n > TRK_FILTER_PORTS_MAX, some = false;
    for (uint8_t family = 4; family <= 6; family += 2) {
        size_t mark = t->used;
        const char *tcp = family == 4 ? tcp4 : tcp6;
        add(t, "%s%s", some ? " or " : "", family == 4 ? begin4 : begin6);
        if (!all && !add_ports(t, ports, n, family, tcp)) {
            t->used = mark;
            t->bytes[mark] = 0;
            continue;
        }
        add(t, "(");
        add_segment(t, tcp, want_unmarked);
        add(t, "))");
        some = true;
    }
    return some;
}

static bool copy_program(const struct bpf_insn *insns, unsigned n, struct trk_filter *out)
{
    out->insns = malloc(n * sizeof *insns);
    out->n = n;
    if (out->insns)
        memcpy(out->insns, insns, n * sizeof *insns);
    return out->insns != NULL;
}

static bool compile(const char *expression, enum trk_framing framing, struct trk_filter *out, char *errbuf, size_t errbuf_bytes)
{
    pcap_t *pcap = trk_pcap_open(framing == TRK_FRAMING_ETHERNET ? DLT_EN10MB : DLT_RAW, SNAPSHOT_BYTES);
    struct bpf_program program;
    bool ok = false;
    if (pcap && pcap_compile(pcap, &program, expression, 1, PCAP_NETMASK_UNKNOWN) == 0) {
        ok = copy_program(program.bf_insns, program.bf_len, out);
        pcap_freecode(&program);
    }
    if (!ok)
        snprintf(errbuf, errbuf_bytes, "cannot compile the packet filter: %s", pcap ? pcap_geterr(pcap) : "out of memory");
    if (pcap)
        pcap_close(pcap);
    return ok;
}

bool trk_filter_compile(const struct trk_link_port *ports, size_t n, bool want_unmarked, enum trk_framing framing,
                        struct trk_filter *out, char *errbuf, size_t errbuf_bytes)
{
    static const struct bpf_insn reject = BPF_STMT(BPF_RET | BPF_K, 0);
    size_t listed = n > TRK_FILTER_PORTS_MAX ? 0 : n;
    struct text t = { .cap = 1024 + 2 * listed * PORT_TEXT_BYTES };
    t.bytes = malloc(t.cap);
    bool ok = false;
    if (!t.bytes)
        snprintf(errbuf, errbuf_bytes, "out of memory");
    else if (write_expression(&t, ports, n, want_unmarked))
        ok = compile(t.bytes, framing, out, errbuf, errbuf_bytes);
    else
        ok = copy_program(&reject, 1, out);
    free(t.bytes);
    return ok;
}

void trk_filter_free(struct trk_filter *filter)
{
    free(filter->insns);
    filter->insns = NULL;
    filter->n = 0;
}
