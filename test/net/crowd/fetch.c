/* fetch.c - a connection of the crowd that fetches the file: a request, and one more for each window that the answer takes. */
#include "crowd.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What all requests have: they spend the numbers of one grant, all of which have come. */
static struct trk_request *prepare(const struct trk_grant *g, uint64_t sum, const uint8_t *seal)
{
    static struct trk_request r;
    struct trk_part *part = &r.parts[0];
    memset(&r, 0, sizeof r);
    r.form = TRK_FORM_REQUEST;
    r.want_long = true;                /* so nothing has to be predicted */
    r.id = g->id;
    r.domain = g->domain;
    r.generation = g->generation;
    r.address_tag = g->address_tag;
    r.epoch = g->epoch;
    r.slot = r.fill = g->slot;
    r.n_parts = 1;
    part->kind = g->kind;
    part->m = (uint16_t)(g->f - g->a + 1);
    part->k = g->a;
    part->piece = g->piece;
    part->xor_nonces = sum;
    part->n_ranges = part->n_grants = part->n_asks = 1;
    part->ranges[0] = (struct trk_range){ g->piece.base + 1, g->f };
    part->grants[0] = (struct trk_grant_ref){ .a = g->a, .b = g->b, .f = g->f, .tick = g->tick };
    memcpy(part->grants[0].seal, seal, TRK_SEAL_BYTES);
    return &r;
}

/* Spend an opening, and ask for the file. */
static void send_get(struct crowd *c, struct fetch *f, const struct trk_grant *g, uint64_t nonce, const uint8_t *seal)
{
    struct trk_request *r = prepare(g, nonce, seal);
    char text[256];
    r->reserve = 400;
    r->has_input = true;
    r->input_cont = 0xff;
    r->input = (uint8_t *)text;
    r->input_bytes = (uint32_t)snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: crowd\r\n\r\n", c->path);
    r->parts[0].asks[0] = (struct trk_ask){ TRK_ASK_INPUT, 0, 10u * (g->slot - TRK_LONG_BYTES) - r->reserve };
    crowd_send_request(c, f, r);
}

/* Spend a window, and ask for the rest. */
static void send_more(struct crowd *c, struct fetch *f)
{
    struct trk_request *r = prepare(&f->grant, f->sum, f->seal);
    r->n_conts = 1;
    if (trk_ucont_parse(f->cont, f->cont_bytes, &r->conts[0]) != TRK_V_ACCEPTED)
        crowd_fail("a continuation cannot be read", NULL);
    r->parts[0].asks[0] = (struct trk_ask){ 0, f->got, (uint32_t)(f->end - f->got) };
    crowd_send_request(c, f, r);
}

static struct fetch *fetch_of(struct crowd *c, uint32_t conn)
{
    for (size_t i = 0; i < ACTIVE; i++)
        if (c->fetches[i].busy && c->fetches[i].conn == conn)
            return &c->fetches[i];
    return NULL;
}

/* ---- fetching ---- */

void crowd_begin_fetch(struct crowd *c, struct fetch *f, uint32_t i)
{
    const struct conn *n = &c->conns[i];
    struct trk_grant g = {
        .kind = TRK_OPENING, .epoch = c->epoch, .domain = c->domain, .id = { n->h, c->t_of[i] }, .piece = c->piece, .a = 1, .b = 1, .f = 1,
        .slot = c->slot, .tick = n->tick, .address_tag = n->tag,
    };
    memset(f, 0, sizeof *f);
    f->busy = true;
    f->conn = i;
    f->seq = crowd_iss(i) + 1 + TRK_SYN_PAYLOAD;
    f->ack = trk_seq_of(trk_conn_isn(n->h), 1, c->slot) + TRK_OPENED_BYTES;
    send_get(c, f, &g, n->nonce, n->seal);
}

void crowd_end_fetch(struct crowd *c, struct fetch *f, bool exact)
{
    c->done++;
    c->exact += exact;
    c->failed += !exact;
    c->refreshes += f->refreshed;
    f->busy = false;
}

static bool is_exact(const struct crowd *c, const struct fetch *f)
{
    const uint8_t *body = f->end <= sizeof f->answer ? memmem(f->answer, f->end, "\r\n\r\n", 4) : NULL;
    return body && memcmp(f->answer, "HTTP/1.1 200 ", 13) == 0 && (size_t)(f->answer + f->end - (body + 4)) == c->file_bytes &&
           memcmp(body + 4, c->file, c->file_bytes) == 0;
}

/* One more number of the answer that it belongs to. */
static void note_number(struct crowd *c, struct fetch *f, const struct trk_answer *a)
{
    if (f->grant.a != a->grant.a || f->numbers == 0) {
        if (f->numbers == 0 || f->grant.piece.base != a->grant.piece.base)
            f->sum = 0;
        f->grant = a->grant;
        f->grant.id = (struct trk_conn_id){ c->conns[f->conn].h, c->t_of[f->conn] };
        f->numbers = 0;
        memcpy(f->seal, a->seal, sizeof f->seal);
    }
    f->numbers++;
    f->sum ^= a->nonce;
}

static void take(struct crowd *c, struct fetch *f, const struct trk_answer *a)
{
    if (a->flags & TRK_F_REFRESH) {
        f->refreshed = true;
        struct trk_grant g = a->grant;
        g.id = (struct trk_conn_id){ c->conns[f->conn].h, c->t_of[f->conn] };
        send_get(c, f, &g, a->nonce, a->seal);
        return;
    }
    note_number(c, f, a);
    if ((a->flags & TRK_F_DONE) && a->n_conts == 2) {
        f->end = a->conts[1].second;
        f->cont_bytes = a->conts[1].total_bytes;
        memcpy(f->cont, a->conts[1].bytes, f->cont_bytes);
    }
    if (a->offset + a->data_bytes > sizeof f->answer)
        return;
    memcpy(f->answer + a->offset, a->data, a->data_bytes);
    f->got += a->data_bytes;
    if (f->end && f->got >= f->end)
        crowd_end_fetch(c, f, is_exact(c, f));
    else if (f->numbers == f->grant.f - f->grant.a + 1)
        send_more(c, f);
}

void crowd_take_answer(struct crowd *c, uint32_t i, const struct trk_segment *seg, const struct trk_answer *a)
{
    struct fetch *f = fetch_of(c, i);
    if (!f)
        return;
    if ((int32_t)(seg->seq + seg->payload_bytes - f->ack) > 0)
        f->ack = seg->seq + seg->payload_bytes;
    take(c, f, a);
}
