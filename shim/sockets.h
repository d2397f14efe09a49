/* sockets.h - the table of sockets that we bound late: found by the inode of the application's pair end.
 *
 * One struct per socket, shared by the program's threads and the engine's thread (reference counted), with
 * one page that a forked child shares too, as its descriptors go on working while the parent's engine serves. */
#ifndef SHIM_SOCKETS_H
#define SHIM_SOCKETS_H

#include <netinet/in.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include "client/client.h"
#include "descriptors.h"

enum shim_state {                      /* rises, but for WAITED -> CONNECTING and FALLBACK */
    SHIM_WAITED,                       /* connecting, and a thread waits in connect() */
    SHIM_CONNECTING,                   /* connecting; the program polls */
    SHIM_FALLBACK,                     /* the waiting thread goes on with the kernel's TCP */
    SHIM_UP,                           /* a Trickles connection */
    SHIM_TCP_CONNECTING,               /* the engine connects the kernel socket */
    SHIM_TCP_IDLE,                     /* it is connected, no byte was moved: it may be given back */
    SHIM_TCP_RELAYING,                 /* the engine carries bytes between pair and kernel socket */
    SHIM_GIVEN_BACK,                   /* the program has its kernel socket again */
    SHIM_FAILED,                       /* connect failed */
    SHIM_RESET,                        /* it was up, and was reset or aborted */
};

union shim_address { struct sockaddr any; struct sockaddr_in v4; struct sockaddr_in6 v6; };

/* MAP_SHARED: what processes see of a socket. Names are written before the state that makes them valid. */
struct shim_shared {
    _Atomic uint32_t state;            /* enum shim_state; a futex */
    _Atomic int32_t  error;            /* of a failed connect, to be taken once */
    _Atomic uint32_t local_known;      /* a futex: local is valid */
    _Atomic uint32_t finished;         /* the engine is done with it */
    _Atomic uint32_t abort_on_close;   /* SO_LINGER {1, 0} */
    _Atomic uint32_t shut;             /* SHUT_* bits that the program asked for: 1 read, 2 write */
    _Atomic uint32_t unread_connect;   /* the next connect() reports success once */
    _Atomic uint32_t held;             /* a futex: the engine has a copy of the application's end */
    _Atomic uint32_t ended;            /* the peer's stream ended */
    _Atomic uint32_t answered;         /* a futex: counts answers to queries */
    _Atomic uint32_t kernel_held;      /* a futex: the engine has a copy of the kernel socket, for a fallback */
    _Atomic uint64_t unsent_bytes;     /* written by the program, not yet taken by the server */
    union shim_address local, peer;
    socklen_t name_bytes;              /* of both */
    uint32_t mtu;
    char why[96];                      /* why connect failed, for people; set before the state */
    /* struct trk_client_stats as of the last query or change of state, word by word: it may be read while it is written. */
    _Atomic uint32_t stats[sizeof(struct trk_client_stats) / sizeof(uint32_t)];
};
_Static_assert(sizeof(struct trk_client_stats) % sizeof(uint32_t) == 0, "whole words");

struct shim_connection;

struct shim_socket {
    struct shim_socket *next;
    _Atomic int references;
    ino_t ino;                         /* of the application's end */
    int fd;                            /* the descriptor that connected; others may have been made of it */
    struct shim_hidden kernel;         /* the kernel socket */
    struct shim_shared *shared;
    bool engine_holds;                 /* the engine of this process has a reference */
    struct shim_connection *connection;                /* the engine's alone */
    struct shim_socket *older, *newer;                 /* all of the table */
};

/* All signals blocked: a hook may run in a handler that interrupted one. No cancellation, as it would leave the lock held.
 * fork waits for the locks. */
struct shim_kept { sigset_t signals; int cancellation; };
void shim_lock(struct shim_kept *kept);
void shim_unlock(const struct shim_kept *kept);
/* What the engine's thread touches, too. Nobody waits for anything while holding it, so that the engine always gets on:
 * a thread that holds the other lock may wait for room in the engine's control socket. Taken after the other one. */
void shim_lock_briefly(struct shim_kept *kept);
void shim_unlock_briefly(const struct shim_kept *kept);

/* New, with one reference; NULL and errno. Not in the table yet. */
struct shim_socket *shim_socket_new(void);
void shim_socket_release(struct shim_socket *s);
void shim_socket_release_by_engine(struct shim_socket *s);
void shim_socket_insert(struct shim_socket *s);            /* lock held; takes over the caller's reference */
void shim_socket_remove(struct shim_socket *s);            /* lock held; gives it up */

/* The socket that fd names, with a reference to release; NULL: not ours. errno is kept. */
struct shim_socket *shim_socket_of(int fd);
bool shim_sockets_any(void);
static inline enum shim_state shim_state(const struct shim_socket *s) { return atomic_load(&s->shared->state); }

void shim_stats_write(struct shim_shared *shared, const struct trk_client_stats *stats);
void shim_stats_read(const struct shim_shared *shared, struct trk_client_stats *stats);

/* Forget this socket if it is finished and the program has no descriptor of it any more. Lock held. */
void shim_socket_reap(struct shim_socket *s);
/* The same for the few that were not looked at for longest: more than one for each that comes, so no more than a few are left
 * over, and each connect costs the same however many there are. All: where descriptors are scarce. Lock held. */
void shim_sockets_reap_some(void);
void shim_sockets_reap_all(void);
/* In a forked child: the engine and its references are the parent's. */
void shim_sockets_forked(void);

/* Wait until *word != value, or a signal, or the deadline (NULL: none). 0, or -1 and errno EINTR, ETIMEDOUT. */
int shim_futex_wait(_Atomic uint32_t *word, uint32_t value, const struct timespec *timeout);
void shim_futex_wake(_Atomic uint32_t *word);

#endif
