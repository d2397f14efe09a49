/* fuzz_tcb.c - any request that parses, taken to the congestion rules without its proof: what a client with stolen
 * keys, or a bug in check, could make of them. No crash, no answer beyond its limits, m steps equal one batch; and
 * no continuation opens that was not sealed. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include "tcb/seal.h"
#include "tcb/step.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fail(const char *what)
{
    fprintf(stderr, "fuzz_tcb: %s\n", what);
    abort();
}

static uint64_t numbers(const struct trk_step *s) { return s->a > s->b ? 0 : s->b - s->a + 1; }

/* Spending one number after the other: the limits of each, and what all grant together. */
static void step_singly(const struct trk_part *part, const struct trk_report *report, const struct trk_step *batch)
{
    uint64_t a = 1, b = 0;
    for (uint32_t i = 0; i < part->m; i++) {
        struct trk_step s = trk_step(part->kind, &part->piece, report, part->k + i, 1);
        uint64_t most = part->kind == TRK_OPENING ? TRK_GRANT_MAX : TRK_SINGLE_MAX;
        if (numbers(&s) + (s.terminal != 0) > most)
            fail("a single number is answered with too much");
        if (numbers(&s) == 0)
            continue;
        if (s.a <= part->k + i)
            fail("a number is granted that is not above the spent one");
        if (a <= b && s.a != b + 1)
            fail("single steps leave a hole or overlap");
        a = a > b ? s.a : a;
        b = s.b;
    }
    if (a != batch->a || b != batch->b)
        fail("a batch differs from its single steps");
}

static void step_part(const struct trk_part *part)
{
    struct trk_report report = { part->ranges, part->n_ranges };
    uint64_t last = part->k + part->m - 1;
    if (!trk_report_valid(&report, part->piece.base, last))
        fail("a parsed report is not valid");
    if (!trk_report_holds(&report, part->k, last))
        return;
    struct trk_step s = trk_step(part->kind, &part->piece, &report, part->k, part->m);
    if (s.mode == TRK_MODE_RECOVERY && last > s.right)
        return;
    if (s.piece.start < 1 || s.piece.start > TRK_START_MAX || s.piece.ssthresh < 1 || s.piece.ssthresh > TRK_SSTHRESH_NONE)
        fail("a step's piece does not fit its fields");
    step_singly(part, &report, &s);
}

static void restart_part(const struct trk_part *part)
{
    struct trk_report report = { part->ranges, part->n_ranges };
    uint64_t k = part->k + part->m - 1, cut_f = part->grants[0].f > k ? part->grants[0].f : 0;
    for (int why = TRK_WHY_TIMEOUT; why <= TRK_WHY_REFRESH; why++) {
        struct trk_step s = trk_restart(part->kind, &part->piece, &report, k, why, why == TRK_WHY_RESUME ? cut_f : 0, k & 1);
        if (numbers(&s) < 1 || numbers(&s) > TRK_GRANT_MAX || s.piece.base != s.a - 1)
            fail("a restart grants nothing, too much, or not above its base");
        if (s.piece.start < 1 || s.piece.start > TRK_GRANT_MAX || s.piece.ssthresh < 1 || s.piece.ssthresh > TRK_SSTHRESH_NONE)
            fail("a restart's piece does not fit its fields");
        if (s.a <= k && !(s.loss && k > s.right - s.half))
            fail("a restart grants at or below k*");
    }
}

static void open_all(const struct trk_request *r)
{
    static const uint8_t master[TRK_MASTER_BYTES] = "not the key that anything is of";
    struct trk_keys keys;
    struct trk_ucont out;
    trk_keys_init(&keys);
    for (unsigned i = 0; i < TRK_EPOCHS_MAX; i++)
        trk_keys_add(&keys, (uint8_t)(r->epoch + i), i ? TRK_EPOCH_ADDED : TRK_EPOCH_CURRENT, master);
    for (unsigned i = 0; i < r->n_conts; i++)
        if (trk_ucont_open(&keys, &r->id, &r->conts[i], &out) == TRK_V_ACCEPTED)
            fail("a continuation opens that nobody sealed");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct trk_request r;
    if (trk_request_parse(data, size, &r) != TRK_V_ACCEPTED)
        return 0;
    for (unsigned p = 0; p < r.n_parts; p++) {
        step_part(&r.parts[p]);
        restart_part(&r.parts[p]);
    }
    open_all(&r);
    return 0;
}
