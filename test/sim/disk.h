/* disk.h - what an application of the simulated world keeps of uploads whose bytes come in any order: which of them are here.
 * It is no state of connections: like files, it outlives every server and is shared by all of them. */
#ifndef SIM_DISK_H
#define SIM_DISK_H

#include <stdbool.h>
#include <stdint.h>

/* Everything is deleted. */
void sim_disk_clear(void);
/* Bytes [offset, offset + n) of an upload are here. */
void sim_disk_write(uint64_t upload, uint64_t offset, uint32_t n);
/* Are bytes [0, n) all here? */
bool sim_disk_has(uint64_t upload, uint64_t n);

#endif
