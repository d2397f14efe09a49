/* endpoint_state.h - the fields of struct trk_endpoint. Private to core/endpoint. */
#ifndef TRK_ENDPOINT_ENDPOINT_STATE_H
#define TRK_ENDPOINT_ENDPOINT_STATE_H

#include "endpoint/endpoint.h"

#define OUT_PACKETS  64                /* leave in one call */
#define OUT_BYTES    (256u << 10)
#define RECEIVED     64                /* frames taken from a link at once */
#define BY_PORT      65536             /* 8 bytes each, touched as used */
#define ROUTES       64

/* ---- links.c ---- */
struct trk_endpoint_link {
    struct trk_endpoint_link *next;
    int ifindex;
    ino_t ino;
    struct trk_link *link;
    struct trk_port *ports; size_t n_ports;            /* doubly linked */
    bool wide;                         /* the filter names no ports: compiling one that does costs a connect dearly */
    uint64_t changed_us, narrow_us;    /* the last addition; when to name the ports again */
};
struct trk_endpoint_link *trk_links_get(struct trk_endpoint *e, int ifindex, char *error, size_t error_bytes);
/* Receive segments for this port there from now on, wherever it was before. */
bool trk_links_add_port(struct trk_endpoint *e, struct trk_endpoint_link *link, struct trk_port *port);
void trk_links_drop_port(struct trk_port *port);
void trk_links_narrow(struct trk_endpoint *e);
uint64_t trk_links_wake_us(const struct trk_endpoint *e);
void trk_links_close(struct trk_endpoint *e);

/* ---- ports.c: guarded ports, taken by one connection after the other ---- */
struct trk_port {
    struct trk_addr local; uint16_t port;
    int guard;
    bool bound;                        /* the program chose it: not for others */
    struct trk_endpoint_link *link;    /* whose filter names it */
    struct trk_port *next, *previous;  /* of that link */
    struct trk_port *next_resting; uint64_t rests_since_us;
};
struct trk_port *trk_ports_take(struct trk_endpoint *e, const struct trk_addr *local, uint16_t port, char *error, size_t error_bytes);
void trk_ports_give_back(struct trk_endpoint *e, struct trk_port *port);
void trk_ports_trim(struct trk_endpoint *e);           /* close those that rested long */
uint64_t trk_ports_wake_us(const struct trk_endpoint *e);
void trk_ports_close(struct trk_endpoint *e);

/* ---- memory.c: what a client needs, in one mapping, used again ---- */
struct trk_memory { struct trk_memory *next; };        /* over the first bytes of a free block */
struct trk_client *trk_memory_take(struct trk_endpoint *e, struct trk_client_config *config);
void trk_memory_give_back(struct trk_endpoint *e, struct trk_client *client);
void trk_memory_close(struct trk_endpoint *e);

/* ---- timers.c ---- */
struct trk_timer { uint64_t at_us; struct trk_end *end; };
bool trk_timers_reserve(struct trk_endpoint *e);       /* room for one end more */
void trk_timers_drop(struct trk_end *end);
struct trk_end *trk_timers_due(struct trk_endpoint *e);

struct trk_endpoint {
    struct trk_endpoint_config config;
    uint64_t now_us;
    struct trk_endpoint_link *links;
    struct trk_end **by_port;
    size_t n_ends;

    struct trk_end *touched, **touched_end;            /* first in, first out */
    struct trk_end *fed, **fed_end;    /* by the last feed */
    struct trk_timer *heap; size_t heap_n, heap_cap;

    struct trk_port *resting, **resting_end; size_t n_resting;     /* the longest resting first */
    struct trk_memory *free_memory; size_t n_free_memory;
    struct { struct trk_addr peer, local; uint64_t at_us; int error; struct trk_route route; } routes[ROUTES];

    struct trk_link_packet batch[RECEIVED]; int batch_next, batch_n;     /* received from one link, not all fed */

    struct trk_endpoint_link *out_link;
    struct trk_link_out out[OUT_PACKETS]; int n_out; uint32_t out_bytes;
    uint8_t *out_buffer;
};

#endif
