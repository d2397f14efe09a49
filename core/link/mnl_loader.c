/* mnl_loader.c - libmnl by dlopen, once. */
#include "link/mnl_loader.h"
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct trk_mnl functions;
static bool loaded;
static char error[160];

static bool resolve(void *library, const char *name, void *function)
{
    void *address = dlsym(library, name);
    if (!address) {
        snprintf(error, sizeof error, "libmnl.so.0 has no %s: a newer libmnl is needed", name);
        return false;
    }
    memcpy(function, &address, sizeof address);      /* ISO C has no cast from object to function pointer */
    return true;
}

static void load(void)
{
    void *library = dlopen("libmnl.so.0", RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        snprintf(error, sizeof error, "libmnl.so.0 cannot be loaded: install it (Debian: apt-get install libmnl0)");
        return;
    }
#define X(name) if (!resolve(library, #name, &functions.name)) return;
    TRK_MNL_FUNCTIONS(X)
#undef X
    loaded = true;
}

const struct trk_mnl *trk_mnl(void)
{
    pthread_once(&once, load);
    if (!loaded)
        errno = ENOSYS;
    return loaded ? &functions : NULL;
}

const char *trk_mnl_error(void)
{
    pthread_once(&once, load);
    return error;
}
