/* workload_blackouts.c - outages in the middle of a transfer: nothing ends, and it goes on soon after the path is back. */
#include <inttypes.h>
#include <stdio.h>

#include "workload.h"

struct outage { double seconds; uint64_t from_us; int way; bool upload, filter; };

static uint64_t back_us, heard_us;     /* when the path is back; when the client first heard of it */

static void on_arrived(void *arg, uint64_t now_us, unsigned client, bool up, const uint8_t *packet, uint32_t bytes, enum trk_verdict fate)
{
    (void)arg, (void)client, (void)packet, (void)bytes;
    if (!up && now_us >= back_us && !heard_us && fate == TRK_V_ACCEPTED)
        heard_us = now_us;
}

static void set_up(const struct outage *o)
{
    static const struct sim_observer observer = { .arrived = on_arrived };

    workload_begin();
    workload.observer = &observer;
    workload.limit_s = 4000;
    workload.server.domain[0] = o->filter;
    workload_add(o->upload ? 'P' : 'K', o->upload ? 500 : 1200000, o->upload ? 200000 : 0, 0);
    workload.down[0].rate_bytes_per_us = 1.5;
    workload.down[0].queue_bytes = 30000;
    workload.up[0].rate_bytes_per_us = o->upload ? .25 : 0;      /* both kinds last 0.8 s and more */
    workload.up[0].queue_bytes = 30000;
    workload.up[0].n_blackouts = o->way != 1;
    workload.down[0].n_blackouts = o->way != 0;
    back_us = o->from_us + (uint64_t)(o->seconds * 1e6);
    workload.up[0].blackouts[0].from_us = workload.down[0].blackouts[0].from_us = o->from_us;
    workload.up[0].blackouts[0].until_us = workload.down[0].blackouts[0].until_us = back_us;
    heard_us = 0;
}

/* Seconds after the path's return until the client was answered; negative if it did not end well. */
static double one(const struct outage *o)
{
    set_up(o);
    if (!workload_run())
        return -1;
    return heard_us ? (double)(heard_us - back_us) / 1e6 : 0;
}

/* Timers double from 200 ms on, so the next attempt comes at most as long after the return as the outage lasted, and at most
 * 60 s after; who has waited out the horizon asks every 5 s. Attempts wait for their age, too: twice 50 ms x 2^r. */
static double most_s(double seconds) { return .5 + (seconds > 150 ? 8 : seconds < 60 ? seconds * 1.25 : 75); }

bool workload_blackout(void)
{
    static const double seconds[] = { .1, .3, 1, 3, 10, 30, 60, 100, 300, 1800 };
    static const uint64_t from_us[] = { 35000, 75000, 150000, 400000, 700000 };
    bool ok = true;

    for (size_t i = 0; i < sizeof seconds / sizeof *seconds; i++) {
        double sum = 0, worst = 0;
        unsigned missed = 0;
        for (unsigned n = 0; n < 60; n++) {
            struct outage o = { seconds[i], from_us[n % 5], (int)(n / 5 % 3), n / 15 % 2, n / 30 };
            double after = one(&o);
            missed += after >= 0 && !heard_us;
            if (after < 0)
                printf("  of %.1f s from %.3f s, way %d, %s, filter %d\n", o.seconds, (double)o.from_us / 1e6, o.way, o.upload ? "upload" : "download", o.filter);
            ok &= after >= 0;
            sum += after / 60;
            worst = after > worst ? after : worst;
        }
        printf("  outage of %6.1f s: answered %.2f s after it in the mean, %.2f s at the worst\n", seconds[i], sum, worst);
        ok &= workload_require(missed == 0, "the outage comes before the transfer ends");
        ok &= workload_require(worst <= most_s(seconds[i]), "it goes on soon after an outage");
    }
    return ok;
}
