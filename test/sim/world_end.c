#include "world_state.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void world_fail(struct world *w, const char *rule, const char *detail)
{
    if (w->out->rule)
        return;
    w->out->rule = rule;
    snprintf(w->out->detail, sizeof w->out->detail, "%s", detail);
}

bool world_violated(struct world *w)
{
    if (w->server.violation)
        world_fail(w, w->server.violation, w->server.detail);
    for (unsigned i = 0; i < w->scenario->n_clients; i++)
        if (w->clients[i].violation)
            world_fail(w, w->clients[i].violation, w->clients[i].detail);
    return w->out->rule != NULL;
}

void world_count(struct world *w, bool begin)
{
    const struct sim_scenario *s = w->scenario;

    for (unsigned i = 0; i < s->n_clients + s->n_rivals; i++) {
        uint64_t bytes = i < s->n_clients ? w->clients[i].bytes_read : sim_rival_bytes(&w->rivals[i - s->n_clients]);
        w->out->counted[i] = begin ? bytes : bytes - w->out->counted[i];
    }
    w->counting = begin;
}

/* ---- rules that hold over a whole run ---- */

/* A server without a filter may be told the truth only: an honest client's requests are never refused, and it never
 * predicts anything else than what comes. */
static void check_honest(struct world *w, const struct trk_client_stats *stats)
{
    static const enum trk_verdict never_at_server[] = {
        TRK_V_BAD_FIELD, TRK_V_TRUNCATED, TRK_V_BAD_SEAL, TRK_V_BAD_PROOF, TRK_V_BAD_CONTINUATION, TRK_V_UNKNOWN_EPOCH, TRK_V_NOT_ADJOINING,
        TRK_V_BEYOND_RECOVERY, TRK_V_CUT_SPENT, TRK_V_TOO_MANY, TRK_V_ATTEMPTS, TRK_V_NO_ROOM };

    for (size_t i = 0; i < sizeof never_at_server / sizeof *never_at_server; i++)
        if (w->server.verdicts[never_at_server[i]])
            world_fail(w, "an honest request was refused", trk_verdict_name(never_at_server[i]));
    if (w->server.config.jump_ms == 0 && w->server.verdicts[TRK_V_LOSS_SPENT] + w->server.verdicts[TRK_V_WRONG_DOMAIN] &&
        sim_server_remembers_all(&w->server, 0))
        world_fail(w, "an honest request was refused by a filter that forgot nothing", "");
    if (stats->verdicts[TRK_V_MISPREDICTED])
        world_fail(w, "the client predicted something else than the server did", "mispredicted");
}

/* Requests cost something, too: what a client may send for what it got, what it lost and what it said. */
static void check_frugal(struct world *w, unsigned i)
{
    const struct sim_program *p = &w->clients[i];
    const struct sim_path *up = &w->up[i], *down = &w->down[i];
    double enough = 10 + (double)p->bytes_read / 500 + 4.0 * p->config.n_objects;
    char detail[64];

    for (unsigned j = 0; j < p->config.n_objects; j++)
        enough += p->config.objects[j].body_bytes / (w->scenario->server.nibble_bytes ? w->scenario->server.nibble_bytes : 400.0);
    enough += 2.0 * (double)(up->losses + down->losses + up->queue_drops + down->queue_drops + up->too_big + down->too_big + w->spray.vanished + w->spray.waited);
    snprintf(detail, sizeof detail, "%" PRIu64 " packets up, %.0f are enough", up->sent_pkts, enough);
    if ((double)up->sent_pkts > (w->scenario->server.stingy_percent ? 10 : 2) * enough)
        world_fail(w, "the client sends too much", detail);
}

/* Packets that vanished on a path as wide as both ends' devices. */
static bool too_big(const struct world *w, unsigned i, const struct sim_path *p)
{
    return p->too_big && w->scenario->server.mtu <= p->config.mtu_bytes && w->scenario->clients[i].mtu <= p->config.mtu_bytes;
}

void world_judge(struct world *w)
{
    const struct sim_scenario *s = w->scenario;
    struct sim_outcome *o = w->out;

    o->end_us = w->now_us;
    memcpy(o->server_verdicts, w->server.verdicts, sizeof o->server_verdicts);
    o->headers = w->server.headers_out;
    for (unsigned i = 0; i < s->n_clients + s->n_rivals; i++) {
        o->sent[i] = w->down[i].sent_pkts;
        o->dropped[i] = w->down[i].queue_drops;
    }
    for (unsigned i = 0; i < s->n_rivals; i++)
        o->rival_timeouts[i] = w->rivals[i].timeouts;
    o->vanished_pkts = w->spray.vanished;
    o->waited_pkts = w->spray.waited;
    for (unsigned i = 0; i < s->n_clients; i++) {
        const struct sim_program *p = &w->clients[i];
        trk_client_stats(p->engine, &o->stats[i]);
        o->finished_us[i] = p->finished_us;
        o->bytes_read[i] = p->bytes_read;
        o->up_pkts += w->up[i].sent_pkts;
        o->down_pkts += w->down[i].sent_pkts;
        o->lost_pkts += w->up[i].losses + w->down[i].losses + w->up[i].queue_drops + w->down[i].queue_drops;
        if (too_big(w, i, &w->up[i]) || too_big(w, i, &w->down[i]))
            world_fail(w, "a packet larger than the path's MTU", "");
        if (!s->attack && s->forge == 0)
            check_honest(w, &o->stats[i]);
        if (!s->attack && !p->config.abort_us)
            check_frugal(w, i);
    }
}
