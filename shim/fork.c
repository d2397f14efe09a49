#include "fork.h"

#include <pthread.h>
#include <signal.h>
#include "engine.h"
#include "sockets.h"

static sigset_t kept;                  /* of the thread that forks; the lock makes it one at a time */

static void prepare(void) { shim_lock(&kept); }
static void in_parent(void) { shim_unlock(&kept); }

static void in_child(void)
{
    shim_sockets_forked();
    shim_engine_forked();
    shim_unlock(&kept);
}

bool shim_fork_watch(void)
{
    static bool watching;
    if (!watching)
        watching = pthread_atfork(prepare, in_parent, in_child) == 0;
    return watching;
}
