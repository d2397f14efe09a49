#include "client/internal.h"

bool trk_input_ready(const struct trk_client *c)
{
    if (c->input_state == TRK_IN_PLACING)
        return trk_placing_ready(c);
    if (c->input_state != TRK_IN_IDLE || c->input_ended || c->finished || c->input_stuck || c->n_conts == TRK_CLIENT_CONTS)
        return false;
    return c->written > c->consumed || c->input_ending;
}

/* An output is read to its end, but numbers that were asked for behind it are still on their way: headers. Together with
 * them the next input would have to leave on the numbers that are kept, and would find as much window as is guessed for an
 * answer of unknown length. Once they are here it resumes, finds the whole window and is cut where its output ends. They
 * follow the end at once, if at all. (A server without a filter cannot attest such a resume.) */
uint64_t trk_input_due(const struct trk_client *c)
{
    if (!trk_input_ready(c))
        return TRK_NEVER;
    if (c->input_state == TRK_IN_PLACING)
        return 0;
    bool headers_only = c->received_to == c->output_end && trk_wanted_bytes(c) == 0 && c->n_expected > 0;
    return headers_only && !c->no_filter && !c->attempt && c->output_end > 0 ? c->progress_us + c->srtt_us / 8 : 0;
}

void trk_input_lost(struct trk_client *c)
{
    if (c->input_state == TRK_IN_OUTSTANDING)
        c->input_state = TRK_IN_IDLE;
}

uint32_t trk_input_copy(const struct trk_client *c, uint64_t offset, uint8_t *out, uint32_t max)
{
    uint64_t have = c->written > offset ? c->written - offset : 0;
    uint32_t n = have < max ? (uint32_t)have : max;
    uint32_t size = c->config.send_bytes, at = (uint32_t)(offset & (size - 1));
    uint32_t first = n < size - at ? n : size - at;
    memcpy(out, c->config.send_buffer + at, first);
    memcpy(out + first, c->config.send_buffer, n - first);
    return n;
}

/* consumed is a stream offset; the end of the stream counts as one unit after the last byte. */
static void consume_to(struct trk_client *c, uint64_t consumed)
{
    c->consumed = consumed;
    if (c->input_ending && consumed > c->written) {
        c->input_ended = true;
        c->consumed = c->written;
    }
    if (c->written < c->consumed && c->input_ending)
        c->input_ended = true;
}

/* How long answers are, for the next one of unknown length (PROTOCOL.md 7, asking). */
static void answer_length(struct trk_client *c, uint64_t bytes)
{
    uint64_t packets = bytes / (c->fill - TRK_NORMAL_BYTES) + 1;
    c->last_answer_pkts = packets < TRK_CLIENT_NUMBERS ? (uint32_t)packets : TRK_CLIENT_NUMBERS;
}

static void keep_cont(struct trk_client *c, const struct trk_ucont_view *v)
{
    memcpy(c->input_cont, v->bytes, v->total_bytes);
    c->input_cont_bytes = v->total_bytes;
    c->next_free = v->second;
}

/* The running output of unknown length ends with this packet; the next input's continuation comes with it. */
static void output_ends(struct trk_client *c, const struct trk_answer *m, const struct trk_origin *origin)
{
    if (c->input_state != TRK_IN_HELD_BACK || !trk_output_open_ended(c))
        return;
    if (!origin->known || (origin->input && !origin->input->accepted))       /* the end of an output that is not ours */
        return;
    /* A late END of the output before this one stands where this one begins, but its next input is this one's. */
    if (!m->n_conts || m->conts[0].type != TRK_UCONT_INPUT || m->conts[0].first < c->consumed)
        return;
    keep_cont(c, &m->conts[0]);
    answer_length(c, m->offset + m->data_bytes - c->conts[c->n_conts - 1].begin);
    trk_output_known(c, m->offset + m->data_bytes, m->flags & TRK_F_FIN);
    c->input_state = TRK_IN_IDLE;
}

/* The bytes before the range are consumed, those of the range leave by position, and `in` is for what follows. */
static void input_by_position(struct trk_client *c, const struct trk_ucont_view *in, const struct trk_ucont_view *range)
{
    if (range->first < c->consumed)
        return;
    trk_forget_early(c);
    consume_to(c, range->first);
    keep_cont(c, in);
    trk_placing_begin(c, range);
}

static void input_more(struct trk_client *c, const struct trk_ucont_view *in)
{
    /* Without progress the same bytes again would bring the same answer. */
    c->input_stuck = in->first == c->consumed && c->input_sent_to >= c->written && !c->input_ending;
    trk_forget_early(c);
    consume_to(c, in->first);
    keep_cont(c, in);
    c->input_state = TRK_IN_IDLE;
}

static void input_done(struct trk_client *c, const struct trk_ucont_view *in, const struct trk_ucont_view *out, struct trk_input_sent *input)
{
    bool idle = in->first == c->consumed && out->second == out->first && !(out->flags & TRK_UCONT_FIN);
    if (out->first != c->output_end || idle)
        return;
    if (c->early && c->early_request != input->end)
        trk_forget_early(c);
    c->early = false;
    consume_to(c, in->first);
    keep_cont(c, in);
    c->input_state = TRK_IN_IDLE;
    if (!trk_output_cont_add(c, out))
        return;
    input->accepted = true;
    c->reserve = (uint16_t)(in->total_bytes + out->total_bytes);
    if (out->second == TRK_OFFSET_UNKNOWN)
        c->input_state = TRK_IN_HELD_BACK;
    else
        answer_length(c, out->second - out->first);
}

void trk_input_answer(struct trk_client *c, const struct trk_answer *m, const struct trk_origin *origin)
{
    bool waited_for = c->input_state == TRK_IN_OUTSTANDING || c->input_state == TRK_IN_PLACING;
    bool ours = waited_for && origin->input && origin->input->offset == c->consumed &&
                m->n_conts && m->conts[0].type == TRK_UCONT_INPUT && m->conts[0].first >= c->consumed;    /* else another answer was first */
    if (ours && m->flags & (TRK_F_MORE | TRK_F_DONE))
        c->large_missed = 0;                         /* what was missed of it was no larger than this */
    if (ours && m->flags & TRK_F_MORE && m->flags & TRK_F_PLACED)
        input_by_position(c, &m->conts[0], &m->conts[1]);
    else if (ours && m->flags & TRK_F_MORE)
        input_more(c, &m->conts[0]);
    else if (ours && m->flags & TRK_F_DONE && m->n_conts == 2 && m->conts[1].type == TRK_UCONT_OUTPUT)
        input_done(c, &m->conts[0], &m->conts[1], origin->input);
    if (m->flags & TRK_F_END)
        output_ends(c, m, origin);
}

uint32_t trk_client_writable(const struct trk_client *c)
{
    if (c->finished)
        return c->config.send_bytes;
    uint64_t held = c->written > c->consumed ? c->written - c->consumed : 0;
    return c->config.send_bytes - (uint32_t)held;
}

uint32_t trk_client_unsent(const struct trk_client *c)
{
    if (c->finished || c->input_ended)
        return 0;
    uint64_t held = c->written > c->consumed ? c->written - c->consumed : 0;
    return (uint32_t)held + (c->input_ending ? 1 : 0);
}

uint32_t trk_client_write(struct trk_client *c, const uint8_t *data, uint32_t bytes, uint64_t now_us)
{
    if (c->input_ending)
        return 0;
    uint32_t taken = 0;
    if (c->written < c->consumed) {                  /* the server does not want these (PROTOCOL.md 7, input) */
        uint64_t skip = c->consumed - c->written;
        taken = skip < bytes ? (uint32_t)skip : bytes;
        c->written += taken;
    }
    uint32_t room = trk_client_writable(c), n = bytes - taken < room ? bytes - taken : room;
    if (c->finished) {                               /* after the end of output nobody reads this any more */
        c->written += n;
        c->consumed = c->written;
    } else {
        uint32_t size = c->config.send_bytes, at = (uint32_t)(c->written & (size - 1));
        uint32_t first = n < size - at ? n : size - at;
        memcpy(c->config.send_buffer + at, data + taken, first);
        memcpy(c->config.send_buffer, data + taken + first, n - first);
        c->written += n;
    }
    c->stats.bytes_written += taken + n;
    if (n)
        c->input_stuck = false;
    if (n && c->state == TRK_CLIENT_OPEN)
        trk_run(c, now_us);
    return taken + n;
}

void trk_client_shutdown(struct trk_client *c, uint64_t now_us)
{
    if (c->input_ending)
        return;
    c->input_ending = true;
    c->input_stuck = false;
    if (c->written < c->consumed)
        c->input_ended = true;                       /* whatever would have come was discarded in advance */
    if (c->state == TRK_CLIENT_OPEN)
        trk_run(c, now_us);
}
