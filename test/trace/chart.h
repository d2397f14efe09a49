/* chart.h - panels, axes, lines and marks in plain SVG. */
#ifndef TRK_TEST_CHART_H
#define TRK_TEST_CHART_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define CHART_WIDTH 1200
#define CHART_LEFT  80
#define CHART_RIGHT 1180

struct chart {
    FILE    *out;
    double   x0, x1;                   /* what the horizontal axis spans */
    double   y0, y1;                   /* the same of the vertical one */
    double   top, bottom;              /* of the panel, in pixels */
    uint8_t *seen;                     /* pixels that have a mark already: a trace may have a million of them */
};

void chart_open(FILE *out, double height);
void chart_close(FILE *out);
/* Text is escaped. anchor: start, middle or end. */
void chart_text(FILE *out, double x, double y, const char *anchor, const char *style, const char *text);

/* A panel with its frame, grid, ticks and label; y_max is rounded up. times: with the axis of time below it. */
void chart_panel(struct chart *c, FILE *out, double top, double height, double x0, double x1, double y0, double y1, const char *label, bool times);
void chart_panel_end(struct chart *c);
double chart_x(const struct chart *c, double x);
double chart_y(const struct chart *c, double y);

/* Marks of class `style`. A dot where there is one of this layer already is left out. A bar reaches from y to y2, and `more`
 * pixels beyond each. */
void chart_dot(struct chart *c, unsigned layer, const char *style, double x, double y);
void chart_cross(struct chart *c, const char *style, double x, double y);
void chart_bar(struct chart *c, const char *style, double x, double y, double y2, double more);
/* A line over the whole height, with a word at its top if there is room. */
void chart_rule(struct chart *c, const char *style, double x);

/* A line of points, or of steps; begin, any number of points, end. */
struct chart_line { struct chart *c; bool begun; double x, y; };
void chart_line_begin(struct chart_line *l, struct chart *c, const char *style);
void chart_line_to(struct chart_line *l, double x, double y, bool step);
void chart_line_end(struct chart_line *l);

/* Legend entries from left to right; returns where the next one begins. */
double chart_legend(FILE *out, double x, double y, const char *symbol, const char *style, const char *text);

#endif
