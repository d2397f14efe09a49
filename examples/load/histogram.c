#include "histogram.h"
#include <string.h>

/* Values below 2^BITS have buckets of their own; from there on each doubling has 2^BITS buckets. */
static uint32_t bucket_of(uint64_t value)
{
    if (value >= 1ull << HISTOGRAM_BITS)
        value = (1ull << HISTOGRAM_BITS) - 1;
    if (value < 1u << HISTOGRAM_STEP_BITS)
        return (uint32_t)value;
    uint32_t shift = 63 - (uint32_t)__builtin_clzll(value) - HISTOGRAM_STEP_BITS;
    return (shift << HISTOGRAM_STEP_BITS) + (uint32_t)(value >> shift);
}

/* The highest value of a bucket. */
static uint64_t highest_of(uint32_t bucket)
{
    if (bucket < 2u << HISTOGRAM_STEP_BITS)
        return bucket;
    uint32_t shift = (bucket >> HISTOGRAM_STEP_BITS) - 1;
    uint64_t mantissa = bucket - ((uint64_t)shift << HISTOGRAM_STEP_BITS);
    return ((mantissa + 1) << shift) - 1;
}

void histogram_add(struct histogram *h, uint64_t value)
{
    h->counts[bucket_of(value)]++;
    h->sum += value;
    if (!h->n || value < h->least)
        h->least = value;
    if (value > h->most)
        h->most = value;
    h->n++;
}

uint64_t histogram_percentile(const struct histogram *h, double percent)
{
    double wanted = percent / 100 * (double)h->n;
    uint64_t seen = 0;
    if (!h->n || percent <= 0)
        return h->n ? h->least : 0;
    for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += h->counts[i];
        if (seen && (double)seen >= wanted) {
            uint64_t value = highest_of(i);
            return value < h->least ? h->least : value > h->most ? h->most : value;
        }
    }
    return h->most;
}

double histogram_mean(const struct histogram *h) { return h->n ? (double)h->sum / (double)h->n : 0; }
void histogram_clear(struct histogram *h) { memset(h, 0, sizeof *h); }
