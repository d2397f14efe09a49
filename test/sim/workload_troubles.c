/* workload_troubles.c - what happens to a connection: idling, outages, rotation, replicas, and bugs that were found. */
#include <inttypes.h>
#include <stdio.h>

#include "workload.h"

/* What comes late by less than a quarter of the round trip is not lost. */
bool workload_reordering(void)
{
    workload_begin();
    workload.up[0].delay_us = workload.down[0].delay_us = 20000;
    workload.down[0].reorder = .02;
    workload.down[0].reorder_us = 8000;
    workload.down[0].rate_bytes_per_us = 10;
    workload.down[0].queue_bytes = 1000000;
    workload_add('K', 3000000, 0, 0);
    bool ok = workload_run();
    printf("  reordering by up to 8 ms at 40 ms: %" PRIu64 " taken for lost\n", result.stats[0].numbers_lost);
    return workload_require(result.stats[0].numbers_lost == 0, "reordering is no loss") && ok;
}

/* Two workers take requests in turn, and one of them is kept from running for longer than a quarter of the round trip, now
 * and then: what is late teaches the client to wait for it. */
bool workload_workers(void)
{
    static const struct { uint32_t delay_us, late_us; double chance, most; } cases[] = {
        { 10000, 0, 0, 0 }, { 10000, 8000, .5, 6 }, { 10000, 15000, .1, 1.6 }, { 500, 0, 0, 0 }, { 500, 900, .5, 1.6 }, { 500, 4000, .1, 2.5 },
    };
    double without = 1;
    bool ok = true;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        workload_begin();
        workload.server.domain[0] = 1;
        workload.server.filter_bytes = 1 << 20;
        workload.clients[0].receive_bytes = cases[i].delay_us < 1000 ? 1 << 16 : 1 << 20;      /* the reader is the bottleneck: no queue */
        workload.up[0].delay_us = workload.down[0].delay_us = cases[i].delay_us;
        workload.up[0].reorder = cases[i].chance;
        workload.up[0].reorder_us = cases[i].late_us;
        workload.down[0].rate_bytes_per_us = 100;
        workload.down[0].queue_bytes = 10000000;
        workload_add('K', 20000000, 0, 0);
        ok &= workload_run();
        double seconds = (double)result.finished_us[0] / 1e6;
        if (!cases[i].late_us)
            without = seconds;
        printf("  %u us, %.0f %% late by up to %u us: %.2f s, %" PRIu64 " taken for lost, %" PRIu64 " of them late, %" PRIu64 " recoveries\n", 2 * cases[i].delay_us, cases[i].chance * 100, cases[i].late_us,
               seconds, result.stats[0].numbers_lost, result.stats[0].numbers_late, result.stats[0].recoveries);
        if (cases[i].late_us)
            ok &= workload_require(seconds < cases[i].most * without, "what comes late is not lost for long");
    }
    return ok;
}

/* An output of unknown length with thousands of holes, while the bytes behind its end are asked for again and again. */
bool workload_many_holes(void)
{
    workload_begin();
    workload.limit_s = 20;
    workload.clients[0].receive_bytes = SIM_RECEIVE_MAX;
    workload.server.domain[0] = 1;
    workload.server.filter_bytes = 1 << 20;
    workload.server.twin_every = 0;
    workload.up[0].delay_us = workload.down[0].delay_us = 25000;
    workload.down[0].storm_loss = .45;
    workload.down[0].storm_from_us = 640000;
    workload.down[0].storm_until_us = 740000;
    workload_add('U', 20031985, 0, 0);
    return workload_run();
}

/* The path's MTU shrinks for a while, or everything stands still: both look alike. Afterwards packets are full again. */
bool workload_narrow_for_a_while(void)
{
    bool ok = true;

    for (int black = 0; black < 2; black++) {
        workload_begin();
        workload.down[0].rate_bytes_per_us = 1.5;
        workload.down[0].queue_bytes = 60000;
        workload.down[0].narrow_mtu_bytes = black ? 20 : 1300;
        workload.down[0].narrow_from_us = 2000000;
        workload.down[0].narrow_until_us = 12000000;
        workload_add('K', 40000000, 0, 0);
        ok &= sim_world_run(&workload, &result);
        if (result.rule || workload_trace)
            sim_outcome_print(&workload, &result);
        printf("  %s for 10 s: %.2f s, %" PRIu64 " timeouts, fill %u\n", black ? "nothing" : "1300 bytes at most", (double)result.finished_us[0] / 1e6,
               result.stats[0].timeouts, result.stats[0].fill);
        ok &= workload_require(result.stats[0].fill == result.stats[0].slot, "packets are full in the end");
        ok &= workload_require(result.finished_us[0] < (black ? 50 : 40) * 1000000ull, "a smaller MTU on the path is found out soon");
    }
    return ok;
}

/* Somewhere on the path the MTU is smaller than at both ends, and nobody says so. */
bool workload_black_hole(void)
{
    bool ok = true;

    for (int way = 0; way < 3; way++)
        for (int family = 4; family <= 6; family += 2) {
            workload_begin();
            if (family == 6) {
                workload.clients[0].flow.src = (struct trk_addr){ 6, { 0xfd, [15] = 2 } };
                workload.clients[0].flow.dst = (struct trk_addr){ 6, { 0xfd, [15] = 1 } };
            }
            if (way != 1)
                workload.up[0].mtu_bytes = 1300;
            if (way != 0)
                workload.down[0].mtu_bytes = 1300;
            workload_add('K', 500, 0, 0);
            workload_add('P', 300000, 20000, 0);
            workload_add('K', 300000, 0, 0);
            ok &= sim_world_run(&workload, &result);
            if (result.rule || workload_trace)
                sim_outcome_print(&workload, &result);
            printf("  IPv%d, %s: %.2f s, %" PRIu64 " timeouts\n", family, way == 0 ? "up" : way == 1 ? "down" : "both ways",
                   (double)result.finished_us[0] / 1e6, result.stats[0].timeouts);
            ok &= workload_require(result.finished_us[0] < 6000000, "a smaller MTU on the path is found out soon");
        }
    return ok;
}

bool workload_idle(void)
{
    bool ok = true;

    for (int kind = 0; kind < 2; kind++) {
        workload_begin();
        workload_add('K', kind ? 200000 : 1024, 0, 0);
        workload_add('K', 1024, 0, 130000000);
        workload_add('K', 200000, 0, 130000000);
        ok &= workload_run();
        ok &= workload_require((double)result.finished_us[0] / 1e6 < 262, "after twice the horizon a request takes a few round trips");
    }
    return ok;
}

/* A busy host does not schedule the program for a while: that is no loss, and nothing restarts. */
bool workload_busy_host(void)
{
    double seconds[2];
    bool ok = true;

    for (int i = 0; i < 2; i++) {
        workload_begin();
        workload.server.domain[0] = 1;
        workload.server.filter_bytes = 1 << 20;
        workload.down[0].rate_bytes_per_us = 10;
        workload.down[0].queue_bytes = 400000;
        workload.clients[0].receive_bytes = 1 << 20;
        workload.clients[0].feed_most = 64;
        workload.clients[0].sleep_us = i ? 60000 : 0;
        workload.clients[0].sleep_every_us = i ? 300000 : 0;
        workload_add('K', 20000000, 0, 0);
        ok &= workload_run();
        seconds[i] = (double)result.finished_us[0] / 1e6;
        printf("  sleeping %d ms of 300: %.2f s, %" PRIu64 " timeouts, %" PRIu64 " resumes, %" PRIu64 " lost\n", i ? 60 : 0, seconds[i],
               result.stats[0].timeouts, result.stats[0].resumes, result.stats[0].numbers_lost);
    }
    return workload_require(seconds[1] < 2 * seconds[0], "a program that sleeps a fifth of the time does not take twice as long") && ok;
}

bool workload_slow_reader(void)
{
    bool ok = true;

    for (int i = 0; i < 3; i++) {
        workload_begin();
        workload_add('K', 2000000, 0, 0);
        workload.clients[0].receive_bytes = 1 << 16;
        if (i == 0) {                  /* reads 100 kB/s */
            workload.clients[0].read_chunk_bytes = 1000;
            workload.clients[0].read_every_us = 10000;
        } else {                       /* stops for 10 s; for 130 s */
            workload.clients[0].stop_from_us = 100000;
            workload.clients[0].stop_until_us = i == 1 ? 10100000 : 130100000;
        }
        ok &= workload_run();
        printf("  reader %d: finished at %.2f s, %" PRIu64 " packets up, %" PRIu64 " down\n", i, (double)result.finished_us[0] / 1e6, result.up_pkts, result.down_pkts);
    }
    return ok;
}

/* A window that was opened by small objects, then a large one: cut answers, then resumes. */
bool workload_resume_after_cut(void)
{
    bool ok = true;

    for (uint64_t first = 0; first < 30000; first += 1423) {
        workload_begin();
        workload_add('K', first, 0, 0);
        workload_add('K', 200000, 0, 0);
        workload_add('K', first, 0, 3000000);
        workload_add('K', 100000, 0, 0);
        ok &= workload_run();
    }
    return ok;
}

/* Keys change every 3 s until the old ones are gone; connections live on. */
bool workload_key_rotation(void)
{
    bool ok = true;

    for (int i = 0; i < 2; i++) {
        workload_begin();
        workload.server.replicas = 3;
        workload.server.rotate_ms = i ? 1000 : 3000;
        workload.server.retire = i == 0;
        for (int j = 0; j < 60; j++)
            workload_add('K', j % 2 ? 1000 : 50000, 0, 400000);
        ok &= workload_run();
        printf("  rotation: %" PRIu64 " refreshes, generation %" PRIu32 "\n", result.stats[0].refreshes, result.stats[0].generation);
    }
    return ok;
}

/* A tick has 32 bits of 16 ms since 1970: it wraps every 2.2 years, here while connections are open. */
bool workload_tick_wrap(void)
{
    bool ok = true;

    for (int i = 0; i < 8; i++) {
        workload_begin();
        workload.epoch_ms = ((25ull << 32) - 30) * 16;     /* half a second before */
        workload.server.domain[0] = i & 1;
        workload.up[0].loss = workload.down[0].loss = i & 2 ? .02 : 0;
        workload.server.replicas = i & 4 ? 3 : 1;          /* two of them see the wrap earlier and later */
        workload.server.domain[1] = workload.server.domain[2] = i & 1;
        workload.server.shared = (i & 5) == 5;
        workload.server.skew_ms[1] = workload.server.shared ? 0 : 400;
        workload.server.skew_ms[2] = workload.server.shared ? 0 : -400;
        for (int j = 0; j < 30; j++)
            workload_add(j % 3 == 0 ? 'K' : j % 3 == 1 ? 'D' : 'U', j % 5 ? 3000 : 200000, 0, j == 29 ? 100000000 : j % 4 ? 0 : 60000);
        ok &= workload_run();
        ok &= workload_require(result.stats[0].refreshes <= 1, "nothing looks old because the tick wraps");
    }
    return ok;
}

/* An ordinary answer brings 16 bits of the tick, which wrap every 17 minutes: silences of 8 to 40 minutes in between. */
bool workload_half_tick_wrap(void)
{
    bool ok = true;

    for (int i = 0; i < 2; i++) {
        workload_begin();
        workload.limit_s = 20000;
        workload.server.domain[0] = i;
        for (int j = 0; j < 12; j++)
            workload_add('K', j % 2 ? 1000 : 100000, 0, j ? 500000000u + 170000000u * (uint32_t)j : 0);
        ok &= workload_run();
        ok &= workload_require(result.stats[0].timeouts == 0, "a silence is no loss");
    }
    return ok;
}

static void faulty_path(uint64_t seed)
{
    workload.seed = seed;
    workload.up[0].loss = workload.down[0].loss = .1;
    workload.up[0].duplicate = workload.down[0].duplicate = .1;
    workload.up[0].reorder = workload.down[0].reorder = .3;
    workload.up[0].reorder_us = workload.down[0].reorder_us = 50000;
}

/* Two answers to one input may differ: the bytes are those of one of them, whatever comes late of the other. */
bool workload_dated(void)
{
    bool ok = true;

    for (uint64_t seed = 1; seed <= 60; seed++) {
        workload_begin();
        faulty_path(seed);
        workload.server.domain[0] = seed % 2 ? 1 : 0;
        for (int i = 0; i < 40; i++)
            workload_add('D', 200 + (uint64_t)i * 397 % 8000, 0, 0);
        ok &= workload_run();
    }
    return ok;
}

/* Outputs of unknown length one after the other: a late end of one is not the end of the next. */
bool workload_late_ends(void)
{
    bool ok = true;

    for (uint64_t seed = 1; seed <= 60; seed++) {
        workload_begin();
        faulty_path(seed);
        workload.clients[0].pipeline = 5;
        for (int i = 0; i < 40; i++)
            workload_add('U', (uint64_t)i * 397 % 6000, 0, 0);
        ok &= workload_run();
    }
    return ok;
}

/* A request for each packet on a long path: more are on their way than the client remembers. */
bool workload_many_requests(void)
{
    workload_begin();
    workload.up[0].delay_us = workload.down[0].delay_us = 50000;
    workload.clients[0].receive_bytes = 1 << 22;
    workload.clients[0].feed_most = 1;
    workload.server.domain[0] = 1;
    workload.server.filter_bytes = 1 << 20;
    workload_add('K', 1000, 0, 0);
    workload_add('K', 20000000, 0, 0);
    bool ok = workload_run();
    return workload_require(result.finished_us[0] < 5000000, "a long path is filled") && ok;
}

/* Slow start overshoots a long path by a whole window and loses every second packet of it: more ranges than fit a report where
 * packets are small. */
bool workload_long_reports(void)
{
    static const uint16_t mtus[] = { 1500, 1000, 576 };
    bool ok = true;

    for (unsigned i = 0; i < sizeof mtus / sizeof *mtus; i++) {
        workload_begin();
        workload.clients[0].receive_bytes = SIM_RECEIVE_MAX;
        workload.server.mtu = mtus[i];
        workload.server.domain[0] = 1;
        workload.server.filter_bytes = 1 << 20;
        workload.up[0].delay_us = workload.down[0].delay_us = 50000;
        workload.down[0].rate_bytes_per_us = mtus[i] / 150.;
        workload.down[0].queue_bytes = 266u * mtus[i];
        workload_add('K', 5000u * mtus[i], 0, 0);
        ok &= workload_run();
        printf("  packets of %u bytes: %.3f s, %" PRIu64 " lost, %" PRIu64 " timeouts, %" PRIu64 " resumes\n", mtus[i],
               (double)result.finished_us[0] / 1e6, result.stats[0].numbers_lost, result.stats[0].timeouts, result.stats[0].resumes);
        ok &= workload_require(result.stats[0].timeouts == 0, "a report that does not fit waits for no timer");
    }
    return ok;
}

bool workload_reset(void)
{
    workload_begin();
    workload.clients[0].ending = SIM_END_RESET;
    workload_add('K', 20000, 0, 0);
    workload_add('X', 1, 0, 0);
    bool ok = workload_run();
    return workload_require(result.stats[0].verdicts[TRK_V_RST_PROVEN] == 1, "the server's reset is heard, with its proof") && ok;
}

/* Beyond 4 GB: offsets and sequence numbers wrap. */
bool workload_far(void)
{
    workload_begin();
    workload.limit_s = 3600;
    workload.server.domain[0] = 1;
    workload.server.filter_bytes = 1 << 20;
    workload.clients[0].receive_bytes = 1 << 20;
    workload.server.twin_every = 0;
    workload_add('K', 4600000000, 0, 0);
    workload_add('K', 1000, 0, 0);
    return workload_run();
}

bool workload_replicas(void)
{
    workload_begin();
    workload.server.replicas = 4;
    workload.server.skew_ms[1] = 7000;
    workload.server.skew_ms[2] = -7000;
    workload.server.skew_ms[3] = 3000;
    workload.server.twin_every = 1;
    workload_add('K', 1000000, 0, 0);
    workload_add('K', 1000, 0, 2000000);
    return workload_run();
}

bool workload_small_slots(void)
{
    bool ok = true;

    for (int i = 0; i < 3; i++) {
        workload_begin();
        if (i != 1)
            workload.server.mtu = i == 0 ? 576 : 1000;
        if (i != 0)
            workload.clients[0].mtu = 1300;
        workload_add('K', 300000, 0, 0);
        workload_add('U', 3000, 0, 0);
        workload.clients[0].ending = SIM_END_SHUTDOWN;
        ok &= workload_run();
    }
    return ok;
}
