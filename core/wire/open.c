/* OPEN, the payload of a SYN, and CLOSE, a client's last request. */
#include "wire/fields.h"

enum { OPEN_INPUT = 1, OPEN_INPUT_END = 2 };

static bool all_zero(const uint8_t *p, size_t n)
{
    uint8_t any = 0;
    for (size_t i = 0; i < n; i++)
        any |= p[i];
    return any == 0;
}

enum trk_verdict trk_open_parse(const uint8_t *p, size_t n, struct trk_open *out)
{
    struct trk_reader r = trk_reader_init(p, n);
    enum trk_verdict v = trk_get_form(&r, TRK_FORM_OPEN);
    if (v != TRK_V_ACCEPTED)
        return v;
    uint8_t flags = (uint8_t)trk_get(&r, 1);
    trk_get_bytes(&r, out->random, TRK_RANDOM_BYTES);
    out->input_bytes = (uint16_t)trk_get(&r, 2);
    out->input = trk_take(&r, out->input_bytes);
    out->has_input = flags & OPEN_INPUT;
    out->input_end = flags & OPEN_INPUT_END;
    if (r.truncated)
        return TRK_V_TRUNCATED;
    return trk_outcome(&r, !(flags & ~(OPEN_INPUT | OPEN_INPUT_END)) && n <= TRK_SYN_PAYLOAD_MAX
                       && (out->has_input || (!out->input_end && out->input_bytes == 0))
                       && all_zero(r.at, trk_left(&r)));
}

size_t trk_open_emit(const struct trk_open *m, uint8_t *out, size_t cap)
{
    if (!m->has_input && (m->input_end || m->input_bytes))
        return 0;
    struct trk_writer w = trk_writer_init(out, cap < TRK_SYN_PAYLOAD_MAX ? cap : TRK_SYN_PAYLOAD_MAX);
    trk_put(&w, trk_first_byte(TRK_FORM_OPEN), 1);
    trk_put(&w, (m->has_input ? OPEN_INPUT : 0) | (m->input_end ? OPEN_INPUT_END : 0), 1);
    trk_put_bytes(&w, m->random, TRK_RANDOM_BYTES);
    trk_put(&w, m->input_bytes, 2);
    trk_put_bytes(&w, m->input, m->input_bytes);
    if (w.full)
        return 0;
    memset(w.at, 0, (size_t)(w.end - w.at));
    return (size_t)(w.end - out);
}

enum trk_verdict trk_close_parse(const uint8_t *p, size_t n, struct trk_close *out)
{
    struct trk_reader r = trk_reader_init(p, n);
    enum trk_verdict v = trk_get_form(&r, TRK_FORM_CLOSE);
    if (v != TRK_V_ACCEPTED)
        return v;
    uint8_t flags = (uint8_t)trk_get(&r, 1);
    out->id = trk_get_id(&r);
    out->generation = (uint32_t)trk_get(&r, 4);
    return trk_outcome(&r, flags == 0 && trk_left(&r) == 0);
}

size_t trk_close_emit(const struct trk_close *m, uint8_t *out, size_t cap)
{
    struct trk_writer w = trk_writer_init(out, cap);
    trk_put(&w, trk_first_byte(TRK_FORM_CLOSE), 1);
    trk_put(&w, 0, 1);
    trk_put_id(&w, m->id);
    trk_put(&w, m->generation, 4);
    return trk_written(&w, out);
}
