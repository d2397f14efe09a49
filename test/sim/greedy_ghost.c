#include "greedy.h"

#include <string.h>

#include "client/internal.h"
#include "stream.h"

#define GAP_US      5000               /* a number that others overtook by so much is lost */
#define SILENCE_US  250000             /* then it restarts */
#define SLEEPS_US   3000000ull         /* after it has grown a window */
#define WAKES_US    (GHOST_WAKES_S * 1000000ull)
#define RUN_CLAIMED 8

void ghost_init(struct ghost *g, enum ghost_story story)
{
    memset(g, 0, sizeof *g);
    g->story = story;
    g->n_sides = story == GHOST_FORKS ? 2 : 1;
    for (unsigned i = 0; i < GHOST_SIDES; i++)
        g->sides[i].host = i;
}

struct ghost_number *ghost_at(struct ghost_side *s, uint64_t n)
{
    struct ghost_number *e = &s->at[n % GHOST_NUMBERS];

    if (e->n != n)
        *e = (struct ghost_number){ .n = n };
    return e;
}

/* ---------------- what it says ---------------- */

/* A number that was granted twice may have come in another piece, whose nonces prove nothing in this one. */
static bool arrived_in(const struct ghost *g, const struct ghost_number *e, uint64_t base, bool lies)
{
    return e->state == 1 && (e->piece.base == base || (lies && g->story == GHOST_REPAIRS && e->n % 2) || g->story == GHOST_INVENTS);
}

static bool says_received(struct arena *a, const struct ghost *g, struct ghost_side *s, uint64_t n, uint64_t k)
{
    if (n == k)
        return true;
    if (!arrived_in(g, ghost_at(s, n), ghost_at(s, k)->piece.base, true))
        return false;
    switch (g->story) {
    case GHOST_ALL_LOST:
        return false;
    case GHOST_RANDOM:
        return !sim_random_chance(&a->random, .1);
    case GHOST_TWO_STORIES:
        return k % 2 == 0 || n + RUN_CLAIMED < k;
    default:
        return true;
    }
}

/* The report on (base, k], its nonces added up. False if it is too long. but: a number not to be mentioned, 0: none. */
static bool report(struct arena *a, struct ghost *g, struct ghost_side *s, uint64_t k, bool lies, uint64_t but, struct trk_part *part)
{
    for (uint64_t n = part->piece.base + 1; n <= k; n++) {
        if (n == but || !(lies ? says_received(a, g, s, n, k) : n == k || arrived_in(g, ghost_at(s, n), part->piece.base, false)))
            continue;
        struct trk_range *last = part->n_ranges ? &part->ranges[part->n_ranges - 1] : NULL;
        if (last && last->right == n - 1)
            last->right = n;
        else if (part->n_ranges < TRK_RANGES_MAX)
            part->ranges[part->n_ranges++] = (struct trk_range){ n, n };
        else
            return false;
        part->xor_nonces ^= ghost_at(s, n)->nonce;
    }
    return true;
}

/* r: attempt of a restart, 0 to spend k. It asks for as much as any answer may carry. */
void ghost_say(struct arena *a, struct player *p, struct ghost_side *s, unsigned host, uint64_t k, unsigned r, bool lies, uint64_t but)
{
    static struct trk_request q;
    static uint8_t message[TRK_SLOT_MAX], packet[TRK_SLOT_MAX + TRK_HEADER_MAX];
    struct ghost *g = p->own;
    const struct trk_client *c = p->engine;
    const struct ghost_number *e = ghost_at(s, k);
    struct trk_part *part = &q.parts[0];

    memset(&q, 0, offsetof(struct trk_request, parts));
    memset(part, 0, offsetof(struct trk_part, ranges));
    q.form = r ? TRK_FORM_RESTART : TRK_FORM_REQUEST;
    q.want_long = true;
    q.id = c->id;
    q.domain = s->domain;
    q.generation = s->generation;
    q.address_tag = c->address_tag;
    q.epoch = c->epoch;
    q.slot = c->slot;
    q.fill = c->fill;
    q.restart_kind = r ? TRK_RESTART_TIMEOUT : 0;
    q.attempt = (uint8_t)r;
    q.n_parts = q.n_conts = 1;
    q.has_input = false;
    q.input_cont = 0xff;
    q.input_offset = 0;
    q.input_bytes = 0;
    if (trk_ucont_parse(c->conts[0].sealed, c->conts[0].bytes, &q.conts[0]) != TRK_V_ACCEPTED)
        return;
    part->kind = e->kind;
    part->k = k;
    part->m = 1;
    part->piece = e->piece;
    part->n_grants = 1;
    part->grants[0] = e->grant;
    uint32_t bytes = (r ? 64 : TRK_SINGLE_MAX) * (uint32_t)q.fill;
    part->n_asks = 1;
    part->asks[0] = (struct trk_ask){ 0, g->offset, bytes };
    g->offset += bytes;
    if (!report(a, g, s, k, lies, but, part))
        return;
    size_t n = trk_request_emit(&q, message, sizeof message);
    if (!n)
        return;
    struct trk_segment seg = { .flow = c->config.flow, .seq = g->seq, .ack = c->ack, .flags = TRK_ACK, .marked = true, .payload_bytes = (uint32_t)n };
    size_t head = trk_segment_emit(&seg, packet, sizeof packet);
    memcpy(packet + head, message, n);
    g->seq += (uint32_t)n;
    g->requests++;
    arena_send(a, p, host, packet, (uint32_t)(head + n));
}

static void spend(struct arena *a, struct player *p, struct ghost_side *s, uint64_t k)
{
    struct ghost *g = p->own;

    if (g->story == GHOST_RESTARTS)
        for (unsigned r = 1; r <= 3; r++)
            ghost_say(a, p, s, s->host, k, r, false, 0);
    if (g->story == GHOST_SPENT_LOST && k > ghost_at(s, k)->piece.base + 1)
        ghost_say(a, p, s, s->host, k, 0, false, k - 1);
    ghost_say(a, p, s, s->host, k, 0, true, 0);
    for (unsigned host = 1; g->story == GHOST_HOSTS && host < a->config.n_hosts; host++)
        ghost_say(a, p, s, host, k, 0, true, 0);
}

/* ---------------- what it hears ---------------- */

/* In order: those that arrived are spent; a gap is called lost after a while. */
static void go_on(struct arena *a, struct player *p, struct ghost_side *s)
{
    const struct ghost *g = p->own;

    while (s->next <= s->top) {
        struct ghost_number *e = ghost_at(s, s->next);
        if (e->state == 1) {
            s->star = s->next++;
            s->gap_us = 0;
            if (g->story == GHOST_REPAIRS)
                ghost_hold_back(a, p, s);
            else
                spend(a, p, s, s->star);
            continue;
        }
        if (g->story == GHOST_REPAIRS && ghost_repair(a, p, s))
            return;
        if (!s->gap_us)
            s->gap_us = a->now_us;
        if (a->now_us < s->gap_us + GAP_US) {
            arena_wake(a, p, s->gap_us + GAP_US);
            return;
        }
        e->state = g->story == GHOST_INVENTS ? 1 : 2;
        e->nonce = s->next;            /* a guess */
        s->next++;
        s->gap_us = 0;
    }
}

static struct ghost_side *side_of(struct ghost *g, const struct trk_answer *m)
{
    for (unsigned i = 0; i < g->n_sides; i++)
        if (g->sides[i].domain == m->grant.domain)
            return &g->sides[i];
    return NULL;
}

static void enter(struct ghost_side *s, const struct trk_answer *m)
{
    s->generation = m->grant.generation;
    s->next = m->grant.piece.base + 1;
    s->top = m->grant.piece.base;
    s->star = m->n;                    /* the best known so far, to restart from */
    s->gap_us = 0;
    s->attempt = 0;
    s->unspent = s->next;
    s->repairing = 0;
    for (unsigned i = 0; i < GHOST_NUMBERS; i++)
        s->at[i].state = 0;
}

/* The side whose number this is, if it is news. */
static struct ghost_side *hear(struct arena *a, struct ghost *g, const struct trk_answer *m)
{
    struct ghost_side *s = side_of(g, m);

    if (!s || (int32_t)(m->grant.generation - s->generation) < 0)
        return NULL;
    if (m->grant.generation != s->generation)
        enter(s, m);
    struct ghost_number *e = ghost_at(s, m->n);
    if (e->state)
        return NULL;                   /* it was called lost, or is there already */
    *e = (struct ghost_number){ .n = m->n, .arrived_us = a->now_us, .state = 1, .kind = m->grant.kind, .piece = m->grant.piece, .nonce = m->nonce,
                                .grant = { .a = m->grant.a, .b = m->grant.b, .f = m->grant.f, .tick = m->grant.tick } };
    memcpy(e->grant.seal, m->seal, TRK_SEAL_BYTES);
    if (m->n > s->top)
        s->top = m->n;
    s->progress_us = a->now_us;
    return s;
}

static void arrived(struct arena *a, struct player *p, const struct trk_segment *seg)
{
    struct ghost *g = p->own;
    struct trk_answer m;
    struct ghost_side *first = &g->sides[0];

    if (trk_answer_parse(seg->payload, seg->payload_bytes, &m) != TRK_V_ACCEPTED || m.form != TRK_FORM_LONG)
        return;
    if (!first->domain) {
        first->domain = m.grant.domain;
        first->next = m.grant.piece.base + 1;
        g->sides[1].domain = a->config.domain[1];
    }
    struct ghost_side *news = hear(a, g, &m);
    if (news && g->slept) {            /* several openings, several pieces: there is no order between them */
        if (m.n > news->star)
            news->star = m.n;
        ghost_say(a, p, news, news->host, m.n, 0, true, 0);
        if (m.grant.kind == TRK_OPENING)
            ghost_at(news, m.n)->state = 0;  /* the generation that one of them founds will have a number of that name */
    }
}

/* The engine has opened the connection and knows the output: from here on it is not asked. */
static void take_over(struct arena *a, struct player *p)
{
    struct ghost *g = p->own;
    struct ghost_side *s = &g->sides[0];

    p->engine->want_long = true;
    if (p->engine->state != TRK_CLIENT_OPEN || !p->engine->n_conts || s->top <= s->next)
        return;
    p->detached = true;
    g->seq = p->engine->seq;
    s->next = p->engine->last + 1 > s->next ? p->engine->last + 1 : s->next;
    s->star = s->top;
    s->unspent = s->next;
    s->progress_us = a->now_us;
    if (g->story != GHOST_FORKS)
        return;
    for (unsigned i = 1; i < GHOST_SIDES; i++) {     /* the same window restarts at the other host, too */
        struct ghost_side *other = &g->sides[i];
        unsigned host = other->host;
        uint32_t domain = other->domain;
        *other = *s;
        other->host = host;
        ghost_say(a, p, other, host, s->star, 1, true, 0);
        other->domain = domain;
        other->progress_us = a->now_us;
    }
}

/* Everything that arrived so far is too old now: each number is answered by an opening of its own. */
static void wake_up(struct arena *a, struct player *p, struct ghost_side *s)
{
    const struct ghost *g = p->own;

    for (uint64_t n = g->story == GHOST_REFRESHES ? s->next : s->top; n <= s->top; n++)
        if (ghost_at(s, n)->state == 1)
            ghost_say(a, p, s, s->host, n, 0, true, 0);
    s->progress_us = a->now_us;
}

static void runs(struct arena *a, struct player *p)
{
    struct ghost *g = p->own;

    if (!p->detached) {
        take_over(a, p);
        if (!p->detached)
            return;
    }
    if ((g->story == GHOST_REFRESHES || g->story == GHOST_SLEEPS) && !g->slept && a->now_us >= SLEEPS_US) {
        if (a->now_us < WAKES_US) {
            arena_wake(a, p, WAKES_US);
            return;
        }
        wake_up(a, p, &g->sides[0]);
        g->slept = true;
    }
    for (unsigned i = 0; i < g->n_sides; i++) {
        struct ghost_side *s = &g->sides[i];
        if (!g->slept)
            go_on(a, p, s);
        if (a->now_us > s->progress_us + SILENCE_US && s->star) {
            s->attempt = s->attempt < TRK_ATTEMPTS_MAX ? s->attempt + 1 : TRK_ATTEMPTS_MAX;
            ghost_say(a, p, s, s->host, s->star, s->attempt, false, 0);
            s->progress_us = a->now_us;
        }
        arena_wake(a, p, s->progress_us + SILENCE_US + 1);
    }
}

const struct player_hooks ghost_hooks = { .arrived = arrived, .runs = runs };
