/* timers.h - when connections must run: a binary heap, so that a round costs those whose time has come and not all. */
#ifndef SHIM_TIMERS_H
#define SHIM_TIMERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct shim_timer { uint64_t at_us; size_t place; };       /* monotonic; place: 1 + its index in the heap, 0: not set */
struct shim_timers { struct shim_timer **heap; size_t n, cap, owners; };

/* Room for one more owner of a timer, so that setting it cannot fail; false and ENOMEM. */
bool shim_timers_join(struct shim_timers *timers);
/* The owner goes, and its timer with it. */
void shim_timers_leave(struct shim_timers *timers, struct shim_timer *timer);
/* at_us UINT64_MAX: never. */
void shim_timers_set(struct shim_timers *timers, struct shim_timer *timer, uint64_t at_us);
/* The earliest one, taken out, if its time has come; NULL: none. */
struct shim_timer *shim_timers_due(struct shim_timers *timers, uint64_t now_us);
/* When the earliest one is due; UINT64_MAX: never. */
uint64_t shim_timers_next_us(const struct shim_timers *timers);

#endif
