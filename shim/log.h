/* log.h - lines for people. Nothing is written unless TRICKLES_LOG asks, but complaints. */
#ifndef SHIM_LOG_H
#define SHIM_LOG_H

#include <stddef.h>

enum shim_log_level { SHIM_LOG_NONE, SHIM_LOG_ERROR, SHIM_LOG_WARN, SHIM_LOG_INFO, SHIM_LOG_DEBUG };

/* The level of that name (bytes long), -1 if there is none. */
int shim_log_level_of(const char *name, size_t bytes);
/* Opens the log's descriptor where it is a file, so that the engine can keep it. */
void shim_log_open(void);
/* The descriptor that lines go to; -1: none are wanted. */
int shim_log_fd(void);

/* One line if the level is wanted. errno is kept. */
void shim_log(enum shim_log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* One line whatever the level: a wrong setting, or why `require` failed. errno is kept. */
void shim_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
