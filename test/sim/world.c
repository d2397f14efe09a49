#include "world_state.h"

#include <stdlib.h>
#include <string.h>

#include "trace.h"

#define EVENTS_MAX 20000000ull
#define REPLICA_SHIFT 8                /* above the flow in an event; more than SIM_FLOWS_MAX */

void sim_scenario_init(struct sim_scenario *s, uint64_t seed)
{
    memset(s, 0, sizeof *s);
    s->seed = seed;
    s->epoch_ms = SIM_EPOCH_MS;
    s->n_clients = 1;
    s->limit_s = 600;
    s->server = (struct sim_server_config){ .replicas = 1, .mtu = 1500, .twin_every = 4 };
    for (unsigned i = 0; i < SIM_FLOWS_MAX; i++)
        s->up[i] = s->down[i] = (struct sim_path_config){ .delay_us = 10000, .mtu_bytes = 1500, .reorder_us = 20000 };
    for (unsigned i = 0; i < SIM_RIVALS_MAX; i++)
        s->rivals[i] = (struct sim_rival_config){ .packets = 1 << 20, .mtu = 1500 };
    for (unsigned i = 0; i < SIM_CLIENTS_MAX; i++) {
        s->clients[i] = (struct sim_program_config){
            .pipeline = 1, .receive_bytes = 1 << 18, .send_bytes = 1 << 14, .mtu = 1500,
            .flow = { .src = { 4, { 10, 0, 0, (uint8_t)(2 + i) } }, .dst = { 4, { 10, 0, 0, 1 } }, .sport = (uint16_t)(40000 + i), .dport = 80 },
        };
    }
}

void sim_scenario_measure(struct sim_scenario *s, uint64_t seed, const struct sim_object *objects, unsigned n)
{
    sim_scenario_init(s, seed);
    s->limit_s = 20000;
    s->clients[0].objects = objects;
    s->clients[0].n_objects = n;
    s->clients[0].receive_bytes = SIM_RECEIVE_MAX;
    s->server.twin_every = 0;
    s->server.domain[0] = 1;
    s->server.filter_bytes = 1 << 20;
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

    if (w->current >= w->scenario->n_clients)
        return;
    if (w->scenario->trace)
        sim_trace_packet(w->now_us, w->current, arrival == SIM_EVENT_TO_SERVER ? "->" : "<-", packet, bytes, fate);
    if (w->scenario->observer && w->scenario->observer->sent)
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

static void tell_read(struct world *w, unsigned flow, uint64_t bytes)
{
    const struct sim_observer *o = w->scenario->observer;

    if (o && o->read && bytes > w->told[flow])
        o->read(o->arg, w->now_us, flow, bytes);
    w->told[flow] = bytes;
}

static void run_client(struct world *w, uint16_t i)
{
    struct sim_program *p = &w->clients[i];

    if (p->finished)
        return;
    w->current = i;
    p->wake_us = SIM_NEVER;
    uint64_t at_us = sim_program_run(p, w->now_us, send_up, w);
    tell_read(w, i, p->bytes_read);
    if (at_us != SIM_NEVER)
        wake_client(w, i, at_us);
    if (p->finished)
        w->unfinished--;
}

static void observe_arrival(const struct world *w, const struct sim_event *e, bool up, enum trk_verdict fate)
{
    const struct sim_observer *o = w->scenario->observer;

    if (o && o->arrived)
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

static void at_replica(struct world *w, const struct sim_event *e, unsigned replica)
{
    if (sim_spray_dead(&w->spray, replica, w->now_us)) {
        w->spray.vanished++;
        return;
    }
    w->current = e->client;
    enum trk_verdict fate = sim_server_packet(&w->server, &w->random, replica, e->packet->data, e->packet->bytes, e->packet->garbage,
                                              w->scenario->epoch_ms + w->now_us / 1000, send_down, w);
    if (w->scenario->trace)
        sim_trace_fate(w->now_us, e->client, "server", trk_verdict_name(fate), e->packet->data, e->packet->bytes);
    observe_arrival(w, e, true, fate);
}

/* The replica is part of the event while the packet waits there. */
static void at_server(struct world *w, struct sim_event *e)
{
    unsigned replica = sim_spray_choose(&w->spray, &w->random, w->now_us, e->client, e->packet->data, e->packet->bytes);
    uint64_t at_us = sim_spray_wait(&w->spray, replica, w->now_us);

    if (at_us == w->now_us) {
        at_replica(w, e, replica);
        return;
    }
    sim_events_add(&w->events, at_us, SIM_EVENT_AT_REPLICA, (uint16_t)(e->client | replica << REPLICA_SHIFT), e->packet);
    e->packet = NULL;
}

static void after_waiting(struct world *w, struct sim_event *e)
{
    unsigned replica = e->client >> REPLICA_SHIFT;

    e->client &= (1u << REPLICA_SHIFT) - 1;
    at_replica(w, e, replica);
}

/* ---- rivals ---- */

static void wake_rival(struct world *w, uint16_t i, uint64_t at_us)
{
    if (at_us == 0 || at_us >= w->rival_wake_us[i])
        return;
    w->rival_wake_us[i] = at_us;
    sim_events_add(&w->events, at_us, SIM_EVENT_CLIENT_WAKE, (uint16_t)(w->scenario->n_clients + i), NULL);
}

static void run_rival(struct world *w, uint16_t i)
{
    struct sim_rival *r = &w->rivals[i];

    w->rival_wake_us[i] = SIM_NEVER;
    if (w->now_us == r->config.start_us)
        sim_rival_start(r, w->now_us, send_down, w);
    else if (w->now_us >= r->sender.rto_at_us)
        sim_rival_timeout(r, w->now_us, send_down, w);
}

static bool is_rivals(const struct world *w, const struct sim_event *e)
{
    return (e->kind == SIM_EVENT_TO_SERVER || e->kind == SIM_EVENT_TO_CLIENT || e->kind == SIM_EVENT_CLIENT_WAKE) && e->client >= w->scenario->n_clients;
}

/* A rival's packet that was damaged on its way is dropped by its checksum. */
static void happen_to_rival(struct world *w, const struct sim_event *e)
{
    uint16_t i = (uint16_t)(e->client - w->scenario->n_clients);
    struct sim_rival *r = &w->rivals[i];

    w->current = e->client;
    if (e->kind == SIM_EVENT_CLIENT_WAKE) {
        if (e->at_us == w->rival_wake_us[i])
            run_rival(w, i);
    } else if (!e->packet->corrupted) {
        if (e->kind == SIM_EVENT_TO_SERVER)
            sim_rival_at_sender(r, e->packet->data, w->now_us, send_down, w);
        else
            sim_rival_at_receiver(r, e->packet->data, send_up, w);
        tell_read(w, e->client, sim_rival_bytes(r));
    }
    wake_rival(w, i, r->sender.rto_at_us);
}

/* ---- what happens ---- */

/* What arrives at a program that sleeps waits in its socket; its timers ring after that. */
static bool put_off(struct world *w, struct sim_event *e)
{
    if ((e->kind != SIM_EVENT_TO_CLIENT && e->kind != SIM_EVENT_CLIENT_WAKE) || is_rivals(w, e))
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

static void happen(struct world *w, struct sim_event *e)
{
    if (is_rivals(w, e)) {
        happen_to_rival(w, e);
        return;
    }
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
    case SIM_EVENT_AT_REPLICA:
        after_waiting(w, e);
        break;
    case SIM_EVENT_RESTART:
        sim_server_restart(&w->server, &w->random, e->client);
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

static void begin_spray(struct world *w)
{
    const struct sim_spray_config *c = &w->scenario->spray;

    sim_spray_init(&w->spray, c, w->scenario->server.replicas);
    for (unsigned i = 0; i < c->n_troubles; i++)
        if (c->troubles[i].clog_us == 0)
            sim_events_add(&w->events, c->troubles[i].until_us, SIM_EVENT_RESTART, c->troubles[i].replica, NULL);
}

static void begin_path(struct world *w, uint16_t flow)
{
    const struct sim_scenario *s = w->scenario;

    sim_path_init(&w->up[flow], &s->up[flow]);
    sim_path_init(&w->down[flow], &s->down[flow]);
    if (s->shared_up)
        sim_path_share(&w->up[flow], &w->up[0]);
    if (s->shared_down)
        sim_path_share(&w->down[flow], &w->down[0]);
}

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
    begin_spray(w);
    w->unfinished = s->n_clients;
    w->counting = false;
    memset(w->told, 0, sizeof w->told);
    if (s->trace)
        sim_trace_begin();
    if (s->server.rotate_ms)
        sim_events_add(&w->events, (uint64_t)s->server.rotate_ms * 1000, SIM_EVENT_ROTATE, 0, NULL);
    if (s->server.wipe_ms)
        sim_events_add(&w->events, (uint64_t)s->server.wipe_ms * 1000, SIM_EVENT_WIPE, 0, NULL);
    for (uint16_t i = 0; i < s->n_clients + s->n_rivals; i++)
        begin_path(w, i);
    for (uint16_t i = 0; i < s->n_clients; i++) {
        sim_program_init(&w->clients[i], &s->clients[i], &w->random, s->clients[i].start_us);
        wake_client(w, i, s->clients[i].start_us);
    }
    for (uint16_t i = 0; i < s->n_rivals; i++) {
        sim_rival_init(&w->rivals[i], &s->rivals[i]);
        w->rival_wake_us[i] = SIM_NEVER;
        wake_rival(w, i, s->rivals[i].start_us);
    }
}

/* True as long as the world goes on. */
static bool goes_on(struct world *w)
{
    const struct sim_scenario *s = w->scenario;

    if (world_violated(w))
        return false;
    return s->stop_us ? w->now_us < s->stop_us : w->unfinished > 0 && w->now_us <= (uint64_t)s->limit_s * 1000000;
}

bool sim_world_run(const struct sim_scenario *s, struct sim_outcome *out)
{
    static struct world w;             /* large, and its buffers are kept from run to run */
    struct sim_event e;

    begin(&w, s, out);
    while (goes_on(&w) && sim_events_next(&w.events, &e)) {
        w.now_us = e.at_us;
        if (s->stop_us && !w.counting && w.now_us >= s->count_from_us)
            world_count(&w, true);
        if (!put_off(&w, &e))
            happen(&w, &e);
        free(e.packet);
        if (++out->events == EVENTS_MAX)
            world_fail(&w, "it hangs", "too many events");
    }
    /* A connection may die of forged bytes: under attack only what they break on the way counts. */
    if (w.unfinished > 0 && !out->rule && !s->attack && !s->stop_us)
        world_fail(&w, "it hangs", w.events.n ? "virtual time is up" : "nobody waits for anything");
    if (w.counting)
        world_count(&w, false);
    world_judge(&w);
    sim_events_clear(&w.events);
    return out->rule == NULL;
}
