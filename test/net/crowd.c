/* crowd.c - many connections of one client process that keeps 44 bytes for each: opens them, leaves them idle, and lets a random
 * share of them fetch a file.
 *
 *     trk-crowd SERVER4 PORT COUNT IDLE_SECONDS SHARE PATH FILE
 *
 * The engine is not used: a connection here is a SYN, perhaps a refresh, a request, and one more for each window that its answer
 * takes, without any repair of losses but for the SYN. Connections have source addresses of 10.80.0.0/16, which need not
 * exist: the server answers to whom a frame came from. Lines on standard output: "opened ...", "fetched ...".
 * Exit status 0: each fetch was exact. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <arpa/inet.h>
#include "link/link.h"
#include "link/route.h"
#include "tcb/keys.h"
#include "wire/messages.h"

#define OUTSTANDING   1024             /* SYNs without an answer, or the next wait */
#define SEND_BATCH    64
#define ACTIVE        32               /* fetches at a time */
#define FIRST_PORT    20000
#define ANSWER_BYTES  16384
#define PATIENCE_MS   2000

struct conn {                          /* all that a client must keep of an idle connection. h 0: not open */
    uint64_t h, nonce;
    uint32_t tag, tick;
    uint8_t  seal[TRK_SEAL_BYTES];
};

struct fetch {                         /* one that is under way */
    int64_t since_ms;
    uint32_t conn, seq, ack;
    bool busy, refreshed;
    uint64_t end;                      /* of the output, once it is known; else 0 */
    uint32_t got;
    struct trk_grant grant; uint8_t seal[TRK_SEAL_BYTES];    /* the newest answer's, */
    uint32_t numbers;                  /* how many of it have come, */
    uint64_t sum;                      /* and the nonces of all in its piece */
    uint8_t cont[TRK_UCONT_MAX]; uint16_t cont_bytes;        /* that makes the output */
    uint8_t answer[ANSWER_BYTES];
};

struct crowd {
    struct trk_link *link;
    struct trk_addr server; uint16_t port;
    struct trk_link_neighbour to;
    struct conn *conns; uint32_t n, opened;
    uint32_t domain; uint8_t epoch; uint16_t slot; struct trk_piece piece;   /* equal for all */
    uint32_t *t_of;                    /* opening tick of each */
    uint8_t packets[SEND_BATCH][1400]; struct trk_link_out out[SEND_BATCH]; int n_out;
    struct fetch fetches[ACTIVE];
    uint32_t done, exact, refreshes, failed;
    const char *path; uint8_t file[ANSWER_BYTES]; size_t file_bytes;
};

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void fail(const char *what, const char *detail)
{
    fprintf(stderr, "trk-crowd: %s%s%s\n", what, detail ? ": " : "", detail ? detail : "");
    exit(2);
}

static uint64_t mix(uint64_t z)
{
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
}

/* ---- packets ---- */

static struct trk_flow flow_of(const struct crowd *c, uint32_t i)
{
    struct trk_flow f = { .dst = c->server, .dport = c->port, .sport = (uint16_t)(FIRST_PORT + (i >> 16)), .src.family = 4 };
    const uint8_t address[4] = { 10, 80, (uint8_t)(i >> 8), (uint8_t)i };
    memcpy(f.src.bytes, address, 4);
    return f;
}

static uint32_t iss_of(uint32_t i) { return (uint32_t)mix(i + 1); }

static bool conn_of(const struct crowd *c, const struct trk_flow *f, uint32_t *i)
{
    *i = (uint32_t)(f->dport - FIRST_PORT) << 16 | (uint32_t)f->dst.bytes[2] << 8 | f->dst.bytes[3];
    return f->dport >= FIRST_PORT && *i < c->n && f->dst.bytes[0] == 10 && f->dst.bytes[1] == 80;
}

static void flush(struct crowd *c)
{
    for (int at = 0; at < c->n_out;) {
        int sent = trk_link_send(c->link, c->out + at, c->n_out - at);
        if (sent < 0)
            fail("cannot send", strerror(errno));
        at += sent;
    }
    c->n_out = 0;
}

static uint8_t *room(struct crowd *c)
{
    if (c->n_out == SEND_BATCH)
        flush(c);
    return c->packets[c->n_out];
}

static void send_packet(struct crowd *c, const struct trk_segment *seg, const uint8_t *payload)
{
    uint8_t *p = room(c);
    size_t head = trk_segment_emit(seg, p, sizeof c->packets[0]);
    if (!head || head + seg->payload_bytes > sizeof c->packets[0])
        fail("a packet is too long", NULL);
    memcpy(p + head, payload, seg->payload_bytes);
    c->out[c->n_out++] = (struct trk_link_out){ .head = p, .head_bytes = (uint32_t)(head + seg->payload_bytes), .to = c->to };
}

static void send_syn(struct crowd *c, uint32_t i)
{
    uint8_t payload[TRK_SYN_PAYLOAD];
    struct trk_open open = { .has_input = false };
    uint64_t a = mix(i * 2ull + 77), b = mix(i * 2ull + 78);
    memcpy(open.random, &a, 8);
    memcpy(open.random + 8, &b, 8);
    struct trk_segment seg = {
        .flow = flow_of(c, i), .seq = iss_of(i), .flags = TRK_SYN, .marked = true, .mss = 1460, .has_wscale = true, .wscale = 14, .sack_ok = true,
        .has_timestamp = true, .payload = payload, .payload_bytes = (uint32_t)trk_open_emit(&open, payload, sizeof payload),
    };
    send_packet(c, &seg, payload);
}

/* What all requests have: they spend the numbers of one grant, all of which have come. */
static struct trk_request *prepare(const struct trk_grant *g, uint64_t sum, const uint8_t *seal)
{
    static struct trk_request r;
    struct trk_part *part = &r.parts[0];
    memset(&r, 0, sizeof r);
    r.form = TRK_FORM_REQUEST;
    r.want_long = true;                /* so nothing has to be predicted */
    r.id = g->id;
    r.domain = g->domain;
    r.generation = g->generation;
    r.address_tag = g->address_tag;
    r.epoch = g->epoch;
    r.slot = r.fill = g->slot;
    r.n_parts = 1;
    part->kind = g->kind;
    part->m = (uint16_t)(g->f - g->a + 1);
    part->k = g->a;
    part->piece = g->piece;
    part->xor_nonces = sum;
    part->n_ranges = part->n_grants = part->n_asks = 1;
    part->ranges[0] = (struct trk_range){ g->piece.base + 1, g->f };
    part->grants[0] = (struct trk_grant_ref){ .a = g->a, .b = g->b, .f = g->f, .tick = g->tick };
    memcpy(part->grants[0].seal, seal, TRK_SEAL_BYTES);
    return &r;
}

static void send_request(struct crowd *c, struct fetch *f, const struct trk_request *r)
{
    uint8_t payload[1300];
    size_t n = trk_request_emit(r, payload, sizeof payload);
    if (!n)
        fail("a request cannot be written", NULL);
    struct trk_segment seg = {
        .flow = flow_of(c, f->conn), .seq = f->seq, .ack = f->ack, .flags = TRK_ACK, .marked = true, .payload = payload, .payload_bytes = (uint32_t)n,
    };
    send_packet(c, &seg, payload);
    f->seq += (uint32_t)n;
    f->since_ms = now_ms();
}

/* Spend an opening, and ask for the file. */
static void send_get(struct crowd *c, struct fetch *f, const struct trk_grant *g, uint64_t nonce, const uint8_t *seal)
{
    struct trk_request *r = prepare(g, nonce, seal);
    char text[256];
    r->reserve = 400;
    r->has_input = true;
    r->input_cont = 0xff;
    r->input = (uint8_t *)text;
    r->input_bytes = (uint32_t)snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: crowd\r\n\r\n", c->path);
    r->parts[0].asks[0] = (struct trk_ask){ TRK_ASK_INPUT, 0, 10u * (g->slot - TRK_LONG_BYTES) - r->reserve };
    send_request(c, f, r);
}

/* Spend a window, and ask for the rest. */
static void send_more(struct crowd *c, struct fetch *f)
{
    struct trk_request *r = prepare(&f->grant, f->sum, f->seal);
    r->n_conts = 1;
    if (trk_ucont_parse(f->cont, f->cont_bytes, &r->conts[0]) != TRK_V_ACCEPTED)
        fail("a continuation cannot be read", NULL);
    r->parts[0].asks[0] = (struct trk_ask){ 0, f->got, (uint32_t)(f->end - f->got) };
    send_request(c, f, r);
}

/* ---- opening ---- */

static void take_opened(struct crowd *c, uint32_t i, const struct trk_answer *a)
{
    struct conn *n = &c->conns[i];
    if (n->h)
        return;
    if (c->opened == 0) {
        c->domain = a->grant.domain;
        c->epoch = a->grant.epoch;
        c->slot = a->grant.slot;
        c->piece = a->grant.piece;
    } else if (c->domain != a->grant.domain || c->epoch != a->grant.epoch || c->slot != a->grant.slot)
        fail("the server's filter, keys or MTU have changed", NULL);
    n->h = a->grant.id.h;
    n->tag = a->grant.address_tag;
    n->tick = a->grant.tick;
    n->nonce = a->nonce;
    memcpy(n->seal, a->seal, sizeof n->seal);
    c->t_of[i] = a->grant.id.t;
    c->opened++;
}

static struct fetch *fetch_of(struct crowd *c, uint32_t conn)
{
    for (size_t i = 0; i < ACTIVE; i++)
        if (c->fetches[i].busy && c->fetches[i].conn == conn)
            return &c->fetches[i];
    return NULL;
}

/* ---- fetching ---- */

static void begin_fetch(struct crowd *c, struct fetch *f, uint32_t i)
{
    const struct conn *n = &c->conns[i];
    struct trk_grant g = {
        .kind = TRK_OPENING, .epoch = c->epoch, .domain = c->domain, .id = { n->h, c->t_of[i] }, .piece = c->piece, .a = 1, .b = 1, .f = 1,
        .slot = c->slot, .tick = n->tick, .address_tag = n->tag,
    };
    memset(f, 0, sizeof *f);
    f->busy = true;
    f->conn = i;
    f->seq = iss_of(i) + 1 + TRK_SYN_PAYLOAD;
    f->ack = trk_seq_of(trk_conn_isn(n->h), 1, c->slot) + TRK_OPENED_BYTES;
    send_get(c, f, &g, n->nonce, n->seal);
}

static void end_fetch(struct crowd *c, struct fetch *f, bool exact)
{
    c->done++;
    c->exact += exact;
    c->failed += !exact;
    c->refreshes += f->refreshed;
    f->busy = false;
}

static bool is_exact(const struct crowd *c, const struct fetch *f)
{
    const uint8_t *body = f->end <= sizeof f->answer ? memmem(f->answer, f->end, "\r\n\r\n", 4) : NULL;
    return body && memcmp(f->answer, "HTTP/1.1 200 ", 13) == 0 && (size_t)(f->answer + f->end - (body + 4)) == c->file_bytes &&
           memcmp(body + 4, c->file, c->file_bytes) == 0;
}

/* One more number of the answer that it belongs to. */
static void note_number(struct crowd *c, struct fetch *f, const struct trk_answer *a)
{
    if (f->grant.a != a->grant.a || f->numbers == 0) {
        if (f->numbers == 0 || f->grant.piece.base != a->grant.piece.base)
            f->sum = 0;
        f->grant = a->grant;
        f->grant.id = (struct trk_conn_id){ c->conns[f->conn].h, c->t_of[f->conn] };
        f->numbers = 0;
        memcpy(f->seal, a->seal, sizeof f->seal);
    }
    f->numbers++;
    f->sum ^= a->nonce;
}

static void take_answer(struct crowd *c, struct fetch *f, const struct trk_answer *a)
{
    if (a->flags & TRK_F_REFRESH) {
        f->refreshed = true;
        struct trk_grant g = a->grant;
        g.id = (struct trk_conn_id){ c->conns[f->conn].h, c->t_of[f->conn] };
        send_get(c, f, &g, a->nonce, a->seal);
        return;
    }
    note_number(c, f, a);
    if ((a->flags & TRK_F_DONE) && a->n_conts == 2) {
        f->end = a->conts[1].second;
        f->cont_bytes = a->conts[1].total_bytes;
        memcpy(f->cont, a->conts[1].bytes, f->cont_bytes);
    }
    if (a->offset + a->data_bytes > sizeof f->answer)
        return;
    memcpy(f->answer + a->offset, a->data, a->data_bytes);
    f->got += a->data_bytes;
    if (f->end && f->got >= f->end)
        end_fetch(c, f, is_exact(c, f));
    else if (f->numbers == f->grant.f - f->grant.a + 1)
        send_more(c, f);
}

/* ---- receiving ---- */

static void take_packet(struct crowd *c, const struct trk_link_packet *p)
{
    struct trk_segment seg;
    static struct trk_answer a;
    uint32_t i;
    if (trk_segment_parse(p->ip, p->bytes, &seg) != TRK_V_ACCEPTED || !conn_of(c, &seg.flow, &i) ||
        trk_answer_parse(seg.payload, seg.payload_bytes, &a) != TRK_V_ACCEPTED)
        return;
    struct fetch *f = fetch_of(c, i);
    if (a.form == TRK_FORM_OPENED)
        take_opened(c, i, &a);
    else if (a.form == TRK_FORM_LONG && f) {
        if ((int32_t)(seg.seq + seg.payload_bytes - f->ack) > 0)
            f->ack = seg.seq + seg.payload_bytes;
        take_answer(c, f, &a);
    }
}

/* What is there, after a wait of at most so long. */
static void receive(struct crowd *c, int wait_ms)
{
    struct trk_link_packet packets[64];
    int n;
    flush(c);
    poll(&(struct pollfd){ .fd = trk_link_fd(c->link), .events = POLLIN }, 1, wait_ms);
    while ((n = trk_link_receive(c->link, packets, 64)) > 0)
        for (int i = 0; i < n; i++)
            take_packet(c, &packets[i]);
}

/* Until all are open. A server that is too busy answers later: who has no answer yet asks again in the next pass. */
static void open_all(struct crowd *c)
{
    for (int pass = 0; c->opened < c->n; pass++) {
        uint32_t sent = 0, before = c->opened;
        if (pass == 20)
            fail("not all connections could be opened", NULL);
        for (uint32_t i = 0; i < c->n; i++) {
            if (c->conns[i].h)
                continue;
            send_syn(c, i);
            sent++;
            for (int64_t began = now_ms(); sent - (c->opened - before) > OUTSTANDING && now_ms() - began < 20;)
                receive(c, 1);
            if (sent - (c->opened - before) > OUTSTANDING)
                sent = c->opened - before;     /* they are lost: the next pass's */
        }
        for (int64_t began = now_ms(); c->opened < c->n && now_ms() - began < 300;)
            receive(c, 10);
    }
}

static void fetch_share(struct crowd *c, double share)
{
    uint64_t seed = (uint64_t)getpid() ^ (uint64_t)now_ms();
    for (uint32_t i = 0; i < c->n;) {
        struct fetch *idle = NULL;
        for (size_t k = 0; k < ACTIVE; k++) {
            struct fetch *f = &c->fetches[k];
            if (f->busy && now_ms() - f->since_ms > PATIENCE_MS)
                end_fetch(c, f, false);
            if (!f->busy)
                idle = f;
        }
        if (!idle) {
            receive(c, 1);
            continue;
        }
        seed += 0x9e3779b97f4a7c15ull;
        if ((double)(mix(seed) >> 11) / 9007199254740992.0 < share)
            begin_fetch(c, idle, i);
        i++;
    }
    for (int64_t began = now_ms(); now_ms() - began < PATIENCE_MS + 100; receive(c, 10)) {
        bool any = false;
        for (size_t k = 0; k < ACTIVE; k++)
            any = any || c->fetches[k].busy;
        if (!any)
            return;
    }
    for (size_t k = 0; k < ACTIVE; k++)
        if (c->fetches[k].busy)
            end_fetch(c, &c->fetches[k], false);
}

/* ---- setting up ---- */

static void open_link(struct crowd *c, const char *server)
{
    static struct trk_link_port all[TRK_LINK_PORTS_MAX + 1];      /* so many: whatever carries the option */
    char error[256];
    struct trk_route route;
    c->server.family = 4;
    if (inet_pton(AF_INET, server, c->server.bytes) != 1 || trk_route_lookup(4, c->server.bytes, NULL, 1000, &route) != 0)
        fail("no way to the server", server);
    c->to = route.neighbour;
    struct trk_link_config config = { .ifindex = route.ifindex, .ports = all, .n_ports = TRK_LINK_PORTS_MAX + 1, .receive_bytes = 16u << 20 };
    c->link = trk_link_open(&config, error, sizeof error);
    if (!c->link)
        fail("no link", error);
}

static void read_file(struct crowd *c, const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        fail(path, strerror(errno));
    c->file_bytes = fread(c->file, 1, sizeof c->file, f);
    fclose(f);
}

int main(int argc, char **argv)
{
    static struct crowd c;
    if (argc != 8)
        fail("usage: trk-crowd SERVER4 PORT COUNT IDLE_SECONDS SHARE PATH FILE", NULL);
    c.port = (uint16_t)atoi(argv[2]);
    c.n = (uint32_t)atol(argv[3]);
    c.path = argv[6];
    read_file(&c, argv[7]);
    c.conns = calloc(c.n, sizeof *c.conns);
    c.t_of = calloc(c.n, sizeof *c.t_of);
    if (c.n == 0 || c.n > 40u << 16 || !c.conns || !c.t_of)
        fail("COUNT is 1 to 2,621,440, if there is memory for them", NULL);
    open_link(&c, argv[1]);
    int64_t began = now_ms();
    open_all(&c);
    printf("opened %u connections in %.1f s, %zu bytes of client state for each\n", c.opened, (double)(now_ms() - began) / 1000, sizeof *c.conns + sizeof *c.t_of);
    fflush(stdout);
    sleep((unsigned)atoi(argv[4]));
    began = now_ms();
    fetch_share(&c, atof(argv[5]));
    printf("fetched %u of %u, %u exact, %u refreshed, in %.1f s\n", c.done, c.n, c.exact, c.refreshes, (double)(now_ms() - began) / 1000);
    trk_link_close(c.link);
    return c.failed == 0 && c.done > 0 ? 0 : 1;
}
