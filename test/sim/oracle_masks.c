/* oracle_masks - every pattern of losses of the first 16 packets behind the handshake, each way: two objects over one
 * connection, ours beside a textbook TCP that loses the same packets. Ours must take no more than twice as long, and two
 * timeouts. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reno_http.h"
#include "world.h"

#define BITS 16
#define MASKS (1u << BITS)
#define TIMEOUT_S .22                  /* the shortest first timeout of Linux's TCP, and of ours with many requests unanswered: RTT + 200 ms */
#define WORST 8

static const struct sim_object objects[] = { { .type = 'K', .id = 1, .bytes = 57000 }, { .type = 'K', .id = 2, .bytes = 900 } };

struct pair { double ours_s, reno_s; bool held; };
struct worst { uint32_t mask; struct pair pair; };

static double bound_s(double reno_s) { return 2 * reno_s + 2 * TIMEOUT_S; }
static double excess_s(const struct pair *p) { return p->ours_s - bound_s(p->reno_s); }

static void set_paths(struct sim_scenario *s, bool up, uint32_t mask)
{
    struct sim_path_config *p = up ? &s->up[0] : &s->down[0];

    p->drop_mask = mask;
    p->mask_bits = BITS;
    p->mask_from = 1;                  /* behind the SYN, or its answer */
}

static struct pair run(bool up, uint32_t mask, bool trace)
{
    static struct sim_scenario s;
    static struct sim_outcome o;
    struct sim_reno_http reno = { .up = &s.up[0], .down = &s.down[0], .objects = objects, .n_objects = 2, .mtu = 1500, .seed = 1 };
    struct pair p;

    sim_scenario_init(&s, 1);
    s.clients[0].objects = objects;
    s.clients[0].n_objects = sizeof objects / sizeof *objects;
    s.server.twin_every = 0;
    s.server.domain[0] = 1;
    s.trace = trace;
    set_paths(&s, up, mask);
    p.held = sim_world_run(&s, &o);
    p.ours_s = (double)o.finished_us[0] / 1e6;
    p.reno_s = sim_reno_http(&reno);
    if (!p.held || trace)
        sim_outcome_print(&s, &o);
    return p;
}

/* The worst ones first. */
static void remember(struct worst *worst, const struct worst *w)
{
    unsigned i = WORST;

    for (; i > 0 && (worst[i - 1].pair.reno_s <= 0 || excess_s(&worst[i - 1].pair) < excess_s(&w->pair)); i--)
        if (i < WORST)
            worst[i] = worst[i - 1];
    if (i < WORST)
        worst[i] = *w;
}

static void print_pair(bool up, uint32_t mask, const struct pair *p)
{
    printf("  %s %5" PRIu32 " (0x%04" PRIx32 "): ours %.3f s, Reno %.3f s, at most %.3f s%s\n", up ? "requests" : "answers", mask, mask, p->ours_s,
           p->reno_s, bound_s(p->reno_s), p->held && excess_s(p) <= 0 ? "" : "  NOT HELD");
}

/* One of `share` masks, spread evenly over all of them; share 1: all. */
static bool chosen(uint32_t mask, uint32_t share) { return share <= 1 || sim_mix(mask) % share == 0; }

static unsigned one_way(bool up, uint32_t share)
{
    struct worst worst[WORST] = { 0 };
    unsigned runs = 0, failed = 0;
    double ours = 0, reno = 0;

    for (uint32_t mask = 0; mask < MASKS; mask++) {
        if (!chosen(mask, share))
            continue;
        struct worst w = { mask, run(up, mask, false) };
        runs++;
        failed += !w.pair.held || excess_s(&w.pair) > 0;
        ours += w.pair.ours_s;
        reno += w.pair.reno_s;
        remember(worst, &w);
        if (!w.pair.held)
            printf("replay with: oracle_masks --one %s %" PRIu32 "\n", up ? "requests" : "answers", mask);
    }
    printf("%s: %u masks of %u, %u not within twice Reno's time and two timeouts; mean %.3f s, Reno %.3f s; the worst:\n",
           up ? "requests" : "answers", runs, MASKS, failed, ours / runs, reno / runs);
    for (unsigned i = 0; i < WORST; i++)
        print_pair(up, worst[i].mask, &worst[i].pair);
    return failed;
}

int main(int argc, char **argv)
{
    bool one = argc == 4 && strcmp(argv[1], "--one") == 0;
    const char *direction = one ? argv[2] : argc >= 2 ? argv[1] : "";
    bool up = strcmp(direction, "requests") == 0;
    uint32_t number = one ? (uint32_t)strtoul(argv[3], NULL, 10) : argc == 3 ? (uint32_t)strtoul(argv[2], NULL, 10) : 1;

    if (!up && strcmp(direction, "answers") != 0) {
        fprintf(stderr, "usage: oracle_masks requests|answers [SHARE: every so many masks] | --one requests|answers MASK\n");
        return 2;
    }
    if (!one)
        return one_way(up, number) != 0;
    struct pair p = run(up, number, true);
    print_pair(up, number, &p);
    return !p.held || excess_s(&p) > 0;
}
