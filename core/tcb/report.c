/* report.c - what a report says, seen as a set of numbers. */
#include "tcb/report.h"

uint64_t trk_report_first_loss(const struct trk_report *r, uint64_t base, uint64_t k)
{
    uint64_t arrived = base;           /* (base, arrived] is complete */
    for (size_t i = 0; i < r->n && r->ranges[i].left <= arrived + 1; i++)
        if (r->ranges[i].right > arrived)
            arrived = r->ranges[i].right;
    return arrived + 1 < k ? arrived + 1 : 0;
}

uint64_t trk_report_run(const struct trk_report *r, uint64_t base, uint64_t k)
{
    uint64_t before = base;            /* highest number below k that arrived */
    for (size_t i = 0; i < r->n && r->ranges[i].left < k; i++) {
        uint64_t last = r->ranges[i].right < k ? r->ranges[i].right : k - 1;
        if (last > before)
            before = last;
    }
    return before;
}

bool trk_report_valid(const struct trk_report *r, uint64_t base, uint64_t last)
{
    if (r->n == 0 || r->ranges[0].left <= base || r->ranges[r->n - 1].right != last)
        return false;
    for (size_t i = 0; i < r->n; i++) {
        if (r->ranges[i].left > r->ranges[i].right)
            return false;
        if (i > 0 && r->ranges[i].left <= r->ranges[i - 1].right + 1)
            return false;
    }
    return true;
}

bool trk_report_holds(const struct trk_report *r, uint64_t k, uint64_t last)
{
    return r->n > 0 && r->ranges[r->n - 1].left <= k && r->ranges[r->n - 1].right >= last;
}
