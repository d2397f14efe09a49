/* fake_client.h - a client that knows the server's keys, for tests of core/serve: it mints grants and nonces of any
 * connection, piece and time it likes, and sends them as real packets. What comes back it reads as a client would.
 *
 * The application of these tests serves one endless output: byte o of it is pattern_byte(o). */
#ifndef TRK_TEST_FAKE_CLIENT_H
#define TRK_TEST_FAKE_CLIENT_H

#include "unit.h"
#include <string.h>
#include "serve/serve.h"

#define FAKE_NOW_MS    1700000000000ull
#define FAKE_PATTERN   (1u << 20)      /* bytes of output that can be asked for */
#define FAKE_PACKETS   TRK_ANSWER_PACKETS_MAX

struct fake_packet {                   /* one answer packet, read back */
    uint8_t bytes[128 + TRK_SLOT_MAX]; uint32_t n;
    struct trk_segment seg;
    struct trk_answer answer;
};

struct fake {
    struct trk_keys keys;
    struct trk_serve_config config;
    uint64_t now_ms;
    struct trk_flow flow;              /* as sent */
    struct trk_request request;        /* the one being built */
    uint8_t  ucont_bytes[TRK_CONTS_MAX][TRK_UCONT_MAX];
    uint8_t  message[65536], packet[65536]; size_t packet_bytes;
    struct trk_segment seg;
    /* the server's side */
    enum trk_verdict verdict;          /* of the last stage that was reached */
    struct trk_spend spend;
    struct trk_decision decision;
    struct trk_plan plan;
    struct trk_result result;
    struct trk_packets out;
    struct trk_packet packets[FAKE_PACKETS];
    uint8_t  arena[TRK_ARENA_BYTES];
    uint8_t  pattern[FAKE_PATTERN];
};

static inline uint8_t pattern_byte(uint64_t offset) { return (uint8_t)(offset * 131 + (offset >> 8)); }

static inline void fake_keys(struct trk_keys *keys, uint8_t current, uint8_t other, enum trk_epoch_state other_state)
{
    uint8_t master[TRK_MASTER_BYTES];
    trk_keys_init(keys);
    memset(master, current, sizeof master);
    ck_assert(trk_keys_add(keys, current, TRK_EPOCH_CURRENT, master));
    memset(master, other, sizeof master);
    if (other)
        ck_assert(trk_keys_add(keys, other, other_state, master));
}

static inline void fake_init(struct fake *f)
{
    memset(f, 0, sizeof *f);
    fake_keys(&f->keys, 7, 0, 0);
    f->config = (struct trk_serve_config){ .mss_v4 = 1460, .mss_v6 = 1440 };
    f->now_ms = FAKE_NOW_MS;
    f->flow = (struct trk_flow){ .src = { 4, { 10, 0, 0, 1 } }, .dst = { 4, { 10, 0, 0, 2 } }, .sport = 40000, .dport = 80 };
    for (uint32_t i = 0; i < FAKE_PATTERN; i++)
        f->pattern[i] = pattern_byte(i);
    f->out = (struct trk_packets){ .packets = f->packets, .cap = FAKE_PACKETS, .arena = f->arena, .arena_bytes = sizeof f->arena };
}

/* ---- building what is sent ---- */
/* Wraps a message in a segment, and reads the packet back as the server does. */
static inline void fake_send(struct fake *f, const uint8_t *message, size_t bytes, uint8_t flags, uint16_t mss)
{
    struct trk_segment seg = { .flow = f->flow, .seq = 1000, .ack = 77000, .flags = flags, .marked = true, .mss = mss,
                               .payload_bytes = (uint32_t)bytes };
    size_t header = trk_segment_emit(&seg, f->packet, sizeof f->packet);
    ck_assert_uint_gt(header, 0);
    memcpy(f->packet + header, message, bytes);
    f->packet_bytes = header + bytes;
    trk_segment_finish(f->packet, f->packet_bytes);
    ck_assert_int_eq(trk_segment_parse(f->packet, f->packet_bytes, &f->seg), TRK_V_ACCEPTED);
}

static inline void fake_open(struct fake *f, const char *input, uint16_t mss, size_t payload)
{
    struct trk_open open = { .has_input = input != NULL, .input = (const uint8_t *)input,
                             .input_bytes = input ? (uint16_t)strlen(input) : 0 };
    memset(open.random, 0x5a, sizeof open.random);
    size_t n = trk_open_emit(&open, f->message, payload);
    ck_assert_uint_gt(n, 0);
    fake_send(f, f->message, n, TRK_SYN, mss);
}

/* A request of generation 3 without parts; form REQUEST or RESTART. */
static inline struct trk_request *fake_request(struct fake *f, uint8_t form)
{
    const struct trk_epoch *e = trk_keys_current(&f->keys);
    struct trk_request *r = &f->request;
    memset(r, 0, sizeof *r);
    r->form = form;
    r->id = (struct trk_conn_id){ 0x1122334455667788u, trk_tick(FAKE_NOW_MS) - 100 };
    r->epoch = e->epoch;
    r->generation = 3;
    r->domain = f->config.domain;
    r->address_tag = trk_address_tag(e, &f->flow.src, f->flow.sport);
    r->slot = r->fill = 1456;
    r->input_cont = 0xff;
    if (form == TRK_FORM_RESTART) {
        r->restart_kind = TRK_RESTART_TIMEOUT;
        r->attempt = 1;
    }
    return r;
}

/* Numbers k .. k+m-1 of a piece, everything else above base received as well, from one grant that is just these. */
static inline struct trk_part *fake_part(struct fake *f, enum trk_kind kind, struct trk_piece piece, uint64_t k, uint16_t m)
{
    struct trk_part *p = &f->request.parts[f->request.n_parts++];
    p->kind = (uint8_t)kind;
    p->piece = piece;
    p->k = k;
    p->m = m;
    p->n_ranges = p->n_grants = 1;
    p->ranges[0] = (struct trk_range){ piece.base + 1, k + m - 1 };
    p->grants[0] = (struct trk_grant_ref){ .a = k, .b = k + m - 1, .f = k + m - 1, .tick = trk_tick(f->now_ms) - 3 };
    return p;
}

/* Reports number n as lost. Ascending; never the last number. */
static inline void fake_lose(struct trk_part *p, uint64_t n)
{
    struct trk_range *last = &p->ranges[p->n_ranges - 1];
    if (n == last->left) {
        last->left++;
        return;
    }
    p->ranges[p->n_ranges++] = (struct trk_range){ n + 1, last->right };
    last->right = n - 1;
}

/* An opening's only number. */
static inline struct trk_part *fake_opening(struct fake *f, uint64_t n, uint32_t start, uint32_t ssthresh)
{
    return fake_part(f, TRK_OPENING, (struct trk_piece){ n - 1, start, ssthresh }, n, 1);
}

static inline struct trk_ask *fake_ask(struct trk_part *p, uint8_t cont, uint64_t offset, uint32_t bytes)
{
    p->asks[p->n_asks] = (struct trk_ask){ cont, offset, bytes };
    return &p->asks[p->n_asks++];
}

/* Adds a continuation to the request; returns its index. */
static inline uint8_t fake_cont(struct fake *f, uint8_t type, uint64_t first, uint64_t second, const char *opaque)
{
    struct trk_request *r = &f->request;
    uint8_t i = r->n_conts++;
    struct trk_ucont u = { .type = type, .first = first, .second = second, .opaque_bytes = (uint16_t)strlen(opaque) };
    memcpy(u.opaque, opaque, u.opaque_bytes);
    size_t n = trk_ucont_seal(trk_keys_current(&f->keys), &r->id, &u, f->ucont_bytes[i], TRK_UCONT_MAX);
    ck_assert_uint_gt(n, 0);
    ck_assert_int_eq(trk_ucont_parse(f->ucont_bytes[i], n, &r->conts[i]), TRK_V_ACCEPTED);
    return i;
}

static inline struct trk_grant fake_grant(const struct trk_request *r, const struct trk_part *p, const struct trk_grant_ref *ref)
{
    return (struct trk_grant){
        .kind = p->kind, .epoch = r->epoch, .domain = r->domain, .id = r->id, .generation = r->generation, .piece = p->piece,
        .a = ref->a, .b = ref->b, .f = ref->f, .slot = r->slot, .tick = ref->tick, .address_tag = r->address_tag,
    };
}

/* Mints what a client would hold: the seals of all grants and the sum of all reported nonces. */
static inline void fake_prove(struct fake *f)
{
    struct trk_request *r = &f->request;
    const struct trk_epoch *e = trk_keys_find(&f->keys, r->epoch);
    ck_assert_ptr_nonnull(e);
    for (unsigned i = 0; i < r->n_parts; i++) {
        struct trk_part *p = &r->parts[i];
        struct trk_nonce_scope scope = { r->id, r->domain, r->generation, p->piece.base };
        p->xor_nonces = 0;
        for (unsigned j = 0; j < p->n_ranges; j++)
            for (uint64_t n = p->ranges[j].left; n <= p->ranges[j].right; n++)
                p->xor_nonces ^= trk_nonce(e, &scope, n);
        for (unsigned j = 0; j < p->n_grants; j++) {
            struct trk_grant g = fake_grant(r, p, &p->grants[j]);
            trk_grant_seal(e, &g, p->grants[j].seal);
        }
    }
}

/* Sends the request as it stands: whoever wants a false one changes it after fake_prove. */
static inline void fake_send_request(struct fake *f)
{
    size_t n = trk_request_emit(&f->request, f->message, sizeof f->message);
    ck_assert_msg(n > 0, "the request breaks a bound of the wire");
    fake_send(f, f->message, n, TRK_ACK, 0);
}

/* ---- the server ---- */
static inline enum trk_verdict fake_check(struct fake *f)
{
    return f->verdict = trk_check(&f->seg, &f->keys, &f->config, f->now_ms, &f->spend);
}

static inline enum trk_verdict fake_prove_and_check(struct fake *f)
{
    fake_prove(f);
    fake_send_request(f);
    return fake_check(f);
}

/* Check, admit, plan. A test may change the decision in between: fake_decide, then fake_plan. */
static inline enum trk_verdict fake_decide(struct fake *f)
{
    if (fake_check(f) == TRK_V_ACCEPTED)
        trk_admit(NULL, &f->spend, &f->config, f->now_ms, &f->decision);
    return f->verdict;
}

static inline enum trk_verdict fake_plan(struct fake *f)
{
    return f->verdict = trk_plan(&f->spend, &f->decision, &f->config, &f->plan);
}

/* The application: everything that is wanted, from the pattern. */
static inline void fake_give(struct fake *f)
{
    memset(&f->result, 0, sizeof f->result);
    for (unsigned i = 0; i < f->plan.n_wants; i++) {
        ck_assert_uint_le(f->plan.wants[i].offset + f->plan.wants[i].bytes, FAKE_PATTERN);
        f->result.given[i].data = f->pattern + f->plan.wants[i].offset;
        f->result.given[i].bytes = f->plan.wants[i].bytes;
    }
}

static inline enum trk_verdict fake_respond(struct fake *f)
{
    return f->verdict = trk_respond(&f->spend, &f->decision, &f->plan, &f->result, &f->keys, &f->config, f->now_ms, &f->out);
}

/* Proves, sends and plans the request; the application has given everything. */
static inline void fake_planned(struct fake *f)
{
    fake_prove(f);
    fake_send_request(f);
    ck_assert_str_eq(trk_verdict_name(fake_decide(f)), "accepted");
    ck_assert_str_eq(trk_verdict_name(fake_plan(f)), "accepted");
    fake_give(f);
}

static inline void fake_answered(struct fake *f)
{
    fake_planned(f);
    ck_assert_str_eq(trk_verdict_name(fake_respond(f)), "answered");
}

/* ---- what came back ---- */
/* Reads packet i: head and data as one IP packet, which must be well-formed. */
static inline void fake_read(const struct fake *f, size_t i, struct fake_packet *out)
{
    ck_assert_uint_lt(i, f->out.n);
    const struct trk_packet *p = &f->out.packets[i];
    out->n = p->head_bytes + p->data_bytes;
    ck_assert_uint_le(out->n, sizeof out->bytes);
    memcpy(out->bytes, p->head, p->head_bytes);
    if (p->data_bytes)
        memcpy(out->bytes + p->head_bytes, p->data, p->data_bytes);
    trk_segment_finish(out->bytes, out->n);
    ck_assert(trk_segment_checksum_ok(out->bytes, out->n));
    ck_assert_int_eq(trk_segment_parse(out->bytes, out->n, &out->seg), TRK_V_ACCEPTED);
    struct trk_flow back = trk_flow_reverse(&f->flow);
    ck_assert(trk_flow_equal(&out->seg.flow, &back));
    ck_assert_uint_eq(out->seg.seq, p->seq);
    ck_assert_uint_eq(out->seg.ack, f->seg.seq + f->seg.payload_bytes + (f->seg.flags & TRK_SYN ? 1 : 0));
    ck_assert_int_eq(trk_answer_parse(out->seg.payload, out->seg.payload_bytes, &out->answer), TRK_V_ACCEPTED);
    for (uint32_t b = 0; b < out->answer.data_bytes; b++)
        ck_assert_uint_eq(out->answer.data[b], pattern_byte(out->answer.offset + b));
}

#endif
