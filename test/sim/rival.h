/* rival.h - a textbook TCP in the same world: a Reno sender (reno_sender.h) at the server's end of a path, a receiver that
 * acknowledges each packet at the client's end, and a download that does not stop. What ours shares a bottleneck with. */
#ifndef SIM_RIVAL_H
#define SIM_RIVAL_H

#include "reno_sender.h"

#define SIM_RIVAL_HEADER_BYTES 52      /* IPv4, TCP and timestamps */

struct sim_rival_config {
    uint64_t start_us;                 /* when its SYN leaves; the handshake itself is taken to arrive */
    uint32_t packets;                  /* it has to send, in all: more than the run can take */
    uint16_t mtu;
};

struct sim_rival {
    struct sim_rival_config config;
    struct reno_sender sender;
    uint8_t *state, *got;              /* of each packet; kept between runs */
    uint32_t cap;
    uint64_t timeouts;
    uint32_t expected, recent[RENO_RECENT], n_recent;  /* the receiver's */
};

typedef void sim_rival_send(void *arg, const uint8_t *packet, uint32_t bytes);

void sim_rival_init(struct sim_rival *r, const struct sim_rival_config *config);
/* A packet of the sender reached the receiver, whose acknowledgement goes through send_up. */
void sim_rival_at_receiver(struct sim_rival *r, const uint8_t *packet, sim_rival_send *send_up, void *arg);
/* An acknowledgement reached the sender. This and the next two send through send_down. */
void sim_rival_at_sender(struct sim_rival *r, const uint8_t *packet, uint64_t now_us, sim_rival_send *send_down, void *arg);
void sim_rival_start(struct sim_rival *r, uint64_t now_us, sim_rival_send *send_down, void *arg);
void sim_rival_timeout(struct sim_rival *r, uint64_t now_us, sim_rival_send *send_down, void *arg);
/* Bytes that its application has read. */
uint64_t sim_rival_bytes(const struct sim_rival *r);

#endif
