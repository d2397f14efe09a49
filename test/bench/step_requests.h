/* step_requests.h - requests as a server gets them, proven, each for numbers that were never spent. */
#ifndef BENCH_STEP_REQUESTS_H
#define BENCH_STEP_REQUESTS_H

#include "serve/filter.h"
#include "serve/serve.h"

#define STEP_REQUESTS 64               /* of a round: they stay in the cache */
#define STEP_NOW_MS   1700000000000ull
#define STEP_OUTPUT   (1u << 20)       /* bytes of the output that they ask for */

struct step_shape {
    const char *name;
    uint16_t m;                        /* numbers spent */
    uint8_t  repeats;                  /* parts before it, of as many numbers */
    bool     loss, spread;             /* in recovery; each request of another of 100,000 connections */
};
struct step_request { uint8_t bytes[2048]; size_t n; struct trk_segment seg; struct trk_decision decided; };
struct step_server { struct trk_keys keys; struct trk_epoch *epoch; struct trk_filter *filter; struct trk_serve_config config; };

void step_server_init(struct step_server *s, void *memory, size_t filter_bytes);
/* The requests of a round (rounds start at 1), and what the filter knows of the numbers before them. */
void step_requests_make(const struct step_shape *shape, struct step_server *s, uint64_t round, struct step_request requests[STEP_REQUESTS]);
_Noreturn void step_die(const char *why);

#endif
