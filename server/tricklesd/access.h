/* access.h - the access log: one line for each request, in the Common Log Format. */
#ifndef TRICKLESD_ACCESS_H
#define TRICKLESD_ACCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <trickles/minisocket.h>

/* A file that lines are added to, also by several processes, or standard output for "-". False: one line has said why. */
bool access_open(const char *path);
void access_close(void);
bool access_is_open(void);
/* ADDR - - [time] "METHOD PATH HTTP/1.1" STATUS BYTES CONNECTION:OFFSET. The time is the request's sealed one. Input is at least
 * once: two lines with equal CONNECTION:OFFSET are one request. Nothing happens if no log is open. */
void access_line(const struct msk_event *event, const char *method, const char *path, unsigned status, uint64_t bytes);

#endif
