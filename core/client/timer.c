/* timer.c - RTT by the client's own clock, and the one retransmission timer (PROTOCOL.md 7, timers). */
#include "client/internal.h"

#define MS 1000ull
#define FIRST_MIN_US (10 * MS)         /* what a busy host may take to schedule either end, whatever the path's RTT */
#define RTO_MIN_US (200 * MS)
#define RTO_MAX_US (60000 * MS)
#define UNANSWERED_FEW 3
#define AGE_STEP_US (50 * MS)          /* attempt r + 1 leaves no earlier than 2^(r-1) of these after k* arrived */
#define REFRESH_AGAIN_US (5000 * MS)

void trk_rtt_sample(struct trk_client *c, uint64_t rtt_us)
{
    if (!rtt_us)
        rtt_us = 1;
    if (!c->srtt_us) {                               /* RFC 6298 */
        c->srtt_us = rtt_us;
        c->rttvar_us = rtt_us / 2;
        return;
    }
    uint64_t error = rtt_us > c->srtt_us ? rtt_us - c->srtt_us : c->srtt_us - rtt_us;
    c->rttvar_us += error / 4;
    c->rttvar_us -= c->rttvar_us / 4 < c->rttvar_us ? c->rttvar_us / 4 : 0;
    c->srtt_us = (7 * c->srtt_us + rtt_us) / 8;
    if (!c->srtt_us)
        c->srtt_us = 1;
}

/* Answers to many requests do not get lost together: when all of them keep silent, the path or a host stands still, and a
 * restart would give up the window for nothing. A few may be lost, and a short answer must not wait for long. */
static bool many_unanswered(const struct trk_client *c)
{
    return !c->attempt && c->n_sent - c->answered_to > UNANSWERED_FEW;
}

static uint64_t timeout(const struct trk_client *c)
{
    if (c->attempt == TRK_ATTEMPTS_MAX)
        return (TRK_HORIZON_MS + TRK_SKEW_MS) * MS;
    if (c->attempt > TRK_ATTEMPTS_MAX)
        return REFRESH_AGAIN_US;
    uint64_t rto = c->srtt_us + 4 * c->rttvar_us;
    if (!c->backoff && many_unanswered(c))           /* as Linux has it */
        return c->srtt_us + (4 * c->rttvar_us > RTO_MIN_US ? 4 * c->rttvar_us : RTO_MIN_US);
    if (!c->backoff) {
        uint64_t first = rto > c->srtt_us * 3 / 2 ? rto : c->srtt_us * 3 / 2;
        return first > FIRST_MIN_US ? first : FIRST_MIN_US;
    }
    if (rto < RTO_MIN_US)
        rto = RTO_MIN_US;
    for (uint32_t i = 1; i < c->backoff && rto < RTO_MAX_US; i++)
        rto *= 2;
    return rto < RTO_MAX_US ? rto : RTO_MAX_US;
}

/* Something is expected of the server: wanted, asked for, or said to it. */
bool trk_busy(const struct trk_client *c)
{
    uint64_t asked_to = c->ask_next < c->output_end ? c->ask_next : c->output_end;
    return c->received_to < asked_to || c->input_state == TRK_IN_OUTSTANDING || trk_placing_outstanding(c) || trk_input_ready(c) || trk_wanted_bytes(c) > 0;
}

uint64_t trk_timer_due(const struct trk_client *c)
{
    uint64_t due = c->progress_us + timeout(c);
    if (c->attempt && c->attempt < TRK_ATTEMPTS_MAX) {
        uint64_t age = c->star_number.arrived_us + (AGE_STEP_US << (c->attempt - 1));
        return due > age ? due : age;
    }
    return due;
}

static void spend_all_kept(struct trk_client *c, uint64_t now_us)
{
    uint64_t end = c->end, k;
    for (uint64_t n = c->next; n <= c->end; n++) {
        struct trk_number *e = trk_number_at(c, n);
        if (e && e->state == TRK_N_EXPECTED)
            trk_want_number_again(c, e);
    }
    trk_spend_kept(c, now_us);
    while (c->end == end && !c->attempt && (k = trk_next_kept(c)) != 0)
        if (!trk_spend(c, k, now_us))
            break;
    trk_flush(c);
    c->progress_us = now_us;
    c->backoff++;
}

void trk_timer_run(struct trk_client *c, uint64_t now_us)
{
    trk_want_terminals_again(c);
    for (uint64_t n = c->next; n <= c->end; n++) {
        struct trk_number *e = trk_number_at(c, n);
        if (e && e->state == TRK_N_EXPECTED)
            trk_missed(c, e);
    }
    trk_input_lost(c);
    c->stats.timeouts++;
    c->last_trouble = c->last_repaid = c->next;
    uint64_t end = c->end;
    if (c->n_held) {                                 /* what the timer waited for is lost: that may free numbers */
        trk_resolve(c, now_us, true);
        trk_spend_kept(c, now_us);
    }
    if (c->end == end && !c->attempt && !c->cut_f && !c->backoff && trk_next_kept(c))
        spend_all_kept(c, now_us);
    if (c->end == end) {
        enum trk_restart_kind kind = !c->attempt && c->cut_f ? TRK_RESTART_RESUME : TRK_RESTART_TIMEOUT;
        c->backoff++;
        trk_restart_send(c, kind, now_us);
    }
    trk_flush(c);
}
