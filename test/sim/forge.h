/* forge.h - what others may throw at a connection: noise, blind resets, old packets with another source. */
#ifndef SIM_FORGE_H
#define SIM_FORGE_H

#include "events.h"
#include "random.h"

struct sim_forger { bool opened; };    /* something came back from the server already */

void sim_forger_init(struct sim_forger *f);
/* A forged packet inspired by a true one, NULL if there is none to make now. */
struct sim_packet *sim_forge(struct sim_forger *f, struct sim_random *random, bool to_server, const uint8_t *packet, uint32_t bytes);

#endif
