/* step.h - the congestion control that both ends compute (paper 2.5, PROTOCOL.md 5). Pure integers. */
#ifndef TRK_TCB_STEP_H
#define TRK_TCB_STEP_H

#include "tcb/report.h"

/* Without ssthresh slow start would never end, though the receiver takes no more: the window would grow until its
 * client, which has to remember each number of it that was not spent, has to give it up altogether. */
#define TRK_CWND_MAX 4096

/* A step-by-step Reno's cwnd in packets after acknowledgement k. Exact for every k of the number space. start 0 counts as 1. */
uint64_t trk_cwnd_reno(const struct trk_piece *p, uint64_t k);
/* C(k): the paper's TCPCwnd(k), the same but never above TRK_CWND_MAX. */
uint64_t trk_cwnd(const struct trk_piece *p, uint64_t k);
/* w: what is left of a window after a loss (RFC 5681, equation 4), at least 2 packets. */
uint32_t trk_cwnd_half(uint64_t cwnd);

enum trk_mode { TRK_MODE_OPENING, TRK_MODE_NORMAL, TRK_MODE_RECOVERY, TRK_MODE_RESTART };

struct trk_step {                      /* what a part's spending, or a restart, yields */
    enum trk_mode mode;
    uint64_t a, b;                     /* granted [a, b]; empty if a > b (then a = 1, b = 0) */
    struct trk_piece piece;            /* of the granted numbers */
    uint64_t terminal;                 /* number whose data goes first as a terminal packet; 0: none */
    uint64_t loss, right, half;        /* recovery: L, R, w; restart: L (0: none), F, w */
};

/* Numbers k .. k+m-1 of `kind` and piece are spent with this report, in which they are received. An opening is
 * spent alone (m = 1). m single steps give the same grants (a test says so). The report may be that of the last
 * number: nothing above k is looked at. Recovery requires k+m-1 <= right; the caller checks. Whatever piece it
 * is given, an opening grants at most TRK_GRANT_MAX numbers, any other single number at most TRK_SINGLE_MAX. */
struct trk_step trk_step(enum trk_kind kind, const struct trk_piece *piece, const struct trk_report *report, uint64_t k, uint32_t m);

enum trk_why { TRK_WHY_TIMEOUT, TRK_WHY_RESUME, TRK_WHY_UNATTESTED, TRK_WHY_REFRESH };
/* Restart from k*, the highest number resolved as received; report over (base, k*]. cut_f: f of a cut grant, else 0.
 * aged: sealed over 1 s ago (a resume's idle window shrinks). For REFRESH: a = b = F+1 and .piece is that of the
 * *opening* {F, min(w, IW), w}. kind: of the grant that k* was granted in. */
struct trk_step trk_restart(enum trk_kind kind, const struct trk_piece *piece, const struct trk_report *report, uint64_t k_star,
                            enum trk_why why, uint64_t cut_f, bool aged);
/* The restart (or refresh: one number) of a window that is not the connection's newest: start 2, ssthresh at most IW. */
void trk_restart_stale(struct trk_step *restart);

/* ---- time (PROTOCOL.md 6.1, steps 6 and 7) ---- */
#define TRK_TICK_MS     16
#define TRK_HORIZON_MS  60000
#define TRK_SKEW_MS     15000
#define TRK_AGED_MS     1000
/* Tick of a real time in ms since 1970; wraps after two years. */
static inline uint32_t trk_tick(uint64_t now_ms) { return (uint32_t)(now_ms / TRK_TICK_MS); }
/* (tick(now) - tick + 1) * 16 ms; negative if the tick lies in the future. */
static inline int64_t trk_age_ms(uint32_t now_tick, uint32_t tick) { return ((int64_t)(int32_t)(now_tick - tick) + 1) * TRK_TICK_MS; }
/* Least age at which attempt r may be admitted: 0 for r = 1, else 2^(r-2) * 50 ms. */
static inline int64_t trk_attempt_age_ms(unsigned r) { return r < 2 ? 0 : (int64_t)50 << (r - 2); }

#endif
