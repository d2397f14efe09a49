/* metrics_text.c - the counters as text: https://prometheus.io/docs/instrumenting/exposition_formats/ */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "tricklesd/metrics.h"
#include "tricklesd/stats.h"

#define COUNTERS_MAX 160

struct text { char *at; size_t left; };

static void add(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(struct text *t, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(t->at, t->left, format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= t->left)
        n = t->left > 0 ? (int)t->left - 1 : 0;
    t->at += n;
    t->left -= (size_t)n;
}

/* What can fall. All others only grow. */
static bool is_gauge(const char *name)
{
    static const char *const gauges[] = {
        "workers", "filter-groups", "filter-groups-max", "filter-connections", "filter-connections-max", "filter-horizon-ms", "cache-entries",
    };
    for (size_t i = 0; i < sizeof gauges / sizeof *gauges; i++)
        if (strcmp(name, gauges[i]) == 0)
            return true;
    return false;
}

static void add_metric(struct text *t, const char *name, const char *why, bool gauge, uint64_t value)
{
    char metric[80];
    snprintf(metric, sizeof metric, "trickles_%s%s", name, gauge ? "" : "_total");
    for (char *c = metric; *c; c++)
        if (*c == '-')
            *c = '_';
    add(t, "# HELP %s %s\n# TYPE %s %s\n%s %llu\n", metric, why, metric, gauge ? "gauge" : "counter", metric, (unsigned long long)value);
}

size_t metrics_text(const struct msk_server *server, char *out, size_t cap)
{
    struct msk_counter all[COUNTERS_MAX];
    struct text t = { out, cap };
    size_t n = msk_counters(server, all, COUNTERS_MAX);
    for (size_t i = 0; i < n && i < COUNTERS_MAX; i++)
        add_metric(&t, all[i].name, all[i].why, is_gauge(all[i].name), all[i].value);
    add_metric(&t, "resident-bytes", "memory of the process that answered this", true, (uint64_t)stats_resident_kib() * 1024);
    return cap - t.left;
}
