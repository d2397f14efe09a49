/* ledger.h - which numbers were granted, by what: with one filter that forgets nothing, each only once. */
#ifndef SIM_LEDGER_H
#define SIM_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

void sim_ledger_begin(void);
/* Enters number n of a generation of a connection. False if it stands there already. */
bool sim_ledger_enter(uint64_t connection, uint32_t generation, uint64_t n);

#endif
