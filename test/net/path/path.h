/* path.h - the path emulator: two devices, and for each direction what happens to a frame on its way.
 *
 *     device A == recv ==> cut, finish checksum --> direction "up"   --> send == device B
 *     device A == send <-- direction "down" <-- cut, finish checksum <== recv == device B
 *
 * A direction, in order:  queue (limit, early drop) > rate > loss > corruption > duplication > delay > reordering.
 * ARP and neighbour discovery are delayed like everything else, but never lost or damaged: a test is about
 * transport, and one lost ARP answer costs a second. */
#ifndef TRK_PATH_H
#define TRK_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct spec {                          /* one direction's conditions; all zero: a clean wire */
    uint64_t delay_ns, jitter_ns;      /* uniform in delay +- jitter, keeping the order */
    double   rate_bps;                 /* 0: unlimited */
    uint64_t queue_packets, queue_bytes;   /* 0: no such limit; the queue stands before the rate */
    double   early;                    /* share of the queue from which on arrivals are dropped at random; 1: never */
    double   loss, burst;              /* share lost; mean length of a run of losses (1: independent) */
    double   reorder; uint64_t reorder_ns;   /* share of frames held back, and by how much */
    double   duplicate, corrupt;       /* shares */
};
/* "delay=20,jitter=2,rate=10,queue=100,..." on top of what spec holds. False and a sentence in error. */
bool spec_parse(struct spec *spec, const char *text, char *error, size_t error_bytes);
void spec_default(struct spec *spec);
extern const char spec_help[];

struct frame { uint32_t bytes; uint8_t data[]; };    /* from the link header on; made by malloc */

struct counters {
    uint64_t in, bytes_in, out, bytes_out, lost, queue_drops, early_drops, duplicated, reordered, corrupted, cut, errors, overflow;
    uint64_t late_ns_sum, late_ns_max; /* how much after its time a frame left */
};

struct waiting { uint64_t due_ns, order; struct frame *frame; };

struct direction {
    const char *name;
    struct spec spec;
    struct counters counters;
    uint64_t random;                   /* state of the generator */
    bool burst_on;                     /* in a run of losses */
    uint64_t busy_until_ns, last_due_ns, order;
    struct departure { uint64_t at_ns; uint32_t bytes; } *queue;   /* ring: frames not yet through the bottleneck */
    size_t queue_cap, queue_head, queue_n; uint64_t queue_bytes;
    struct waiting *heap; size_t heap_n, heap_cap;
};
void direction_init(struct direction *d, const char *name, const struct spec *spec, uint64_t seed);
/* One wire-sized frame arrives; it is copied. */
void direction_take(struct direction *d, const uint8_t *data, uint32_t bytes, uint64_t now_ns);
/* When the next frame is due; UINT64_MAX: none. */
uint64_t direction_next(const struct direction *d);
/* The next frame that is due by now_ns, to be freed by the caller; NULL: none. */
struct frame *direction_pop(struct direction *d, uint64_t now_ns);
void direction_free(struct direction *d);
/* Appends the counters as a JSON object. */
int direction_print(const struct direction *d, char *out, size_t cap);

struct port;
/* Opens a packet socket on the device. NULL and a sentence in error. */
struct port *port_open(const char *device, char *error, size_t error_bytes);
int  port_fd(const struct port *port);
/* Feed what has arrived into d. False when nothing was there; -1: the device is gone. */
int  port_receive(struct port *port, struct direction *d, uint64_t now_ns);
/* Send what is due. */
void port_send(struct port *port, struct direction *d, uint64_t now_ns);
uint64_t port_missed(struct port *port);             /* frames that found the socket buffer full */
void port_close(struct port *port);

#endif
