/* check_open.c - a SYN: from here on the connection has a name, and the server has forgotten it. */
#include "serve/check.h"

#define MSS_DEFAULT 536                /* RFC 9293 3.7.1: without the option */

/* Payload bytes per number: what both ends can carry beside the marker. */
static uint16_t slot_of(const struct trk_segment *seg, const struct trk_serve_config *config)
{
    uint16_t own = trk_own_mss(config, seg->flow.src.family), theirs = seg->mss ? seg->mss : MSS_DEFAULT;
    uint16_t mss = own < theirs ? own : theirs;
    if (mss < TRK_SLOT_MIN + TRK_OPTION_BYTES)
        return TRK_SLOT_MIN;
    if (mss > TRK_SLOT_MAX + TRK_OPTION_BYTES)
        return TRK_SLOT_MAX;
    return (uint16_t)(mss - TRK_OPTION_BYTES);
}

/* The rest of the path reads a spend through its request, so a SYN is given one: no parts, only its input. */
static void fill_request(const struct trk_open *open, const struct trk_spend *spend, const struct trk_serve_config *config,
                         uint16_t slot, struct trk_request *out)
{
    out->form = TRK_FORM_OPEN;
    out->want_long = false;
    out->id = spend->id;
    out->domain = config->domain;
    out->generation = 0;
    out->address_tag = spend->address_tag;
    out->epoch = spend->epoch->epoch;
    out->slot = out->fill = slot;
    out->reserve = 0;
    out->restart_kind = out->attempt = 0;
    out->n_parts = out->n_conts = 0;
    out->has_input = open->has_input;
    out->placed = false;
    out->input_end = open->input_end;
    out->input_cont = 0xff;
    out->input_offset = 0;
    out->input = open->input;
    out->input_bytes = open->input_bytes;
}

enum trk_verdict trk_check_open(const struct trk_segment *seg, const struct trk_keys *keys, const struct trk_serve_config *config,
                                uint64_t now_ms, struct trk_spend *out)
{
    struct trk_open open;
    enum trk_verdict v = trk_open_parse(seg->payload, seg->payload_bytes, &open);
    if (v != TRK_V_ACCEPTED)
        return v;
    const struct trk_epoch *epoch = trk_keys_current(keys);
    if (!epoch)
        return TRK_V_UNKNOWN_EPOCH;
    out->type = TRK_SPEND_OPEN;
    out->epoch = epoch;
    out->tick = trk_tick(now_ms);
    out->id.h = trk_conn_hash(epoch, open.random, &seg->flow);
    out->id.t = out->tick;
    out->isn = trk_conn_isn(out->id.h);
    out->address_tag = trk_address_tag(epoch, &seg->flow.src, seg->flow.sport);
    fill_request(&open, out, config, slot_of(seg, config), &out->request);
    return TRK_V_ACCEPTED;
}
