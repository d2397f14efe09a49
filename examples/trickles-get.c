/* trickles-get.c - an HTTP client on libtrickles-client: one connection, one GET, the body into a file.
 *
 *     trickles-get http://10.0.0.1/file -o file
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <time.h>
#include <trickles/client.h>

#define HEAD_MAX (64u << 10)
#define PIECES   64

struct options { const char *output, *pcap, *url; bool stats, verbose; };
struct url { char host[256], port[8]; const char *path; };

struct get {
    struct options options;
    struct url url;
    struct sockaddr_storage server;
    struct trickles *trickles;
    struct trickles_conn *conn;
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
    memcpy(&g->server, list->ai_addr, list->ai_addrlen);
    freeaddrinfo(list);
    return true;
}

/* The request travels in the first packet. */
static bool ask(struct get *g)
{
    char request[4096], error[TRICKLES_ERROR_BYTES];
    struct trickles_options options = { .capture = g->options.pcap };
    int bytes = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: trickles-get\r\nAccept: */*\r\n\r\n", g->url.path, g->url.host);
    if (bytes < 0 || (size_t)bytes >= sizeof request)
        return fail("%s", "the URL is too long");
    g->trickles = trickles_new(&options, error, sizeof error);
    if (!g->trickles)
        return fail("%s", error);
    struct trickles_target target = { .peer = (struct sockaddr *)&g->server, .data = request, .bytes = (size_t)bytes };
    g->conn = trickles_open(g->trickles, &target);
    return g->conn || fail("%s", trickles_why(g->trickles));
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

/* All that has arrived. */
static bool take_all(struct get *g)
{
    struct iovec pieces[PIECES];
    size_t n;
    while (!complete(g) && (n = trickles_peek(g->conn, pieces, PIECES)) > 0) {
        size_t bytes = 0;
        for (size_t i = 0; i < n; i++) {
            if (!take(g, pieces[i].iov_base, (uint32_t)pieces[i].iov_len))
                return false;
            bytes += pieces[i].iov_len;
        }
        trickles_consume(g->conn, bytes);
    }
    return true;
}

static bool transfer(struct get *g)
{
    struct trickles_event event;
    while (!complete(g) && !trickles_at_end(g->conn)) {
        if (trickles_error(g->conn))
            return fail("%s", trickles_conn_why(g->conn));
        int status = trickles_wait(g->trickles, &event, 1, -1);
        if (interrupted)
            return fail("%s", "interrupted");
        if (status < 0 && status != -EINTR)
            return fail("cannot wait: %s", strerror(-status));
        if (!take_all(g))
            return false;
    }
    if (!g->in_body || (g->has_length && g->body_bytes != g->length))
        return fail("%s", "the connection ended before the response was complete");
    return true;
}

static uint64_t clock_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void print_stats(const struct get *g, uint64_t started_us)
{
    struct trickles_info i;
    struct rusage usage;
    double span = (double)(clock_us() - started_us) / 1e6;
    trickles_info(g->conn, &i);
    getrusage(RUSAGE_SELF, &usage);
    fprintf(stderr, "{\"seconds\":%.6f,\"body_bytes\":%" PRIu64 ",\"mbit_per_s\":%.1f,\"packets_sent\":%" PRIu64 ",\"packets_received\":%" PRIu64
            ",\"packets_lost\":%" PRIu64 ",\"recoveries\":%" PRIu64 ",\"timeouts\":%" PRIu64 ",\"resumes\":%" PRIu64 ",\"refreshes\":%" PRIu64
            ",\"rtt_us\":%u,\"window_packets\":%u,\"socket_drops\":%" PRIu64 ",\"cpu_seconds\":%.3f}\n",
            span, g->body_bytes, (double)g->body_bytes * 8 / 1e6 / span, i.packets_sent, i.packets_received, i.packets_lost, i.recoveries,
            i.timeouts, i.resumes, i.refreshes, i.rtt_us, i.window_packets, trickles_drops(g->trickles),
            (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
}

static bool run(struct get *g)
{
    uint64_t started_us = clock_us();
    if (!parse_url(g->options.url, &g->url) || !resolve(g) || !ask(g))
        return false;
    bool ok = transfer(g);
    if (g->options.stats)
        print_stats(g, started_us);
    if (fflush(g->out) != 0)
        ok = fail("cannot write: %s", strerror(errno));
    return ok;
}

static void release(struct get *g)
{
    trickles_abort(g->conn);
    trickles_free(g->trickles);
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
    static struct get g;
    if (!parse_options(argc, argv, &g.options)) {
        usage(stderr);
        return 2;
    }
    struct sigaction action = { .sa_handler = on_signal };
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    g.out = g.options.output ? fopen(g.options.output, "wbe") : stdout;
    bool ok = true;
    if (!g.out)
        ok = fail("cannot write the output file: %s", strerror(errno));
    ok = ok && run(&g);
    release(&g);
    return ok ? 0 : 1;
}
