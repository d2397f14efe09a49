/* admit with a filter: every number once, one story about each loss, one parent for each generation, and who is believed. */
#include "fake_plan.h"
#include "serve/filter.h"

#define DOMAIN 0xd0d0

static _Alignas(64) uint8_t memory[TRK_FILTER_BYTES_MIN];
static struct trk_filter *filter;
static uint64_t who;

static void fresh(void)
{
    static const uint8_t key[TRK_FILTER_KEY_BYTES] = "admit";
    filter = trk_filter_create(memory, sizeof memory, DOMAIN, key);
    ck_assert_ptr_nonnull(filter);
}

/* A request of generation 3 in the filter's domain, to be given parts. */
static struct trk_request *ours(uint8_t form)
{
    begin(form);
    fake.config.domain = DOMAIN;
    fake.request.domain = DOMAIN;
    who = trk_filter_who(filter, &fake.request.id);
    return &fake.request;
}

static struct trk_part *numbers(uint64_t k, uint16_t m)
{
    ours(TRK_FORM_REQUEST);
    return fake_part(&fake, TRK_NORMAL, slow_start, k, m);
}

/* Piece {1, 10}; loss of 3: W = 11, R = 13, w = 5. Numbers from..to are reported lost. */
static struct trk_part *with_loss(uint64_t k, uint16_t m, uint64_t from, uint64_t to)
{
    struct trk_part *p = numbers(k, m);
    for (uint64_t n = from; n <= to; n++)
        fake_lose(p, n);
    return p;
}

static struct trk_part *restart(uint8_t kind, uint8_t attempt, uint64_t k)
{
    struct trk_request *r = ours(TRK_FORM_RESTART);
    r->restart_kind = kind;
    r->attempt = attempt;
    struct trk_part *p = fake_part(&fake, TRK_NORMAL, slow_start, k, 1);
    p->grants[0].tick -= 40;           /* 0.7 s: old enough for some attempts */
    return p;
}

static void admitted(void)
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

static enum trk_fate fate(uint64_t n) { return trk_filter_fate(filter, who, 3, n, FAKE_NOW_MS); }
static struct trk_filter_word word(void) { return trk_filter_look(filter, who, FAKE_NOW_MS); }
static void raise_word(uint32_t generation, uint64_t high) { ck_assert(trk_filter_raise(filter, who, NULL, generation, high, false, FAKE_NOW_MS)); }

/* ---------------- numbers ---------------- */

START_TEST(each_number_once)
{
    fresh();
    numbers(5, 2);
    ASSERT_ADMITTED(ANSWERED);
    ck_assert_uint_eq(fake.decision.mask[0], 3);
    ck_assert_uint_eq(fake.decision.generation, 3);
    ck_assert_uint_eq(fake.decision.domain, DOMAIN);
    ck_assert_uint_eq(word().generation, 3);
    ck_assert_uint_eq(word().high, 6 + 15);          /* C(6) = 15 */
    ASSERT_ADMITTED(REPLAYED);
    numbers(6, 3);
    ASSERT_ADMITTED(ANSWERED);
    ck_assert_uint_eq(fake.decision.mask[0], 6);     /* 6 was spent */
    numbers(5, 64);
    ASSERT_ADMITTED(ANSWERED);
    ck_assert_uint_eq(fake.decision.mask[0], ~(uint64_t)15);
}
END_TEST

START_TEST(repeats_pass_once)
{
    fresh();
    for (int again = 0; again < 3; again++) {
        ours(TRK_FORM_REQUEST);
        for (int p = 0; p <= again; p++)
            fake_part(&fake, TRK_NORMAL, slow_start, 5 + 2 * (uint64_t)p, 2);
        ASSERT_ADMITTED(ANSWERED);
        for (int p = 0; p <= again; p++)
            ck_assert_uint_eq(fake.decision.mask[p], p == again ? 3 : 0);
    }
    ASSERT_ADMITTED(REPLAYED);
}
END_TEST

START_TEST(an_older_generation_is_not_spent)
{
    fresh();
    numbers(5, 2);
    raise_word(4, 50);
    ASSERT_ADMITTED(OLD_GENERATION);
    ck_assert_int_eq(fate(5), TRK_FATE_FREE);
}
END_TEST

/* Live entries were evicted: what was sealed before may have been forgotten. */
START_TEST(forgotten_numbers_only_restart)
{
    fresh();
    numbers(5, 2);
    for (uint64_t n = 0; n < 20000; n++)
        trk_filter_spend(filter, 12345, 0, 16 * n, 1, FAKE_NOW_MS);
    ASSERT_ADMITTED(WRONG_DOMAIN);
    restart(TRK_RESTART_TIMEOUT, 1, 5);
    ASSERT_ADMITTED(ANSWERED);
}
END_TEST

/* ---------------- losses ---------------- */

START_TEST(a_loss_turns_once)
{
    fresh();
    with_loss(10, 1, 3, 3);
    ASSERT_ADMITTED(ANSWERED);
    ck_assert(fake.decision.terminal[0]);
    ck_assert_uint_eq(fake.decision.recreate[0], 0); /* it does not adjoin k */
    ck_assert_int_eq(fate(3), TRK_FATE_LOST);
    with_loss(11, 1, 3, 3);
    ASSERT_ADMITTED(ANSWERED);
    ck_assert(!fake.decision.terminal[0]);
    ck_assert_uint_eq(fake.decision.mask[0], 1);
    numbers(3, 1);                     /* and is not spent any more, whatever is said now */
    ASSERT_ADMITTED(REPLAYED);
}
END_TEST

START_TEST(a_spent_number_is_not_lost)
{
    fresh();
    numbers(3, 1);
    ASSERT_ADMITTED(ANSWERED);
    with_loss(10, 1, 3, 3);
    ASSERT_ADMITTED(LOSS_SPENT);
    ck_assert_int_eq(fate(10), TRK_FATE_FREE);       /* the truth may still be told with it */
    ck_assert_int_eq(fate(3), TRK_FATE_SPENT);
    numbers(10, 1);
    ASSERT_ADMITTED(ANSWERED);
}
END_TEST

/* Of two parts that contradict each other only one counts. */
START_TEST(two_stories_in_one_request)
{
    fresh();
    ours(TRK_FORM_REQUEST);
    fake_part(&fake, TRK_NORMAL, slow_start, 3, 1);
    fake_lose(fake_part(&fake, TRK_NORMAL, slow_start, 10, 1), 3);
    ASSERT_ADMITTED(ANSWERED);
    ck_assert_uint_eq(fake.decision.mask[0], 1);
    ck_assert_uint_eq(fake.decision.mask[1], 0);
    ck_assert(!fake.decision.terminal[1]);
    ck_assert_uint_eq(fake.decision.recreate[1], 0);
    ck_assert_str_eq(trk_verdict_name(fake_plan(&fake)), "accepted");
}
END_TEST

START_TEST(re_creation_of_free_numbers)
{
    for (uint64_t spent = 0; spent <= 11; spent++) { /* 9, 10 and 11 are lost and would live on: R - w = 8 */
        fresh();
        with_loss(12, 1, 3, 11);
        if (spent >= 4)
            trk_filter_spend(filter, who, 3, spent, 1, FAKE_NOW_MS);
        ASSERT_ADMITTED(ANSWERED);
        ck_assert(fake.decision.terminal[0]);
        ck_assert_uint_eq(fake.decision.recreate[0], spent >= 9 ? 11 - spent : 3);
        for (uint64_t n = 9; n <= 11; n++)
            ck_assert_int_eq(fate(n), n == spent ? TRK_FATE_SPENT : n > spent ? TRK_FATE_LOST : TRK_FATE_FREE);
        with_loss(13, 1, 3, 12);       /* nobody is re-created twice: 12 was spent */
        ASSERT_ADMITTED(ANSWERED);
        ck_assert_uint_eq(fake.decision.recreate[0], 0);
    }
}
END_TEST

/* L itself adjoins k: it is re-created and travels as a terminal, once. */
START_TEST(re_creation_of_the_loss_itself)
{
    for (int known = 0; known < 2; known++) {
        fresh();
        with_loss(12, 1, 11, 11);      /* W = C(10) = 19, R = 29, w = 9: 21 and above live on */
        struct trk_part *p = &fake.request.parts[0];
        p->piece.start = 2;            /* W = 11, R = 21, w = 5 */
        p->piece.ssthresh = 2;
        ASSERT_ADMITTED(ANSWERED);
        struct trk_step *s = &fake.spend.steps[0];
        ck_assert_uint_eq(s->loss, 11);
        ck_assert_uint_eq(fake.decision.recreate[0], 11 + s->half > s->right);
        ck_assert(fake.decision.terminal[0]);
    }
    fresh();
    with_loss(12, 1, 11, 11);
    fake.request.parts[0].piece = (struct trk_piece){ 1, 2, 2 };
    trk_filter_lose(filter, who, 3, 11, FAKE_NOW_MS);
    ASSERT_ADMITTED(ANSWERED);
    ck_assert_uint_eq(fake.decision.recreate[0], 0);
    ck_assert(!fake.decision.terminal[0]);
}
END_TEST

START_TEST(only_the_spent_first_number_re_creates)
{
    fresh();
    trk_filter_spend(filter, 0, 3, 1, 1, FAKE_NOW_MS);
    with_loss(12, 2, 3, 11);
    trk_filter_spend(filter, who, 3, 12, 1, FAKE_NOW_MS);
    ASSERT_ADMITTED(ANSWERED);
    ck_assert_uint_eq(fake.decision.mask[0], 2);
    ck_assert_uint_eq(fake.decision.recreate[0], 0);
}
END_TEST

START_TEST(beyond_recovery_touches_nothing)
{
    fresh();
    ours(TRK_FORM_REQUEST);
    fake_part(&fake, TRK_NORMAL, slow_start, 2, 1);
    fake_lose(fake_part(&fake, TRK_NORMAL, slow_start, 13, 2), 3);
    ASSERT_ADMITTED(BEYOND_RECOVERY);
    for (uint64_t n = 2; n <= 14; n++)
        ck_assert_int_eq(fate(n), TRK_FATE_FREE);
    ck_assert(!word().known);
}
END_TEST

/* Three parts of which two fill an answer: the third one is left free, to be spent by the next request. */
START_TEST(what_does_not_fit_an_answer_stays_free)
{
    fresh();
    ours(TRK_FORM_REQUEST);
    for (uint64_t i = 0; i < 3; i++)
        fake_part(&fake, TRK_NORMAL, slow_start, 100 + 50 * i, 50);       /* slow start: two packets for each */
    ASSERT_ADMITTED(ANSWERED);
    ck_assert_uint_eq(fake.decision.mask[1], (1ull << 50) - 1);
    ck_assert_uint_eq(fake.decision.mask[2], 0);
    ck_assert_int_eq(fate(200), TRK_FATE_FREE);
    ck_assert_str_eq(trk_verdict_name(fake_plan(&fake)), "accepted");
    ASSERT_ADMITTED(ANSWERED);
    ck_assert_uint_eq(fake.decision.mask[0] | fake.decision.mask[1], 0);
    ck_assert_uint_eq(fake.decision.mask[2], (1ull << 50) - 1);
}
END_TEST

/* ---------------- openings ---------------- */

static void opening(uint64_t n, uint32_t generation)
{
    ours(TRK_FORM_REQUEST)->generation = generation;
    fake_opening(&fake, n, 10, 20);
}

/* Refreshes of one generation from different k*: one of the openings founds it. */
START_TEST(one_opening_founds_a_generation)
{
    fresh();
    opening(100, 16);
    ASSERT_ADMITTED(ANSWERED);
    ck_assert_uint_eq(word().generation, 16);
    ck_assert_uint_eq(word().high, 110);
    ASSERT_ADMITTED(REPLAYED);         /* the very same */
    for (uint64_t n = 90; n < 130; n++) {
        opening(n, 16);
        admitted();
        ck_assert_int_eq(fake.decision.verdict, n == 100 ? TRK_V_REPLAYED : TRK_V_OLD_GENERATION);
        ck_assert_uint_eq(fake.decision.mask[0], 0);
    }
    opening(140, 17);
    ASSERT_ADMITTED(ANSWERED);
    opening(150, 16);
    ASSERT_ADMITTED(OLD_GENERATION);
}
END_TEST

START_TEST(two_openings_in_one_request)
{
    fresh();
    ours(TRK_FORM_REQUEST)->generation = 16;
    fake_opening(&fake, 100, 10, 20);
    fake_opening(&fake, 111, 10, 20);
    ASSERT_ADMITTED(ANSWERED);
    ck_assert_uint_eq(fake.decision.mask[0], 1);
    ck_assert_uint_eq(fake.decision.mask[1], 0);
}
END_TEST

START_TEST(an_opening_of_a_generation_that_a_restart_entered)
{
    fresh();
    opening(100, 16);
    raise_word(16, 50);
    ASSERT_ADMITTED(OLD_GENERATION);
    fresh();
    opening(100, 16);
    ASSERT_ADMITTED(ANSWERED);
    restart(TRK_RESTART_TIMEOUT, 4, 5);
    fake.request.generation = 12;
    ASSERT_ADMITTED(OLD_GENERATION);   /* and the other way round */
}
END_TEST

/* ---------------- restarts ---------------- */

START_TEST(restarts_rise)
{
    fresh();
    restart(TRK_RESTART_TIMEOUT, 1, 5);
    ASSERT_ADMITTED(ANSWERED);
    ck_assert_uint_eq(fake.decision.generation, 4);
    ck_assert_uint_eq(word().generation, 4);
    ck_assert(!fake.decision.stale);
    ASSERT_ADMITTED(OLD_GENERATION);
    restart(TRK_RESTART_TIMEOUT, 3, 5);
    ASSERT_ADMITTED(ANSWERED);
    ck_assert_uint_eq(word().generation, 6);
    restart(TRK_RESTART_TIMEOUT, 2, 5);
    ASSERT_ADMITTED(OLD_GENERATION);
    numbers(7, 1);
    ASSERT_ADMITTED(OLD_GENERATION);
}
END_TEST

/* The table of PROTOCOL.md 5.5: who is believed. k* = 5. */
START_TEST(attested)
{
    static const struct { const char *why; uint8_t kind; bool known; uint32_t generation; uint64_t high; bool cut, other_domain, attested; } cases[] = {
        { "nothing above k*", TRK_RESTART_RESUME, true, 3, 5, false, false, true },
        { "more was granted", TRK_RESTART_RESUME, true, 3, 6, false, false, false },
        { "cut", TRK_RESTART_RESUME, true, 3, 9, true, false, true },
        { "a timeout", TRK_RESTART_TIMEOUT, true, 3, 5, false, false, false },
        { "a word of an older generation", TRK_RESTART_RESUME, true, 2, 5, false, false, false },
        { "the same, cut", TRK_RESTART_RESUME, true, 2, 5, true, false, false },
        { "no word", TRK_RESTART_RESUME, false, 0, 0, false, false, false },
        { "no word, cut", TRK_RESTART_RESUME, false, 0, 0, true, false, false },
        { "another domain's seal", TRK_RESTART_RESUME, true, 3, 5, false, true, false },
        { "the same, cut", TRK_RESTART_RESUME, true, 3, 5, true, true, false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fresh();
        struct trk_part *p = restart(cases[i].kind, 1, 5);
        if (cases[i].cut)
            p->grants[0].b = 9;
        if (cases[i].other_domain)
            fake.request.domain = 77;
        if (cases[i].known)
            raise_word(cases[i].generation, cases[i].high);
        ASSERT_ADMITTED(ANSWERED);
        ck_assert_msg(fake.decision.attested == cases[i].attested, "%s", cases[i].why);
        ck_assert_msg(!fake.decision.stale, "%s", cases[i].why);
    }
}
END_TEST

START_TEST(what_was_forgotten_attests_nothing)
{
    fresh();
    restart(TRK_RESTART_RESUME, 1, 5);
    raise_word(3, 5);
    for (uint64_t n = 0; n < 20000; n++)
        trk_filter_spend(filter, 12345, 0, 16 * n, 1, FAKE_NOW_MS);
    ASSERT_ADMITTED(ANSWERED);
    ck_assert(!fake.decision.attested);
}
END_TEST

/* k* = 5, C = 14: F = 19 is the last number that anyone can hold. */
START_TEST(older_windows_are_stale)
{
    static const struct { uint32_t generation; uint64_t high; bool stale; } cases[] = { { 3, 19, false }, { 3, 20, true }, { 4, 5, true }, { 2, 90, false } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (uint8_t kind = TRK_RESTART_TIMEOUT; kind <= TRK_RESTART_RESUME; kind++) {
            fresh();
            restart(kind, 2, 5);
            raise_word(cases[i].generation, cases[i].high);
            ASSERT_ADMITTED(ANSWERED);
            ck_assert_int_eq(fake.decision.stale, cases[i].stale);
            ck_assert_str_eq(trk_verdict_name(fake_plan(&fake)), "accepted");
            struct trk_step *s = &fake.plan.grants[0].step;
            ck_assert_uint_eq(s->a, 20);
            ck_assert_uint_eq(s->piece.start, cases[i].stale || kind == TRK_RESTART_TIMEOUT ? 2 : 6);
            ck_assert_uint_eq(s->b, 19 + s->piece.start);
            ck_assert_uint_eq(s->piece.ssthresh, 7);
            ck_assert_uint_eq(word().high, s->b);
        }
    struct trk_step large = { .a = 100, .b = 163, .piece = { 99, 64, 300 } }, opens = { .a = 100, .b = 100, .piece = { 99, 10, 300 } };
    trk_restart_stale(&large);
    ck_assert(large.b == 101 && large.piece.start == 2 && large.piece.ssthresh == TRK_IW);
    trk_restart_stale(&opens);
    ck_assert(opens.b == 100 && opens.piece.start == 2 && opens.piece.ssthresh == TRK_IW);
}
END_TEST

START_TEST(refused_restarts_change_nothing)
{
    fresh();
    struct trk_part *p = restart(TRK_RESTART_TIMEOUT, 1, 10);
    fake_lose(p, 3);
    trk_filter_spend(filter, who, 3, 3, 1, FAKE_NOW_MS);
    raise_word(3, 20);
    ASSERT_ADMITTED(LOSS_SPENT);
    ck_assert_uint_eq(word().generation, 3);
    p = restart(TRK_RESTART_TIMEOUT, 1, 14);         /* above R = 13 */
    fake_lose(p, 4);
    fake_lose(p, 3);
    p->n_ranges = 2;
    p->ranges[0] = (struct trk_range){ 2, 2 };
    p->ranges[1] = (struct trk_range){ 4, 14 };
    ASSERT_ADMITTED(BEYOND_RECOVERY);
    ck_assert_uint_eq(word().generation, 3);
}
END_TEST

/* ---------------- refreshes ---------------- */

static void too_old(uint64_t k) { numbers(k, 1)->grants[0].tick -= 10000; }

START_TEST(a_refresh_raises_nothing)
{
    fresh();
    for (int again = 0; again < 3; again++) {
        too_old(5);
        ASSERT_ADMITTED(REFRESHED);
        ck_assert_uint_eq(fake.decision.generation, 16);
        ck_assert(!word().known);
        ck_assert_int_eq(fate(5), TRK_FATE_FREE);
    }
    raise_word(15, 5);                 /* all attempts of generation 3 were answered and lost */
    ASSERT_ADMITTED(REFRESHED);
    ck_assert(fake.decision.stale);
    raise_word(16, 5);
    ASSERT_ADMITTED(OLD_GENERATION);
}
END_TEST

START_TEST(a_refresh_of_an_older_window_is_stale)
{
    for (int stale = 0; stale < 2; stale++) {
        fresh();
        too_old(5);
        raise_word(3, 19 + (uint64_t)stale);
        ASSERT_ADMITTED(REFRESHED);
        ck_assert_str_eq(trk_verdict_name(fake_plan(&fake)), "accepted");
        ASSERT_GRANT(0, 20, 20);
        ck_assert_uint_eq(fake.plan.grants[0].step.piece.start, stale ? 2 : 7);
    }
}
END_TEST

UNIT_MAIN("admit_filter", each_number_once, repeats_pass_once, an_older_generation_is_not_spent, forgotten_numbers_only_restart, a_loss_turns_once,
          a_spent_number_is_not_lost, two_stories_in_one_request, re_creation_of_free_numbers, re_creation_of_the_loss_itself,
          only_the_spent_first_number_re_creates, beyond_recovery_touches_nothing, what_does_not_fit_an_answer_stays_free, one_opening_founds_a_generation, two_openings_in_one_request,
          an_opening_of_a_generation_that_a_restart_entered, restarts_rise, attested, what_was_forgotten_attests_nothing, older_windows_are_stale,
          refused_restarts_change_nothing, a_refresh_raises_nothing, a_refresh_of_an_older_window_is_stale)
