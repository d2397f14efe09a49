#include "ledger.h"

#include "random.h"

#define PLACES (1u << 18)              /* far more than the numbers of a run */

/* A run's entries are told from older ones by its stamp, so that nothing need be cleared. */
static struct { uint64_t key; uint32_t run; } places[PLACES];
static uint32_t run, used;

void sim_ledger_begin(void)
{
    run++;
    used = 0;
}

bool sim_ledger_enter(uint64_t connection, uint32_t generation, uint64_t n)
{
    uint64_t key = sim_mix(connection ^ sim_mix((uint64_t)generation << 48 ^ n));
    uint32_t i = (uint32_t)key & (PLACES - 1);

    while (places[i].run == run && places[i].key != key)
        i = (i + 1) & (PLACES - 1);
    if (places[i].run == run)
        return false;
    if (++used < PLACES / 2) {         /* a run that is longer than that is not watched to its end */
        places[i].run = run;
        places[i].key = key;
    }
    return true;
}
