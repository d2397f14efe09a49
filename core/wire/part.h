/* part.h - one part of a request on the wire. */
#ifndef TRK_WIRE_PART_H
#define TRK_WIRE_PART_H

#include "wire/fields.h"

/* Reads one part; trouble shows in the reader, or as false for a count or number that could not be kept. */
bool trk_get_part(struct trk_reader *r, struct trk_part *out);
/* Writes a part for which trk_part_ok holds. */
void trk_put_part(struct trk_writer *w, const struct trk_part *part);
/* Every bound of a part that concerns it alone. */
bool trk_part_ok(const struct trk_part *part);

#endif
