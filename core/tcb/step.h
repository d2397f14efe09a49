/* step.h - the congestion control that both ends compute (paper 2.5, DESIGN 3.2). Pure integers. */
#ifndef TRK_TCB_STEP_H
#define TRK_TCB_STEP_H

#include "tcb/report.h"

/* C(k): the paper's TCPCwnd(k), cwnd in packets after acknowledgement k. Exact for k - base up to 2^40. */
uint64_t trk_cwnd(const struct trk_piece *p, uint64_t k);

enum trk_mode { TRK_MODE_OPENING, TRK_MODE_NORMAL, TRK_MODE_RECOVERY, TRK_MODE_RESTART };

struct trk_step {                      /* what a part's spending, or a restart, yields */
    enum trk_mode mode;
    uint64_t a, b;                     /* granted [a, b]; empty if a > b (then a = 1, b = 0) */
    struct trk_piece piece;            /* of the granted numbers */
    uint64_t terminal;                 /* number whose data goes first as a terminal packet; 0: none */
    uint64_t loss, right, half;        /* recovery, restart: L (0: none), R, w */
};

/* Numbers k .. k+m-1 of `kind` and piece are spent with this report. m single steps give the same grants
 * (a test says so). Recovery requires k+m-1 <= right; the caller checks. */
struct trk_step trk_step(enum trk_kind kind, const struct trk_piece *piece, const struct trk_report *report, uint64_t k, uint32_t m);

enum trk_why { TRK_WHY_TIMEOUT, TRK_WHY_RESUME, TRK_WHY_UNATTESTED, TRK_WHY_REFRESH };
/* Restart from k*, the highest number resolved as received. cut_f: f of a cut grant, else 0. aged: sealed
 * over 1 s ago (a resume's idle window shrinks). For REFRESH: a = b = F+1 and .piece is that of the
 * *opening* {F, min(w, IW), w}. kind: of the grant that k* was granted in. */
struct trk_step trk_restart(enum trk_kind kind, const struct trk_piece *piece, const struct trk_report *report, uint64_t k_star,
                            enum trk_why why, uint64_t cut_f, bool aged);

/* ---- time (DESIGN 3.5) ---- */
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
