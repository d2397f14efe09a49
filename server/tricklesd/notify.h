/* notify.h - telling the service manager that started us (the protocol of sd_notify(3)). */
#ifndef TRICKLESD_NOTIFY_H
#define TRICKLESD_NOTIFY_H

/* This process is the service, and serves. Nothing happens if nobody asked. */
void notify_ready(void);

#endif
