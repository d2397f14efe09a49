/* replay.h - the parts of trk-replay (replay.c says what it is). */
#ifndef BENCH_REPLAY_H
#define BENCH_REPLAY_H

#include "link/link.h"
#include "tcb/keys.h"
#include "tcb/seal.h"
#include "tcb/step.h"
#include "wire/messages.h"
#include "wire/segment.h"

#define REPLAY_PACKET 320              /* bytes of a request's packet, at most */
#define REPLAY_ASKS   1000             /* bytes of output that each asks for */

struct replay_packet { uint16_t bytes; uint8_t data[REPLAY_PACKET - 2]; };

struct replay {
    const struct trk_epoch *epoch;     /* the server's key, which only a test may know */
    uint32_t domain; uint16_t slot;    /* as the server's OPENED says */
    struct trk_addr server; uint16_t port;
    unsigned n_flows, burst;           /* flows have their turns, of so many requests: those leave in one frame */
    uint64_t random;                   /* connections of this run */
    struct replay_packet *packets; size_t n;
};

_Noreturn void replay_fail(const char *what, const char *detail);
/* Fills r->packets with r->n requests, each for one number that was never spent, proven and sealed. */
void replay_mint(struct replay *r, uint64_t now_ms);
/* A SYN of this run, as a packet; its bytes. */
size_t replay_syn(const struct replay *r, uint8_t *packet, size_t cap);

#endif
