#include "client/internal.h"

/* First interval that ends at or after left (a neighbour counts), found by bisection. */
static uint32_t find(const struct trk_intervals *s, uint64_t left)
{
    uint32_t lo = 0, hi = s->n;
    while (lo < hi) {
        uint32_t mid = (lo + hi) / 2;
        if (s->at[mid].right < left)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

bool trk_intervals_add(struct trk_intervals *s, uint64_t left, uint64_t right)
{
    if (left >= right)
        return true;
    uint32_t i = find(s, left), j = i;
    while (j < s->n && s->at[j].left <= right)
        j++;
    if (i == j) {
        if (s->n == TRK_INTERVALS_MAX)
            return false;
        memmove(&s->at[i + 1], &s->at[i], (s->n - i) * sizeof s->at[0]);
        s->at[i] = (struct trk_interval){ left, right };
        s->n++;
        return true;
    }
    if (s->at[i].left < left)
        left = s->at[i].left;
    if (s->at[j - 1].right > right)
        right = s->at[j - 1].right;
    s->at[i] = (struct trk_interval){ left, right };
    memmove(&s->at[i + 1], &s->at[j], (s->n - j) * sizeof s->at[0]);
    s->n -= j - i - 1;
    return true;
}

bool trk_intervals_subtract(struct trk_intervals *s, uint64_t left, uint64_t right)
{
    if (left >= right || !s->n || right <= s->at[0].left || left >= s->at[s->n - 1].right)
        return true;
    uint32_t i = find(s, left);
    if (i < s->n && s->at[i].right == left)
        i++;
    if (i < s->n && s->at[i].left < left && s->at[i].right > right) {        /* a hole in the middle of one */
        if (s->n == TRK_INTERVALS_MAX)
            return false;
        memmove(&s->at[i + 1], &s->at[i], (s->n - i) * sizeof s->at[0]);
        s->n++;
        s->at[i].right = left;
        s->at[i + 1].left = right;
        return true;
    }
    if (i < s->n && s->at[i].left < left)
        s->at[i++].right = left;
    uint32_t j = i;
    while (j < s->n && s->at[j].right <= right)
        j++;
    if (j < s->n && s->at[j].left < right)
        s->at[j].left = right;
    memmove(&s->at[i], &s->at[j], (s->n - j) * sizeof s->at[0]);
    s->n -= j - i;
    return true;
}

uint64_t trk_intervals_bytes(const struct trk_intervals *s)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < s->n; i++)
        sum += s->at[i].right - s->at[i].left;
    return sum;
}
