/* replay_mint.c - requests made ahead of time, with the server's key. Each flow's window is the largest, so that a number is
 * answered by one packet, and each request spends one number and asks for the same bytes. */
#include "replay.h"
#include <stdlib.h>
#include <string.h>

#define FIRST 1000ull                  /* number of a flow's first request */

struct flow { struct trk_request request; struct trk_flow addresses; struct trk_nonce_scope scope; uint8_t cont[TRK_UCONT_MAX]; uint32_t seq; uint64_t k, sum; };

static struct trk_flow addresses_of(const struct replay *r, unsigned i)
{
    struct trk_flow f = { .dst = r->server, .dport = r->port, .sport = 20000, .src.family = 4 };
    const uint8_t source[4] = { 10, 80, (uint8_t)(i >> 8), (uint8_t)(i + 1) };       /* need not exist: nobody there resets */
    memcpy(f.src.bytes, source, 4);
    return f;
}

static void flow_begin(const struct replay *r, struct flow *f, unsigned i)
{
    struct trk_request *q = &f->request;
    f->addresses = addresses_of(r, i);
    f->k = FIRST;
    f->seq = 1;
    q->form = TRK_FORM_REQUEST;
    q->id = (struct trk_conn_id){ r->random + i, 1 };
    q->domain = r->domain;
    q->epoch = r->epoch->epoch;
    q->slot = q->fill = r->slot;
    q->address_tag = trk_address_tag(r->epoch, &f->addresses.src, f->addresses.sport);
    q->input_cont = 0xff;
    struct trk_ucont output = { .type = TRK_UCONT_OUTPUT, .second = 1u << 30 };
    size_t n = trk_ucont_seal(r->epoch, &q->id, &output, f->cont, sizeof f->cont);
    q->n_conts = 1;
    if (trk_ucont_parse(f->cont, n, &q->conts[0]) != TRK_V_ACCEPTED)
        replay_fail("a continuation does not parse", NULL);
    struct trk_part *p = &q->parts[0];
    q->n_parts = p->m = p->n_ranges = p->n_grants = p->n_asks = 1;
    p->piece = (struct trk_piece){ .base = FIRST - 1, .start = TRK_CWND_MAX, .ssthresh = TRK_CWND_MAX };
    p->asks[0] = (struct trk_ask){ 0, 0, REPLAY_ASKS };
    f->scope = (struct trk_nonce_scope){ q->id, q->domain, q->generation, p->piece.base };
}

static void mint(const struct replay *r, struct flow *f, uint32_t tick, struct replay_packet *out)
{
    struct trk_request *q = &f->request;
    struct trk_part *p = &q->parts[0];
    uint8_t message[REPLAY_PACKET];
    p->k = f->k++;
    f->sum ^= trk_nonce(r->epoch, &f->scope, p->k);
    p->xor_nonces = f->sum;
    p->ranges[0] = (struct trk_range){ FIRST, p->k };
    p->grants[0] = (struct trk_grant_ref){ .a = p->k, .b = p->k, .f = p->k, .tick = tick };
    struct trk_grant g = { .epoch = q->epoch, .domain = q->domain, .id = q->id, .piece = p->piece, .a = p->k, .b = p->k, .f = p->k,
                           .slot = q->slot, .tick = tick, .address_tag = q->address_tag };
    trk_grant_seal(r->epoch, &g, p->grants[0].seal);
    size_t n = trk_request_emit(q, message, sizeof message);
    struct trk_segment seg = { .flow = f->addresses, .seq = f->seq, .ack = 1, .flags = TRK_ACK, .marked = true, .window = TRK_WINDOW, .payload_bytes = (uint32_t)n };
    size_t head = n ? trk_segment_emit(&seg, out->data, sizeof out->data) : 0;
    if (!head || head + n > sizeof out->data)
        replay_fail("a request does not fit", NULL);
    memcpy(out->data + head, message, n);
    out->bytes = (uint16_t)(head + n);
    f->seq += (uint32_t)n;
}

void replay_mint(struct replay *r, uint64_t now_ms)
{
    struct flow *flows = calloc(r->n_flows, sizeof *flows);
    if (!flows)
        replay_fail("out of memory", NULL);
    for (unsigned i = 0; i < r->n_flows; i++)
        flow_begin(r, &flows[i], i);
    for (size_t i = 0; i < r->n; i++)
        mint(r, &flows[i / r->burst % r->n_flows], trk_tick(now_ms), &r->packets[i]);
    free(flows);
}

size_t replay_syn(const struct replay *r, uint8_t *packet, size_t cap)
{
    uint8_t message[TRK_SYN_PAYLOAD];
    struct trk_open open = { .has_input = false };
    memcpy(open.random, &r->random, sizeof r->random);
    struct trk_segment seg = { .flow = addresses_of(r, 0), .seq = 1, .flags = TRK_SYN, .marked = true, .mss = 1460, .has_wscale = true, .wscale = TRK_WSCALE,
                               .sack_ok = true, .has_timestamp = true, .payload_bytes = (uint32_t)trk_open_emit(&open, message, sizeof message) };
    size_t head = trk_segment_emit(&seg, packet, cap);
    if (!head || head + seg.payload_bytes > cap)
        replay_fail("a SYN does not fit", NULL);
    memcpy(packet + head, message, seg.payload_bytes);
    return head + seg.payload_bytes;
}
