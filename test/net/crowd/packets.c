/* packets.c - what a connection of the crowd sends. */
#include "crowd.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct trk_flow flow_of(const struct crowd *c, uint32_t i)
{
    struct trk_flow f = { .dst = c->server, .dport = c->port, .sport = (uint16_t)(FIRST_PORT + (i >> 16)), .src.family = 4 };
    const uint8_t address[4] = { 10, 80, (uint8_t)(i >> 8), (uint8_t)i };
    memcpy(f.src.bytes, address, 4);
    return f;
}

uint32_t crowd_iss(uint32_t i) { return (uint32_t)crowd_mix(i + 1); }

bool crowd_conn_of(const struct crowd *c, const struct trk_flow *f, uint32_t *i)
{
    *i = (uint32_t)(f->dport - FIRST_PORT) << 16 | (uint32_t)f->dst.bytes[2] << 8 | f->dst.bytes[3];
    return f->dport >= FIRST_PORT && *i < c->n && f->dst.bytes[0] == 10 && f->dst.bytes[1] == 80;
}

void crowd_flush(struct crowd *c)
{
    for (int at = 0; at < c->n_out;) {
        int sent = trk_link_send(c->link, c->out + at, c->n_out - at);
        if (sent < 0)
            crowd_fail("cannot send", strerror(errno));
        at += sent;
    }
    c->n_out = 0;
}

static uint8_t *room(struct crowd *c)
{
    if (c->n_out == SEND_BATCH)
        crowd_flush(c);
    return c->packets[c->n_out];
}

static void send_packet(struct crowd *c, const struct trk_segment *seg, const uint8_t *payload)
{
    uint8_t *p = room(c);
    size_t head = trk_segment_emit(seg, p, sizeof c->packets[0]);
    if (!head || head + seg->payload_bytes > sizeof c->packets[0])
        crowd_fail("a packet is too long", NULL);
    memcpy(p + head, payload, seg->payload_bytes);
    c->out[c->n_out++] = (struct trk_link_out){ .head = p, .head_bytes = (uint32_t)(head + seg->payload_bytes), .to = c->to };
}

void crowd_send_syn(struct crowd *c, uint32_t i)
{
    uint8_t payload[TRK_SYN_PAYLOAD];
    struct trk_open open = { .has_input = false };
    uint64_t a = crowd_mix(i * 2ull + 77), b = crowd_mix(i * 2ull + 78);
    memcpy(open.random, &a, 8);
    memcpy(open.random + 8, &b, 8);
    struct trk_segment seg = {
        .flow = flow_of(c, i), .seq = crowd_iss(i), .flags = TRK_SYN, .marked = true, .mss = 1460, .has_wscale = true, .wscale = 14, .sack_ok = true,
        .has_timestamp = true, .payload = payload, .payload_bytes = (uint32_t)trk_open_emit(&open, payload, sizeof payload),
    };
    send_packet(c, &seg, payload);
}

void crowd_send_request(struct crowd *c, struct fetch *f, const struct trk_request *r)
{
    uint8_t payload[1300];
    size_t n = trk_request_emit(r, payload, sizeof payload);
    if (!n)
        crowd_fail("a request cannot be written", NULL);
    struct trk_segment seg = {
        .flow = flow_of(c, f->conn), .seq = f->seq, .ack = f->ack, .flags = TRK_ACK, .marked = true, .payload = payload, .payload_bytes = (uint32_t)n,
    };
    send_packet(c, &seg, payload);
    f->seq += (uint32_t)n;
    f->since_ms = crowd_now_ms();
}
