#include "chart.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LAYERS 4

void chart_text(FILE *out, double x, double y, const char *anchor, const char *style, const char *text)
{
    fprintf(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" class=\"%s\">", x, y, anchor, style);
    for (; *text; text++) {
        if (*text == '<')
            fputs("&lt;", out);
        else if (*text == '&')
            fputs("&amp;", out);
        else if (*text == '>')
            fputs("&gt;", out);
        else if ((unsigned char)*text >= ' ')
            fputc(*text, out);
    }
    fputs("</text>\n", out);
}

void chart_open(FILE *out, double height)
{
    fprintf(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%.0f\" viewBox=\"0 0 %d %.0f\" font-family=\"sans-serif\" font-size=\"12\">\n",
            CHART_WIDTH, height, CHART_WIDTH, height);
    fputs("<style>\n"
          "text { fill: #222 } .title { font-size: 17px; font-weight: bold } .label { font-size: 13px; font-weight: bold } .tick { fill: #555 } .facts { fill: #444 }\n"
          ".frame { fill: none; stroke: #888 } .grid { stroke: #ddd; stroke-width: 1 }\n"
          ".cwnd { fill: none; stroke: #1f5fbf; stroke-width: 1.8 } .outstanding { fill: none; stroke: #e08a00; stroke-width: 1.2 }\n"
          ".received { fill: none; stroke: #1f7a3d; stroke-width: 1.8 }\n"
          ".granted { stroke: #86abec; stroke-width: 2 } .sent { fill: #999 } .arrived { fill: #1f7a3d } .terminal { fill: #00a0a0 } .spent { fill: #1f5fbf }\n"
          ".drop { stroke: #d01818; stroke-width: 1.6; fill: none } .updrop { stroke: #a020a0; stroke-width: 1.6; fill: none } .lost { stroke: #ff7020; stroke-width: 3 }\n"
          ".timeout { stroke: #d01818; stroke-width: 1.3; stroke-dasharray: 5 3 } .resume { stroke: #7a7a7a; stroke-width: 1; stroke-dasharray: 2 3 }\n"
          ".input { stroke: #00a0a0; stroke-width: 1; stroke-dasharray: 1 3 }\n"
          "</style>\n", out);
    fprintf(out, "<rect width=\"%d\" height=\"%.0f\" fill=\"white\"/>\n", CHART_WIDTH, height);
}

void chart_close(FILE *out) { fputs("</svg>\n", out); }

double chart_x(const struct chart *c, double x) { return CHART_LEFT + (x - c->x0) / (c->x1 - c->x0) * (CHART_RIGHT - CHART_LEFT); }
double chart_y(const struct chart *c, double y) { return c->bottom - (y - c->y0) / (c->y1 - c->y0) * (c->bottom - c->top); }

/* 1, 2 or 5 times a power of ten, so that about n ticks fit into the span. */
static double tick_step(double span, double n)
{
    double rough = span / n, power = pow(10, floor(log10(rough)));

    for (double f = 1; f < 10; f *= f == 2 ? 2.5 : 2)
        if (f * power >= rough)
            return f * power;
    return 10 * power;
}

static int decimals_of(double step) { return step >= 1 ? 0 : (int)ceil(-log10(step) - 1e-9); }

/* Nothing is minus nothing. */
static void number_text(char text[32], double value, double step)
{
    snprintf(text, 32, "%.*f", decimals_of(step), value > -step / 1e3 && value < step / 1e3 ? 0 : value);
}

static void y_axis(struct chart *c)
{
    double step = tick_step(c->y1 - c->y0, 5);
    char text[32];

    for (double v = ceil(c->y0 / step) * step; v <= c->y1 + step * 1e-6; v += step) {
        fprintf(c->out, "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>\n", CHART_LEFT, CHART_RIGHT, chart_y(c, v), chart_y(c, v));
        number_text(text, v, step);
        chart_text(c->out, CHART_LEFT - 6, chart_y(c, v) + 4, "end", "tick", text);
    }
}

static void x_axis(struct chart *c, bool times)
{
    double step = tick_step(c->x1 - c->x0, 10);
    char text[32];

    for (double v = ceil(c->x0 / step - 1e-9) * step; v <= c->x1 + step * 1e-6; v += step) {
        fprintf(c->out, "<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>\n", chart_x(c, v), chart_x(c, v), c->top, c->bottom);
        number_text(text, v, step);
        if (times)
            chart_text(c->out, chart_x(c, v), c->bottom + 16, "middle", "tick", text);
    }
    if (times)
        chart_text(c->out, (CHART_LEFT + CHART_RIGHT) / 2.0, c->bottom + 34, "middle", "label", "time since the first packet, s");
}

void chart_panel(struct chart *c, FILE *out, double top, double height, double x0, double x1, double y0, double y1, const char *label, bool times)
{
    *c = (struct chart){ .out = out, .x0 = x0, .x1 = x1, .y0 = y0, .y1 = y1 > y0 ? y1 + (y1 - y0) * .05 : y0 + 1, .top = top, .bottom = top + height };
    c->seen = calloc(LAYERS, (size_t)CHART_WIDTH * (size_t)(height + 1));
    y_axis(c);
    x_axis(c, times);
    fprintf(out, "<rect class=\"frame\" x=\"%d\" y=\"%.1f\" width=\"%d\" height=\"%.1f\"/>\n", CHART_LEFT, top, CHART_RIGHT - CHART_LEFT, height);
    fprintf(out, "<g transform=\"translate(22 %.1f) rotate(-90)\">", top + height / 2);
    chart_text(out, 0, 0, "middle", "label", label);
    fputs("</g>\n", out);
}

void chart_panel_end(struct chart *c)
{
    free(c->seen);
    c->seen = NULL;
}

static bool inside(const struct chart *c, double x, double y) { return x >= c->x0 && x <= c->x1 && y >= c->y0 && y <= c->y1; }

static bool taken(struct chart *c, unsigned layer, double px, double py)
{
    size_t rows = (size_t)(c->bottom - c->top + 1), at = (layer % LAYERS * rows + (size_t)(py - c->top)) * CHART_WIDTH + (size_t)px;

    if (!c->seen)
        return false;
    bool was = c->seen[at];
    c->seen[at] = 1;
    return was;
}

void chart_dot(struct chart *c, unsigned layer, const char *style, double x, double y)
{
    double px = chart_x(c, x), py = chart_y(c, y);

    if (inside(c, x, y) && !taken(c, layer, px, py))
        fprintf(c->out, "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"1.5\"/>\n", style, px, py);
}

void chart_cross(struct chart *c, const char *style, double x, double y)
{
    double px = chart_x(c, x), py = chart_y(c, y);

    if (inside(c, x, y))
        fprintf(c->out, "<path class=\"%s\" d=\"M%.1f %.1fl7 7m0 -7l-7 7\"/>\n", style, px - 3.5, py - 3.5);
}

void chart_bar(struct chart *c, const char *style, double x, double y, double y2, double more)
{
    if (inside(c, x, y) && inside(c, x, y2))
        fprintf(c->out, "<line class=\"%s\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>\n", style, chart_x(c, x), chart_x(c, x), chart_y(c, y) + more, chart_y(c, y2) - more);
}

void chart_rule(struct chart *c, const char *style, double x)
{
    fprintf(c->out, "<line class=\"%s\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>\n", style, chart_x(c, x), chart_x(c, x), c->top, c->bottom);
}

void chart_line_begin(struct chart_line *l, struct chart *c, const char *style)
{
    *l = (struct chart_line){ .c = c };
    fprintf(c->out, "<path class=\"%s\" d=\"", style);
}

/* What moves by less than half a pixel is not drawn. */
void chart_line_to(struct chart_line *l, double x, double y, bool step)
{
    double px = chart_x(l->c, x), py = chart_y(l->c, y);

    if (l->begun && fabs(px - l->x) < .3 && fabs(py - l->y) < .3)
        return;
    if (!l->begun)
        fprintf(l->c->out, "M%.1f %.1f", px, py);
    else if (step)
        fprintf(l->c->out, "H%.1fV%.1f", px, py);
    else
        fprintf(l->c->out, "L%.1f %.1f", px, py);
    l->begun = true;
    l->x = px;
    l->y = py;
}

void chart_line_end(struct chart_line *l) { fputs(l->begun ? "\"/>\n" : "M0 0\"/>\n", l->c->out); }

double chart_legend(FILE *out, double x, double y, const char *symbol, const char *style, const char *text)
{
    if (*symbol == 'l')
        fprintf(out, "<path class=\"%s\" d=\"M%.1f %.1fh22\"/>\n", style, x, y - 4);
    else if (*symbol == 'r')
        fprintf(out, "<path class=\"%s\" d=\"M%.1f %.1fv14\"/>\n", style, x + 11, y - 11);
    else if (*symbol == 'x')
        fprintf(out, "<path class=\"%s\" d=\"M%.1f %.1fl7 7m0 -7l-7 7\"/>\n", style, x + 7.5, y - 7.5);
    else
        fprintf(out, "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"3\"/>\n", style, x + 11, y - 4);
    chart_text(out, x + 27, y, "start", "facts", text);
    return x + 27 + 6.6 * (double)strlen(text) + 18;
}
