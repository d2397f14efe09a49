#include "trace_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The value after "key": in a line that flow_events wrote; NULL if it has no such key. */
static const char *value(const char *line, const char *key)
{
    char quoted[32];
    int n = snprintf(quoted, sizeof quoted, "\"%s\":", key);
    const char *at = strstr(line, quoted);

    return at ? at + n : NULL;
}

static uint64_t integer(const char *line, const char *key)
{
    const char *v = value(line, key);
    return v ? strtoull(v, NULL, 10) : 0;
}

static bool is(const char *line, const char *key, const char *word)
{
    const char *v = value(line, key);
    size_t n = strlen(word);

    if (v && *v == '"')
        return strncmp(v + 1, word, n) == 0 && v[n + 1] == '"';
    return v && strncmp(v, word, n) == 0;
}

static enum trace_kind kind_of(const char *line)
{
    static const struct { const char *name; enum trace_kind kind; } names[] = {
        { "spend", TRACE_SPEND }, { "lost", TRACE_LOST }, { "restart", TRACE_RESTART }, { "input", TRACE_INPUT }, { "receive", TRACE_RECEIVE },
        { "opened", TRACE_ANSWER }, { "answer", TRACE_ANSWER }, { "terminal", TRACE_ANSWER }, { "refresh", TRACE_ANSWER },
        { "drop", TRACE_DROP }, { "verdict", TRACE_VERDICT },
    };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (is(line, "event", names[i].name))
            return names[i].kind;
    return TRACE_OTHER;
}

static void numbers_of(const char *line, struct trace_event *e)
{
    switch (e->kind) {
    case TRACE_SPEND:
        e->a = integer(line, "k");
        e->b = e->a + integer(line, "m") - 1;
        e->granted_a = integer(line, "a");
        e->granted_b = integer(line, "b");
        break;
    case TRACE_LOST:
        e->a = integer(line, "from");
        e->b = integer(line, "to");
        break;
    case TRACE_RESTART:
        e->a = integer(line, "a");
        e->b = integer(line, "b");
        break;
    default:
        e->a = e->b = integer(line, "n");
        break;
    }
}

/* False if the line is not an event. */
static bool event_of(const char *line, struct trace_event *e)
{
    const char *t = value(line, "t");

    memset(e, 0, sizeof *e);
    if (!t || !value(line, "event") || !value(line, "side") || !value(line, "flow"))
        return false;
    e->t = strtod(t, NULL);
    e->kind = kind_of(line);
    e->client = is(line, "side", "client");
    e->repeat = is(line, "repeat", "true");
    e->resume = is(line, "kind", "resume");
    e->up = is(line, "direction", "up");
    e->lost = is(line, "fate", "lost") || is(line, "fate", "queue full") || is(line, "fate", "too big");
    e->terminal = is(line, "form", "terminal");
    e->windowed = value(line, "cwnd") != NULL;
    e->cwnd = (uint32_t)integer(line, "cwnd");
    e->outstanding = (uint32_t)integer(line, "outstanding");
    e->attempt = (uint32_t)integer(line, "attempt");
    e->offset = integer(line, "offset");
    e->bytes = integer(line, "bytes");
    numbers_of(line, e);
    return true;
}

static bool append(struct trace *t, const struct trace_event *e)
{
    if ((t->n & (t->n - 1)) == 0) {    /* a power of two: full */
        struct trace_event *larger = realloc(t->events, (t->n ? 2 * t->n : 1) * sizeof *larger);
        if (!larger)
            return false;
        t->events = larger;
    }
    t->events[t->n++] = *e;
    return true;
}

static bool read_lines(struct trace *t, FILE *f, const char *file, unsigned flow, double from, double to)
{
    char line[1024];
    struct trace_event e;

    for (unsigned number = 1; fgets(line, sizeof line, f); number++) {
        if (!strchr(line, '\n') || !event_of(line, &e)) {
            fprintf(stderr, "trk-trace-svg: %s: line %u is no event\n", file, number);
            return false;
        }
        if (integer(line, "flow") == flow && e.t >= from && e.t <= to && !append(t, &e)) {
            fprintf(stderr, "trk-trace-svg: out of memory\n");
            return false;
        }
    }
    if (t->n == 0)
        fprintf(stderr, "trk-trace-svg: %s has no event of flow %u in this time\n", file, flow);
    return t->n > 0;
}

bool trace_read(struct trace *t, const char *file, unsigned flow, double from, double to)
{
    FILE *f = fopen(file, "r");

    *t = (struct trace){ 0 };
    if (!f) {
        fprintf(stderr, "trk-trace-svg: cannot read %s: %s\n", file, strerror(errno));
        return false;
    }
    bool ok = read_lines(t, f, file, flow, from, to);
    fclose(f);
    if (!ok) {
        trace_free(t);
        return false;
    }
    t->begin = t->events[0].t;
    t->end = t->events[t->n - 1].t > t->begin ? t->events[t->n - 1].t : t->begin + 1e-3;
    return true;
}

void trace_free(struct trace *t)
{
    free(t->events);
    t->events = NULL;
    t->n = 0;
}
