/* picture.h - a trace as one self-contained SVG: three panels over one axis of time. */
#ifndef TRK_TEST_PICTURE_H
#define TRK_TEST_PICTURE_H

#include <stdio.h>

#include "trace_file.h"

void picture_draw(const struct trace *t, const char *title, FILE *out);

#endif
