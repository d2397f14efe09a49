/* ioctl.c - SIOCOUTQ counts the stream's bytes, not the pair's memory; requests about interfaces go to the
 * kernel socket, as only AF_INET knows some of them. */
#include <errno.h>
#include <linux/sockios.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include "engine.h"
#include "hook.h"

static bool is_queue_request(unsigned long request)
{
    return request == SIOCOUTQ || request == SIOCOUTQNSD;
}

/* Routes, names and addresses of interfaces: the block of numbers from SIOCADDRT on. */
static bool is_interface_request(unsigned long request)
{
    return request >= SIOCADDRT && request <= SIOCBRDELIF && !is_queue_request(request);
}

static int answer(struct shim_socket *s, unsigned long request, void *argument)
{
    enum shim_state state = shim_state(s);
    if (is_interface_request(request) || state == SHIM_TCP_RELAYING || state == SHIM_TCP_IDLE)
        return libc_ioctl(shim_hidden_fd(&s->kernel), request, argument);
    shim_engine_query(s);
    *(int *)argument = state == SHIM_UP ? (int)atomic_load(&s->shared->unsent_bytes) : 0;
    return 0;
}

int shim_ioctl(int fd, unsigned long request, void *argument)
{
    bool concerns = is_queue_request(request) || is_interface_request(request);
    struct shim_socket *s = shim_pass() || !concerns ? NULL : shim_socket_of(fd);
    if (!s)
        return libc_ioctl(fd, request, argument);
    int result = answer(s, request, argument), kept = errno;
    shim_socket_release(s);
    errno = kept;
    return result;
}

SHIM_EXPORT int ioctl(int fd, unsigned long request, ...)
{
    va_list arguments;
    va_start(arguments, request);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    return shim_ioctl(fd, request, argument);
}
