/* log.c - see log.h. */
#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define LINE_BYTES 1200
#define EVENTS_PER_SECOND 10

bool log_verbose;
static char name[32] = "tricklesd";

void log_as_worker(int worker) { snprintf(name, sizeof name, "tricklesd[%d]", worker); }

static void write_line(const char *format, va_list args)
{
    char line[LINE_BYTES];
    int n = snprintf(line, sizeof line, "%s: ", name);
    n += vsnprintf(line + n, sizeof line - (size_t)n - 1, format, args);
    if (n > LINE_BYTES - 2)
        n = LINE_BYTES - 2;
    for (int i = 0; i < n; i++)        /* a client's path must not forge lines or drive a terminal */
        if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
            line[i] = '?';
    line[n++] = '\n';
    if (write(STDERR_FILENO, line, (size_t)n) < 0)
        return;                        /* nowhere to say so */
}

void log_line(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    write_line(format, args);
    va_end(args);
}

void log_event(const char *format, ...)
{
    static time_t second;
    static unsigned lines, left_out;
    struct timespec now;
    va_list args;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (now.tv_sec != second) {
        if (left_out > 0)
            log_line("%u similar lines left out", left_out);
        second = now.tv_sec;
        lines = left_out = 0;
    }
    if (lines++ >= EVENTS_PER_SECOND) {
        left_out++;
        return;
    }
    va_start(args, format);
    write_line(format, args);
    va_end(args);
}
