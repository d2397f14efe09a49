/* application.h - the simulated server's application: what libminisocket's user would write, without state.
 * All it knows of a connection comes in the request's continuations. */
#ifndef SIM_APPLICATION_H
#define SIM_APPLICATION_H

#include "serve/serve.h"

#define SIM_GIVEN_BYTES (TRK_GRANT_MAX * TRK_SLOT_MAX)

struct sim_application {
    uint32_t greeting_bytes;           /* > 0: the server speaks first */
    uint32_t nibble_bytes;             /* > 0: takes no more of a body in one event, leaves the rest to be sent again */
    uint8_t  stingy_percent;           /* of wants that get half of their bytes for now */
    uint16_t pad_bytes;                /* continuations carry at least so many opaque bytes */
    bool     encrypt;                  /* and nobody can read them */
    bool     scatter;                  /* what is given for one want does not lie beside what is given for the next */
    bool     renews;                   /* output continuations that move on while they are read */
    /* Memory of one event, used anew for each. */
    struct trk_renewal renewal;
    struct trk_ucont next_input; unsigned ending;      /* the output that ends in this answer, and its want */
    uint8_t *output;                   /* SIM_GIVEN_BYTES */
    bool     reset;                    /* the application wants no more of this connection */
    const char *complaint;             /* why the event made no sense, NULL if it did */
};

/* Answers one event. False if it did not: with `reset`, or with a complaint about what no honest client asks. */
bool sim_application_run(struct sim_application *app, const struct trk_spend *spend, const struct trk_plan *plan, struct trk_result *out);

#endif
