/* plan_open.c - the answer to a SYN: one packet, which must not amplify, as the address is not proven yet. */
#include "serve/plan.h"

/* SYN|ACK: IP and TCP header with marker, MSS and window scale, the last padded by one byte. */
static uint32_t syn_ack_header_bytes(uint8_t family) { return trk_header_bytes(family) + 4 + 4; }

enum trk_verdict trk_plan_open(const struct trk_spend *spend, const struct trk_serve_config *config, struct trk_plan *plan)
{
    (void)config;
    uint8_t family = spend->flow.src.family;
    uint32_t limit = trk_header_bytes(family) + spend->request.slot;     /* the path's largest packet */
    if (limit > spend->packet_bytes)
        limit = spend->packet_bytes;
    uint32_t headers = syn_ack_header_bytes(family) + TRK_OPENED_BYTES;
    if (limit < headers)
        return TRK_V_NO_ROOM;
    plan->form = TRK_FORM_OPENED;
    plan->may_input = spend->request.has_input;
    plan->room = limit - headers;
    struct trk_plan_grant *g = &plan->grants[plan->n_grants++];
    g->part = 0;
    g->carries_input = true;
    g->step = (struct trk_step){
        .mode = TRK_MODE_OPENING, .a = 1, .b = 1, .piece = { .base = 0, .start = TRK_IW, .ssthresh = TRK_SSTHRESH_NONE },
    };
    g->slices[0] = (struct trk_slice){ .offset = 0, .bytes = plan->room, .ask = 0 };
    if (plan->room > 0) {
        plan->n_wants = 1;
        plan->wants[0].cont = TRK_ASK_INPUT;
        plan->wants[0].offset = 0;
        plan->wants[0].bytes = plan->input_room = plan->room;
    }
    return TRK_V_ACCEPTED;
}
