/* linkprobe.c - sends, receives, guards and looks up through core/link, for test_link.sh and test_route.sh.
 *
 * The payload at sequence number s is a function of s alone, so the receiver can check every byte. */
#include "link/frame.h"
#include "link/guard.h"
#include "link/link.h"
#include "link/route.h"
#include "wire/segment.h"
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BATCH 256

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "linkprobe: %s\n", what);
    exit(1);
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static struct trk_addr parse_address(const char *text)
{
    struct trk_addr a = { 0 };
    a.family = strchr(text, ':') ? 6 : 4;
    if (inet_pton(a.family == 6 ? AF_INET6 : AF_INET, text, a.bytes) != 1)
        die("not an address");
    return a;
}

static uint8_t pattern(uint32_t seq) { return (uint8_t)((seq * 2654435761u) >> 24); }

static struct trk_link *open_link(const char *device, uint16_t port, bool want_unmarked)
{
    struct trk_link_port ports = { 0, { 0 }, port };
    struct trk_link_config config = { .ifindex = (int)if_nametoindex(device), .ports = &ports, .n_ports = 1, .want_unmarked = want_unmarked };
    char error[200] = "";
    struct trk_link *link = trk_link_open(&config, error, sizeof error);
    if (!link)
        die(error);
    return link;
}

/* ---- receive DEVICE PORT COUNT SECONDS: ends after COUNT packets with payload, or after that time ---- */
struct tally { uint64_t packets, bytes, vouched, verified, bad_checksum, bad_bytes, out_of_order, unmarked; uint32_t expected; double first, last; };

static void count_packet(struct tally *t, const struct trk_link_packet *p, bool check)
{
    struct trk_segment seg;
    enum trk_verdict verdict = trk_segment_parse(p->ip, p->bytes, &seg);
    if (verdict == TRK_V_UNMARKED)
        t->unmarked++;
    if (verdict != TRK_V_ACCEPTED)
        return;
    if (p->checksum_ok)
        t->vouched++;
    else if (trk_segment_checksum_ok(p->ip, p->bytes))
        t->verified++;
    else
        t->bad_checksum++;
    if (t->packets == 0) {
        t->expected = seg.seq;
        t->first = seconds();
    }
    t->out_of_order += seg.seq != t->expected;
    t->expected = seg.seq + seg.payload_bytes;
    for (uint32_t i = 0; check && i < seg.payload_bytes; i++)
        t->bad_bytes += seg.payload[i] != pattern(seg.seq + i);
    t->packets++;
    t->bytes += seg.payload_bytes;
    t->last = seconds();
}

static int do_receive(char **argv)
{
    struct trk_link *link = open_link(argv[0], (uint16_t)atoi(argv[1]), true);
    uint64_t wanted = strtoull(argv[2], NULL, 0);
    bool check = wanted <= 1000000;
    double until = seconds() + atof(argv[3]);
    struct tally t = { 0 };
    struct trk_link_packet packets[BATCH];
    puts("ready");
    fflush(stdout);
    while (t.packets < wanted && seconds() < until) {
        struct pollfd fd = { trk_link_fd(link), POLLIN, 0 };
        poll(&fd, 1, 100);
        for (int n; (n = trk_link_receive(link, packets, BATCH)) != 0; ) {
            for (int i = 0; i < n; i++)
                count_packet(&t, &packets[i], check);
            if (n < 0) {
                printf("error %s\n", errno == ENETDOWN ? "ENETDOWN" : strerror(errno));
                fflush(stdout);
                if (errno != ENETDOWN)
                    return 1;
            }
        }
    }
    double span = t.last - t.first;
    printf("packets=%llu bytes=%llu vouched=%llu verified=%llu bad_checksum=%llu bad_bytes=%llu out_of_order=%llu unmarked=%llu drops=%llu gbit=%.2f\n",
           (unsigned long long)t.packets, (unsigned long long)t.bytes, (unsigned long long)t.vouched, (unsigned long long)t.verified,
           (unsigned long long)t.bad_checksum, (unsigned long long)t.bad_bytes, (unsigned long long)t.out_of_order,
           (unsigned long long)t.unmarked, (unsigned long long)trk_link_drops(link), span > 0 ? (double)t.bytes * 8e-9 / span : 0);
    trk_link_close(link);
    return 0;
}

/* ---- send DESTINATION PORT COUNT PAYLOAD super|plain|unmarked|syn [MBIT] ---- */
struct sender { struct trk_link *link; struct trk_route route; struct trk_segment seg; struct trk_link_out out[BATCH]; uint8_t heads[BATCH][TRK_HEADER_MAX]; uint8_t *data; };

/* Packets [from, from + n) of the stream; `plain` alternates the ACK so that no two can share a superframe. */
static void fill(struct sender *s, int n, uint32_t payload, bool plain)
{
    for (int i = 0; i < n; i++) {
        s->seg.ack = plain ? (uint32_t)i & 1 : 0;
        s->seg.payload_bytes = payload;
        uint8_t *data = s->data + (size_t)i * payload;
        for (uint32_t b = 0; b < payload; b++)
            data[b] = pattern(s->seg.seq + b);
        size_t head = trk_segment_emit(&s->seg, s->heads[i], TRK_HEADER_MAX);
        s->out[i] = (struct trk_link_out){ s->heads[i], (uint32_t)head, data, payload, s->route.neighbour, false };
        s->seg.seq += payload;
    }
}

static int do_send(char **argv, bool checked)
{
    static struct sender s;
    struct trk_addr dst = parse_address(argv[0]);
    if (trk_route_lookup(dst.family, dst.bytes, NULL, 1000, &s.route))
        die(strerror(errno));
    s.seg.flow.src.family = dst.family;
    memcpy(s.seg.flow.src.bytes, s.route.source, 16);
    s.seg.flow.dst = dst;
    s.seg.flow.dport = (uint16_t)atoi(argv[1]);
    s.seg.flow.sport = 40000;
    uint64_t left = strtoull(argv[2], NULL, 0), sent = 0;
    uint32_t payload = (uint32_t)atoi(argv[3]);
    bool plain = strcmp(argv[4], "plain") == 0, syn = strcmp(argv[4], "syn") == 0;
    s.seg.flags = syn ? TRK_SYN : TRK_ACK;
    s.seg.marked = strcmp(argv[4], "unmarked") != 0;
    s.seg.window = TRK_WINDOW;
    s.seg.mss = syn ? 1460 : 0;
    s.data = malloc((size_t)BATCH * payload + 1);
    s.link = open_link(s.route.ifname, 1, false);
    double start = seconds();
    for (bool filled = false; left > 0; filled = true) {
        int n = left < BATCH ? (int)left : BATCH;
        if (checked || !filled)        /* for rates the same packets again will do */
            fill(&s, n, payload, plain);
        for (int done = 0; done < n; ) {
            int now = trk_link_send(s.link, s.out + done, n - done);
            if (now < 0)
                die(strerror(errno));
            done += now;
        }
        left -= (uint64_t)n;
        sent += (uint64_t)n;
    }
    double span = seconds() - start;
    printf("sent=%llu gbit=%.2f\n", (unsigned long long)sent, (double)sent * payload * 8e-9 / span);
    trk_link_close(s.link);
    free(s.data);
    return 0;
}

/* ---- guard ADDRESS PORT all|marked: until killed ---- */
static int do_guard(char **argv)
{
    struct trk_addr a = parse_address(argv[0]);
    struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1])) };
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)atoi(argv[1])) };
    memcpy(&v4.sin_addr, a.bytes, 4);
    memcpy(&v6.sin6_addr, a.bytes, 16);
    char error[200] = "";
    enum trk_guard_kind kind = strcmp(argv[2], "all") == 0 ? TRK_GUARD_ALL : TRK_GUARD_MARKED;
    int fd = a.family == 4 ? trk_guard_open((struct sockaddr *)&v4, sizeof v4, kind, 0, error, sizeof error)
                           : trk_guard_open((struct sockaddr *)&v6, sizeof v6, kind, 0, error, sizeof error);
    if (fd < 0)
        die(error);
    puts("ready");
    fflush(stdout);
    pause();
    return 0;
}

/* ---- route DESTINATION TIMEOUT_MS [SOURCE] ---- */
static int do_route(int argc, char **argv)
{
    struct trk_addr dst = parse_address(argv[0]), source = argc > 2 ? parse_address(argv[2]) : (struct trk_addr){ 0 };
    struct trk_route r;
    char text[2][INET6_ADDRSTRLEN];
    double start = seconds();
    if (trk_route_lookup(dst.family, dst.bytes, argc > 2 ? source.bytes : NULL, (unsigned)atoi(argv[1]), &r)) {
        printf("error=%s ms=%.1f\n", errno == EHOSTUNREACH ? "EHOSTUNREACH" : errno == ENETUNREACH ? "ENETUNREACH" : strerror(errno), (seconds() - start) * 1e3);
        return 1;
    }
    int family = dst.family == 4 ? AF_INET : AF_INET6;
    printf("dev=%s mtu=%u source=%s next_hop=%s loopback=%d neighbour=%d mac=%02x:%02x:%02x:%02x:%02x:%02x ms=%.3f\n", r.ifname, r.mtu,
           inet_ntop(family, r.source, text[0], sizeof text[0]), inet_ntop(family, r.next_hop, text[1], sizeof text[1]), r.loopback,
           r.neighbour.valid, r.neighbour.mac[0], r.neighbour.mac[1], r.neighbour.mac[2], r.neighbour.mac[3], r.neighbour.mac[4],
           r.neighbour.mac[5], (seconds() - start) * 1e3);
    return 0;
}

/* ---- owner ADDRESS | interfaces | watch SECONDS ---- */
static int do_owner(char **argv)
{
    struct trk_addr a = parse_address(argv[0]);
    char name[IF_NAMESIZE] = "none";
    int ifindex = trk_interface_of(a.family, a.bytes);
    if (ifindex)
        if_indextoname((unsigned)ifindex, name);
    puts(name);
    return 0;
}

static int do_interfaces(void)
{
    struct trk_interface list[64];
    int n = trk_interfaces(list, 64);
    for (int i = 0; i < n && i < 64; i++)
        printf("%s mtu=%u up=%d loopback=%d\n", list[i].name, list[i].mtu, list[i].up, list[i].loopback);
    return n < 0;
}

static int do_watch(char **argv)
{
    struct pollfd fd = { trk_watch_open(), POLLIN, 0 };
    puts("ready");
    fflush(stdout);
    int n = poll(&fd, 1, (int)(atof(argv[0]) * 1000));
    trk_watch_drain(fd.fd);
    puts(n == 1 && poll(&fd, 1, 0) == 0 ? "changed" : "nothing");
    return 0;
}

int main(int argc, char **argv)
{
    const char *verb = argc > 1 ? argv[1] : "";
    char **rest = argv + 2;
    int n = argc - 2;
    if (strcmp(verb, "receive") == 0 && n == 4)   return do_receive(rest);
    if (strcmp(verb, "send") == 0 && n == 5)      return do_send(rest, true);
    if (strcmp(verb, "flood") == 0 && n == 5)     return do_send(rest, false);
    if (strcmp(verb, "guard") == 0 && n == 3)     return do_guard(rest);
    if (strcmp(verb, "route") == 0 && n >= 2)     return do_route(n, rest);
    if (strcmp(verb, "owner") == 0 && n == 1)     return do_owner(rest);
    if (strcmp(verb, "interfaces") == 0)          return do_interfaces();
    if (strcmp(verb, "watch") == 0 && n == 1)     return do_watch(rest);
    fprintf(stderr, "usage: linkprobe receive DEV PORT COUNT S | send|flood DST PORT COUNT PAYLOAD super|plain|unmarked|syn |\n"
                    "       guard ADDR PORT all|marked | route DST MS [SRC] | owner ADDR | interfaces | watch S\n");
    return 2;
}
