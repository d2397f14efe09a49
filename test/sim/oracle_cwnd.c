/* oracle_cwnd - C(k), the closed form, beside a Reno that is told of one acknowledgement after the other: every piece
 * with start 1..64 and ssthresh 1..1024 or none, every k up to 4096. Far beyond, where nobody counts any more, the
 * defining inequality is asked instead, at random points. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "random.h"
#include "tcb/step.h"

#define STARTS     64
#define SSTHRESHES 1024
#define K_MAX      4096
#define SAMPLES    20000000u
#define FAR        (1ull << 32)
#define BASE       7                   /* k is a number, not a count: also the numbers before the piece are asked for */

/* RFC 5681: one more per acknowledgement below ssthresh, one more per window of them from there on. */
struct reno { uint64_t cwnd, ssthresh, counted; };

static void acknowledge(struct reno *r)
{
    if (r->cwnd < r->ssthresh) {
        r->cwnd++;
    } else if (++r->counted == r->cwnd) {
        r->cwnd++;
        r->counted = 0;
    }
}

static uint64_t clamped(uint64_t cwnd) { return cwnd < TRK_CWND_MAX ? cwnd : TRK_CWND_MAX; }

static uint64_t compare_piece(uint32_t start, uint32_t ssthresh)
{
    struct trk_piece p = { .base = BASE, .start = start, .ssthresh = ssthresh };
    struct reno r = { start, ssthresh == TRK_SSTHRESH_NONE ? UINT64_MAX : ssthresh, 0 };
    uint64_t different = 0;

    for (uint64_t k = 0; k <= K_MAX; k++) {
        if (k > BASE)
            acknowledge(&r);
        if (trk_cwnd_reno(&p, k) == r.cwnd && trk_cwnd(&p, k) == clamped(r.cwnd))
            continue;
        if (different++ == 0)
            printf("C(%" PRIu64 ") of {%d, %" PRIu32 ", %" PRIu32 "} is %" PRIu64 " (clamped %" PRIu64 "), Reno has %" PRIu64 "\n", k, BASE, start,
                   ssthresh, trk_cwnd_reno(&p, k), trk_cwnd(&p, k), r.cwnd);
    }
    return different;
}

/* one_of: of so many thresholds, and of so many random points, one is looked at; 1: all. */
static uint64_t every_piece(uint32_t one_of)
{
    uint64_t different = 0, points = 0;

    for (uint32_t start = 1; start <= STARTS; start++)
        for (uint32_t ssthresh = 1; ssthresh <= SSTHRESHES + 1; ssthresh += one_of, points += K_MAX + 1)
            different += compare_piece(start, ssthresh <= SSTHRESHES ? ssthresh : TRK_SSTHRESH_NONE);
    printf("start 1-%d, ssthresh 1-%d and none, k 0-%d: %" PRIu64 " points, %" PRIu64 " differ from step-by-step Reno\n", STARTS, SSTHRESHES,
           K_MAX, points, different);
    return different;
}

/* s: where congestion avoidance is entered; n acknowledgements since. A window of c is left after c of them, so cwnd is
 * the c with s + (s+1) + ... + (c-1) <= n < s + ... + c. 128 bits: nothing is rounded. */
static bool holds(uint64_t s, uint64_t n, uint64_t c)
{
    unsigned __int128 twice = (unsigned __int128)n * 2 + (unsigned __int128)s * (s - 1);
    return c >= s && (unsigned __int128)c * (c - 1) <= twice && twice < (unsigned __int128)(c + 1) * c;
}

static bool far_point(struct sim_random *r)
{
    bool none = sim_random_chance(r, .05);
    struct trk_piece p = { .base = sim_random_below(r, 1ull << 46), .start = (uint32_t)sim_random_range(r, 1, TRK_START_MAX),
                           .ssthresh = none ? TRK_SSTHRESH_NONE : (uint32_t)sim_random_range(r, 1, TRK_START_MAX) };
    uint64_t acks = FAR + sim_random_below(r, 1ull << sim_random_range(r, 20, 47)), s = p.start > p.ssthresh ? p.start : p.ssthresh;
    uint64_t c = trk_cwnd_reno(&p, p.base + acks);
    bool ok = none ? c == p.start + acks : holds(s, acks - (s - p.start), c);

    if (!ok || trk_cwnd(&p, p.base + acks) != clamped(c))
        printf("{%" PRIu64 ", %" PRIu32 ", %" PRIu32 "} after %" PRIu64 " acknowledgements: %" PRIu64 "\n", p.base, p.start, p.ssthresh, acks, c);
    return ok && trk_cwnd(&p, p.base + acks) == clamped(c);
}

static uint64_t far_points(uint32_t one_of)
{
    struct sim_random r;
    uint64_t different = 0;

    sim_random_seed(&r, 1);
    for (uint32_t i = 0; i < SAMPLES / one_of && different < 10; i++)
        different += !far_point(&r);
    printf("beyond 2^32 acknowledgements: %u random points, %" PRIu64 " break the defining inequality\n", SAMPLES / one_of, different);
    return different;
}

int main(int argc, char **argv)
{
    unsigned one_of = argc > 1 ? (unsigned)atoi(argv[1]) : 1;

    if (argc > 2 || one_of < 1 || one_of > SSTHRESHES) {
        fprintf(stderr, "usage: oracle_cwnd [ONE-OF]\n");
        return 2;
    }
    uint64_t different = every_piece(one_of) + far_points(one_of);
    return different != 0;
}
