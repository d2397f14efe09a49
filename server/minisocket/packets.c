/* packets.c - an answer packet by packet, as it is planned: what each is to carry, and continuations that belong to one. */
#include <errno.h>
#include <string.h>
#include "server.h"

static size_t packets_of(const struct trk_plan_grant *g)
{
    return (g->step.terminal != 0) + (g->step.a > g->step.b ? 0 : (size_t)(g->step.b - g->step.a + 1));
}

size_t msk_packets(const struct minisock *m)
{
    size_t n = 0;
    if (m->state == MSK_FREE || m->spend.type == TRK_SPEND_CLOSE)
        return 0;
    for (unsigned g = 0; g < m->plan.n_grants; g++)
        n += packets_of(&m->plan.grants[g]);
    return n;
}

/* Of a grant: its terminal first, then its numbers. n 0: a terminal. */
struct place { const struct trk_plan_grant *grant; uint64_t n; const struct trk_slice *slice; };

static struct place place_of(const struct minisock *m, size_t i)
{
    const struct trk_plan_grant *g = m->plan.grants;
    for (; i >= packets_of(g); g++)
        i -= packets_of(g);
    if (g->step.terminal && i-- == 0)
        return (struct place){ g, 0, &g->terminal };
    return (struct place){ g, g->step.a + i, &g->slices[i] };
}

static size_t range_at(const struct minisock *m, uint64_t offset)
{
    size_t i = 0;
    while (i < m->plan.n_wants && (offset < m->plan.wants[i].offset || offset - m->plan.wants[i].offset >= m->plan.wants[i].bytes))
        i++;
    return i;
}

int msk_packet(const struct minisock *m, size_t i, struct msk_packet *out)
{
    *out = (struct msk_packet){ .range = m->plan.n_wants };
    if (m->state == MSK_FREE)
        return -EBADF;
    if (i >= msk_packets(m))
        return -ERANGE;
    struct place p = place_of(m, i);
    out->answers_input = p.grant->carries_input && p.n == p.grant->step.a;
    if (p.slice->bytes == 0)
        return 0;
    out->offset = p.slice->offset;
    out->bytes = p.slice->bytes;
    out->range = range_at(m, p.slice->offset);
    return 0;
}

int msk_renew(struct minisock *m, size_t i, const void *opaque, size_t bytes)
{
    if (i >= msk_packets(m))
        return -ERANGE;
    struct place p = place_of(m, i);
    size_t want = p.slice->bytes ? range_at(m, p.slice->offset) : m->plan.n_wants;
    const struct trk_ucont *u = want < m->plan.n_wants ? msk_maker(m, want) : NULL;
    bool brings_one = p.grant->carries_input && p.n == p.grant->step.a && m->result.fate != TRK_INPUT_NONE;
    if (!u || p.n == 0 || brings_one || p.slice->offset < u->first || p.slice->offset >= u->second)
        return -EINVAL;
    size_t trailer = u->second == TRK_OFFSET_UNKNOWN ? MSK_OFFSET_TRAILER : 0;
    if (bytes + trailer > MSK_OPAQUE_MAX)
        return -EMSGSIZE;
    unsigned k = 0;
    while (k < m->result.n_renewals && m->renewals[k].n != p.n)
        k++;
    if (k == TRK_RENEWALS_MAX)
        return -ENOBUFS;
    struct trk_ucont *renewed = &m->renewals[k].cont;
    m->renewals[k].n = p.n;
    *renewed = (struct trk_ucont){ .type = u->type, .flags = u->flags, .first = p.slice->offset, .second = u->second };
    if (bytes > 0)
        memcpy(renewed->opaque, opaque, bytes);
    memcpy(renewed->opaque + bytes, u->opaque + u->opaque_bytes - trailer, trailer);
    renewed->opaque_bytes = (uint16_t)(bytes + trailer);
    m->result.renewals = m->renewals;
    if (k == m->result.n_renewals)
        m->result.n_renewals++;
    return 0;
}
