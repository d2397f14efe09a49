#include "world.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forge.h"
#include "trace.h"

#define EVENTS_MAX 20000000ull

struct world {
    const struct sim_scenario *scenario;
    struct sim_outcome *out;
    struct sim_random random;
    struct sim_events events;
    struct sim_server server;
    struct sim_program clients[SIM_CLIENTS_MAX];
    struct sim_path up[SIM_CLIENTS_MAX], down[SIM_CLIENTS_MAX];
    struct sim_forger forger;
    uint64_t now_us;
    unsigned unfinished;
    uint16_t current;                  /* the client whose packets are being handled */
};

void sim_scenario_init(struct sim_scenario *s, uint64_t seed)
{
    memset(s, 0, sizeof *s);
    s->seed = seed;
    s->n_clients = 1;
    s->limit_s = 600;
    s->server = (struct sim_server_config){ .replicas = 1, .mtu = 1500, .twin_every = 4 };
    for (unsigned i = 0; i < SIM_CLIENTS_MAX; i++) {
        s->up[i] = s->down[i] = (struct sim_path_config){ .delay_us = 10000, .mtu_bytes = 1500, .reorder_us = 20000 };
        s->clients[i] = (struct sim_program_config){
            .pipeline = 1, .receive_bytes = 1 << 18, .send_bytes = 1 << 14, .mtu = 1500,
            .flow = { .src = { 4, { 10, 0, 0, (uint8_t)(2 + i) } }, .dst = { 4, { 10, 0, 0, 1 } }, .sport = (uint16_t)(40000 + i), .dport = 80 },
        };
    }
}

static void fail(struct world *w, const char *rule, const char *detail)
{
    if (w->out->rule)
        return;
    w->out->rule = rule;
    snprintf(w->out->detail, sizeof w->out->detail, "%s", detail);
}

/* ---- packets ---- */

static void forge_beside(struct world *w, enum sim_event_kind arrival, const uint8_t *packet, uint32_t bytes)
{
    struct sim_packet *forged = sim_forge(&w->forger, &w->random, arrival == SIM_EVENT_TO_SERVER, packet, bytes);

    if (forged)
        sim_events_add(&w->events, w->now_us + sim_random_below(&w->random, 50000), arrival, w->current, forged);
}

static void send_through(struct world *w, struct sim_path *path, enum sim_event_kind arrival, const uint8_t *packet, uint32_t bytes)
{
    const char *fate = sim_path_send(path, &w->random, &w->events, w->now_us, arrival, w->current, packet, bytes);

    if (w->scenario->trace)
        sim_trace_packet(w->now_us, w->current, arrival == SIM_EVENT_TO_SERVER ? "->" : "<-", packet, bytes, fate);
    if (w->scenario->observer)
        w->scenario->observer->sent(w->scenario->observer->arg, w->now_us, w->current, arrival == SIM_EVENT_TO_SERVER, packet, bytes, fate);
    if (sim_random_chance(&w->random, w->scenario->forge))
        forge_beside(w, arrival, packet, bytes);
}

static void send_up(void *arg, const uint8_t *packet, uint32_t bytes)
{
    struct world *w = arg;
    send_through(w, &w->up[w->current], SIM_EVENT_TO_SERVER, packet, bytes);
}

static void send_down(void *arg, const uint8_t *packet, uint32_t bytes)
{
    struct world *w = arg;
    send_through(w, &w->down[w->current], SIM_EVENT_TO_CLIENT, packet, bytes);
}

/* ---- events ---- */

static void wake_client(struct world *w, uint16_t i, uint64_t at_us)
{
    struct sim_program *p = &w->clients[i];

    if (at_us >= p->wake_us)
        return;
    p->wake_us = at_us;
    sim_events_add(&w->events, at_us, SIM_EVENT_CLIENT_WAKE, i, NULL);
}

static void run_client(struct world *w, uint16_t i)
{
    struct sim_program *p = &w->clients[i];

    if (p->finished)
        return;
    w->current = i;
    p->wake_us = SIM_NEVER;
    uint64_t at_us = sim_program_run(p, w->now_us, send_up, w);
    if (at_us != SIM_NEVER)
        wake_client(w, i, at_us);
    if (p->finished)
        w->unfinished--;
}

static void observe_arrival(const struct world *w, const struct sim_event *e, bool up, enum trk_verdict fate)
{
    const struct sim_observer *o = w->scenario->observer;

    if (o)
        o->arrived(o->arg, w->now_us, e->client, up, e->packet->data, e->packet->bytes, fate);
}

static void at_client(struct world *w, const struct sim_event *e)
{
    struct sim_program *p = &w->clients[e->client];
    enum trk_verdict fate;

    bool run = sim_program_packet(p, e->packet->data, e->packet->bytes, w->scenario->server.skip_checksum, w->now_us, &fate);
    if (w->scenario->trace)
        sim_trace_fate(w->now_us, e->client, "client", trk_verdict_name(fate), e->packet->data, e->packet->bytes);
    observe_arrival(w, e, false, fate);
    if (p->finished)
        return;                        /* it was fed all the same: what comes late must do no harm */
    if (run)
        run_client(w, e->client);
    else
        wake_client(w, e->client, w->now_us + p->config.coalesce_us);
}

static void at_server(struct world *w, const struct sim_event *e)
{
    w->current = e->client;
    enum trk_verdict fate = sim_server_packet(&w->server, &w->random, e->packet->data, e->packet->bytes, e->packet->garbage,
                                              SIM_EPOCH_MS + w->now_us / 1000, send_down, w);
    if (w->scenario->trace)
        sim_trace_fate(w->now_us, e->client, "server", trk_verdict_name(fate), e->packet->data, e->packet->bytes);
    observe_arrival(w, e, true, fate);
}

/* What arrives at a program that sleeps waits in its socket; its timers ring after that. */
static bool put_off(struct world *w, struct sim_event *e)
{
    if (e->kind != SIM_EVENT_TO_CLIENT && e->kind != SIM_EVENT_CLIENT_WAKE)
        return false;
    struct sim_program *p = &w->clients[e->client];
    uint64_t until_us = sim_program_asleep_until(p, w->now_us);
    if (until_us <= w->now_us)
        return false;
    if (e->kind == SIM_EVENT_TO_CLIENT) {
        sim_events_add(&w->events, until_us, e->kind, e->client, e->packet);
    } else if (e->at_us == p->wake_us) {
        p->wake_us = SIM_NEVER;
        wake_client(w, e->client, until_us + 1);
    }
    e->packet = NULL;
    return true;
}

static void happen(struct world *w, const struct sim_event *e)
{
    switch (e->kind) {
    case SIM_EVENT_TO_SERVER:
        at_server(w, e);
        break;
    case SIM_EVENT_TO_CLIENT:
        at_client(w, e);
        break;
    case SIM_EVENT_CLIENT_WAKE:
        if (e->at_us == w->clients[e->client].wake_us)
            run_client(w, e->client);
        break;
    case SIM_EVENT_ROTATE:
        sim_server_rotate(&w->server);
        sim_events_add(&w->events, w->now_us + (uint64_t)w->scenario->server.rotate_ms * 1000, SIM_EVENT_ROTATE, 0, NULL);
        break;
    case SIM_EVENT_WIPE:
        sim_server_wipe(&w->server, &w->random);
        sim_events_add(&w->events, w->now_us + (uint64_t)w->scenario->server.wipe_ms * 1000, SIM_EVENT_WIPE, 0, NULL);
        break;
    }
}

/* ---- one run ---- */

static void begin(struct world *w, const struct sim_scenario *s, struct sim_outcome *out)
{
    w->scenario = s;
    w->out = out;
    memset(out, 0, sizeof *out);
    w->now_us = 0;
    sim_random_seed(&w->random, s->seed ^ 0x5eed);
    sim_events_clear(&w->events);
    sim_server_init(&w->server, &s->server);
    sim_forger_init(&w->forger);
    w->unfinished = s->n_clients;
    if (s->trace)
        sim_trace_begin();
    if (s->server.rotate_ms)
        sim_events_add(&w->events, (uint64_t)s->server.rotate_ms * 1000, SIM_EVENT_ROTATE, 0, NULL);
    if (s->server.wipe_ms)
        sim_events_add(&w->events, (uint64_t)s->server.wipe_ms * 1000, SIM_EVENT_WIPE, 0, NULL);
    for (uint16_t i = 0; i < s->n_clients; i++) {
        sim_path_init(&w->up[i], &s->up[i]);
        sim_path_init(&w->down[i], &s->down[i]);
        sim_program_init(&w->clients[i], &s->clients[i], &w->random, 0);
        wake_client(w, i, 0);
    }
}

/* A server without a filter may be told the truth only: an honest client's requests are never refused, and it never
 * predicts anything else than what comes. */
static void check_honest(struct world *w, const struct trk_client_stats *stats)
{
    static const enum trk_verdict never_at_server[] = {
        TRK_V_BAD_FIELD, TRK_V_TRUNCATED, TRK_V_BAD_SEAL, TRK_V_BAD_PROOF, TRK_V_BAD_CONTINUATION, TRK_V_UNKNOWN_EPOCH, TRK_V_NOT_ADJOINING,
        TRK_V_BEYOND_RECOVERY, TRK_V_CUT_SPENT, TRK_V_TOO_MANY, TRK_V_ATTEMPTS, TRK_V_NO_ROOM };

    for (size_t i = 0; i < sizeof never_at_server / sizeof *never_at_server; i++)
        if (w->server.verdicts[never_at_server[i]])
            fail(w, "an honest request was refused", trk_verdict_name(never_at_server[i]));
    if (w->server.config.jump_ms == 0 && w->server.verdicts[TRK_V_LOSS_SPENT] + w->server.verdicts[TRK_V_WRONG_DOMAIN] &&
        sim_server_remembers_all(&w->server, 0))
        fail(w, "an honest request was refused by a filter that forgot nothing", "");
    if (stats->verdicts[TRK_V_MISPREDICTED])
        fail(w, "the client predicted something else than the server did", "mispredicted");
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
    enough += 2.0 * (double)(up->losses + down->losses + up->queue_drops + down->queue_drops + up->too_big + down->too_big);
    snprintf(detail, sizeof detail, "%" PRIu64 " packets up, %.0f are enough", up->sent_pkts, enough);
    if ((double)up->sent_pkts > (w->scenario->server.stingy_percent ? 10 : 2) * enough)
        fail(w, "the client sends too much", detail);
}

/* Packets that vanished on a path as wide as both ends' devices. */
static bool too_big(const struct world *w, unsigned i, const struct sim_path *p)
{
    return p->too_big && w->scenario->server.mtu <= p->config.mtu_bytes && w->scenario->clients[i].mtu <= p->config.mtu_bytes;
}

static void finish(struct world *w)
{
    const struct sim_scenario *s = w->scenario;
    struct sim_outcome *o = w->out;

    o->end_us = w->now_us;
    memcpy(o->server_verdicts, w->server.verdicts, sizeof o->server_verdicts);
    o->headers = w->server.headers_out;
    for (unsigned i = 0; i < s->n_clients; i++) {
        const struct sim_program *p = &w->clients[i];
        trk_client_stats(p->engine, &o->stats[i]);
        o->finished_us[i] = p->finished_us;
        o->bytes_read[i] = p->bytes_read;
        o->up_pkts += w->up[i].sent_pkts;
        o->down_pkts += w->down[i].sent_pkts;
        o->lost_pkts += w->up[i].losses + w->down[i].losses + w->up[i].queue_drops + w->down[i].queue_drops;
        if (too_big(w, i, &w->up[i]) || too_big(w, i, &w->down[i]))
            fail(w, "a packet larger than the path's MTU", "");
        if (!s->attack && s->forge == 0)
            check_honest(w, &o->stats[i]);
        if (!s->attack && !p->config.abort_us)
            check_frugal(w, i);
    }
    sim_events_clear(&w->events);
}

static bool violated(struct world *w)
{
    if (w->server.violation)
        fail(w, w->server.violation, w->server.detail);
    for (unsigned i = 0; i < w->scenario->n_clients; i++)
        if (w->clients[i].violation)
            fail(w, w->clients[i].violation, w->clients[i].detail);
    return w->out->rule != NULL;
}

bool sim_world_run(const struct sim_scenario *s, struct sim_outcome *out)
{
    static struct world w;             /* large, and its buffers are kept from run to run */
    struct sim_event e;

    begin(&w, s, out);
    while (w.unfinished > 0 && w.now_us <= (uint64_t)s->limit_s * 1000000 && !violated(&w) && sim_events_next(&w.events, &e)) {
        w.now_us = e.at_us;
        if (!put_off(&w, &e))
            happen(&w, &e);
        free(e.packet);
        if (++out->events == EVENTS_MAX)
            fail(&w, "it hangs", "too many events");
    }
    /* A connection may die of forged bytes: under attack only what they break on the way counts. */
    if (w.unfinished > 0 && !out->rule && !s->attack)
        fail(&w, "it hangs", w.events.n ? "virtual time is up" : "nobody waits for anything");
    finish(&w);
    return out->rule == NULL;
}
