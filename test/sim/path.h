/* path.h - one direction of a simulated network path: a queue drained at a rate, then a pipe with faults. */
#ifndef SIM_PATH_H
#define SIM_PATH_H

#include "events.h"
#include "random.h"

#define SIM_BLACKOUTS_MAX 4

struct sim_path_config {
    uint32_t delay_us, jitter_us;      /* one way; jitter keeps the order */
    double   rate_bytes_per_us;        /* 0: no limit */
    uint32_t queue_bytes;              /* drop-tail, with a rate only */
    double   drop_spread;              /* the drop limit is by chance up to this part below queue_bytes: against phase effects */
    uint32_t narrow_mtu_bytes; uint64_t narrow_from_us, narrow_until_us;             /* the same, for a while */
    double   loss, burst_pkts;         /* burst > 1: mean length of a burst of losses (Gilbert) */
    uint64_t loss_seed;                /* not 0: single losses by it and the packet's index alone, the same for whoever uses the path */
    double   reorder, duplicate, corrupt;              /* chances per packet */
    double   late_duplicate; uint32_t late_us;         /* a copy that comes up to late_us later: a replay */
    uint32_t reorder_us;               /* greatest extra delay of a reordered packet or a copy */
    uint8_t  flips_max;                /* bits per corrupted packet; one is always found by the checksum */
    uint32_t mtu_bytes;                /* larger packets vanish, as behind a router that tells nobody */
    uint32_t drop_mask; uint8_t mask_from, mask_bits;  /* bit i: packet mask_from + i (the first is 0) is dropped, no other one */
    uint64_t storm_from_us, storm_until_us; double storm_loss;     /* single losses, thick for a while */
    int n_blackouts; struct { uint64_t from_us, until_us; } blackouts[SIM_BLACKOUTS_MAX];
    bool (*drops)(void *arg, const void *packet, uint32_t bytes); void *drops_arg;               /* NULL, or who drops, in place of chance */
};

struct sim_path {
    struct sim_path_config config;
    struct sim_path *queue;            /* the path whose rate and queue hold for this one: itself, or a bottleneck shared by several */
    uint64_t busy_until_us, last_arrival_us, last_sent_us;
    bool     bursting;
    uint64_t sent_pkts, sent_bytes, queue_drops, losses, too_big;
};

void sim_path_init(struct sim_path *p, const struct sim_path_config *config);
/* From now on p's packets go through the queue of bottleneck. */
void sim_path_share(struct sim_path *p, struct sim_path *bottleneck);
/* Sends a packet: its fate becomes zero or more arrival events. What happened, in a word. */
const char *sim_path_send(struct sim_path *p, struct sim_random *random, struct sim_events *events, uint64_t now_us,
                          enum sim_event_kind arrival, uint16_t client, const void *data, uint32_t bytes);

#endif
