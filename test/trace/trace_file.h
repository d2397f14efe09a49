/* trace_file.h - a list of events read back: one struct per line, of one flow. */
#ifndef TRK_TEST_TRACE_FILE_H
#define TRK_TEST_TRACE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum trace_kind { TRACE_OTHER, TRACE_SPEND, TRACE_LOST, TRACE_RESTART, TRACE_INPUT, TRACE_RECEIVE, TRACE_ANSWER, TRACE_DROP, TRACE_VERDICT };

struct trace_event {
    enum trace_kind kind;
    bool     client;                   /* side: client; else server or path */
    bool     repeat, resume, up, lost, terminal, windowed;      /* lost: an answer that the path dropped. windowed: has cwnd */
    double   t;
    uint64_t a, b;                     /* spend: k .. k+m-1; lost: from, to; restart: a, b; receive, answer: n, n */
    uint64_t granted_a, granted_b;     /* spend */
    uint64_t offset, bytes;
    uint32_t cwnd, outstanding, attempt;
};

struct trace { struct trace_event *events; size_t n; double begin, end; };

/* False, with a sentence on stderr, if the file cannot be read, a line is none of ours, or the flow has no event there. */
bool trace_read(struct trace *t, const char *file, unsigned flow, double from, double to);
void trace_free(struct trace *t);

#endif
