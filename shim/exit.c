/* exit.c - the ways out of a process: bytes that the program has written and we have not sent leave first,
 * for TRICKLES_LINGER_MS at most. exit() comes by our destructor. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "engine.h"
#include "hook.h"

static void before_exit(void)
{
    if (!shim_pass())
        shim_engine_drain(true);
}

/* exit() flushes stdio after us, so what a program wrote to a stream on a socket is flushed here: fcloseall() is
 * what exit() does, takes no locks, and leaves the streams usable. */
__attribute__((destructor)) static void at_exit(void)
{
    if (!shim_pass() && shim_sockets_any() && shim_engine_runs())
        fcloseall();
    before_exit();
}

SHIM_EXPORT void _exit(int status)
{
    before_exit();
    libc__exit(status);
    __builtin_unreachable();
}

SHIM_EXPORT void _Exit(int status) { _exit(status); }

SHIM_EXPORT void quick_exit(int status)
{
    before_exit();
    libc_quick_exit(status);
    __builtin_unreachable();
}
