/* trickles-get.c - the smallest HTTP client on the engine itself: one connection, one GET.
 *
 *     trickles-get http://10.0.0.1/file -o file
 *
 * It shows what any program does that wants the engine without the preload: find the route, keep the kernel off
 * its port, open a link, and turn the loop. */
#include "engine_loop.h"
#include "link/capture.h"
#include "link/guard.h"
#include "link/route.h"
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

#define RECEIVE_BYTES (4u << 20)
#define SEND_BYTES    (64u << 10)
#define HEAD_MAX      (64u << 10)
#define NEIGHBOUR_WAIT_MS 3000

struct options { const char *output, *pcap, *url; bool stats, verbose; };
struct url { char host[256], port[8]; const char *path; };

struct get {
    struct options options;
    struct url url;
    struct trk_addr server; uint16_t server_port;
    struct trk_route route;
    struct trk_client client;
    struct engine_loop *loop;
    struct trk_capture *capture;
    int guard;
    FILE *out;
    char head[HEAD_MAX]; size_t head_bytes;          /* of the response, until it is complete */
    bool in_body, has_length;
    uint64_t body_bytes, length;
};

static volatile sig_atomic_t interrupted;
static void on_signal(int number)
{
    (void)number;
    interrupted = 1;
}

static bool fail(const char *format, const char *what)
{
    fprintf(stderr, "trickles-get: ");
    fprintf(stderr, format, what);
    fputc('\n', stderr);
    return false;
}

/* ---- where to ----  */
static bool parse_url(const char *text, struct url *url)
{
    static const char scheme[] = "http://";
    if (strncasecmp(text, scheme, sizeof scheme - 1) != 0)
        return fail("%s: only http:// URLs are understood", text);
    const char *host = text + sizeof scheme - 1, *end = host + strcspn(host, "/?#"), *host_end, *port;
    if (*host == '[') {
        host++;
        host_end = memchr(host, ']', (size_t)(end - host));
        port = host_end ? host_end + 1 : end;
    } else {
        port = host_end = host + strcspn(host, ":/?#");
    }
    if (!host_end || host_end == host || (size_t)(host_end - host) >= sizeof url->host)
        return fail("%s: no host in it", text);
    snprintf(url->host, sizeof url->host, "%.*s", (int)(host_end - host), host);
    snprintf(url->port, sizeof url->port, "%s", "80");
    if (port < end && (*port != ':' || end - port > 6 || end - port < 2))
        return fail("%s: the port makes no sense", text);
    if (port < end)
        snprintf(url->port, sizeof url->port, "%.*s", (int)(end - port - 1), port + 1);
    url->path = *end == '/' ? end : "/";
    return true;
}

static bool resolve(struct get *g)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG | AI_NUMERICSERV }, *list;
    int error = getaddrinfo(g->url.host, g->url.port, &hints, &list);
    if (error == EAI_ADDRFAMILY || error == EAI_NONAME) {       /* ::1 where only lo has IPv6 */
        hints.ai_flags = AI_NUMERICSERV;
        error = getaddrinfo(g->url.host, g->url.port, &hints, &list);
    }
    if (error)
        return fail("cannot resolve the host: %s", gai_strerror(error));
    if (list->ai_family == AF_INET) {
        const struct sockaddr_in *a = (const struct sockaddr_in *)(const void *)list->ai_addr;
        g->server.family = 4;
        memcpy(g->server.bytes, &a->sin_addr, 4);
        g->server_port = ntohs(a->sin_port);
    } else {
        const struct sockaddr_in6 *a = (const struct sockaddr_in6 *)(const void *)list->ai_addr;
        g->server.family = 6;
        memcpy(g->server.bytes, &a->sin6_addr, 16);
        g->server_port = ntohs(a->sin6_port);
    }
    freeaddrinfo(list);
    if (trk_route_lookup(g->server.family, g->server.bytes, NULL, NEIGHBOUR_WAIT_MS, &g->route))
        return fail("no way to the server: %s", trk_route_why(errno));
    return true;
}

/* ---- setting up ---- */
/* A port of ours that the kernel's TCP leaves alone. */
static bool take_port(struct get *g, uint16_t *port)
{
    char error[200];
    union { struct sockaddr any; struct sockaddr_in v4; struct sockaddr_in6 v6; } a = { .v6 = { 0 } };
    socklen_t bytes = g->server.family == 4 ? sizeof a.v4 : sizeof a.v6;
    a.any.sa_family = g->server.family == 4 ? AF_INET : AF_INET6;
    if (g->server.family == 4)
        memcpy(&a.v4.sin_addr, g->route.source, 4);
    else
        memcpy(&a.v6.sin6_addr, g->route.source, 16);
    a.v6.sin6_scope_id = g->server.family == 6 ? (uint32_t)g->route.ifindex : a.v6.sin6_scope_id;
    g->guard = trk_guard_open(&a.any, bytes, TRK_GUARD_ALL, 0, error, sizeof error);
    if (g->guard < 0)
        return fail("%s", error);
    getsockname(g->guard, &a.any, &bytes);
    *port = ntohs(g->server.family == 4 ? a.v4.sin_port : a.v6.sin6_port);
    return true;
}

static bool open_link(struct get *g, uint16_t port)
{
    char error[200];
    struct trk_link_port mine = { .family = g->server.family, .port = port };
    memcpy(mine.addr, g->route.source, sizeof mine.addr);
    if (g->options.pcap && !(g->capture = trk_capture_open(g->options.pcap, error, sizeof error)))
        return fail("%s", error);
    struct trk_link_config config = { .ifindex = g->route.ifindex, .ports = &mine, .n_ports = 1, .want_unmarked = true, .capture = g->capture };
    g->loop->link = trk_link_open(&config, error, sizeof error);
    g->loop->client = &g->client;
    g->loop->to = g->route.neighbour;
    return g->loop->link || fail("%s", error);
}

static bool open_client(struct get *g, uint16_t port)
{
    uint32_t mss = g->route.mtu - (g->server.family == 4 ? 40 : 60);
    struct trk_client_config config = {
        .flow = { .src = { .family = g->server.family }, .dst = g->server, .sport = port, .dport = g->server_port },
        .mss = (uint16_t)(mss < TRK_SLOT_MAX ? mss : TRK_SLOT_MAX),
        .receive_buffer = malloc(RECEIVE_BYTES), .receive_bytes = RECEIVE_BYTES,
        .send_buffer = malloc(SEND_BYTES), .send_bytes = SEND_BYTES,
        .numbers = aligned_alloc(16, TRK_CLIENT_NUMBERS_BYTES), .numbers_bytes = TRK_CLIENT_NUMBERS_BYTES,
    };
    memcpy(config.flow.src.bytes, g->route.source, 16);
    if (getrandom(&config.iss, sizeof config.iss, 0) < 0 || getrandom(config.random, sizeof config.random, 0) < 0)
        return fail("no randomness: %s", strerror(errno));
    if (!config.receive_buffer || !config.send_buffer || !config.numbers ||
        !trk_client_open(&g->client, &config, NULL, 0, engine_loop_now()))
        return fail("%s", "the connection cannot be set up: not enough memory, or the MTU is too small");
    return true;
}

/* ---- the response ---- */
static bool write_body(struct get *g, const uint8_t *data, size_t bytes)
{
    if (g->has_length && bytes > g->length - g->body_bytes)
        bytes = (size_t)(g->length - g->body_bytes);
    g->body_bytes += bytes;
    return fwrite(data, 1, bytes, g->out) == bytes || fail("cannot write: %s", strerror(errno));
}

static bool read_head(struct get *g, char *end)
{
    *end = 0;
    if (g->options.verbose)
        fprintf(stderr, "%s\n", g->head);
    if (strncmp(g->head, "HTTP/1.", 7) != 0 || g->head_bytes < 12 || g->head[9] != '2')
        return fail("the server says: %s", strtok(g->head, "\r\n"));
    for (char *line = g->head; (line = strstr(line, "\r\n")); ) {
        line += 2;
        if (strncasecmp(line, "Transfer-Encoding:", 18) == 0)
            return fail("%s", "the server uses a transfer encoding, which I do not understand");
        if (strncasecmp(line, "Content-Length:", 15) == 0) {
            g->length = strtoull(line + 15, NULL, 10);
            g->has_length = true;
        }
    }
    g->in_body = true;
    return true;
}

/* Collect the head until its empty line; the rest is body. */
static bool take(struct get *g, const uint8_t *data, uint32_t bytes)
{
    if (g->in_body)
        return write_body(g, data, bytes);
    size_t room = HEAD_MAX - 1 - g->head_bytes, taken = bytes < room ? bytes : room, before = g->head_bytes;
    memcpy(g->head + before, data, taken);
    g->head_bytes += taken;
    char *end = memmem(g->head, g->head_bytes, "\r\n\r\n", 4);
    if (!end)
        return taken == bytes || fail("%s", "the response's head is too long");
    size_t used = (size_t)(end + 4 - g->head) - before;
    return read_head(g, end) && write_body(g, data + used, bytes - used);
}

static bool complete(const struct get *g) { return g->in_body && g->has_length && g->body_bytes == g->length; }

/* What the end of the connection means. */
static bool judge_end(const struct get *g)
{
    switch (trk_client_state(&g->client)) {
    case TRK_CLIENT_TCP_ONLY:  return fail("%s", "the server speaks only TCP");
    case TRK_CLIENT_REFUSED:   return fail("%s", "connection refused");
    case TRK_CLIENT_TIMED_OUT: return fail("%s", "the server does not answer");
    case TRK_CLIENT_RESET:     return fail("%s", "the server reset the connection");
    default:                   break;
    }
    if (!g->in_body || (g->has_length && g->body_bytes != g->length))
        return fail("%s", "the connection ended before the response was complete");
    return true;
}

static bool transfer(struct get *g)
{
    char request[4096];
    int bytes = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: trickles-get\r\nAccept: */*\r\n\r\n", g->url.path, g->url.host);
    if (bytes < 0 || (size_t)bytes >= sizeof request)
        return fail("%s", "the URL is too long");
    trk_client_write(&g->client, (const uint8_t *)request, (uint32_t)bytes, engine_loop_now());
    if (engine_loop_flush(g->loop))
        return fail("cannot send: %s", strerror(errno));
    while (trk_client_state(&g->client) <= TRK_CLIENT_OPEN) {
        const uint8_t *data;
        uint32_t n;
        if (interrupted)
            return fail("%s", "interrupted");
        while ((n = trk_client_readable(&g->client, &data)) > 0 && !complete(g)) {
            if (!take(g, data, n))
                return false;
            trk_client_consume(&g->client, n, engine_loop_now());
        }
        if (complete(g) || trk_client_at_end(&g->client))
            break;
        if (engine_loop_flush(g->loop) || engine_loop_turn(g->loop, 1000))
            return fail("the link failed: %s", strerror(errno));
    }
    return judge_end(g);
}

static void print_stats(const struct get *g, uint64_t started_us)
{
    struct trk_client_stats s;
    struct rusage usage;
    double span = (double)(engine_loop_now() - started_us) / 1e6;
    trk_client_stats(&g->client, &s);
    getrusage(RUSAGE_SELF, &usage);
    fprintf(stderr, "{\"seconds\":%.6f,\"body_bytes\":%" PRIu64 ",\"mbit_per_s\":%.1f,\"segments_sent\":%" PRIu64 ",\"segments_received\":%" PRIu64
            ",\"numbers_lost\":%" PRIu64 ",\"recoveries\":%" PRIu64 ",\"timeouts\":%" PRIu64 ",\"resumes\":%" PRIu64 ",\"refreshes\":%" PRIu64
            ",\"srtt_us\":%u,\"cwnd_pkts\":%u,\"slot\":%u,\"generation\":%u,\"socket_drops\":%" PRIu64 ",\"cpu_seconds\":%.3f",
            span, g->body_bytes, (double)g->body_bytes * 8 / 1e6 / span, s.segments_sent, s.segments_received, s.numbers_lost, s.recoveries,
            s.timeouts, s.resumes, s.refreshes, s.srtt_us, s.cwnd_pkts, s.slot, s.generation, trk_link_drops(g->loop->link),
            (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
    for (int v = 0; v < TRK_V_COUNT; v++)
        if (s.verdicts[v] + g->loop->verdicts[v] > 0)
            fprintf(stderr, ",\"%s\":%" PRIu64, trk_verdict_name((enum trk_verdict)v), s.verdicts[v] + g->loop->verdicts[v]);
    fprintf(stderr, "}\n");
}

static bool run(struct get *g)
{
    uint64_t started_us = engine_loop_now();
    uint16_t port = 0;
    if (!parse_url(g->options.url, &g->url) || !resolve(g) || !take_port(g, &port) || !open_link(g, port) || !open_client(g, port))
        return false;
    bool ok = transfer(g);
    if (g->options.stats)
        print_stats(g, started_us);
    trk_client_close(&g->client);
    (void)engine_loop_flush(g->loop);
    if (fflush(g->out) != 0)
        ok = fail("cannot write: %s", strerror(errno));
    return ok;
}

static void release(struct get *g)
{
    if (g->loop)
        trk_link_close(g->loop->link);
    trk_capture_close(g->capture);
    if (g->guard >= 0)
        close(g->guard);
    free(g->client.config.receive_buffer);
    free(g->client.config.send_buffer);
    free(g->client.config.numbers);
    free(g->loop);
    if (g->out && g->out != stdout)
        fclose(g->out);
}

static void usage(FILE *out)
{
    fprintf(out, "usage: trickles-get [options] http://HOST[:PORT]/PATH\n"
                 "Fetches one URL over Trickles and prints the body.\n"
                 "  -o, --output FILE   write the body there\n"
                 "      --pcap FILE     record the connection's packets\n"
                 "      --stats         print counters as JSON to standard error at the end\n"
                 "  -v, --verbose       show the response's head\n"
                 "It needs root, or CAP_NET_RAW (and CAP_NET_ADMIN to see nothing of the kernel's TCP).\n");
}

static bool parse_options(int argc, char **argv, struct options *o)
{
    static const struct option options[] = { { "output", 1, NULL, 'o' }, { "pcap", 1, NULL, 'p' }, { "stats", 0, NULL, 's' },
                                             { "verbose", 0, NULL, 'v' }, { "help", 0, NULL, 'h' }, { NULL, 0, NULL, 0 } };
    for (int option; (option = getopt_long(argc, argv, "o:vh", options, NULL)) != -1; ) {
        switch (option) {
        case 'o': o->output = optarg; break;
        case 'p': o->pcap = optarg; break;
        case 's': o->stats = true; break;
        case 'v': o->verbose = true; break;
        case 'h': usage(stdout); exit(0);
        default:  return false;
        }
    }
    o->url = argv[optind];
    return argc - optind == 1;
}

int main(int argc, char **argv)
{
    static struct get g = { .guard = -1 };
    if (!parse_options(argc, argv, &g.options)) {
        usage(stderr);
        return 2;
    }
    struct sigaction action = { .sa_handler = on_signal };
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    g.out = g.options.output ? fopen(g.options.output, "wbe") : stdout;
    g.loop = calloc(1, sizeof *g.loop);
    bool ok = true;
    if (!g.out)
        ok = fail("cannot write the output file: %s", strerror(errno));
    else if (!g.loop)
        ok = fail("%s", "out of memory");
    ok = ok && run(&g);
    release(&g);
    return ok ? 0 : 1;
}
