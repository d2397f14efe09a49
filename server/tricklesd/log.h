/* log.h - lines on standard error. */
#ifndef TRICKLESD_LOG_H
#define TRICKLESD_LOG_H

#include <stdbool.h>

extern bool log_verbose;
/* Lines begin with "tricklesd[N]: " from now on. */
void log_as_worker(int worker);
/* "tricklesd: …" and a newline, in one write. */
void log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* For what clients can cause: at most 10 lines a second, as a client must not fill a disk. The next line says how many
 * were left out. */
void log_event(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
