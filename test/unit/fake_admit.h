/* fake_admit.h - what the tests of admit share: a filter, requests in its domain, and what was decided about them. */
#ifndef TRK_TEST_FAKE_ADMIT_H
#define TRK_TEST_FAKE_ADMIT_H

#include "fake_plan.h"
#include "serve/filter.h"

#define DOMAIN 0xd0d0

static _Alignas(64) uint8_t memory[TRK_FILTER_BYTES_MIN];
static struct trk_filter *filter;
static uint64_t who;

static inline void fresh(void)
{
    static const uint8_t key[TRK_FILTER_KEY_BYTES] = "admit";
    filter = trk_filter_create(memory, sizeof memory, DOMAIN, key);
    ck_assert_ptr_nonnull(filter);
}

/* A request of generation 3 in the filter's domain, to be given parts. */
static inline struct trk_request *ours(uint8_t form)
{
    begin(form);
    fake.config.domain = DOMAIN;
    fake.request.domain = DOMAIN;
    who = trk_filter_who(filter, &fake.request.id);
    return &fake.request;
}

static inline struct trk_part *numbers(uint64_t k, uint16_t m)
{
    ours(TRK_FORM_REQUEST);
    return fake_part(&fake, TRK_NORMAL, slow_start, k, m);
}

/* Piece {1, 10}; loss of 3: W = 11, R = 13, w = 5. Numbers from..to are reported lost. */
static inline struct trk_part *with_loss(uint64_t k, uint16_t m, uint64_t from, uint64_t to)
{
    struct trk_part *p = numbers(k, m);
    for (uint64_t n = from; n <= to; n++)
        fake_lose(p, n);
    return p;
}

static inline struct trk_part *restart(uint8_t kind, uint8_t attempt, uint64_t k)
{
    struct trk_request *r = ours(TRK_FORM_RESTART);
    r->restart_kind = kind;
    r->attempt = attempt;
    struct trk_part *p = fake_part(&fake, TRK_NORMAL, slow_start, k, 1);
    p->grants[0].tick -= 40;           /* 0.7 s: old enough for some attempts */
    return p;
}

static inline void admitted(void)
{
    fake_prove(&fake);
    fake_send_request(&fake);
    ck_assert_str_eq(trk_verdict_name(fake_check(&fake)), "accepted");
    trk_admit(filter, &fake.spend, &fake.config, fake.now_ms, &fake.decision);
}

#define ASSERT_ADMITTED(expected) do {                                                                       \
        admitted();                                                                                          \
        ck_assert_str_eq(trk_verdict_name(fake.decision.verdict), trk_verdict_name(TRK_V_##expected));       \
    } while (0)

static inline enum trk_fate fate(uint64_t n) { return trk_filter_fate(filter, who, 3, n, FAKE_NOW_MS); }
static inline struct trk_filter_word word(void) { return trk_filter_look(filter, who, FAKE_NOW_MS); }
static inline void raise_word(uint32_t generation, uint64_t high) { ck_assert(trk_filter_raise(filter, who, NULL, generation, high, false, FAKE_NOW_MS)); }

#endif
