/* REQUEST and RESTART: a shared header, parts, continuations, input. */
#include "wire/part.h"

enum { REQUEST_WANT_LONG = 1, REQUEST_INPUT = 2, REQUEST_INPUT_END = 4, REQUEST_PLACED = 8 };
enum { REQUEST_FLAGS = REQUEST_WANT_LONG | REQUEST_INPUT | REQUEST_INPUT_END | REQUEST_PLACED };

static bool asks_fit_conts(const struct trk_request *m, const struct trk_part *part)
{
    for (size_t i = 0; i < part->n_asks; i++) {
        const struct trk_ask *ask = &part->asks[i];
        if (ask->cont == TRK_ASK_INPUT) {
            if (!m->has_input || m->placed)
                return false;
            continue;
        }
        if (ask->cont >= m->n_conts)
            return false;
        const struct trk_ucont_view *cont = &m->conts[ask->cont];
        if (cont->type != TRK_UCONT_OUTPUT || ask->offset < cont->first || ask->offset + ask->bytes > cont->second)
            return false;
    }
    return true;
}

/* Bytes by position lie in their range; none at all are sent to say where the stream ends. */
static bool placed_ok(const struct trk_request *m)
{
    if (m->input_cont >= m->n_conts || m->conts[m->input_cont].type != TRK_UCONT_RANGE)
        return false;
    const struct trk_ucont_view *range = &m->conts[m->input_cont];
    return m->input_offset >= range->first && m->input_offset <= range->second &&
           m->input_bytes <= range->second - m->input_offset && (m->input_bytes > 0 || m->input_end);
}

/* The offset that the input's continuation says, or its own; false if that is not an input continuation. */
static bool input_offset(const struct trk_request *m, uint64_t *offset)
{
    *offset = m->placed ? m->input_offset : 0;
    if (!m->has_input)
        return !m->input_end && !m->placed && m->input_bytes == 0;
    if (m->placed)
        return placed_ok(m);
    if (m->input_cont == TRK_ASK_INPUT)
        return true;
    if (m->input_cont >= m->n_conts || m->conts[m->input_cont].type != TRK_UCONT_INPUT)
        return false;
    *offset = m->conts[m->input_cont].first;
    return m->input_bytes <= TRK_OFFSET_MAX - *offset;
}

/* Every bound that parse promises, and emit keeps. */
static bool request_ok(const struct trk_request *m)
{
    uint64_t offset;
    bool restart = m->form == TRK_FORM_RESTART;
    if (!trk_slot_ok(m->slot) || m->fill < TRK_SLOT_MIN || m->fill > m->slot || m->reserve > m->fill)
        return false;
    if (m->n_parts < 1 || m->n_parts > (restart ? 1 : TRK_PARTS_MAX) || m->n_conts > TRK_CONTS_MAX)
        return false;
    if (restart && (m->attempt == 0 || m->restart_kind < TRK_RESTART_TIMEOUT || m->restart_kind > TRK_RESTART_RESUME
                    || m->parts[0].m != 1 || m->parts[0].terminal_ask))
        return false;
    for (size_t i = 0; i < m->n_parts; i++)
        if (!trk_part_ok(&m->parts[i]) || !asks_fit_conts(m, &m->parts[i]))
            return false;
    return input_offset(m, &offset) && offset == m->input_offset;
}

static enum trk_verdict get_header(struct trk_reader *r, struct trk_request *out)
{
    out->form = TRK_FORM_REQUEST;
    enum trk_verdict v = trk_get_form(r, TRK_FORM_REQUEST);
    if (v == TRK_V_BAD_FORM) {
        out->form = TRK_FORM_RESTART;
        v = trk_get_form(r, TRK_FORM_RESTART);
    }
    if (v != TRK_V_ACCEPTED)
        return v;
    uint8_t flags = (uint8_t)trk_get(r, 1);
    out->want_long = flags & REQUEST_WANT_LONG;
    out->has_input = flags & REQUEST_INPUT;
    out->input_end = flags & REQUEST_INPUT_END;
    out->placed = flags & REQUEST_PLACED;
    out->id = trk_get_id(r);
    out->domain = (uint32_t)trk_get(r, 4);
    out->epoch = (uint8_t)trk_get(r, 1);
    out->generation = (uint32_t)trk_get(r, 4);
    out->address_tag = (uint32_t)trk_get(r, 4);
    out->slot = (uint16_t)trk_get(r, 2);
    out->fill = (uint16_t)trk_get(r, 2);
    out->reserve = (uint16_t)trk_get(r, 2);
    uint8_t counts = (uint8_t)trk_get(r, 1);
    out->n_parts = counts >> 4;
    out->n_conts = counts & 0x0f;
    bool restart = out->form == TRK_FORM_RESTART;
    out->restart_kind = restart ? (uint8_t)trk_get(r, 1) : 0;
    out->attempt = restart ? (uint8_t)trk_get(r, 1) : 0;
    return trk_outcome(r, !(flags & ~REQUEST_FLAGS)
                       && out->n_parts <= TRK_PARTS_MAX && out->n_conts <= TRK_CONTS_MAX);
}

static void get_input(struct trk_reader *r, struct trk_request *out)
{
    out->input_cont = out->has_input ? (uint8_t)trk_get(r, 1) : TRK_ASK_INPUT;
    out->input_offset = out->has_input && out->placed ? trk_get(r, 8) : 0;
    out->input_bytes = out->has_input ? (uint32_t)trk_left(r) : 0;
    out->input = out->has_input ? trk_take(r, out->input_bytes) : NULL;
}

enum trk_verdict trk_request_parse(const uint8_t *p, size_t n, struct trk_request *out)
{
    struct trk_reader r = trk_reader_init(p, n);
    if (n > UINT16_MAX)
        return TRK_V_BAD_FIELD;
    enum trk_verdict v = get_header(&r, out);
    if (v != TRK_V_ACCEPTED)
        return v;
    for (size_t i = 0; i < out->n_parts; i++) {
        bool kept = trk_get_part(&r, &out->parts[i]);
        if (!kept || r.truncated || r.malformed)
            return trk_outcome(&r, false);
    }
    for (size_t i = 0; i < out->n_conts; i++)
        if ((v = trk_get_ucont(&r, &out->conts[i])) != TRK_V_ACCEPTED)
            return v;
    get_input(&r, out);
    if (r.truncated)
        return TRK_V_TRUNCATED;
    if (!input_offset(out, &out->input_offset))
        return TRK_V_BAD_FIELD;
    return trk_outcome(&r, trk_left(&r) == 0 && request_ok(out));
}

static void put_header(struct trk_writer *w, const struct trk_request *m)
{
    trk_put(w, trk_first_byte(m->form), 1);
    trk_put(w, (m->want_long ? REQUEST_WANT_LONG : 0) | (m->has_input ? REQUEST_INPUT : 0)
               | (m->input_end ? REQUEST_INPUT_END : 0) | (m->placed ? REQUEST_PLACED : 0), 1);
    trk_put_id(w, m->id);
    trk_put(w, m->domain, 4);
    trk_put(w, m->epoch, 1);
    trk_put(w, m->generation, 4);
    trk_put(w, m->address_tag, 4);
    trk_put(w, m->slot, 2);
    trk_put(w, m->fill, 2);
    trk_put(w, m->reserve, 2);
    trk_put(w, (uint64_t)(m->n_parts << 4 | m->n_conts), 1);
    if (m->form == TRK_FORM_RESTART) {
        trk_put(w, m->restart_kind, 1);
        trk_put(w, m->attempt, 1);
    }
}

size_t trk_request_emit(const struct trk_request *m, uint8_t *out, size_t cap)
{
    if ((m->form != TRK_FORM_REQUEST && m->form != TRK_FORM_RESTART) || m->n_conts > TRK_CONTS_MAX)
        return 0;
    for (size_t i = 0; i < m->n_conts; i++)
        if (!trk_ucont_view_ok(&m->conts[i], 0))
            return 0;
    if (!request_ok(m))
        return 0;
    struct trk_writer w = trk_writer_init(out, cap < UINT16_MAX ? cap : UINT16_MAX);
    put_header(&w, m);
    for (size_t i = 0; i < m->n_parts; i++)
        trk_put_part(&w, &m->parts[i]);
    for (size_t i = 0; i < m->n_conts; i++)
        trk_put_bytes(&w, m->conts[i].bytes, m->conts[i].total_bytes);
    if (m->has_input) {
        trk_put(&w, m->input_cont, 1);
        if (m->placed)
            trk_put(&w, m->input_offset, 8);
        trk_put_bytes(&w, m->input, m->input_bytes);
    }
    return trk_written(&w, out);
}
