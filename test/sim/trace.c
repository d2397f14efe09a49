#include "trace.h"

#include <inttypes.h>
#include <stdio.h>

#include "wire/messages.h"
#include "wire/segment.h"

/* What makes a normal answer's sequence number a number: learnt from the SYN's answer, for client 0..3. */
static struct { uint32_t isn; uint16_t slot; uint64_t near; } known[4];

void sim_trace_begin(void)
{
    for (unsigned i = 0; i < 4; i++)
        known[i].slot = 0;
}

static void trace_part(const struct trk_part *p, bool restart)
{
    printf(" %s k %" PRIu64, p->kind == TRK_OPENING ? "opening" : restart ? "" : "spend", p->k);
    if (p->m > 1)
        printf("..%" PRIu64, p->k + p->m - 1);
    printf(" piece {%" PRIu64 " %" PRIu32 " %" PRIu32 "} received", p->piece.base, p->piece.start, p->piece.ssthresh);
    for (unsigned i = 0; i < p->n_ranges; i++)
        printf(" %" PRIu64 "-%" PRIu64, p->ranges[i].left, p->ranges[i].right);
    printf(" grants");
    for (unsigned i = 0; i < p->n_grants; i++)
        printf(" [%" PRIu64 ",%" PRIu64 "]%s", p->grants[i].a, p->grants[i].b, p->grants[i].f < p->grants[i].b ? "cut" : "");
    printf("%s", p->n_asks ? " ask" : "");
    for (unsigned i = 0; i < p->n_asks; i++) {
        if (p->asks[i].cont == TRK_ASK_INPUT)
            printf(" %sinput's+%" PRIu32, i == 0 && p->terminal_ask ? "T:" : "", p->asks[i].bytes);
        else
            printf(" %s%" PRIu64 "+%" PRIu32, i == 0 && p->terminal_ask ? "T:" : "", p->asks[i].offset, p->asks[i].bytes);
    }
}

static void trace_request(const struct trk_segment *s)
{
    static struct trk_request r;

    if (trk_request_parse(s->payload, s->payload_bytes, &r) != TRK_V_ACCEPTED) {
        printf(" unreadable");
        return;
    }
    if (r.form == TRK_FORM_RESTART)
        printf(" %s attempt %u", r.restart_kind == TRK_RESTART_RESUME ? "RESUME" : "TIMEOUT", r.attempt);
    printf(" g %" PRIu32, r.generation);
    for (unsigned i = 0; i < r.n_parts; i++)
        trace_part(&r.parts[i], r.form == TRK_FORM_RESTART);
    if (r.has_input)
        printf(" input %" PRIu64 "+%" PRIu32 "%s", r.input_offset, r.input_bytes, r.input_end ? " end" : "");
    if (r.want_long)
        printf(" long");
}

static void trace_answer(unsigned client, const struct trk_segment *s)
{
    struct trk_answer a;
    uint64_t n;

    if (trk_answer_parse(s->payload, s->payload_bytes, &a) != TRK_V_ACCEPTED) {
        printf(" unreadable");
        return;
    }
    if (a.form == TRK_FORM_OPENED) {
        known[client].isn = s->seq + 1 - a.grant.slot;         /* the SYN takes one, number 1's payload follows */
        known[client].slot = a.grant.slot;
        known[client].near = 1;
    }
    n = a.n;
    if (n == 0 && known[client].slot && trk_number_of_seq(known[client].isn, s->seq, known[client].slot, known[client].near, &n))
        known[client].near = n;
    printf(" n %" PRIu64 " g %" PRIu32, n, a.grant.generation);
    if (a.form == TRK_FORM_OPENED || a.form == TRK_FORM_LONG)
        printf(" [%" PRIu64 ",%" PRIu64 "] f %" PRIu64 " piece {%" PRIu64 " %" PRIu32 " %" PRIu32 "}", a.grant.a, a.grant.b, a.grant.f,
               a.grant.piece.base, a.grant.piece.start, a.grant.piece.ssthresh);
    else if (a.form == TRK_FORM_NORMAL)
        printf(" [%" PRIu64 ",%" PRIu64 "]", n - a.n_minus_a, n - a.n_minus_a + a.b_minus_a);
    printf(" data %" PRIu64 "+%" PRIu32 "%s%s%s%s%s", a.offset, a.data_bytes, a.flags & TRK_F_MORE ? " MORE" : "", a.flags & TRK_F_DONE ? " DONE" : "",
           a.flags & TRK_F_END ? " END" : "", a.flags & TRK_F_FIN ? " FIN" : "", a.flags & TRK_F_REFRESH ? " REFRESH" : "");
    for (unsigned i = 0; i < a.n_conts; i++)
        printf(" %s(%" PRIu64 ",%" PRId64 "%s)", a.conts[i].type == TRK_UCONT_INPUT ? "in" : "out", a.conts[i].first, (int64_t)a.conts[i].second,
               a.conts[i].flags & TRK_UCONT_FIN ? ",fin" : "");
}

static void trace_message(unsigned client, const struct trk_segment *s)
{
    static const char *const names[16] = { [TRK_FORM_OPEN] = "OPEN", [TRK_FORM_REQUEST] = "REQUEST", [TRK_FORM_RESTART] = "RESTART",
        [TRK_FORM_CLOSE] = "CLOSE", [TRK_FORM_OPENED] = "OPENED", [TRK_FORM_LONG] = "LONG", [TRK_FORM_NORMAL] = "NORMAL",
        [TRK_FORM_TERMINAL] = "TERMINAL", [TRK_FORM_VERDICT] = "VERDICT" };
    struct trk_verdict_msg m;
    uint8_t form = 0;

    if (trk_form_of(s->payload, s->payload_bytes, &form) != TRK_V_ACCEPTED) {
        printf("flags %02x, no message", s->flags);
        return;
    }
    printf("%s", names[form & 15] ? names[form & 15] : "?");
    if (form == TRK_FORM_REQUEST || form == TRK_FORM_RESTART)
        trace_request(s);
    else if (form >= TRK_FORM_OPENED && form <= TRK_FORM_TERMINAL)
        trace_answer(client, s);
    else if (form == TRK_FORM_VERDICT && trk_verdict_msg_parse(s->payload, s->payload_bytes, &m) == TRK_V_ACCEPTED)
        printf(" code %s g %" PRIu32 " k %" PRIu64, trk_verdict_name(trk_verdict_of_code(m.code)), m.generation, m.k);
}

void sim_trace_packet(uint64_t now_us, unsigned client, const char *arrow, const uint8_t *packet, uint32_t bytes, const char *fate)
{
    struct trk_segment s;

    printf("%12.6f %u %s ", (double)now_us / 1e6, client, arrow);
    if (trk_segment_parse(packet, bytes, &s) == TRK_V_ACCEPTED)
        trace_message(client, &s);
    else
        printf("no segment of ours");
    printf(" (%" PRIu32 " bytes: %s)\n", bytes, fate);
}

void sim_trace_fate(uint64_t now_us, unsigned client, const char *who, const char *verdict, const uint8_t *packet, uint32_t bytes)
{
    struct trk_segment s;
    uint32_t seq = trk_segment_parse(packet, bytes, &s) == TRK_V_ACCEPTED ? s.seq : 0;

    printf("%12.6f %u    %s got seq %" PRIu32, (double)now_us / 1e6, client, who, seq);
    if (known[client].slot && who[0] == 'c')
        printf(" (n %.2f)", (double)(uint32_t)(seq - known[client].isn) / known[client].slot);
    printf(": %s\n", verdict);
}
