/* fuzz_serve.c - the server's whole path. Each input is run twice: as a message from anybody, which must prove nothing,
 * and as the choices of somebody who holds real seals and nonces, asks for odd things, and then damages a few bytes.
 * No crash; no answer to what is not proven; answers that are well-formed and no larger than they may be. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "serve/serve.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW_MS 1700000000000ull
#define NUMBERS_MAX 400                /* in one report: each costs two PRFs to mint */
#define OUTPUT_BYTES (1u << 17)        /* what the application holds: more than one answer carries of one want */

static void fail(const char *what)
{
    fprintf(stderr, "fuzz_serve: %s\n", what);
    abort();
}

/* ---- choices: the input's bytes, then what follows from them ---- */
struct choices { const uint8_t *at, *end; uint64_t seed; };

static uint64_t mix(uint64_t z)
{
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static struct choices choices_from(const uint8_t *data, size_t size)
{
    struct choices c = { data, data + size, size };
    for (size_t i = 0; i < size; i++)
        c.seed = mix(c.seed + data[i] + 0x9e3779b97f4a7c15u);
    return c;
}

/* 0 .. n-1, n <= 2^32 */
static uint32_t choose(struct choices *c, uint64_t n)
{
    uint64_t value = 0;
    for (int i = 0; i < 4 && c->at < c->end && (i == 0 || n > (uint64_t)1 << 8 * i); i++)
        value = value << 8 | *c->at++;
    if (c->at == c->end)
        value ^= mix(c->seed += 0x9e3779b97f4a7c15u) & 0xffffffff;
    return (uint32_t)(value % n);
}

static bool one_in(struct choices *c, uint32_t n) { return choose(c, n) == 0; }

/* ---- the server ---- */
static struct trk_keys keys;
static struct trk_serve_config config = { .mss_v4 = 1460, .mss_v6 = 1440 };
static uint8_t output[OUTPUT_BYTES], arena[TRK_ARENA_BYTES], packet[65536 + TRK_HEADER_MAX];
static struct trk_packet packets[TRK_ANSWER_PACKETS_MAX];
static struct trk_spend spend;
static struct trk_decision decision;
static struct trk_plan plan;
static struct trk_result result;
static const struct trk_flow flow = { { 4, { 10, 0, 0, 1 } }, { 4, { 10, 0, 0, 2 } }, 40000, 80 };

static void make_keys(void)
{
    uint8_t master[TRK_MASTER_BYTES] = { 1 };
    if (keys.n)
        return;
    trk_keys_init(&keys);
    trk_keys_add(&keys, 7, TRK_EPOCH_CURRENT, master);
    trk_keys_add(&keys, 6, TRK_EPOCH_RETIRING, master);
    trk_keys_add(&keys, 8, TRK_EPOCH_ADDED, master);
}

static void some_ucont(struct choices *c, struct trk_ucont *u, uint8_t type, uint64_t first, uint64_t second)
{
    u->type = type;
    u->flags = one_in(c, 4) ? TRK_UCONT_ENCRYPTED : 0;
    u->first = first;
    u->second = second;
    u->opaque_bytes = (uint16_t)choose(c, one_in(c, 3) ? TRK_OPAQUE_MAX + 1 : 40);
    memset(u->opaque, 0x6f, u->opaque_bytes);
}

/* The application says anything that its contract allows. */
static void some_result(struct choices *c)
{
    static struct trk_ucont next;
    result.fate = (enum trk_input_fate)choose(c, 3);
    result.opens_output = one_in(c, 2);
    some_ucont(c, &result.input, TRK_UCONT_INPUT, choose(c, 1000), one_in(c, 4) ? TRK_OFFSET_UNKNOWN : choose(c, 100000));
    some_ucont(c, &result.output, TRK_UCONT_OUTPUT, 0, one_in(c, 3) ? TRK_OFFSET_UNKNOWN : choose(c, 100000));
    some_ucont(c, &next, TRK_UCONT_INPUT, 5, choose(c, 1000));
    result.next_input = one_in(c, 2) ? &next : NULL;
    for (unsigned i = 0; i < plan.n_wants; i++) {
        uint32_t most = plan.wants[i].bytes < OUTPUT_BYTES ? plan.wants[i].bytes : OUTPUT_BYTES;
        result.given[i].bytes = one_in(c, 3) ? choose(c, (uint64_t)most + 1) : most;
        result.given[i].data = one_in(c, 2) ? output : output + OUTPUT_BYTES - result.given[i].bytes;
        result.given[i].end = one_in(c, 3);
        result.given[i].fin = one_in(c, 2);
    }
}

/* A few masks and wishes that a filter might decide on. */
static void some_decision(struct choices *c)
{
    for (unsigned p = 0; p < TRK_PARTS_MAX; p++) {
        if (one_in(c, 3))
            decision.mask[p] &= choose(c, (uint64_t)1 << 32) | (uint64_t)choose(c, (uint64_t)1 << 32) << 32;
        if (one_in(c, 4))
            decision.terminal[p] = false;
        if (one_in(c, 4))
            decision.recreate[p] = (uint8_t)choose(c, TRK_RECREATE_MAX + 1);
    }
    if (one_in(c, 4))
        decision.attested = !decision.attested;
}

static size_t read_back(const struct trk_packet *p, uint8_t *out, size_t cap)
{
    size_t n = p->head_bytes + p->data_bytes;
    if (n > cap)
        fail("a packet beyond every limit");
    memcpy(out, p->head, p->head_bytes);
    if (p->data_bytes)
        memcpy(out + p->head_bytes, p->data, p->data_bytes);
    trk_segment_finish(out, n);
    return n;
}

static void check_answers(const struct trk_packets *out)
{
    static uint8_t bytes[TRK_SLOT_MAX + 200];
    size_t sent = 0;
    for (size_t i = 0; i < out->n; i++) {
        struct trk_segment seg;
        struct trk_answer answer;
        size_t n = read_back(&out->packets[i], bytes, sizeof bytes);
        sent += n;
        if (trk_segment_parse(bytes, n, &seg) != TRK_V_ACCEPTED || trk_answer_parse(seg.payload, seg.payload_bytes, &answer) != TRK_V_ACCEPTED)
            fail("an answer that is not well-formed");
        if (seg.payload_bytes > spend.request.fill)
            fail("an answer larger than the fill");
    }
    if (spend.type == TRK_SPEND_OPEN && sent > spend.packet_bytes)
        fail("an answer that amplifies");
}

static void check_verdict(enum trk_verdict v, bool may_prove)
{
    struct trk_packets out = { .packets = packets, .cap = TRK_ANSWER_PACKETS_MAX, .arena = arena, .arena_bytes = sizeof arena };
    bool told = trk_tell_of(&spend, v) != TRK_TELL_NOTHING;
    trk_respond_verdict(&spend, v, &config, false, &out);
    if (out.n > told || (out.n && out.packets[0].head_bytes > spend.packet_bytes))
        fail("a verdict that amplifies");
    if (told && !may_prove)
        fail("an unproven sender is told");
}

/* The whole path. may_prove: the sender holds real seals. Returns whether the segment was accepted. */
static bool serve(struct choices *c, const uint8_t *message, size_t bytes, uint8_t flags, bool may_prove)
{
    struct trk_segment seg = { .flow = flow, .seq = 5, .ack = 6, .flags = flags, .marked = true, .mss = (uint16_t)choose(c, 65536),
                               .payload_bytes = (uint32_t)bytes };
    size_t head = trk_segment_emit(&seg, packet, sizeof packet);
    if (!head)
        return false;
    memcpy(packet + head, message, bytes);
    if (trk_segment_parse(packet, head + bytes, &seg) != TRK_V_ACCEPTED)
        fail("our own packet is not read");
    enum trk_verdict v = trk_check(&seg, &keys, &config, NOW_MS, &spend);
    if (v != TRK_V_ACCEPTED) {
        check_verdict(v, may_prove);
        return false;
    }
    if (spend.type == TRK_SPEND_CLOSE)
        return true;
    if (spend.type != TRK_SPEND_OPEN && !may_prove)
        fail("accepted without a proof");
    trk_admit(NULL, &spend, &config, NOW_MS, &decision);
    some_decision(c);
    v = trk_plan(&spend, &decision, &config, &plan);
    if (v != TRK_V_ACCEPTED) {
        check_verdict(v, true);
        return true;
    }
    some_result(c);
    struct trk_packets out = { .packets = packets, .cap = TRK_ANSWER_PACKETS_MAX, .arena = arena, .arena_bytes = sizeof arena };
    v = trk_respond(&spend, &decision, &plan, &result, &keys, &config, NOW_MS, &out);
    if (v != decision.verdict && v != TRK_V_NO_ROOM)
        fail("an answer with another verdict");
    check_answers(&out);
    return true;
}

/* ---- somebody with real seals ---- */
static struct trk_request request;
static uint8_t uconts[TRK_CONTS_MAX][TRK_UCONT_MAX], message[65536];

static void some_conts(struct choices *c)
{
    request.n_conts = (uint8_t)choose(c, 4);
    for (unsigned i = 0; i < request.n_conts; i++) {
        struct trk_ucont u;
        bool input = one_in(c, 3);
        uint64_t first = choose(c, 100000);
        some_ucont(c, &u, input ? TRK_UCONT_INPUT : TRK_UCONT_OUTPUT, first, one_in(c, 4) ? TRK_OFFSET_UNKNOWN : first + choose(c, 1000000));
        size_t n = trk_ucont_seal(trk_keys_current(&keys), &request.id, &u, uconts[i], TRK_UCONT_MAX);
        trk_ucont_parse(uconts[i], n, &request.conts[i]);
        if (input && one_in(c, 2)) {
            request.has_input = true;
            request.input_cont = (uint8_t)i;
            request.input_offset = first;
        }
    }
}

static void some_ranges(struct choices *c, struct trk_part *p)
{
    uint64_t at = p->piece.base + 1 + choose(c, 20), last = p->k + p->m - 1;
    p->n_ranges = 0;
    while (at < p->k && p->n_ranges + 1 < TRK_RANGES_MAX && !one_in(c, 8)) {
        uint64_t right = at + choose(c, 30);
        if (right + 2 > p->k)
            break;
        p->ranges[p->n_ranges++] = (struct trk_range){ at, right };
        at = right + 2 + choose(c, 20);
    }
    p->ranges[p->n_ranges++] = (struct trk_range){ at < p->k ? at : p->k, last };
    if (p->n_ranges > 1 && p->ranges[p->n_ranges - 1].left <= p->ranges[p->n_ranges - 2].right + 1)
        p->n_ranges--, p->ranges[p->n_ranges - 1].right = last;
}

static void some_grants(struct choices *c, struct trk_part *p)
{
    uint64_t at = p->k, last = p->k + p->m - 1;
    for (p->n_grants = 0; at <= last && p->n_grants < 4; p->n_grants++) {
        struct trk_grant_ref *g = &p->grants[p->n_grants];
        g->a = at;
        g->b = p->n_grants == 3 || one_in(c, 2) ? last : at + choose(c, last - at + 1);
        g->f = g->b;
        g->tick = trk_tick(NOW_MS) - (one_in(c, 8) ? choose(c, 6000) : choose(c, 100));
        at = g->b + 1;
    }
    if (one_in(c, 4) || request.form == TRK_FORM_RESTART)
        p->grants[p->n_grants - 1].b += choose(c, 20);
}

static void some_asks(struct choices *c, struct trk_part *p)
{
    uint64_t next_input = 0;
    if (request.has_input && request.input_cont != 0xff)
        next_input = request.conts[request.input_cont].second;
    p->terminal_ask = false;
    for (p->n_asks = 0; p->n_asks < 6 && !one_in(c, 4); p->n_asks++) {
        struct trk_ask *ask = &p->asks[p->n_asks];
        unsigned cont = choose(c, request.n_conts + 1u);
        if (cont == request.n_conts) {
            *ask = (struct trk_ask){ TRK_ASK_INPUT, next_input, 1 + choose(c, 100000) };
            next_input += ask->bytes;
            if (!request.has_input || next_input >= TRK_OFFSET_MAX)
                break;
            continue;
        }
        const struct trk_ucont_view *u = &request.conts[cont];
        if (u->type != TRK_UCONT_OUTPUT || u->second == u->first)
            break;
        uint64_t span = u->second - u->first < 100000 ? u->second - u->first : 100000, skip = choose(c, span);
        *ask = (struct trk_ask){ (uint8_t)cont, u->first + skip, 1 + choose(c, span - skip) };
    }
    p->terminal_ask = request.form == TRK_FORM_REQUEST && p->n_asks && p->asks[0].cont != TRK_ASK_INPUT && one_in(c, 2);
}

static void some_part(struct choices *c, struct trk_part *p, bool last)
{
    p->kind = one_in(c, 5) ? TRK_OPENING : TRK_NORMAL;
    p->m = p->kind == TRK_OPENING || request.form == TRK_FORM_RESTART ? 1 : (uint16_t)(1 + choose(c, one_in(c, 4) ? 64 : 4));
    p->piece.base = choose(c, 1000);
    p->piece.start = 1 + choose(c, one_in(c, 4) ? 60000 : 30);
    p->piece.ssthresh = one_in(c, 2) ? TRK_SSTHRESH_NONE : 1 + choose(c, 100);
    p->k = p->piece.base + 1 + (p->kind == TRK_OPENING ? 0 : choose(c, NUMBERS_MAX - 70));
    some_ranges(c, p);
    some_grants(c, p);
    some_asks(c, p);
    if (!last)
        for (unsigned i = 0; i < p->n_asks; i++)
            if (p->asks[i].cont == TRK_ASK_INPUT)
                p->n_asks = (uint16_t)i;
}

static void mint(struct trk_part *p)
{
    const struct trk_epoch *e = trk_keys_find(&keys, request.epoch);
    const struct trk_nonce_scope scope = { request.id, request.domain, request.generation, p->piece.base };
    p->xor_nonces = 0;
    for (unsigned i = 0; i < p->n_ranges; i++)
        for (uint64_t n = p->ranges[i].left; n <= p->ranges[i].right; n++)
            p->xor_nonces ^= trk_nonce(e, &scope, n);
    for (unsigned i = 0; i < p->n_grants; i++) {
        struct trk_grant_ref *ref = &p->grants[i];
        const struct trk_grant g = {
            .kind = p->kind, .epoch = request.epoch, .domain = request.domain, .id = request.id, .generation = request.generation,
            .piece = p->piece, .a = ref->a, .b = ref->b, .f = ref->f, .slot = request.slot, .tick = ref->tick,
            .address_tag = request.address_tag,
        };
        trk_grant_seal(e, &g, ref->seal);
    }
}

static size_t some_request(struct choices *c)
{
    memset(&request, 0, sizeof request);
    request.form = one_in(c, 3) ? TRK_FORM_RESTART : TRK_FORM_REQUEST;
    request.id = (struct trk_conn_id){ choose(c, 1000), 7 };
    request.epoch = (uint8_t)(one_in(c, 6) ? 6 + choose(c, 3) : 7);
    request.domain = one_in(c, 8);
    request.generation = choose(c, 1000);
    request.address_tag = trk_address_tag(trk_keys_find(&keys, request.epoch), &flow.src, flow.sport);
    request.slot = (uint16_t)(TRK_SLOT_MIN + choose(c, one_in(c, 4) ? TRK_SLOT_MAX - TRK_SLOT_MIN + 1 : 1000));
    request.fill = (uint16_t)(TRK_SLOT_MIN + choose(c, request.slot - TRK_SLOT_MIN + 1u));
    request.reserve = (uint16_t)choose(c, one_in(c, 3) ? request.fill + 1u : 100);
    request.want_long = one_in(c, 3);
    request.input_cont = 0xff;
    request.has_input = one_in(c, 2);
    request.input = (const uint8_t *)"input";
    some_conts(c);
    if (request.form == TRK_FORM_RESTART) {
        request.restart_kind = (uint8_t)(1 + choose(c, 2));
        request.attempt = (uint8_t)(1 + choose(c, 13));
    }
    request.input_bytes = request.has_input ? choose(c, 6) : 0;
    request.n_parts = request.form == TRK_FORM_RESTART ? 1 : (uint8_t)(1 + choose(c, TRK_PARTS_MAX));
    for (unsigned i = 0; i < request.n_parts; i++) {
        some_part(c, &request.parts[i], i + 1u == request.n_parts);
        mint(&request.parts[i]);
    }
    return trk_request_emit(&request, message, sizeof message);
}

static unsigned long proven_requests, minted_requests;

/* The fixed run ends here: it must have been about something. */
static void account(void)
{
    printf("fuzz_serve: %lu of %lu minted requests were honoured\n", proven_requests, minted_requests);
    if (minted_requests > 1000 && proven_requests < minted_requests / 20) {
        fprintf(stderr, "fuzz_serve: too few requests get past the checks to test what is behind them\n");
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!keys.n)
        atexit(account);
    make_keys();
    if (size > 60000)
        return 0;
    struct choices c = choices_from(data, size);
    uint8_t form = size ? data[0] & 0x0f : 0;
    serve(&c, data, size, form == TRK_FORM_OPEN ? TRK_SYN : TRK_ACK, false);

    c = choices_from(data, size);
    size_t n = some_request(&c);
    if (!n)
        return 0;
    minted_requests++;
    for (unsigned damage = one_in(&c, 3) ? 1 + choose(&c, 3) : 0; damage > 0; damage--)
        message[choose(&c, n)] ^= (uint8_t)(1u << choose(&c, 8));
    proven_requests += serve(&c, message, n, TRK_ACK, true);
    return 0;
}
