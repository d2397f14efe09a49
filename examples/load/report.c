/* report.c - what came of it: a line a second, a summary, JSON. */
#include "load.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

static double seconds_counted(const struct load *l, uint64_t now_us)
{
    return now_us > l->counted_from_us ? (double)(now_us - l->counted_from_us) / 1e6 : 1e-6;
}

void report_progress(const struct load *l, uint64_t now_us)
{
    static uint64_t answers_before, bytes_before, at_before;
    if (l->options->quiet)
        return;
    bool anew = l->counts.answers < answers_before;            /* the warm-up ended in between */
    double span = (double)(now_us - (at_before && !anew ? at_before : l->began_us)) / 1e6;
    fprintf(stderr, "%5.0f s: %9.0f requests/s, %8.2f MB/s, %d connections, %d opening, %" PRIu64 " errors, p50 %.3f ms, p99 %.3f ms%s\n",
            (double)(now_us - l->began_us) / 1e6, (double)(l->counts.answers - (anew ? 0 : answers_before)) / span,
            (double)(l->counts.bytes - (anew ? 0 : bytes_before)) / span / 1e6, l->n_started, l->n_opening, l->counts.errors,
            (double)histogram_percentile(&l->latency, 50) / 1e3, (double)histogram_percentile(&l->latency, 99) / 1e3, l->warm ? "" : " (warming up)");
    answers_before = l->counts.answers;
    bytes_before = l->counts.bytes;
    at_before = now_us;
}

static const double percentiles[] = { 50, 75, 90, 99, 99.9 };
#define PERCENTILES (sizeof percentiles / sizeof *percentiles)

static void write_text(const struct load *l, double seconds, const struct rusage *usage, FILE *out)
{
    const struct load_counts *c = &l->counts;
    const struct histogram *h = &l->latency;
    fprintf(out, "%s over %s, %d connections, %s\n", l->targets.all[0].url, l->ops->name, l->options->connections,
            l->options->new_connection ? "a new one for each request" : "kept");
    fprintf(out, "  %" PRIu64 " answers in %.3f s: %.1f requests/s\n", c->answers, seconds, (double)c->answers / seconds);
    fprintf(out, "  %.3f MB, %.3f MB of bodies: %.3f MB/s, %.1f Mbit/s of bodies\n", (double)c->bytes / 1e6, (double)c->body_bytes / 1e6,
            (double)c->bytes / 1e6 / seconds, (double)c->body_bytes * 8 / 1e6 / seconds);
    fprintf(out, "  latency, ms: least %.3f  mean %.3f", (double)h->least / 1e3, histogram_mean(h) / 1e3);
    for (size_t i = 0; i < PERCENTILES; i++)
        fprintf(out, "  %g%% %.3f", percentiles[i], (double)histogram_percentile(h, percentiles[i]) / 1e3);
    fprintf(out, "  most %.3f\n", (double)h->most / 1e3);
    fprintf(out, "  status: 2xx %" PRIu64 ", 3xx %" PRIu64 ", 4xx %" PRIu64 ", 5xx %" PRIu64 "; connections opened %" PRIu64 "\n",
            c->by_status[2], c->by_status[3], c->by_status[4], c->by_status[5], c->opened);
    fprintf(out, "  errors: %" PRIu64 "\n", c->errors);
    for (int i = 0; i < LOAD_ERROR_KINDS && c->kinds[i].why; i++)
        fprintf(out, "    %" PRIu64 " %s\n", c->kinds[i].n, c->kinds[i].why);
    fprintf(out, "  CPU: %.3f s; memory at most %ld KB; packets lost in this host: %" PRIu64 "\n",
            (double)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) + (double)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) / 1e6,
            usage->ru_maxrss, l->ops->drops(l->transport));
}

/* A JSON string. */
static void write_string(FILE *out, const char *s)
{
    fputc('"', out);
    for (; *s; s++) {
        if (*s == '"' || *s == '\\' || (unsigned char)*s < 0x20)
            fprintf(out, "\\u%04x", (unsigned char)*s);
        else
            fputc(*s, out);
    }
    fputc('"', out);
}

static void write_json(const struct load *l, double seconds, const struct rusage *usage, FILE *out)
{
    const struct load_counts *c = &l->counts;
    const struct histogram *h = &l->latency;
    fprintf(out, "{\"url\":");
    write_string(out, l->targets.all[0].url);
    fprintf(out, ",\"transport\":\"%s\",\"connections\":%d,\"new_connection\":%s,\"think_ms\":%d,\"seconds\":%.6f,\"answers\":%" PRIu64
            ",\"requests_per_s\":%.3f,\"bytes\":%" PRIu64 ",\"body_bytes\":%" PRIu64 ",\"body_bytes_per_s\":%.1f,\"opened\":%" PRIu64,
            l->ops->name, l->options->connections, l->options->new_connection ? "true" : "false", l->options->think_ms, seconds, c->answers,
            (double)c->answers / seconds, c->bytes, c->body_bytes, (double)c->body_bytes / seconds, c->opened);
    fprintf(out, ",\"latency_us\":{\"least\":%" PRIu64 ",\"mean\":%.1f", h->least, histogram_mean(h));
    for (size_t i = 0; i < PERCENTILES; i++)
        fprintf(out, ",\"p%g\":%" PRIu64, percentiles[i], histogram_percentile(h, percentiles[i]));
    fprintf(out, ",\"most\":%" PRIu64 "}", h->most);
    fprintf(out, ",\"status\":{\"2xx\":%" PRIu64 ",\"3xx\":%" PRIu64 ",\"4xx\":%" PRIu64 ",\"5xx\":%" PRIu64 "},\"errors\":%" PRIu64 ",\"error_kinds\":{",
            c->by_status[2], c->by_status[3], c->by_status[4], c->by_status[5], c->errors);
    for (int i = 0; i < LOAD_ERROR_KINDS && c->kinds[i].why; i++) {
        fputs(i ? "," : "", out);
        write_string(out, c->kinds[i].why);
        fprintf(out, ":%" PRIu64, c->kinds[i].n);
    }
    fprintf(out, "},\"cpu_user_s\":%.6f,\"cpu_system_s\":%.6f,\"memory_kb\":%ld,\"packets_dropped\":%" PRIu64 "}\n",
            (double)usage->ru_utime.tv_sec + (double)usage->ru_utime.tv_usec / 1e6,
            (double)usage->ru_stime.tv_sec + (double)usage->ru_stime.tv_usec / 1e6, usage->ru_maxrss, l->ops->drops(l->transport));
}

bool report_end(const struct load *l, uint64_t now_us)
{
    struct rusage usage;
    double seconds = seconds_counted(l, now_us);
    const char *json = l->options->json;
    getrusage(RUSAGE_SELF, &usage);
    if (!json || strcmp(json, "-") != 0)
        write_text(l, seconds, &usage, stdout);
    if (!json)
        return fflush(stdout) == 0;
    FILE *out = strcmp(json, "-") == 0 ? stdout : fopen(json, "we");
    if (!out)
        return false;
    write_json(l, seconds, &usage, out);
    return out == stdout ? fflush(out) == 0 : fclose(out) == 0;
}
