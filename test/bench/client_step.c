/* client_step - what a client spends on its packets: feed the answers of one request (as the superframe that they come in,
 * or packet by packet), read them, poll the next requests. The server is in the same process and is not timed.
 *
 *     client_step [--rounds N] [--shape I] [--count] [--list]
 *
 * ns and instructions are those of a whole download divided by its packets; the fastest of N downloads counts. */
#include <sodium.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/client.h"
#include "step_meter.h"
#include "step_requests.h"

#define FILTER_BYTES ((size_t)16 << 20)
#define SHORT        (4u << 20)
#define LONG         (64u << 20)
#define BATCH_MAX    64
#define QUEUE        4096
#define PIECES       400
#define FRAME_MAX    65536
#define DELAY_US     200
#define ROOM         (1u << 22)        /* of the receive buffer */
#define HEAD         44u               /* IPv4, TCP with the marker */

struct shape { const char *name; bool superframes, lends; uint32_t bytes; unsigned packets, gap_us; };
/* gap: time between answers' arrivals, which decides how many numbers the client puts into a request. lends: bytes are read where
 * they arrived, as the preload and the library do it. packets: of the frames that are fed before the next requests are polled. */
static const struct shape shapes[] = {
    { "superframes", true, false, SHORT, 1, 1 },
    { "packet by packet, 12 us apart", false, false, SHORT, 1, 12 },
    { "packet by packet, 1 ms apart", false, false, SHORT, 1, 1000 },
    { "superframes, 64 MiB, read where they arrived", true, true, LONG, 132, 1 },
};
#define SHAPES ((int)(sizeof shapes / sizeof *shapes))

struct frame { uint32_t bytes, slice; uint8_t data[FRAME_MAX]; };
static struct bench {
    struct trk_spend spend; struct trk_decision decision; struct trk_plan plan; struct trk_result result;
    struct trk_packet packets[TRK_ANSWER_PACKETS_MAX]; uint8_t arena[TRK_ARENA_BYTES];
    struct frame queue[QUEUE]; unsigned first, n;
    uint8_t request[BATCH_MAX][2048]; size_t request_bytes[BATCH_MAX]; unsigned requests;
} b;
static struct step_server server;
static const struct shape *shape;
static struct trk_client client;
static uint8_t output[1 << 16], receive_buffer[ROOM], send_buffer[1 << 14];
static _Alignas(16) uint8_t numbers[TRK_CLIENT_NUMBERS_BYTES];

/* ---------------- the client, timed ---------------- */

/* (Not inlined: callgrind counts what is below this function.) */
__attribute__((noinline)) static uint32_t client_step(unsigned frames, uint64_t now_us)
{
    struct trk_segment seg;
    struct trk_bytes pieces[PIECES];
    uint32_t read = 0;
    size_t n;

    for (unsigned i = 0; i < frames; i++) {
        struct frame *frame = &b.queue[(b.first + i) % QUEUE];
        if (trk_segment_parse(frame->data, frame->bytes, &seg) != TRK_V_ACCEPTED)
            continue;
        if (frame->slice)
            trk_client_feed_slices(&client, &seg, frame->slice, now_us);
        else
            trk_client_feed(&client, &seg, now_us);
    }
    while ((n = trk_client_readable_pieces(&client, pieces, PIECES)) > 0) {
        uint32_t bytes = 0;
        for (size_t i = 0; i < n; i++)
            bytes += pieces[i].bytes;
        trk_client_consume(&client, bytes, now_us);
        read += bytes;
    }
    trk_client_keep(&client);
    b.requests = 0;
    while (b.requests < BATCH_MAX && (b.request_bytes[b.requests] = trk_client_poll(&client, now_us, b.request[b.requests], sizeof *b.request)) > 0)
        b.requests++;
    return read;
}

/* ---------------- the server ---------------- */

static void queue(const struct trk_packet *p, bool superframes)
{
    struct frame *last = b.n ? &b.queue[(b.first + b.n - 1) % QUEUE] : NULL;
    static uint32_t last_end;

    if (superframes && last && last->slice && p->head_bytes == HEAD + TRK_NORMAL_BYTES && p->seq == last_end
        && last->bytes + p->slot <= FRAME_MAX - 100) {
        uint32_t message = p->head_bytes - HEAD;
        memcpy(last->data + last->bytes, p->head + HEAD, message);
        memcpy(last->data + last->bytes + message, p->data, p->data_bytes);
        last->bytes += message + p->data_bytes;
        last->data[2] = (uint8_t)(last->bytes >> 8);
        last->data[3] = (uint8_t)last->bytes;
        last_end = message + p->data_bytes == p->slot ? p->seq + p->slot : 0;
        return;
    }
    if (b.n == QUEUE)
        step_die("the queue is full");
    struct frame *f = &b.queue[(b.first + b.n++) % QUEUE];
    f->bytes = p->head_bytes + p->data_bytes;
    f->slice = superframes && p->head_bytes == HEAD + TRK_NORMAL_BYTES ? p->slot : 0;
    memcpy(f->data, p->head, p->head_bytes);
    if (p->data_bytes)
        memcpy(f->data + p->head_bytes, p->data, p->data_bytes);
    last_end = f->slice && f->bytes == HEAD + p->slot ? p->seq + p->slot : 0;
}

/* One output for whatever is asked. */
static void apply(void)
{
    memset(&b.result, 0, offsetof(struct trk_result, given));
    if (b.plan.may_input) {
        b.result.fate = TRK_INPUT_DONE;
        b.result.input = (struct trk_ucont){ .type = TRK_UCONT_INPUT, .first = b.spend.request.input_bytes, .second = shape->bytes };
        b.result.output = (struct trk_ucont){ .type = TRK_UCONT_OUTPUT, .second = shape->bytes, .opaque_bytes = 40 };
    }
    for (unsigned i = 0; i < b.plan.n_wants; i++) {
        b.result.given[i].data = output;
        b.result.given[i].bytes = b.plan.wants[i].bytes < sizeof output ? b.plan.wants[i].bytes : (uint32_t)sizeof output;
        b.result.given[i].end = b.result.given[i].fin = false;
    }
}

static size_t serve(const uint8_t *packet, size_t n, uint64_t now_ms, bool superframes)
{
    struct trk_packets out = { .packets = b.packets, .cap = TRK_ANSWER_PACKETS_MAX, .arena = b.arena, .arena_bytes = sizeof b.arena };
    struct trk_segment seg;

    if (trk_segment_parse(packet, n, &seg) != TRK_V_ACCEPTED || trk_check(&seg, &server.keys, &server.config, now_ms, &b.spend) != TRK_V_ACCEPTED)
        step_die("a request was refused by check");
    trk_admit(server.filter, &b.spend, &server.config, now_ms, &b.decision);
    enum trk_verdict v = trk_plan(&b.spend, &b.decision, &server.config, &b.plan);
    if (v != TRK_V_ACCEPTED)
        step_die(trk_verdict_name(v));
    apply();
    if (trk_respond(&b.spend, &b.decision, &b.plan, &b.result, &server.keys, &server.config, now_ms, &out) != TRK_V_ANSWERED)
        step_die("a request was not answered");
    for (size_t i = 0; i < out.n; i++)
        queue(&b.packets[i], superframes);
    return out.n;
}

/* ---------------- a download ---------------- */

struct cost { double ns; uint64_t instructions, packets, requests, request_bytes; };

static void open_client(uint32_t iss)
{
    struct trk_client_config c = {
        .flow = { .src = { 4, { 10, 0, 0, 1 } }, .dst = { 4, { 10, 0, 0, 2 } }, .sport = 40000, .dport = 80 }, .mss = 1460, .iss = iss,
        .receive_buffer = receive_buffer, .receive_bytes = sizeof receive_buffer, .send_buffer = send_buffer, .send_bytes = sizeof send_buffer,
        .numbers = numbers, .numbers_bytes = sizeof numbers, .lends = shape->lends,
    };

    memcpy(c.random, &iss, sizeof iss);
    if (!trk_client_open(&client, &c, (const uint8_t *)"get", 3, 1))
        step_die("the client does not open");
}

/* What is fed together: frames of as many packets as the shape says, or the last of what is there. */
static unsigned frames_of(const struct shape *s)
{
    unsigned frames = 0;

    for (unsigned packets = 0; frames < b.n && packets < s->packets; frames++)
        packets += b.queue[(b.first + frames) % QUEUE].bytes / 1500 + 1;
    return frames;
}

static struct cost download(const struct shape *s, uint32_t iss)
{
    struct cost cost = { 0 };
    uint64_t now_us = 1, got = 0;

    shape = s;
    open_client(iss);
    b.first = b.n = 0;
    for (unsigned idle = 0; got < s->bytes && idle < 1000; ) {
        unsigned frames = frames_of(s);
        uint64_t instructions = meter_instructions();
        double from = meter_ns();
        got += client_step(frames, now_us);
        cost.ns += meter_ns() - from;
        cost.instructions += meter_instructions() - instructions;
        b.first = (b.first + frames) % QUEUE;
        b.n -= frames;
        for (unsigned i = 0; i < b.requests; i++) {
            cost.requests++;
            cost.request_bytes += b.request_bytes[i];
            cost.packets += serve(b.request[i], b.request_bytes[i], STEP_NOW_MS + now_us / 1000, s->superframes);
        }
        idle = frames || b.requests ? 0 : idle + 1;
        uint64_t at_us = trk_client_next_timeout(&client);
        now_us = b.n ? now_us + s->gap_us : at_us > now_us && at_us != UINT64_MAX ? at_us : now_us + DELAY_US;
    }
    if (got < s->bytes)
        step_die("the download does not end");
    return cost;
}

static void measure(const struct shape *s, const struct step_options *options)
{
    struct cost best = { 0 };
    uint64_t steps = 0;
    static uint32_t iss;

    for (unsigned i = 0; i < options->rounds; i++) {
        struct cost c = download(s, ++iss);
        steps += c.packets;
        if (i == 0 || c.ns < best.ns)
            best = c;
    }
    if (options->count) {
        printf("%llu steps: %s\n", (unsigned long long)steps, s->name);
        return;
    }
    printf("%-48s %7llu %7.0f %10.0f %13.1f %13.0f", s->name, (unsigned long long)best.packets, best.ns / (double)best.packets,
           best.ns / (double)best.requests, (double)best.packets / (double)best.requests, (double)best.request_bytes / (double)best.requests);
    if (best.instructions)
        printf(" %9llu", (unsigned long long)(best.instructions / best.packets));
    printf("\n");
}

int main(int argc, char **argv)
{
    struct step_options options;
    void *memory = aligned_alloc(64, FILTER_BYTES);

    if (!step_options_parse(argc, argv, &options))
        return 2;
    if (!memory || sodium_init() < 0)
        step_die("no memory");
    step_server_init(&server, memory, FILTER_BYTES);
    if (!options.count && !options.list)
        printf("%-48s %7s %7s %10s %13s %13s%s\n", "a client's step in a download of 4 MiB or more", "packets", "ns each", "ns/request", "packets/req", "bytes/req",
               meter_instructions() ? " instructions/packet" : "");
    for (int i = 0; i < SHAPES; i++) {
        if (options.list)
            printf("%s\n", shapes[i].name);
        else if (options.shape < 0 || options.shape == i)
            measure(&shapes[i], &options);
    }
    free(memory);
    return 0;
}
