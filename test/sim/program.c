#include "program.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FEED_MOST 8                    /* feeds before the outbox must be drained */
#define IDLE_RUNS_MAX 50               /* runs at the engine's own wish in which nothing moves, one after the other */

static void violate(struct sim_program *p, const char *rule, uint64_t a, uint64_t b)
{
    if (p->violation)
        return;
    p->violation = rule;
    snprintf(p->detail, sizeof p->detail, "object %u of %u, byte %" PRIu64 " (%" PRIu64 ", %" PRIu64 ")",
             p->reading, p->config.n_objects, p->read, a, b);
}

static void *memory(size_t bytes)
{
    void *p = aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (!p)
        abort();
    return p;
}

/* Memory is poisoned afresh for each run: a seed gives the same run whatever ran before it. */
static void prepare_memory(struct sim_program *p)
{
    if (!p->engine) {
        p->engine = memory(sizeof *p->engine);
        p->receive_buffer = memory(SIM_RECEIVE_MAX);
        p->send_buffer = memory(SIM_SEND_MAX);
        p->numbers = memory(TRK_CLIENT_NUMBERS_BYTES);
    }
    memset(p->engine, 0xa5, sizeof *p->engine);
    memset(p->numbers, 0xa5, TRK_CLIENT_NUMBERS_BYTES);
}

static void begin_object(struct sim_program *p)
{
    p->read = 0;
    p->interim = p->dated = false;
    if (p->reading == p->config.n_objects)
        return;
    const struct sim_object *o = &p->config.objects[p->reading];
    p->interim = o->type == 'C';
    p->dated = o->type == 'D';
    if (p->dated) {
        p->key = 0;                    /* it will say so itself */
        return;
    }
    p->key = p->interim ? sim_interim_key(o->id) : sim_object_key(o);
}

void sim_program_init(struct sim_program *p, const struct sim_program_config *config, struct sim_random *random, uint64_t now_us)
{
    struct sim_program kept = { .engine = p->engine, .receive_buffer = p->receive_buffer, .send_buffer = p->send_buffer, .numbers = p->numbers };
    uint8_t first[TRK_SYN_PAYLOAD / 2];
    uint32_t bytes = 0;

    *p = kept;
    p->config = *config;
    p->wake_us = SIM_NEVER;
    p->greeted = config->greeting_bytes == 0;
    if (p->greeted)
        begin_object(p);
    else
        p->key = SIM_GREETING_KEY;
    prepare_memory(p);
    if (config->syn_data && config->n_objects > 0 && config->greeting_bytes == 0) {
        uint64_t length = sim_request_length(&config->objects[0]);
        bytes = length < sizeof first ? (uint32_t)length : (uint32_t)sizeof first;
        if (config->objects[0].type == 'C')
            bytes = (uint32_t)(length - config->objects[0].body_bytes);
        sim_request_bytes(&config->objects[0], 0, first, bytes);
        p->written = bytes;
    }
    struct trk_client_config c = {
        .flow = config->flow, .mss = (uint16_t)(config->mtu - (config->flow.src.family == 4 ? 40 : 60)), .iss = (uint32_t)sim_random_u64(random),
        .receive_buffer = p->receive_buffer, .receive_bytes = config->receive_bytes,
        .send_buffer = p->send_buffer, .send_bytes = config->send_bytes,
        .numbers = p->numbers, .numbers_bytes = TRK_CLIENT_NUMBERS_BYTES,
    };
    p->lends = c.lends = c.iss & 1;
    for (int i = 0; i < TRK_RANDOM_BYTES; i++)
        c.random[i] = (uint8_t)sim_random_u64(random);
    if (!trk_client_open(p->engine, &c, first, bytes, now_us))
        violate(p, "the engine refused a good configuration", 0, 0);
}

static bool read_some(struct sim_program *p, uint64_t now_us);

bool sim_program_packet(struct sim_program *p, const uint8_t *packet, uint32_t bytes, bool skip_checksum, uint64_t now_us, enum trk_verdict *fate)
{
    struct trk_segment seg;

    *fate = trk_segment_parse(packet, bytes, &seg);
    if (*fate != TRK_V_ACCEPTED && *fate != TRK_V_UNMARKED)
        return false;
    if (!skip_checksum && !trk_segment_checksum_ok(packet, bytes)) {
        *fate = TRK_V_BAD_CHECKSUM;
        return false;
    }
    p->packets_in++;
    *fate = trk_client_feed(p->engine, &seg, now_us);
    if (p->lends) {
        read_some(p, now_us);          /* where it arrived */
        trk_client_keep(p->engine);
    }
    return ++p->unpolled >= (p->config.feed_most ? p->config.feed_most : FEED_MOST) || p->config.coalesce_us == 0;
}

/* ---- reading ---- */

static void object_read(struct sim_program *p, uint64_t now_us)
{
    if (!p->greeted) {
        p->greeted = true;
        p->ready_us = now_us + p->config.objects[0].think_us;
        begin_object(p);
        return;
    }
    if (p->interim) {
        p->interim = false;
        p->read = 0;
        p->key = sim_object_key(&p->config.objects[p->reading]);
        return;
    }
    p->object_done_us[0] = p->object_done_us[1];
    p->object_done_us[1] = now_us;
    if (p->config.done_us)
        p->config.done_us[p->reading] = now_us;
    p->reading++;
    if (p->reading < p->config.n_objects)
        p->ready_us = now_us + p->config.objects[p->reading].think_us;
    begin_object(p);
}

static uint64_t expected_bytes(const struct sim_program *p)
{
    if (!p->greeted)
        return p->config.greeting_bytes;
    if (p->reading == p->config.n_objects)
        return 0;
    return p->interim ? SIM_INTERIM_BYTES : p->config.objects[p->reading].bytes;
}

/* An object of no bytes is read as soon as its request was written. */
static void finish_objects(struct sim_program *p, uint64_t now_us)
{
    while (!p->greeted || p->reading < p->config.n_objects) {
        bool asked = !p->greeted || p->writing > p->reading || (p->interim && p->writing == p->reading && p->written > 0);
        if (p->read < expected_bytes(p) || !asked)
            return;
        object_read(p, now_us);
    }
}

static bool part_equal(struct sim_program *p, const uint8_t *data, uint32_t n)
{
    if (!p->dated)
        return sim_content_equal(p->key, p->read, data, n);
    uint64_t at = p->read;
    for (; n > 0 && at < SIM_KEY_BYTES; n--, at++)
        p->key |= (uint64_t)*data++ << (8 * at);
    return n == 0 || sim_content_equal(p->key, at - SIM_KEY_BYTES, data, n);
}

/* n bytes of output against what must come; false after a violation. */
static bool verify(struct sim_program *p, const uint8_t *data, uint32_t n, uint64_t now_us)
{
    uint32_t used = 0;

    while (used < n) {
        uint64_t left = expected_bytes(p) - p->read;
        uint32_t part = n - used < left ? n - used : (uint32_t)left;
        if (part == 0 && p->config.careless)
            return true;
        if (part == 0) {
            violate(p, "more output than there is", p->bytes_read + used, n - used);
            return false;
        }
        if (!p->config.careless && !part_equal(p, data + used, part)) {
            violate(p, "a wrong byte", p->bytes_read + used, part);
            return false;
        }
        p->read += part;
        used += part;
        finish_objects(p, now_us);
    }
    return true;
}

static bool read_some(struct sim_program *p, uint64_t now_us)
{
    const struct sim_program_config *c = &p->config;
    const uint8_t *data;
    uint32_t n = trk_client_readable(p->engine, &data);

    if (n == 0 || now_us < p->next_read_us || (now_us >= c->stop_from_us && now_us < c->stop_until_us))
        return false;
    if (c->read_chunk_bytes && n > c->read_chunk_bytes)
        n = c->read_chunk_bytes;
    if (!verify(p, data, n, now_us))
        return false;
    p->bytes_read += n;
    trk_client_consume(p->engine, n, now_us);
    if (c->read_every_us)
        p->next_read_us = now_us + c->read_every_us;
    return true;
}

/* ---- writing ---- */

static bool write_some(struct sim_program *p, uint64_t now_us)
{
    const struct sim_program_config *c = &p->config;
    uint8_t part[2048];

    if (!p->greeted || now_us < p->ready_us)
        return false;
    if (p->writing == c->n_objects) {
        if (c->ending != SIM_END_SHUTDOWN || p->shut)
            return false;
        p->shut = true;
        trk_client_shutdown(p->engine, now_us);
        return true;
    }
    if (p->writing >= p->reading + c->pipeline)
        return false;
    const struct sim_object *o = &c->objects[p->writing];
    uint64_t length = sim_request_length(o);
    if (o->type == 'C' && (p->reading < p->writing || p->interim))      /* the body waits for the interim answer */
        length -= o->body_bytes;
    uint32_t n = length - p->written < sizeof part ? (uint32_t)(length - p->written) : (uint32_t)sizeof part;
    if (c->write_chunk_bytes && n > c->write_chunk_bytes)
        n = c->write_chunk_bytes;
    sim_request_bytes(o, p->written, part, n);
    n = n ? trk_client_write(p->engine, part, n, now_us) : 0;
    p->written += n;
    if (p->written == sim_request_length(o)) {
        p->writing++;
        p->written = 0;
        finish_objects(p, now_us);
        return true;
    }
    return n > 0;
}

/* ---- the end ---- */

/* After the end of output whatever is still written is taken and forgotten. */
static void write_on(struct sim_program *p, uint64_t now_us)
{
    static const uint8_t junk[1000];

    for (int i = 0; i < 100 && !p->shut; i++)
        if (trk_client_write(p->engine, junk, sizeof junk, now_us) != sizeof junk)
            violate(p, "input after the end of output is not taken", (uint64_t)i, 0);
    if (trk_client_unsent(p->engine) != 0)
        violate(p, "input is unsent after the end of output", trk_client_unsent(p->engine), 0);
}

/* States that end the program, as they should or not. True if there is no more to do. */
static bool check_state(struct sim_program *p, enum trk_client_state state, uint64_t now_us)
{
    const struct sim_program_config *c = &p->config;
    bool reset = state == TRK_CLIENT_RESET || (state == TRK_CLIENT_REFUSED && c->syn_data && p->reading == 0);

    if (state <= TRK_CLIENT_OPEN || (state == TRK_CLIENT_CLOSED && !p->ended))
        return false;
    p->finished = true;
    p->finished_us = now_us;
    p->gave_up = state == TRK_CLIENT_TIMED_OUT && p->packets_in == 0;
    bool right = state == TRK_CLIENT_CLOSED || p->gave_up || c->careless ||
                 (reset && c->ending == SIM_END_RESET && p->reading + 1 == c->n_objects);
    if (!right)
        violate(p, "the connection ended in a wrong state", state, 0);
    return true;
}

/* Closes when everything was read, or when the time to abort has come. True if it did. */
static bool check_end(struct sim_program *p, uint64_t now_us)
{
    const struct sim_program_config *c = &p->config;
    bool all = p->greeted && p->reading == c->n_objects, at_end = trk_client_at_end(p->engine);
    bool aborts = c->abort_us && now_us >= c->abort_us;

    if (check_state(p, trk_client_state(p->engine), now_us) || p->ended)
        return false;
    if (at_end && !c->careless && (!all || c->ending == SIM_END_CLOSE)) {
        violate(p, "the stream ended too early", all, 0);
        return false;
    }
    if (!aborts && !(at_end && c->careless) && !(all && (at_end || c->ending == SIM_END_CLOSE)))
        return false;
    p->ended = true;
    if (at_end && !c->careless)
        write_on(p, now_us);
    trk_client_close(p->engine);
    return true;
}

static bool poll_all(struct sim_program *p, uint64_t now_us, sim_program_send *send, void *arg)
{
    static uint8_t packet[TRK_SLOT_MAX + TRK_HEADER_MAX];
    size_t bytes;
    bool any = false;

    p->unpolled = 0;
    while ((bytes = trk_client_poll(p->engine, now_us, packet, sizeof packet)) > 0) {
        struct trk_segment seg;
        trk_segment_finish(packet, bytes);
        if (bytes > p->config.mtu)
            violate(p, "a packet larger than the client's MTU", bytes, p->config.mtu);
        if (trk_segment_parse(packet, bytes, &seg) != TRK_V_ACCEPTED || !trk_segment_checksum_ok(packet, bytes))
            violate(p, "the client sent a bad segment", bytes, 0);
        if (!trk_flow_equal(&seg.flow, &p->config.flow))
            violate(p, "the client sent from or to another address", bytes, 0);
        p->packets_out++;
        send(arg, packet, (uint32_t)bytes);
        any = true;
        if (p->packets_out > 10000000 || p->violation)
            break;
    }
    return any;
}

static uint64_t least(uint64_t a, uint64_t b) { return a < b ? a : b; }

static uint64_t next_wake(struct sim_program *p, uint64_t now_us)
{
    const struct sim_program_config *c = &p->config;
    const uint8_t *data;
    uint64_t at = trk_client_next_timeout(p->engine);

    if (now_us < p->ready_us)
        at = least(at, p->ready_us);
    if (now_us < c->abort_us)
        at = least(at, c->abort_us);
    if (trk_client_readable(p->engine, &data) > 0)
        at = least(at, now_us >= c->stop_from_us && now_us < c->stop_until_us ? c->stop_until_us
                       : p->next_read_us > now_us ? p->next_read_us : now_us);
    if (at > now_us) {
        p->idle_runs = 0;
        return at;
    }
    if (++p->idle_runs > IDLE_RUNS_MAX)
        violate(p, "the engine spins: it has nothing to send, but wants to be polled", at, now_us);
    return now_us + 1;
}

/* Never more numbers on their way than the window, which may have shrunk since they were asked for. */
static void check_window(struct sim_program *p)
{
    struct trk_client_stats stats;

    trk_client_stats(p->engine, &stats);
    if (trk_client_state(p->engine) == TRK_CLIENT_OPEN && stats.outstanding_pkts > stats.cwnd_pkts && stats.outstanding_pkts > p->cwnd_pkts && stats.outstanding_pkts > TRK_IW)
        violate(p, "more outstanding than the window", stats.outstanding_pkts, stats.cwnd_pkts);
    p->cwnd_pkts = stats.cwnd_pkts;
}

uint64_t sim_program_run(struct sim_program *p, uint64_t now_us, sim_program_send *send, void *arg)
{
    bool moved = true;

    while (moved && !p->violation && !p->finished) {
        moved = poll_all(p, now_us, send, arg);
        moved |= read_some(p, now_us);
        moved |= write_some(p, now_us);
        moved |= check_end(p, now_us);
        if (moved)
            p->idle_runs = 0;
    }
    check_window(p);
    return p->finished || p->violation ? SIM_NEVER : next_wake(p, now_us);
}
