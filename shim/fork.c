#include "fork.h"

#include <pthread.h>
#include <signal.h>
#include "engine.h"
#include "sockets.h"

static struct shim_kept kept, kept_briefly;    /* of the thread that forks; the locks make it one at a time */

static void prepare(void)
{
    shim_lock(&kept);
    shim_lock_briefly(&kept_briefly);
}

static void in_parent(void)
{
    shim_unlock_briefly(&kept_briefly);
    shim_unlock(&kept);
}

static void in_child(void)
{
    shim_sockets_forked();
    shim_engine_forked();
    shim_unlock_briefly(&kept_briefly);
    shim_unlock(&kept);
}

bool shim_fork_watch(void)
{
    static bool watching;
    if (!watching)
        watching = pthread_atfork(prepare, in_parent, in_child) == 0;
    return watching;
}
