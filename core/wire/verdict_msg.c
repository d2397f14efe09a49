/* The VERDICT message, and the codes that verdicts have on the wire (PROTOCOL.md 6.6). */
#include "wire/fields.h"

/* Codes never change and are never reused, whatever happens to the order of the enum. */
static const struct { enum trk_verdict verdict; uint8_t code; } codes[] = {
    { TRK_V_UNKNOWN_EPOCH,    0x10 },
    { TRK_V_RETIRED_EPOCH,    0x11 },
    { TRK_V_BAD_ADDRESS,      0x12 },
    { TRK_V_BAD_SEAL,         0x13 },
    { TRK_V_BAD_PROOF,        0x14 },
    { TRK_V_BAD_CONTINUATION, 0x15 },
    { TRK_V_NOT_ADJOINING,    0x20 },
    { TRK_V_BEYOND_RECOVERY,  0x21 },
    { TRK_V_CUT_SPENT,        0x22 },
    { TRK_V_TOO_MANY,         0x23 },
    { TRK_V_WRONG_DOMAIN,     0x24 },
    { TRK_V_TOO_EARLY,        0x25 },
    { TRK_V_ATTEMPTS,         0x26 },
    { TRK_V_OLD_GENERATION,   0x27 },
    { TRK_V_LOSS_SPENT,       0x28 },
    { TRK_V_REPLAYED,         0x29 },
    { TRK_V_NO_ROOM,          0x2a },
    { TRK_V_DROPPED,          0x30 },
    { TRK_V_RESET,            0x31 },
    { TRK_V_CLOSED,           0x32 },
};
enum { N_CODES = sizeof codes / sizeof *codes };

uint8_t trk_verdict_code(enum trk_verdict v)
{
    for (size_t i = 0; i < N_CODES; i++)
        if (codes[i].verdict == v)
            return codes[i].code;
    return 0;
}

enum trk_verdict trk_verdict_of_code(uint8_t code)
{
    for (size_t i = 0; i < N_CODES; i++)
        if (codes[i].code == code)
            return codes[i].verdict;
    return TRK_V_VERDICT_HEARD;
}

enum trk_verdict trk_verdict_msg_parse(const uint8_t *p, size_t n, struct trk_verdict_msg *out)
{
    struct trk_reader r = trk_reader_init(p, n);
    enum trk_verdict v = trk_get_form(&r, TRK_FORM_VERDICT);
    if (v != TRK_V_ACCEPTED)
        return v;
    out->code = (uint8_t)trk_get(&r, 1);
    out->id = trk_get_id(&r);
    out->generation = (uint32_t)trk_get(&r, 4);
    out->k = trk_get(&r, 6);
    out->domain = (uint32_t)trk_get(&r, 4);
    return trk_outcome(&r, trk_left(&r) == 0);
}

size_t trk_verdict_msg_emit(const struct trk_verdict_msg *m, uint8_t *out, size_t cap)
{
    if (m->k > TRK_NUMBER_MAX)
        return 0;
    struct trk_writer w = trk_writer_init(out, cap);
    trk_put(&w, trk_first_byte(TRK_FORM_VERDICT), 1);
    trk_put(&w, m->code, 1);
    trk_put_id(&w, m->id);
    trk_put(&w, m->generation, 4);
    trk_put(&w, m->k, 6);
    trk_put(&w, m->domain, 4);
    return trk_written(&w, out);
}
