/* sim_flood - hosts under a flood.
 *   echo: everything that a client ever sent comes again, at once and when it is too old. What is said in answer is no more
 *         than what came.
 *   fill: a client that only opens connections, so many a second, to push others out of the filter: what an honest download
 *         beside it gets, relative to one without it.
 *
 *     sim_flood [--seeds N]           Fails if a replay is amplified, or a flood that the filter has room for costs anybody anything. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "greedy.h"

#define SECONDS    20
#define LOG        16384
#define TOO_OLD_US 70000000ull         /* grants are refreshed then */
#define TICK_US    1000                /* of the flood */

/* ---------------- echo ---------------- */

struct recorder { unsigned n; bool replays; struct { uint32_t bytes; uint8_t packet[ARENA_MTU]; } log[LOG]; };

static bool record(struct arena *a, struct player *p, uint8_t *packet, uint32_t bytes)
{
    struct recorder *r = p->own;

    (void)a;
    if (r->n < LOG && bytes <= ARENA_MTU) {
        memcpy(r->log[r->n].packet, packet, bytes);
        r->log[r->n++].bytes = bytes;
    }
    return true;
}

static void stop_at_2_s(struct arena *a, struct player *p)
{
    p->detached |= a->now_us >= 2000000;
}

static void replay(struct arena *a, struct player *p)
{
    struct recorder *r = p->own;

    for (unsigned i = 0; i < r->n; i++)
        arena_send(a, p, 0, r->log[i].packet, r->log[i].bytes);
}

struct echo { uint64_t up, down; };

/* A run that replays everything at at_us: what was sent and said from there on. */
static struct echo echo(uint64_t seed, uint64_t at_us)
{
    static struct arena a;
    static struct recorder r;
    static const struct player_hooks recorder = { .sends = record, .runs = stop_at_2_s };
    struct arena_config c = { .seed = seed, .rate_bytes_per_us = 3, .queue_bytes = 60000, .delay_us = 10000, .n_hosts = 1, .domain = { 100 }, .until_us = at_us };

    r.n = 0;
    arena_init(&a, &c);
    struct player *p = arena_join(&a, &recorder, &r, 0);
    arena_run(&a);
    a.now_us = at_us;
    struct echo before = { a.up_bytes, a.down_bytes };
    replay(&a, p);
    a.config.until_us = at_us + 5000000;
    arena_run(&a);
    return (struct echo){ a.up_bytes - before.up, a.down_bytes - before.down };
}

static bool echoes(unsigned seeds)
{
    static const struct { const char *name; uint64_t at_us; } when[] = { { "at once", 3000000 }, { "when too old", TOO_OLD_US } };
    bool good = true;

    for (unsigned w = 0; w < 2; w++) {
        struct echo sum = { 0 };
        for (uint64_t seed = 1; seed <= seeds; seed++) {
            struct echo e = echo(seed, when[w].at_us);
            sum.up += e.up;
            sum.down += e.down;
        }
        double ratio = (double)sum.down / (double)sum.up;
        printf("everything again %-14s bytes out / bytes in %.2f%s\n", when[w].name, ratio, ratio > 1 ? "  TOO MUCH" : "");
        good &= ratio <= 1 && sum.up > 0;
    }
    return good;
}

/* ---------------- fill ---------------- */

struct flood { double per_second; uint64_t since_us; uint32_t opened; };

static void send_syn(struct arena *a, struct player *p)
{
    struct flood *f = p->own;
    uint8_t message[TRK_SYN_PAYLOAD], packet[ARENA_MTU];
    struct trk_open open = { .has_input = false };
    struct trk_flow flow = p->engine->config.flow;

    memcpy(open.random, &f->opened, sizeof f->opened);
    flow.sport = (uint16_t)(1024 + f->opened++ % 60000);
    size_t n = trk_open_emit(&open, message, sizeof message);
    struct trk_segment seg = { .flow = flow, .seq = 1, .flags = TRK_SYN, .marked = true, .mss = ARENA_MTU - 40, .payload_bytes = (uint32_t)n };
    size_t head = trk_segment_emit(&seg, packet, sizeof packet);
    memcpy(packet + head, message, n);
    arena_send(a, p, 0, packet, (uint32_t)(head + n));
}

/* Spends the opening, which makes the filter remember the connection, and asks for nothing. */
static void spend_opening(struct arena *a, struct player *p, const struct trk_segment *seg)
{
    static struct trk_request q;
    static struct trk_answer m;
    uint8_t message[512], packet[1024];

    if (trk_answer_parse(seg->payload, seg->payload_bytes, &m) != TRK_V_ACCEPTED || m.form != TRK_FORM_OPENED || !p->detached)
        return;
    memset(&q, 0, offsetof(struct trk_request, parts));
    struct trk_part *part = &q.parts[0];
    memset(part, 0, sizeof *part);
    q.form = TRK_FORM_REQUEST;
    q.id = m.grant.id;
    q.domain = m.grant.domain;
    q.address_tag = m.grant.address_tag;
    q.epoch = m.grant.epoch;
    q.slot = q.fill = m.grant.slot;
    q.n_parts = 1;
    q.has_input = false;
    q.input_cont = 0xff;
    q.input_bytes = 0;
    part->kind = TRK_OPENING;
    part->k = part->m = part->n_grants = part->n_ranges = 1;
    part->piece = m.grant.piece;
    part->ranges[0] = (struct trk_range){ 1, 1 };
    part->xor_nonces = m.nonce;
    part->grants[0] = (struct trk_grant_ref){ .a = 1, .b = 1, .f = 1, .tick = m.grant.tick };
    memcpy(part->grants[0].seal, m.seal, TRK_SEAL_BYTES);
    size_t n = trk_request_emit(&q, message, sizeof message);
    struct trk_segment out = { .flow = trk_flow_reverse(&seg->flow), .seq = seg->ack, .ack = seg->seq + 1, .flags = TRK_ACK, .marked = true, .payload_bytes = (uint32_t)n };
    size_t head = trk_segment_emit(&out, packet, sizeof packet);
    memcpy(packet + head, message, n);
    arena_send(a, p, 0, packet, (uint32_t)(head + n));
}

static void flood_runs(struct arena *a, struct player *p)
{
    struct flood *f = p->own;

    p->detached = true;
    while (f->opened < (double)(a->now_us - f->since_us) * f->per_second / 1e6)
        send_syn(a, p);
    arena_wake(a, p, a->now_us + TICK_US);
}

/* What the honest client gets, in bytes. */
static double fill(uint64_t seed, double per_second, uint64_t *evicted)
{
    static struct arena a;
    static const struct player_hooks flooder = { .arrived = spend_opening, .runs = flood_runs };
    struct flood f = { .per_second = per_second, .since_us = 500000 };
    struct arena_config c = { .seed = seed, .rate_bytes_per_us = 3, .queue_bytes = 60000, .delay_us = 10000, .n_hosts = 1, .domain = { 100 },
                              .from_us = 2000000, .until_us = (2 + SECONDS) * 1000000ull };
    struct trk_filter_stats stats;

    arena_init(&a, &c);
    struct player *honest = arena_join(&a, NULL, NULL, 0);
    if (per_second > 0)
        arena_join(&a, &flooder, &f, 500000)->apart = true;
    arena_run(&a);
    trk_filter_stats(a.hosts[0].filter, ARENA_EPOCH_MS + a.now_us / 1000, &stats);
    *evicted += stats.evicted;
    return (double)honest->bytes;
}

/* The filter of these hosts has 256 KiB: words for 4,096 connections, a quarter of them without evicting any. */
static bool fills(unsigned seeds)
{
    static const struct { double per_second; double least; } floods[] = { { 50, .95 }, { 500, .95 }, { 1500, 0 }, { 5000, 0 } };
    bool good = true;

    for (unsigned i = 0; i < sizeof floods / sizeof *floods; i++) {
        double with = 0, without = 0;
        uint64_t evicted = 0, none = 0;
        for (uint64_t seed = 1; seed <= seeds; seed++) {
            with += fill(seed, floods[i].per_second, &evicted);
            without += fill(seed, 0, &none);
        }
        bool bad = with / without < floods[i].least;
        printf("%5.0f openings a second: an honest client keeps %.2f   (%llu evicted)%s\n", floods[i].per_second, with / without,
               (unsigned long long)(evicted / seeds), bad ? "  TOO LITTLE" : "");
        good &= !bad;
    }
    return good;
}

int main(int argc, char **argv)
{
    unsigned seeds = argc == 3 && !strcmp(argv[1], "--seeds") ? (unsigned)atoi(argv[2]) : 2;

    if ((argc != 1 && argc != 3) || !seeds) {
        fprintf(stderr, "usage: sim_flood [--seeds N]\n");
        return 2;
    }
    bool good = echoes(seeds);
    return !(fills(seeds) && good);
}
