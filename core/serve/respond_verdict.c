/* respond_verdict.c - telling a client why its request was not honoured. */
#include <string.h>
#include "serve/respond.h"

/* Below NOT_ADJOINING only a proven request's continuations can be at fault. One of another, newer epoch may open at
 * the next replica; a damaged one may have been damaged on its way; but what a retired epoch sealed opens nowhere. */
enum trk_tell trk_tell_of(const struct trk_spend *spend, enum trk_verdict v)
{
    if (v >= TRK_V_NOT_ADJOINING && v <= TRK_V_RESET)
        return TRK_TELL_VERDICT;
    if (v != TRK_V_RETIRED_EPOCH && v != TRK_V_UNKNOWN_EPOCH && v != TRK_V_BAD_CONTINUATION)
        return TRK_TELL_NOTHING;
    if (!spend->proven)
        return TRK_TELL_NOTHING;
    return v == TRK_V_RETIRED_EPOCH ? TRK_TELL_RESET : TRK_TELL_VERDICT;
}

static struct trk_verdict_msg message_of(const struct trk_spend *spend, enum trk_verdict v, const struct trk_serve_config *config)
{
    const struct trk_request *r = &spend->request;
    bool numbered = spend->type == TRK_SPEND_NUMBERS || spend->type == TRK_SPEND_RESTART;
    return (struct trk_verdict_msg){
        .code = trk_verdict_code(v), .id = spend->id, .generation = r->generation, .domain = config->domain,
        .k = numbered ? r->parts[r->n_parts - 1].k : 0,
    };
}

void trk_respond_verdict(const struct trk_spend *spend, enum trk_verdict v, const struct trk_serve_config *config, bool reset, struct trk_packets *out)
{
    out->n = out->arena_used = 0;
    if (trk_tell_of(spend, v) == TRK_TELL_NOTHING || out->cap == 0)
        return;                        /* a spend that was not filled to its end is not looked at */
    const struct trk_verdict_msg message = message_of(spend, v, config);
    uint8_t text[TRK_VERDICT_BYTES];
    size_t text_bytes = trk_verdict_msg_emit(&message, text, sizeof text);
    struct trk_segment seg = trk_answer_segment(spend, reset ? TRK_RST | TRK_ACK : TRK_ACK);
    seg.seq = spend->ack;
    seg.payload_bytes = (uint32_t)text_bytes;
    size_t used = trk_segment_emit(&seg, out->arena, out->arena_bytes);
    if (!text_bytes || !used || text_bytes > out->arena_bytes - used || used + text_bytes > spend->packet_bytes)
        return;
    memcpy(out->arena + used, text, text_bytes);
    out->arena_used = used + text_bytes;
    out->packets[out->n++] = (struct trk_packet){
        .head = out->arena, .head_bytes = (uint32_t)out->arena_used, .seq = seg.seq, .slot = spend->request.slot,
    };
}
