/* counters.c - one number for every fate of a packet. */
#include <time.h>
#include "group.h"

static const char *const names[MSK_COUNT_KINDS][2] = {
    [MSK_COUNT_PACKETS]   = { "packets-received", "packets taken from the interfaces" },
    [MSK_COUNT_SENT]      = { "packets-sent", "packets given to the interfaces" },
    [MSK_COUNT_UNSENT]    = { "packets-unsent", "packets that an interface did not take" },
    [MSK_COUNT_NOT_LOCAL] = { "not-local", "sent to an address that is not ours, seen on the way" },
    [MSK_COUNT_DROPS]     = { "socket-drops", "packets lost because the server was too slow" },
    [MSK_COUNT_EXTRACTED] = { "extracted", "minisockets that left for another server" },
    [MSK_COUNT_INSTALLED] = { "installed", "minisockets that came from another server" },
    [MSK_COUNT_NOT_INSTALLED] = { "not-installed", "such that were tampered with, too old, sealed with other keys, or had no way out" },
};

/* The replay filter's own: what it holds now, and what it did since it was made (by all who share it). */
static size_t filter_counters(const struct msk_server *s, struct msk_counter *out, size_t at, size_t n)
{
    struct trk_filter_stats f;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    trk_filter_stats(s->filter, (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000, &f);
    const struct msk_counter counters[] = {
        { "filter-spent", "numbers that the filter passed, each once", f.spent },
        { "filter-refused", "numbers that it had passed before", f.refused },
        { "filter-lost", "numbers reported lost, and paid for", f.lost },
        { "filter-evicted", "entries forgotten before their time: a larger filter would hold them", f.evicted },
        { "filter-groups", "groups of 16 numbers it holds now", f.groups_live },
        { "filter-groups-max", "and how many it can hold", f.groups },
        { "filter-connections", "connections it holds now", f.words_live },
        { "filter-connections-max", "and how many it can hold", f.words },
        { "filter-horizon-ms", "how old a grant may be before it must restart", f.horizon_ms },
    };
    for (size_t i = 0; i < sizeof counters / sizeof *counters; i++, at++)
        if (at < n)
            out[at] = counters[i];
    return at;
}

/* What the sockets lost is the kernel's to tell, and each process can ask about its own alone. */
static uint64_t own_drops(const struct msk_server *s)
{
    uint64_t drops = 0;
    for (size_t i = 0; i < s->n_ifaces; i++)
        drops += trk_link_drops(s->ifaces[i].link);
    return drops;
}

static size_t worker_counters(const struct msk_group *g, struct msk_counter *out, size_t at, size_t n)
{
    const struct msk_counter counters[] = {
        { "workers", "processes that answer", g->n },
        { "workers-replaced", "workers that ended and were replaced", atomic_load(&g->block->replaced) },
        { "workers-hung", "workers whose place another one took, as they took no packets", atomic_load(&g->block->hung) },
    };
    for (size_t i = 0; i < sizeof counters / sizeof *counters; i++, at++)
        if (at < n)
            out[at] = counters[i];
    return at;
}

static size_t cache_counters(const struct trk_memo_stats *c, struct msk_counter *out, size_t at, size_t n)
{
    const struct msk_counter counters[] = {
        { "cache-hits", "continuations that were known: neither MAC nor cipher was computed", c->hits },
        { "cache-misses", "continuations that were not", c->misses },
        { "cache-bytes-saved", "bytes that no MAC was computed of", c->saved },
        { "cache-entries", "continuations it holds now", c->entries },
    };
    for (size_t i = 0; i < sizeof counters / sizeof *counters; i++, at++)
        if (at < n)
            out[at] = counters[i];
    return at;
}

size_t msk_counters(const struct msk_server *s, struct msk_counter *out, size_t n)
{
    struct msk_tally t = *s->tally;
    size_t total = 0;
    if (s->group)
        msk_group_tally(s->group, &t);
    t.counts[MSK_COUNT_DROPS] += own_drops(s);
    for (size_t i = 0; i < MSK_COUNT_KINDS; i++, total++)
        if (total < n)
            out[total] = (struct msk_counter){ names[i][0], names[i][1], t.counts[i] };
    for (enum trk_verdict v = 0; v < TRK_V_COUNT; v++) {
        if (v >= TRK_V_FOREIGN && v != TRK_V_RST_HINT)
            continue;                  /* a client's */
        if (total < n)
            out[total] = (struct msk_counter){ trk_verdict_name(v), trk_verdict_why(v), t.verdicts[v] };
        total++;
    }
    if (s->memo)
        total = cache_counters(&t.cache, out, total, n);
    if (s->group)
        total = worker_counters(s->group, out, total, n);
    return s->filter ? filter_counters(s, out, total, n) : total;
}
