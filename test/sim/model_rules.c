#include "model_filter.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CWND_MAX 4096
#define GRANT_MAX 256
#define TICK_MS 16
#define HORIZON_MS 60000
#define SKEW_MS 15000

/* ---- the window ---- */

static uint64_t root(uint64_t x)
{
    uint64_t r = (uint64_t)sqrt((double)x);

    while (r * r > x)
        r--;
    while ((r + 1) * (r + 1) <= x)
        r++;
    return r;
}

static uint64_t window_at(struct trk_piece p, uint64_t k)
{
    uint64_t s = p.start, acks = k > p.base ? k - p.base : 0, cwnd;

    if (acks == 0 || p.ssthresh == TRK_SSTHRESH_NONE || s + acks <= p.ssthresh) {
        cwnd = s + acks;
    } else {
        if (s < p.ssthresh) {
            acks -= p.ssthresh - s;
            s = p.ssthresh;
        }
        cwnd = (1 + root(1 + 4 * (s * (s - 1) + 2 * acks))) / 2;
    }
    return cwnd < CWND_MAX ? cwnd : CWND_MAX;
}

static uint64_t half_of(uint64_t window) { return window / 2 > 2 ? window / 2 : 2; }

/* ---- the report ---- */

static bool received(const struct trk_part *p, uint64_t n)
{
    for (unsigned i = 0; i < p->n_ranges; i++)
        if (p->ranges[i].left <= n && n <= p->ranges[i].right)
            return true;
    return false;
}

/* The first number of the piece that the report leaves out, 0 if there is none below k. */
static uint64_t first_missing(const struct trk_part *p, uint64_t k)
{
    uint64_t at = p->piece.base;

    for (unsigned i = 0; i < p->n_ranges && p->ranges[i].left == at + 1; i++)
        at = p->ranges[i].right;
    return at + 1 < k ? at + 1 : 0;
}

/* ---- numbers ---- */

static void grant(struct model_answer *out, unsigned part, uint64_t n, struct trk_piece piece)
{
    if (out->n == MODEL_GRANTED_MAX)
        abort();
    out->granted[out->n++] = (struct model_granted){ (uint8_t)part, n, piece };
}

/* What is in flight when the loss of L is learnt: numbers L .. R; the last w of them live on. */
struct recovery { uint64_t loss, right, half; struct trk_piece piece; };

static struct recovery recovery_of(const struct trk_part *p, uint64_t k)
{
    struct recovery r = { .loss = first_missing(p, k) };

    if (r.loss) {
        uint64_t window = window_at(p->piece, r.loss - 1);
        r.right = r.loss - 1 + window;
        r.half = half_of(window);
        r.piece = (struct trk_piece){ r.right, (uint32_t)r.half, (uint32_t)r.half };
    }
    return r;
}

static bool lives_on(const struct recovery *r, uint64_t j) { return j + r->half > r->right; }

static void spend_normal(const struct trk_part *p, unsigned part, uint64_t k, struct model_answer *out)
{
    uint64_t a = k + window_at(p->piece, k - 1), b = k + window_at(p->piece, k);

    for (uint64_t n = a; n <= b; n++)
        grant(out, part, n, p->piece);
}

/* An opening grants its window and begins the piece that it opens. */
static void spend_opening(const struct trk_part *p, unsigned part, uint64_t k, struct model_answer *out)
{
    struct trk_piece piece = { k, p->piece.start, p->piece.ssthresh };

    for (uint64_t n = k + 1; n <= k + piece.start; n++)
        grant(out, part, n, piece);
}

/* Lost numbers directly before k that nobody spent live on in k's place. `was`: L's fate before this report. */
static uint64_t lowest_recreated(const struct model_case *c, const struct trk_part *p, const struct recovery *r, enum model_fate_kind was)
{
    uint64_t j = p->k;

    while (j - 1 > p->piece.base && !received(p, j - 1) && p->k - (j - 1) <= TRK_RECREATE_MAX && lives_on(r, j - 1)) {
        if (c->filter && (j - 1 == r->loss ? was : model_fate(c, j - 1)) != MODEL_FREE)
            break;
        if (c->filter)
            model_give_fate(c, j - 1, MODEL_LOST);
        j--;
    }
    return j;
}

static bool run_reaches(const struct trk_part *p, uint64_t loss)
{
    for (uint64_t j = loss; j < p->k; j++)
        if (received(p, j))
            return false;
    return loss < p->k;
}

static void spend_recovering(const struct model_case *c, unsigned part, const struct recovery *r, enum model_fate_kind was, uint64_t k, struct model_answer *out)
{
    const struct trk_part *p = &c->request->parts[part];
    uint64_t from = k == p->k ? lowest_recreated(c, p, r, was) : k;

    for (uint64_t j = from; j <= k; j++)
        if (lives_on(r, j))
            grant(out, part, j + r->half, r->piece);
    if (k == p->k && run_reaches(p, r->loss) && was == MODEL_FREE && p->terminal_ask)
        out->terminal[part] = r->loss;
}

static enum trk_verdict spend_part(const struct model_case *c, unsigned part, struct model_answer *out)
{
    const struct trk_part *p = &c->request->parts[part];
    bool opening = p->kind == TRK_OPENING;
    struct recovery r = opening ? (struct recovery){ 0 } : recovery_of(p, p->k);
    enum model_fate_kind was = MODEL_FREE;
    unsigned spent = 0;

    if (r.loss && c->filter) {
        was = model_fate(c, r.loss);
        if (was == MODEL_SPENT)
            return TRK_V_LOSS_SPENT;
        model_give_fate(c, r.loss, MODEL_LOST);
    }
    for (uint64_t k = p->k; k < p->k + p->m; k++) {
        if (c->filter && model_fate(c, k) != MODEL_FREE)
            continue;
        if (c->filter)
            model_give_fate(c, k, MODEL_SPENT);
        spent++;
        if (opening && c->filter && model_word(c)->used && !model_above(c->request->generation, model_word(c)->generation))
            return TRK_V_OLD_GENERATION;
        if (opening)
            spend_opening(p, part, k, out);
        else if (r.loss)
            spend_recovering(c, part, &r, was, k, out);
        else
            spend_normal(p, part, k, out);
    }
    return spent ? TRK_V_ANSWERED : TRK_V_REPLAYED;
}

/* The highest number of what all of the part would have been granted, as far as anything of it was. */
static uint64_t high_of(const struct trk_part *p)
{
    uint64_t last = p->k + p->m - 1;
    struct recovery r = recovery_of(p, p->k);

    if (p->kind == TRK_OPENING)
        return p->k + p->piece.start;
    if (!r.loss)
        return last + window_at(p->piece, last);
    return lives_on(&r, last) ? last + r.half : 0;
}

/* How many packets the part would bring if all of it were free. */
static uint64_t packets_of(const struct trk_part *p)
{
    uint64_t last = p->k + p->m - 1, n = 0;
    struct recovery r = recovery_of(p, p->k);

    if (p->kind == TRK_OPENING)
        return p->piece.start;
    if (!r.loss)
        return last + window_at(p->piece, last) - (p->k - 1 + window_at(p->piece, p->k - 1));
    for (uint64_t j = p->k - 1; j > p->piece.base && !received(p, j) && p->k - j <= TRK_RECREATE_MAX; j--)
        n += lives_on(&r, j);
    for (uint64_t j = p->k; j <= last; j++)
        n += lives_on(&r, j);
    return n + (run_reaches(p, r.loss) && p->terminal_ask);
}

static enum trk_verdict judge_numbers(const struct model_case *c, struct model_answer *out)
{
    const struct trk_request *q = c->request;
    enum trk_verdict v = TRK_V_REPLAYED;
    uint64_t high = 0, packets = 0;
    bool any = false;

    for (unsigned i = 0; i < q->n_parts; i++) {
        const struct trk_part *p = &q->parts[i];
        struct recovery r = recovery_of(p, p->k);
        if (p->kind != TRK_OPENING && r.loss && p->k + p->m - 1 > r.right)
            return TRK_V_BEYOND_RECOVERY;
    }
    if (c->filter && model_word(c)->used && model_above(model_word(c)->generation, q->generation))
        return TRK_V_OLD_GENERATION;
    for (unsigned i = 0; i < q->n_parts; i++) {
        bool fits = packets + packets_of(&q->parts[i]) <= GRANT_MAX;
        v = fits ? spend_part(c, i, out) : TRK_V_TOO_MANY;
        if (v != TRK_V_ANSWERED)
            continue;
        any = true;
        packets += packets_of(&q->parts[i]);
        if (high_of(&q->parts[i]) > high)
            high = high_of(&q->parts[i]);
        if (c->filter && q->parts[i].kind == TRK_OPENING)
            model_raise(c, q->generation, high);
    }
    if (any && c->filter)
        model_raise(c, q->generation, high);
    return any ? TRK_V_ANSWERED : v;
}

/* ---- restarts ---- */

enum why { TIMED_OUT, RESUMES, UNATTESTED, REFRESHES };
struct restart { uint64_t loss, last, window, half, start; struct trk_piece piece; };

static struct restart restart_of(const struct trk_part *p, uint64_t k, uint64_t cut_f, enum why why, bool aged)
{
    struct restart r = { .loss = first_missing(p, k) };

    if (!r.loss && cut_f > k)
        r.loss = k + 1;
    uint64_t known = r.loss ? r.loss - 1 : k, start = 2, ssthresh;
    r.window = window_at(p->piece, p->kind == TRK_OPENING ? p->piece.base : known);
    r.half = half_of(r.window);
    r.last = known + r.window + (r.loss ? r.half : 0);
    ssthresh = r.half;
    if (why == RESUMES && r.loss)
        start = r.half;
    if (why == RESUMES && !r.loss) {
        start = cut_f ? p->piece.start : r.window;
        start = aged && start > TRK_IW ? TRK_IW : start;
        ssthresh = p->piece.ssthresh;
    }
    if (why == UNATTESTED)
        start = r.half - r.half / 4 < TRK_IW ? r.half - r.half / 4 : TRK_IW;
    if (why == REFRESHES)
        start = r.half < TRK_IW ? r.half : TRK_IW;
    start = start > GRANT_MAX ? GRANT_MAX : start;
    r.start = start;
    r.piece = (struct trk_piece){ r.last, (uint32_t)start, (uint32_t)(ssthresh < 2 ? 2 : ssthresh) };
    return r;
}

/* Not from the newest window: more was granted since than this window can have held, or a later generation was honoured. */
static void judge_staleness(const struct model_case *c, bool own, struct restart *r)
{
    const struct model_word *w = c->filter ? model_word(c) : NULL;

    if (!w || !w->used)
        return;
    if (!model_above(w->generation, c->request->generation) && !(own && w->generation == c->request->generation && w->high > r->last))
        return;
    r->start = r->start < 2 ? r->start : 2;
    r->piece.start = (uint32_t)r->start;
    r->piece.ssthresh = r->piece.ssthresh < TRK_IW ? r->piece.ssthresh : TRK_IW;
}

static int64_t age_ms(const struct model_case *c, uint32_t tick) { return ((int64_t)(int32_t)((uint32_t)(c->now_ms / TICK_MS) - tick) + 1) * TICK_MS; }

static const struct trk_grant_ref *grant_of(const struct trk_part *p, uint64_t n)
{
    for (unsigned i = 0; i < p->n_grants; i++)
        if (p->grants[i].a <= n && n <= p->grants[i].f)
            return &p->grants[i];
    return NULL;
}

static bool too_old(const struct model_case *c)
{
    for (unsigned i = 0; i < c->request->n_parts; i++)
        for (unsigned j = 0; j < c->request->parts[i].n_grants; j++) {
            int64_t age = age_ms(c, c->request->parts[i].grants[j].tick);
            if (age > HORIZON_MS || TICK_MS - age > SKEW_MS)
                return true;
        }
    return c->retiring;
}

static uint64_t cut_of(const struct trk_grant_ref *g) { return g && g->f < g->b ? g->f : 0; }

static enum trk_verdict judge_restart(const struct model_case *c, struct model_answer *out)
{
    const struct trk_request *q = c->request;
    const struct trk_part *p = &q->parts[0];
    const struct trk_grant_ref *star = grant_of(p, p->k);
    const struct model_word *w = c->filter ? model_word(c) : NULL;
    int64_t age = star ? age_ms(c, star->tick) : 0;
    uint64_t cut_f = cut_of(star);
    uint32_t to = q->generation + q->attempt;

    if (q->attempt > TRK_ATTEMPTS_MAX)
        return TRK_V_ATTEMPTS;
    if (q->attempt >= 2 && age < (int64_t)50 << (q->attempt - 2))
        return TRK_V_TOO_EARLY;
    if (w && w->used && !model_above(to, w->generation))
        return TRK_V_OLD_GENERATION;
    bool own = q->domain == c->domain;
    bool believed = c->filter ? own && w->used && w->generation == q->generation && (cut_f || w->high <= p->k) : cut_f && own;
    enum why why = q->restart_kind == TRK_RESTART_TIMEOUT ? TIMED_OUT : believed ? RESUMES : UNATTESTED;
    struct restart r = restart_of(p, p->k, cut_f, why, age > 1000);
    if (r.loss && p->k > r.loss - 1 + r.window)
        return TRK_V_BEYOND_RECOVERY;
    if (c->filter && own && r.loss && model_fate(c, r.loss) == MODEL_SPENT)
        return TRK_V_LOSS_SPENT;
    judge_staleness(c, own, &r);
    for (uint64_t n = r.last + 1; n <= r.last + r.start; n++)
        grant(out, 0, n, r.piece);
    out->generation = to;
    if (c->filter)
        model_raise(c, to, r.last + r.start);
    return TRK_V_ANSWERED;
}

/* Too old to be honoured: one opening, the same however often it is asked for. */
static enum trk_verdict judge_refresh(const struct model_case *c, struct model_answer *out)
{
    const struct trk_request *q = c->request;
    unsigned part = q->n_parts - 1u;
    const struct trk_part *p = &q->parts[part];
    uint64_t k = p->k + p->m - 1;
    struct restart r = restart_of(p, k, cut_of(grant_of(p, k)), REFRESHES, false);

    out->generation = q->generation + TRK_REFRESH_STEP;
    if (c->filter && model_word(c)->used && !model_above(out->generation, model_word(c)->generation))
        return TRK_V_OLD_GENERATION;
    if (r.loss && k > r.loss - 1 + r.window)
        return TRK_V_BEYOND_RECOVERY;
    judge_staleness(c, q->domain == c->domain, &r);
    grant(out, part, r.last + 1, r.piece);
    return TRK_V_REFRESHED;
}

void model_judge(const struct model_case *c, struct model_answer *out)
{
    const struct trk_request *q = c->request;

    out->n = 0;
    out->generation = q->generation;
    memset(out->terminal, 0, sizeof out->terminal);
    if (too_old(c)) {
        out->verdict = judge_refresh(c, out);
        return;
    }
    if (q->form == TRK_FORM_RESTART) {
        out->verdict = judge_restart(c, out);
        return;
    }
    for (unsigned i = 0; i < q->n_parts; i++)
        for (unsigned j = 0; j < q->parts[i].n_grants; j++)
            if (cut_of(&q->parts[i].grants[j])) {
                out->verdict = TRK_V_CUT_SPENT;
                return;
            }
    out->verdict = q->domain != c->domain ? TRK_V_WRONG_DOMAIN : judge_numbers(c, out);
}
