/* event.c - what the application is shown of a packet, and the ranges it is asked for. */
#include <errno.h>
#include "address.h"
#include "server.h"

static void put64(uint8_t *out, uint64_t value)
{
    for (int i = 7; i >= 0; i--, value >>= 8)
        out[i] = (uint8_t)value;
}

/* The sealed tick as a time. The clock only says which of the tick's two-year cycles it lies in. CLOSE has no seal. */
static uint64_t time_of(const struct minisock *m)
{
    if (m->spend.type == TRK_SPEND_CLOSE)
        return m->now_ms;
    return trk_extend(m->now_ms / TRK_TICK_MS, m->spend.tick, 32) * TRK_TICK_MS;
}

/* Pointers are never NULL, so that applications can copy 0 bytes without a thought. */
static const uint8_t nothing[1];

uint64_t msk_trailing_offset(const struct trk_ucont *u)
{
    uint64_t offset = 0;
    if (u->opaque_bytes < MSK_OFFSET_TRAILER)
        return 0;
    for (int i = 0; i < MSK_OFFSET_TRAILER; i++)
        offset = offset << 8 | u->opaque[u->opaque_bytes - MSK_OFFSET_TRAILER + i];
    return offset;
}

static void fill_placed(struct msk_input *input, const struct trk_ucont *range)
{
    input->placed = true;
    input->range_first = range->first;
    input->range_end = range->second;
    input->output_offset = msk_trailing_offset(range);
    input->opaque_bytes -= input->opaque_bytes < MSK_OFFSET_TRAILER ? input->opaque_bytes : MSK_OFFSET_TRAILER;
}

static void fill_input(struct minisock *m)
{
    const struct trk_request *r = &m->spend.request;
    struct msk_input *input = &m->event.input;
    *input = (struct msk_input){ .data = nothing, .opaque = nothing, .room = m->plan.input_room };
    if (r->has_input && r->input_cont != TRK_ASK_INPUT) {
        const struct trk_ucont *u = &m->spend.conts[r->input_cont];
        input->opaque = u->opaque;
        input->opaque_bytes = u->opaque_bytes;
        input->output_offset = u->second;
        if (r->placed)
            fill_placed(input, u);
    }
    if (!r->has_input || !m->plan.may_input)
        return;
    input->present = true;
    input->end = r->input_end;
    if (r->input_bytes > 0)
        input->data = r->input;
    input->bytes = r->input_bytes;
    input->offset = r->input_offset;
}

void msk_event_fill(struct minisock *m)
{
    static const enum msk_event_type types[] = {
        [TRK_SPEND_OPEN] = MSK_OPEN, [TRK_SPEND_NUMBERS] = MSK_REQUEST, [TRK_SPEND_RESTART] = MSK_REQUEST, [TRK_SPEND_CLOSE] = MSK_CLOSE,
    };
    const struct trk_flow *flow = &m->spend.flow;
    struct msk_event *e = &m->event;
    e->type = types[m->spend.type];
    msk_address_of(&flow->src, flow->sport, &e->peer);
    msk_address_of(&flow->dst, flow->dport, &e->local);
    put64(e->connection, m->spend.id.h);
    for (int i = 0; i < 4; i++)
        e->connection[8 + i] = (uint8_t)(m->spend.id.t >> (24 - 8 * i));
    e->time_ms = time_of(m);
    if (m->spend.type == TRK_SPEND_CLOSE)
        e->input = (struct msk_input){ 0 };
    else
        fill_input(m);
}

const struct msk_event *msk_event(const struct minisock *m) { return &m->event; }

size_t msk_ranges(const struct minisock *m) { return m->state != MSK_FREE ? m->plan.n_wants : 0; }

const struct trk_ucont *msk_maker(const struct minisock *m, size_t i)
{
    uint8_t cont = m->plan.wants[i].cont;
    if (cont != TRK_ASK_INPUT)
        return &m->spend.conts[cont];
    return m->result.fate == TRK_INPUT_DONE ? &m->result.output : NULL;
}

int msk_range(const struct minisock *m, size_t i, struct msk_range *out)
{
    *out = (struct msk_range){ .opaque = nothing };
    if (m->state == MSK_FREE)
        return -EBADF;
    if (i >= m->plan.n_wants)
        return -ERANGE;
    const struct trk_ucont *u = msk_maker(m, i);
    if (!u)
        return 0;
    uint64_t offset = m->plan.wants[i].offset, bytes = m->plan.wants[i].bytes;
    *out = (struct msk_range){ .opaque = u->opaque, .opaque_bytes = u->opaque_bytes, .first = u->first, .end = u->second, .offset = offset };
    if (u->second == MSK_LENGTH_UNKNOWN && u->opaque_bytes >= MSK_OFFSET_TRAILER)
        out->opaque_bytes -= MSK_OFFSET_TRAILER;
    if (offset >= u->first && offset < u->second)
        out->bytes = u->second - offset < bytes ? u->second - offset : bytes;
    return 0;
}
