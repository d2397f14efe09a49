/* group.c - what the workers share: opened before the first of them begins. */
#include "group.h"

#include <errno.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "keyset.h"

static size_t block_bytes(unsigned workers) { return sizeof(struct msk_block) + workers * sizeof(struct msk_slot); }

void msk_group_log(const struct msk_group *g, enum msk_log_level level, const char *format, ...)
{
    const struct msk_options *o = g->workers->options;
    char line[MSK_ERROR_BYTES + 64];
    va_list args;
    if (!o->log)
        return;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    o->log(o->log_arg, level, line);
}

/* ---------------- keys ---------------- */

void msk_group_set_keys(struct msk_group *g, const struct msk_keys *keys)
{
    struct msk_block *b = g->block;
    uint32_t version = atomic_load(&b->keys_version) + 1;
    b->keys[version % 2] = *keys;
    atomic_store(&b->keys_version, version);
}

bool msk_group_keys(struct msk_server *s)
{
    const struct msk_block *b = s->group->block;
    uint32_t version;
    struct msk_keys keys;
    if (s->keys_version == atomic_load(&b->keys_version))
        return true;
    do {                               /* read again what was written over meanwhile */
        version = atomic_load(&b->keys_version);
        keys = b->keys[version % 2];
    } while (version != atomic_load(&b->keys_version));
    bool ok = msk_set_keys(s, &keys) == 0;
    sodium_memzero(&keys, sizeof keys);
    s->keys_version = version;
    return ok;
}

static bool first_keys(struct msk_group *g, char *error, size_t error_bytes)
{
    const struct msk_keys *keys = g->workers->options->keys;
    struct msk_keys random;
    if (!keys) {
        msk_keys_random(&random);
        keys = &random;
    }
    const char *problem = msk_keys_problem(keys);
    if (problem) {
        snprintf(error, error_bytes, "bad key set: %s", problem);
        errno = EINVAL;
        return false;
    }
    msk_group_set_keys(g, keys);
    sodium_memzero(&random, sizeof random);
    return true;
}

/* ---------------- counters ---------------- */

void msk_group_tally(const struct msk_group *g, struct msk_tally *out)
{
    memset(out, 0, sizeof *out);
    for (unsigned i = 0; i < g->n; i++) {
        const struct msk_tally *t = &g->block->slots[i].tally;
        for (size_t v = 0; v < TRK_V_COUNT; v++)
            out->verdicts[v] += t->verdicts[v];
        for (size_t c = 0; c < MSK_COUNT_KINDS; c++)
            out->counts[c] += t->counts[c];
        out->cache.hits += t->cache.hits;
        out->cache.misses += t->cache.misses;
        out->cache.saved += t->cache.saved;
        out->cache.entries += t->cache.entries;
    }
}

/* ---------------- beginning and end ---------------- */

static bool open_block(struct msk_group *g, char *error, size_t error_bytes)
{
    g->block = mmap(NULL, block_bytes(g->n), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (g->block != MAP_FAILED)
        return true;
    g->block = NULL;
    snprintf(error, error_bytes, "no memory that workers can share: %s", strerror(errno));
    return false;
}

bool msk_group_open(struct msk_group *g, const struct msk_workers *w, struct msk_pool *handed, char *error, size_t error_bytes)
{
    bool opened;
    *g = (struct msk_group){ .workers = w, .n = w->n, .memory.fd = -1 };
    g->watch = trk_watch_open();
    if (g->watch < 0) {
        snprintf(error, error_bytes, "cannot watch interfaces: %s", trk_route_why(errno));
        return false;
    }
    if (open_block(g, error, error_bytes) && first_keys(g, error, error_bytes) && msk_listens_open(&g->listens, w->options, handed, error, error_bytes) &&
        msk_memory_open(&g->memory, w->options, true, handed, error, error_bytes) && msk_sockets_update(g, handed, &opened, error, error_bytes))
        return true;
    int saved = errno;
    msk_group_close(g);
    errno = saved;
    return false;
}

void msk_group_close(struct msk_group *g)
{
    msk_sockets_close(g);
    msk_memory_close(&g->memory);
    msk_listens_close(&g->listens);
    if (g->watch >= 0)
        close(g->watch);
    if (g->block) {
        sodium_memzero(g->block->keys, sizeof g->block->keys);
        munmap(g->block, block_bytes(g->n));
    }
    g->block = NULL;
}
