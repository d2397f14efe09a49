/* shares.h - several flows over one axis of time: what each one's program reads, and how evenly. */
#ifndef TRK_TEST_SHARES_H
#define TRK_TEST_SHARES_H

#include <stdbool.h>
#include <stdio.h>

/* Draws the "read" events of all flows in file. False, with a sentence on stderr, if it cannot be read or has none. */
bool shares_draw(const char *file, const char *title, FILE *out);

#endif
