/* init.c - what happens when a program starts with us in it: names are found, the environment is read. No memory,
 * thread, socket or file is taken before the first eligible connect(). */
#include "config.h"
#include "libc.h"

__attribute__((constructor)) static void at_start(void)
{
    shim_libc_resolve();
    shim_config_read();
}
