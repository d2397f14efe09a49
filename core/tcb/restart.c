/* restart.c - the one operation for everything that cannot be continued number by number. */
#include "tcb/step.h"

/* What is known of the stretch that a restart ends: the window W, w, and F, the last number anyone can hold. */
struct ended { uint64_t loss, window, last; uint32_t half; };

static struct ended end_of(enum trk_kind kind, const struct trk_piece *piece, const struct trk_report *report, uint64_t k_star, uint64_t cut_f)
{
    struct ended e = { .loss = trk_report_first_loss(report, piece->base, k_star) };
    if (!e.loss && cut_f > k_star)
        e.loss = k_star + 1;           /* of a cut answer, what came after k* is lost */
    uint64_t acknowledged = e.loss ? e.loss - 1 : k_star;
    /* An opening has granted nothing yet: its window is the start that it will grant. */
    e.window = trk_cwnd(piece, kind == TRK_OPENING ? piece->base : acknowledged);
    e.half = trk_cwnd_half(e.window);
    e.last = acknowledged + e.window + (e.loss ? e.half : 0);
    return e;
}

static uint64_t min64(uint64_t a, uint64_t b) { return a < b ? a : b; }

struct trk_step trk_restart(enum trk_kind kind, const struct trk_piece *piece, const struct trk_report *report, uint64_t k_star,
                            enum trk_why why, uint64_t cut_f, bool aged)
{
    struct ended e = end_of(kind, piece, report, k_star, cut_f);
    uint64_t start = 2;
    uint32_t ssthresh = e.half;
    switch (why) {
    case TRK_WHY_TIMEOUT:
        break;
    case TRK_WHY_RESUME:
        start = e.half;
        if (!e.loss) {
            start = cut_f ? trk_cwnd(piece, piece->base) : e.window;
            if (aged)
                start = min64(start, TRK_IW);
            ssthresh = piece->ssthresh;
        }
        break;
    case TRK_WHY_UNATTESTED:           /* a little less than a recovery, which it may take the place of */
        start = min64(e.half - e.half / 4, TRK_IW);
        break;
    case TRK_WHY_REFRESH:
        start = min64(e.half, TRK_IW);
        break;
    }
    start = min64(start, TRK_GRANT_MAX);
    if (ssthresh < 2)
        ssthresh = 2;
    return (struct trk_step){
        .mode = TRK_MODE_RESTART, .a = e.last + 1, .b = why == TRK_WHY_REFRESH ? e.last + 1 : e.last + start,
        .piece = { .base = e.last, .start = (uint32_t)start, .ssthresh = ssthresh },
        .loss = e.loss, .right = e.last, .half = e.half,
    };
}

void trk_restart_stale(struct trk_step *restart)
{
    bool refresh = restart->a == restart->b && restart->piece.start > 1;
    restart->piece.start = (uint32_t)min64(restart->piece.start, 2);
    restart->piece.ssthresh = (uint32_t)min64(restart->piece.ssthresh, TRK_IW);
    if (!refresh)
        restart->b = restart->a - 1 + restart->piece.start;
}
