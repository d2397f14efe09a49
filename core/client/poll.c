/* poll.c - what leaves: the SYN, requests from the outbox, CLOSE and RST. */
#include "client/internal.h"

#define RESTART_COPIES 5
#define SYN_OPTION_BYTES 24            /* marker 4, MSS 4, SACK 2, timestamp 10, window scale 3, padding */

/* Stands before each request in the outbox. copies: that still have to leave. */
struct entry { uint16_t bytes; uint8_t copies; bool has_input; uint64_t input_offset, output_from, granted; };

uint8_t *trk_outbox_room(struct trk_client *c, uint32_t bytes)
{
    if (c->outbox_head == c->outbox_end)
        c->outbox_head = c->outbox_end = 0;
    if (c->outbox_end + sizeof(struct entry) + bytes > TRK_CLIENT_OUTBOX && c->outbox_head) {
        memmove(c->outbox, c->outbox + c->outbox_head, c->outbox_end - c->outbox_head);
        c->outbox_end -= c->outbox_head;
        c->outbox_head = 0;
    }
    if (c->outbox_end + sizeof(struct entry) + bytes > TRK_CLIENT_OUTBOX)
        return NULL;
    return c->outbox + c->outbox_end + sizeof(struct entry);
}

/* Nothing else is on its way when the timer restarts, so only longer and longer timers would mend the loss of a restart,
 * where TCP has a window of acknowledgements. So it leaves several times: a server with a filter honours one copy, and all
 * of them together are shorter than the packet that TCP would send again. */
static uint8_t copies_of(const struct trk_client *c, uint8_t form)
{
    if (form != TRK_FORM_RESTART || c->no_filter || !c->backoff || c->attempt >= TRK_ATTEMPTS_MAX)
        return 1;
    return c->backoff == 1 ? RESTART_COPIES - 1 : RESTART_COPIES;
}

void trk_outbox_push(struct trk_client *c, uint32_t bytes, bool has_input, uint64_t input_offset, uint64_t granted)
{
    struct entry e;
    memset(&e, 0, sizeof e);
    e.bytes = (uint16_t)bytes;
    e.copies = copies_of(c, c->outbox[c->outbox_end + sizeof e] & 15);
    e.has_input = has_input;
    e.input_offset = input_offset;
    e.output_from = c->next_free;
    e.granted = granted;
    memcpy(c->outbox + c->outbox_end, &e, sizeof e);
    c->outbox_end += (uint32_t)sizeof e + bytes;
}

/* Requests end at ascending sequence numbers: bisect what the ring still holds. */
struct trk_sent *trk_sent_find(struct trk_client *c, uint32_t ack)
{
    if (c->last_found && c->last_found->end == ack)
        return c->last_found;
    uint32_t hi = c->n_sent, lo = hi > TRK_CLIENT_SENT ? hi - TRK_CLIENT_SENT : 0;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        struct trk_sent *s = &c->sent[mid % TRK_CLIENT_SENT];
        if (s->end == ack)
            return c->last_found = s;
        if ((int32_t)(s->end - ack) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return NULL;
}

#define LATE_BYTES_MAX (1u << 24)      /* an answer that is later than this is nobody's */

struct trk_origin trk_origin_of(struct trk_client *c, uint32_t ack)
{
    uint32_t kept = c->n_inputs < TRK_CLIENT_INPUTS ? c->n_inputs : TRK_CLIENT_INPUTS;
    for (uint32_t i = 1; i <= kept; i++) {
        struct trk_input_sent *s = &c->inputs[(c->n_inputs - i) % TRK_CLIENT_INPUTS];
        if (s->end == ack)
            return (struct trk_origin){ true, s };
    }
    bool before_all = c->n_inputs > TRK_CLIENT_INPUTS && c->inputs[c->n_inputs % TRK_CLIENT_INPUTS].end - ack < LATE_BYTES_MAX;
    return (struct trk_origin){ !before_all, NULL };
}

static void note_sent(struct trk_client *c, const struct entry *e, uint64_t now_us)
{
    if (c->last_found == &c->sent[c->n_sent % TRK_CLIENT_SENT])
        c->last_found = NULL;
    c->sent[c->n_sent++ % TRK_CLIENT_SENT] = (struct trk_sent){ .end = c->seq, .sent_us = now_us, .granted = e->granted };
    if (e->has_input)
        c->inputs[c->n_inputs++ % TRK_CLIENT_INPUTS] = (struct trk_input_sent){ .end = c->seq, .offset = e->input_offset, .output_from = e->output_from };
    if (c->n_sent == 2 * (1u << 30)) {
        c->n_sent = 1u << 30;                        /* a multiple of the ring's size: places stay */
        c->answered_to = c->answered_to > 1u << 30 ? c->answered_to - (1u << 30) : 0;
    }
    for (uint32_t i = 0; i < c->n_terminals; i++)
        if (!c->terminals[i].sent) {
            c->terminals[i].sent = true;
            c->terminals[i].request_end = c->seq;
        }
}

static size_t emit(struct trk_client *c, uint8_t flags, const uint8_t *message, uint32_t bytes, uint8_t *packet, size_t cap)
{
    struct trk_segment seg = { .flow = c->config.flow, .seq = c->seq, .ack = c->ack, .flags = flags, .marked = true, .window = TRK_WINDOW, .payload_bytes = bytes };
    size_t head = trk_segment_emit(&seg, packet, cap);
    if (!head || head + bytes > cap)
        return 0;
    if (bytes)                                       /* a RST has no message */
        memcpy(packet + head, message, bytes);
    c->seq += bytes;
    c->stats.segments_sent++;
    return head + bytes;
}

static size_t poll_request(struct trk_client *c, uint64_t now_us, uint8_t *packet, size_t cap)
{
    if (c->outbox_head == c->outbox_end)
        return 0;
    struct entry e;
    memcpy(&e, c->outbox + c->outbox_head, sizeof e);
    size_t n = emit(c, TRK_ACK, c->outbox + c->outbox_head + sizeof e, e.bytes, packet, cap);
    if (!n)
        return 0;
    if (--e.copies)
        memcpy(c->outbox + c->outbox_head, &e, sizeof e);
    else
        c->outbox_head += (uint32_t)sizeof e + e.bytes;
    note_sent(c, &e, now_us);
    return n;
}

static size_t poll_close(struct trk_client *c, uint8_t *packet, size_t cap)
{
    if (c->closing == 1) {
        struct trk_close m = { .id = c->id, .generation = c->generation };
        uint8_t message[TRK_CLOSE_BYTES];
        c->closing = 2;
        return emit(c, TRK_ACK, message, (uint32_t)trk_close_emit(&m, message, sizeof message), packet, cap);
    }
    if (c->closing == 2) {
        c->closing = 0;
        return emit(c, TRK_RST | TRK_ACK, NULL, 0, packet, cap);
    }
    return 0;
}

/* SYNs leave like TCP's: after 1, 2, 4, ... seconds, faster if the caller has less time. */
static uint64_t syn_wait_us(const struct trk_client *c)
{
    uint64_t first = c->config.syn_timeout_ms * 1000ull / 4;
    if (first > 1000000)
        first = 1000000;
    return c->syns > 16 ? 64000000 : first << (c->syns - 1);
}

/* The answer may be as long as the SYN. The first one that carries data is as long as most paths take, so that a short answer
 * comes whole; where it is swallowed, the next one is of the size that every path takes. */
static size_t syn_payload(const struct trk_client *c)
{
    size_t most = c->config.mss - SYN_OPTION_BYTES, wanted = TRK_SYN_PAYLOAD;
    if (c->syn_input && !c->syns)
        wanted = TRK_SYN_PACKET - (c->config.flow.src.family == 4 ? 40 : 60) - SYN_OPTION_BYTES;
    return wanted < most ? wanted : most;
}

static size_t poll_syn(struct trk_client *c, uint64_t now_us, uint8_t *packet, size_t cap)
{
    uint64_t give_up = c->syn_started_us + c->config.syn_timeout_ms * 1000ull;
    if (now_us >= give_up) {
        c->state = TRK_CLIENT_TIMED_OUT;
        return 0;
    }
    if (now_us < c->syn_due_us)
        return 0;
    struct trk_open m = { .has_input = false };
    memcpy(m.random, c->config.random, sizeof m.random);
    uint8_t input[TRK_SYN_PAYLOAD], message[TRK_SYN_PAYLOAD_MAX];
    m.input = input;
    m.input_bytes = (uint16_t)trk_input_copy(c, c->consumed, input, c->syn_input);
    m.has_input = m.input_bytes > 0;
    size_t bytes = trk_open_emit(&m, message, syn_payload(c));
    struct trk_segment seg = { .flow = c->config.flow, .seq = c->config.iss, .flags = TRK_SYN, .marked = true, .window = TRK_WINDOW,
                               .mss = c->config.mss, .has_wscale = true, .wscale = TRK_WSCALE, .sack_ok = true, .has_timestamp = true,
                               .ts_value = (uint32_t)(now_us / 1000), .payload_bytes = (uint32_t)bytes };
    size_t head = trk_segment_emit(&seg, packet, cap);
    if (!head || !bytes || head + bytes > cap)
        return 0;
    memcpy(packet + head, message, bytes);
    c->syn_bytes = (uint16_t)bytes;
    if (!c->syns)
        c->syn_most = c->syn_bytes;
    c->syns++;
    c->progress_us = now_us;
    c->syn_due_us = now_us + syn_wait_us(c);
    c->stats.segments_sent++;
    return head + bytes;
}

size_t trk_client_poll(struct trk_client *c, uint64_t now_us, uint8_t *packet, size_t cap)
{
    if (c->state == TRK_CLIENT_OPENING)
        return poll_syn(c, now_us, packet, cap);
    if (c->state != TRK_CLIENT_OPEN)
        return poll_close(c, packet, cap);
    trk_run(c, now_us);
    if (now_us >= trk_batch_due(c))
        trk_flush(c);
    return poll_request(c, now_us, packet, cap);
}

uint64_t trk_client_next_timeout(const struct trk_client *c)
{
    if (c->state == TRK_CLIENT_OPENING) {
        uint64_t give_up = c->syn_started_us + c->config.syn_timeout_ms * 1000ull;
        return c->syn_due_us < give_up ? c->syn_due_us : give_up;
    }
    if (c->state != TRK_CLIENT_OPEN)
        return c->closing ? 0 : TRK_NEVER;
    if (c->outbox_head != c->outbox_end)
        return 0;
    uint64_t at = trk_batch_due(c);
    if (c->gap == c->next && c->n_held && c->gap_since_us != TRK_NEVER && c->gap_since_us + trk_reordering_window(c) < at)
        at = c->gap_since_us + trk_reordering_window(c);
    uint64_t input = trk_input_due(c);
    /* Held back, with a kept number to leave on (k* is always one, if it is not spent); 0: it has left, or waits for room. */
    if (input > c->progress_us && input < at && !c->cut_f && c->last < c->star)
        at = input;
    if (trk_busy(c) && trk_timer_due(c) < at)
        at = trk_timer_due(c);
    return at;
}

void trk_client_close(struct trk_client *c)
{
    if (c->state == TRK_CLIENT_OPEN) {
        c->closing = 1;
        c->outbox_head = c->outbox_end;
    }
    if (c->state == TRK_CLIENT_OPEN || c->state == TRK_CLIENT_OPENING || c->state == TRK_CLIENT_IDLE)
        c->state = TRK_CLIENT_CLOSED;
}
