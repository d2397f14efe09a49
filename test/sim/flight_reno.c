/* flight_reno.c - the textbook's flights: packets reach the receiver in order, each that does is acknowledged, and no clock runs. */
#include "flight.h"

#include <stdlib.h>

#include "reno_sender.h"

struct wire { uint32_t index; bool lost; };

struct download {
    const struct flight_trace *trace;
    struct flight_record *out;
    struct reno_sender sender;
    struct wire *wire;                 /* all that was ever sent */
    uint32_t sent, arrived;            /* of it */
    uint8_t *got;
    uint32_t expected, recent[RENO_RECENT], n_recent;
    unsigned stretch; uint32_t origin; /* packet origin + i is number i + 1 of the stretch */
    uint64_t now_us;
};

static void send_more(struct download *d)
{
    struct reno_sender *s = &d->sender;
    uint32_t new_from = s->next, index;

    while (reno_sender_next(s, d->now_us, &index)) {
        bool again = index < new_from;
        d->wire[d->sent++] = (struct wire){ index, !again && flight_is_lost(d->trace, d->stretch, index + 1 - d->origin) };
        new_from = s->next;
    }
}

static struct reno_ack receive(struct download *d, uint32_t index)
{
    d->got[index] = 1;
    while (d->got[d->expected])
        d->expected++;
    for (unsigned i = RENO_RECENT - 1; i > 0; i--)
        d->recent[i] = d->recent[i - 1];
    d->recent[0] = index;
    d->n_recent += d->n_recent < RENO_RECENT;
    struct reno_ack a = { .cumulative = d->expected, .n_recent = d->n_recent, .echo_us = d->now_us - 1 };
    for (unsigned i = 0; i < d->n_recent; i++)
        a.recent[i] = d->recent[i];
    return a;
}

/* Where acknowledgements that were counted begin: the window stands still while a recovery lasts, and with several losses the
 * last gap may close after packets behind it have arrived. */
static void follow_recovery(struct download *d, bool was)
{
    const struct reno_sender *s = &d->sender;

    if (!was && s->recovering) {
        d->stretch++;
        d->origin = s->recover;
    } else if (was && !s->recovering) {
        d->origin = s->una;
    }
}

static void acknowledge(struct download *d, const struct reno_ack *a)
{
    struct reno_sender *s = &d->sender;
    bool was = s->recovering;
    uint32_t una = s->una;

    reno_sender_ack(s, a, d->now_us);
    follow_recovery(d, was);
    send_more(d);
    if (!was && !s->recovering && s->una > una)
        flight_note(d->out, d->trace, d->stretch, s->una - d->origin, s->flying);
}

const char *flight_of_reno(const struct flight_trace *t, struct flight_record *out)
{
    uint32_t packets = flight_packets(t);
    struct download d = { .trace = t, .out = out, .wire = calloc(2 * packets, sizeof *d.wire), .got = calloc(packets + 1, 1) };
    uint8_t *state = calloc(packets + 1, 1);

    if (!d.wire || !d.got || !state)
        abort();
    reno_sender_init(&d.sender, state);
    d.sender.prompt = true;
    reno_sender_give(&d.sender, packets, ++d.now_us);
    send_more(&d);
    while (d.stretch < t->n && d.arrived < d.sent) {
        struct wire w = d.wire[d.arrived++];
        d.now_us += 10;
        if (!w.lost) {
            struct reno_ack a = receive(&d, w.index);
            acknowledge(&d, &a);
        }
    }
    free(d.wire);
    free(d.got);
    free(state);
    return d.stretch < t->n ? "the textbook waits for its timer" : NULL;
}
