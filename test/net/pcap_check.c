/* pcap_check - reads a capture and says whether a flow was spoken in Trickles only.
 *
 *     pcap_check FILE PORT
 *
 * Looks at every TCP segment from or to PORT. Prints one line of key=value counts and exits
 *   0  there were segments and all carried the marker as their first option (core/PROTOCOL.md),
 *   1  a segment without the marker was seen (each of the first ten is described on stderr), or none at all,
 *   2  the file cannot be read, or the arguments are wrong.
 * A kernel that answers behind our back is seen as an unmarked RST from PORT. */
#include <inttypes.h>
#include <netinet/in.h>
#include <pcap/pcap.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { MARKER = 0xfd045452, FLAG_SYN = 2, FLAG_RST = 4, FLAG_ACK = 16, DESCRIBED_MAX = 10 };

struct counts {
    uint64_t up, down;               /* segments to and from PORT */
    uint64_t up_bytes, down_bytes;   /* their TCP payloads */
    uint64_t connections;            /* SYNs with different client ports */
    uint64_t unmarked, unmarked_rst, marked_rst, short_frames;
    bool seen_client[65536];
};

static uint16_t be16(const uint8_t *p) { return (uint16_t)(p[0] << 8 | p[1]); }
static uint32_t be32(const uint8_t *p) { return (uint32_t)be16(p) << 16 | be16(p + 2); }

/* Where the IP header is in a frame of this link type; -1: not IP, or a link type we do not know. */
static int ip_offset(int link_type, const uint8_t *frame, uint32_t bytes)
{
    if (link_type == DLT_RAW)
        return 0;
    uint32_t at = link_type == DLT_EN10MB ? 12 : link_type == DLT_LINUX_SLL ? 14 : link_type == DLT_LINUX_SLL2 ? 0 : bytes;
    if (at + 2 > bytes)
        return -1;
    uint16_t ether_type = be16(frame + at);
    if (ether_type != 0x0800 && ether_type != 0x86dd)
        return -1;
    return link_type == DLT_LINUX_SLL2 ? 20 : (int)at + 2;
}

/* The TCP header in an IP packet, with the segment's length; NULL: not TCP, a fragment, or cut short. */
static const uint8_t *tcp_header(const uint8_t *ip, uint32_t bytes, uint32_t *tcp_bytes)
{
    uint32_t header, total;
    if (bytes >= 20 && ip[0] >> 4 == 4) {
        header = (ip[0] & 15u) * 4;
        total = be16(ip + 2);
        if (ip[9] != IPPROTO_TCP || (be16(ip + 6) & 0x1fff))
            return NULL;
    } else if (bytes >= 40 && ip[0] >> 4 == 6) {
        header = 40;
        total = 40u + be16(ip + 4);
        if (ip[6] != IPPROTO_TCP)
            return NULL;
    } else {
        return NULL;
    }
    if (total < header + 20 || bytes < header + 20)
        return NULL;
    *tcp_bytes = total - header;
    return ip + header;
}

static void describe(const struct counts *c, const struct pcap_pkthdr *h, const uint8_t *tcp)
{
    if (c->unmarked > DESCRIBED_MAX)
        return;
    fprintf(stderr, "unmarked segment at %ld.%06ld: port %u to %u, flags 0x%02x, seq %" PRIu32 "\n", (long)h->ts.tv_sec,
            (long)h->ts.tv_usec, be16(tcp), be16(tcp + 2), tcp[13], be32(tcp + 4));
}

static void count(struct counts *c, const struct pcap_pkthdr *h, const uint8_t *tcp, uint32_t tcp_bytes, uint16_t port)
{
    bool up = be16(tcp + 2) == port, down = be16(tcp) == port;
    if (!up && !down)
        return;
    uint32_t header = (uint32_t)(tcp[12] >> 4) * 4;
    uint32_t payload = tcp_bytes > header ? tcp_bytes - header : 0;
    *(up ? &c->up : &c->down) += 1;
    *(up ? &c->up_bytes : &c->down_bytes) += payload;
    uint8_t flags = tcp[13];
    if (up && (flags & FLAG_SYN) && !(flags & FLAG_ACK) && !c->seen_client[be16(tcp)]) {
        c->seen_client[be16(tcp)] = true;
        c->connections++;
    }
    bool marked = header >= 24 && be32(tcp + 20) == MARKER;
    if (flags & FLAG_RST)
        *(marked ? &c->marked_rst : &c->unmarked_rst) += 1;
    if (!marked) {
        c->unmarked++;
        describe(c, h, tcp);
    }
}

/* Returns false if the file ends in an error. */
static bool read_all(pcap_t *file, struct counts *c, uint16_t port)
{
    struct pcap_pkthdr *h;
    const uint8_t *frame;
    int link_type = pcap_datalink(file), got;
    while ((got = pcap_next_ex(file, &h, &frame)) == 1) {
        int at = ip_offset(link_type, frame, h->caplen);
        if (at < 0)
            continue;
        uint32_t tcp_bytes;
        const uint8_t *tcp = (uint32_t)at < h->caplen ? tcp_header(frame + at, h->caplen - (uint32_t)at, &tcp_bytes) : NULL;
        if (!tcp)
            continue;
        /* Port and marker must be inside what was captured. */
        if (frame + h->caplen < tcp + ((tcp[12] >> 4) > 5 ? 24 : 20))
            c->short_frames++;
        else
            count(c, h, tcp, tcp_bytes, port);
    }
    return got == PCAP_ERROR_BREAK;
}

int main(int argc, char **argv)
{
    char *end = NULL, error[PCAP_ERRBUF_SIZE];
    long port = argc == 3 ? strtol(argv[2], &end, 10) : 0;
    if (argc != 3 || *end || port < 1 || port > 65535) {
        fprintf(stderr, "usage: pcap_check FILE PORT\n");
        return 2;
    }
    pcap_t *file = pcap_open_offline(argv[1], error);
    if (!file) {
        fprintf(stderr, "pcap_check: %s\n", error);
        return 2;
    }
    static struct counts c;
    bool whole = read_all(file, &c, (uint16_t)port);
    if (!whole)
        fprintf(stderr, "pcap_check: %s: %s\n", argv[1], pcap_geterr(file));
    pcap_close(file);
    printf("up=%" PRIu64 " down=%" PRIu64 " up_bytes=%" PRIu64 " down_bytes=%" PRIu64 " connections=%" PRIu64 " unmarked=%" PRIu64
           " unmarked_rst=%" PRIu64 " marked_rst=%" PRIu64 " short=%" PRIu64 "\n",
           c.up, c.down, c.up_bytes, c.down_bytes, c.connections, c.unmarked, c.unmarked_rst, c.marked_rst, c.short_frames);
    if (!whole)
        return 2;
    return c.unmarked || c.short_frames || c.up + c.down == 0;
}
