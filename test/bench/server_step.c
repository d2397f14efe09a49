/* server_step - what a server spends on a request, and how much of that is the replay filter: nanoseconds for parse, check,
 * admit, plan and respond of the usual requests, and for the same with admit's decision known beforehand. The two are timed in
 * turn, in many short rounds, and the fastest round of each counts, so that a busy machine disturbs both alike.
 *
 *     server_step [ROUNDS]          (default 60; exit status 1 if the filter takes more than 15 % of a step) */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "serve/filter.h"
#include "serve/serve.h"

#define REQUESTS    64                 /* of a round: they stay in the cache */
#define MOST        .15
#define FILTER_MIB  16
#define NOW_MS      1700000000000ull
#define OUTPUT      (1u << 20)

static struct trk_keys keys;
static struct trk_epoch *epoch;
static struct trk_filter *filter;
static uint8_t output[OUTPUT];

struct wired { uint8_t bytes[2048]; size_t n; struct trk_segment seg; struct trk_decision decided; };
static struct wired wired[REQUESTS];

struct shape { const char *name; uint16_t m; uint8_t repeats; bool loss, spread; };
/* The last one shows what memory that is in no cache costs: it is not held to the bound. */
static const struct shape shapes[] = {
    { "1 number", 1, 0, false, false },
    { "2 numbers", 2, 0, false, false },
    { "2 numbers and 2 repeats of 2", 2, 2, false, false },
    { "2 numbers, recovery", 2, 0, true, false },
    { "44 numbers", 44, 0, false, false },
    { "2 numbers and 2 repeats, of 100,000 connections", 2, 2, false, true },
};

static void die(const char *why)
{
    fprintf(stderr, "server_step: %s\n", why);
    exit(2);
}

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* ---------------- requests, proven ---------------- */

static const struct trk_flow flow = { .src = { 4, { 10, 0, 0, 1 } }, .dst = { 4, { 10, 0, 0, 2 } }, .sport = 40000, .dport = 80 };

static void add_part(struct trk_request *r, uint64_t k, uint16_t m, bool loss, uint8_t cont)
{
    struct trk_part *p = &r->parts[r->n_parts++];
    struct trk_nonce_scope scope;
    memset(p, 0, sizeof *p);
    p->k = k;
    p->m = m;
    p->piece = (struct trk_piece){ .base = k - 40, .start = 20, .ssthresh = 20 };
    p->n_ranges = 1;
    p->ranges[0] = (struct trk_range){ p->piece.base + 1, k + m - 1 };
    if (loss) {
        p->n_ranges = 2;
        p->ranges[0].right = k - 16;
        p->ranges[1] = (struct trk_range){ k - 14, k + m - 1 };
    }
    scope = (struct trk_nonce_scope){ r->id, r->domain, r->generation, p->piece.base };
    for (unsigned i = 0; i < p->n_ranges; i++)
        for (uint64_t n = p->ranges[i].left; n <= p->ranges[i].right; n++)
            p->xor_nonces ^= trk_nonce(epoch, &scope, n);
    p->n_grants = 1;
    p->grants[0] = (struct trk_grant_ref){ .a = k, .b = k + m - 1, .f = k + m - 1, .tick = trk_tick(NOW_MS) - 3 };
    struct trk_grant g = { .epoch = r->epoch, .domain = r->domain, .id = r->id, .generation = r->generation, .piece = p->piece,
                           .a = k, .b = k + m - 1, .f = k + m - 1, .slot = r->slot, .tick = p->grants[0].tick, .address_tag = r->address_tag };
    trk_grant_seal(epoch, &g, p->grants[0].seal);
    p->n_asks = 1;
    p->asks[0] = (struct trk_ask){ cont, 0, (uint32_t)(m + 2) * 1400 };
}

static void wire(struct wired *w, const struct trk_request *r)
{
    uint8_t message[1500];
    size_t n = trk_request_emit(r, message, sizeof message);
    struct trk_segment seg = { .flow = flow, .seq = 1, .ack = 1, .flags = TRK_ACK, .marked = true, .payload_bytes = (uint32_t)n };
    size_t head = n ? trk_segment_emit(&seg, w->bytes, sizeof w->bytes) : 0;
    if (!head)
        die("a request does not fit");
    memcpy(w->bytes + head, message, n);
    w->n = head + n;
    trk_segment_finish(w->bytes, w->n);
    if (trk_segment_parse(w->bytes, w->n, &w->seg) != TRK_V_ACCEPTED)
        die("a request is no segment");
}

/* REQUESTS successive requests of a connection, or one each of many. Numbers never used before, so that each is spent. */
static void prepare(const struct shape *s, uint32_t domain, uint64_t round)
{
    static struct trk_request r;
    uint8_t sealed[TRK_UCONT_MAX];
    for (unsigned i = 0; i < REQUESTS; i++) {
        memset(&r, 0, offsetof(struct trk_request, parts));
        r.form = TRK_FORM_REQUEST;
        r.id = (struct trk_conn_id){ s->spread ? (round * REQUESTS + i) % 100000 * 0x9e3779b97f4a7c15u : 7, 1 };
        r.domain = domain;
        r.generation = (uint32_t)round;
        r.epoch = epoch->epoch;
        r.slot = r.fill = 1456;
        r.address_tag = trk_address_tag(epoch, &flow.src, flow.sport);
        struct trk_ucont u = { .type = TRK_UCONT_OUTPUT, .second = OUTPUT, .opaque_bytes = 40 };
        size_t n = trk_ucont_seal(epoch, &r.id, &u, sealed, sizeof sealed);
        r.n_conts = 1;
        if (trk_ucont_parse(sealed, n, &r.conts[0]) != TRK_V_ACCEPTED)
            die("a continuation does not parse");
        r.has_input = false;
        r.input_cont = 0xff;
        r.input_offset = 0;
        r.input_bytes = 0;
        uint64_t k = 1000 + (uint64_t)i * (s->m + (s->loss ? 64u : 0));      /* what a recovery calls lost must not be spent */
        for (unsigned back = s->repeats; back > 0; back--)
            add_part(&r, k - back * s->m, s->m, false, 0);
        add_part(&r, k, s->m, s->loss, 0);
        wire(&wired[i], &r);
        if (s->loss) {                 /* what came before k was spent, but for what is lost */
            uint64_t who = trk_filter_who(filter, &r.id);
            trk_filter_spend(filter, who, r.generation, k - 40, 25, NOW_MS);
            trk_filter_spend(filter, who, r.generation, k - 14, 14, NOW_MS);
            if (i % 8)                 /* the first one of a window finds L free */
                trk_filter_lose(filter, who, r.generation, k - 15, NOW_MS);
        }
    }
}

/* ---------------- the step ---------------- */

struct bench { struct trk_spend spend; struct trk_decision decision; struct trk_plan plan; struct trk_result result;
               struct trk_packet packets[TRK_ANSWER_PACKETS_MAX]; uint8_t arena[TRK_ARENA_BYTES]; };

/* admits: the filter decides, and what it decided is noted; else it is as noted. */
static void step(struct bench *b, struct wired *w, bool admits, const struct trk_serve_config *config)
{
    struct trk_packets out = { .packets = b->packets, .cap = TRK_ANSWER_PACKETS_MAX, .arena = b->arena, .arena_bytes = sizeof b->arena };
    struct trk_segment seg;
    if (trk_segment_parse(w->bytes, w->n, &seg) != TRK_V_ACCEPTED || trk_check(&seg, &keys, config, NOW_MS, &b->spend) != TRK_V_ACCEPTED)
        die("a request was refused by check");
    if (admits)
        trk_admit(filter, &b->spend, config, NOW_MS, &w->decided);
    b->decision = w->decided;
    if (b->decision.verdict != TRK_V_ANSWERED || trk_plan(&b->spend, &b->decision, config, &b->plan) != TRK_V_ACCEPTED)
        die(trk_verdict_name(b->decision.verdict));
    for (unsigned i = 0; i < b->plan.n_wants; i++) {
        b->result.given[i].data = output + b->plan.wants[i].offset;
        b->result.given[i].bytes = b->plan.wants[i].bytes;
        b->result.given[i].end = b->result.given[i].fin = false;
    }
    if (trk_respond(&b->spend, &b->decision, &b->plan, &b->result, &keys, config, NOW_MS, &out) != TRK_V_ANSWERED || !out.n)
        die("a request was not answered");
}

static double pass_ns(struct bench *b, bool admits)
{
    struct trk_serve_config config = { .domain = trk_filter_domain(filter), .mss_v4 = 1460, .mss_v6 = 1440 };
    double from = now_ns();
    for (unsigned i = 0; i < REQUESTS; i++)
        step(b, &wired[i], admits, &config);
    return (now_ns() - from) / REQUESTS;
}

/* Both passes find the requests where the second one would. */
static void warm_up(struct bench *b)
{
    struct trk_serve_config config = { .domain = trk_filter_domain(filter), .mss_v4 = 1460, .mss_v6 = 1440 };
    for (unsigned i = 0; i < REQUESTS; i++)
        if (trk_check(&wired[i].seg, &keys, &config, NOW_MS, &b->spend) != TRK_V_ACCEPTED)
            die("a request was refused by check");
}

static bool measure(struct bench *b, const struct shape *s, unsigned rounds)
{
    static uint64_t round = 1;
    double best[2] = { 1e18, 1e18 };
    for (unsigned i = 0; i < rounds; i++) {
        prepare(s, trk_filter_domain(filter), round++);
        warm_up(b);
        for (int without = 0; without < 2; without++) {
            double ns = pass_ns(b, !without);
            if (ns < best[without])
                best[without] = ns;
        }
    }
    double share = best[0] / best[1] - 1;
    printf("%-50s %7.0f ns, with the filter %7.0f ns: %+5.1f %%%s\n", s->name, best[1], best[0], 100 * share, share > MOST && !s->spread ? "  TOO MUCH" : "");
    return share <= MOST || s->spread;
}

int main(int argc, char **argv)
{
    unsigned rounds = argc > 1 ? (unsigned)atoi(argv[1]) : 60;
    static const uint8_t master[TRK_MASTER_BYTES] = "bench", key[TRK_FILTER_KEY_BYTES] = "bench";
    size_t bytes = (size_t)FILTER_MIB << 20;
    void *memory = aligned_alloc(64, bytes);
    struct bench *b = calloc(1, sizeof *b);
    if (argc > 2 || !rounds || !memory || !b || sodium_init() < 0)
        die("usage: server_step [ROUNDS]");
    trk_keys_init(&keys);
    trk_keys_add(&keys, 1, TRK_EPOCH_CURRENT, master);
    epoch = &keys.epochs[0];
    filter = trk_filter_create(memory, bytes, 77, key);
    bool good = true;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        good &= measure(b, &shapes[i], rounds);
    free(b);
    free(memory);
    return !good;
}
