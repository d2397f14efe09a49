/* events.h - virtual time: a heap of things to come, ordered by time and then by age. */
#ifndef SIM_EVENTS_H
#define SIM_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sim_event_kind { SIM_EVENT_TO_SERVER, SIM_EVENT_TO_CLIENT, SIM_EVENT_CLIENT_WAKE, SIM_EVENT_ROTATE, SIM_EVENT_WIPE,
                      SIM_EVENT_AT_REPLICA, SIM_EVENT_RESTART };

struct sim_packet {                    /* a packet on its way; malloc'ed to its exact size, so that ASan sees overreads */
    uint32_t bytes;
    bool     corrupted;                /* the path flipped bits in it */
    bool     garbage;                  /* nobody's packet: an answer to it is a violation */
    uint8_t  data[];
};

struct sim_event {
    uint64_t at_us, age;
    enum sim_event_kind kind;
    uint16_t client;                   /* whose */
    struct sim_packet *packet;         /* owned by the event */
};

struct sim_events { struct sim_event *heap; size_t n, cap; uint64_t age; };

void sim_events_add(struct sim_events *e, uint64_t at_us, enum sim_event_kind kind, uint16_t client, struct sim_packet *packet);
/* Takes the earliest event out. False if there is none. */
bool sim_events_next(struct sim_events *e, struct sim_event *out);
/* Forgets all events and frees their packets; the heap's memory stays for the next run. */
void sim_events_clear(struct sim_events *e);

struct sim_packet *sim_packet_copy(const void *data, uint32_t bytes);

#endif
