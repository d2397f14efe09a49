/* target.h - the server and the requests, from the URLs. */
#ifndef LOAD_TARGET_H
#define LOAD_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct target {                        /* one URL */
    const char *url;
    char *request; size_t request_bytes;
    bool seen; uint64_t body_bytes; uint8_t hash[16];  /* of the first answer, for --verify */
};
struct targets { struct target *all; size_t n; struct sockaddr_storage peer; };

/* All URLs name one server. False: what is wrong was said. */
bool targets_read(struct targets *t, const char *const *urls, int n);
void targets_free(struct targets *t);

#endif
