#include "picture.h"

#include "chart.h"

#define PANEL 230
#define GAP 42
#define TOP 92

struct extent { double windows, low, high, kilobytes, data_kilobytes; unsigned timeouts, resumes, drops, up_drops, lost; bool receives; };

static double larger(double a, double b) { return a > b ? a : b; }

/* What arrived, where the client's side was seen; what left the server, where only that was. */
static bool carries_data(const struct extent *x, const struct trace_event *e)
{
    return e->kind == (x->receives ? TRACE_RECEIVE : TRACE_ANSWER) && e->bytes > 0 && !e->lost;
}

static void measure(const struct trace *t, struct extent *x)
{
    *x = (struct extent){ .low = 1e18 };
    for (size_t i = 0; i < t->n; i++)
        x->receives |= t->events[i].kind == TRACE_RECEIVE;
    for (size_t i = 0; i < t->n; i++) {
        const struct trace_event *e = &t->events[i];
        x->windows = larger(x->windows, larger(e->cwnd, e->outstanding));
        if ((e->kind == TRACE_RECEIVE || e->kind == TRACE_ANSWER || e->kind == TRACE_RESTART) && e->a > 0) {
            x->low = e->a < x->low ? (double)e->a : x->low;
            x->high = larger(x->high, (double)e->b);
        }
        if (carries_data(x, e)) {
            x->kilobytes = larger(x->kilobytes, (double)(e->offset + e->bytes) / 1e3);
            x->data_kilobytes += (double)e->bytes / 1e3;
        }
        x->timeouts += e->kind == TRACE_RESTART && !e->resume && !e->repeat;
        x->resumes += e->kind == TRACE_RESTART && e->resume && !e->repeat;
        x->drops += e->kind == TRACE_DROP && !e->up;
        x->up_drops += e->kind == TRACE_DROP && e->up;
        x->lost += e->kind == TRACE_LOST ? (unsigned)(e->b - e->a + 1) : 0;
    }
    if (x->low > x->high)
        x->low = x->high = 0;
}

/* Restarts and requests with input run through all panels. */
static void rules(struct chart *c, const struct trace *t)
{
    for (size_t i = 0; i < t->n; i++) {
        const struct trace_event *e = &t->events[i];
        if (e->kind == TRACE_INPUT)
            chart_rule(c, "input", e->t);
        if (e->kind == TRACE_RESTART && !e->repeat)
            chart_rule(c, e->resume ? "resume" : "timeout", e->t);
    }
}

static void window_line(struct chart *c, const struct trace *t, const char *style, bool cwnd)
{
    struct chart_line l;

    chart_line_begin(&l, c, style);
    for (size_t i = 0; i < t->n; i++)
        if (t->events[i].windowed && !t->events[i].repeat)
            chart_line_to(&l, t->events[i].t, cwnd ? t->events[i].cwnd : t->events[i].outstanding, true);
    chart_line_end(&l);
}

static void draw_windows(const struct trace *t, const struct extent *x, double top, FILE *out)
{
    struct chart c;

    chart_panel(&c, out, top, PANEL, t->begin, t->end, 0, x->windows, "window, packets", false);
    rules(&c, t);
    window_line(&c, t, "outstanding", false);
    window_line(&c, t, "cwnd", true);
    for (size_t i = 0; i < t->n; i++)
        if (t->events[i].kind == TRACE_LOST)
            chart_bar(&c, "lost", t->events[i].t, 0, c.y1 * .04, 0);
    chart_panel_end(&c);
}

/* Grants first, so that what became of them lies upon them. */
static void draw_numbers(const struct trace *t, const struct extent *x, double top, FILE *out)
{
    struct chart c;

    chart_panel(&c, out, top, PANEL, t->begin, t->end, x->low, x->high, "number of the packet", false);
    rules(&c, t);
    for (size_t i = 0; i < t->n; i++) {
        const struct trace_event *e = &t->events[i];
        if (e->kind == TRACE_SPEND && !e->repeat && e->granted_a)
            chart_bar(&c, "granted", e->t, (double)e->granted_a, (double)e->granted_b, .7);
        if (e->kind == TRACE_RESTART && !e->repeat)
            chart_bar(&c, "granted", e->t, (double)e->a, (double)e->b, .7);
    }
    for (size_t i = 0; i < t->n; i++) {
        const struct trace_event *e = &t->events[i];
        if (e->kind == TRACE_ANSWER && e->lost)
            chart_cross(&c, "drop", e->t, (double)e->a);
        else if (e->kind == TRACE_ANSWER)
            chart_dot(&c, 0, "sent", e->t, (double)e->a);
        if (e->kind == TRACE_RECEIVE)
            chart_dot(&c, 1, e->terminal ? "terminal" : "arrived", e->t, (double)e->a);
        for (uint64_t n = e->a; e->kind == TRACE_SPEND && !e->repeat && n <= e->b; n++)
            chart_dot(&c, 2, "spent", e->t, (double)n);
        if (e->kind == TRACE_LOST)
            chart_bar(&c, "lost", e->t, (double)e->a, (double)e->b, 3.5);
        if (e->kind == TRACE_DROP && e->up)
            chart_cross(&c, "updrop", e->t, x->low + (c.y1 - x->low) * .02);
    }
    chart_panel_end(&c);
}

static void draw_data(const struct trace *t, const struct extent *x, double top, FILE *out)
{
    struct chart c;
    struct chart_line l;
    double sum = 0;

    chart_panel(&c, out, top, PANEL, t->begin, t->end, 0, larger(x->kilobytes, x->data_kilobytes), "data, kB", true);
    rules(&c, t);
    for (size_t i = 0; i < t->n; i++)
        if (carries_data(x, &t->events[i]))
            chart_dot(&c, 0, "sent", t->events[i].t, (double)(t->events[i].offset + t->events[i].bytes) / 1e3);
    chart_line_begin(&l, &c, "received");
    for (size_t i = 0; i < t->n; i++)
        if (carries_data(x, &t->events[i]))
            chart_line_to(&l, t->events[i].t, (sum += (double)t->events[i].bytes / 1e3), true);
    chart_line_end(&l);
    chart_panel_end(&c);
}

static void draw_legend(FILE *out, bool receives)
{
    double x = CHART_LEFT;

    x = chart_legend(out, x, 64, "line", "cwnd", "cwnd");
    x = chart_legend(out, x, 64, "line", "outstanding", "numbers in flight");
    x = chart_legend(out, x, 64, "line", "received", receives ? "data received, sum" : "data sent, sum");
    x = chart_legend(out, x, 64, "rule", "timeout", "restart by the timer");
    x = chart_legend(out, x, 64, "rule", "resume", "resume");
    chart_legend(out, x, 64, "rule", "input", "request of the application");
    x = CHART_LEFT;
    x = chart_legend(out, x, 82, "rule", "granted", "granted, as predicted");
    x = chart_legend(out, x, 82, "dot", "sent", "sent; end of a packet's data");
    x = chart_legend(out, x, 82, "dot", "arrived", "received");
    x = chart_legend(out, x, 82, "dot", "terminal", "terminal");
    x = chart_legend(out, x, 82, "dot", "spent", "spent");
    x = chart_legend(out, x, 82, "x", "drop", "answer dropped");
    x = chart_legend(out, x, 82, "x", "updrop", "request dropped");
    chart_legend(out, x, 82, "rule", "lost", "taken for lost");
}

void picture_draw(const struct trace *t, const char *title, FILE *out)
{
    struct extent x;
    char facts[256];
    double seconds = t->end - t->begin;

    measure(t, &x);
    int n = snprintf(facts, sizeof facts, "%.3f s, %.1f kB of data %s (%.1f kB/s), %u numbers taken for lost, %u restarts by the timer, %u resumes",
                     seconds, x.data_kilobytes, x.receives ? "received" : "sent", x.data_kilobytes / seconds, x.lost, x.timeouts, x.resumes);
    if (x.drops + x.up_drops > 0)      /* a capture does not see them */
        snprintf(facts + n, sizeof facts - (size_t)n, "; dropped: %u answers, %u requests", x.drops, x.up_drops);
    chart_open(out, TOP + 3 * PANEL + 2 * (GAP - 24) + 52);
    chart_text(out, CHART_LEFT, 24, "start", "title", title);
    chart_text(out, CHART_LEFT, 43, "start", "facts", facts);
    draw_legend(out, x.receives);
    draw_windows(t, &x, TOP, out);
    draw_numbers(t, &x, TOP + PANEL + GAP - 24, out);
    draw_data(t, &x, TOP + 2 * (PANEL + GAP - 24), out);
    chart_close(out);
}
