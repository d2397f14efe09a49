/* trace.h - a run as text, one line for each packet sent and for each fate. */
#ifndef SIM_TRACE_H
#define SIM_TRACE_H

#include <stdint.h>

void sim_trace_begin(void);
/* fate: what the path did. */
void sim_trace_packet(uint64_t now_us, unsigned client, const char *arrow, const uint8_t *packet, uint32_t bytes, const char *fate);
/* A packet arrived at `who` with this verdict. */
void sim_trace_fate(uint64_t now_us, unsigned client, const char *who, const char *verdict, const uint8_t *packet, uint32_t bytes);

#endif
