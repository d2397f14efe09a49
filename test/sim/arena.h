/* arena.h - several clients of any character at one bottleneck, in front of one or more hosts that share keys: a small
 * world for the question who gets how much. Clients are driven by hooks, so they may lie; the bottleneck counts. */
#ifndef SIM_ARENA_H
#define SIM_ARENA_H

#include "application.h"
#include "client/client.h"
#include "events.h"
#include "random.h"
#include "serve/filter.h"
#include "server.h"

#define ARENA_PLAYERS_MAX 4
#define ARENA_HOSTS_MAX   8
#define ARENA_EPOCH_MS    1700000000000ull           /* real time at virtual time 0 */
#define ARENA_MTU         1500
#define ARENA_FILTER_BYTES (1u << 18)

struct arena_config {
    uint64_t seed;
    double   rate_bytes_per_us;        /* of the bottleneck, which all answers pass */
    uint32_t queue_bytes, delay_us;    /* drop limit: 80 to 100 % of the queue, at random; delay: each way */
    unsigned n_hosts;
    uint32_t domain[ARENA_HOSTS_MAX];
    uint32_t wipe_ms;                  /* > 0: so often every host loses its filter, and is another domain */
    uint64_t from_us, until_us;        /* what is delivered in between is counted */
    const struct sim_witness *witness; /* NULL: nobody watches the hosts' decisions */
};

struct arena;
struct player;

struct player_hooks {                  /* each may be NULL: as an honest client would */
    void (*arrived)(struct arena *a, struct player *p, const struct trk_segment *seg);    /* before the engine sees it */
    bool (*sends)(struct arena *a, struct player *p, uint8_t *packet, uint32_t bytes);    /* false: it did so itself */
    void (*runs)(struct arena *a, struct player *p);     /* before the engine may act */
    void (*wiped)(struct arena *a, struct player *p);
};

struct player {
    uint16_t index;
    unsigned host;                     /* where its packets go */
    const struct player_hooks *hooks;
    uint64_t start_us, wake_us, bytes, verdict_bytes;      /* answers and verdicts delivered while it counts, headers included */
    struct trk_client *engine;
    uint8_t  *receive_buffer, *send_buffer, *numbers;
    bool     apart;                    /* what it is sent passes no bottleneck */
    bool     opened, detached;         /* detached: the hooks have taken over, the engine is not asked any more */
    void     *own;                     /* the hooks' */
};

struct arena {
    struct arena_config config;
    struct sim_random random;
    struct sim_events events;
    uint64_t now_us, busy_until_us, last_up_us[ARENA_PLAYERS_MAX], drops, wipe_due_us;
    uint64_t up_bytes, down_bytes;     /* sent so far, by all players and by all hosts, whether it arrives or not */
    struct trk_keys keys;
    struct { struct trk_filter *filter; uint8_t *memory; struct trk_serve_config config; } hosts[ARENA_HOSTS_MAX];
    struct sim_application app;
    struct arena_bench *bench;
    uint64_t verdicts[TRK_V_COUNT];
    unsigned n_players;
    struct player players[ARENA_PLAYERS_MAX];
};

/* Makes the world and its players, who start at start_us. Call for each run; memory is used again. */
void arena_init(struct arena *a, const struct arena_config *config);
struct player *arena_join(struct arena *a, const struct player_hooks *hooks, void *own, uint64_t start_us);
void arena_run(struct arena *a);

/* A packet of the player's to one of the hosts; checksums are finished here. */
void arena_send(struct arena *a, struct player *p, unsigned host, uint8_t *packet, uint32_t bytes);
void arena_wake(struct arena *a, struct player *p, uint64_t at_us);

#endif
