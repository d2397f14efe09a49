/* flight.h - how many packets are in flight after each acknowledgement outside recovery: ours and a textbook TCP's, on one
 * trace of losses.
 *
 * A *stretch* is what lies between two recoveries. Its packets are numbered from 1: of ours, numbers above the base of its
 * piece; of the textbook's, new packets above the one at which its recovery ended. The trace names lost packets by stretch and
 * number in it, so both lose the same ones, though they do not resend the same ones in between. After j acknowledgements of a
 * stretch, j below its first lost packet, neither of the two knows of any loss: there flights must be equal. */
#ifndef SIM_FLIGHT_H
#define SIM_FLIGHT_H

#include <stdbool.h>
#include <stdint.h>

#define FLIGHT_STRETCHES_MAX 64
#define FLIGHT_LOSSES_MAX    8         /* in one window: what a recovery creates again at a time */
#define FLIGHT_ACKS_MAX      2048

struct flight_trace {
    unsigned n;                        /* stretches with losses; what follows has none */
    struct { unsigned n; uint32_t lost[FLIGHT_LOSSES_MAX]; } stretches[FLIGHT_STRETCHES_MAX];     /* ascending */
};

/* Packets in flight by stretch and acknowledgement; 0: nobody looked. */
struct flight_record { uint32_t flight[FLIGHT_STRETCHES_MAX][FLIGHT_ACKS_MAX]; };

struct flight_path {
    double   rate_bytes_per_us;        /* of the answers; 0: no limit */
    uint32_t coalesce_us;              /* what arrives within this time may be acknowledged together */
};

bool flight_is_lost(const struct flight_trace *t, unsigned stretch, uint64_t number);
void flight_note(struct flight_record *r, const struct flight_trace *t, unsigned stretch, uint64_t acks, uint64_t flight);
/* Packets that either sender needs for the whole trace, and some more. */
uint32_t flight_packets(const struct flight_trace *t);

/* flight_ours.c: a download by the engine from the server functions. NULL, or what went wrong. */
const char *flight_of_ours(const struct flight_trace *t, const struct flight_path *path, struct flight_record *out);
/* flight_reno.c: the same by reno_sender.h. */
const char *flight_of_reno(const struct flight_trace *t, struct flight_record *out);

#endif
