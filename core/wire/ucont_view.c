/* A sealed user continuation as a view on received bytes. */
#include "wire/fields.h"

static bool offsets_ok(const struct trk_ucont_view *u)
{
    if (u->type == TRK_UCONT_RANGE)
        return u->first < u->second && u->second <= TRK_OFFSET_MAX;
    if (u->type == TRK_UCONT_INPUT)
        return u->first <= TRK_OFFSET_MAX && (u->second <= TRK_OFFSET_MAX || u->second == TRK_OFFSET_UNKNOWN);
    return u->first <= TRK_OFFSET_MAX && u->first <= u->second
        && (u->second <= TRK_OFFSET_MAX || u->second == TRK_OFFSET_UNKNOWN);
}

enum trk_verdict trk_ucont_parse(const uint8_t *bytes, size_t n, struct trk_ucont_view *out)
{
    struct trk_reader r = trk_reader_init(bytes, n);
    out->type = (uint8_t)trk_get(&r, 1);
    out->flags = (uint8_t)trk_get(&r, 1);
    out->epoch = (uint8_t)trk_get(&r, 1);
    out->opaque_bytes = (uint16_t)trk_get(&r, 2);
    out->first = trk_get(&r, 8);
    out->second = trk_get(&r, 8);
    if (r.truncated)
        return TRK_V_TRUNCATED;
    if (out->type < TRK_UCONT_INPUT || out->type > TRK_UCONT_RANGE || out->opaque_bytes > TRK_OPAQUE_MAX
        || (out->flags & ~(TRK_UCONT_FIN | TRK_UCONT_ENCRYPTED)) || !offsets_ok(out))
        return TRK_V_BAD_FIELD;
    trk_take(&r, (size_t)out->opaque_bytes + TRK_SEAL_BYTES);
    out->bytes = bytes;
    out->total_bytes = (uint16_t)(TRK_UCONT_HEADER + out->opaque_bytes + TRK_SEAL_BYTES);
    return trk_outcome(&r, true);
}

bool trk_ucont_view_ok(const struct trk_ucont_view *u, uint8_t type)
{
    struct trk_ucont_view seen;
    return u->bytes && trk_ucont_parse(u->bytes, u->total_bytes, &seen) == TRK_V_ACCEPTED
        && seen.total_bytes == u->total_bytes && (type == 0 || seen.type == type);
}

enum trk_verdict trk_get_ucont(struct trk_reader *r, struct trk_ucont_view *out)
{
    enum trk_verdict v = r->truncated ? TRK_V_TRUNCATED : trk_ucont_parse(r->at, trk_left(r), out);
    if (v == TRK_V_ACCEPTED)
        trk_take(r, out->total_bytes);
    return v;
}
