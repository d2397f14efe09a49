/* stats.h - the counters, for programs (JSON) and for people. */
#ifndef TRICKLESD_STATS_H
#define TRICKLESD_STATS_H

#include <stdbool.h>
#include <trickles/minisocket.h>

/* One JSON object and a newline to path, replaced as a whole, or to standard output if path is "-". False and errno. */
bool stats_write(const struct msk_server *server, const char *path);
/* One line per counter on standard error. */
void stats_print(const struct msk_server *server);

/* Pages of this process in memory, in KiB; 0 if the system does not say. */
long stats_resident_kib(void);

#endif
