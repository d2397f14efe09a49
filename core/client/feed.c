/* feed.c - one received segment: which message it is, and whom it concerns. */
#include "client/internal.h"

/* SYNs of two lengths may be on their way. */
static bool acknowledges_syn(const struct trk_client *c, uint32_t ack)
{
    uint32_t payload = ack - c->config.iss - 1;
    return payload == c->syn_bytes || payload == c->syn_most;
}

static enum trk_verdict plain_tcp(struct trk_client *c, const struct trk_segment *seg)
{
    bool answers_syn = c->state == TRK_CLIENT_OPENING && (seg->flags & TRK_ACK) && seg->ack - c->config.iss - 1 <= c->syn_most;
    if (seg->flags & TRK_RST) {
        if (!answers_syn)
            return TRK_V_RST_HINT;
        c->state = TRK_CLIENT_REFUSED;
        return TRK_V_REFUSED;
    }
    if (!answers_syn || !(seg->flags & TRK_SYN))
        return TRK_V_UNMARKED;
    c->state = TRK_CLIENT_TCP_ONLY;
    return TRK_V_TCP_ONLY;
}

static enum trk_verdict opened(struct trk_client *c, const struct trk_segment *seg, uint64_t now_us)
{
    struct trk_answer m;
    enum trk_verdict v = trk_answer_parse(seg->payload, seg->payload_bytes, &m);
    if (v != TRK_V_ACCEPTED)
        return v;
    if (m.form != TRK_FORM_OPENED || m.n != 1 || m.grant.kind != TRK_OPENING || m.grant.slot > c->config.mss ||
        m.grant.piece.base != 0 || m.grant.piece.start > TRK_IW_ACKED)
        return TRK_V_BAD_FIELD;
    if (!acknowledges_syn(c, seg->ack))
        return TRK_V_FOREIGN;
    c->id = m.grant.id;
    c->slot = c->fill = m.grant.slot;
    c->isn = seg->seq + 1 - c->slot;
    c->ack = seg->seq + 1 + seg->payload_bytes;
    c->seq = c->config.iss + 1 + c->syn_most;
    trk_settle(c, &m.grant);
    trk_opening_take(c, &m, now_us);
    c->state = TRK_CLIENT_OPEN;
    if (c->syns == 1)
        trk_rtt_sample(c, now_us - c->syn_started_us);
    else if (!c->srtt_us)                            /* which SYN was answered is not known (Karn) */
        trk_rtt_sample(c, now_us - c->progress_us);
    c->no_filter = m.flags & TRK_F_NO_FILTER;
    c->progress_us = now_us;
    struct trk_input_sent syn = { .end = seg->ack };
    const struct trk_origin origin = { true, &syn };
    c->input_state = TRK_IN_IDLE;
    if (m.flags & (TRK_F_MORE | TRK_F_DONE)) {       /* DONE without input: the server speaks first */
        c->input_state = TRK_IN_OUTSTANDING;
        trk_input_answer(c, &m, &origin);
        trk_input_lost(c);
    }
    if (m.data_bytes && m.flags & TRK_F_DONE)
        trk_take_data(c, m.offset, m.data, m.data_bytes, &origin);
    return TRK_V_ACCEPTED;
}

/* No id is known yet: what proves that the server speaks is the end of our SYN, which nobody else can name. The same SYN again
 * would not find more room; whatever else was wrong with it may be better next time. */
static enum trk_verdict syn_refused(struct trk_client *c, const struct trk_segment *seg, enum trk_verdict v)
{
    if (!c->syns || !acknowledges_syn(c, seg->ack))
        return seg->flags & TRK_RST ? TRK_V_RST_HINT : TRK_V_FOREIGN;
    if (!(seg->flags & TRK_RST) && v != TRK_V_NO_ROOM)
        return TRK_V_VERDICT_HEARD;
    c->state = TRK_CLIENT_REFUSED;                   /* the application did not want us; as good as a plain RST */
    return TRK_V_REFUSED;
}

static enum trk_verdict verdict(struct trk_client *c, const struct trk_segment *seg, uint64_t now_us)
{
    struct trk_verdict_msg m;
    enum trk_verdict v = trk_verdict_msg_parse(seg->payload, seg->payload_bytes, &m);
    if (v != TRK_V_ACCEPTED)
        return v;
    if (c->state == TRK_CLIENT_OPENING)
        return syn_refused(c, seg, trk_verdict_of_code(m.code));
    if (c->state != TRK_CLIENT_OPEN || m.id.h != c->id.h || m.id.t != c->id.t)
        return seg->flags & TRK_RST ? TRK_V_RST_HINT : TRK_V_FOREIGN;
    if (seg->flags & TRK_RST) {
        c->state = TRK_CLIENT_RESET;
        return TRK_V_RST_PROVEN;
    }
    if (m.generation != c->generation || c->attempt)
        return TRK_V_STALE;
    switch (trk_verdict_of_code(m.code)) {                                /* PROTOCOL.md 6 tabulates these */
    case TRK_V_NOT_ADJOINING: case TRK_V_BEYOND_RECOVERY: case TRK_V_CUT_SPENT: case TRK_V_TOO_MANY:
    case TRK_V_WRONG_DOMAIN: case TRK_V_OLD_GENERATION: case TRK_V_LOSS_SPENT:
        trk_restart_send(c, TRK_RESTART_TIMEOUT, now_us);
        break;
    default:                                         /* the timer goes on */
        break;
    }
    return TRK_V_VERDICT_HEARD;
}

static enum trk_verdict marked(struct trk_client *c, const struct trk_segment *seg, uint64_t now_us)
{
    uint8_t form;
    enum trk_verdict v = trk_form_of(seg->payload, seg->payload_bytes, &form);
    if (v != TRK_V_ACCEPTED)
        return seg->flags & TRK_RST ? TRK_V_RST_HINT : v;
    if (form == TRK_FORM_VERDICT)
        return verdict(c, seg, now_us);
    if (seg->flags & TRK_RST)
        return TRK_V_RST_HINT;
    if (c->state == TRK_CLIENT_OPENING)
        return seg->flags == (TRK_SYN | TRK_ACK) ? opened(c, seg, now_us) : TRK_V_FOREIGN;
    if (c->state != TRK_CLIENT_OPEN)
        return TRK_V_FOREIGN;
    if (seg->flags == (TRK_SYN | TRK_ACK))
        return TRK_V_DUPLICATE;
    if (seg->flags != TRK_ACK)
        return TRK_V_BAD_FLAGS;
    return trk_answer_feed(c, seg, now_us);
}

static enum trk_verdict take(struct trk_client *c, const struct trk_segment *seg, uint64_t now_us)
{
    enum trk_verdict v;
    if (!seg->marked)
        v = plain_tcp(c, seg);
    else
        v = marked(c, seg, now_us);
    c->stats.segments_received++;
    c->stats.verdicts[v]++;
    return v;
}

/* What the news allow, once for all that came together. */
static void follow(struct trk_client *c, uint64_t now_us)
{
    if (c->state == TRK_CLIENT_OPEN)
        trk_run(c, now_us);
}

static bool is_foreign(struct trk_client *c, const struct trk_segment *seg)
{
    if (trk_flow_equal(&seg->flow, &c->from_server))
        return false;
    c->stats.segments_received++;
    c->stats.verdicts[TRK_V_FOREIGN]++;
    return true;
}

enum trk_verdict trk_client_feed(struct trk_client *c, const struct trk_segment *seg, uint64_t now_us)
{
    if (is_foreign(c, seg))
        return TRK_V_FOREIGN;
    enum trk_verdict v = take(c, seg, now_us);
    follow(c, now_us);
    return v;
}

void trk_client_feed_slices(struct trk_client *c, const struct trk_segment *seg, uint32_t slice_bytes, uint64_t now_us)
{
    struct trk_segment slice = *seg;
    uint32_t left = seg->payload_bytes;
    if (is_foreign(c, seg))
        return;
    do {
        bool last = left <= slice_bytes;
        slice.payload_bytes = last ? left : slice_bytes;
        slice.flags = last ? seg->flags : seg->flags & (uint8_t)~(TRK_FIN | TRK_PSH);      /* the last one's */
        uint32_t done = slice.payload_bytes;
        if (take(c, &slice, now_us) == TRK_V_ACCEPTED && seg->flags == TRK_ACK)
            done += trk_train_feed(c, &slice, left);
        slice.seq += done;
        slice.payload += done;
        left -= done;
    } while (left);
    follow(c, now_us);
}
