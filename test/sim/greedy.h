/* greedy.h - clients that want more than their share. Puppets are the honest engine with a hand inside; ghosts speak the
 * protocol by themselves and say what they like, on top of what the engine opened for them. */
#ifndef SIM_GREEDY_H
#define SIM_GREEDY_H

#include "arena.h"

/* ---- puppets ---- */
enum puppet_trick {
    PUPPET_HONEST,
    PUPPET_TWICE,                      /* sends every request twice */
    PUPPET_HIDES_BY_RESUME,            /* a loss seen: resumes from before it instead of reporting it */
    PUPPET_HIDES_BY_TIMEOUT,
    PUPPET_HIDES_BY_DOMAIN,            /* the same at the other host, of another domain */
    PUPPET_CUTS,                       /* cuts an answer on purpose now and then, and goes back to it after a loss */
    PUPPET_CUTS_BY_DOMAIN,
    PUPPET_PUMPS,                      /* grows its window by packets without data until the first loss */
    PUPPET_PUMPS_ALWAYS,               /* and again whenever the window is small */
    PUPPET_OLD_WINDOWS,                /* after a loss restarts from the largest window that it ever had */
    PUPPET_OLD_WINDOWS_BY_DOMAIN,      /* the same, at the other host each time */
    PUPPET_REPLAYS,                    /* when the filter was wiped sends everything again */
};
struct shot {                          /* a window worth returning to */
    bool     taken;
    uint32_t generation;
    uint64_t cwnd, cut_f;
    struct trk_number number;
    struct trk_client_piece piece;
    uint32_t domain, address_tag;
};
#define PUPPET_SHOTS 64
#define PUPPET_LOG   4096
struct puppet {
    enum puppet_trick trick;
    uint64_t tricks;                   /* how often it was played */
    unsigned phase; uint64_t phase_us, output_end;   /* of cutting */
    bool     pumped;
    struct shot cut, shots[PUPPET_SHOTS];
    unsigned logged; struct { uint32_t bytes; uint8_t packet[ARENA_MTU]; } log[PUPPET_LOG];
};
extern const struct player_hooks puppet_hooks;
void puppet_init(struct puppet *p, enum puppet_trick trick);

/* ---- ghosts ---- */
enum ghost_story {
    GHOST_HONEST,                      /* to see what the others gain by lying */
    GHOST_ALL_LOST,                    /* every earlier number was lost */
    GHOST_RANDOM,                      /* one in ten was */
    GHOST_TWO_STORIES,                 /* odd numbers claim a loss, even ones do not */
    GHOST_SPENT_LOST,                  /* the number spent just before was lost */
    GHOST_RESTARTS,                    /* a restart of each attempt from every number, besides */
    GHOST_SLEEPS,                      /* honest, but sleeps over the horizon */
    GHOST_REFRESHES,                   /* sleeps, too, then has each number refreshed and spends all openings */
    GHOST_FORKS,                       /* restarts at two hosts of two domains, and goes on at both */
    GHOST_HOSTS,                       /* spends each number at every host of one domain */
    GHOST_INVENTS,                     /* what was lost arrived, it says */
    GHOST_REPAIRS,                     /* has a lost number granted again, by a loss that it invents for a number held back */
};
#define GHOST_NUMBERS 65536
#define GHOST_SIDES   2
#define GHOST_WAKES_S 65               /* when it sleeps */
struct ghost_number {
    uint64_t n, arrived_us;
    uint8_t  state, kind;              /* state: 0 unknown, 1 received, 2 called lost */
    struct trk_piece piece;
    struct trk_grant_ref grant;
    uint64_t nonce;
};
struct ghost_side {                    /* a generation in a domain */
    unsigned host, attempt;
    uint32_t generation, domain;
    uint64_t next, top, star, gap_us, progress_us;
    uint64_t unspent;                  /* REPAIRS: all below were spent; these are held back for the next gap */
    uint64_t repairing, repairing_us;  /* the lost number that was asked for anew */
    struct ghost_number at[GHOST_NUMBERS];
};
struct ghost {
    enum ghost_story story;
    unsigned n_sides;
    bool     slept;
    uint64_t offset, requests, repairs;
    uint32_t seq;
    struct ghost_side sides[GHOST_SIDES];
};
extern const struct player_hooks ghost_hooks;
void ghost_init(struct ghost *g, enum ghost_story story);

/* greedy_repair.c: what REPAIRS does with its numbers, on top of greedy_ghost.c. */
struct ghost_number *ghost_at(struct ghost_side *s, uint64_t n);
/* Spends k (r 0) or restarts from it (attempt r); lies: by its story; but: a number not to be mentioned, 0: none. */
void ghost_say(struct arena *a, struct player *p, struct ghost_side *s, unsigned host, uint64_t k, unsigned r, bool lies, uint64_t but);
void ghost_hold_back(struct arena *a, struct player *p, struct ghost_side *s);
/* True while there is hope that the number at s->next comes anew. */
bool ghost_repair(struct arena *a, struct player *p, struct ghost_side *s);

#endif
