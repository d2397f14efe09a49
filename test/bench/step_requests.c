#include "step_requests.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONNECTIONS 100000
#define LOST_BEFORE 15                 /* in recovery the number k - 15 was lost */

void step_die(const char *why)
{
    fprintf(stderr, "bench: %s\n", why);
    exit(2);
}

void step_server_init(struct step_server *s, void *memory, size_t filter_bytes)
{
    static const uint8_t master[TRK_MASTER_BYTES] = "bench", key[TRK_FILTER_KEY_BYTES] = "bench";

    trk_keys_init(&s->keys);
    if (!trk_keys_add(&s->keys, 1, TRK_EPOCH_CURRENT, master) || !(s->filter = trk_filter_create(memory, filter_bytes, 77, key)))
        step_die("no filter");
    s->epoch = &s->keys.epochs[0];
    s->config = (struct trk_serve_config){ .domain = trk_filter_domain(s->filter), .mss_v4 = 1460, .mss_v6 = 1440 };
}

static const struct trk_flow flow = { .src = { 4, { 10, 0, 0, 1 } }, .dst = { 4, { 10, 0, 0, 2 } }, .sport = 40000, .dport = 80 };

static void add_part(const struct trk_epoch *epoch, struct trk_request *r, uint64_t k, uint16_t m, bool loss)
{
    struct trk_part *p = &r->parts[r->n_parts++];

    memset(p, 0, sizeof *p);
    p->k = k;
    p->m = m;
    p->piece = (struct trk_piece){ .base = k - 40, .start = 20, .ssthresh = 20 };
    p->n_ranges = 1;
    p->ranges[0] = (struct trk_range){ p->piece.base + 1, k + m - 1 };
    if (loss) {
        p->n_ranges = 2;
        p->ranges[0].right = k - LOST_BEFORE - 1;
        p->ranges[1] = (struct trk_range){ k - LOST_BEFORE + 1, k + m - 1 };
    }
    struct trk_nonce_scope scope = { r->id, r->domain, r->generation, p->piece.base };
    for (unsigned i = 0; i < p->n_ranges; i++)
        for (uint64_t n = p->ranges[i].left; n <= p->ranges[i].right; n++)
            p->xor_nonces ^= trk_nonce(epoch, &scope, n);
    p->n_grants = 1;
    p->grants[0] = (struct trk_grant_ref){ .a = k, .b = k + m - 1, .f = k + m - 1, .tick = trk_tick(STEP_NOW_MS) - 3 };
    struct trk_grant g = { .epoch = r->epoch, .domain = r->domain, .id = r->id, .generation = r->generation, .piece = p->piece,
                           .a = k, .b = k + m - 1, .f = k + m - 1, .slot = r->slot, .tick = p->grants[0].tick, .address_tag = r->address_tag };
    trk_grant_seal(epoch, &g, p->grants[0].seal);
    p->n_asks = 1;
    p->asks[0] = (struct trk_ask){ 0, 0, (uint32_t)(m + 2) * 1400 };
}

static void to_wire(struct step_request *w, const struct trk_request *r)
{
    uint8_t message[1500];
    size_t n = trk_request_emit(r, message, sizeof message);
    struct trk_segment seg = { .flow = flow, .seq = 1, .ack = 1, .flags = TRK_ACK, .marked = true, .payload_bytes = (uint32_t)n };
    size_t head = n ? trk_segment_emit(&seg, w->bytes, sizeof w->bytes) : 0;

    if (!head)
        step_die("a request does not fit");
    memcpy(w->bytes + head, message, n);
    w->n = head + n;
    trk_segment_finish(w->bytes, w->n);
    if (trk_segment_parse(w->bytes, w->n, &w->seg) != TRK_V_ACCEPTED)
        step_die("a request is no segment");
}

static void begin(struct trk_request *r, const struct step_server *s, uint64_t h, uint32_t generation)
{
    static uint8_t sealed[TRK_UCONT_MAX];

    memset(r, 0, offsetof(struct trk_request, parts));
    r->form = TRK_FORM_REQUEST;
    r->id = (struct trk_conn_id){ h, 1 };
    r->domain = s->config.domain;
    r->generation = generation;
    r->epoch = s->epoch->epoch;
    r->slot = r->fill = 1456;
    r->address_tag = trk_address_tag(s->epoch, &flow.src, flow.sport);
    struct trk_ucont u = { .type = TRK_UCONT_OUTPUT, .second = STEP_OUTPUT, .opaque_bytes = 40 };
    size_t n = trk_ucont_seal(s->epoch, &r->id, &u, sealed, sizeof sealed);
    r->n_conts = 1;
    if (trk_ucont_parse(sealed, n, &r->conts[0]) != TRK_V_ACCEPTED)
        step_die("a continuation does not parse");
    r->has_input = false;
    r->input_cont = 0xff;
    r->input_offset = 0;
    r->input_bytes = 0;
}

/* What came before k was spent, but for what is lost; in every window but each eighth that loss is known already. */
static void remember(struct step_server *s, const struct trk_request *r, uint64_t k, bool loss_is_known)
{
    uint64_t who = trk_filter_who(s->filter, &r->id);

    trk_filter_spend(s->filter, who, r->generation, k - 40, 40 - LOST_BEFORE, STEP_NOW_MS);
    trk_filter_spend(s->filter, who, r->generation, k - LOST_BEFORE + 1, LOST_BEFORE - 1, STEP_NOW_MS);
    if (loss_is_known)
        trk_filter_lose(s->filter, who, r->generation, k - LOST_BEFORE, STEP_NOW_MS);
}

void step_requests_make(const struct step_shape *shape, struct step_server *s, uint64_t round, struct step_request requests[STEP_REQUESTS])
{
    static struct trk_request r;

    for (unsigned i = 0; i < STEP_REQUESTS; i++) {
        begin(&r, s, shape->spread ? (round * STEP_REQUESTS + i) % CONNECTIONS * 0x9e3779b97f4a7c15u : 7, (uint32_t)round);
        uint64_t k = 1000 + (uint64_t)i * (shape->m + (shape->loss ? 64u : 0));      /* what a recovery calls lost must not be spent */
        for (unsigned back = shape->repeats; back > 0; back--)
            add_part(s->epoch, &r, k - back * shape->m, shape->m, false);
        add_part(s->epoch, &r, k, shape->m, shape->loss);
        to_wire(&requests[i], &r);
        if (shape->loss)
            remember(s, &r, k, i % 8 != 0);
    }
}
