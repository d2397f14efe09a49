/* sim_workloads - each feature alone, each with what it must cost. `sim_workloads NAME [--trace]` runs one. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "world.h"

static struct sim_object objects[SIM_OBJECTS_MAX];
static struct sim_scenario s;
static struct sim_outcome o;
static bool trace;

static void begin(void)
{
    sim_scenario_init(&s, 1);
    s.clients[0].objects = objects;
    s.trace = trace;
}

static void add(char type, uint64_t bytes, uint32_t body_bytes, uint32_t think_us)
{
    unsigned n = s.clients[0].n_objects++;
    objects[n] = (struct sim_object){ .type = type, .id = 100 + n, .bytes = bytes, .body_bytes = body_bytes, .think_us = think_us };
}

static bool require(bool held, const char *what)
{
    if (!held)
        printf("  not so: %s\n", what);
    return held;
}

static bool clean(const struct sim_path_config *p) { return p->loss <= 0 && p->reorder <= 0 && p->n_blackouts == 0 && p->rate_bytes_per_us <= 0; }

static bool run(void)
{
    bool ok = sim_world_run(&s, &o);
    if (clean(&s.up[0]) && clean(&s.down[0]))
        ok &= require(o.stats[0].timeouts == 0 && o.stats[0].numbers_lost == 0, "where nothing is lost, no timer fires and nothing is taken for lost");
    if (!ok || trace)
        sim_outcome_print(&s, &o);
    return ok;
}

/* ---- the workloads ---- */

static bool sizes(void)
{
    static const uint64_t bytes[] = { 0, 1, 2, 1000, 1423, 1424, 1460, 10000, 100000, 1000000, 5000000 };
    bool ok = true;

    for (int ending = 0; ending < 3; ending++)
        for (size_t i = 0; i < sizeof bytes / sizeof *bytes; i++) {
            begin();
            s.clients[0].ending = (enum sim_ending)ending;
            add(ending == SIM_END_SERVER ? 'F' : 'K', bytes[i], 0, 0);
            ok &= run();
        }
    return ok;
}

static bool syn_data(void)
{
    bool ok = true;

    for (int i = 0; i < 3; i++) {
        begin();
        s.clients[0].syn_data = true;
        add('K', (uint64_t)i * 500, 0, 0);
        ok &= run();
        printf("  %d bytes by SYN data: %.1f ms\n", i * 500, (double)o.finished_us[0] / 1e3);
        ok &= require(i != 1 || o.finished_us[0] < 25000, "a request in the SYN is answered after one round trip");
    }
    return ok;
}

static bool keep_alive_at(uint32_t think_us, double most_up, double most_down)
{
    begin();
    s.limit_s = 1200;
    for (int i = 0; i < 500; i++)
        add('K', 1024, 0, i ? think_us : 0);
    bool ok = run();
    double up = (double)o.up_pkts / 500, down = (double)o.down_pkts / 500, ms = (double)o.finished_us[0] / 500e3 - think_us / 1e3;
    printf("  500 x 1 KB, think %.1f ms: %.2f packets up, %.2f down, %.1f ms each\n", think_us / 1e3, up, down, ms);
    ok &= require(up <= most_up && down <= most_down, "a small request is about one packet each way");
    ok &= require(ms < 25, "a small request takes about one round trip");
    return ok;
}

static bool keep_alive(void)
{
    bool ok = true;

    for (uint32_t think_us = 0; think_us <= 2000000; think_us = think_us ? think_us * 40 : 50000)
        ok &= keep_alive_at(think_us, 1.1, 1.1);
    return ok;
}

/* The continuations of an answer have their room reserved: data does not spill into one packet more. */
static bool keep_alive_two(void)
{
    begin();
    for (int i = 0; i < 200; i++)
        add('K', 2300, 0, 0);
    bool ok = run();
    double up = (double)o.up_pkts / 200, down = (double)o.down_pkts / 200;
    printf("  200 x 2300 bytes: %.2f packets up, %.2f down\n", up, down);
    return require(up < 1.1 && down < 2.1, "two packets of data are two packets") && ok;
}

/* What comes late by less than a quarter of the round trip is not lost. */
static bool reordering(void)
{
    begin();
    s.up[0].delay_us = s.down[0].delay_us = 20000;
    s.down[0].reorder = .02;
    s.down[0].reorder_us = 8000;
    s.down[0].rate_bytes_per_us = 10;
    s.down[0].queue_bytes = 1000000;
    add('K', 3000000, 0, 0);
    bool ok = run();
    printf("  reordering by up to 8 ms at 40 ms: %" PRIu64 " taken for lost\n", o.stats[0].numbers_lost);
    return require(o.stats[0].numbers_lost == 0, "reordering is no loss") && ok;
}

static bool keep_alive_lossy(void)
{
    begin();
    for (int i = 0; i < 500; i++)
        add('K', 1024, 0, 0);
    s.up[0].loss = s.down[0].loss = .01;
    bool ok = run();
    printf("  500 x 1 KB at 1 %% loss each way: %.2f packets up, %.2f down, %.1f ms each\n", (double)o.up_pkts / 500, (double)o.down_pkts / 500,
           (double)o.finished_us[0] / 500e3);
    return require((double)o.finished_us[0] / 500e3 < 30, "1 % loss costs little") && ok;
}

static bool keep_alive_mixed(void)
{
    begin();
    for (int i = 0; i < 200; i++)
        add('K', 3000 + (uint64_t)i * 7919 % 140000, 0, 0);
    bool ok = run();
    printf("  200 x 3-143 KB: %.2f packets up, %.2f down, %.1f ms each\n", (double)o.up_pkts / 200, (double)o.down_pkts / 200,
           (double)o.finished_us[0] / 200e3);
    return ok;
}

static bool pipelining(void)
{
    bool ok = true;

    for (unsigned depth = 2; depth <= 32; depth *= 4) {
        begin();
        s.clients[0].pipeline = depth;
        for (int i = 0; i < 100; i++)
            add(i % 10 == 9 ? 'U' : 'K', (uint64_t)i * 131, 0, 0);
        ok &= run();
        printf("  100 objects, pipeline %u: %.1f ms each\n", depth, (double)o.finished_us[0] / 100e3);
    }
    return ok;
}

static bool speaks_first(void)
{
    static const uint32_t greetings[] = { 1, 90, 1200, 5000, 100000 };
    bool ok = true;

    for (size_t i = 0; i < sizeof greetings / sizeof *greetings; i++) {
        begin();
        s.server.greeting_bytes = s.clients[0].greeting_bytes = greetings[i];
        add('K', 5000, 0, 0);
        add('F', 5000, 0, 0);
        s.clients[0].ending = SIM_END_SERVER;
        ok &= run();
    }
    return ok;
}

static bool half_close(void)
{
    begin();
    s.clients[0].ending = SIM_END_SHUTDOWN;
    s.clients[0].pipeline = 10;
    add('K', 300000, 0, 0);
    add('U', 20000, 0, 0);
    add('K', 0, 0, 0);
    return run();
}

static bool nothing_but_the_end(void)
{
    begin();
    s.clients[0].ending = SIM_END_SHUTDOWN;
    return run();
}

static bool idle(void)
{
    bool ok = true;

    for (int kind = 0; kind < 2; kind++) {
        begin();
        add('K', kind ? 200000 : 1024, 0, 0);
        add('K', 1024, 0, 130000000);
        add('K', 200000, 0, 130000000);
        ok &= run();
        ok &= require((double)o.finished_us[0] / 1e6 < 262, "after twice the horizon a request takes a few round trips");
    }
    return ok;
}

static bool slow_reader(void)
{
    bool ok = true;

    for (int i = 0; i < 3; i++) {
        begin();
        add('K', 2000000, 0, 0);
        s.clients[0].receive_bytes = 1 << 16;
        if (i == 0) {                  /* reads 100 kB/s */
            s.clients[0].read_chunk_bytes = 1000;
            s.clients[0].read_every_us = 10000;
        } else {                       /* stops for 10 s; for 130 s */
            s.clients[0].stop_from_us = 100000;
            s.clients[0].stop_until_us = i == 1 ? 10100000 : 130100000;
        }
        ok &= run();
        printf("  reader %d: finished at %.2f s, %" PRIu64 " packets up, %" PRIu64 " down\n", i, (double)o.finished_us[0] / 1e6, o.up_pkts, o.down_pkts);
    }
    return ok;
}

/* lengths of an outage in the middle of a download: nothing may end, and it goes on soon after. */
static bool blackout(void)
{
    static const double seconds[] = { .1, .3, 1, 3, 10, 30, 100, 300, 1800 };
    bool ok = true;

    for (int way = 0; way < 3; way++)
        for (size_t i = 0; i < sizeof seconds / sizeof *seconds; i++) {
            uint64_t until_us = 500000 + (uint64_t)(seconds[i] * 1e6);
            begin();
            s.limit_s = 4000;
            add('K', 1500000, 0, 0);
            s.down[0].rate_bytes_per_us = 1.5;
            s.down[0].queue_bytes = 30000;
            s.up[0].n_blackouts = way != 1;
            s.down[0].n_blackouts = way != 0;
            s.up[0].blackouts[0].from_us = s.down[0].blackouts[0].from_us = 500000;
            s.up[0].blackouts[0].until_us = s.down[0].blackouts[0].until_us = until_us;
            ok &= run();
            double after = ((double)o.finished_us[0] - (double)until_us) / 1e6;
            printf("  blackout %s %.1f s: done %.2f s after it, %" PRIu64 " timeouts, %" PRIu64 " refreshes\n",
                   way == 0 ? "up" : way == 1 ? "down" : "both ways", seconds[i], after, o.stats[0].timeouts, o.stats[0].refreshes);
            ok &= require(after < 3 + (seconds[i] < 80 ? seconds[i] * 1.5 : 80), "it goes on soon after an outage");
        }
    return ok;
}

static bool refused_post(void)
{
    static const uint32_t bodies[] = { 0, 10, 1000, 5000, 1000000 };
    bool ok = true;

    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        begin();
        add('R', 300, bodies[i], 0);
        add('K', 5000, 0, 0);
        ok &= run();
        printf("  refused body of %" PRIu32 ": %" PRIu64 " packets up, %.1f ms\n", bodies[i], o.up_pkts, (double)o.finished_us[0] / 1e3);
        ok &= require(o.up_pkts < 40, "a refused body is not sent");
    }
    return ok;
}

static bool uploads(void)
{
    bool ok = true;

    for (int i = 0; i < 4; i++) {
        begin();
        s.server.nibble_bytes = i == 3 ? 500 : 0;
        add(i == 2 ? 'C' : 'P', 500, i == 0 ? 0 : 50000, 0);
        add('P', 20000, 3000, 0);
        add('K', 100, 0, 0);
        ok &= run();
        printf("  upload %d: %" PRIu64 " packets up, %.1f ms\n", i, o.up_pkts, (double)o.finished_us[0] / 1e3);
    }
    return ok;
}

/* A window that was opened by small objects, then a large one: cut answers, then resumes. */
static bool resume_after_cut(void)
{
    bool ok = true;

    for (uint64_t first = 0; first < 30000; first += 1423) {
        begin();
        add('K', first, 0, 0);
        add('K', 200000, 0, 0);
        add('K', first, 0, 3000000);
        add('K', 100000, 0, 0);
        ok &= run();
    }
    return ok;
}

static bool unknown_length(void)
{
    static const uint64_t bytes[] = { 0, 1, 1000, 1423, 14000, 300000, 1000000 };
    bool ok = true;

    begin();
    for (size_t i = 0; i < sizeof bytes / sizeof *bytes; i++)
        add('U', bytes[i], 0, 0);
    s.clients[0].ending = SIM_END_SHUTDOWN;
    s.clients[0].pipeline = 3;
    ok &= run();
    begin();
    s.down[0].rate_bytes_per_us = 12;
    s.down[0].queue_bytes = 240000;
    for (int i = 0; i < 100; i++)
        add('U', 4000 + (uint64_t)i * 7919 % 140000, 0, 0);
    ok &= run();
    printf("  100 x 4-144 KB of unknown length: %.2f packets up, %.2f down, %.2f headers, %.1f ms each\n", (double)o.up_pkts / 100,
           (double)o.down_pkts / 100, (double)o.headers / 100, (double)o.finished_us[0] / 100e3);
    return require(o.headers < 9000, "asking for an unknown length does not bring a window of headers each time") && ok;
}

/* Keys change every 3 s until the old ones are gone; connections live on. */
static bool key_rotation(void)
{
    bool ok = true;

    for (int i = 0; i < 2; i++) {
        begin();
        s.server.replicas = 3;
        s.server.rotate_ms = i ? 1000 : 3000;
        s.server.retire = i == 0;
        for (int j = 0; j < 60; j++)
            add('K', j % 2 ? 1000 : 50000, 0, 400000);
        ok &= run();
        printf("  rotation: %" PRIu64 " refreshes, generation %" PRIu32 "\n", o.stats[0].refreshes, o.stats[0].generation);
    }
    return ok;
}

static void faulty_path(uint64_t seed)
{
    s.seed = seed;
    s.up[0].loss = s.down[0].loss = .1;
    s.up[0].duplicate = s.down[0].duplicate = .1;
    s.up[0].reorder = s.down[0].reorder = .3;
    s.up[0].reorder_us = s.down[0].reorder_us = 50000;
}

/* Two answers to one input may differ: the bytes are those of one of them, whatever comes late of the other. */
static bool dated(void)
{
    bool ok = true;

    for (uint64_t seed = 1; seed <= 60; seed++) {
        begin();
        faulty_path(seed);
        s.server.domain[0] = seed % 2 ? 1 : 0;
        for (int i = 0; i < 40; i++)
            add('D', 200 + (uint64_t)i * 397 % 8000, 0, 0);
        ok &= run();
    }
    return ok;
}

/* Outputs of unknown length one after the other: a late end of one is not the end of the next. */
static bool late_ends(void)
{
    bool ok = true;

    for (uint64_t seed = 1; seed <= 60; seed++) {
        begin();
        faulty_path(seed);
        s.clients[0].pipeline = 5;
        for (int i = 0; i < 40; i++)
            add('U', (uint64_t)i * 397 % 6000, 0, 0);
        ok &= run();
    }
    return ok;
}

/* A request for each packet on a long path: more are on their way than the client remembers. */
static bool many_requests(void)
{
    begin();
    s.up[0].delay_us = s.down[0].delay_us = 50000;
    s.clients[0].receive_bytes = 1 << 22;
    s.clients[0].feed_most = 1;
    s.server.domain[0] = 1;
    s.server.filter_bytes = 1 << 20;
    add('K', 1000, 0, 0);
    add('K', 20000000, 0, 0);
    bool ok = run();
    return require(o.finished_us[0] < 5000000, "a long path is filled") && ok;
}

static bool reset(void)
{
    begin();
    s.clients[0].ending = SIM_END_RESET;
    add('K', 20000, 0, 0);
    add('X', 1, 0, 0);
    bool ok = run();
    return require(o.stats[0].verdicts[TRK_V_RST_PROVEN] == 1, "the server's reset is heard, with its proof") && ok;
}

/* Beyond 4 GB: offsets and sequence numbers wrap. */
static bool far(void)
{
    begin();
    s.limit_s = 3600;
    s.server.domain[0] = 1;
    s.server.filter_bytes = 1 << 20;
    s.clients[0].receive_bytes = 1 << 20;
    s.server.twin_every = 0;
    add('K', 4600000000, 0, 0);
    add('K', 1000, 0, 0);
    return run();
}

static bool replicas(void)
{
    begin();
    s.server.replicas = 4;
    s.server.skew_ms[1] = 7000;
    s.server.skew_ms[2] = -7000;
    s.server.skew_ms[3] = 3000;
    s.server.twin_every = 1;
    add('K', 1000000, 0, 0);
    add('K', 1000, 0, 2000000);
    return run();
}

static bool small_slots(void)
{
    bool ok = true;

    for (int i = 0; i < 3; i++) {
        begin();
        if (i != 1)
            s.server.mtu = i == 0 ? 576 : 1000;
        if (i != 0)
            s.clients[0].mtu = 1300;
        add('K', 300000, 0, 0);
        add('U', 3000, 0, 0);
        s.clients[0].ending = SIM_END_SHUTDOWN;
        ok &= run();
    }
    return ok;
}

static const struct { const char *name; bool (*test)(void); } tests[] = {
    { "sizes", sizes }, { "syn-data", syn_data }, { "keep-alive", keep_alive }, { "keep-alive-two", keep_alive_two },
    { "reordering", reordering }, { "keep-alive-lossy", keep_alive_lossy },
    { "keep-alive-mixed", keep_alive_mixed }, { "pipelining", pipelining }, { "speaks-first", speaks_first }, { "half-close", half_close },
    { "nothing-but-the-end", nothing_but_the_end }, { "idle", idle }, { "slow-reader", slow_reader }, { "blackout", blackout },
    { "refused-post", refused_post }, { "uploads", uploads }, { "resume-after-cut", resume_after_cut }, { "unknown-length", unknown_length },
    { "key-rotation", key_rotation }, { "dated", dated }, { "late-ends", late_ends }, { "many-requests", many_requests },
    { "reset", reset }, { "replicas", replicas }, { "small-slots", small_slots },
    { "far", far },                    /* only when it is named */
};

int main(int argc, char **argv)
{
    unsigned ran = 0, failed = 0;

    trace = argc == 3 && strcmp(argv[2], "--trace") == 0;
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        if (argc > 1 ? strcmp(argv[1], tests[i].name) != 0 : tests[i].test == far)
            continue;
        bool ok = tests[i].test();
        printf("%-20s %s\n", tests[i].name, ok ? "ok" : "FAILED, replay with: sim_workloads NAME --trace");
        ran++;
        failed += !ok;
    }
    if (ran == 0)
        fprintf(stderr, "usage: sim_workloads [NAME [--trace]]\n");
    return ran == 0 ? 2 : failed != 0;
}
