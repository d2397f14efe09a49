#include "arena.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stream.h"

struct arena_bench {                   /* memory of one event at a host */
    struct trk_spend spend;
    struct trk_decision decision;
    struct trk_plan plan;
    struct trk_result result;
    struct trk_packet packets[TRK_ANSWER_PACKETS_MAX];
    uint8_t arena[TRK_ARENA_BYTES];
    uint8_t output[SIM_GIVEN_BYTES + 16];
    struct trk_packets out;
};

static void *memory(size_t bytes)
{
    void *p = aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (!p)
        abort();
    return p;
}

/* ---------------- the world ---------------- */

static void new_filter(struct arena *a, unsigned host)
{
    uint8_t key[TRK_FILTER_KEY_BYTES] = { (uint8_t)(host + 1), 7 };

    if (!a->hosts[host].memory)
        a->hosts[host].memory = memory(ARENA_FILTER_BYTES);
    a->hosts[host].filter = trk_filter_create(a->hosts[host].memory, ARENA_FILTER_BYTES, a->config.domain[host], key);
    a->hosts[host].config = (struct trk_serve_config){ .domain = a->config.domain[host], .mss_v4 = ARENA_MTU - 40, .mss_v6 = ARENA_MTU - 60, .expects = a->hosts[host].filter };
}

void arena_init(struct arena *a, const struct arena_config *config)
{
    static const uint8_t master[TRK_MASTER_BYTES] = "an arena";

    a->config = *config;
    sim_random_seed(&a->random, config->seed);
    sim_events_clear(&a->events);
    a->now_us = a->busy_until_us = a->drops = a->up_bytes = a->down_bytes = 0;
    memset(a->last_up_us, 0, sizeof a->last_up_us);
    memset(a->verdicts, 0, sizeof a->verdicts);
    a->wipe_due_us = config->wipe_ms ? config->wipe_ms * 1000ull : UINT64_MAX;
    a->n_players = 0;
    if (!a->bench)
        a->bench = memory(sizeof *a->bench);
    memset(&a->app, 0, sizeof a->app);
    a->app.output = a->bench->output;
    trk_keys_init(&a->keys);
    trk_keys_add(&a->keys, 1, TRK_EPOCH_CURRENT, master);
    for (unsigned i = 0; i < config->n_hosts; i++)
        new_filter(a, i);
}

struct player *arena_join(struct arena *a, const struct player_hooks *hooks, void *own, uint64_t start_us)
{
    static const struct player_hooks honest = { 0 };
    struct player *p = &a->players[a->n_players];

    if (!p->engine) {
        p->engine = memory(sizeof *p->engine);
        p->receive_buffer = memory(1 << 20);
        p->send_buffer = memory(1 << 14);
        p->numbers = memory(TRK_CLIENT_NUMBERS_BYTES);
    }
    p->index = (uint16_t)a->n_players++;
    p->host = 0;
    p->hooks = hooks ? hooks : &honest;
    p->own = own;
    p->start_us = start_us;
    p->wake_us = UINT64_MAX;
    p->bytes = p->verdict_bytes = 0;
    p->opened = p->detached = p->apart = false;
    arena_wake(a, p, start_us);
    return p;
}

void arena_wake(struct arena *a, struct player *p, uint64_t at_us)
{
    if (at_us >= p->wake_us)
        return;
    p->wake_us = at_us;
    sim_events_add(&a->events, at_us > a->now_us ? at_us : a->now_us, SIM_EVENT_CLIENT_WAKE, p->index, NULL);
}

/* Requests keep their order, each a little later than the last: what is in step with the queue would win by chance. */
void arena_send(struct arena *a, struct player *p, unsigned host, uint8_t *packet, uint32_t bytes)
{
    uint64_t at_us = a->now_us + a->config.delay_us + sim_random_below(&a->random, 200);

    trk_segment_finish(packet, bytes);
    a->up_bytes += bytes;
    if (at_us <= a->last_up_us[p->index])
        at_us = a->last_up_us[p->index] + 1;
    a->last_up_us[p->index] = at_us;
    sim_events_add(&a->events, at_us, SIM_EVENT_TO_SERVER, (uint16_t)(p->index | host << 8), sim_packet_copy(packet, bytes));
}

static void send_down(struct arena *a, uint16_t player, const uint8_t *packet, uint32_t bytes)
{
    const struct arena_config *c = &a->config;
    uint64_t start_us = a->busy_until_us > a->now_us ? a->busy_until_us : a->now_us;

    a->down_bytes += bytes;
    if (a->players[player].apart) {
        sim_events_add(&a->events, a->now_us + c->delay_us, SIM_EVENT_TO_CLIENT, player, sim_packet_copy(packet, bytes));
        return;
    }
    if ((double)(start_us - a->now_us) * c->rate_bytes_per_us > c->queue_bytes * (1 - .2 * sim_random_unit(&a->random))) {
        a->drops++;
        return;
    }
    a->busy_until_us = start_us + (uint64_t)(bytes / c->rate_bytes_per_us) + 1;
    sim_events_add(&a->events, a->busy_until_us + c->delay_us, SIM_EVENT_TO_CLIENT, player, sim_packet_copy(packet, bytes));
}

/* ---------------- a host ---------------- */

static void show(const struct arena *a, unsigned host, uint64_t now_ms, bool decided, bool planned, enum trk_verdict v)
{
    const struct arena_bench *b = a->bench;
    const struct sim_witness *w = a->config.witness;

    if (w && b->spend.proven)
        w->see(w->arg, &(struct sim_witnessed){ a->hosts[host].filter, &a->hosts[host].config, now_ms, &b->spend, decided ? &b->decision : NULL,
                                                planned ? &b->plan : NULL, v });
}

static enum trk_verdict answer(struct arena *a, unsigned host, const struct trk_segment *seg)
{
    struct arena_bench *b = a->bench;
    const struct trk_serve_config *config = &a->hosts[host].config;
    uint64_t now_ms = ARENA_EPOCH_MS + a->now_us / 1000;

    b->out = (struct trk_packets){ .packets = b->packets, .cap = TRK_ANSWER_PACKETS_MAX, .arena = b->arena, .arena_bytes = sizeof b->arena };
    enum trk_verdict v = trk_check(seg, &a->keys, config, now_ms, &b->spend);
    if (v == TRK_V_ACCEPTED) {
        trk_admit(a->hosts[host].filter, &b->spend, config, now_ms, &b->decision);
        v = b->decision.verdict;
        if (v != TRK_V_ANSWERED && v != TRK_V_REFRESHED)
            show(a, host, now_ms, true, false, v);
    } else {
        show(a, host, now_ms, false, false, v);
    }
    if (v == TRK_V_ANSWERED || v == TRK_V_REFRESHED) {
        enum trk_verdict planned = trk_plan(&b->spend, &b->decision, config, &b->plan);
        show(a, host, now_ms, true, planned == TRK_V_ACCEPTED, planned);
        if (planned != TRK_V_ACCEPTED)
            v = planned;
        else if (!b->plan.refresh && !sim_application_run(&a->app, &b->spend, &b->plan, &b->result))
            return TRK_V_DROPPED;
        else
            v = trk_respond(&b->spend, &b->decision, &b->plan, &b->result, &a->keys, config, now_ms, &b->out);
    }
    if (v != TRK_V_ANSWERED && v != TRK_V_REFRESHED && trk_tell_of(&b->spend, v) != TRK_TELL_NOTHING)
        trk_respond_verdict(&b->spend, v, config, false, &b->out);
    return v;
}

static void at_host(struct arena *a, const struct sim_event *e)
{
    static uint8_t packet[TRK_SLOT_MAX + TRK_HEADER_MAX];
    struct arena_bench *b = a->bench;
    struct trk_segment seg;

    if (trk_segment_parse(e->packet->data, e->packet->bytes, &seg) != TRK_V_ACCEPTED)
        return;
    a->verdicts[answer(a, e->client >> 8, &seg)]++;
    for (size_t i = 0; i < b->out.n; i++) {
        const struct trk_packet *p = &b->out.packets[i];
        memcpy(packet, p->head, p->head_bytes);
        if (p->data_bytes)
            memcpy(packet + p->head_bytes, p->data, p->data_bytes);
        trk_segment_finish(packet, p->head_bytes + p->data_bytes);
        send_down(a, e->client & 0xff, packet, p->head_bytes + p->data_bytes);
    }
}

static void wipe(struct arena *a)
{
    for (unsigned i = 0; i < a->config.n_hosts; i++) {
        a->config.domain[i] += 1000;
        new_filter(a, i);
    }
    for (unsigned i = 0; i < a->n_players; i++)
        if (a->players[i].hooks->wiped && a->players[i].opened)
            a->players[i].hooks->wiped(a, &a->players[i]);
    a->wipe_due_us += a->config.wipe_ms * 1000ull;
}

/* ---------------- a player ---------------- */

static void open_player(struct arena *a, struct player *p)
{
    struct trk_client_config c = {
        .flow = { .src = { 4, { 10, 0, 0, (uint8_t)(2 + p->index) } }, .dst = { 4, { 10, 0, 0, 1 } }, .sport = 40000, .dport = 80 },
        .mss = ARENA_MTU - 40, .iss = (uint32_t)sim_random_u64(&a->random),
        .receive_buffer = p->receive_buffer, .receive_bytes = 1 << 20, .send_buffer = p->send_buffer, .send_bytes = 1 << 14,
        .numbers = p->numbers, .numbers_bytes = TRK_CLIENT_NUMBERS_BYTES,
    };
    const struct sim_object endless = { .type = 'K', .id = 1, .bytes = 1ull << 44 };
    char line[SIM_LINE_MAX];

    for (int i = 0; i < TRK_RANDOM_BYTES; i++)
        c.random[i] = (uint8_t)sim_random_u64(&a->random);
    if (!trk_client_open(p->engine, &c, NULL, 0, a->now_us))
        abort();
    p->opened = true;
    trk_client_write(p->engine, (const uint8_t *)line, sim_line_write(&endless, line), a->now_us);
}

static bool read_some(struct arena *a, struct player *p)
{
    const uint8_t *data;
    uint32_t n = trk_client_readable(p->engine, &data);

    if (n)
        trk_client_consume(p->engine, n, a->now_us);
    return n > 0;
}

static void run_player(struct arena *a, struct player *p)
{
    static uint8_t packet[TRK_SLOT_MAX + TRK_HEADER_MAX];
    bool moved = true;

    p->wake_us = UINT64_MAX;
    if (!p->opened)
        open_player(a, p);
    if (p->hooks->runs)
        p->hooks->runs(a, p);
    for (int turns = 0; moved && !p->detached && turns < 10000; turns++) {
        size_t bytes = trk_client_poll(p->engine, a->now_us, packet, sizeof packet);
        if (bytes && (!p->hooks->sends || p->hooks->sends(a, p, packet, (uint32_t)bytes)))
            arena_send(a, p, p->host, packet, (uint32_t)bytes);
        moved = read_some(a, p) || bytes > 0;
    }
    if (p->detached)
        return;
    uint64_t at_us = trk_client_next_timeout(p->engine);
    if (at_us != UINT64_MAX)
        arena_wake(a, p, at_us > a->now_us ? at_us : a->now_us + 50);
}

/* A verdict is no gain: it brings nothing, though it takes its place at the bottleneck. */
static bool is_verdict(const struct trk_segment *seg)
{
    uint8_t form;
    return trk_form_of(seg->payload, seg->payload_bytes, &form) == TRK_V_ACCEPTED && form == TRK_FORM_VERDICT;
}

static void at_player(struct arena *a, const struct sim_event *e)
{
    struct player *p = &a->players[e->client];
    struct trk_segment seg;

    if (trk_segment_parse(e->packet->data, e->packet->bytes, &seg) != TRK_V_ACCEPTED)
        return;
    if (a->now_us >= a->config.from_us)
        *(is_verdict(&seg) ? &p->verdict_bytes : &p->bytes) += e->packet->bytes;
    if (p->hooks->arrived)
        p->hooks->arrived(a, p, &seg);
    if (!p->detached)
        trk_client_feed(p->engine, &seg, a->now_us);
    run_player(a, p);
}

void arena_run(struct arena *a)
{
    struct sim_event e;

    while (sim_events_next(&a->events, &e)) {
        a->now_us = e.at_us;
        if (a->now_us > a->config.until_us) {
            free(e.packet);
            break;
        }
        if (a->now_us >= a->wipe_due_us)
            wipe(a);
        if (e.kind == SIM_EVENT_TO_SERVER)
            at_host(a, &e);
        else if (e.kind == SIM_EVENT_TO_CLIENT)
            at_player(a, &e);
        else if (e.at_us >= a->players[e.client].wake_us)
            run_player(a, &a->players[e.client]);
        free(e.packet);
    }
    sim_events_clear(&a->events);
}
