/* engine.h - the thread that serves this process's connections, and how the hooks talk to it.
 *
 * The engine has a descriptor table of its own (unshare(CLONE_FILES)): what it opens is invisible to the program,
 * no close loop reaches it, no fork or exec inherits it. Descriptors come to it as messages on the
 * control socket, so it could as well be another process. Answers are words in the shared page. */
#ifndef SHIM_ENGINE_H
#define SHIM_ENGINE_H

#include <netinet/in.h>
#include <stdbool.h>
#include "sockets.h"

enum shim_command {
    SHIM_OPEN,                         /* a socket, with descriptors: our end, the application's end, the kernel socket */
    SHIM_QUERY,                        /* refresh stats and unsent_bytes of a socket, count `answered` */
    SHIM_HINT,                         /* a descriptor was closed while connecting: let go of the application's end */
    SHIM_ABORT,                        /* reset the connection now */
    SHIM_DRAIN,                        /* send what was written; then, if `last`, close everything */
};

struct shim_message {                  /* within one process: pointers are good */
    enum shim_command command;
    struct shim_socket *socket;
    bool last;
    unsigned limit_ms;
    bool bound;                        /* OPEN: local is where the program bound the socket */
    union shim_address local;          /* port 0: the engine picks one */
    bool lent_reuse;                   /* OPEN: SO_REUSEADDR is to be taken back */
    _Atomic uint32_t *done;            /* DRAIN: a futex, set to 1 */
};

/* For the socket fd. False if there is none and none can be started (no rights, no thread): errno and *why say so. Table lock held. */
bool shim_engine_start(int fd, const char **why);
/* Send one message; fds are copies for the engine, NULL and 0 for none. False if the engine is gone. */
bool shim_engine_tell(const struct shim_message *message, const int *fds, int n);
/* A socket of another network namespace than the engine's, which started in that of the first one. */
bool shim_engine_elsewhere(int fd);
/* True if this process's engine runs. */
bool shim_engine_runs(void);
/* Ask for fresh numbers and wait for them, 100 ms at most. */
void shim_engine_query(struct shim_socket *s);
/* exit and exec: wait for unsent bytes, TRICKLES_LINGER_MS at most. last: the connections end. */
void shim_engine_drain(bool last);
/* In a forked child: there is no engine yet. */
void shim_engine_forked(void);

#endif
