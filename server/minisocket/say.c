/* say.c - what the application says in answer to an event: continuations and bytes, kept until msk_reply. */
#include <errno.h>
#include <string.h>
#include "server.h"

static int set_opaque(struct trk_ucont *u, struct msk_bytes b, size_t limit)
{
    if (b.bytes > limit)
        return -EMSGSIZE;
    if (b.bytes > 0)
        memcpy(u->opaque, b.data, b.bytes);
    u->opaque_bytes = (uint16_t)b.bytes;
    return 0;
}

/* Where the input continuation stands after `consumed` more. The end of the stream is one unit, and the last. */
static void set_consumed(struct trk_ucont *u, const struct msk_input *in, uint64_t consumed)
{
    uint64_t last = in->end ? in->bytes + 1 : TRK_OFFSET_MAX - in->offset;
    if (consumed > last)
        consumed = last;
    u->type = TRK_UCONT_INPUT;
    u->flags = in->end && consumed == last ? TRK_UCONT_FIN : 0;
    u->first = in->offset + consumed;
}

/* Offsets that travel behind the opaque bytes: of a range, where the output of its input begins; of an output of unknown
 * length, how much input was consumed before it. */
static void add_offset(struct trk_ucont *u, uint64_t offset)
{
    for (int i = 0; i < MSK_OFFSET_TRAILER; i++)
        u->opaque[u->opaque_bytes++] = (uint8_t)(offset >> (56 - 8 * i));
}

int msk_more(struct minisock *m, uint64_t consumed, struct msk_bytes input)
{
    const struct msk_input *in = &m->event.input;
    struct trk_ucont *u = &m->result.input;
    if (m->state == MSK_FREE)
        return -EBADF;
    if (!in->present || m->result.fate != TRK_INPUT_NONE)
        return -EINVAL;
    int rc = set_opaque(u, input, MSK_OPAQUE_MAX);
    if (rc != 0)
        return rc;
    set_consumed(u, in, consumed);
    u->second = in->output_offset;
    m->result.fate = TRK_INPUT_MORE;
    return 0;
}

int msk_more_range(struct minisock *m, uint64_t consumed, uint64_t length, struct msk_bytes range, struct msk_bytes input)
{
    const struct msk_input *in = &m->event.input;
    struct trk_result *result = &m->result;
    if (m->state == MSK_FREE)
        return -EBADF;
    if (!in->present || in->placed || result->fate != TRK_INPUT_NONE || consumed > in->bytes)
        return -EINVAL;
    if (length == 0 || length > TRK_OFFSET_MAX - in->offset - consumed)
        return -ERANGE;
    int rc = set_opaque(&result->range, range, MSK_OPAQUE_MAX - MSK_OFFSET_TRAILER);
    if (rc == 0)
        rc = set_opaque(&result->input, input, MSK_OPAQUE_MAX);
    if (rc != 0)
        return rc;
    result->range.type = TRK_UCONT_RANGE;
    result->range.flags = 0;
    result->range.first = in->offset + consumed;
    result->range.second = result->range.first + length;
    add_offset(&result->range, in->output_offset);
    result->input.type = TRK_UCONT_INPUT;
    result->input.flags = 0;
    result->input.first = result->range.second;
    result->input.second = in->output_offset;
    result->fate = TRK_INPUT_MORE;
    result->has_range = true;
    return 0;
}

int msk_taken(struct minisock *m)
{
    if (m->state == MSK_FREE)
        return -EBADF;
    if (!m->event.input.present || !m->event.input.placed || m->result.fate != TRK_INPUT_NONE)
        return -EINVAL;
    m->result.fate = TRK_INPUT_TAKEN;
    return 0;
}

int msk_done(struct minisock *m, const struct msk_output *o)
{
    const struct msk_input *in = &m->event.input;
    struct trk_result *result = &m->result;
    bool unknown = o->length == MSK_LENGTH_UNKNOWN;
    if (m->state == MSK_FREE)
        return -EBADF;
    if (result->fate != TRK_INPUT_NONE || (!in->present && (m->event.type != MSK_OPEN || o->consumed > 0)))
        return -EINVAL;
    if (!unknown && o->length > TRK_OFFSET_MAX - in->output_offset)
        return -EINVAL;
    int rc = set_opaque(&result->output, o->output, unknown ? MSK_OPAQUE_MAX - MSK_OFFSET_TRAILER : MSK_OPAQUE_MAX);
    if (rc == 0)
        rc = set_opaque(&result->input, o->input, MSK_OPAQUE_MAX);
    if (rc != 0)
        return rc;
    set_consumed(&result->input, in, o->consumed);
    result->input.second = unknown ? TRK_OFFSET_UNKNOWN : in->output_offset + o->length;
    result->output.type = TRK_UCONT_OUTPUT;
    result->output.flags = (o->last && !unknown ? TRK_UCONT_FIN : 0) | (o->encrypt ? TRK_UCONT_ENCRYPTED : 0);
    result->output.first = in->output_offset;
    result->output.second = result->input.second;
    if (unknown)                       /* its end has to say where the next input begins */
        add_offset(&result->output, result->input.first);
    result->fate = TRK_INPUT_DONE;
    result->opens_output = !in->present;
    return 0;
}

int msk_setucont(struct minisock *m, int pkt, const void *opaque, size_t bytes)
{
    struct msk_bytes b = { opaque, bytes };
    struct trk_ucont *output = &m->result.output;
    if (m->state == MSK_FREE)
        return -EBADF;
    if (pkt >= 0)
        return msk_renew(m, (size_t)pkt, opaque, bytes);
    if (pkt == MSK_UCONT_INPUT && m->result.fate != TRK_INPUT_NONE)
        return set_opaque(&m->result.input, b, MSK_OPAQUE_MAX);
    if (pkt != MSK_UCONT_OUTPUT || m->result.fate != TRK_INPUT_DONE)
        return -EINVAL;
    bool unknown = output->second == TRK_OFFSET_UNKNOWN;
    int rc = set_opaque(output, b, unknown ? MSK_OPAQUE_MAX - MSK_OFFSET_TRAILER : MSK_OPAQUE_MAX);
    if (rc == 0 && unknown)
        add_offset(output, m->result.input.first);
    return rc;
}

int msk_encrypt_input(struct minisock *m)
{
    if (m->state == MSK_FREE)
        return -EBADF;
    if (m->result.fate == TRK_INPUT_NONE && !m->result.next_input)
        return -EINVAL;
    m->result.input.flags |= TRK_UCONT_ENCRYPTED;
    m->result.range.flags |= TRK_UCONT_ENCRYPTED;
    m->next_input.flags |= TRK_UCONT_ENCRYPTED;
    return 0;
}

/* Data in msk_room stays until the outbox has left; any other memory is the application's, and may change after reply. */
static void note_memory(struct minisock *m, const void *data, size_t bytes)
{
    struct msk_outbox *o = &m->server->outbox;
    uintptr_t room = (uintptr_t)(o->room + o->room_used), at = (uintptr_t)data;
    if (m->server->room_owner != m || at < room || at + bytes > room + MSK_ANSWER_BYTES_MAX) {
        m->foreign = true;
        return;
    }
    uint32_t end = (uint32_t)(at + bytes - room);
    if (end > m->room_used)
        m->room_used = end;
    if (o->room_used + end > o->room_touched)
        o->room_touched = o->room_used + end;
}

int msk_give_kept(struct minisock *m, size_t i, const void *data, size_t bytes)
{
    struct msk_range r;
    int rc = msk_range(m, i, &r);
    if (rc != 0)
        return rc;
    if (bytes > r.bytes)
        return -EINVAL;
    m->result.given[i].data = data;
    m->result.given[i].bytes = (uint32_t)bytes;
    return 0;
}

int msk_give(struct minisock *m, size_t i, const void *data, size_t bytes)
{
    int rc = msk_give_kept(m, i, data, bytes);
    if (rc == 0 && bytes > 0)
        note_memory(m, data, bytes);
    return rc;
}

/* The output of range i, of a length that is not known; NULL: there is none such. */
static const struct trk_ucont *unknown_output(const struct minisock *m, size_t i)
{
    uint8_t cont = m->plan.wants[i].cont;
    const struct trk_ucont *u = cont == TRK_ASK_INPUT ? &m->result.output : &m->spend.conts[cont];
    if (cont == TRK_ASK_INPUT && m->result.fate != TRK_INPUT_DONE)
        return NULL;
    return u->second == TRK_OFFSET_UNKNOWN ? u : NULL;
}

/* An output ends once: whatever else of it is given in this answer lies before. */
static bool ends_there(const struct minisock *m, size_t i, uint64_t end)
{
    for (size_t j = 0; j < m->plan.n_wants; j++) {
        uint64_t offset = m->plan.wants[j].offset, given = m->result.given[j].bytes;
        if (j == i || m->plan.wants[j].cont != m->plan.wants[i].cont)
            continue;
        if (given > 0 && offset + given > end)
            return false;
        if (offset + given < end && given < m->plan.wants[j].bytes && m->result.given[j].data)
            return false;              /* it was given all there is, they said */
    }
    return true;
}

int msk_give_end(struct minisock *m, size_t i, const void *data, size_t bytes, struct msk_bytes next_input, bool last)
{
    struct msk_range r;
    int rc = msk_range(m, i, &r);
    if (rc != 0)
        return rc;
    const struct trk_ucont *u = unknown_output(m, i);
    uint64_t end = m->plan.wants[i].offset + bytes;
    if (!u || bytes > r.bytes || m->result.next_input || !ends_there(m, i, end))
        return -EINVAL;
    rc = set_opaque(&m->next_input, next_input, MSK_OPAQUE_MAX);
    if (rc != 0)
        return rc;
    msk_give(m, i, data, bytes);
    m->next_input.type = TRK_UCONT_INPUT;
    m->next_input.flags = 0;
    m->next_input.first = msk_trailing_offset(u);
    m->next_input.second = end;
    m->result.next_input = &m->next_input;
    m->result.given[i].end = true;
    m->result.given[i].fin = last;
    return 0;
}

int msk_give_until(struct minisock *m, size_t i, const void *data, size_t bytes, uint64_t end, struct msk_bytes next_input, bool last)
{
    struct msk_range r;
    int rc = msk_range(m, i, &r);
    if (rc != 0)
        return rc;
    if (!unknown_output(m, i) || end < r.first)
        return -EINVAL;
    uint64_t before = r.offset < end ? end - r.offset : 0;
    if (r.offset > end || r.bytes < before)
        return msk_give(m, i, data, r.offset > end ? 0 : bytes < r.bytes ? bytes : r.bytes);
    if (bytes < before || m->result.next_input)    /* the end comes with the rest, or was said for another range */
        return msk_give(m, i, data, bytes < before ? bytes : (size_t)before);
    return msk_give_end(m, i, data, (size_t)before, next_input, last);
}
