/* spend.c - when a number is spent, and when the batch of spent numbers leaves (PROTOCOL.md 7). */
#include "client/internal.h"

#define FAST_PATH_US 250               /* numbers that arrive within this time share a request */
#define WINDOW_REQUESTS 16             /* at least so many to a window, of those that arrive together */
#define BATCH_MAX 44                   /* a superframe of the usual slices */
#define BATCH_GRANTS_MAX 16

static uint32_t answer_room(const struct trk_client *c, bool long_form)
{
    return c->fill - trk_form_bytes(long_form ? TRK_FORM_LONG : TRK_FORM_NORMAL);
}

static uint32_t batch_numbers(const struct trk_client *c)
{
    return c->batch.step.a <= c->batch.step.b ? (uint32_t)(c->batch.step.b - c->batch.step.a + 1) : 0;
}

static bool batch_wants_more(const struct trk_client *c)
{
    uint64_t granted = c->batch.active ? (uint64_t)batch_numbers(c) * answer_room(c, c->want_long) : 0;
    return trk_wanted_bytes(c) > granted;
}

bool trk_may_spend(const struct trk_client *c)
{
    return trk_input_ready(c) || batch_wants_more(c);
}

/* How many numbers a request may wait for: what a fast path brings in a moment. On a slow path it waits for none: two numbers
 * in one request come back as two packets in a row, which meet a full queue more often (up to 7 % of the goodput). */
static uint32_t batch_awaits(const struct trk_client *c, uint64_t cwnd)
{
    uint64_t n = cwnd * FAST_PATH_US / (c->srtt_us ? c->srtt_us : 1);
    return n > BATCH_MAX ? BATCH_MAX : (uint32_t)n;
}

/* What arrived together may leave together, if a window is still many requests: one that is lost costs little. */
static uint32_t batch_together(uint64_t cwnd)
{
    uint64_t n = cwnd / WINDOW_REQUESTS;
    return n < 1 ? 1 : n > BATCH_MAX ? BATCH_MAX : (uint32_t)n;
}

/* On a fast path the receive batch is the batch: it leaves with the next poll. */
uint64_t trk_batch_due(const struct trk_client *c)
{
    if (!c->batch.active)
        return TRK_NEVER;
    uint64_t hold = c->batch.waits ? c->srtt_us / 8 : 0;
    return c->batch.started_us + (hold < FAST_PATH_US ? 0 : hold);
}

static bool batch_takes(struct trk_client *c, const struct trk_number *e)
{
    uint64_t a = e->n - e->n_minus_a;
    return c->batch.k + c->batch.m == e->n && c->batch.piece == e->piece && c->batch.m < TRK_PART_NUMBERS_MAX &&
           batch_numbers(c) + TRK_SINGLE_MAX <= TRK_GRANT_MAX &&
           (e->n <= c->batch.grant_end || (a == e->n && c->batch.n_grants < BATCH_GRANTS_MAX));
}

static void batch_start(struct trk_client *c, const struct trk_number *e, uint64_t now_us)
{
    memset(&c->batch, 0, sizeof c->batch);
    c->batch.active = true;
    c->batch.k = e->n;
    c->batch.piece = e->piece;
    c->batch.started_us = now_us;
    c->batch.step.a = 1;
    uint64_t cwnd = trk_cwnd(&c->pieces[e->piece].piece, e->n);
    uint32_t awaited = batch_awaits(c, cwnd), together = batch_together(cwnd);
    c->batch.waits = awaited > 1;
    c->batch.most = awaited > together ? awaited : together;
    c->batch.probes = c->pieces[e->piece].kind == TRK_NORMAL && trk_probe_due(c, now_us);
    if (c->batch.probes)
        c->batch.most = 1;
}

static void batch_add(struct trk_client *c, const struct trk_number *e, uint32_t m, const struct trk_step *step)
{
    struct trk_step *sum = &c->batch.step;
    if (!c->batch.m)
        *sum = *step;
    else if (step->a <= step->b) {
        if (sum->a > sum->b)
            sum->a = step->a;
        sum->b = step->b;
    }
    if (e->n > c->batch.grant_end) {
        c->batch.n_grants++;
        c->batch.grant_end = e->n - e->n_minus_a + e->f_minus_a;
    }
    c->batch.m += m;
}

/* The ring must hold everything between the lowest number that can still be reported and the highest granted. */
static bool ring_takes(struct trk_client *c, const struct trk_step *step)
{
    uint64_t lowest = c->last < c->star ? c->last : c->star;
    return step->a > step->b || trk_numbers_span(c, step->b - lowest + TRK_GRANT_MAX + 1);
}

/* How many numbers more the batch has room for, if what each of them grants is wanted: two where the window grows. */
static uint32_t run_most(const struct trk_client *c)
{
    uint32_t granted = batch_numbers(c), most = c->batch.most > c->batch.m ? c->batch.most - c->batch.m : 0;
    uint64_t wanted = trk_wanted_bytes(c) / answer_room(c, c->want_long);
    if (most > TRK_PART_NUMBERS_MAX - c->batch.m)
        most = TRK_PART_NUMBERS_MAX - c->batch.m;
    if (granted + 2 * most + TRK_SINGLE_MAX > TRK_GRANT_MAX || wanted <= granted)
        return 1;
    return most < (wanted - granted) / 2 ? most : (uint32_t)((wanted - granted) / 2);
}

/* From k on, as many as the batch may take in one step with the same outcome as one by one: kept numbers of one grant behind those
 * that it holds, without a loss in their piece. */
static uint32_t run_length(struct trk_client *c, uint64_t k)
{
    const struct trk_number *first = trk_number_at(c, k), *e;
    if (!c->batch.active || c->batch.step.mode != TRK_MODE_NORMAL || !batch_takes(c, first))
        return 1;
    uint32_t m = 1, most = run_most(c), of_grant = first->f_minus_a - first->n_minus_a + 1u;
    while (m < most && m < of_grant && k + m <= c->star && (e = trk_number_at(c, k + m)) && e->state == TRK_N_RECEIVED &&
           e->piece == first->piece && e->n_minus_a == first->n_minus_a + m)
        m++;
    return m;
}

/* Numbers k .. k+m-1; m > 1 as run_length says. */
static bool spend_run(struct trk_client *c, uint64_t k, uint32_t m, uint64_t now_us)
{
    struct trk_number *e = trk_number_at(c, k);
    struct trk_client_piece *p = &c->pieces[e->piece];
    struct trk_range ranges[TRK_RANGES_MAX];
    size_t cap = trk_report_cap(c);
    struct trk_report report = { ranges, trk_report_make(c, p->piece.base, k + m - 1, ranges, cap) };
    if (!report.n || !p->sum_known)
        return false;                                /* too many gaps to report: trk_spend_kept resumes */
    struct trk_step step = trk_step(p->kind, &p->piece, &report, k, m);
    if (!ring_takes(c, &step) || (step.mode == TRK_MODE_RECOVERY && k > step.right))
        return false;
    e = trk_number_at(c, k);                         /* the ring may have grown */
    if (c->batch.active && !batch_takes(c, e))
        trk_flush(c);
    if (!c->batch.active)
        batch_start(c, e, now_us);
    batch_add(c, e, m, &step);
    c->last = k + m - 1;
    c->progress_us = now_us;
    if (step.mode == TRK_MODE_RECOVERY && step.terminal)
        c->stats.recoveries++;
    if (step.mode == TRK_MODE_OPENING)
        c->awaiting = true;
    if (step.a <= step.b) {
        uint8_t piece = trk_piece_add(c, &step.piece, TRK_NORMAL);
        for (uint64_t n = step.a; n <= step.b; n++)
            trk_number_take(c, n, piece);
    }
    return true;
}

bool trk_spend(struct trk_client *c, uint64_t k, uint64_t now_us) { return spend_run(c, k, 1, now_us); }

void trk_flush(struct trk_client *c)
{
    if (!c->batch.active)
        return;
    c->batch.active = false;
    uint16_t fill = c->fill;
    if (c->batch.probes)
        c->fill = c->slot;
    trk_compose(c, &c->batch.step, &c->pieces[c->batch.piece], c->batch.k, c->batch.m, 0);
    c->fill = fill;
}

static bool opening_unspent(struct trk_client *c)
{
    struct trk_number *e = trk_number_at(c, c->star);
    return e && c->last < c->star && c->pieces[e->piece].kind == TRK_OPENING;
}

/* Nothing is outstanding: does the next request resume? A window that waited for the reader alone, and less than a second,
 * is simply spent on: a server without a filter cannot attest a resume and would answer it with a small window. An input
 * resumes, as the answer to a resume is cut where its output ends instead of going on in headers. */
static bool must_resume(struct trk_client *c, bool input, uint64_t now_us)
{
    if (opening_unspent(c))
        return false;
    return input || c->cut_f || !trk_next_kept(c) || now_us - trk_number_at(c, c->star)->arrived_us > TRK_AGED_MS * 1000;
}

/* False: too many gaps below k. The next ones have more. */
static bool reportable(const struct trk_client *c, uint64_t k)
{
    struct trk_range ranges[TRK_RANGES_MAX];
    const struct trk_number *e = &c->ring[k & c->ring_mask];
    return trk_report_make(c, c->pieces[e->piece].piece.base, k, ranges, trk_report_cap(c)) > 0;
}

static void resume(struct trk_client *c, uint64_t now_us)
{
    trk_flush(c);
    c->stats.resumes++;
    trk_restart_send(c, TRK_RESTART_RESUME, now_us);
}

void trk_spend_kept(struct trk_client *c, uint64_t now_us)
{
    bool placing = c->input_state == TRK_IN_PLACING, input = !placing && trk_input_ready(c);
    if (input && now_us < trk_input_due(c))
        return;
    uint32_t n = 0, most = c->last_answer_pkts > TRK_IW ? c->last_answer_pkts : TRK_IW;
    while (!c->attempt && trk_may_spend(c) && trk_outbox_room(c, c->fill)) {
        if (c->next > c->end && !(n && c->batch.active) && must_resume(c, input, now_us)) {     /* nothing outstanding */
            resume(c, now_us);
            return;
        }
        uint64_t k = c->cut_f ? 0 : trk_next_kept(c);
        if (!k)
            break;
        if (input && n && c->batch.active && trk_number_at(c, k)->piece != c->batch.piece)
            break;                                   /* an input goes with numbers of one piece */
        if (input && n >= most)
            break;                                   /* an answer of unknown length: do not spend a whole window on it */
        uint32_t m = input || placing ? 1 : run_length(c, k);
        if (!spend_run(c, k, m, now_us) && (m == 1 || !spend_run(c, k, m = 1, now_us))) {
            if (!reportable(c, k))
                resume(c, now_us);
            break;
        }
        n += m;
        bool full = c->batch.m >= c->batch.most || (placing && batch_numbers(c));      /* each packet of input leaves on its own */
        if ((!input && full) || c->batch.step.mode == TRK_MODE_OPENING) {
            trk_flush(c);
            input = !placing && trk_input_ready(c);
        }
    }
    if (n && input)
        trk_flush(c);
}

/* Bytes that fell out of the bookkeeping (full interval sets) are missed once nothing is outstanding. */
static void find_forgotten(struct trk_client *c)
{
    uint64_t end = c->ask_next < c->output_end ? c->ask_next : c->output_end;
    if (c->beyond.n && c->beyond.at[0].left < end)
        end = c->beyond.at[0].left;
    if (c->again.n && c->again.at[0].left < end)     /* above it more may be wanted for ever: behind an end that is not known */
        end = c->again.at[0].left;
    if (c->n_expected || c->n_terminals || c->attempt || c->received_to >= end)
        return;
    trk_want_again(c, c->received_to, end - c->received_to);
}

void trk_run(struct trk_client *c, uint64_t now_us)
{
    trk_resolve(c, now_us, false);
    trk_suspect_path(c, now_us);
    find_forgotten(c);
    trk_placing_find_forgotten(c);
    trk_spend_kept(c, now_us);
    if (c->batch.active && !trk_may_spend(c))
        trk_flush(c);
    if (trk_busy(c) && now_us >= trk_timer_due(c))
        trk_timer_run(c, now_us);
}
