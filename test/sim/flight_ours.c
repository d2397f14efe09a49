/* flight_ours.c - our flights: engine and server functions in the virtual world. What was sent is read from the packets, what was
 * acknowledged from the numbers that the server let pass. */
#include "flight.h"

#include <stdlib.h>
#include <string.h>

#include "world.h"

#define SLOT_BYTES 1400                /* of data in a packet, at the most */

struct watch {
    const struct flight_trace *trace;
    struct flight_record *out;
    uint32_t isn; uint16_t slot; uint64_t near;        /* the newest number seen, to read sequence numbers by */
    unsigned n; uint64_t bases[FLIGHT_STRETCHES_MAX];  /* of the stretches so far, ascending */
    uint8_t *sent; uint64_t n_sent, highest;           /* by number */
    unsigned stretch; uint64_t acked;                  /* by the request that is being answered; 0: nothing */
};

static bool number_of(struct watch *w, const void *packet, uint32_t bytes, uint64_t *n)
{
    struct trk_segment seg;
    struct trk_answer a;

    if (trk_segment_parse(packet, bytes, &seg) != TRK_V_ACCEPTED || trk_answer_parse(seg.payload, seg.payload_bytes, &a) != TRK_V_ACCEPTED)
        return false;
    if (a.form == TRK_FORM_OPENED) {
        w->slot = a.grant.slot;
        w->isn = seg.seq + 1 - w->slot;
        w->near = 1;
        return false;
    }
    return a.form != TRK_FORM_TERMINAL && trk_number_of_seq(w->isn, seg.seq, w->slot, w->near, n);
}

static bool drops(void *arg, const void *packet, uint32_t bytes)
{
    struct watch *w = arg;
    uint64_t n;
    unsigned i = w->n;

    if (!number_of(w, packet, bytes, &n))
        return false;
    while (i > 0 && w->bases[i - 1] >= n)
        i--;
    return i > 0 && flight_is_lost(w->trace, i - 1, n - w->bases[i - 1]);
}

/* Before the answer leaves: whether a recovery founds a new stretch, and which numbers this request acknowledged. */
static void see(void *arg, const struct sim_witnessed *what)
{
    struct watch *w = arg;

    for (unsigned i = 0; what->plan && i < what->plan->n_grants; i++) {
        uint64_t base = what->plan->grants[i].step.piece.base;
        if (w->n < FLIGHT_STRETCHES_MAX && base > 0 && (w->n == 0 || base > w->bases[w->n - 1]))
            w->bases[w->n++] = base;
    }
    w->acked = 0;
    if (!what->plan || what->spend->type != TRK_SPEND_NUMBERS)
        return;
    for (unsigned i = 0; i < what->spend->request.n_parts; i++) {
        const struct trk_part *p = &what->spend->request.parts[i];
        for (w->stretch = 0; w->stretch < w->n && w->bases[w->stretch] != p->piece.base;)
            w->stretch++;
        if (what->decision->mask[i] && w->stretch < w->n)
            w->acked = p->k + 63 - (unsigned)__builtin_clzll(what->decision->mask[i]);
    }
}

static void sent(void *arg, uint64_t now_us, unsigned client, bool up, const uint8_t *packet, uint32_t bytes, const char *fate)
{
    struct watch *w = arg;
    uint64_t n;

    (void)now_us, (void)client, (void)fate;
    if (up || !number_of(w, packet, bytes, &n) || n >= w->n_sent)
        return;
    w->sent[n] = 1;
    if (n > w->highest)
        w->near = w->highest = n;
}

/* Its answer has left: what was sent above the last number that it acknowledged is in flight. */
static void arrived(void *arg, uint64_t now_us, unsigned client, bool up, const uint8_t *packet, uint32_t bytes, enum trk_verdict fate)
{
    struct watch *w = arg;
    uint64_t flight = 0;

    (void)now_us, (void)client, (void)packet, (void)bytes;
    if (!up || fate != TRK_V_ANSWERED || !w->acked)
        return;
    for (uint64_t n = w->acked + 1; n <= w->highest; n++)
        flight += w->sent[n];
    flight_note(w->out, w->trace, w->stretch, w->acked - w->bases[w->stretch], flight);
    w->acked = 0;
}

static void set_up(struct sim_scenario *s, const struct flight_path *path, const struct sim_object *object)
{
    sim_scenario_measure(s, 1, object, 1);
    s->clients[0].feed_most = 64;
    s->clients[0].coalesce_us = path->coalesce_us;
    s->down[0].rate_bytes_per_us = path->rate_bytes_per_us;
    s->down[0].queue_bytes = 1u << 30;
}

const char *flight_of_ours(const struct flight_trace *t, const struct flight_path *path, struct flight_record *out)
{
    static struct sim_scenario s;
    static struct sim_outcome o;
    uint32_t packets = flight_packets(t);
    const struct sim_object object = { .type = 'K', .id = 1, .bytes = (uint64_t)packets * SLOT_BYTES };
    struct watch w = { .trace = t, .out = out, .sent = calloc(2 * packets, 1), .n_sent = 2 * packets };
    const struct sim_observer observer = { .sent = sent, .arrived = arrived, .arg = &w };
    const struct sim_witness witness = { see, &w };

    if (!w.sent)
        abort();
    set_up(&s, path, &object);
    s.observer = &observer;
    s.server.witness = &witness;
    s.down[0].drops = drops;
    s.down[0].drops_arg = &w;
    bool ok = sim_world_run(&s, &o);
    free(w.sent);
    if (!ok)
        return o.rule;
    return o.stats[0].timeouts || o.stats[0].resumes ? "our client restarted" : w.n <= t->n ? "our client had fewer recoveries" : NULL;
}
