/* reno_http.h - requests and answers over a textbook TCP on a simulated path: what kept connections are measured against. */
#ifndef SIM_RENO_HTTP_H
#define SIM_RENO_HTTP_H

#include "path.h"
#include "stream.h"

struct sim_reno_http {
    const struct sim_path_config *up, *down;
    const struct sim_object *objects; unsigned n_objects;      /* asked for one after the other, think_us before each */
    uint32_t mtu;
    uint64_t seed;
    uint64_t *done_us;                 /* NULL, or where to note when each object was read whole */
    uint64_t up_pkts, down_pkts;       /* out: sent each way, the SYNs and the acknowledgements included */
};

/* Opens a connection, asks for all objects, one at a time. Returns the seconds until the last was read whole; a negative
 * number if the SYN was never answered. */
double sim_reno_http(struct sim_reno_http *h);

#endif
