#include "reno.h"

#include <stdlib.h>
#include <string.h>

#define HEADER_BYTES 52                /* IPv4, TCP and timestamps */
#define RECENT 8                       /* what one acknowledgement can say was received (SACK) */
#define RTO_MIN_US 200000

enum { UNSENT, FLYING, LOST, RESENT, SACKED };

struct segment_packet { uint32_t index; uint64_t sent_us; };
struct ack_packet { uint32_t cumulative, n_recent, recent[RECENT]; uint64_t echo_us; };

struct reno {
    struct sim_path up, down;
    struct sim_random random;
    struct sim_events events;
    uint64_t now_us;
    uint32_t total, mtu;
    /* sender */
    uint8_t *state;
    uint32_t una, next, recover, flying;               /* flying: FLYING or RESENT, RFC 6675's pipe */
    uint32_t highest_sacked;
    uint32_t cwnd, ssthresh, counted;                  /* whole packets; acknowledgements since cwnd grew */
    double   srtt_us, rttvar_us;
    bool     recovering;
    uint64_t rto_at_us; unsigned backoff;
    /* receiver */
    uint8_t *got;
    uint32_t expected, recent[RECENT], n_recent;
};

static double rto_us(const struct reno *r)
{
    double base = r->srtt_us > 0 ? r->srtt_us + 4 * r->rttvar_us : 1e6;
    return (base < RTO_MIN_US ? RTO_MIN_US : base) * (double)(1u << (r->backoff < 8 ? r->backoff : 8));
}

static void arm(struct reno *r)
{
    r->rto_at_us = r->now_us + (uint64_t)rto_us(r);
    sim_events_add(&r->events, r->rto_at_us, SIM_EVENT_CLIENT_WAKE, 0, NULL);
}

static void transmit(struct reno *r, uint32_t index)
{
    uint8_t packet[1500] = { 0 };
    struct segment_packet s = { index, r->now_us };

    memcpy(packet, &s, sizeof s);
    r->flying++;
    sim_path_send(&r->down, &r->random, &r->events, r->now_us, SIM_EVENT_TO_CLIENT, 0, packet, r->mtu);
}

/* Lost segments first, then new ones, as long as the pipe has room. */
static void send_more(struct reno *r)
{
    for (uint32_t i = r->una; i < r->next && r->flying < r->cwnd; i++) {
        if (r->state[i] != LOST)
            continue;
        r->state[i] = RESENT;
        transmit(r, i);
    }
    for (; r->next < r->total && r->flying < r->cwnd; r->next++) {
        r->state[r->next] = FLYING;
        transmit(r, r->next);
    }
}

static void sack(struct reno *r, uint32_t i)
{
    if (i < r->una || r->state[i] == SACKED)
        return;
    r->flying -= r->state[i] == FLYING || r->state[i] == RESENT;
    r->state[i] = SACKED;
    if (i > r->highest_sacked)
        r->highest_sacked = i;
}

static void advance(struct reno *r, uint32_t cumulative)
{
    for (; r->una < cumulative; r->una++) {
        r->flying -= r->state[r->una] == FLYING || r->state[r->una] == RESENT;
        if (r->recovering)
            continue;
        if (r->cwnd < r->ssthresh) {
            r->cwnd++;
        } else if (++r->counted >= r->cwnd) {
            r->cwnd++;
            r->counted = 0;
        }
    }
    if (r->recovering && r->una >= r->recover)
        r->recovering = false;
}

/* Three later segments arrived: lost. */
static void find_losses(struct reno *r)
{
    unsigned later = 0;

    for (uint32_t i = r->highest_sacked + 1; i-- > r->una;) {
        if (r->state[i] == SACKED) {
            later++;
        } else if (later >= 3 && r->state[i] == FLYING) {
            r->state[i] = LOST;
            r->flying--;
            if (!r->recovering) {
                r->recovering = true;
                r->recover = r->next;
                r->ssthresh = r->cwnd / 2 > 2 ? r->cwnd / 2 : 2;
                r->cwnd = r->ssthresh;
                r->counted = 0;
            }
        }
    }
}

static void at_sender(struct reno *r, const struct ack_packet *a)
{
    double sample = (double)(r->now_us - a->echo_us);

    if (r->srtt_us == 0) {
        r->srtt_us = sample;
        r->rttvar_us = sample / 2;
    } else {
        r->rttvar_us += ((r->srtt_us > sample ? r->srtt_us - sample : sample - r->srtt_us) - r->rttvar_us) / 4;
        r->srtt_us += (sample - r->srtt_us) / 8;
    }
    for (uint32_t i = 0; i < a->n_recent; i++)
        sack(r, a->recent[i]);
    if (a->cumulative > r->una) {
        r->backoff = 0;
        advance(r, a->cumulative);
    }
    find_losses(r);
    send_more(r);
    arm(r);
}

static void at_receiver(struct reno *r, const struct segment_packet *s)
{
    uint8_t packet[HEADER_BYTES + sizeof(struct ack_packet)] = { 0 };
    struct ack_packet a;

    r->got[s->index] = 1;
    while (r->expected < r->total && r->got[r->expected])
        r->expected++;
    memmove(r->recent + 1, r->recent, (RECENT - 1) * sizeof *r->recent);
    r->recent[0] = s->index;
    if (r->n_recent < RECENT)
        r->n_recent++;
    a = (struct ack_packet){ .cumulative = r->expected, .n_recent = r->n_recent, .echo_us = s->sent_us };
    memcpy(a.recent, r->recent, sizeof a.recent);
    memcpy(packet, &a, sizeof a);
    sim_path_send(&r->up, &r->random, &r->events, r->now_us, SIM_EVENT_TO_SERVER, 0, packet, sizeof packet);
}

static void on_timer(struct reno *r, uint64_t at_us)
{
    if (at_us != r->rto_at_us)
        return;
    for (uint32_t i = r->una; i < r->next; i++)
        if (r->state[i] != SACKED)
            r->state[i] = LOST;
    r->flying = 0;
    r->ssthresh = r->cwnd / 2 > 2 ? r->cwnd / 2 : 2;
    r->cwnd = 1;
    r->counted = 0;
    r->recovering = false;             /* slow start, through what was sent before as well */
    r->backoff++;
    send_more(r);
    arm(r);
}

static void react(struct reno *r, const struct sim_event *e)
{
    if (e->kind == SIM_EVENT_CLIENT_WAKE) {
        on_timer(r, e->at_us);
    } else if (e->kind == SIM_EVENT_TO_CLIENT) {
        struct segment_packet s;
        memcpy(&s, e->packet->data, sizeof s);
        at_receiver(r, &s);
    } else {
        struct ack_packet a;
        memcpy(&a, e->packet->data, sizeof a);
        at_sender(r, &a);
    }
}

double sim_reno_seconds(const struct sim_path_config *up, const struct sim_path_config *down, uint64_t bytes, uint32_t mtu, uint64_t seed)
{
    struct reno r = { .cwnd = 10, .ssthresh = UINT32_MAX, .mtu = mtu };
    struct sim_event e;

    r.total = (uint32_t)((bytes + mtu - HEADER_BYTES - 1) / (mtu - HEADER_BYTES));
    r.state = calloc(r.total + 1, 1);
    r.got = calloc(r.total + 1, 1);
    if (!r.state || !r.got)
        abort();
    sim_path_init(&r.up, up);
    sim_path_init(&r.down, down);
    sim_random_seed(&r.random, seed ^ 0x2e40);
    r.now_us = 3ull * up->delay_us;    /* SYN, SYN|ACK, request: taken to arrive */
    send_more(&r);
    arm(&r);
    while (r.expected < r.total && sim_events_next(&r.events, &e)) {
        r.now_us = e.at_us;
        react(&r, &e);
        free(e.packet);
    }
    sim_events_clear(&r.events);
    free(r.events.heap);
    free(r.state);
    free(r.got);
    return (double)r.now_us / 1e6;
}
