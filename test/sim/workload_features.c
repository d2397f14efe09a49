/* workload_features.c - what HTTP does with a connection: sizes, kept connections, pipelining, uploads, ends. */
#include <inttypes.h>
#include <stdio.h>

#include "workload.h"

bool workload_sizes(void)
{
    static const uint64_t bytes[] = { 0, 1, 2, 1000, 1423, 1424, 1460, 10000, 100000, 1000000, 5000000 };
    bool ok = true;

    for (int ending = 0; ending < 3; ending++)
        for (size_t i = 0; i < sizeof bytes / sizeof *bytes; i++) {
            workload_begin();
            workload.clients[0].ending = (enum sim_ending)ending;
            workload_add(ending == SIM_END_SERVER ? 'F' : 'K', bytes[i], 0, 0);
            ok &= workload_run();
        }
    return ok;
}

bool workload_syn_data(void)
{
    bool ok = true;

    for (int i = 0; i < 3; i++) {
        workload_begin();
        workload.clients[0].syn_data = true;
        workload_add('K', (uint64_t)i * 500, 0, 0);
        ok &= workload_run();
        printf("  %d bytes by SYN data: %.1f ms\n", i * 500, (double)result.finished_us[0] / 1e3);
        ok &= workload_require(i != 1 || result.finished_us[0] < 25000, "a request in the SYN is answered after one round trip");
    }
    return ok;
}

static bool keep_alive_at(uint32_t think_us, double most_up, double most_down)
{
    workload_begin();
    workload.limit_s = 1200;
    for (int i = 0; i < 500; i++)
        workload_add('K', 1024, 0, i ? think_us : 0);
    bool ok = workload_run();
    double up = (double)result.up_pkts / 500, down = (double)result.down_pkts / 500, ms = (double)result.finished_us[0] / 500e3 - think_us / 1e3;
    printf("  500 x 1 KB, think %.1f ms: %.2f packets up, %.2f down, %.1f ms each\n", think_us / 1e3, up, down, ms);
    ok &= workload_require(up <= most_up && down <= most_down, "a small request is about one packet each way");
    ok &= workload_require(ms < 25, "a small request takes about one round trip");
    return ok;
}

bool workload_keep_alive(void)
{
    bool ok = true;

    for (uint32_t think_us = 0; think_us <= 2000000; think_us = think_us ? think_us * 40 : 50000)
        ok &= keep_alive_at(think_us, 1.1, 1.1);
    return ok;
}

/* The continuations of an answer have their room reserved: data does not spill into one packet more. */
bool workload_keep_alive_two(void)
{
    workload_begin();
    for (int i = 0; i < 200; i++)
        workload_add('K', 2300, 0, 0);
    bool ok = workload_run();
    double up = (double)result.up_pkts / 200, down = (double)result.down_pkts / 200;
    printf("  200 x 2300 bytes: %.2f packets up, %.2f down\n", up, down);
    return workload_require(up < 1.1 && down < 2.1, "two packets of data are two packets") && ok;
}

bool workload_keep_alive_lossy(void)
{
    workload_begin();
    for (int i = 0; i < 500; i++)
        workload_add('K', 1024, 0, 0);
    workload.up[0].loss = workload.down[0].loss = .01;
    bool ok = workload_run();
    printf("  500 x 1 KB at 1 %% loss each way: %.2f packets up, %.2f down, %.1f ms each\n", (double)result.up_pkts / 500, (double)result.down_pkts / 500,
           (double)result.finished_us[0] / 500e3);
    return workload_require((double)result.finished_us[0] / 500e3 < 30, "1 % loss costs little") && ok;
}

bool workload_keep_alive_mixed(void)
{
    workload_begin();
    for (int i = 0; i < 200; i++)
        workload_add('K', 3000 + (uint64_t)i * 7919 % 140000, 0, 0);
    bool ok = workload_run();
    printf("  200 x 3-143 KB: %.2f packets up, %.2f down, %.1f ms each\n", (double)result.up_pkts / 200, (double)result.down_pkts / 200,
           (double)result.finished_us[0] / 200e3);
    return ok;
}

bool workload_pipelining(void)
{
    bool ok = true;

    for (unsigned depth = 2; depth <= 32; depth *= 4) {
        workload_begin();
        workload.clients[0].pipeline = depth;
        for (int i = 0; i < 100; i++)
            workload_add(i % 10 == 9 ? 'U' : 'K', (uint64_t)i * 131, 0, 0);
        ok &= workload_run();
        printf("  100 objects, pipeline %u: %.1f ms each\n", depth, (double)result.finished_us[0] / 100e3);
    }
    return ok;
}

bool workload_speaks_first(void)
{
    static const uint32_t greetings[] = { 1, 90, 1200, 5000, 100000 };
    bool ok = true;

    for (size_t i = 0; i < sizeof greetings / sizeof *greetings; i++) {
        workload_begin();
        workload.server.greeting_bytes = workload.clients[0].greeting_bytes = greetings[i];
        workload_add('K', 5000, 0, 0);
        workload_add('F', 5000, 0, 0);
        workload.clients[0].ending = SIM_END_SERVER;
        ok &= workload_run();
    }
    return ok;
}

bool workload_half_close(void)
{
    workload_begin();
    workload.clients[0].ending = SIM_END_SHUTDOWN;
    workload.clients[0].pipeline = 10;
    workload_add('K', 300000, 0, 0);
    workload_add('U', 20000, 0, 0);
    workload_add('K', 0, 0, 0);
    return workload_run();
}

bool workload_nothing_but_the_end(void)
{
    workload_begin();
    workload.clients[0].ending = SIM_END_SHUTDOWN;
    return workload_run();
}

bool workload_refused_post(void)
{
    static const uint32_t bodies[] = { 0, 10, 1000, 5000, 1000000 };
    bool ok = true;

    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        workload_begin();
        workload_add('R', 300, bodies[i], 0);
        workload_add('K', 5000, 0, 0);
        ok &= workload_run();
        printf("  refused body of %" PRIu32 ": %" PRIu64 " packets up, %.1f ms\n", bodies[i], result.up_pkts, (double)result.finished_us[0] / 1e3);
        ok &= workload_require(result.up_pkts < 40, "a refused body is not sent");
    }
    return ok;
}

bool workload_uploads(void)
{
    bool ok = true;

    for (int i = 0; i < 4; i++) {
        workload_begin();
        workload.server.nibble_bytes = i == 3 ? 500 : 0;
        workload_add(i == 2 ? 'C' : 'P', 500, i == 0 ? 0 : 50000, 0);
        workload_add('P', 20000, 3000, 0);
        workload_add('K', 100, 0, 0);
        ok &= workload_run();
        printf("  upload %d: %" PRIu64 " packets up, %.1f ms\n", i, result.up_pkts, (double)result.finished_us[0] / 1e3);
    }
    return ok;
}

/* Many packets of input on their way at a time: the window, not the round trip, says how long it takes. */
bool workload_placed_uploads(void)
{
    bool ok = true;

    for (int lossy = 0; lossy < 2; lossy++) {
        workload_begin();
        workload.clients[0].send_bytes = SIM_SEND_MAX;
        workload.limit_s = 600;
        if (lossy)
            workload.up[0].loss = workload.down[0].loss = .01;
        workload_add('B', 500, 3000000, 0);
        workload_add('K', 20000, 0, 0);
        workload_add('Q', 500, 100000, 0);
        workload_add('B', 500, 2, 0);
        workload_add('P', 500, 3000, 0);
        workload_add('E', 500, 50000, 0);
        workload.clients[0].ending = SIM_END_SHUTDOWN;
        ok &= workload_run();
        printf("  uploads by position, %d %% lost: %" PRIu64 " packets up, %.1f ms\n", lossy, result.up_pkts, (double)result.finished_us[0] / 1e3);
        ok &= workload_require(lossy || result.up_pkts < 3000, "an upload needs hardly more packets than its bytes fill");
        ok &= workload_require(lossy || result.finished_us[0] < 1500000, "3 MB take the time of a slow start");
    }
    return ok;
}

bool workload_unknown_length(void)
{
    static const uint64_t bytes[] = { 0, 1, 1000, 1423, 14000, 300000, 1000000 };
    bool ok = true;

    workload_begin();
    for (size_t i = 0; i < sizeof bytes / sizeof *bytes; i++)
        workload_add('U', bytes[i], 0, 0);
    workload.clients[0].ending = SIM_END_SHUTDOWN;
    workload.clients[0].pipeline = 3;
    ok &= workload_run();
    workload_begin();
    workload.down[0].rate_bytes_per_us = 12;
    workload.down[0].queue_bytes = 240000;
    for (int i = 0; i < 100; i++)
        workload_add('U', 4000 + (uint64_t)i * 7919 % 140000, 0, 0);
    ok &= workload_run();
    printf("  100 x 4-144 KB of unknown length: %.2f packets up, %.2f down, %.2f headers, %.1f ms each\n", (double)result.up_pkts / 100,
           (double)result.down_pkts / 100, (double)result.headers / 100, (double)result.finished_us[0] / 100e3);
    return workload_require(result.headers < 9000, "asking for an unknown length does not bring a window of headers each time") && ok;
}
