/* server.h - the simulated stateless server: some replicas that share nothing but keys, each as good as
 * rebooted before every packet, and the oracles that watch every answer. */
#ifndef SIM_SERVER_H
#define SIM_SERVER_H

#include "application.h"
#include "serve/filter.h"
#include "random.h"
#include "spray.h"

#define SIM_EPOCH_MS 1700000000000ull  /* real time at virtual time 0, unless a scenario says otherwise */

/* What one packet met at a replica, for whoever watches: the words of check, admit and plan. */
struct sim_witnessed {
    struct trk_filter *filter;         /* NULL: the replica has none */
    const struct trk_serve_config *config;
    uint64_t now_ms;
    const struct trk_spend *spend;     /* proven */
    const struct trk_decision *decision;               /* NULL: check had the last word */
    const struct trk_plan *plan;       /* NULL: refused before or by plan */
    enum trk_verdict verdict;          /* of the last of the three that was asked; ACCEPTED by plan */
};
struct sim_witness { void (*see)(void *arg, const struct sim_witnessed *what); void *arg; };

struct sim_server_config {
    uint8_t  replicas;                 /* 1.. */
    int32_t  skew_ms[SIM_REPLICAS_MAX];
    uint16_t mtu;                      /* of its device */
    uint32_t rotate_ms;                /* > 0: one replica takes one step of a staged rotation so often */
    bool     retire;                   /* old epochs are taken away at last; else they stay, retiring */
    uint32_t greeting_bytes, nibble_bytes;
    uint16_t pad_bytes;
    uint8_t  stingy_percent;
    bool     encrypt, scatter;
    uint32_t domain[SIM_REPLICAS_MAX]; /* of the filters (0: no filter): who spends in another one is told so, and restarts */
    bool     domain_named;             /* by an operator: the filter of a replica that starts again has the same domain */
    uint32_t filter_bytes;             /* of each replica's filter; 0: 64 KiB */
    bool     shared;                   /* the replicas are workers of one host: one filter for all of them */
    uint64_t jump_at_ms; int64_t jump_ms;              /* the clock of all replicas is put forward or back */
    uint32_t wipe_ms;                  /* > 0: a filter loses its memory so often */
    uint32_t crowd;                    /* numbers of other connections that each event brings along into the filter */
    bool     skip_checksum;            /* corrupted packets reach the parsers (then bytes may be wrong) */
    const struct sim_witness *witness; /* NULL: nobody watches */
    uint8_t  twin_every;               /* every so many answers is made twice, by two replicas, and compared; 0: never */
};

struct sim_server {
    struct sim_server_config config;
    struct trk_keys keys[SIM_REPLICAS_MAX];
    struct trk_filter *filter[SIM_REPLICAS_MAX];
    uint8_t  epoch;                    /* the one that is current, or being promoted */
    uint8_t  rotation_step;
    struct sim_application app;
    struct sim_workbench *bench;       /* memory of one event, kept between runs because it is large */
    uint64_t verdicts[TRK_V_COUNT];    /* of intact segments */
    uint64_t events, packets_out, headers_out;
    bool     exactly_once;             /* one filter that has forgotten nothing yet */
    const char *violation;             /* the first broken rule; the run has failed */
    char     detail[160];
};

typedef void sim_server_send(void *arg, const uint8_t *packet, uint32_t bytes);

void sim_server_init(struct sim_server *s, const struct sim_server_config *config);
/* One packet arrives at a replica; its answers go through send. real_ms: the true real time. garbage: nobody's packet, an
 * answer to it is a violation. Returns the packet's fate. */
enum trk_verdict sim_server_packet(struct sim_server *s, struct sim_random *random, unsigned replica, const uint8_t *packet, uint32_t bytes,
                                   bool garbage, uint64_t real_ms, sim_server_send *send, void *arg);
/* True as long as there is one filter, which had to forget nothing. */
bool sim_server_remembers_all(struct sim_server *s, uint64_t real_ms);
/* A filter forgets everything, and is another domain from then on. */
void sim_server_wipe(struct sim_server *s, struct sim_random *random);
/* A replica starts again: its filter is empty, unless other workers of its host kept it, and of another domain, unless an
 * operator named that. */
void sim_server_restart(struct sim_server *s, struct sim_random *random, unsigned replica);
/* The next step of a staged rotation: add, promote, retire. */
void sim_server_rotate(struct sim_server *s);

#endif
