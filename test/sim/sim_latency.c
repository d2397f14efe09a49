/* sim_latency - kept connections: how long answers take beside a textbook TCP in the same world, mean and 99th percentile,
 * and what they cost in packets. The first object of each connection is left out: it pays for the handshake. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reno_http.h"
#include "world.h"

#define SEEDS 10
#define PACKET_BYTES 1448              /* what a packet of the textbook TCP carries */
#define MEAN_MOST 1.05                 /* of the textbook's */

struct cell {
    const char *name;
    char     type;                     /* 'K': known length, 'U': unknown */
    uint32_t least_bytes, most_bytes, think_us;
    unsigned objects;
    double   loss;                     /* each way */
    double   pkts_most;                /* > 0: each way, per object */
};

static const struct cell cells[] = {
    { "1 KB, back to back", 'K', 1024, 1024, 0, 500, 0, 1 },
    { "1 KB, think 50 ms", 'K', 1024, 1024, 50000, 500, 0, 1 },
    { "1 KB, think 2 s", 'K', 1024, 1024, 2000000, 100, 0, 1 },
    { "3-10 packets, known length", 'K', 3 * PACKET_BYTES, 10 * PACKET_BYTES, 0, 300, 0, 0 },
    { "3-100 packets, known length", 'K', 3 * PACKET_BYTES, 100 * PACKET_BYTES, 0, 200, 0, 0 },
    { "3-100 packets, unknown length", 'U', 3 * PACKET_BYTES, 100 * PACKET_BYTES, 0, 200, 0, 0 },
    { "3-100 packets, known, think 40 s", 'K', 3 * PACKET_BYTES, 100 * PACKET_BYTES, 40000000, 40, 0, 0 },
    { "1 KB, back to back, loss 1 %", 'K', 1024, 1024, 0, 500, .01, 1.15 },
    { "1 KB, think 50 ms, loss 1 %", 'K', 1024, 1024, 50000, 500, .01, 0 },
    { "1 KB, think 2 s, loss 1 %", 'K', 1024, 1024, 2000000, 100, .01, 0 },
    { "3-10 packets, known, loss 1 %", 'K', 3 * PACKET_BYTES, 10 * PACKET_BYTES, 0, 300, .01, 0 },
    { "3-100 packets, known, loss 1 %", 'K', 3 * PACKET_BYTES, 100 * PACKET_BYTES, 0, 200, .01, 0 },
    { "3-100 packets, unknown, loss 1 %", 'U', 3 * PACKET_BYTES, 100 * PACKET_BYTES, 0, 200, .01, 0 },
    { "3-100 packets, think 40 s, loss 1 %", 'K', 3 * PACKET_BYTES, 100 * PACKET_BYTES, 40000000, 40, .01, 0 },
};

#define OBJECTS_MAX 500
static struct sim_object objects[OBJECTS_MAX];

struct figures { double ms[SEEDS * OBJECTS_MAX]; unsigned n; double up, down, headers; };

static void make_objects(const struct cell *c, uint64_t seed)
{
    struct sim_random r;

    sim_random_seed(&r, seed);
    for (unsigned i = 0; i < c->objects; i++)
        objects[i] = (struct sim_object){ .type = c->type, .id = i + 1, .bytes = sim_random_range(&r, c->least_bytes, c->most_bytes),
                                          .think_us = i ? c->think_us : 0 };
}

/* SYN, CLOSE and RST are not counted, nor is the SYN's answer.
 * Time: from the writing of each request to the last byte of its answer. */
static void note(struct figures *f, const struct cell *c, const uint64_t *done_us, double up, double down, double headers)
{
    for (unsigned i = 1; i < c->objects; i++)
        f->ms[f->n++] = (double)(done_us[i] - done_us[i - 1] - objects[i].think_us) / 1e3;
    f->up += up / c->objects / SEEDS;
    f->down += down / c->objects / SEEDS;
    f->headers += headers / c->objects / SEEDS;
}

static void set_up(struct sim_scenario *s, const struct cell *c, uint64_t seed, uint64_t *done_us)
{
    sim_scenario_init(s, seed);
    s->limit_s = 10000;
    s->clients[0].objects = objects;
    s->clients[0].n_objects = c->objects;
    s->clients[0].done_us = done_us;
    s->clients[0].receive_bytes = 1 << 22;
    s->server.twin_every = 0;
    s->server.domain[0] = 1;
    s->server.filter_bytes = 1 << 20;
    s->down[0].rate_bytes_per_us = 12;               /* 8,000 packets a second */
    s->down[0].queue_bytes = 160 * 1500;             /* the product of rate and round trip */
    s->down[0].loss = s->up[0].loss = c->loss;
}

static bool run(const struct cell *c, struct figures *ours, struct figures *reno)
{
    static struct sim_scenario s;
    static struct sim_outcome o;
    static uint64_t done_us[OBJECTS_MAX];

    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        make_objects(c, seed);
        set_up(&s, c, seed, done_us);
        if (!sim_world_run(&s, &o)) {
            sim_outcome_print(&s, &o);
            return false;
        }
        note(ours, c, done_us, (double)o.up_pkts - 3, (double)o.down_pkts - 1, (double)o.headers - 1);
        struct sim_reno_http h = { .up = &s.up[0], .down = &s.down[0], .objects = objects, .n_objects = c->objects, .mtu = 1500,
                                   .seed = seed, .done_us = done_us };
        if (sim_reno_http(&h) < 0)
            return false;
        note(reno, c, done_us, (double)h.up_pkts - 1, (double)h.down_pkts - 1, 0);
    }
    return true;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double mean(const struct figures *f)
{
    double sum = 0;

    for (unsigned i = 0; i < f->n; i++)
        sum += f->ms[i];
    return sum / f->n;
}

static bool run_cell(const struct cell *c)
{
    static struct figures ours, reno;

    memset(&ours, 0, sizeof ours);
    memset(&reno, 0, sizeof reno);
    if (!run(c, &ours, &reno)) {
        printf("%-36s FAILED\n", c->name);
        return false;
    }
    double ratio = mean(&ours) / mean(&reno);
    bool slow = ratio > MEAN_MOST, many = c->pkts_most > 0 && (ours.up > c->pkts_most + 1e-9 || ours.down > c->pkts_most + 1e-9);
    qsort(ours.ms, ours.n, sizeof *ours.ms, ascending);
    qsort(reno.ms, reno.n, sizeof *reno.ms, ascending);
    printf("%-36s %7.1f /%7.1f  %7.1f /%7.1f  %5.2f  %6.2f /%6.2f  %6.2f /%6.2f  %5.2f%s%s\n", c->name, mean(&reno), reno.ms[reno.n * 99 / 100],
           mean(&ours), ours.ms[ours.n * 99 / 100], ratio, reno.up, reno.down, ours.up, ours.down, ours.headers, slow ? "  TOO SLOW" : "",
           many ? "  TOO MANY PACKETS" : "");
    return !slow && !many;
}

int main(void)
{
    bool ok = true;

    printf("20 ms, 8,000 packets/s, queue 160; %d seeds    mean / p99, ms                            packets up / down per object\n", SEEDS);
    printf("%-36s %16s  %16s  %5s  %14s  %14s  %s\n", "", "Reno", "Trickles", "ratio", "Reno", "Trickles", "headers");
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++)
        ok &= run_cell(&cells[i]);
    return !ok;
}
