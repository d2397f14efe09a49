/* test_step.c - step and restart, decision by decision against a sender that does everything one packet at a time. */
#include "oracle_step.h"
#include "random.h"
#include "unit.h"

/* One question: history, and the numbers k .. k+m-1 (relative to base) that are spent. */
struct question { struct history h; uint64_t k; uint32_t m; };

static struct trk_step ask(const struct question *q, uint64_t k, uint32_t m)
{
    struct trk_range ranges[ORACLE_MAX / 2 + 1];
    struct trk_report report = { ranges, oracle_report(&q->h, k + m - 1, ranges) };
    uint64_t base = q->h.piece.base;
    if (!trk_report_valid(&report, base, base + k + m - 1) || !trk_report_holds(&report, base + k, base + k + m - 1))
        ck_abort_msg("an honest report is refused");
    return trk_step(TRK_NORMAL, &q->h.piece, &report, base + k, m);
}

static bool same_piece(const struct trk_piece *a, const struct trk_piece *b)
{
    return a->base == b->base && a->start == b->start && a->ssthresh == b->ssthresh;
}

static void fail_at(const struct question *q, const char *what)
{
    char fate[ORACLE_MAX + 1];
    uint64_t n = q->k + q->m - 1;
    for (uint64_t i = 1; i <= n; i++)
        fate[i - 1] = q->h.arrived[i] ? '1' : '0';
    fate[n] = 0;
    ck_abort_msg("%s: piece {%llu, %u, %u}, numbers above base %s, k = base + %llu, m = %u", what, (unsigned long long)q->h.piece.base,
                 q->h.piece.start, q->h.piece.ssthresh, fate, (unsigned long long)q->k, q->m);
}

/* The step grants exactly the oracle's numbers, which must be contiguous, under the same piece. */
static void compare_with_oracle(const struct question *q, const struct trk_step *s)
{
    struct oracle o;
    oracle_step(&q->h, q->k, q->m, &o);
    for (unsigned i = 1; i < o.n; i++)
        if (o.granted[i] != o.granted[0] + i)
            fail_at(q, "the oracle itself grants with a hole");
    if (o.n == 0 ? s->a != 1 || s->b != 0 : s->a != o.granted[0] || s->b != o.granted[o.n - 1])
        fail_at(q, "another grant than the oracle's");
    if (!same_piece(&s->piece, &o.piece))
        fail_at(q, "another piece than the oracle's");
    if (s->terminal != o.terminal || s->loss != o.loss || s->right != o.last_held)
        fail_at(q, "terminal, loss or right differ from the oracle's");
    if (s->mode != (o.loss ? TRK_MODE_RECOVERY : TRK_MODE_NORMAL))
        fail_at(q, "wrong mode");
}

/* m single steps: the same numbers in the same order, the terminal first, no single one above its limit. */
static void compare_with_single_steps(const struct question *q, const struct trk_step *batch)
{
    uint64_t a = 1, b = 0, terminal = 0;
    for (uint32_t i = 0; i < q->m; i++) {
        struct trk_step s = ask(q, q->k + i, 1);
        if (!same_piece(&s.piece, &batch->piece))
            fail_at(q, "a single step enters another piece");
        if (s.terminal && i > 0)
            fail_at(q, "a later single step sends a terminal");
        terminal |= s.terminal;
        if (s.a > s.b)
            continue;
        if (s.b - s.a + 1 + (s.terminal != 0) > TRK_SINGLE_MAX)
            fail_at(q, "a single number is answered with too much");
        if (a <= b && s.a != b + 1)
            fail_at(q, "single steps leave a hole or overlap");
        if (a > b)
            a = s.a;
        b = s.b;
    }
    if (a != batch->a || b != batch->b || terminal != batch->terminal)
        fail_at(q, "the batch differs from its single steps");
}

/* How many questions of each mode a test really compared: a generator that misses one must not pass. */
struct tally { long normal, recovery, terminals, recreated; };

static void check_question(const struct question *q, struct tally *tally)
{
    struct trk_step s = ask(q, q->k, q->m);
    if (s.mode == TRK_MODE_RECOVERY && q->h.piece.base + q->k + q->m - 1 > s.right)
        return;                        /* above R: refused by the caller, no honest client can hold it */
    compare_with_single_steps(q, &s);
    compare_with_oracle(q, &s);
    tally->normal += s.mode == TRK_MODE_NORMAL;
    tally->recovery += s.mode == TRK_MODE_RECOVERY;
    tally->terminals += s.terminal != 0;
    tally->recreated += s.mode == TRK_MODE_RECOVERY && s.a <= s.b && s.a < q->h.piece.base + q->k + s.half;
}

/* fate: bit i tells whether base + 1 + i arrived, for i < k-1. */
static void set_history(struct question *q, struct trk_piece piece, uint64_t fate, uint64_t k, uint32_t m)
{
    q->h.piece = piece;
    q->k = k;
    q->m = m;
    for (uint64_t i = 1; i < k + m; i++)
        q->h.arrived[i] = i >= k || fate >> (i - 1) & 1;
}

START_TEST(every_small_question)
{
    struct question q;
    struct tally tally = { 0, 0, 0, 0 };
    for (uint32_t start = 1; start <= 8; start++)
        for (uint32_t ssthresh = 2; ssthresh <= 10; ssthresh++)
            for (uint32_t m = 1; m <= 8; m++)
                for (uint64_t before = 0; before <= 10; before++)
                    for (uint64_t fate = 0; fate < 1u << before; fate++) {
                        struct trk_piece piece = { fate % 2 ? 5 : 1, start, ssthresh == 10 ? TRK_SSTHRESH_NONE : ssthresh };
                        set_history(&q, piece, fate, before + 1, m);
                        check_question(&q, &tally);
                    }
    ck_assert_int_gt(tally.normal, 5000);
    ck_assert_int_gt(tally.recovery, 45000);
    ck_assert_int_gt(tally.terminals, 10000);
    ck_assert_int_gt(tally.recreated, 10000);
}
END_TEST

/* Losses single, dense, in runs, or none; large windows and bases. */
static void random_question(struct question *q, uint64_t *seed)
{
    struct trk_piece piece = { random_below(seed, 1ull << (1 + random_below(seed, 46))), 1 + (uint32_t)random_below(seed, 60),
                               random_below(seed, 5) ? 2 + (uint32_t)random_below(seed, 100) : TRK_SSTHRESH_NONE };
    uint64_t fate = random_next(seed);
    switch (random_below(seed, 5)) {
    case 0: fate |= random_next(seed); break;
    case 1: fate |= random_next(seed) | random_next(seed) | random_next(seed); break;
    case 2: fate = ~(fate << random_below(seed, 63)); break;
    case 3: fate = ~(((1ull << random_below(seed, 20)) - 1) << random_below(seed, 63)); break;
    }
    set_history(q, piece, fate, 1 + random_below(seed, 60), 1 + (uint32_t)random_below(seed, 32));
}

START_TEST(a_million_random_questions)
{
    struct question q;
    struct tally tally = { 0, 0, 0, 0 };
    uint64_t seed = 3;
    for (int i = 0; i < 1000000; i++) {
        random_question(&q, &seed);
        check_question(&q, &tally);
    }
    ck_assert_int_gt(tally.normal, 50000);
    ck_assert_int_gt(tally.recovery, 200000);
    ck_assert_int_gt(tally.terminals, 20000);
    ck_assert_int_gt(tally.recreated, 15000);
}
END_TEST

/* A whole window's life: whatever is lost, spending what arrived in order never grants a number twice,
 * normal answers stay within R and recovery's within (R, R + w]. */
static void spend_in_order(struct question *q, uint64_t in_flight, uint64_t fate)
{
    uint64_t highest = q->h.piece.base + in_flight, base = q->h.piece.base;
    set_history(q, q->h.piece, fate, in_flight + 1, 1);
    for (uint64_t k = 1; k <= in_flight; k++) {
        if (!q->h.arrived[k])
            continue;
        struct trk_step s = ask(q, k, 1);
        if (s.mode == TRK_MODE_RECOVERY && base + k > s.right)
            break;
        if (s.a > s.b)
            continue;
        if (s.a <= highest)
            fail_at(q, "a number is granted twice");
        highest = s.b;
        if (s.mode == TRK_MODE_RECOVERY && (s.a <= s.right || s.b > s.right + s.half))
            fail_at(q, "a recovery grants outside of its new window");
    }
}

START_TEST(no_number_is_granted_twice)
{
    struct question q;
    for (uint32_t start = 1; start <= 11; start++)
        for (uint32_t ssthresh = 2; ssthresh <= 12; ssthresh += 5)
            for (uint64_t fate = 0; fate < 1u << start; fate++) {
                q.h.piece = (struct trk_piece){ 3, start, ssthresh };
                spend_in_order(&q, start, fate);
            }
}
END_TEST

START_TEST(an_opening_begins_its_piece)
{
    struct trk_piece first = { 0, TRK_IW, TRK_SSTHRESH_NONE };
    struct trk_range one = { 1, 1 };
    struct trk_report report = { &one, 1 };
    struct trk_step s = trk_step(TRK_OPENING, &first, &report, 1, 1);
    ck_assert_int_eq(s.mode, TRK_MODE_OPENING);
    ck_assert_uint_eq(s.a, 2);
    ck_assert_uint_eq(s.b, 1 + TRK_IW);
    ck_assert_uint_eq(s.piece.base, 1);
    ck_assert_uint_eq(s.piece.start, TRK_IW);
    ck_assert_uint_eq(s.piece.ssthresh, TRK_SSTHRESH_NONE);
    ck_assert_uint_eq(s.terminal, 0);
    struct trk_piece damaged = { 0, TRK_START_MAX, TRK_SSTHRESH_NONE }, empty = { 0, 0, 2 };
    s = trk_step(TRK_OPENING, &damaged, &report, 1, 1);
    ck_assert_uint_eq(s.b, 1 + TRK_GRANT_MAX);
    ck_assert_uint_eq(s.piece.start, TRK_GRANT_MAX);
    s = trk_step(TRK_OPENING, &empty, &report, 1, 1);
    ck_assert_uint_eq(s.b, 2);
    ck_assert_uint_eq(s.piece.start, 1);
}
END_TEST

/* The paper's example form: a window of 10 in avoidance, its fourth packet lost. */
START_TEST(a_recovery_by_hand)
{
    struct trk_piece p = { 100, 10, 10 };
    struct trk_range got[] = { { 101, 103 }, { 105, 105 } };
    struct trk_report report = { got, 2 };
    struct trk_step s = trk_step(TRK_NORMAL, &p, &report, 105, 1);
    ck_assert_int_eq(s.mode, TRK_MODE_RECOVERY);
    ck_assert_uint_eq(s.loss, 104);
    ck_assert_uint_eq(s.right, 113);             /* 103 + C(103) = 103 + 10 */
    ck_assert_uint_eq(s.half, 5);
    ck_assert_uint_eq(s.terminal, 104);
    ck_assert_uint_gt(s.a, s.b);                 /* 105 is not among the last five: its trickle ends */
    got[1].right = 109;
    s = trk_step(TRK_NORMAL, &p, &report, 109, 1);
    ck_assert_uint_eq(s.a, 114);
    ck_assert_uint_eq(s.b, 114);
    ck_assert_uint_eq(s.terminal, 0);
    ck_assert_uint_eq(s.piece.base, 113);
    ck_assert_uint_eq(s.piece.start, 5);
    ck_assert_uint_eq(s.piece.ssthresh, 5);
}
END_TEST

/* Ten lost numbers before the spent one, all of which could live on: eight are made anew, and the terminal. */
START_TEST(no_more_than_eight_are_recreated)
{
    struct trk_piece p = { 0, 40, 40 };
    struct trk_range got[] = { { 1, 25 }, { 36, 36 } };
    struct trk_step s = trk_step(TRK_NORMAL, &p, &(struct trk_report){ got, 2 }, 36, 1);
    ck_assert_uint_eq(s.right, 65);              /* 25 + C(25), window still 40 */
    ck_assert_uint_eq(s.half, 20);
    ck_assert_uint_gt(s.a, s.b);                 /* 36 + 20 is below R: none survives */
    struct trk_range late[] = { { 1, 25 }, { 60, 60 } };
    s = trk_step(TRK_NORMAL, &p, &(struct trk_report){ late, 2 }, 60, 1);
    ck_assert_uint_eq(s.a, 60 - 8 + 20);
    ck_assert_uint_eq(s.b, 60 + 20);
    ck_assert_uint_eq(s.terminal, 26);
    ck_assert_uint_le(s.b - s.a + 1 + 1, TRK_SINGLE_MAX);
}
END_TEST

/* Where the window stands at its bound, spending still neither skips a number nor grants one twice. */
START_TEST(a_window_at_its_bound)
{
    struct trk_piece p = { 0, 10, TRK_SSTHRESH_NONE };
    struct trk_range got[] = { { 1, 0 }, { 0, 0 } };
    uint64_t highest = 10;
    for (uint64_t k = 1; k <= 3 * TRK_CWND_MAX; k++) {
        got[0].right = k;
        struct trk_step s = trk_step(TRK_NORMAL, &p, &(struct trk_report){ got, 1 }, k, 1);
        ck_assert_msg(s.a == highest + 1 && s.b >= s.a, "k = %d", (int)k);
        highest = s.b;
    }
    uint64_t loss = 3 * TRK_CWND_MAX + 1, right = loss - 1 + TRK_CWND_MAX;
    got[1] = (struct trk_range){ right, right };
    struct trk_report report = { got, 2 };
    struct trk_step s = trk_step(TRK_NORMAL, &p, &report, right, 1);
    ck_assert_uint_eq(s.right, right);
    ck_assert_uint_eq(s.half, TRK_CWND_MAX / 2);
    ck_assert_uint_eq(s.a, right + s.half - TRK_RECREATE_MAX);
    ck_assert_uint_eq(s.b, right + s.half);
    struct trk_step r = trk_restart(TRK_NORMAL, &p, &report, right, TRK_WHY_RESUME, 0, false);
    ck_assert_uint_eq(r.piece.base, right + TRK_CWND_MAX / 2);
    ck_assert_uint_eq(r.b - r.a + 1, TRK_GRANT_MAX);
    ck_assert_uint_eq(r.piece.start, TRK_GRANT_MAX);
    ck_assert_uint_eq(r.piece.ssthresh, TRK_CWND_MAX / 2);
}
END_TEST

/* One row of the restart table: what is known when it is asked for, and the answer. */
struct row {
    const char *name; enum trk_why why; bool lost, aged; uint64_t cut_f;
    uint64_t base; uint32_t start, ssthresh; uint64_t a, b;
};

/* Piece {100, 20, 30}; k* = 110, so W = C(110) = 30, w = 15, F = 140. With 105 lost: W = C(104) = 24, w = 12,
 * R = 128, F = 140. Cut at 115: 111 is lost and W = 30: R = 140, F = 155. */
static const struct row table[] = {
    { "timeout",                TRK_WHY_TIMEOUT,    false, false, 0,   140, 2,  15, 141, 142 },
    { "timeout, loss",          TRK_WHY_TIMEOUT,    true,  false, 0,   140, 2,  12, 141, 142 },
    { "timeout, aged",          TRK_WHY_TIMEOUT,    false, true,  0,   140, 2,  15, 141, 142 },
    { "timeout, cut",           TRK_WHY_TIMEOUT,    false, false, 115, 155, 2,  15, 156, 157 },
    { "resume",                 TRK_WHY_RESUME,     false, false, 0,   140, 30, 30, 141, 170 },
    { "resume, aged",           TRK_WHY_RESUME,     false, true,  0,   140, 10, 30, 141, 150 },
    { "resume, loss",           TRK_WHY_RESUME,     true,  false, 0,   140, 12, 12, 141, 152 },
    { "resume, loss, aged",     TRK_WHY_RESUME,     true,  true,  0,   140, 12, 12, 141, 152 },
    { "resume, cut, all here",  TRK_WHY_RESUME,     false, false, 110, 140, 20, 30, 141, 160 },
    { "resume, cut here, aged", TRK_WHY_RESUME,     false, true,  110, 140, 10, 30, 141, 150 },
    { "resume, cut and lost",   TRK_WHY_RESUME,     false, false, 115, 155, 15, 15, 156, 170 },
    { "not attested",           TRK_WHY_UNATTESTED, false, false, 0,   140, 10, 15, 141, 150 },
    { "not attested, loss",     TRK_WHY_UNATTESTED, true,  false, 0,   140, 9,  12, 141, 149 },
    { "refresh",                TRK_WHY_REFRESH,    false, true,  0,   140, 10, 15, 141, 141 },
    { "refresh, loss",          TRK_WHY_REFRESH,    true,  false, 0,   140, 10, 12, 141, 141 },
};

START_TEST(restart_row_by_row)
{
    struct trk_piece p = { 100, 20, 30 };
    struct trk_range whole[] = { { 101, 110 } }, gap[] = { { 101, 104 }, { 106, 110 } };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const struct row *w = &table[i];
        struct trk_report report = w->lost ? (struct trk_report){ gap, 2 } : (struct trk_report){ whole, 1 };
        struct trk_step s = trk_restart(TRK_NORMAL, &p, &report, 110, w->why, w->cut_f, w->aged);
        struct trk_piece want = { w->base, w->start, w->ssthresh };
        ck_assert_msg(s.mode == TRK_MODE_RESTART && same_piece(&s.piece, &want) && s.a == w->a && s.b == w->b && s.terminal == 0,
                      "%s: [%d, %d] {%d, %d, %d}", w->name, (int)s.a, (int)s.b, (int)s.piece.base, (int)s.piece.start, (int)s.piece.ssthresh);
    }
}
END_TEST

/* An opening that is not spent but restarted: its window is the start it would have granted. */
START_TEST(restart_of_an_opening)
{
    struct trk_piece p = { 0, TRK_IW, TRK_SSTHRESH_NONE };
    struct trk_range one = { 1, 1 };
    struct trk_report report = { &one, 1 };
    struct trk_step s = trk_restart(TRK_OPENING, &p, &report, 1, TRK_WHY_TIMEOUT, 0, false);
    ck_assert_uint_eq(s.piece.base, 11);
    ck_assert_uint_eq(s.piece.start, 2);
    ck_assert_uint_eq(s.piece.ssthresh, 5);
    s = trk_restart(TRK_OPENING, &p, &report, 1, TRK_WHY_RESUME, 0, false);
    ck_assert_uint_eq(s.piece.start, 10);
    ck_assert_uint_eq(s.piece.ssthresh, TRK_SSTHRESH_NONE);
    s = trk_restart(TRK_OPENING, &p, &report, 1, TRK_WHY_REFRESH, 0, false);
    ck_assert_uint_eq(s.a, 12);
    ck_assert_uint_eq(s.b, 12);
    ck_assert_uint_eq(s.piece.base, 11);
    ck_assert_uint_eq(s.piece.start, 5);
    ck_assert_uint_eq(s.piece.ssthresh, 5);
    struct trk_piece low = { 0, TRK_IW, 1 };     /* an inherited ssthresh is at least 2 all the same */
    s = trk_restart(TRK_OPENING, &low, &report, 1, TRK_WHY_RESUME, 0, false);
    ck_assert_uint_eq(s.piece.ssthresh, 2);
}
END_TEST

START_TEST(restarts_equal_the_oracle)
{
    struct question q;
    struct oracle o;
    struct trk_range ranges[ORACLE_MAX / 2 + 1];
    uint64_t seed = 4;
    for (int i = 0; i < 500000; i++) {
        random_question(&q, &seed);
        enum trk_why why = (enum trk_why)random_below(&seed, 4);
        bool aged = random_below(&seed, 2);
        uint64_t cut_f = random_below(&seed, 3) ? 0 : q.k + random_below(&seed, 20), base = q.h.piece.base;
        struct trk_report report = { ranges, oracle_report(&q.h, q.k, ranges) };
        struct trk_step s = trk_restart(TRK_NORMAL, &q.h.piece, &report, base + q.k, why, cut_f ? base + cut_f : 0, aged);
        oracle_restart(&q.h, q.k, why, cut_f, aged, &o);
        if (s.a != o.granted[0] || s.b != o.granted[o.n - 1] || !same_piece(&s.piece, &o.piece) || s.loss != o.loss)
            fail_at(&q, "a restart differs from the oracle's");
        if (s.piece.base != s.a - 1 || s.right != s.piece.base)
            fail_at(&q, "a restart leaves a hole above its base");
        if (s.loss && base + q.k > s.right - s.half)
            continue;                  /* k* above R: no honest client can hold it */
        if (s.a <= base + q.k)
            fail_at(&q, "a restart grants below k*");
    }
}
END_TEST

START_TEST(time)
{
    ck_assert_int_eq(trk_age_ms(1000, 1000), 16);
    ck_assert_int_eq(trk_age_ms(1000, 1001), 0);
    ck_assert_int_eq(trk_age_ms(1000, 1002), -16);
    ck_assert_int_eq(trk_age_ms(5, UINT32_MAX), 7 * 16);               /* across the wrap */
    ck_assert_int_eq(trk_attempt_age_ms(1), 0);
    ck_assert_int_eq(trk_attempt_age_ms(2), 50);
    ck_assert_int_eq(trk_attempt_age_ms(12), 51200);
    ck_assert_uint_eq(trk_tick(1600), 100);
}
END_TEST

UNIT_MAIN("step", every_small_question, a_million_random_questions, no_number_is_granted_twice, an_opening_begins_its_piece,
          a_recovery_by_hand, no_more_than_eight_are_recreated, a_window_at_its_bound,
          restart_row_by_row, restart_of_an_opening, restarts_equal_the_oracle, time)
