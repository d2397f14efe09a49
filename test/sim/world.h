/* world.h - a whole world: clients, a path each way for each of them, one stateless server, virtual time. One
 * scenario with one seed is one run, always the same. Beside the clients there may be rivals, which speak a textbook TCP;
 * both are flows, numbered from 0, clients first. */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include "path.h"
#include "program.h"
#include "rival.h"
#include "server.h"

#define SIM_CLIENTS_MAX 64
#define SIM_RIVALS_MAX  64
#define SIM_FLOWS_MAX   (SIM_CLIENTS_MAX + SIM_RIVALS_MAX)
#define SIM_OBJECTS_MAX 512

/* Whoever wants to see all packets of clients: as they are sent (fate: what the path does), and as they were judged on
 * arrival; and how many bytes the program of any flow has read, each time there are more. */
struct sim_observer {
    void (*sent)(void *arg, uint64_t now_us, unsigned client, bool up, const uint8_t *packet, uint32_t bytes, const char *fate);
    void (*arrived)(void *arg, uint64_t now_us, unsigned client, bool up, const uint8_t *packet, uint32_t bytes, enum trk_verdict fate);
    void (*read)(void *arg, uint64_t now_us, unsigned flow, uint64_t bytes);
    void *arg;                         /* each function may be NULL */
};

struct sim_scenario {
    uint64_t seed;
    uint64_t epoch_ms;                 /* real time at virtual time 0 */
    unsigned n_clients, n_rivals;
    struct sim_program_config clients[SIM_CLIENTS_MAX];
    struct sim_rival_config rivals[SIM_RIVALS_MAX];
    struct sim_path_config up[SIM_FLOWS_MAX], down[SIM_FLOWS_MAX];
    bool     shared_up, shared_down;   /* all flows go through one queue, that of flow 0 */
    struct sim_server_config server;
    struct sim_spray_config spray;     /* over its replicas */
    double   forge;                    /* chance that a packet brings a forged one along */
    bool     attack;                   /* corrupted packets reach the parsers: bytes may be wrong, nothing may break or hang */
    uint32_t limit_s;                  /* virtual time by which everything must have ended */
    uint64_t count_from_us, stop_us;   /* stop > 0: the world stops then, whatever is under way; what is read between them is counted */
    bool     trace;
    const struct sim_observer *observer;               /* NULL: nobody */
};

struct sim_outcome {
    const char *rule;                  /* NULL: everything held */
    char     detail[200];
    uint64_t end_us, events;
    uint64_t up_pkts, down_pkts, headers, lost_pkts;
    uint64_t vanished_pkts, waited_pkts;               /* at dead replicas, at clogged ones */
    uint64_t counted[SIM_FLOWS_MAX];   /* bytes that the program of each flow read while it counted */
    uint64_t sent[SIM_FLOWS_MAX], dropped[SIM_FLOWS_MAX];          /* packets towards each flow's client, those that its queue dropped */
    uint64_t rival_timeouts[SIM_RIVALS_MAX];
    struct trk_client_stats stats[SIM_CLIENTS_MAX];
    uint64_t finished_us[SIM_CLIENTS_MAX], bytes_read[SIM_CLIENTS_MAX];
    uint64_t server_verdicts[TRK_V_COUNT];
};

/* Runs it to its end. True if every rule held. */
bool sim_world_run(const struct sim_scenario *s, struct sim_outcome *out);
/* A good starting point: one IPv4 client with no objects yet, 10 ms each way, no faults. */
void sim_scenario_init(struct sim_scenario *s, uint64_t seed);
/* The same to measure one client that fetches n objects: a filter, all the room there is, and nothing is answered twice. */
void sim_scenario_measure(struct sim_scenario *s, uint64_t seed, const struct sim_object *objects, unsigned n);
/* Prints what failed and how it ended to stdout. */
void sim_outcome_print(const struct sim_scenario *s, const struct sim_outcome *o);

#endif
