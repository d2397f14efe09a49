/* endpoint.c - what arrives, to whom it belongs, and who has something to do. */
#include "endpoint/endpoint_state.h"
#include <stdlib.h>

#define FED_MAX 132                    /* packets fed before the owner gets their bytes and the answers leave: three superframes */

struct trk_endpoint *trk_endpoint_open(const struct trk_endpoint_config *config)
{
    struct trk_endpoint *e = calloc(1, sizeof *e);
    if (!e)
        return NULL;
    e->config = *config;
    e->touched_end = &e->touched;
    e->fed_end = &e->fed;
    e->resting_end = &e->resting;
    e->by_port = calloc(BY_PORT, sizeof *e->by_port);
    e->out_buffer = malloc(OUT_BYTES);
    if (e->by_port && e->out_buffer)
        return e;
    trk_endpoint_close(e);
    return NULL;
}

void trk_endpoint_close(struct trk_endpoint *e)
{
    if (!e)
        return;
    trk_ports_close(e);
    trk_links_close(e);
    trk_memory_close(e);
    free(e->heap);
    free(e->by_port);
    free(e->out_buffer);
    free(e);
}

void trk_endpoint_clock(struct trk_endpoint *e, uint64_t now_us)
{
    e->now_us = now_us;
    if (trk_links_wake_us(e) <= now_us)
        trk_links_narrow(e);
    if (trk_ports_wake_us(e) <= now_us)
        trk_ports_trim(e);
}

uint64_t trk_endpoint_now(const struct trk_endpoint *e) { return e->now_us; }

/* ---- who has something to do ---- */
void trk_end_touch(struct trk_end *end)
{
    struct trk_endpoint *e = end->endpoint;
    if (end->touched)
        return;
    end->touched = true;
    end->next_touched = NULL;
    *e->touched_end = end;
    e->touched_end = &end->next_touched;
}

struct trk_end *trk_endpoint_next(struct trk_endpoint *e)
{
    struct trk_end *end = e->touched;
    if (!end)
        return trk_timers_due(e);
    e->touched = end->next_touched;
    if (!e->touched)
        e->touched_end = &e->touched;
    end->touched = false;
    return end;
}

struct trk_end *trk_endpoint_fed(const struct trk_endpoint *e, const struct trk_end *after)
{
    return after ? after->next_fed : e->fed;
}

uint64_t trk_endpoint_wake_us(const struct trk_endpoint *e)
{
    uint64_t wake = e->heap_n ? e->heap[0].at_us : UINT64_MAX, narrow = trk_links_wake_us(e), trim = trk_ports_wake_us(e);
    if (e->touched)
        return 0;
    if (narrow < wake)
        wake = narrow;
    return trim < wake ? trim : wake;
}

/* ---- packets ---- */
static struct trk_end *end_of(const struct trk_endpoint *e, const struct trk_flow *received)
{
    struct trk_flow sent = trk_flow_reverse(received);
    for (struct trk_end *end = e->by_port[sent.sport]; end; end = end->next_same_port)
        if (trk_flow_equal(&end->client->config.flow, &sent))
            return end;
    return NULL;
}

/* Before their packets go: what was not consumed is copied. */
static void keep_lent(struct trk_endpoint *e)
{
    for (struct trk_end *end = e->fed; end; end = end->next_fed) {
        end->fed = false;
        trk_client_keep(end->client);
    }
    e->fed = NULL;
    e->fed_end = &e->fed;
}

static void note_fed(struct trk_endpoint *e, struct trk_end *end)
{
    end->heard_us = e->now_us;
    trk_end_touch(end);
    if (end->fed)
        return;
    end->fed = true;
    end->next_fed = NULL;
    *e->fed_end = end;
    e->fed_end = &end->next_fed;
}

/* Returns how many packets it stands for. */
static int take(struct trk_endpoint *e, const struct trk_link_packet *packet)
{
    struct trk_segment segment;
    enum trk_verdict v = trk_segment_parse(packet->ip, packet->bytes, &segment);
    if (v != TRK_V_ACCEPTED && v != TRK_V_UNMARKED)
        return 0;
    struct trk_end *end = end_of(e, &segment.flow);
    if (!end || (!packet->checksum_ok && !trk_segment_checksum_ok(packet->ip, packet->bytes)))
        return 0;
    note_fed(e, end);
    if (!packet->slice_bytes) {
        trk_client_feed(end->client, &segment, e->now_us);
        return 1;
    }
    trk_client_feed_slices(end->client, &segment, packet->slice_bytes, e->now_us);
    return (int)(segment.payload_bytes / packet->slice_bytes) + 1;
}

/* Frames that were received together are fed in portions, each followed by what its ends do. */
static bool feed_some(struct trk_endpoint *e)
{
    int fed = 0;
    while (fed < FED_MAX && e->batch_next < e->batch_n)
        fed += take(e, &e->batch[e->batch_next++]);
    return fed > 0 || e->batch_next < e->batch_n;
}

bool trk_endpoint_feed(struct trk_endpoint *e)
{
    keep_lent(e);
    if (e->batch_next < e->batch_n && feed_some(e))
        return true;
    for (struct trk_endpoint_link *l = e->links; l; l = l->next) {
        e->batch_next = 0;
        e->batch_n = trk_link_receive(l->link, e->batch, RECEIVED);
        if (e->batch_n > 0) {
            feed_some(e);
            return true;
        }
        e->batch_n = 0;
    }
    return false;
}
