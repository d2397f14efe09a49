/* log.h - lines on standard error. */
#ifndef TRICKLESD_LOG_H
#define TRICKLESD_LOG_H

#include <stdbool.h>

extern bool log_verbose;
/* "tricklesd: …" and a newline, in one write. */
void log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
