#include "path.h"

#include <string.h>

void sim_path_init(struct sim_path *p, const struct sim_path_config *config)
{
    memset(p, 0, sizeof *p);
    p->config = *config;
    p->queue = p;
}

void sim_path_share(struct sim_path *p, struct sim_path *bottleneck) { p->queue = bottleneck; }

/* The time the packet leaves the queue, or 0 if the queue is full. */
static uint64_t through_queue(struct sim_path *p, struct sim_random *random, uint64_t now_us, uint32_t bytes)
{
    const struct sim_path_config *c = &p->config;
    double limit = c->queue_bytes;

    if (c->rate_bytes_per_us <= 0)
        return now_us ? now_us : 1;
    uint64_t start = p->busy_until_us > now_us ? p->busy_until_us : now_us;
    if (c->drop_spread > 0)
        limit *= 1 - c->drop_spread * sim_random_unit(random);
    if ((double)(start - now_us) * c->rate_bytes_per_us > limit)
        return 0;
    p->busy_until_us = start + (uint64_t)(bytes / c->rate_bytes_per_us) + 1;
    return p->busy_until_us;
}

#define BURST_US 100000                /* a burst does not outlive a silence of this length */

static bool lost(struct sim_path *p, struct sim_random *random, uint64_t at_us, uint64_t silent_us)
{
    const struct sim_path_config *c = &p->config;

    if (at_us >= c->storm_from_us && at_us < c->storm_until_us && sim_random_chance(random, c->storm_loss))
        return true;

    uint64_t index = p->sent_pkts - 1;
    if (index >= c->mask_from && index - c->mask_from < c->mask_bits)
        return c->drop_mask >> (index - c->mask_from) & 1;
    if (c->loss_seed)
        return (double)(sim_mix(c->loss_seed + index * 0x9e3779b97f4a7c15ull) >> 11) * 0x1p-53 < c->loss;
    if (c->burst_pkts <= 1)
        return sim_random_chance(random, c->loss);
    if (p->bursting && silent_us < BURST_US)
        p->bursting = !sim_random_chance(random, 1 / c->burst_pkts);
    else
        p->bursting = sim_random_chance(random, c->loss / c->burst_pkts);
    return p->bursting;
}

static bool blacked_out(const struct sim_path_config *c, uint64_t at_us)
{
    for (int i = 0; i < c->n_blackouts; i++)
        if (at_us >= c->blackouts[i].from_us && at_us < c->blackouts[i].until_us)
            return true;
    return false;
}

static void flip_bits(struct sim_packet *packet, struct sim_random *random, unsigned flips_max)
{
    packet->corrupted = true;
    for (uint64_t flips = sim_random_range(random, 1, flips_max ? flips_max : 1); flips > 0; flips--)
        packet->data[sim_random_below(random, packet->bytes)] ^= (uint8_t)(1u << sim_random_below(random, 8));
}

static void deliver(struct sim_path *p, struct sim_random *random, struct sim_events *events, uint64_t at_us,
                    enum sim_event_kind arrival, uint16_t client, const void *data, uint32_t bytes)
{
    struct sim_packet *packet = sim_packet_copy(data, bytes);

    if (sim_random_chance(random, p->config.corrupt))
        flip_bits(packet, random, p->config.flips_max);
    sim_events_add(events, at_us, arrival, client, packet);
}

const char *sim_path_send(struct sim_path *p, struct sim_random *random, struct sim_events *events, uint64_t now_us,
                          enum sim_event_kind arrival, uint16_t client, const void *data, uint32_t bytes)
{
    const struct sim_path_config *c = &p->config;
    uint64_t at_us;

    uint64_t silent_us = now_us - p->last_sent_us;

    p->last_sent_us = now_us;
    p->sent_pkts++;
    p->sent_bytes += bytes;
    if (c->mtu_bytes && bytes > c->mtu_bytes) {
        p->too_big++;
        return "too big";
    }
    if (c->narrow_mtu_bytes && bytes > c->narrow_mtu_bytes && now_us >= c->narrow_from_us && now_us < c->narrow_until_us) {
        p->losses++;
        return "too big for now";
    }
    at_us = through_queue(p->queue, random, now_us, bytes);
    if (at_us == 0) {
        p->queue_drops++;
        return "queue full";
    }
    if ((c->drops ? c->drops(c->drops_arg, data, bytes) : lost(p, random, at_us, silent_us)) || blacked_out(c, at_us)) {
        p->losses++;
        return "lost";
    }
    at_us += c->delay_us + (c->jitter_us ? sim_random_below(random, c->jitter_us + 1) : 0);
    const char *fate = "sent";
    if (sim_random_chance(random, c->reorder)) {
        at_us += sim_random_below(random, (uint64_t)c->reorder_us + 1);
        fate = "reordered";
    } else {
        if (at_us < p->last_arrival_us)
            at_us = p->last_arrival_us;
        p->last_arrival_us = at_us;
    }
    deliver(p, random, events, at_us, arrival, client, data, bytes);
    if (sim_random_chance(random, c->duplicate)) {
        deliver(p, random, events, at_us + sim_random_below(random, (uint64_t)c->reorder_us + 1), arrival, client, data, bytes);
        fate = "duplicated";
    }
    if (sim_random_chance(random, c->late_duplicate)) {
        deliver(p, random, events, at_us + sim_random_below(random, (uint64_t)c->late_us + 1), arrival, client, data, bytes);
        fate = "replayed later";
    }
    return fate;
}
