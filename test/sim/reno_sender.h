/* reno_sender.h - the sending half of a textbook TCP: Reno with SACK (RFC 5681, 6298, 6675), window in whole packets,
 * one acknowledgement for each packet, idle restart. It decides what to send and when; carrying it is the caller's. */
#ifndef SIM_RENO_SENDER_H
#define SIM_RENO_SENDER_H

#include <stdbool.h>
#include <stdint.h>

#define RENO_RECENT 8                  /* packets that one acknowledgement can name beside the cumulative one (SACK) */
#define RENO_RTO_MIN_US 200000

struct reno_ack { uint32_t cumulative, n_recent, recent[RENO_RECENT]; uint64_t echo_us; };

/* The estimator of RFC 6298, with Linux's floor. */
struct reno_rtt { double srtt_us, rttvar_us; unsigned backoff; };
void reno_rtt_sample(struct reno_rtt *r, uint64_t sample_us);
uint64_t reno_rto_us(const struct reno_rtt *r);

struct reno_sender {
    uint8_t *state;                    /* of each packet; the caller's memory, zeroed */
    uint32_t limit;                    /* packets that the application has given so far */
    uint32_t una, next, flying;        /* flying: sent and neither acknowledged nor lost (RFC 6675's pipe) */
    uint32_t cwnd, ssthresh, counted;  /* counted: acknowledgements since cwnd grew, in congestion avoidance */
    uint32_t recover, sacked_to;       /* end of the recovery; one above the highest packet acknowledged selectively */
    bool     recovering;
    bool     prompt, urgent;           /* prompt: the first lost packet leaves at once, whatever the pipe (RFC 6675, 5 step 4.3) */
    struct reno_rtt rtt;
    uint64_t rto_at_us;                /* 0: not running */
    uint64_t last_sent_us;
};

void reno_sender_init(struct reno_sender *s, uint8_t *state);
/* The application gives more, up to `limit` packets in all. After an idle RTO the window restarts (RFC 5681 4.1). */
void reno_sender_give(struct reno_sender *s, uint32_t limit, uint64_t now_us);
void reno_sender_ack(struct reno_sender *s, const struct reno_ack *a, uint64_t now_us);
/* Call at rto_at_us. */
void reno_sender_timeout(struct reno_sender *s, uint64_t now_us);
/* The next packet that may leave now: call until false. */
bool reno_sender_next(struct reno_sender *s, uint64_t now_us, uint32_t *index);

#endif
