/* oracle_step.h - a second opinion on cwnd, step and restart: a sender that does everything one packet at
 * a time, with arrays instead of formulas. Slow and plain on purpose; it shares no code with core/tcb. */
#ifndef TRK_TEST_ORACLE_STEP_H
#define TRK_TEST_ORACLE_STEP_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include "tcb/step.h"

#define ORACLE_MAX 1024                /* numbers that one question may span, counted from base */

/* A Reno sender that is told of one acknowledgement after the other (RFC 5681). */
struct reno { uint64_t cwnd, ssthresh, counted; };

static inline struct reno reno_begin(const struct trk_piece *p)
{
    return (struct reno){ .cwnd = p->start, .ssthresh = p->ssthresh == TRK_SSTHRESH_NONE ? UINT64_MAX : p->ssthresh };
}

static inline void reno_ack(struct reno *r)
{
    if (r->cwnd < r->ssthresh) {
        r->cwnd++;
    } else if (++r->counted == r->cwnd) {
        r->cwnd++;
        r->counted = 0;
    }
}

static inline uint64_t oracle_half(uint64_t cwnd) { return cwnd / 2 < 2 ? 2 : cwnd / 2; }

/* What happened to the numbers above base: arrived[i] speaks of base + i. */
struct history { struct trk_piece piece; bool arrived[ORACLE_MAX]; };

/* What one question is answered with: every granted number by itself. */
struct oracle {
    unsigned n; uint64_t granted[ORACLE_MAX];
    uint64_t terminal, loss, last_held;
    struct trk_piece piece;
};

/* The numbers the sender had sent when it learnt of the loss of base + lost: window and the highest. */
static inline uint64_t oracle_window(const struct trk_piece *p, uint64_t acks)
{
    struct reno r = reno_begin(p);
    while (acks-- > 0)
        reno_ack(&r);
    return r.cwnd;
}

static inline uint64_t oracle_first_loss(const struct history *h, uint64_t below)
{
    for (uint64_t i = 1; i < below; i++)
        if (!h->arrived[i])
            return i;
    return 0;
}

/* No loss so far: replay every acknowledgement, note what each one lets out. */
static inline void oracle_normal(const struct history *h, uint64_t k, uint32_t m, struct oracle *out)
{
    struct reno r = reno_begin(&h->piece);
    uint64_t next = 1 + r.cwnd;        /* base + 1 .. base + start were sent at the beginning */
    for (uint64_t i = 1; i < k + m; i++) {
        uint64_t before = r.cwnd;
        reno_ack(&r);
        for (uint64_t send = 1 + (r.cwnd - before); send > 0; send--, next++)
            if (i >= k)
                out->granted[out->n++] = h->piece.base + next;
    }
    out->piece = h->piece;
}

/* A loss: all that was in flight is laid out in an array; the last w of it get a successor each. */
static inline void oracle_recovery(const struct history *h, uint64_t lost, uint64_t k, uint32_t m, struct oracle *out)
{
    uint64_t window = oracle_window(&h->piece, lost - 1), w = oracle_half(window), successor[ORACLE_MAX] = { 0 };
    uint64_t last = lost + window - 1, next = last + 1;
    for (uint64_t i = 1; i <= last; i++)
        if (i + w > last)
            successor[i] = next++;
    uint64_t run = k;                  /* lowest number of the lost ones directly before k */
    while (run > 1 && !h->arrived[run - 1])
        run--;
    if (run == lost && run < k)
        out->terminal = h->piece.base + lost;
    uint64_t from = run;
    while (from + TRK_RECREATE_MAX < k)
        from++;
    for (uint64_t i = from; i < k + m; i++)
        if (i <= last && successor[i])
            out->granted[out->n++] = h->piece.base + successor[i];
    out->loss = h->piece.base + lost;
    out->last_held = h->piece.base + last;
    out->piece = (struct trk_piece){ h->piece.base + last, (uint32_t)w, (uint32_t)w };
}

/* k and m relative to base; k .. k+m-1 arrived. */
static inline void oracle_step(const struct history *h, uint64_t k, uint32_t m, struct oracle *out)
{
    out->n = 0;
    out->terminal = out->loss = out->last_held = 0;
    uint64_t lost = oracle_first_loss(h, k);
    if (lost)
        oracle_recovery(h, lost, k, m, out);
    else
        oracle_normal(h, k, m, out);
}

/* The restart table, row by row. k, cut_f relative to base (cut_f 0: not cut). */
static inline void oracle_restart(const struct history *h, uint64_t k, enum trk_why why, uint64_t cut_f, bool aged, struct oracle *out)
{
    uint64_t lost = oracle_first_loss(h, k);
    if (!lost && cut_f > k)
        lost = k + 1;
    uint64_t window = oracle_window(&h->piece, lost ? lost - 1 : k), w = oracle_half(window);
    uint64_t held = lost ? lost - 1 + window + w : k + window;      /* the last number anyone can hold */
    uint64_t start = 0, ssthresh = w;
    if (why == TRK_WHY_TIMEOUT)
        start = 2;
    if (why == TRK_WHY_RESUME && lost)
        start = w;
    if (why == TRK_WHY_RESUME && !lost) {
        start = cut_f ? h->piece.start : window;
        start = aged && start > 10 ? 10 : start;
        ssthresh = h->piece.ssthresh;
    }
    if (why == TRK_WHY_REFRESH)
        start = w < 10 ? w : 10;
    if (why == TRK_WHY_UNATTESTED)
        start = w < 14 ? w - w / 4 : 10;
    start = start > 256 ? 256 : start;
    ssthresh = ssthresh < 2 ? 2 : ssthresh;
    out->n = 0;
    out->terminal = 0;
    out->loss = lost ? h->piece.base + lost : 0;
    out->last_held = h->piece.base + held;
    for (uint64_t i = 1; i <= (why == TRK_WHY_REFRESH ? 1 : start); i++)
        out->granted[out->n++] = out->last_held + i;
    out->piece = (struct trk_piece){ out->last_held, (uint32_t)start, (uint32_t)ssthresh };
}

/* The report that an honest client would send of h, up to base + last. Returns the number of ranges. */
static inline size_t oracle_report(const struct history *h, uint64_t last, struct trk_range *ranges)
{
    size_t n = 0;
    for (uint64_t i = 1; i <= last; i++) {
        if (!h->arrived[i])
            continue;
        if (i == 1 || !h->arrived[i - 1])
            ranges[n++].left = h->piece.base + i;
        ranges[n - 1].right = h->piece.base + i;
    }
    return n;
}

#endif
