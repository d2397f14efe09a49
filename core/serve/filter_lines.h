/* filter_lines.h - what the filter asks of all groups, or words, of a cache line at once. Private to core/serve/filter*.c.
 *
 * With SSE2 (every x86-64 has it) or without: equal results, as unit.filter compares. Each group is read whole (16-byte
 * loads within a line never tear 8 bytes), but not all of them at one time: who acts on a group swaps it as it was read. */
#ifndef TRK_SERVE_FILTER_LINES_H
#define TRK_SERVE_FILTER_LINES_H

#include "serve/filter_state.h"

#define FILTER_PLACES (2 * GROUPS_PER_LINE)

struct trk_filter_read { uint64_t e[FILTER_PLACES]; };               /* groups as they were read; the first half is of line[0] */

/* Bit i of each result: group i ... */

/* ... has that tag. Fills r. */
static inline unsigned trk_filter_read_portable(_Atomic uint64_t *const line[2], uint32_t tag, struct trk_filter_read *r)
{
    unsigned tagged = 0;
    for (int i = 0; i < FILTER_PLACES; i++) {
        r->e[i] = atomic_load(line[i / GROUPS_PER_LINE] + i % GROUPS_PER_LINE);
        tagged |= (unsigned)(r->e[i] >> 40 == tag) << i;
    }
    return tagged;
}
/* ... is live. An empty one has no tag. */
static inline unsigned trk_filter_live_portable(const struct trk_filter_read *r, uint8_t now)
{
    unsigned live = 0;
    for (int i = 0; i < FILTER_PLACES; i++)
        live |= (unsigned)(r->e[i] >> 40 && trk_second_live((uint8_t)(r->e[i] >> 32), now)) << i;
    return live;
}
/* ... is another one than it was. */
static inline unsigned trk_filter_changed_portable(_Atomic uint64_t *const line[2], const struct trk_filter_read *r)
{
    unsigned changed = 0;
    for (int i = 0; i < FILTER_PLACES; i++)
        changed |= (unsigned)(atomic_load(line[i / GROUPS_PER_LINE] + i % GROUPS_PER_LINE) != r->e[i]) << i;
    return changed;
}

/* Bit i: word i of a line has that upper tag. */
static inline unsigned trk_filter_words_portable(const _Atomic uint64_t *line, uint16_t tag)
{
    unsigned tagged = 0;
    for (int i = 0; i < WORDS_PER_LINE; i++)
        tagged |= (unsigned)(atomic_load(&line[2 * i + 1]) >> 48 == tag) << i;
    return tagged;
}

#if defined __SSE2__ && defined __x86_64__
#include <emmintrin.h>

/* The upper halves, {tag:24, second:8}, of four groups. */
static inline __m128i trk_filter_uppers(__m128i two, __m128i next_two)
{
    return _mm_castps_si128(_mm_shuffle_ps(_mm_castsi128_ps(two), _mm_castsi128_ps(next_two), _MM_SHUFFLE(3, 1, 3, 1)));
}
static inline unsigned trk_filter_mask(__m128i four) { return (unsigned)_mm_movemask_ps(_mm_castsi128_ps(four)); }

static inline unsigned trk_filter_read(_Atomic uint64_t *const line[2], uint32_t tag, struct trk_filter_read *r)
{
    const __m128i wanted = _mm_set1_epi32((int)(tag << 8)), tags = _mm_set1_epi32((int)0xffffff00);
    unsigned tagged = 0;
    for (int i = 0; i < FILTER_PLACES; i += 4) {
        const __m128i *at = (const __m128i *)(line[i / GROUPS_PER_LINE] + i % GROUPS_PER_LINE);
        __m128i a = _mm_load_si128(at), b = _mm_load_si128(at + 1);
        _mm_storeu_si128((__m128i *)&r->e[i], a);
        _mm_storeu_si128((__m128i *)&r->e[i + 2], b);
        tagged |= trk_filter_mask(_mm_cmpeq_epi32(_mm_and_si128(trk_filter_uppers(a, b), tags), wanted)) << i;
    }
    return tagged;
}
static inline unsigned trk_filter_live(const struct trk_filter_read *r, uint8_t now)
{
    const __m128i then = _mm_set1_epi32(now + FILTER_AHEAD_S), seconds = _mm_set1_epi32(0xff), most = _mm_set1_epi32(FILTER_LIFE_S + FILTER_AHEAD_S);
    unsigned dead = 0;
    for (int i = 0; i < FILTER_PLACES; i += 4) {
        __m128i u = trk_filter_uppers(_mm_loadu_si128((const __m128i *)&r->e[i]), _mm_loadu_si128((const __m128i *)&r->e[i + 2]));
        __m128i age = _mm_and_si128(_mm_sub_epi32(then, u), seconds), empty = _mm_cmpeq_epi32(_mm_srli_epi32(u, 8), _mm_setzero_si128());
        dead |= trk_filter_mask(_mm_or_si128(_mm_cmpgt_epi32(age, most), empty)) << i;
    }
    return ~dead & ((1u << FILTER_PLACES) - 1);
}
static inline unsigned trk_filter_changed(_Atomic uint64_t *const line[2], const struct trk_filter_read *r)
{
    unsigned same = 0;
    for (int i = 0; i < FILTER_PLACES; i += 2) {
        __m128i now = _mm_load_si128((const __m128i *)(line[i / GROUPS_PER_LINE] + i % GROUPS_PER_LINE));
        __m128i eq = _mm_cmpeq_epi32(now, _mm_loadu_si128((const __m128i *)&r->e[i]));
        /* a group's halves: both have to be equal */
        eq = _mm_and_si128(eq, _mm_shuffle_epi32(eq, _MM_SHUFFLE(2, 3, 0, 1)));
        same |= (unsigned)_mm_movemask_pd(_mm_castsi128_pd(eq)) << i;
    }
    return ~same & ((1u << FILTER_PLACES) - 1);
}
static inline unsigned trk_filter_words(const _Atomic uint64_t *line, uint16_t tag)
{
    const __m128i *at = (const __m128i *)line;
    __m128i a = _mm_unpackhi_epi32(_mm_load_si128(at), _mm_load_si128(at + 1)), b = _mm_unpackhi_epi32(_mm_load_si128(at + 2), _mm_load_si128(at + 3));
    return trk_filter_mask(_mm_cmpeq_epi32(_mm_srli_epi32(_mm_unpackhi_epi64(a, b), 16), _mm_set1_epi32(tag)));
}
#else
#define trk_filter_words   trk_filter_words_portable
#define trk_filter_read    trk_filter_read_portable
#define trk_filter_live    trk_filter_live_portable
#define trk_filter_changed trk_filter_changed_portable
#endif

#endif
