/* group.h - workers: the processes of one service, and what they share. Private to this library.
 *
 * The *master* opens everything that outlives a worker: guards, the filter's memory, a block of shared memory, and for each
 * interface one packet socket per worker, all in one fanout group. Workers are forked from it, and find all that in their
 * *group*. A worker that dies leaves its socket and what waits in it to the next one. No lock is shared, and no connection
 * belongs to a worker: a packet is answered by whoever reads it. */
#ifndef MSK_GROUP_H
#define MSK_GROUP_H

#include <stdatomic.h>
#include <sys/types.h>
#include "server.h"

/* A worker's place, shared by the master and all workers; each life of a worker goes on with its predecessor's counters. */
struct msk_slot {
    _Alignas(64) struct msk_tally tally;
    _Atomic uint64_t taken;            /* packets: one that takes none while some wait hangs */
};
struct msk_block {                     /* memory of all processes of the group */
    _Atomic uint32_t keys_version;     /* keys[version % 2] is the newest; the other one may be half written */
    struct msk_keys keys[2];
    _Atomic uint64_t replaced, hung;   /* workers that ended, and that hung, and had a successor */
    struct msk_slot slots[];
};

struct msk_sockets { int ifindex; char name[16]; int fds[MSK_WORKERS_MAX]; };      /* of one interface, one for each worker */

struct msk_group {
    const struct msk_workers *workers;
    unsigned n;
    struct msk_listens listens;
    struct msk_memory memory;
    struct msk_block *block;
    struct msk_sockets sockets[MSK_LINKS_MAX]; size_t n_sockets;
    int watch;                         /* of interfaces */
};

/* group.c. False and a sentence. handed: what a predecessor hands over, see below. */
bool msk_group_open(struct msk_group *g, const struct msk_workers *w, struct msk_pool *handed, char *error, size_t error_bytes);
void msk_group_close(struct msk_group *g);
/* Keys for all workers, those that run included. */
void msk_group_set_keys(struct msk_group *g, const struct msk_keys *keys);
/* In a worker: take over the newest keys, if they are new. False: they are unusable, which the master has made sure of. */
bool msk_group_keys(struct msk_server *s);
/* The sum over all workers. */
void msk_group_tally(const struct msk_group *g, struct msk_tally *out);
void msk_group_log(const struct msk_group *g, enum msk_log_level level, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* sockets.c: as many for each wanted interface as there are workers. *opened: there are new ones, which no worker has yet.
 * False and a sentence if there is no interface at all. */
bool msk_sockets_update(struct msk_group *g, struct msk_pool *handed, bool *opened, char *error, size_t error_bytes);
void msk_sockets_close(struct msk_group *g);
/* A worker's own, to keep; -1: there is none, or it was taken. */
int msk_sockets_take(struct msk_group *g, int ifindex, unsigned worker);

/* handover.c: a master gives its descriptors to its successor by a Unix socket, one a message. */
enum msk_handed_kind { MSK_HANDED_END, MSK_HANDED_GUARD, MSK_HANDED_FILTER, MSK_HANDED_SOCKET };
struct msk_handed {
    uint32_t magic, kind;
    struct sockaddr_storage address;   /* GUARD: as it was asked for, or with the port that the kernel picked */
    int32_t ifindex; uint32_t worker;  /* SOCKET */
    uint64_t bytes;                    /* FILTER */
};
#define MSK_POOL_MAX (MSK_LINKS_MAX * MSK_WORKERS_MAX + MSK_LISTENS_MAX + 1)
struct msk_pool { struct { struct msk_handed what; int fd; } items[MSK_POOL_MAX]; size_t n; int peer; };

int msk_control_listen(const char *path, char *error, size_t error_bytes);
/* Take over from the master that listens there. False: there is none (errno ENOENT, ECONNREFUSED), or a sentence says why it
 * gives nothing. pool->peer then waits for the byte that says that its successor serves. */
bool msk_pool_receive(struct msk_pool *pool, const char *path, char *error, size_t error_bytes);
bool msk_group_give(const struct msk_group *g, int peer);
void msk_pool_close(struct msk_pool *pool);      /* what was not used */
int msk_pool_guard(struct msk_pool *pool, const struct sockaddr_storage *a);     /* these three: -1, there is none */
int msk_pool_filter(struct msk_pool *pool, size_t bytes);
int msk_pool_socket(struct msk_pool *pool, int ifindex, unsigned worker);

/* A worker has taken a packet. Nobody else writes there, but for the moment in which it is relieved. */
static inline void msk_group_taken(struct msk_server *s)
{
    struct msk_slot *slot = &s->group->block->slots[s->worker];
    atomic_store_explicit(&slot->taken, atomic_load_explicit(&slot->taken, memory_order_relaxed) + 1, memory_order_relaxed);
}

/* worker.c: what a forked process does; never returns. */
_Noreturn void msk_worker_main(struct msk_group *g, unsigned worker, pid_t master);

#endif
