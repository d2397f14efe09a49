/* memo.c - see memo.h. Sets of two entries; a new one takes the place that was not used last. Nothing secret decides the place:
 * who aims at a set only makes us compute what we would have computed anyway. */
#include <string.h>
#include "tcb/memo.h"

struct memo_entry {
    struct trk_conn_id id;             /* sealed_bytes 0: empty */
    uint16_t sealed_bytes, opaque_bytes;
    uint8_t type, flags, epoch;
    bool recent;                       /* used after the other one of its set */
    uint64_t first, second;
    uint8_t sealed[TRK_MEMO_SEALED_MAX - TRK_UCONT_HEADER];      /* opaque part as it came, and MAC */
    uint8_t opaque[TRK_MEMO_SEALED_MAX - TRK_UCONT_HEADER - TRK_SEAL_BYTES];
};
struct trk_memo { struct trk_memo_stats *stats; uint64_t sets; struct memo_entry entries[][2]; };

struct trk_memo *trk_memo_create(void *memory, size_t bytes, struct trk_memo_stats *stats)
{
    struct trk_memo *m = memory;
    if (!memory || (uintptr_t)memory % 8 || bytes < TRK_MEMO_BYTES_MIN)
        return NULL;
    m->stats = stats;
    m->sets = (bytes - sizeof *m) / sizeof m->entries[0];
    trk_memo_clear(m);
    return m;
}

void trk_memo_clear(struct trk_memo *m)
{
    memset(m->entries, 0, m->sets * sizeof m->entries[0]);
    m->stats->entries = 0;
}

static void empty(struct trk_memo *m, struct memo_entry *e)
{
    if (e->sealed_bytes > 0)
        m->stats->entries--;
    memset(e, 0, sizeof *e);           /* applications may have secrets in there */
}

void trk_memo_drop(struct trk_memo *m, uint64_t place)
{
    empty(m, &m->entries[place / 2 % m->sets][place % 2]);
}

static const uint8_t *sealed_of(const struct trk_ucont_view *v) { return v->bytes + TRK_UCONT_HEADER; }

/* By the MAC, which is as good as random. */
static struct memo_entry *set_of(struct trk_memo *m, const struct trk_conn_id *id, const struct trk_ucont_view *v)
{
    uint64_t mac;
    memcpy(&mac, sealed_of(v) + v->opaque_bytes, sizeof mac);
    return m->entries[(mac ^ id->h) % m->sets];
}

static bool fits(const struct trk_ucont_view *v)
{
    return v->total_bytes <= TRK_MEMO_SEALED_MAX && v->total_bytes == trk_ucont_sealed_bytes(v->opaque_bytes);
}

static bool is(const struct memo_entry *e, const struct trk_conn_id *id, const struct trk_ucont_view *v)
{
    return e->sealed_bytes == v->total_bytes - TRK_UCONT_HEADER && e->id.h == id->h && e->id.t == id->t && e->type == v->type &&
           e->flags == v->flags && e->epoch == v->epoch && e->first == v->first && e->second == v->second &&
           memcmp(e->sealed, sealed_of(v), e->sealed_bytes) == 0;
}

bool trk_memo_find(struct trk_memo *m, const struct trk_conn_id *id, const struct trk_ucont_view *v, struct trk_ucont *out)
{
    if (!fits(v))
        return false;
    struct memo_entry *set = set_of(m, id, v);
    for (int i = 0; i < 2; i++) {
        const struct memo_entry *e = &set[i];
        if (!is(e, id, v))
            continue;
        out->type = e->type;
        out->flags = e->flags;
        out->first = e->first;
        out->second = e->second;
        out->opaque_bytes = e->opaque_bytes;
        memcpy(out->opaque, e->opaque, e->opaque_bytes);
        set[i].recent = true;
        set[!i].recent = false;
        m->stats->hits++;
        m->stats->saved += v->total_bytes;
        return true;
    }
    m->stats->misses++;
    return false;
}

void trk_memo_keep(struct trk_memo *m, const struct trk_conn_id *id, const struct trk_ucont_view *v, const struct trk_ucont *opened)
{
    if (!fits(v))
        return;
    struct memo_entry *set = set_of(m, id, v);
    int i = set[0].recent;
    empty(m, &set[i]);
    set[i] = (struct memo_entry){
        .id = *id, .sealed_bytes = (uint16_t)(v->total_bytes - TRK_UCONT_HEADER), .opaque_bytes = opened->opaque_bytes, .type = v->type,
        .flags = v->flags, .epoch = v->epoch, .recent = true, .first = v->first, .second = v->second,
    };
    memcpy(set[i].sealed, sealed_of(v), set[i].sealed_bytes);
    memcpy(set[i].opaque, opened->opaque, opened->opaque_bytes);
    set[!i].recent = false;
    m->stats->entries++;
}
