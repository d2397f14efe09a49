/* put.h - PUT: a request whose body comes by position becomes a file. */
#ifndef TRICKLESD_PUT_H
#define TRICKLESD_PUT_H

#include "tricklesd/http_answer.h"
#include "tricklesd/service.h"

/* True, and *kind, if this PUT is refused before its body is sent. */
bool put_refused(const struct http_request *r, enum answer_kind *kind);

/* A complete PUT head of `used` bytes. True: the body is asked for. False: *kind says what is answered at once. */
bool put_begin(struct service *s, struct minisock *m, const struct msk_event *event, const struct http_request *r, size_t used, enum answer_kind *kind);
/* Bytes of the body, by position. 0 or a negative errno value. */
int put_take(struct service *s, struct minisock *m, const struct msk_event *event);
/* Does this input continuation belong to an upload? Then its last byte comes to put_finish. */
bool put_is_saved(const uint8_t *opaque, size_t bytes);
int put_finish(struct service *s, struct minisock *m, const struct msk_event *event);

#endif
