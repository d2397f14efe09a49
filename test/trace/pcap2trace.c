/* trk-pcap2trace - turns a capture into a list of events (flow_events.h) on stdout.
 *
 *     trk-pcap2trace [--at-server] CAPTURE PORT > FILE.jsonl
 *
 * PORT is the server's. Flows are counted from 0 in the order of their first packets. The capture is taken to be made at
 * the client: what the server sends is "received"; with --at-server it is what leaves the server. Packets without our
 * marker are passed over, and counted on stderr. A superframe is told packet by packet. */
#include <errno.h>
#include <inttypes.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flow_events.h"

#define FLOWS_MAX 256

struct known { struct trk_flow up; struct flow_events events; };

struct reader {
    uint16_t port;
    bool     at_server;
    int      link_type;
    struct known flows[FLOWS_MAX]; unsigned n_flows;
    uint64_t told, unmarked, other;
};

/* Where IP begins in a frame; NULL: it is no IP, or of a link type that we do not know. */
static const uint8_t *ip_of(int link_type, const uint8_t *frame, uint32_t bytes, uint32_t *left)
{
    static const struct { int type; uint32_t ether_type_at, ip_at; } links[] = {
        { DLT_EN10MB, 12, 14 }, { DLT_LINUX_SLL, 14, 16 }, { DLT_LINUX_SLL2, 0, 20 } };

    if (link_type == DLT_RAW) {
        *left = bytes;
        return frame;
    }
    for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
        if (links[i].type != link_type || bytes <= links[i].ip_at)
            continue;
        uint16_t ether_type = (uint16_t)(frame[links[i].ether_type_at] << 8 | frame[links[i].ether_type_at + 1]);
        *left = bytes - links[i].ip_at;
        return ether_type == 0x0800 || ether_type == 0x86dd ? frame + links[i].ip_at : NULL;
    }
    return NULL;
}

/* The flow of a segment; a new one where it begins. NULL: there are too many. */
static struct known *flow_of(struct reader *r, const struct trk_segment *s, bool up)
{
    struct trk_flow flow = up ? s->flow : trk_flow_reverse(&s->flow);

    for (unsigned i = r->n_flows; i-- > 0;)
        if (trk_flow_equal(&r->flows[i].up, &flow))
            return &r->flows[i];
    if (r->n_flows == FLOWS_MAX)
        return NULL;
    struct known *k = &r->flows[r->n_flows];
    *k = (struct known){ .up = flow, .events = { .out = stdout, .flow = r->n_flows } };
    k->events.numbers = calloc(FLOW_NUMBERS, sizeof *k->events.numbers);
    if (!k->events.numbers)
        return NULL;
    r->n_flows++;
    return k;
}

/* Each number of a superframe has its slot. */
static void tell_answers(struct reader *r, struct known *k, uint64_t now_us, const struct trk_segment *s)
{
    uint32_t slot = k->events.slot && !(s->flags & TRK_SYN) ? k->events.slot : s->payload_bytes + 1, at = 0;

    do {
        struct trk_segment one = *s;
        one.seq += at;
        one.payload += at;
        one.payload_bytes = s->payload_bytes - at < slot ? s->payload_bytes - at : slot;
        if (r->at_server)
            flow_events_answer(&k->events, now_us, &one, NULL);
        else
            flow_events_receive(&k->events, now_us, &one, NULL);
        at += slot;
    } while (at < s->payload_bytes);
}

static void tell(struct reader *r, uint64_t now_us, const struct trk_segment *s)
{
    bool up = s->flow.dport == r->port;
    struct known *k = up || s->flow.sport == r->port ? flow_of(r, s, up) : NULL;

    if (!k) {
        r->other++;
        return;
    }
    r->told++;
    if (up)
        flow_events_request(&k->events, now_us, s);
    else
        tell_answers(r, k, now_us, s);
}

static bool read_all(struct reader *r, pcap_t *file)
{
    struct pcap_pkthdr *h;
    const uint8_t *frame;
    int got;

    while ((got = pcap_next_ex(file, &h, &frame)) == 1) {
        struct trk_segment s;
        uint32_t left = 0;
        const uint8_t *ip = ip_of(r->link_type, frame, h->caplen, &left);
        enum trk_verdict v = ip ? trk_segment_parse(ip, left, &s) : TRK_V_NOT_IP;
        if (v == TRK_V_ACCEPTED)
            tell(r, (uint64_t)h->ts.tv_sec * 1000000 + (uint64_t)h->ts.tv_usec, &s);
        else if (v == TRK_V_UNMARKED && (s.flow.dport == r->port || s.flow.sport == r->port))
            r->unmarked++;
        else
            r->other++;
    }
    return got == PCAP_ERROR_BREAK;
}

static int usage(void)
{
    fprintf(stderr, "usage: trk-pcap2trace [--at-server] CAPTURE PORT > FILE.jsonl\n");
    return 2;
}

int main(int argc, char **argv)
{
    static struct reader r;
    char error[PCAP_ERRBUF_SIZE], *end = NULL;

    r.at_server = argc > 1 && strcmp(argv[1], "--at-server") == 0;
    if (argc != 3 + r.at_server)
        return usage();
    long port = strtol(argv[2 + r.at_server], &end, 10);
    if (*end || port < 1 || port > 65535)
        return usage();
    r.port = (uint16_t)port;
    pcap_t *file = pcap_open_offline(argv[1 + r.at_server], error);
    if (!file) {
        fprintf(stderr, "trk-pcap2trace: %s\n", error);
        return 1;
    }
    r.link_type = pcap_datalink(file);
    bool ok = read_all(&r, file);
    if (!ok)
        fprintf(stderr, "trk-pcap2trace: %s: %s\n", argv[1 + r.at_server], pcap_geterr(file));
    pcap_close(file);
    for (unsigned i = 0; i < r.n_flows; i++)
        free(r.flows[i].events.numbers);
    fprintf(stderr, "%" PRIu64 " packets of %u flows; passed over: %" PRIu64 " of the port without our marker, %" PRIu64 " others\n", r.told,
            r.n_flows, r.unmarked, r.other);
    if (ok && r.told == 0)
        fprintf(stderr, "trk-pcap2trace: no packet from or to port %u carries our marker\n", r.port);
    return !ok || r.told == 0 || fflush(stdout) != 0 || ferror(stdout);
}
