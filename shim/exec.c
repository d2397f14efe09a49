/* exec.c - the exec family: what was written is sent before this image, and the engine in it, ends.
 * A vfork child has no engine (another process id), so nothing waits there. */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>
#include "engine.h"
#include "hook.h"
#include "log.h"

extern char **environ;

static void before_exec(void)
{
    if (shim_pass() || !shim_sockets_any() || !shim_engine_runs())
        return;
    shim_log(SHIM_LOG_INFO, "exec: connections of this process end here");
    shim_engine_drain(false);
}

SHIM_EXPORT int execve(const char *path, char *const argv[], char *const envp[])
{
    before_exec();
    return libc_execve(path, argv, envp);
}

SHIM_EXPORT int execv(const char *path, char *const argv[]) { return execve(path, argv, environ); }

SHIM_EXPORT int execvpe(const char *file, char *const argv[], char *const envp[])
{
    before_exec();
    return libc_execvpe(file, argv, envp);
}

SHIM_EXPORT int execvp(const char *file, char *const argv[]) { return execvpe(file, argv, environ); }

SHIM_EXPORT int fexecve(int fd, char *const argv[], char *const envp[])
{
    before_exec();
    return libc_fexecve(fd, argv, envp);
}

SHIM_EXPORT int execveat(int dir, const char *path, char *const argv[], char *const envp[], int flags)
{
    before_exec();
    return libc_execveat(dir, path, argv, envp, flags);
}

/* execl and its kin: the list becomes an array on the stack, as the heap may be locked by another thread. */
static size_t count(const char *first, va_list rest)
{
    size_t n = 1;
    for (const char *argument = first; argument; argument = va_arg(rest, const char *))
        n++;
    return n;
}

#define COLLECT(argv, argument, last_named)                              \
    va_list rest_;                                                       \
    va_start(rest_, last_named);                                         \
    size_t n_ = count(argument, rest_);                                  \
    va_end(rest_);                                                       \
    char *argv[n_ + 1];                                                  \
    va_start(rest_, last_named);                                         \
    argv[0] = (char *)argument;                                          \
    for (size_t i_ = 1; i_ < n_; i_++)                                   \
        argv[i_] = va_arg(rest_, char *);                                \
    argv[n_] = NULL

SHIM_EXPORT int execl(const char *path, const char *argument, ...)
{
    COLLECT(argv, argument, argument);
    va_end(rest_);
    return execv(path, argv);
}

SHIM_EXPORT int execlp(const char *file, const char *argument, ...)
{
    COLLECT(argv, argument, argument);
    va_end(rest_);
    return execvp(file, argv);
}

SHIM_EXPORT int execle(const char *path, const char *argument, ...)
{
    COLLECT(argv, argument, argument);
    char *const *envp = va_arg(rest_, char *const *);
    va_end(rest_);
    return execve(path, argv, envp);
}
