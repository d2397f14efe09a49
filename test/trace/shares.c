#include "shares.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "chart.h"

#define FLOWS_MAX 128
#define BINS      120
#define PANEL     230
#define GAP       42
#define TOP       92

struct shares {
    double   end;                      /* of the trace, in seconds */
    unsigned n;                        /* flows */
    bool     known[FLOWS_MAX], rival[FLOWS_MAX];
    double   bytes[FLOWS_MAX][BINS];   /* read in each bin */
    double   most, total, ours;        /* greatest rate in MB/s; bytes of all flows, of ours */
};

static bool number_of(const char *line, const char *key, double *value)
{
    const char *at = strstr(line, key);

    if (at)
        *value = strtod(at + strlen(key), NULL);
    return at != NULL;
}

/* One "read" event: when, whose, how much so far. False if the line is another event. */
static bool read_event(const char *line, double *t, unsigned *flow, double *bytes)
{
    double f;

    if (!strstr(line, "\"event\":\"read\"") || !number_of(line, "\"t\":", t) || !number_of(line, "\"flow\":", &f) || !number_of(line, "\"total\":", bytes))
        return false;
    *flow = (unsigned)f;
    return f >= 0 && f < FLOWS_MAX && *t >= 0;
}

/* The file is read twice: for its length, then into bins of it. */
static void collect(struct shares *s, FILE *f, bool into_bins)
{
    static double before[FLOWS_MAX];
    char line[1024];
    double t, bytes;
    unsigned flow;

    memset(before, 0, sizeof before);
    rewind(f);
    while (fgets(line, sizeof line, f)) {
        if (!read_event(line, &t, &flow, &bytes))
            continue;
        if (into_bins)
            s->bytes[flow][t < s->end ? (int)(t / s->end * BINS) : BINS - 1] += bytes - before[flow];
        before[flow] = bytes;
        s->end = t > s->end ? t : s->end;
        s->known[flow] = true;
        s->rival[flow] = strstr(line, "\"rival\":true") != NULL;
        s->n = flow >= s->n ? flow + 1 : s->n;
    }
}

static double rate(const struct shares *s, unsigned flow, int bin) { return s->bytes[flow][bin] / (s->end / BINS) / 1e6; }

static void measure(struct shares *s)
{
    for (unsigned i = 0; i < s->n; i++)
        for (int bin = 0; bin < BINS; bin++) {
            s->most = rate(s, i, bin) > s->most ? rate(s, i, bin) : s->most;
            s->total += s->bytes[i][bin];
            s->ours += s->rival[i] ? 0 : s->bytes[i][bin];
        }
}

static double middle(const struct shares *s, int bin) { return (bin + .5) * s->end / BINS; }

static void draw_rates(const struct shares *s, FILE *out)
{
    struct chart c;
    struct chart_line l;

    chart_panel(&c, out, TOP, PANEL, 0, s->end, 0, s->most, "rate of each flow, MB/s", false);
    for (unsigned i = 0; i < s->n; i++) {
        chart_line_begin(&l, &c, s->rival[i] ? "outstanding" : "cwnd");
        for (int bin = 0; bin < BINS && s->known[i]; bin++)
            chart_line_to(&l, middle(s, bin), rate(s, i, bin), false);
        chart_line_end(&l);
    }
    chart_panel_end(&c);
}

/* Jain's index of all flows in a bin; part: that of ours in what is read. */
static double evenness(const struct shares *s, int bin, double *part)
{
    double sum = 0, squares = 0, ours = 0;
    unsigned n = 0;

    for (unsigned i = 0; i < s->n; i++) {
        sum += s->bytes[i][bin];
        squares += s->bytes[i][bin] * s->bytes[i][bin];
        ours += s->rival[i] ? 0 : s->bytes[i][bin];
        n += s->known[i];
    }
    *part = sum > 0 ? ours / sum : 0;
    return squares > 0 ? sum * sum / n / squares : 0;
}

static void draw_shares(const struct shares *s, FILE *out)
{
    struct chart c;
    struct chart_line part_line, jain_line;
    double part;

    chart_panel(&c, out, TOP + PANEL + GAP, PANEL, 0, s->end, 0, 1, "Jain's index; part of ours", true);
    chart_line_begin(&jain_line, &c, "received");
    for (int bin = 0; bin < BINS; bin++)
        chart_line_to(&jain_line, middle(s, bin), evenness(s, bin, &part), false);
    chart_line_end(&jain_line);
    chart_line_begin(&part_line, &c, "cwnd");
    for (int bin = 0; bin < BINS; bin++) {
        evenness(s, bin, &part);
        chart_line_to(&part_line, middle(s, bin), part, false);
    }
    chart_line_end(&part_line);
    chart_panel_end(&c);
}

static void draw(const struct shares *s, const char *title, FILE *out)
{
    char facts[160];
    double x = CHART_LEFT;

    chart_open(out, TOP + 2 * PANEL + GAP + 60);
    chart_text(out, CHART_LEFT, 24, "start", "title", title);
    snprintf(facts, sizeof facts, "%u flows, %.1f MB in %.1f s; ours read %.1f %% of it", s->n, s->total / 1e6, s->end, 100 * s->ours / s->total);
    chart_text(out, CHART_LEFT, 44, "start", "facts", facts);
    x = chart_legend(out, x, 64, "line", "cwnd", "a flow of ours; below: part of ours");
    x = chart_legend(out, x, 64, "line", "outstanding", "a flow of a textbook TCP");
    chart_legend(out, x, 64, "line", "received", "Jain's index over all flows");
    draw_rates(s, out);
    draw_shares(s, out);
    chart_close(out);
}

bool shares_draw(const char *file, const char *title, FILE *out)
{
    static struct shares s;
    FILE *f = fopen(file, "r");

    if (!f) {
        fprintf(stderr, "trk-trace-svg: cannot read %s: %s\n", file, strerror(errno));
        return false;
    }
    collect(&s, f, false);
    if (s.n > 0 && s.end > 0)
        collect(&s, f, true);
    fclose(f);
    measure(&s);
    if (s.total <= 0) {
        fprintf(stderr, "trk-trace-svg: %s has no \"read\" event: shares are drawn from traces of simulated runs\n", file);
        return false;
    }
    draw(&s, title, out);
    return true;
}
