/* program.h - a simulated client program on top of the engine: it writes requests, reads objects at its own
 * pace, verifies every byte of them and the end of the stream. */
#ifndef SIM_PROGRAM_H
#define SIM_PROGRAM_H

#include "client/client.h"
#include "random.h"
#include "stream.h"

#define SIM_NEVER UINT64_MAX
#define SIM_RECEIVE_MAX (1u << 24)
#define SIM_SEND_MAX (1u << 22)

enum sim_ending {
    SIM_END_CLOSE,                     /* the client closes after the last object */
    SIM_END_SHUTDOWN,                  /* the client half-closes after its last request, then reads to the end */
    SIM_END_SERVER,                    /* the last object is an 'F': the server ends the stream */
    SIM_END_RESET,                     /* the last object is an 'X': the server resets the connection */
};

struct sim_program_config {
    const struct sim_object *objects; unsigned n_objects;
    unsigned pipeline;                 /* greatest number of unanswered requests, at least 1 */
    enum sim_ending ending;
    uint64_t start_us;                 /* when it opens its connection */
    uint64_t abort_us;                 /* > 0: closes at this time, whatever is under way */
    bool     careless;                 /* takes any bytes and any end: what arrives may be forged */
    bool     syn_data;                 /* the first request rides in the SYN */
    uint32_t greeting_bytes;           /* the server speaks first */
    uint32_t write_chunk_bytes;        /* > 0: at most so many per call */
    uint32_t read_chunk_bytes, read_every_us;          /* a slow reader; 0: as it comes */
    uint64_t stop_from_us, stop_until_us;              /* the reader sleeps */
    unsigned feed_most;                /* arrivals before the loop runs at the latest; 0: 8 */
    uint32_t coalesce_us;              /* the loop above the engine wakes so late after an arrival */
    uint32_t sleep_every_us, sleep_us; /* a busy host: the program is not scheduled for so long, ever so often */
    uint32_t receive_bytes, send_bytes;
    uint64_t *done_us;                 /* NULL, or where to note when each object was read whole */
    struct trk_flow flow;
    uint16_t mtu;
};

struct sim_program {
    struct sim_program_config config;
    struct trk_client *engine;
    uint8_t *receive_buffer, *send_buffer, *numbers;   /* kept between runs */
    unsigned writing; uint64_t written;                /* object whose request is being written, bytes of it written */
    unsigned reading; uint64_t read, key; bool interim, dated; /* object being read, bytes of it read, its key */
    bool     greeted, shut, ended;
    uint64_t ready_us, next_read_us;   /* thinking until; reading again at */
    uint64_t wake_us;                  /* the earliest wake-up that is scheduled */
    unsigned idle_runs;                /* since something moved last, or was waited for */
    uint32_t cwnd_pkts;                /* as of the last run */
    unsigned unpolled;                 /* segments fed since poll was last drained */
    uint64_t object_done_us[2];        /* start and end of the object that was read last */
    uint64_t finished_us, bytes_read, packets_in, packets_out;  /* in: intact ones */
    bool     lends;                        /* this engine reads where segments arrive */
    bool     finished, gave_up;        /* gave up: no SYN was ever answered, for as long as Linux tries */
    const char *violation; char detail[160];
};

/* Until when the program is not scheduled; at or before now_us: it is awake. */
static inline uint64_t sim_program_asleep_until(const struct sim_program *p, uint64_t now_us)
{
    const struct sim_program_config *c = &p->config;
    uint64_t in_turn = c->sleep_every_us ? now_us % c->sleep_every_us : 0;
    return in_turn < c->sleep_us ? now_us - in_turn + c->sleep_us : now_us;
}

typedef void sim_program_send(void *arg, const uint8_t *packet, uint32_t bytes);

void sim_program_init(struct sim_program *p, const struct sim_program_config *config, struct sim_random *random, uint64_t now_us);
/* A packet arrives; skip_checksum delivers corrupted ones. Call sim_program_run when it says so (true). */
bool sim_program_packet(struct sim_program *p, const uint8_t *packet, uint32_t bytes, bool skip_checksum, uint64_t now_us, enum trk_verdict *fate);
/* Poll, read, write until nothing moves. Returns when it wants to run again, SIM_NEVER if never. */
uint64_t sim_program_run(struct sim_program *p, uint64_t now_us, sim_program_send *send, void *arg);

#endif
