/* fields.h - fields that several messages share: the first byte, the connection id, bounds of a piece. */
#ifndef TRK_WIRE_FIELDS_H
#define TRK_WIRE_FIELDS_H

#include "wire/bytes.h"
#include "wire/messages.h"

static inline uint8_t trk_first_byte(uint8_t form) { return (uint8_t)(TRK_VERSION << 4 | form); }

/* Reads the first byte. ACCEPTED, or SHORT, BAD_VERSION, BAD_FORM if it is not `form`: then the cursor stays. */
static inline enum trk_verdict trk_get_form(struct trk_reader *r, uint8_t form)
{
    uint8_t found;
    enum trk_verdict v = trk_form_of(r->at, trk_left(r), &found);
    if (v != TRK_V_ACCEPTED)
        return v;
    if (found != form)
        return TRK_V_BAD_FORM;
    trk_get(r, 1);
    return TRK_V_ACCEPTED;
}

static inline struct trk_conn_id trk_get_id(struct trk_reader *r)
{
    struct trk_conn_id id;
    id.h = trk_get(r, 8);
    id.t = (uint32_t)trk_get(r, 4);
    return id;
}

static inline void trk_put_id(struct trk_writer *w, struct trk_conn_id id)
{
    trk_put(w, id.h, 8);
    trk_put(w, id.t, 4);
}

static inline bool trk_piece_ok(const struct trk_piece *p)
{
    return p->base < TRK_NUMBER_MAX && p->start >= 1 && p->start <= TRK_START_MAX
        && p->ssthresh >= 1 && p->ssthresh <= TRK_SSTHRESH_NONE;
}

static inline bool trk_slot_ok(uint16_t slot) { return slot >= TRK_SLOT_MIN && slot <= TRK_SLOT_MAX; }

/* base < a <= f <= b <= TRK_NUMBER_MAX, and b - a fits its byte. */
static inline bool trk_granted_ok(uint64_t base, uint64_t a, uint64_t b, uint64_t f)
{
    return a > base && a <= f && f <= b && b - a < TRK_GRANT_MAX && b <= TRK_NUMBER_MAX;
}

/* Reads the next continuation; TRUNCATED or BAD_FIELD, with the cursor where it was, if there is none. */
enum trk_verdict trk_get_ucont(struct trk_reader *r, struct trk_ucont_view *out);
/* For emitting: the view is what parsing its bytes gives, and of this type (0: either). */
bool trk_ucont_view_ok(const struct trk_ucont_view *u, uint8_t type);

/* What a parse ends with: TRUNCATED before anything that zeros could have caused. */
static inline enum trk_verdict trk_outcome(const struct trk_reader *r, bool fields_ok)
{
    if (r->truncated)
        return TRK_V_TRUNCATED;
    return r->malformed || !fields_ok ? TRK_V_BAD_FIELD : TRK_V_ACCEPTED;
}

#endif
