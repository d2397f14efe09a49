/* fuzz_client.c - the client engine against a server, a path and a program that do what the input says: answers that are
 * damaged, invented, doubled, late, lost, cut into odd slices; a program that reads, writes and ends when it likes; time in
 * leaps. No crash, no endless poll; every packet that leaves is well-formed and no larger than it may be; and as long as
 * nothing false was fed, every byte that is read is the right one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "client/client.h"
#include "serve/serve.h"
#include "wire_random.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REAL_MS      1700000000000ull
#define MTU          1500
#define QUEUE        512               /* packets on their way to the client; more are lost */
#define STEPS_MAX    400
#define POLLS_MAX    20000             /* of one drain: far more than any window */
#define OUTPUT_BYTES 300000u           /* of each answer */

static void fail(const char *what)
{
    fprintf(stderr, "fuzz_client: %s\n", what);
    abort();
}

struct wired { uint32_t bytes; uint8_t packet[MTU]; };
struct world {
    const uint8_t *at, *end;           /* choices that are left */
    struct dice dice;                  /* and what follows from them */
    uint64_t now_us, read, wrote;
    bool     false_fed;
    struct trk_keys keys;
    struct trk_serve_config config;
    struct wired queue[QUEUE]; unsigned first, n;
    struct trk_client client;
    struct wire_memory memory;         /* of invented answers */
};
static struct world w;
static uint8_t receive_buffer[1 << 16], send_buffer[1 << 14], packet[65536 + TRK_HEADER_MAX], output[1 << 20];
static _Alignas(16) uint8_t numbers[TRK_CLIENT_NUMBERS_BYTES];

static uint8_t pattern(uint64_t offset) { return (uint8_t)(offset * 131 + (offset >> 8)); }

static uint32_t choose(uint32_t n) { return w.at < w.end ? *w.at++ % n : (uint32_t)between(&w.dice, 0, n - 1); }

/* ---------------- the server ---------------- */

/* Takes all input; each makes OUTPUT_BYTES more. Without input nothing is said that was not said before. */
static void apply(const struct trk_spend *s, const struct trk_plan *plan, struct trk_result *result)
{
    uint64_t next = s->request.has_input && s->request.input_cont != 0xff ? s->conts[s->request.input_cont].second : 0;

    memset(result, 0, sizeof *result);
    if (plan->may_input) {
        result->fate = TRK_INPUT_DONE;
        result->input = (struct trk_ucont){ .type = TRK_UCONT_INPUT, .first = s->request.input_offset + s->request.input_bytes, .second = next + OUTPUT_BYTES };
        result->output = (struct trk_ucont){ .type = TRK_UCONT_OUTPUT, .first = next, .second = next + OUTPUT_BYTES };
        if (s->request.input_end) {
            result->input.flags = result->output.flags = TRK_UCONT_FIN;
            result->input.first++;
        }
    }
    uint8_t *at = output;
    for (unsigned i = 0; i < plan->n_wants; i++) {
        uint32_t bytes = plan->wants[i].bytes;
        if (bytes > sizeof output - (size_t)(at - output))
            bytes = (uint32_t)(sizeof output - (size_t)(at - output));
        result->given[i].data = at;
        result->given[i].bytes = bytes;
        for (uint32_t j = 0; j < bytes; j++)
            *at++ = pattern(plan->wants[i].offset + j);
    }
}

static void serve(const struct trk_segment *seg)
{
    static struct trk_spend spend;
    static struct trk_decision decision;
    static struct trk_plan plan;
    static struct trk_result result;
    static struct trk_packet packets[TRK_ANSWER_PACKETS_MAX];
    static uint8_t arena[TRK_ARENA_BYTES];
    struct trk_packets out = { .packets = packets, .cap = TRK_ANSWER_PACKETS_MAX, .arena = arena, .arena_bytes = sizeof arena };
    uint64_t now_ms = REAL_MS + w.now_us / 1000;

    if (trk_check(seg, &w.keys, &w.config, now_ms, &spend) != TRK_V_ACCEPTED)
        return;
    trk_admit(NULL, &spend, &w.config, now_ms, &decision);
    enum trk_verdict v = trk_plan(&spend, &decision, &w.config, &plan);
    if (v != TRK_V_ACCEPTED) {
        trk_respond_verdict(&spend, v, &w.config, false, &out);
    } else {
        apply(&spend, &plan, &result);
        trk_respond(&spend, &decision, &plan, &result, &w.keys, &w.config, now_ms, &out);
    }
    for (size_t i = 0; i < out.n && w.n < QUEUE; i++) {
        struct wired *to = &w.queue[(w.first + w.n) % QUEUE];
        to->bytes = packets[i].head_bytes + packets[i].data_bytes;
        if (to->bytes > MTU)
            fail("an answer above the path's MTU");
        memcpy(to->packet, packets[i].head, packets[i].head_bytes);
        if (packets[i].data_bytes)
            memcpy(to->packet + packets[i].head_bytes, packets[i].data, packets[i].data_bytes);
        w.n++;
    }
}

/* ---------------- the client's packets ---------------- */

static bool well_formed(const struct trk_segment *seg)
{
    static struct trk_request request;
    struct trk_open open;
    struct trk_close close;
    uint8_t form;

    if (seg->flags & TRK_RST)
        return seg->payload_bytes == 0;
    if (trk_form_of(seg->payload, seg->payload_bytes, &form) != TRK_V_ACCEPTED)
        return false;
    switch (form) {
    case TRK_FORM_OPEN:  return trk_open_parse(seg->payload, seg->payload_bytes, &open) == TRK_V_ACCEPTED;
    case TRK_FORM_CLOSE: return trk_close_parse(seg->payload, seg->payload_bytes, &close) == TRK_V_ACCEPTED;
    default:             return trk_request_parse(seg->payload, seg->payload_bytes, &request) == TRK_V_ACCEPTED;
    }
}

static void drain(void)
{
    for (int polls = 0; ; polls++) {
        size_t n = trk_client_poll(&w.client, w.now_us, packet, sizeof packet);
        struct trk_segment seg;
        if (!n)
            return;
        if (polls == POLLS_MAX)
            fail("poll does not end");
        if (n > MTU || trk_segment_parse(packet, n, &seg) != TRK_V_ACCEPTED || !seg.marked || !well_formed(&seg))
            fail("a packet that is no message");
        if (choose(16))
            serve(&seg);
    }
}

/* ---------------- what arrives ---------------- */

static void feed(uint8_t *bytes, uint32_t n)
{
    struct trk_segment seg;
    uint8_t *exact = malloc(n);        /* so that a sanitizer sees one byte too many */

    if (!exact)
        abort();
    memcpy(exact, bytes, n);
    if (trk_segment_parse(exact, n, &seg) == TRK_V_ACCEPTED) {
        if (choose(8))
            trk_client_feed(&w.client, &seg, w.now_us);
        else                           /* as a superframe: what its other slices are is anybody's guess */
            trk_client_feed_slices(&w.client, &seg, choose(2) && seg.payload_bytes ? seg.payload_bytes : 1 + choose(256) * 8, w.now_us);
    }
    free(exact);
}

static void deliver(bool damaged, bool keep)
{
    struct wired p;

    if (!w.n)
        return;
    p = w.queue[w.first];
    if (!keep) {
        w.first = (w.first + 1) % QUEUE;
        w.n--;
    }
    for (uint32_t times = damaged ? 1 + choose(4) : 0; times > 0; times--) {
        uint32_t at = 20 + choose(2) * (20 + choose(128));              /* TCP's fields, or the message's */
        if (at < p.bytes)
            p.packet[at + (at == 20 ? choose(20) : 0)] ^= (uint8_t)(1u << choose(8));
        w.false_fed = true;
    }
    if (damaged && !choose(8) && p.bytes > 60)
        p.bytes = 40 + choose(20);
    if (p.bytes >= 44)
        feed(p.packet, p.bytes);
}

/* An answer that no server made, for numbers, generations and offsets near the true ones. */
static void invent(void)
{
    static const uint8_t forms[] = { TRK_FORM_OPENED, TRK_FORM_LONG, TRK_FORM_NORMAL, TRK_FORM_TERMINAL };
    struct trk_answer a;
    uint8_t message[MTU], bytes[MTU];
    const struct trk_client *c = &w.client;

    random_answer(&w.dice, forms[choose(4)], &a, &w.memory);
    if (choose(4)) {
        a.grant.generation = c->generation + choose(3);
        a.grant.epoch = c->epoch;
        a.grant.slot = c->slot;
        a.grant.address_tag = c->address_tag;
        a.grant.domain = c->domain;
        a.offset = c->ask_next - choose(3) * 1000;
    }
    size_t n = trk_answer_emit(&a, message, sizeof message - 100);
    struct trk_segment seg = { .flow = trk_flow_reverse(&c->config.flow), .marked = true, .ack = c->seq - choose(2),
                               .flags = a.form == TRK_FORM_OPENED ? TRK_SYN | TRK_ACK : TRK_ACK };
    seg.seq = choose(8) ? trk_seq_of(trk_conn_isn(c->id.h), c->next + choose(20), c->slot ? c->slot : 1456) : (uint32_t)roll(&w.dice);
    seg.payload_bytes = (uint32_t)n + choose(64);
    size_t head = n ? trk_segment_emit(&seg, bytes, sizeof bytes) : 0;
    if (!head || head + seg.payload_bytes > sizeof bytes)
        return;
    memcpy(bytes + head, message, n);
    memset(bytes + head + n, 0x55, seg.payload_bytes - n);
    w.false_fed = true;
    feed(bytes, (uint32_t)(head + seg.payload_bytes));
}

/* ---------------- the program ---------------- */

static void read_some(void)
{
    const uint8_t *data;
    uint32_t n = trk_client_readable(&w.client, &data), take = n && choose(4) ? 1 + (uint32_t)between(&w.dice, 0, n - 1) : n;

    for (uint32_t i = 0; i < take && !w.false_fed; i++)
        if (data[i] != pattern(w.read + i))
            fail("a wrong byte was read");
    w.read += take;
    trk_client_consume(&w.client, take, w.now_us);
}

static void write_some(void)
{
    static const uint8_t text[2000] = "input";
    w.wrote += trk_client_write(&w.client, text, 1 + choose(256) * (1 + choose(7)), w.now_us);
}

static void step(void)
{
    switch (choose(16)) {
    case 0: case 1: case 2: case 3: case 4: deliver(false, false); break;
    case 5:  deliver(false, true); break;
    case 6:  deliver(true, !choose(4)); break;
    case 7:  invent(); break;
    case 8:  if (w.n) { w.first = (w.first + 1) % QUEUE; w.n--; } break;
    case 9:  write_some(); break;
    case 10: case 11: read_some(); break;
    case 12: w.now_us += choose(256) * 20u; break;
    case 13: w.now_us += choose(256) * (choose(8) ? 4000u : 500000u); break;
    case 14:
        while (w.n)
            deliver(false, false);
        break;
    default:
        if (!choose(32))
            trk_client_shutdown(&w.client, w.now_us);
        else if (!choose(64))
            trk_client_close(&w.client);
        else if (!choose(8))
            trk_client_path_mtu(&w.client, w.client.seq - choose(200), 500 + choose(256) * 4, w.now_us);
    }
    drain();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t master[TRK_MASTER_BYTES] = { 1 };
    struct trk_client_config c = {
        .flow = { .src = { 4, { 10, 0, 0, 1 } }, .dst = { 4, { 10, 0, 0, 2 } }, .sport = 40000, .dport = 80 }, .mss = MTU - 40, .iss = 77,
        .receive_buffer = receive_buffer, .receive_bytes = sizeof receive_buffer, .send_buffer = send_buffer, .send_bytes = sizeof send_buffer,
        .numbers = numbers, .numbers_bytes = sizeof numbers,
    };

    w.at = data;
    w.end = data + size;
    w.dice = (struct dice){ size };
    for (size_t i = 0; i < size; i++)
        w.dice.state = w.dice.state * 6364136223846793005u + data[i];
    w.now_us = 1000000;
    w.read = w.wrote = 0;
    w.false_fed = false;
    w.first = w.n = 0;
    if (!w.keys.n) {
        trk_keys_init(&w.keys);
        trk_keys_add(&w.keys, 1, TRK_EPOCH_CURRENT, master);
        w.config = (struct trk_serve_config){ .mss_v4 = 1460, .mss_v6 = 1440 };
    }
    if (!trk_client_open(&w.client, &c, (const uint8_t *)"hello", choose(2) ? 5 : 0, w.now_us))
        fail("it does not open");
    drain();
    for (int i = 0; i < STEPS_MAX && (w.at < w.end || i < 40); i++)
        step();
    trk_client_wash(&w.client);
    return 0;
}
