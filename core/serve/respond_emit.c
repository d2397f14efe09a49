/* respond_emit.c - from content to packet: headers are written to the arena, data stays where it is. */
#include <string.h>
#include "serve/check.h"
#include "serve/respond.h"

struct trk_segment trk_answer_segment(const struct trk_spend *spend, uint8_t flags)
{
    return (struct trk_segment){
        .flow = trk_flow_reverse(&spend->flow), .flags = flags, .marked = true, .window = TRK_WINDOW,
        .ack = spend->seq + spend->payload_bytes + (spend->type == TRK_SPEND_OPEN ? 1 : 0),
    };
}

static struct trk_segment segment_of(const struct trk_voice *voice, uint64_t n, uint32_t payload_bytes)
{
    const struct trk_spend *spend = voice->spend;
    bool opened = spend->type == TRK_SPEND_OPEN;
    struct trk_segment seg = trk_answer_segment(spend, opened ? TRK_SYN | TRK_ACK : TRK_ACK);
    seg.payload_bytes = payload_bytes;
    seg.seq = trk_seq_of(spend->isn, n, spend->request.slot);
    if (opened) {
        seg.seq--;                     /* the SYN takes the byte before the first payload byte */
        seg.mss = trk_own_mss(voice->config, spend->flow.src.family);
        seg.has_wscale = true;
        seg.wscale = TRK_WSCALE;
    }
    return seg;
}

static void fill_answer(const struct trk_fill *fill, uint64_t n, struct trk_answer *answer)
{
    answer->flags |= fill->flags;
    answer->n = n;
    answer->n_minus_a = (uint8_t)(n - answer->grant.a);
    answer->offset = fill->offset;
    answer->n_conts = (uint8_t)fill->n_conts;
    for (unsigned i = 0; i < fill->n_conts; i++)
        trk_ucont_parse(fill->conts[i].bytes, fill->conts[i].n, &answer->conts[i]);
}

/* All fragments but the last follow the message header; the last one stays where it is. */
static size_t put_fragments(const struct trk_fragments *data, uint8_t *out, size_t cap)
{
    size_t used = 0;
    for (unsigned i = 0; i + 1 < data->n; i++) {
        if (data->at[i].bytes > cap - used)
            return SIZE_MAX;
        memcpy(out + used, data->at[i].data, data->at[i].bytes);
        used += data->at[i].bytes;
    }
    return used;
}

static bool is_plain(const struct trk_answer *answer, const struct trk_fill *fill)
{
    return answer->form == TRK_FORM_NORMAL && !fill->flags && !fill->n_conts && fill->data.n == 1;
}

bool trk_emit_run(struct trk_voice *voice, const struct trk_answer *answer, uint64_t n, size_t m, struct trk_nonces *nonces, uint64_t *r)
{
    struct trk_packets *out = voice->out;
    const struct trk_packet *like = voice->plain;
    uint32_t head_bytes = like->head_bytes, data_bytes = like->data_bytes, seq = like->seq;
    if (m > out->cap - out->n || m * head_bytes > out->arena_bytes - out->arena_used)
        return false;
    uint8_t *head = out->arena + out->arena_used;
    const uint8_t *data = like->data;
    uint64_t offset = voice->plain_offset;
    for (uint64_t last = n + m; n < last; n++, head += head_bytes) {
        uint64_t next = trk_nonces_step(nonces, n + 1);
        memcpy(head, like->head, head_bytes);
        trk_segment_renumber(head, seq += like->slot);
        trk_answer_renumber(head + head_bytes - TRK_NORMAL_BYTES, (uint8_t)(n - answer->grant.a), offset += data_bytes, *r ^ next);
        out->packets[out->n++] = (struct trk_packet){
            .head = head, .head_bytes = head_bytes, .data = data += data_bytes, .data_bytes = data_bytes,
            .seq = seq, .slot = like->slot, .follows = true,
        };
        *r = next;
    }
    out->arena_used += m * head_bytes;
    voice->plain = NULL;
    return true;
}

bool trk_emit(struct trk_voice *voice, struct trk_answer *answer, uint64_t n, const struct trk_fill *fill)
{
    struct trk_packets *out = voice->out;
    if (out->n == out->cap)
        return false;
    uint8_t flags = answer->flags;
    fill_answer(fill, n, answer);
    uint8_t message[TRK_OPENED_BYTES + 2 * TRK_UCONT_MAX];
    size_t message_bytes = trk_answer_emit(answer, message, sizeof message);
    answer->flags = flags;             /* the next packet of this grant says its own */
    struct trk_segment seg = segment_of(voice, n, (uint32_t)message_bytes + fill->data.bytes);
    uint8_t *head = out->arena + out->arena_used;
    size_t cap = out->arena_bytes - out->arena_used, used = trk_segment_emit(&seg, head, cap);
    if (!message_bytes || !used || message_bytes > cap - used)
        return false;
    memcpy(head + used, message, message_bytes);
    used += message_bytes;
    size_t copied = put_fragments(&fill->data, head + used, cap - used);
    if (copied == SIZE_MAX)
        return false;
    used += copied;
    out->arena_used += used;
    unsigned last = fill->data.n ? fill->data.n - 1 : 0;
    out->packets[out->n++] = (struct trk_packet){
        .head = head, .head_bytes = (uint32_t)used,
        .data = fill->data.n ? fill->data.at[last].data : NULL, .data_bytes = fill->data.n ? fill->data.at[last].bytes : 0,
        .seq = seg.seq, .slot = voice->spend->request.slot,
    };
    voice->plain = is_plain(answer, fill) ? &out->packets[out->n - 1] : NULL;
    voice->plain_offset = fill->offset;
    return true;
}
