/* wire_roundtrip.h - parse any bytes as whatever their first byte says, and write them again. */
#ifndef TRK_TEST_WIRE_ROUNDTRIP_H
#define TRK_TEST_WIRE_ROUNDTRIP_H

#include <string.h>
#include "wire/messages.h"

struct roundtrip { enum trk_verdict verdict; bool same; };   /* same: accepted and emit(parse(x)) == x, or not accepted */

/* Reads every byte of a view, so that a sanitizer sees one that reaches too far. */
static inline void touch(const uint8_t *p, size_t n)
{
    static volatile uint8_t sink;
    for (size_t i = 0; i < n; i++)
        sink = (uint8_t)(sink + p[i]);
}

static inline size_t reemit_request(const uint8_t *p, size_t n, uint8_t *out, enum trk_verdict *v)
{
    static struct trk_request m;
    if ((*v = trk_request_parse(p, n, &m)) != TRK_V_ACCEPTED)
        return 0;
    touch(m.input, m.input_bytes);
    return trk_request_emit(&m, out, n);
}

static inline size_t reemit_answer(const uint8_t *p, size_t n, uint8_t *out, enum trk_verdict *v)
{
    struct trk_answer m;
    if ((*v = trk_answer_parse(p, n, &m)) != TRK_V_ACCEPTED)
        return 0;
    touch(m.data, m.data_bytes);
    size_t head = trk_answer_emit(&m, out, n);
    if (head == 0 || head + m.data_bytes != n)
        return 0;
    if (m.data_bytes)
        memcpy(out + head, m.data, m.data_bytes);
    return n;
}

static inline size_t reemit_open(const uint8_t *p, size_t n, uint8_t *out, enum trk_verdict *v)
{
    struct trk_open m;
    if ((*v = trk_open_parse(p, n, &m)) != TRK_V_ACCEPTED)
        return 0;
    touch(m.input, m.input_bytes);
    return trk_open_emit(&m, out, n);
}

/* out: memory for n bytes. */
static inline struct roundtrip wire_roundtrip(const uint8_t *p, size_t n, uint8_t *out)
{
    struct roundtrip result = { .same = true };
    uint8_t form = 0;
    size_t bytes = 0;
    struct trk_close closing;
    struct trk_verdict_msg told;
    if ((result.verdict = trk_form_of(p, n, &form)) != TRK_V_ACCEPTED)
        return result;
    switch (form) {
    case TRK_FORM_OPEN:
        bytes = reemit_open(p, n, out, &result.verdict);
        break;
    case TRK_FORM_REQUEST: case TRK_FORM_RESTART:
        bytes = reemit_request(p, n, out, &result.verdict);
        break;
    case TRK_FORM_CLOSE:
        if ((result.verdict = trk_close_parse(p, n, &closing)) == TRK_V_ACCEPTED)
            bytes = trk_close_emit(&closing, out, n);
        break;
    case TRK_FORM_VERDICT:
        if ((result.verdict = trk_verdict_msg_parse(p, n, &told)) == TRK_V_ACCEPTED)
            bytes = trk_verdict_msg_emit(&told, out, n);
        break;
    default:
        bytes = reemit_answer(p, n, out, &result.verdict);
        break;
    }
    if (result.verdict == TRK_V_ACCEPTED)
        result.same = bytes == n && memcmp(out, p, n) == 0;
    return result;
}

#endif
