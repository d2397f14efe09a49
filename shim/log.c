#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "config.h"
#include "descriptors.h"

static const char *const names[] = { "none", "error", "warn", "info", "debug" };
static struct shim_hidden file = { .fd = -1 };   /* of TRICKLES_LOG=LEVEL:FILE */

int shim_log_level_of(const char *name, size_t bytes)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strlen(names[i]) == bytes && memcmp(names[i], name, bytes) == 0)
            return (int)i;
    return -1;
}

void shim_log_open(void)
{
    if (!shim_config.log_level || !shim_config.log_file || file.fd >= 0)
        return;
    int fd = open(shim_config.log_file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0600);
    if (fd >= 0)
        file = shim_hide(fd);
    else
        shim_complain("TRICKLES_LOG: cannot write %s: %s", shim_config.log_file, strerror(errno));
}

int shim_log_fd(void)
{
    if (!shim_config.log_level)
        return -1;
    return shim_config.log_file ? shim_hidden_fd(&file) : STDERR_FILENO;
}

/* A line goes out in one write, so lines of several threads and processes do not mix. */
static void write_line(int fd, const char *level, const char *format, va_list arguments)
{
    char line[512];
    int n = snprintf(line, sizeof line, "trickles[%d]: %s%s", (int)getpid(), level, *level ? ": " : "");
    int m = vsnprintf(line + n, sizeof line - (size_t)n - 1, format, arguments);
    size_t bytes = (size_t)n + (size_t)(m < 0 ? 0 : m);
    if (bytes > sizeof line - 1)
        bytes = sizeof line - 1;
    line[bytes] = '\n';
    if (write(fd, line, bytes + 1) < 0)
        return;                        /* nobody left to tell */
}

void shim_log(enum shim_log_level level, const char *format, ...)
{
    if ((int)level > shim_config.log_level)
        return;
    int kept = errno;
    shim_log_open();
    if (shim_log_fd() >= 0) {
        va_list arguments;
        va_start(arguments, format);
        write_line(shim_log_fd(), names[level], format, arguments);
        va_end(arguments);
    }
    errno = kept;
}

void shim_complain(const char *format, ...)
{
    int kept = errno;
    va_list arguments;
    va_start(arguments, format);
    write_line(STDERR_FILENO, "", format, arguments);
    va_end(arguments);
    errno = kept;
}
