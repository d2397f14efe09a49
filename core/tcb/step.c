/* step.c - from spent numbers to granted numbers. Each function is one row of the table of modes. */
#include "tcb/step.h"

/* A server seals no start above IW; the client may read anything from a damaged packet. */
static struct trk_step opening(const struct trk_piece *piece, uint64_t k)
{
    uint32_t start = piece->start ? piece->start : 1;
    if (start > TRK_GRANT_MAX)
        start = TRK_GRANT_MAX;
    return (struct trk_step){
        .mode = TRK_MODE_OPENING, .a = k + 1, .b = k + start,
        .piece = { .base = k, .start = start, .ssthresh = piece->ssthresh },
    };
}

/* Every acknowledgement lets one packet leave, and one more where the window grew. */
static struct trk_step normal(const struct trk_piece *piece, uint64_t k, uint64_t last)
{
    return (struct trk_step){
        .mode = TRK_MODE_NORMAL, .a = k + trk_cwnd(piece, k - 1), .b = last + trk_cwnd(piece, last), .piece = *piece,
    };
}

/* Of the window W in flight when L was lost, (L-1, R], the last w trickles live on, each w numbers further. */
static struct trk_step recovery(const struct trk_piece *piece, const struct trk_report *report, uint64_t k, uint64_t last, uint64_t loss)
{
    uint64_t window = trk_cwnd(piece, loss - 1), right = loss - 1 + window;
    uint32_t half = trk_cwnd_half(window);
    uint64_t before = trk_report_run(report, piece->base, k);
    uint64_t first = before + 1;       /* lowest number that may live on: lost directly before k, or k itself */
    if (first + TRK_RECREATE_MAX < k)
        first = k - TRK_RECREATE_MAX;
    if (first + half <= right)
        first = right + 1 - half;
    struct trk_step s = {
        .mode = TRK_MODE_RECOVERY, .a = first + half, .b = last + half,
        .piece = { .base = right, .start = half, .ssthresh = half },
        .terminal = before + 1 == loss && loss < k ? loss : 0,
        .loss = loss, .right = right, .half = half,
    };
    if (s.a > s.b) {
        s.a = 1;
        s.b = 0;
    }
    return s;
}

struct trk_step trk_step(enum trk_kind kind, const struct trk_piece *piece, const struct trk_report *report, uint64_t k, uint32_t m)
{
    if (kind == TRK_OPENING)
        return opening(piece, k);
    uint64_t last = k + m - 1, loss = trk_report_first_loss(report, piece->base, k);
    return loss ? recovery(piece, report, k, last, loss) : normal(piece, k, last);
}
