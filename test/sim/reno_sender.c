#include "reno_sender.h"

#define IW 10
#define DUPLICATES 3                   /* later packets that prove a loss */
#define BACKOFF_MAX 8

enum { UNSENT, FLYING, LOST, RESENT, SACKED };

void reno_rtt_sample(struct reno_rtt *r, uint64_t sample_us)
{
    double sample = (double)sample_us;

    if (r->srtt_us <= 0) {
        r->srtt_us = sample;
        r->rttvar_us = sample / 2;
        return;
    }
    r->rttvar_us += ((r->srtt_us > sample ? r->srtt_us - sample : sample - r->srtt_us) - r->rttvar_us) / 4;
    r->srtt_us += (sample - r->srtt_us) / 8;
}

uint64_t reno_rto_us(const struct reno_rtt *r)
{
    double base = r->srtt_us > 0 ? r->srtt_us + 4 * r->rttvar_us : 1e6;

    if (base < RENO_RTO_MIN_US)
        base = RENO_RTO_MIN_US;
    return (uint64_t)base << (r->backoff < BACKOFF_MAX ? r->backoff : BACKOFF_MAX);
}

static uint32_t half(uint32_t packets) { return packets / 2 > 2 ? packets / 2 : 2; }

/* What a loss halves: an application that sent less than the window has used less than the window. */
static uint32_t in_flight(const struct reno_sender *s)
{
    return s->next - s->una < s->cwnd ? s->next - s->una : s->cwnd;
}

void reno_sender_init(struct reno_sender *s, uint8_t *state)
{
    *s = (struct reno_sender){ .state = state, .cwnd = IW, .ssthresh = UINT32_MAX };
}

void reno_sender_give(struct reno_sender *s, uint32_t limit, uint64_t now_us)
{
    if (s->una == s->next && s->last_sent_us && now_us - s->last_sent_us > reno_rto_us(&s->rtt) && s->cwnd > IW)
        s->cwnd = IW;
    s->limit = limit;
}

static void rearm(struct reno_sender *s, uint64_t now_us)
{
    s->rto_at_us = s->una < s->next ? now_us + reno_rto_us(&s->rtt) : 0;
}

/* ---- acknowledgements ---- */

static void sack(struct reno_sender *s, uint32_t i)
{
    if (i < s->una || i >= s->next || s->state[i] == SACKED)
        return;
    s->flying -= s->state[i] == FLYING || s->state[i] == RESENT;
    s->state[i] = SACKED;
    if (i >= s->sacked_to)
        s->sacked_to = i + 1;
}

static void grow(struct reno_sender *s)
{
    if (s->cwnd < s->ssthresh) {
        s->cwnd++;
    } else if (++s->counted >= s->cwnd) {
        s->cwnd++;
        s->counted = 0;
    }
}

static void advance(struct reno_sender *s, uint32_t cumulative)
{
    for (; s->una < cumulative; s->una++) {
        s->flying -= s->state[s->una] == FLYING || s->state[s->una] == RESENT;
        if (!s->recovering)
            grow(s);
    }
    if (s->recovering && s->una >= s->recover)
        s->recovering = false;
}

static void begin_recovery(struct reno_sender *s)
{
    s->recovering = true;
    s->urgent = s->prompt;
    s->recover = s->next;
    s->cwnd = s->ssthresh = half(in_flight(s));
    s->counted = 0;
}

static void find_losses(struct reno_sender *s)
{
    unsigned later = 0;

    for (uint32_t i = s->sacked_to; i-- > s->una;) {
        if (s->state[i] == SACKED) {
            later++;
        } else if (later >= DUPLICATES && s->state[i] == FLYING) {
            s->state[i] = LOST;
            s->flying--;
            if (!s->recovering)
                begin_recovery(s);
        }
    }
}

void reno_sender_ack(struct reno_sender *s, const struct reno_ack *a, uint64_t now_us)
{
    reno_rtt_sample(&s->rtt, now_us - a->echo_us);
    for (uint32_t i = 0; i < a->n_recent; i++)
        sack(s, a->recent[i]);
    if (a->cumulative > s->una) {
        s->rtt.backoff = 0;
        advance(s, a->cumulative);
        rearm(s, now_us);
    }
    find_losses(s);
}

/* ---- sending ---- */

void reno_sender_timeout(struct reno_sender *s, uint64_t now_us)
{
    s->ssthresh = half(in_flight(s));
    s->cwnd = 1;
    s->counted = 0;
    s->recovering = false;             /* slow start, through what was sent before as well */
    s->flying = 0;
    for (uint32_t i = s->una; i < s->next; i++)
        if (s->state[i] != SACKED)
            s->state[i] = LOST;
    s->rtt.backoff++;
    rearm(s, now_us);
}

static bool pick(const struct reno_sender *s, uint32_t *index)
{
    for (uint32_t i = s->una; i < s->next; i++)
        if (s->state[i] == LOST) {
            *index = i;
            return true;
        }
    *index = s->next;
    return s->next < s->limit;
}

bool reno_sender_next(struct reno_sender *s, uint64_t now_us, uint32_t *index)
{
    if ((s->flying >= s->cwnd && !s->urgent) || !pick(s, index))
        return false;
    s->urgent = false;
    s->state[*index] = *index == s->next ? FLYING : RESENT;
    s->next += *index == s->next;
    s->flying++;
    s->last_sent_us = now_us;
    if (s->rto_at_us == 0)
        rearm(s, now_us);
    return true;
}
