/* spray.h - what stands before several replicas and gives each packet to one of them, and what happens to replicas: some are
 * clogged, so that what they are given waits for seconds, some die, and come back without memory. */
#ifndef SIM_SPRAY_H
#define SIM_SPRAY_H

#include <stdbool.h>
#include <stdint.h>

#include "random.h"

#define SIM_REPLICAS_MAX 16
#define SIM_TROUBLES_MAX 16

enum sim_spray_mode {
    SIM_SPRAY_PACKETS,                 /* each packet to any replica, by chance */
    SIM_SPRAY_FLOWS,                   /* by the flow's addresses and ports: one replica for a connection, as long as it lives */
    SIM_SPRAY_ACKS,                    /* by the packet's ACK field: what repeats another request meets another replica */
    SIM_SPRAY_MODES
};

struct sim_trouble {
    uint8_t  replica;
    uint64_t from_us, until_us;
    uint32_t clog_us;                  /* what comes waits so long; 0: the replica is dead, and has lost its memory afterwards */
};

struct sim_spray_config {
    enum sim_spray_mode mode;
    uint32_t notice_us;                /* so long after a death packets still go to the dead one, and vanish */
    unsigned n_troubles;
    struct sim_trouble troubles[SIM_TROUBLES_MAX];
};

struct sim_spray {
    struct sim_spray_config config;
    unsigned replicas;
    uint64_t ready_us[SIM_REPLICAS_MAX];               /* when the last packet that waits there is done */
    uint64_t vanished, waited;                         /* packets */
};

void sim_spray_init(struct sim_spray *s, const struct sim_spray_config *config, unsigned replicas);
/* The replica that gets this packet. */
unsigned sim_spray_choose(const struct sim_spray *s, struct sim_random *random, uint64_t now_us, unsigned flow, const uint8_t *packet, uint32_t bytes);
/* When the replica turns to a packet that comes now; each keeps its packets' order. */
uint64_t sim_spray_wait(struct sim_spray *s, unsigned replica, uint64_t now_us);
bool sim_spray_dead(const struct sim_spray *s, unsigned replica, uint64_t now_us);

#endif
