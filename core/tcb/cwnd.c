/* cwnd.c - C(k): what a step-by-step Reno would have reached, in closed form (paper 2.5, RFC 5681). */
#include "tcb/step.h"

/* Largest r with r * r <= x, for x < 2^62. Digit by digit in base 4: exact, and no floating point. */
static uint64_t isqrt(uint64_t x)
{
    uint64_t r = 0;
    for (uint64_t bit = x ? 1ull << ((63 - __builtin_clzll(x)) & ~1) : 0; bit; bit >>= 2) {
        if (x >= r + bit) {
            x -= r + bit;
            r = (r >> 1) + bit;
        } else {
            r >>= 1;
        }
    }
    return r;
}

/* After n acknowledgements of congestion avoidance that began at s: each window of C acknowledgements adds one,
 * so C is the largest c with s + (s+1) + ... + (c-1) <= n, that is c(c-1) <= s(s-1) + 2n. */
static uint64_t avoidance(uint64_t s, uint64_t n)
{
    return (1 + isqrt(1 + 4 * (s * (s - 1) + 2 * n))) / 2;
}

uint64_t trk_cwnd_reno(const struct trk_piece *p, uint64_t k)
{
    uint64_t s = p->start ? p->start : 1;
    if (k <= p->base)
        return s;
    uint64_t acks = k - p->base, limit = p->ssthresh;
    if (acks > TRK_NUMBER_MAX)         /* no such number: keeps the square root's argument below 2^52 */
        acks = TRK_NUMBER_MAX;
    if (limit == TRK_SSTHRESH_NONE || s + acks <= limit)
        return s + acks;               /* slow start */
    if (s < limit)
        return avoidance(limit, acks - (limit - s));
    return avoidance(s, acks);
}

uint64_t trk_cwnd(const struct trk_piece *p, uint64_t k)
{
    uint64_t cwnd = trk_cwnd_reno(p, k);
    return cwnd < TRK_CWND_MAX ? cwnd : TRK_CWND_MAX;
}

uint32_t trk_cwnd_half(uint64_t cwnd)
{
    _Static_assert(TRK_CWND_MAX / 2 <= TRK_START_MAX, "half a window starts a piece, whose fields have 16 bits");
    return cwnd / 2 > 2 ? (uint32_t)(cwnd / 2) : 2;
}
