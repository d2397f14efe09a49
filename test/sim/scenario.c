#include "scenario.h"

#define SWARM_CLIENTS_MAX  4           /* these two are part of what a seed means */
#define SWARM_REPLICAS_MAX 4

static struct sim_object objects[SWARM_CLIENTS_MAX][SIM_OBJECTS_MAX];

const char *sim_mix_name(enum sim_mix mix)
{
    static const char *const names[SIM_MIXES] = { "plain", "harsh", "big", "attack" };
    return mix < SIM_MIXES ? names[mix] : "?";
}

/* Sizes that matter: nothing, one byte, about a packet, about the first window, more. */
static uint64_t object_bytes(struct sim_random *r)
{
    static const uint64_t edges[] = { 0, 1, 2, 1000, 1386, 1387, 1388, 1423, 1424, 2846, 2847, 14230, 14231 };

    switch (sim_random_below(r, 8)) {
    case 0:
    case 1:
        return edges[sim_random_below(r, sizeof edges / sizeof *edges)];
    case 2:
    case 3:
        return sim_random_range(r, 1, 3000);
    case 4:
    case 5:
        return sim_random_range(r, 1, 40000);
    case 6:
        return sim_random_range(r, 1, 150000);
    default:
        return sim_random_range(r, 1, 400000);
    }
}

static uint32_t think_us(struct sim_random *r)
{
    switch (sim_random_below(r, 10)) {
    case 0:
        return (uint32_t)sim_random_range(r, 1, 3000000);
    case 1:
        return (uint32_t)sim_random_range(r, 1, 200000);
    default:
        return 0;
    }
}

static struct sim_object one_object(struct sim_random *r, uint64_t id, bool bodies)
{
    static const char types[] = "KKKKDDUUPCR";
    struct sim_object o = { .id = id, .bytes = object_bytes(r), .think_us = think_us(r) };

    o.type = types[sim_random_below(r, bodies ? sizeof types - 1 : 8)];
    if (o.type == 'P' || o.type == 'C' || o.type == 'R')
        o.body_bytes = (uint32_t)(sim_random_chance(r, .1) ? o.type == 'C' : sim_random_chance(r, .3) ? sim_random_range(r, 1, 30000) : sim_random_range(r, 1, 3000));
    if (o.type == 'P' && o.body_bytes >= 2 && o.body_bytes % 3) {      /* no draw of its own: older seeds keep their worlds */
        o.type = o.body_bytes % 3 == 1 ? 'B' : 'Q';
        o.body_bytes *= o.body_bytes % 5 ? 1 : 20;
    }
    return o;
}

static void random_objects(struct sim_random *r, struct sim_program_config *c, struct sim_object *o)
{
    static const unsigned counts[] = { 1, 1, 2, 3, 5, 12 };
    unsigned n = counts[sim_random_below(r, sizeof counts / sizeof *counts)];
    bool bodies = sim_random_chance(r, .3);
    uint64_t total = 0;

    c->n_objects = 0;
    while (c->n_objects < n && total < 500000) {
        o[c->n_objects] = one_object(r, sim_random_below(r, 1000000), bodies);
        total += o[c->n_objects].bytes + 20ull * o[c->n_objects].body_bytes;
        c->n_objects++;
    }
    c->objects = o;
    c->ending = (enum sim_ending)sim_random_below(r, 4);
    if (c->ending == SIM_END_SERVER)
        o[c->n_objects - 1] = (struct sim_object){ .type = 'F', .id = 7, .bytes = object_bytes(r) };
    if (c->ending == SIM_END_RESET) {
        o[c->n_objects - 1] = (struct sim_object){ .type = 'X', .id = 8, .bytes = 1 };
        c->pipeline = 1;
    }
}

static void random_program(struct sim_random *r, struct sim_program_config *c, unsigned i)
{
    static const uint32_t buffers[] = { 1 << 16, 1 << 17, 1 << 18, 1 << 20 };

    c->pipeline = sim_random_chance(r, .5) ? 1 : (unsigned)sim_random_range(r, 2, 6);
    random_objects(r, c, objects[i]);
    c->syn_data = sim_random_chance(r, .2);
    c->receive_bytes = buffers[sim_random_below(r, 4)];
    c->send_bytes = sim_random_chance(r, .5) ? 1 << 14 : 1 << 16;
    c->coalesce_us = sim_random_chance(r, .5) ? 0 : (uint32_t)sim_random_below(r, 2000);
    if (sim_random_chance(r, .2))
        c->write_chunk_bytes = (uint32_t)sim_random_range(r, 1, 100);
    if (sim_random_chance(r, .2)) {
        c->read_chunk_bytes = (uint32_t)sim_random_range(r, 1000, 20000);
        c->read_every_us = (uint32_t)sim_random_below(r, 30000);
    }
    if (sim_random_chance(r, .1)) {
        c->stop_from_us = sim_random_below(r, 2000000);
        c->stop_until_us = c->stop_from_us + sim_random_below(r, 10000000);
    }
    if (sim_random_chance(r, .25)) {
        c->flow.src = (struct trk_addr){ 6, { 0xfd, [15] = (uint8_t)(2 + i) } };
        c->flow.dst = (struct trk_addr){ 6, { 0xfd, [15] = 1 } };
    }
    if (sim_random_chance(r, .1))
        c->mtu = (uint16_t)sim_random_range(r, 1300, 1499);
    if (sim_random_chance(r, .1)) {
        c->sleep_us = (uint32_t)sim_random_range(r, 1000, 150000);
        c->sleep_every_us = c->sleep_us + (uint32_t)sim_random_range(r, 1000, 500000);
    }
    if (sim_random_chance(r, .03))
        c->abort_us = sim_random_below(r, 3000000);
}

/* strength 1: moderate; 3: harsh. */
static void random_faults(struct sim_random *r, struct sim_path_config *p, double strength)
{
    p->jitter_us = sim_random_chance(r, .5) ? (uint32_t)sim_random_below(r, 5000) : 0;
    p->loss = sim_random_chance(r, .3) ? 0 : sim_random_unit(r) * .1 * strength;
    p->burst_pkts = sim_random_chance(r, .7) ? 0 : 2 + sim_random_unit(r) * 8;
    p->reorder = sim_random_chance(r, .5) ? 0 : sim_random_unit(r) * .1 * strength * strength;
    p->reorder_us = (uint32_t)(sim_random_below(r, 60000) * strength);
    p->duplicate = sim_random_chance(r, .5) ? 0 : sim_random_unit(r) * .05 * strength;
    p->corrupt = sim_random_chance(r, .7) ? 0 : sim_random_unit(r) * .01 * strength;
    if (sim_random_chance(r, .15)) {
        p->late_duplicate = .02 * strength;
        p->late_us = sim_random_chance(r, .5) ? 1000000 : 100000000;
    }
}

static void random_paths(struct sim_random *r, struct sim_path_config *up, struct sim_path_config *down, double strength)
{
    up->delay_us = down->delay_us = (uint32_t)sim_random_range(r, 10, 60000);
    random_faults(r, up, strength);
    random_faults(r, down, strength);
    if (sim_random_chance(r, .6)) {
        down->rate_bytes_per_us = .2 + sim_random_unit(r) * 10;
        down->queue_bytes = (uint32_t)sim_random_range(r, 3000, 100000);
    }
    if (sim_random_chance(r, .2)) {
        up->rate_bytes_per_us = .05 + sim_random_unit(r) * 2;
        up->queue_bytes = (uint32_t)sim_random_range(r, 3000, 30000);
    }
    if (sim_random_chance(r, .03))
        up->mtu_bytes = down->mtu_bytes = (uint32_t)sim_random_range(r, 1300, 1499);
    if (sim_random_chance(r, .1 * strength)) {
        down->n_blackouts = up->n_blackouts = 1;
        down->blackouts[0].from_us = sim_random_below(r, 3000000);
        down->blackouts[0].until_us = down->blackouts[0].from_us + sim_random_below(r, strength > 1 ? 30000000 : 3000000);
        if (sim_random_chance(r, .7))
            up->blackouts[0] = down->blackouts[0];
    }
}

static void random_server(struct sim_random *r, struct sim_server_config *c)
{
    c->replicas = (uint8_t)sim_random_range(r, 1, SWARM_REPLICAS_MAX);
    for (unsigned i = 0; i < c->replicas; i++)
        c->skew_ms[i] = sim_random_chance(r, .7) ? 0 : (int32_t)sim_random_below(r, 14000) - 7000;
    if (sim_random_chance(r, .15))
        c->rotate_ms = (uint32_t)sim_random_range(r, 20, 3000);
    if (sim_random_chance(r, .15))
        c->greeting_bytes = (uint32_t)sim_random_range(r, 1, 5000);
    if (sim_random_chance(r, .1))
        c->nibble_bytes = (uint32_t)sim_random_range(r, 100, 1000);
    if (sim_random_chance(r, .1))
        c->mtu = (uint16_t)sim_random_range(r, 1100, 1499);
    if (sim_random_chance(r, .1))
        c->stingy_percent = (uint8_t)sim_random_range(r, 1, 70);
}

/* Both continuations of an input's answer must fit into its packet: the largest header is that of an IPv6 SYN|ACK. */
static void random_continuations(struct sim_random *r, struct sim_scenario *s)
{
    uint32_t mtu = s->server.mtu;

    for (unsigned i = 0; i < s->n_clients; i++)
        mtu = s->clients[i].mtu < mtu ? s->clients[i].mtu : mtu;
    uint32_t most = (mtu - 40 - 20 - 12 - TRK_OPENED_BYTES) / 2 - TRK_UCONT_HEADER - TRK_SEAL_BYTES;
    s->server.pad_bytes = (uint16_t)sim_random_below(r, (most < TRK_OPAQUE_MAX ? most : TRK_OPAQUE_MAX) + 1);
    s->server.encrypt = sim_random_chance(r, .5);
}

/* A filter: one that all share, as the workers of a host do; under harsh conditions also one for each, of domains of their
 * own or of one, and filters that lose their memory or run full. */
static void random_filters(struct sim_random *r, struct sim_server_config *c, bool harsh)
{
    uint32_t domain = (uint32_t)sim_random_u64(r) | 1;

    c->shared = !harsh || sim_random_chance(r, .5);
    bool several = !c->shared && sim_random_chance(r, .5);
    for (unsigned i = 0; c->shared && i < c->replicas; i++)
        c->skew_ms[i] = c->skew_ms[0];                 /* a host has one clock */
    for (unsigned i = 0; i < c->replicas; i++)
        c->domain[i] = several && sim_random_chance(r, .5) ? domain + 2 : domain;
    c->filter_bytes = 1u << 17;
    if (harsh && sim_random_chance(r, .1)) {
        c->jump_at_ms = SIM_EPOCH_MS + sim_random_below(r, 5000);
        c->jump_ms = (int64_t)sim_random_below(r, 40000000) - 20000000;
    }
    if (harsh && sim_random_chance(r, .3))
        c->wipe_ms = (uint32_t)sim_random_range(r, 100, 5000);
    if (harsh && sim_random_chance(r, .3)) {
        c->crowd = (uint32_t)sim_random_range(r, 1, 50);
        c->filter_bytes = TRK_FILTER_BYTES_MIN;
    }
}

/* One large download, seldom two beside each other. */
static void big(struct sim_random *r, struct sim_scenario *s)
{
    s->n_clients = sim_random_chance(r, .1) ? 2 : 1;
    for (unsigned i = 0; i < s->n_clients; i++) {
        struct sim_program_config *c = &s->clients[i];
        struct sim_path_config *up = &s->up[i], *down = &s->down[i];
        c->ending = SIM_END_CLOSE;
        c->pipeline = 1;
        c->greeting_bytes = s->server.greeting_bytes;
        c->receive_bytes = 1u << sim_random_range(r, 20, 24);
        c->stop_until_us = c->read_every_us = c->read_chunk_bytes = 0;
        c->feed_most = (unsigned)sim_random_range(r, 1, 64);
        c->objects = objects[i];
        c->n_objects = 2;
        objects[i][0] = (struct sim_object){ .type = sim_random_chance(r, .8) ? 'K' : 'U', .id = 1, .bytes = sim_random_range(r, 1000000, 15000000) };
        objects[i][1] = (struct sim_object){ .type = 'K', .id = 2, .bytes = sim_random_range(r, 1, 3000000), .think_us = think_us(r) };
        up->delay_us = down->delay_us = (uint32_t)sim_random_range(r, 1000, 60000);
        down->rate_bytes_per_us = 5 + sim_random_unit(r) * 200;
        down->queue_bytes = (uint32_t)sim_random_range(r, 30000, 3000000);
        up->rate_bytes_per_us = 0;
        up->loss = sim_random_chance(r, .5) ? 0 : sim_random_unit(r) * .01;
        down->loss = sim_random_chance(r, .3) ? 0 : sim_random_unit(r) * (sim_random_chance(r, .3) ? .1 : .005);
        down->burst_pkts = sim_random_chance(r, .5) ? 0 : 2 + sim_random_unit(r) * 60;
        up->reorder = sim_random_chance(r, .5) ? 0 : .02;
        down->reorder = sim_random_chance(r, .5) ? 0 : sim_random_unit(r) * .1;
        up->reorder_us = down->reorder_us = down->delay_us;
        if (sim_random_chance(r, .3)) {
            down->storm_loss = .1 + sim_random_unit(r) * .5;
            down->storm_from_us = 2 * down->delay_us * sim_random_range(r, 3, 12);
            down->storm_until_us = down->storm_from_us + 4 * down->delay_us;
            down->loss = up->loss = 0;
            down->rate_bytes_per_us = 300;
            down->queue_bytes = 10000000;
        }
        if (sim_random_chance(r, .2)) {
            down->n_blackouts = 1;
            down->blackouts[0].from_us = 100000 + sim_random_below(r, 1000000);
            down->blackouts[0].until_us = down->blackouts[0].from_us + sim_random_below(r, 400000);
        }
    }
    s->server.twin_every = 16;
}

void sim_scenario_random(struct sim_scenario *s, enum sim_mix mix, uint64_t seed)
{
    struct sim_random r;
    double strength = mix == SIM_MIX_HARSH ? 3 : 1;

    sim_random_seed(&r, seed * 4 + (uint64_t)mix);
    sim_scenario_init(s, seed);
    random_server(&r, &s->server);
    s->n_clients = sim_random_chance(&r, .1) ? (unsigned)sim_random_range(&r, 2, SWARM_CLIENTS_MAX) : 1;
    for (unsigned i = 0; i < s->n_clients; i++) {
        random_program(&r, &s->clients[i], i);
        s->clients[i].greeting_bytes = s->server.greeting_bytes;
        random_paths(&r, &s->up[i], &s->down[i], strength);
    }
    if (sim_random_chance(&r, .2))
        random_continuations(&r, s);
    s->server.scatter = sim_random_chance(&r, .3);
    if (sim_random_chance(&r, .6))
        random_filters(&r, &s->server, mix == SIM_MIX_HARSH || mix == SIM_MIX_ATTACK);
    if (mix == SIM_MIX_BIG)
        big(&r, s);
    s->limit_s = mix == SIM_MIX_HARSH ? 7200 : 1200;
    if (sim_random_chance(&r, .2) || mix == SIM_MIX_ATTACK)
        s->forge = sim_random_unit(&r) * .1;
    if (mix == SIM_MIX_ATTACK) {
        s->attack = true;
        s->limit_s = 200;
        s->server.skip_checksum = true;
        s->server.twin_every = 1;
        for (unsigned i = 0; i < s->n_clients; i++) {
            s->clients[i].careless = true;
            s->up[i].corrupt = s->down[i].corrupt = sim_random_unit(&r) * .3;
            s->up[i].flips_max = s->down[i].flips_max = (uint8_t)sim_random_range(&r, 1, 8);
        }
    }
}
