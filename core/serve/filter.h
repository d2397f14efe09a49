/* filter.h - what the server remembers, and all of it: which numbers were spent, for as long as a grant may be spent
 * (the paper's replay hash, 2.2; PROTOCOL.md 6.3). Fixed memory that workers of a host share.
 *
 * Two tables of cache lines. A *group* is a 64-bit word {tag, second, 16 x 2 bits}: the fates of 16 numbers of one
 * generation. A *word* is 16 bytes {tag, generation, highest number granted, second} for each connection. Every change is
 * one compare-and-swap: a worker that dies leaves no lock, at worst a number that is spent and was not answered. Two
 * workers that create the same entry at once may both end up refusing; they never both succeed.
 * Entries live for the horizon and the skew. Evicting a live one first raises the *floor*: grants sealed at or before it
 * may only restart, so forgetting never makes a spent number free. Whoever asks trk_filter_forgot must ask *after* what it
 * wants to rely on: an entry that was not found may just have been evicted, but then the floor stands already.
 *
 * Tags are short (24 bits of a group, 39 of a word): one number in some millions is taken for spent though it is not. Its
 * request is lost, no more. */
#ifndef TRK_SERVE_FILTER_H
#define TRK_SERVE_FILTER_H

#include "tcb/step.h"

#define TRK_FILTER_BYTES_MIN 65536
#define TRK_FILTER_KEY_BYTES 16

struct trk_filter;

/* Make a filter in bytes of memory (64-aligned, at least TRK_FILTER_BYTES_MIN; all of it is overwritten). domain: a random
 * number other than 0, new for each filter that starts empty. key: random, so that nobody can aim at a cache line.
 * NULL if the memory is unsuited. */
struct trk_filter *trk_filter_create(void *memory, size_t bytes, uint32_t domain, const uint8_t key[TRK_FILTER_KEY_BYTES]);
/* The filter that trk_filter_create left in this memory; NULL if there is none of this size and version. */
struct trk_filter *trk_filter_attach(void *memory, size_t bytes);
uint32_t trk_filter_domain(const struct trk_filter *f);

/* A connection as the filter knows it. */
uint64_t trk_filter_who(const struct trk_filter *f, const struct trk_conn_id *id);

/* now_ms below is real time, of one clock for all workers. The filter's own time never goes back, except by more than the
 * horizon: such a jump raises the floor. */
enum trk_fate { TRK_FATE_FREE = 0, TRK_FATE_SPENT = 1, TRK_FATE_LOST = 2 };

/* This request will be decided on soon: what it needs of the filter's memory is fetched meanwhile. Changes nothing. */
void trk_filter_expect(const struct trk_filter *f, const struct trk_request *r);
/* Spend those of k .. k+m-1 (m <= 64) that are free. Bit i of the result: k+i was free, and is spent by this very call. */
uint64_t trk_filter_spend(struct trk_filter *f, uint64_t who, uint32_t generation, uint64_t k, uint32_t m, uint64_t now_ms);
/* Turn n from free to lost; returns what it was before. A spent number stays spent. */
enum trk_fate trk_filter_lose(struct trk_filter *f, uint64_t who, uint32_t generation, uint64_t n, uint64_t now_ms);
enum trk_fate trk_filter_fate(struct trk_filter *f, uint64_t who, uint32_t generation, uint64_t n, uint64_t now_ms);

struct trk_filter_word {
    bool known; uint32_t generation; uint64_t high;            /* highest generation honoured, highest number granted in it */
    int place; uint64_t lower, upper;                          /* private: where it stands, and how */
};
struct trk_filter_word trk_filter_look(struct trk_filter *f, uint64_t who, uint64_t now_ms);
/* Raise the word. strictly: only into a generation above the word's (a restart, an opening). False if the word is above, or
 * another worker was first. seen: as it was looked at before, NULL if it was not. */
bool trk_filter_raise(struct trk_filter *f, uint64_t who, const struct trk_filter_word *seen, uint32_t generation, uint64_t high,
                      bool strictly, uint64_t now_ms);
/* The same, strictly, and only if the word is still what was seen. */
bool trk_filter_raise_from(struct trk_filter *f, uint64_t who, const struct trk_filter_word *seen, uint32_t generation, uint64_t high,
                           uint64_t now_ms);

/* True if a number whose grant was sealed at this tick may have been forgotten, or will be while it can be spent: it only
 * restarts. */
bool trk_filter_forgot(const struct trk_filter *f, uint32_t tick, uint64_t now_ms);

struct trk_filter_stats {
    uint64_t spent, refused;           /* numbers, since the filter was made */
    uint64_t lost;                     /* numbers turned lost */
    uint64_t evicted;                  /* live entries that had to go */
    uint64_t groups, words;            /* capacity. Some live ones are evicted above half the groups, a quarter of the words */
    uint64_t groups_live, words_live;  /* in use now: counted by walking the tables */
    uint32_t horizon_ms;               /* in force: how long a grant can be spent before the floor forgets it */
};
void trk_filter_stats(const struct trk_filter *f, uint64_t now_ms, struct trk_filter_stats *out);

#endif
