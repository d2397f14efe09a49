/* engine_loop.h - joins a client engine and a link, which do not know each other: one turn of the loop. */
#ifndef TRK_EXAMPLES_ENGINE_LOOP_H
#define TRK_EXAMPLES_ENGINE_LOOP_H

#include "client/client.h"
#include "link/link.h"

#define ENGINE_LOOP_BATCH 64

struct engine_loop {                   /* large: allocate it */
    struct trk_client *client;         /* the first three are the caller's and set by it */
    struct trk_link *link;
    struct trk_link_neighbour to;      /* next hop of everything sent */
    uint64_t verdicts[TRK_V_COUNT];    /* fates of received packets that never reached the engine */
    struct trk_link_packet in[ENGINE_LOOP_BATCH];
    struct trk_link_out out[ENGINE_LOOP_BATCH];
    uint8_t packets[ENGINE_LOOP_BATCH][TRK_SLOT_MAX + TRK_HEADER_MAX];
};

/* The engine's clock: monotonic microseconds. */
uint64_t engine_loop_now(void);
/* Send what the engine wants to send. Call it after anything done to the client from outside. 0, or -1 and errno. */
int engine_loop_flush(struct engine_loop *loop);
/* Wait for packets or the engine's timer, at most max_wait_ms (-1: no limit), feed what came, send what follows.
 * 0, or -1 and errno. An interface that goes down is no error: it may come back, and the engine waits. */
int engine_loop_turn(struct engine_loop *loop, int max_wait_ms);

#endif
