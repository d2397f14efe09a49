/* reno.h - a textbook TCP sender (Reno with SACK, RFC 5681 and 6675) on a simulated path: what we measure ourselves against. */
#ifndef SIM_RENO_H
#define SIM_RENO_H

#include "path.h"

/* Seconds from the SYN until the receiver, which asks for it with one request, holds all of bytes. mtu: of a packet. */
double sim_reno_seconds(const struct sim_path_config *up, const struct sim_path_config *down, uint64_t bytes, uint32_t mtu, uint64_t seed);

#endif
