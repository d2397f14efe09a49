/* sim_fairness - several flows through one bottleneck: how evenly ours share it (Jain's index), and what ours get beside as
 * many of a textbook TCP. The drop limit is by chance 80 to 100 % of the queue, starts lie within a second, round trips
 * within 2 %, and requests and acknowledgements are delayed by up to a twentieth of it, in order: else phase effects decide (which
 * of two trains of packets reaches the queue last, each time round). Flows of a textbook TCP among themselves are shown, too.
 *
 *     sim_fairness [--seeds N] [--from S] [--seconds S] [--rate MB/S] [--rtt MS] [--jitter MS] [--queue BDP]
 *                  [--least N] [--most N]
 *     sim_fairness --flows OURS RIVALS [...] [--verbose]    one cell
 *
 * Counted is what the programs read from second --from (5) on. Fails if, in the mean over the seeds, Jain's index of ours is
 * below .95 with a queue of the bandwidth-delay product or below .9 with a shorter one, or the share of ours beside as many
 * rivals is not 40 to 60 %. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

#define MTU    1500

struct options { unsigned seeds, least, most, ours, rivals; double from, seconds, rate_bytes_per_us, rtt_ms, jitter_ms, queue; bool one, verbose; };

struct figures { double jain, share, used, drops, restarts, timeouts; };  /* of one run; used: of the bottleneck's rate; timeouts: rivals' */
struct summary { struct figures mean; double jain_sd, share_sd, jain_least, share_least, share_most; };

static const struct sim_object endless = { .type = 'K', .id = 1, .bytes = 1ull << 44 };

static void set_up(struct sim_scenario *s, const struct options *o, double queue, unsigned ours, unsigned rivals, uint64_t seed)
{
    double bdp_bytes = o->rate_bytes_per_us * o->rtt_ms * 1e3;
    struct sim_random r;

    sim_scenario_init(s, seed);
    sim_random_seed(&r, seed ^ 0xfa12);
    s->n_clients = ours;
    s->n_rivals = rivals;
    s->shared_down = true;
    s->count_from_us = (uint64_t)(o->from * 1e6);
    s->stop_us = s->count_from_us + (uint64_t)(o->seconds * 1e6);
    s->server.twin_every = 0;
    s->server.domain[0] = 1;
    s->server.filter_bytes = 1 << 20;
    for (unsigned i = 0; i < ours + rivals; i++) {
        uint64_t start_us = sim_random_below(&r, 1000000);
        if (i < ours) {
            s->clients[i].objects = &endless;
            s->clients[i].n_objects = 1;
            s->clients[i].receive_bytes = 1 << 22;
            s->clients[i].start_us = start_us;
        } else {
            s->rivals[i - ours].start_us = start_us + (uint64_t)(o->rtt_ms * 1e3);     /* after its handshake */
            s->rivals[i - ours].packets = (uint32_t)((double)s->stop_us * o->rate_bytes_per_us / MTU) + 1;
        }
        s->up[i].delay_us = s->down[i].delay_us = (uint32_t)(o->rtt_ms * 500 * (.99 + .02 * sim_random_unit(&r)));
        s->up[i].jitter_us = (uint32_t)(1e3 * (o->jitter_ms < 0 ? o->rtt_ms / 20 : o->jitter_ms));
    }
    s->down[0].rate_bytes_per_us = o->rate_bytes_per_us;
    s->down[0].queue_bytes = (uint32_t)(queue * bdp_bytes);
    s->down[0].drop_spread = .2;
}

static bool run(const struct options *o, double queue, unsigned ours, unsigned rivals, uint64_t seed, struct figures *f)
{
    static struct sim_scenario s;
    static struct sim_outcome out;
    double sum = 0, squares = 0, own = 0;

    set_up(&s, o, queue, ours, rivals, seed);
    if (!sim_world_run(&s, &out)) {
        sim_outcome_print(&s, &out);
        return false;
    }
    for (unsigned i = 0; i < ours + rivals; i++) {
        double got = (double)out.counted[i];
        sum += got;
        squares += got * got;
        own += i < ours ? got : 0;
        if (o->verbose)
            printf("    seed %u, flow %u%s: %.3f MB/s, %.2f %% of its packets dropped\n", (unsigned)seed, i, i < ours ? "" : " (Reno)",
                   got / o->seconds / 1e6, 100. * (double)out.dropped[i] / (double)(out.sent[i] + 1));
    }
    *f = (struct figures){ .jain = sum * sum / (ours + rivals) / squares, .share = own / sum, .used = sum / o->seconds / 1e6 / o->rate_bytes_per_us,
                           .drops = (double)out.lost_pkts / (double)(out.down_pkts + 1) };
    for (unsigned i = 0; i < ours; i++)
        f->restarts += (double)(out.stats[i].timeouts + out.stats[i].resumes) / ours;
    for (unsigned i = 0; i < rivals; i++)
        f->timeouts += (double)out.rival_timeouts[i] / rivals;
    return true;
}

static bool summarize(const struct options *o, double queue, unsigned ours, unsigned rivals, struct summary *s)
{
    double jain2 = 0, share2 = 0;
    struct figures f, *m = &s->mean;

    *s = (struct summary){ .jain_least = 1, .share_least = 1 };
    for (uint64_t seed = 1; seed <= o->seeds; seed++) {
        if (!run(o, queue, ours, rivals, seed, &f))
            return false;
        m->jain += f.jain / o->seeds;
        m->share += f.share / o->seeds;
        m->used += f.used / o->seeds;
        m->drops += f.drops / o->seeds;
        m->restarts += f.restarts / o->seeds;
        m->timeouts += f.timeouts / o->seeds;
        jain2 += f.jain * f.jain / o->seeds;
        share2 += f.share * f.share / o->seeds;
        s->jain_least = fmin(s->jain_least, f.jain);
        s->share_least = fmin(s->share_least, f.share);
        s->share_most = fmax(s->share_most, f.share);
    }
    s->jain_sd = sqrt(fmax(0, jain2 - m->jain * m->jain));
    s->share_sd = sqrt(fmax(0, share2 - m->share * m->share));
    return true;
}

/* n of ours, beside them for comparison n of the textbook's. */
static bool alike(const struct options *o, double queue, unsigned n)
{
    struct summary us, them;
    double least = queue < 1 ? .9 : .95;

    if (!summarize(o, queue, n, 0, &us) || !summarize(o, queue, 0, n, &them))
        return false;
    bool bad = us.mean.jain < least;
    printf("%2u of ours      Jain %.3f (sd %.3f, least %.3f), used %.2f, drops %.1f %%, restarts %.1f; Reno: %.3f (sd %.3f, least %.3f), used %.2f, timeouts %.1f%s\n", n,
           us.mean.jain, us.jain_sd, us.jain_least, us.mean.used, 100 * us.mean.drops, us.mean.restarts, them.mean.jain, them.jain_sd, them.jain_least,
           them.mean.used, them.mean.timeouts, bad ? "  UNFAIR" : "");
    fflush(stdout);
    return !bad;
}

static bool beside(const struct options *o, double queue, unsigned ours, unsigned rivals)
{
    struct summary s;

    if (!summarize(o, queue, ours, rivals, &s))
        return false;
    bool bad = ours == rivals && (s.mean.share < .4 || s.mean.share > .6);
    printf("%2u + %2u Reno     ours get %4.1f %% (sd %.1f, %.1f to %.1f), used %.2f, drops %.1f %%, restarts %.1f, timeouts %.1f%s\n", ours, rivals, 100 * s.mean.share, 100 * s.share_sd,
           100 * s.share_least, 100 * s.share_most, s.mean.used, 100 * s.mean.drops, s.mean.restarts, s.mean.timeouts, bad ? "  UNFAIR" : "");
    fflush(stdout);
    return !bad;
}

static bool table(const struct options *o, double queue)
{
    bool ok = true;

    printf("queue of %.2f of the product of rate and round trip (%.0f packets):\n", queue, queue * o->rate_bytes_per_us * o->rtt_ms * 1e3 / MTU);
    if (o->one)
        return o->rivals ? beside(o, queue, o->ours, o->rivals) : alike(o, queue, o->ours);
    for (unsigned n = o->least; n <= o->most; n *= 2)
        ok &= alike(o, queue, n);
    for (unsigned n = o->least; n <= o->most; n *= 2)
        ok &= beside(o, queue, n / 2, n / 2);
    return ok;
}

static int usage(void)
{
    fprintf(stderr, "usage: sim_fairness [--seeds N] [--from S] [--seconds S] [--rate MB/S] [--rtt MS] [--jitter MS] [--queue BDP]\n"
                    "                    [--from S] [--least N] [--most N] [--flows OURS RIVALS] [--verbose]\n");
    return 2;
}

static bool parse(int argc, char **argv, struct options *o)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--verbose") == 0) {
            o->verbose = true;
            continue;
        }
        const char *name = argv[i], *value = ++i < argc ? argv[i] : NULL;
        if (!value)
            return false;
        if (strcmp(name, "--seeds") == 0)
            o->seeds = (unsigned)atoi(value);
        else if (strcmp(name, "--seconds") == 0)
            o->seconds = atof(value);
        else if (strcmp(name, "--from") == 0)
            o->from = atof(value);
        else if (strcmp(name, "--rate") == 0)
            o->rate_bytes_per_us = atof(value);
        else if (strcmp(name, "--rtt") == 0)
            o->rtt_ms = atof(value);
        else if (strcmp(name, "--jitter") == 0)
            o->jitter_ms = atof(value);
        else if (strcmp(name, "--queue") == 0)
            o->queue = atof(value);
        else if (strcmp(name, "--least") == 0)
            o->least = (unsigned)atoi(value);
        else if (strcmp(name, "--most") == 0)
            o->most = (unsigned)atoi(value);
        else if (strcmp(name, "--flows") == 0 && i + 1 < argc)
            o->one = true, o->ours = (unsigned)atoi(value), o->rivals = (unsigned)atoi(argv[++i]);
        else
            return false;
    }
    return o->seeds > 0 && o->seconds > 0 && o->rate_bytes_per_us > 0 && o->rtt_ms > 0 && o->queue >= 0 && o->least >= 2 && o->most <= 64 &&
           (!o->one || (o->ours > 0 && o->ours <= SIM_CLIENTS_MAX && o->rivals <= SIM_RIVALS_MAX));
}

int main(int argc, char **argv)
{
    struct options o = { .seeds = 10, .least = 2, .most = 64, .from = 5, .seconds = 120, .rate_bytes_per_us = 12, .rtt_ms = 40, .jitter_ms = -1 };
    bool ok = true;

    if (!parse(argc, argv, &o))
        return usage();
    printf("%g MB/s, %g ms, %u seeds of %g s\n", o.rate_bytes_per_us, o.rtt_ms, o.seeds, o.seconds);
    if (o.queue > 0)
        return !table(&o, o.queue);
    ok &= table(&o, 1);
    ok &= table(&o, .25);
    return !ok;
}
