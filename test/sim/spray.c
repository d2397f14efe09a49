#include "spray.h"

#include <string.h>

#include "wire/segment.h"

void sim_spray_init(struct sim_spray *s, const struct sim_spray_config *config, unsigned replicas)
{
    memset(s, 0, sizeof *s);
    s->config = *config;
    s->replicas = replicas;
}

/* Dead for at least so long. */
static bool dead_since(const struct sim_spray *s, unsigned replica, uint64_t now_us, uint64_t since_us)
{
    for (unsigned i = 0; i < s->config.n_troubles; i++) {
        const struct sim_trouble *t = &s->config.troubles[i];
        if (t->replica == replica && t->clog_us == 0 && now_us >= t->from_us + since_us && now_us < t->until_us)
            return true;
    }
    return false;
}

bool sim_spray_dead(const struct sim_spray *s, unsigned replica, uint64_t now_us) { return dead_since(s, replica, now_us, 0); }

static uint64_t hash_of(const struct sim_spray *s, unsigned flow, const uint8_t *packet, uint32_t bytes)
{
    struct trk_segment seg;

    if (s->config.mode == SIM_SPRAY_FLOWS || trk_segment_parse(packet, bytes, &seg) != TRK_V_ACCEPTED)
        return sim_mix(flow + 1);
    return sim_mix((uint64_t)seg.ack << 8 | flow);
}

/* Where a replica is known to be dead, its packets go to the others. */
unsigned sim_spray_choose(const struct sim_spray *s, struct sim_random *random, uint64_t now_us, unsigned flow, const uint8_t *packet, uint32_t bytes)
{
    uint64_t chance = s->config.mode == SIM_SPRAY_PACKETS ? sim_random_u64(random) : hash_of(s, flow, packet, bytes);
    unsigned alive[SIM_REPLICAS_MAX], n = 0;

    for (unsigned i = 0; i < s->replicas; i++)
        if (!dead_since(s, i, now_us, s->config.notice_us))
            alive[n++] = i;
    return n ? alive[chance % n] : (unsigned)(chance % s->replicas);
}

uint64_t sim_spray_wait(struct sim_spray *s, unsigned replica, uint64_t now_us)
{
    uint64_t at_us = now_us;

    for (unsigned i = 0; i < s->config.n_troubles; i++) {
        const struct sim_trouble *t = &s->config.troubles[i];
        if (t->replica == replica && now_us >= t->from_us && now_us < t->until_us && now_us + t->clog_us > at_us)
            at_us = now_us + t->clog_us;
    }
    if (at_us < s->ready_us[replica])
        at_us = s->ready_us[replica];
    s->ready_us[replica] = at_us;
    s->waited += at_us > now_us;
    return at_us;
}
