#include "rival.h"

#include <stdlib.h>
#include <string.h>

struct data { uint32_t index; uint64_t sent_us; };

static void *zeroed(void *old, uint32_t cap, uint32_t bytes)
{
    uint8_t *p = bytes > cap ? realloc(old, bytes) : old;

    if (!p)
        abort();
    memset(p, 0, bytes);
    return p;
}

void sim_rival_init(struct sim_rival *r, const struct sim_rival_config *config)
{
    uint32_t bytes = config->packets + 1;
    struct sim_rival fresh = { .config = *config, .state = zeroed(r->state, r->cap, bytes), .got = zeroed(r->got, r->cap, bytes),
                               .cap = bytes > r->cap ? bytes : r->cap };

    *r = fresh;
    reno_sender_init(&r->sender, r->state);
    r->sender.prompt = true;
}

static void send_more(struct sim_rival *r, uint64_t now_us, sim_rival_send *send_down, void *arg)
{
    uint8_t packet[2048] = { 0 };
    struct data d = { .sent_us = now_us };

    while (reno_sender_next(&r->sender, now_us, &d.index)) {
        memcpy(packet, &d, sizeof d);
        send_down(arg, packet, r->config.mtu);
    }
}

void sim_rival_start(struct sim_rival *r, uint64_t now_us, sim_rival_send *send_down, void *arg)
{
    reno_sender_give(&r->sender, r->config.packets, now_us);
    send_more(r, now_us, send_down, arg);
}

void sim_rival_timeout(struct sim_rival *r, uint64_t now_us, sim_rival_send *send_down, void *arg)
{
    r->timeouts++;
    reno_sender_timeout(&r->sender, now_us);
    send_more(r, now_us, send_down, arg);
}

void sim_rival_at_sender(struct sim_rival *r, const uint8_t *packet, uint64_t now_us, sim_rival_send *send_down, void *arg)
{
    struct reno_ack a;

    memcpy(&a, packet, sizeof a);
    reno_sender_ack(&r->sender, &a, now_us);
    send_more(r, now_us, send_down, arg);
}

void sim_rival_at_receiver(struct sim_rival *r, const uint8_t *packet, sim_rival_send *send_up, void *arg)
{
    uint8_t answer[SIM_RIVAL_HEADER_BYTES + sizeof(struct reno_ack)] = { 0 };
    struct data d;

    memcpy(&d, packet, sizeof d);
    r->got[d.index] = 1;
    while (r->expected < r->config.packets && r->got[r->expected])
        r->expected++;
    memmove(r->recent + 1, r->recent, (RENO_RECENT - 1) * sizeof *r->recent);
    r->recent[0] = d.index;
    r->n_recent += r->n_recent < RENO_RECENT;
    struct reno_ack a = { .cumulative = r->expected, .n_recent = r->n_recent, .echo_us = d.sent_us };
    memcpy(a.recent, r->recent, sizeof a.recent);
    memcpy(answer, &a, sizeof a);
    send_up(arg, answer, sizeof answer);
}

uint64_t sim_rival_bytes(const struct sim_rival *r) { return (uint64_t)r->expected * (r->config.mtu - SIM_RIVAL_HEADER_BYTES); }
