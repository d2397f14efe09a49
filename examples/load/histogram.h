/* histogram.h - how often each latency occurred, in buckets of less than 1 % width (as HdrHistogram's), in constant memory. */
#ifndef LOAD_HISTOGRAM_H
#define LOAD_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_STEP_BITS 7          /* 128 buckets for each doubling */
#define HISTOGRAM_BITS      40         /* 2^40 us are 12 days; what is more counts as that */
#define HISTOGRAM_BUCKETS   ((HISTOGRAM_BITS - HISTOGRAM_STEP_BITS + 1) << HISTOGRAM_STEP_BITS)

struct histogram { uint64_t counts[HISTOGRAM_BUCKETS], n, sum, least, most; };   /* all zero: empty */

void histogram_add(struct histogram *h, uint64_t value);
/* The smallest value below or at which `percent` of all lie, within 1 %; exact at 0 and 100. 0 if it is empty. */
uint64_t histogram_percentile(const struct histogram *h, double percent);
double histogram_mean(const struct histogram *h);
void histogram_clear(struct histogram *h);

#endif
