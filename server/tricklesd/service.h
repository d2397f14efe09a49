/* service.h - what happens with each event: input becomes an answer, asked ranges become bytes. */
#ifndef TRICKLESD_SERVICE_H
#define TRICKLESD_SERVICE_H

#include <trickles/minisocket.h>
#include "tricklesd/file.h"
#include "tricklesd/file_view.h"
#include "tricklesd/http_answer.h"
#include "tricklesd/upload.h"

struct service {                       /* nothing in it belongs to a connection */
    struct file_root root;
    struct file_views views;
    bool may_view;                     /* long ranges may be sent from where the page cache has them */
    struct upload_place uploads;       /* fd -1: none are taken */
};

/* -1 and errno: no such directory, ... may_view: as above; no if this process looks at what it sends (a capture). */
int service_open(struct service *s, const char *root, bool may_view);
void service_close(struct service *s);
/* A round of the event loop is over: files are looked up again in the next. */
void service_round(struct service *s);
/* Say `a`, having used so many bytes of the input; `then` is where the next request goes on. 0 or a negative errno value. */
int service_say(struct minisock *m, const struct http_answer *a, uint64_t consumed, struct msk_bytes then, bool last);
/* A msk_handler; arg is the service. */
void service_handle(struct minisock *m, const struct msk_event *event, void *arg);

#endif
