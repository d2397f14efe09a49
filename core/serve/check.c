/* check.c - what a packet proves: which message it is, and the one that needs no proof. */
#include "serve/check.h"

enum { JUDGED_FLAGS = TRK_FIN | TRK_SYN | TRK_RST | TRK_ACK };   /* PSH changes no meaning */

/* The flags that a client's message of this form travels under; 0: not a client's form. */
static uint8_t flags_of(uint8_t form)
{
    switch (form) {
    case TRK_FORM_OPEN:
        return TRK_SYN;
    case TRK_FORM_REQUEST:
    case TRK_FORM_RESTART:
    case TRK_FORM_CLOSE:
        return TRK_ACK;
    default:
        return 0;
    }
}

/* Option bytes after the marker that a SYN surely had: those of the options that were read. */
static uint32_t syn_option_bytes(const struct trk_segment *seg)
{
    uint32_t bytes = (seg->mss ? 4u : 0) + (seg->sack_ok ? 2u : 0) + (seg->has_timestamp ? 10u : 0) + (seg->has_wscale ? 3u : 0);
    return (bytes + 3) & ~3u;
}

/* What an answer's TCP header and its size depend on. A segment does not say how long its options were, so
 * the packet is taken to be no larger than it is for certain: that bounds the answer to an unproven address. */
static void copy_segment(const struct trk_segment *seg, struct trk_spend *out)
{
    out->flow = seg->flow;
    out->seq = seg->seq;
    out->ack = seg->ack;
    out->payload_bytes = seg->payload_bytes;
    out->packet_bytes = trk_header_bytes(seg->flow.src.family) + (seg->flags & TRK_SYN ? syn_option_bytes(seg) : 0) + seg->payload_bytes;
    out->epoch = NULL;
    out->isn = out->address_tag = out->tick = 0;
    out->must_refresh = out->aged = false;
    out->cut_f = 0;
    out->age_ms = 0;
}

/* A hint: it proves nothing and ends nothing, so nothing is looked up for it. */
static enum trk_verdict check_close(const struct trk_segment *seg, struct trk_spend *out)
{
    struct trk_close close;
    enum trk_verdict v = trk_close_parse(seg->payload, seg->payload_bytes, &close);
    if (v != TRK_V_ACCEPTED)
        return v;
    out->type = TRK_SPEND_CLOSE;
    out->id = close.id;
    out->request.id = close.id;
    out->request.generation = close.generation;
    return TRK_V_ACCEPTED;
}

enum trk_verdict trk_check(const struct trk_segment *seg, const struct trk_keys *keys, const struct trk_serve_config *config,
                           uint64_t now_ms, struct trk_spend *out)
{
    out->proven = false;
    if (!seg->marked)
        return TRK_V_UNMARKED;
    uint8_t form;
    enum trk_verdict v = trk_form_of(seg->payload, seg->payload_bytes, &form);
    if (v != TRK_V_ACCEPTED)
        return v;
    uint8_t flags = flags_of(form);
    if (!flags)
        return TRK_V_BAD_FORM;
    if ((seg->flags & JUDGED_FLAGS) != flags)
        return TRK_V_BAD_FLAGS;
    copy_segment(seg, out);
    switch (form) {
    case TRK_FORM_OPEN:
        return trk_check_open(seg, keys, config, now_ms, out);
    case TRK_FORM_CLOSE:
        return check_close(seg, out);
    default:
        return trk_check_request(seg, keys, config, now_ms, out);
    }
}
