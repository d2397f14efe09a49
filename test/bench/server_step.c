/* server_step - what a server spends on a request: parse, check, admit, plan and respond of the usual ones, and how much
 * of it is the replay filter: the same is timed with admit's decision known beforehand. The two take turns in many short
 * rounds, and the fastest round of each counts, so that a busy machine disturbs both alike.
 *
 *     server_step [--rounds N] [--shape I] [--count] [--list]
 *
 * Exit status 1 if a step takes more than 1 us and 100 ns for each packet of its answer after the first, or the filter
 * more than 15 % of a step. test/bench/step.sh says where the time goes. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "step_meter.h"
#include "step_requests.h"

#define MOST_OF_FILTER .15
#define MOST_NS        1000
#define MOST_NS_MORE   100
#define FILTER_BYTES   ((size_t)16 << 20)

/* The last one shows what memory costs that is in no cache: it is not held to the bounds. */
static const struct step_shape shapes[] = {
    { "1 number", 1, 0, false, false },
    { "2 numbers", 2, 0, false, false },
    { "2 numbers and 2 repeats of 2", 2, 2, false, false },
    { "2 numbers, recovery", 2, 0, true, false },
    { "44 numbers", 44, 0, false, false },
    { "2 numbers and 2 repeats, of 100,000 connections", 2, 2, false, true },
};
#define SHAPES ((int)(sizeof shapes / sizeof *shapes))

static struct step_server server;
static struct step_request requests[STEP_REQUESTS];
static uint8_t output[STEP_OUTPUT];

struct bench { struct trk_spend spend; struct trk_plan plan; struct trk_result result;
               struct trk_packet packets[TRK_ANSWER_PACKETS_MAX]; uint8_t arena[TRK_ARENA_BYTES]; };

/* admits: the filter decides, and what it decided is noted; else it is as noted. Returns the packets of the answer.
 * (Not inlined: callgrind counts what is below this function.) */
__attribute__((noinline)) static size_t server_step(struct bench *b, struct step_request *w, bool admits)
{
    struct trk_packets out = { .packets = b->packets, .cap = TRK_ANSWER_PACKETS_MAX, .arena = b->arena, .arena_bytes = sizeof b->arena };
    struct trk_segment seg;
    struct trk_serve_config config = server.config;

    config.expects = admits ? server.filter : NULL;
    if (trk_segment_parse(w->bytes, w->n, &seg) != TRK_V_ACCEPTED
        || trk_check(&seg, &server.keys, &config, STEP_NOW_MS, &b->spend) != TRK_V_ACCEPTED)
        step_die("a request was refused by check");
    if (admits)
        trk_admit(server.filter, &b->spend, &config, STEP_NOW_MS, &w->decided);
    if (w->decided.verdict != TRK_V_ANSWERED || trk_plan(&b->spend, &w->decided, &config, &b->plan) != TRK_V_ACCEPTED)
        step_die(trk_verdict_name(w->decided.verdict));
    for (unsigned i = 0; i < b->plan.n_wants; i++) {
        b->result.given[i].data = output + b->plan.wants[i].offset;
        b->result.given[i].bytes = b->plan.wants[i].bytes;
        b->result.given[i].end = b->result.given[i].fin = false;
    }
    if (trk_respond(&b->spend, &w->decided, &b->plan, &b->result, &server.keys, &config, STEP_NOW_MS, &out) != TRK_V_ANSWERED || !out.n)
        step_die("a request was not answered");
    return out.n;
}

static double pass(struct bench *b, bool admits, struct meter_best *best)
{
    size_t packets = 0;
    uint64_t instructions = meter_instructions();
    double from = meter_ns();

    for (unsigned i = 0; i < STEP_REQUESTS; i++)
        packets += server_step(b, &requests[i], admits);
    double ns = meter_ns() - from;
    meter_note(best, ns, meter_instructions() - instructions, STEP_REQUESTS);
    return (double)packets / STEP_REQUESTS;
}

/* Both passes find the requests where the second one would. */
static void warm_up(struct bench *b)
{
    for (unsigned i = 0; i < STEP_REQUESTS; i++)
        if (trk_check(&requests[i].seg, &server.keys, &server.config, STEP_NOW_MS, &b->spend) != TRK_V_ACCEPTED)
            step_die("a request was refused by check");
}

static bool measure(struct bench *b, const struct step_shape *s, const struct step_options *options)
{
    static uint64_t round;
    struct meter_best with = { 0 }, without = { 0 };
    double packets = 0;

    for (unsigned i = 0; i < options->rounds; i++) {
        step_requests_make(s, &server, ++round, requests);
        warm_up(b);
        packets = pass(b, true, &with);
        if (!options->count)
            pass(b, false, &without);
    }
    if (options->count) {
        printf("%u steps, %.2f packets each: %s\n", options->rounds * STEP_REQUESTS, packets, s->name);
        return true;
    }
    double share = with.ns / without.ns - 1, most = MOST_NS + MOST_NS_MORE * (packets - 1);
    bool heavy = share > MOST_OF_FILTER && !s->spread, slow = with.ns > most && !s->spread;
    printf("%-48s %7.2f %7.0f %7.1f %9.0f %+6.1f %%", s->name, packets, with.ns, with.ns / packets, without.ns, 100 * share);
    if (with.instructions)
        printf(" %9llu", (unsigned long long)with.instructions);
    printf("%s%s\n", slow ? "  SLOW" : "", heavy ? "  FILTER" : "");
    return !heavy && !slow;
}

int main(int argc, char **argv)
{
    struct step_options options;
    void *memory = aligned_alloc(64, FILTER_BYTES);
    struct bench *b = calloc(1, sizeof *b);
    bool good = true;

    if (!step_options_parse(argc, argv, &options))
        return 2;
    if (!memory || !b || sodium_init() < 0)
        step_die("no memory");
    step_server_init(&server, memory, FILTER_BYTES);
    if (!options.count && !options.list)
        printf("%-48s %7s %7s %7s %9s %8s%s\n", "a server's step for a request of", "packets", "ns", "/packet", "no filter", "filter",
               meter_instructions() ? " instructions" : "");
    for (int i = 0; i < SHAPES; i++) {
        if (options.list)
            printf("%s\n", shapes[i].name);
        else if (options.shape < 0 || options.shape == i)
            good &= measure(b, &shapes[i], &options);
    }
    free(b);
    free(memory);
    return !good;
}
