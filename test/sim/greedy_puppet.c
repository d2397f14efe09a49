#include "greedy.h"

#include <string.h>

#include "client/internal.h"

#define CUT_EVERY_US   500000
#define WORTH_HIDING   6               /* below this window a trick costs more than the loss */
#define PUMP_TO        60
#define PUMP_AGAIN     20

void puppet_init(struct puppet *p, enum puppet_trick trick)
{
    memset(p, 0, offsetof(struct puppet, log));
    p->trick = trick;
}

static uint64_t cwnd_at_star(struct trk_client *c)
{
    struct trk_number *e = trk_number_at(c, c->star);
    return e ? trk_cwnd(&c->pieces[e->piece].piece, c->star) : 0;
}

/* Nothing lost so far in the piece of k*: a report from there hides everything. */
static bool clean(struct trk_client *c)
{
    struct trk_number *e = trk_number_at(c, c->star);
    return e && c->last <= c->star &&  /* else k* is of the generation before */
           e->state == TRK_N_RECEIVED && c->pieces[e->piece].kind == TRK_NORMAL && c->pieces[e->piece].sum_known &&
           (!c->n_lost || c->lost[c->n_lost - 1].right <= c->pieces[e->piece].piece.base);
}

/* The engine is about to call a number lost. */
static bool loss_due(struct trk_client *c, uint64_t now_us)
{
    if (c->state != TRK_CLIENT_OPEN || c->attempt || !c->n_held || c->next > c->end)
        return false;
    struct trk_number *e = trk_number_at(c, c->next);
    uint64_t since = UINT64_MAX;
    if (e && e->state == TRK_N_HELD)
        return false;
    for (uint64_t n = c->next + 1; n <= c->max_held; n++) {
        e = trk_number_at(c, n);
        if (e && e->state == TRK_N_HELD && e->arrived_us < since)
            since = e->arrived_us;
    }
    return since != UINT64_MAX && now_us >= since + c->srtt_us / 4;
}

static void hide(struct arena *a, struct player *p, enum trk_restart_kind kind)
{
    struct puppet *u = p->own;

    if (!loss_due(p->engine, a->now_us) || !clean(p->engine) || cwnd_at_star(p->engine) < WORTH_HIDING)
        return;
    if (u->trick == PUPPET_HIDES_BY_DOMAIN)
        p->host ^= 1;
    u->tricks++;
    trk_restart_send(p->engine, kind, a->now_us);
}

/* ---------------- windows to return to ---------------- */

static void take_shot(struct trk_client *c, struct shot *s)
{
    struct trk_number *e = trk_number_at(c, c->star);

    *s = (struct shot){ .taken = true, .generation = c->generation, .cwnd = cwnd_at_star(c), .cut_f = c->cut_f, .number = *e,
                        .piece = c->pieces[e->piece], .domain = c->domain, .address_tag = c->address_tag };
}

/* Restarts from there, as attempt r. What was received since, and all that was lost, is not mentioned. */
static void return_to(struct trk_client *c, const struct shot *s, unsigned r, enum trk_restart_kind kind, uint64_t now_us)
{
    trk_flush(c);
    trk_void_from(c, c->next);         /* what is put into the ring below may be in its place */
    c->generation = s->generation;
    c->domain = s->domain;
    c->address_tag = s->address_tag;
    c->n_lost = 0;
    c->cut_f = s->cut_f;
    c->attempt = (uint8_t)(r - 1);
    c->star = s->number.n;
    c->ring[c->star & c->ring_mask] = s->number;
    c->pieces[s->number.piece] = s->piece;
    c->star_number = s->number;
    c->star_piece = s->piece;
    trk_restart_send(c, kind, now_us);
}

/* The attempt that gets from s beyond the present generation; 0: none does (any more, or yet). 12 where a refresh answers. */
static unsigned attempt_from(const struct trk_client *c, const struct shot *s, uint64_t now_us)
{
    uint32_t beyond = c->generation + c->attempt - s->generation + 1;
    uint64_t age_ms = (now_us - s->number.arrived_us) / 1000;

    if (age_ms > TRK_HORIZON_MS + 100)
        return beyond <= TRK_REFRESH_STEP ? TRK_ATTEMPTS_MAX : 0;
    if (age_ms > TRK_HORIZON_MS - 100 || beyond > TRK_ATTEMPTS_MAX || (int64_t)age_ms < trk_attempt_age_ms(beyond))
        return 0;
    return beyond;
}

static void keep_windows(struct arena *a, struct player *p)
{
    struct puppet *u = p->own;
    struct trk_client *c = p->engine;
    struct shot *best = NULL;

    if (c->state != TRK_CLIENT_OPEN || c->attempt)
        return;
    struct shot *mine = &u->shots[c->generation % PUPPET_SHOTS];
    if (clean(c) && !c->cut_f && (!mine->taken || mine->generation != c->generation || cwnd_at_star(c) > mine->cwnd))
        take_shot(c, mine);
    if (!loss_due(c, a->now_us))
        return;
    for (unsigned i = 0; i < PUPPET_SHOTS; i++)
        if (u->shots[i].taken && (!best || u->shots[i].cwnd > best->cwnd) && attempt_from(c, &u->shots[i], a->now_us))
            best = &u->shots[i];
    if (!best || best->cwnd < cwnd_at_star(c) + 8)
        return;
    u->tricks++;
    if (u->trick == PUPPET_OLD_WINDOWS_BY_DOMAIN)
        p->host ^= 1;
    return_to(c, best, attempt_from(c, best, a->now_us), TRK_RESTART_RESUME, a->now_us);
}

/* ---------------- answers cut on purpose ---------------- */

enum { CUT_IDLE, CUT_DRAINS, CUT_ASKED };

static void end_draining(struct puppet *u, struct trk_client *c)
{
    if (u->phase == CUT_DRAINS)
        c->output_end = u->output_end;
}

static void cut_answers(struct arena *a, struct player *p)
{
    struct puppet *u = p->own;
    struct trk_client *c = p->engine;

    if (c->state != TRK_CLIENT_OPEN)
        return;
    if (loss_due(c, a->now_us)) {
        end_draining(u, c);
        u->phase = CUT_IDLE;
        u->phase_us = a->now_us;
        unsigned r = u->cut.taken ? attempt_from(c, &u->cut, a->now_us) : 0;
        if (u->trick == PUPPET_CUTS_BY_DOMAIN)
            p->host ^= r != 0;
        if (r) {
            u->tricks++;
            return_to(c, &u->cut, r, TRK_RESTART_RESUME, a->now_us);
        } else {
            u->cut.taken = false;
        }
        return;
    }
    bool quiet = !c->attempt && !c->n_expected && !c->n_held && c->next > c->end;
    if (u->phase == CUT_IDLE && a->now_us > u->phase_us + CUT_EVERY_US && !c->attempt && !c->cut_f && cwnd_at_star(c) >= 12 && c->n_conts) {
        u->phase = CUT_DRAINS;         /* nothing more is wanted until all that was granted is here */
        u->output_end = c->output_end;
        c->output_end = c->ask_next;
    } else if (u->phase == CUT_DRAINS && quiet) {
        end_draining(u, c);
        u->phase = CUT_ASKED;
        trk_restart_send(c, TRK_RESTART_RESUME, a->now_us);
    } else if (u->phase == CUT_DRAINS && c->attempt) {
        end_draining(u, c);            /* its timer was faster */
        u->phase = CUT_IDLE;
        u->phase_us = a->now_us;
    } else if (u->phase == CUT_ASKED && c->cut_f && c->attempt == 1) {     /* the engine has just resumed from it */
        u->cut = (struct shot){ .taken = true, .generation = c->generation, .cwnd = c->star_piece.piece.start, .cut_f = c->cut_f,
                                .number = c->star_number, .piece = c->star_piece, .domain = c->domain, .address_tag = c->address_tag };
        u->phase = CUT_IDLE;
        u->phase_us = a->now_us;
    }
}

/* ---------------- what leaves ---------------- */

/* The same request with other asks. Its end stays where the engine expects its answer to point. */
static void send_changed(struct arena *a, struct player *p, const struct trk_segment *seg, const struct trk_request *r)
{
    static uint8_t message[TRK_SLOT_MAX], packet[TRK_SLOT_MAX + TRK_HEADER_MAX];
    struct trk_segment out = *seg;
    size_t n = trk_request_emit(r, message, sizeof message);

    out.payload_bytes = (uint32_t)n;
    out.seq = seg->seq + seg->payload_bytes - (uint32_t)n;
    size_t head = trk_segment_emit(&out, packet, sizeof packet);
    memcpy(packet + head, message, n);
    arena_send(a, p, p->host, packet, (uint32_t)(head + n));
}

/* One packet less than the answer to a resume has room for. */
static bool ask_less(struct trk_request *r)
{
    struct trk_part *part = &r->parts[0];
    uint32_t room = r->fill - TRK_LONG_BYTES;

    if (r->form != TRK_FORM_RESTART || !part->n_asks || part->asks[part->n_asks - 1].bytes <= room)
        return false;
    part->asks[part->n_asks - 1].bytes -= room;
    return true;
}

static bool ask_nothing(struct trk_request *r)
{
    if (r->form != TRK_FORM_REQUEST || r->has_input)
        return false;
    for (unsigned i = 0; i < r->n_parts; i++) {
        if (r->parts[i].kind == TRK_OPENING)
            return false;
        r->parts[i].n_asks = 0;
        r->parts[i].terminal_ask = false;
    }
    return true;
}

static bool pumping(struct puppet *u, struct trk_client *c)
{
    uint64_t cwnd = cwnd_at_star(c);

    if (c->n_lost || cwnd >= PUMP_TO)
        u->pumped = true;
    if (u->trick == PUPPET_PUMPS_ALWAYS && cwnd < PUMP_AGAIN)
        u->pumped = false;
    return !u->pumped;
}

static bool sends(struct arena *a, struct player *p, uint8_t *packet, uint32_t bytes)
{
    static struct trk_request r;
    struct puppet *u = p->own;
    struct trk_segment seg;

    if (trk_segment_parse(packet, bytes, &seg) != TRK_V_ACCEPTED || trk_request_parse(seg.payload, seg.payload_bytes, &r) != TRK_V_ACCEPTED)
        return true;
    switch (u->trick) {
    case PUPPET_TWICE:
        u->tricks++;
        arena_send(a, p, p->host, packet, bytes);
        return true;
    case PUPPET_REPLAYS:
        if (bytes <= ARENA_MTU) {
            memcpy(u->log[u->logged % PUPPET_LOG].packet, packet, bytes);
            u->log[u->logged++ % PUPPET_LOG].bytes = bytes;
        }
        return true;
    case PUPPET_CUTS: case PUPPET_CUTS_BY_DOMAIN:
        if (u->phase != CUT_ASKED || p->engine->attempt != 1 || p->engine->cut_f || !ask_less(&r))
            return true;
        break;
    case PUPPET_PUMPS: case PUPPET_PUMPS_ALWAYS:
        if (!pumping(u, p->engine) || !ask_nothing(&r))
            return true;
        u->tricks++;
        break;
    default:
        return true;
    }
    send_changed(a, p, &seg, &r);
    return false;
}

static void runs(struct arena *a, struct player *p)
{
    switch (((struct puppet *)p->own)->trick) {
    case PUPPET_HIDES_BY_RESUME: case PUPPET_HIDES_BY_DOMAIN:
        hide(a, p, TRK_RESTART_RESUME);
        break;
    case PUPPET_HIDES_BY_TIMEOUT:
        hide(a, p, TRK_RESTART_TIMEOUT);
        break;
    case PUPPET_CUTS: case PUPPET_CUTS_BY_DOMAIN:
        cut_answers(a, p);
        break;
    case PUPPET_OLD_WINDOWS: case PUPPET_OLD_WINDOWS_BY_DOMAIN: case PUPPET_REPLAYS:
        keep_windows(a, p);
        break;
    default:
        break;
    }
}

/* The filter has forgotten everything: all requests again, and a restart from every window there was. */
static void wiped(struct arena *a, struct player *p)
{
    struct puppet *u = p->own;
    unsigned n = u->logged < PUPPET_LOG ? u->logged : PUPPET_LOG;

    if (u->trick != PUPPET_REPLAYS)
        return;
    for (unsigned i = 0; i < n; i++)
        arena_send(a, p, p->host, u->log[i].packet, u->log[i].bytes);
    u->tricks++;
}

const struct player_hooks puppet_hooks = { .sends = sends, .runs = runs, .wiped = wiped };
