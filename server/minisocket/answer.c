/* answer.c - a packet's way through the server, from top to bottom:
 * read it, check what it proves, admit it, plan what may be said, ask the application; send.c says it. */
#include <errno.h>
#include <string.h>
#include <time.h>
#include "server.h"

uint64_t msk_real_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* A marked segment with right checksums. A client's RST is for the routers on the way: it says nothing to us. */
static enum trk_verdict read_segment(struct minisock *m, const struct trk_link_packet *packet)
{
    enum trk_verdict v = trk_segment_parse(packet->ip, packet->bytes, &m->segment);
    if (v != TRK_V_ACCEPTED)
        return v;
    if (!packet->checksum_ok && !trk_segment_checksum_ok(packet->ip, packet->bytes))
        return TRK_V_BAD_CHECKSUM;
    return m->segment.flags & TRK_RST ? TRK_V_RST_HINT : TRK_V_ACCEPTED;
}

static bool is_ours(const struct minisock *m)
{
    return msk_is_ours(m->server, &m->segment.flow.dst, m->segment.flow.dport);
}

/* Count the packet's fate; a client that has proven that it is one is told. */
static bool refuse(struct minisock *m, enum trk_verdict v)
{
    msk_count(m->server, v);
    enum trk_tell tell = trk_tell_of(&m->spend, v);
    if (tell != TRK_TELL_NOTHING)
        msk_tell(m, v, tell == TRK_TELL_RESET);
    return false;
}

/* A packet that is not even a segment for us proves nothing. */
static bool ignore(struct minisock *m, enum trk_verdict v)
{
    msk_count(m->server, v);
    return false;
}

/* The bytes that a refresh needs are the protocol's alone. */
static bool refresh(struct minisock *m)
{
    struct msk_server *s = m->server;
    struct trk_packets answer = msk_outbox_begin(m);
    enum trk_verdict v = trk_respond(&m->spend, &m->decision, &m->plan, &m->result, &s->keys, &m->config, m->now_ms, &answer);
    msk_count(s, v);
    if (v == TRK_V_REFRESHED)
        msk_outbox_add(m, &answer);
    return false;
}

void msk_forget_said(struct minisock *m)
{
    m->result.fate = TRK_INPUT_NONE;
    m->result.opens_output = false;
    m->result.next_input = NULL;
    m->result.n_renewals = 0;
    m->result.has_range = false;
    memset(m->result.given, 0, m->plan.n_wants * sizeof m->result.given[0]);
}

/* True: the application is to answer this event. False: its fate is decided and counted. */
static bool judge(struct minisock *m, const struct trk_link_packet *packet)
{
    struct msk_server *s = m->server;
    enum trk_verdict v = read_segment(m, packet);
    if (v != TRK_V_ACCEPTED)
        return ignore(m, v);
    if (!is_ours(m)) {
        s->tally->counts[MSK_COUNT_NOT_LOCAL]++;
        return false;
    }
    v = trk_check(&m->segment, &s->keys, &m->config, m->now_ms, &m->spend);
    if (v != TRK_V_ACCEPTED)
        return refuse(m, v);
    m->plan.n_wants = 0;
    msk_forget_said(m);
    if (m->spend.type == TRK_SPEND_CLOSE)
        return true;
    trk_admit(s->filter, &m->spend, &m->config, m->now_ms, &m->decision);
    if (m->decision.verdict != TRK_V_ANSWERED && m->decision.verdict != TRK_V_REFRESHED)
        return refuse(m, m->decision.verdict);
    v = trk_plan(&m->spend, &m->decision, &m->config, &m->plan);
    if (v != TRK_V_ACCEPTED)
        return refuse(m, v);
    msk_forget_said(m);
    return m->plan.refresh ? refresh(m) : true;
}

bool msk_reread(struct minisock *m)
{
    if (trk_segment_parse(m->packet, m->packet_bytes, &m->segment) != TRK_V_ACCEPTED ||
        trk_check(&m->segment, &m->server->keys, &m->config, m->now_ms, &m->spend) != TRK_V_ACCEPTED)
        return false;
    m->plan.n_wants = 0;
    bool close = m->spend.type == TRK_SPEND_CLOSE;
    if (!close && (m->spend.must_refresh || m->decision.verdict != TRK_V_ANSWERED ||
                   trk_plan(&m->spend, &m->decision, &m->config, &m->plan) != TRK_V_ACCEPTED))
        return false;
    msk_forget_said(m);
    msk_event_fill(m);
    return true;
}

bool msk_receive_event(struct minisock *m)
{
    struct msk_server *s = m->server;
    const struct trk_link_packet *packet;
    while ((packet = msk_next_packet(s, &m->iface)) != NULL) {
        m->packet = packet->ip;
        m->packet_bytes = packet->bytes;
        m->from = packet->from;
        m->ifindex = m->iface->ifindex;
        m->config = m->iface->config;
        m->now_ms = msk_real_ms();
        if (judge(m, packet)) {
            msk_event_fill(m);
            return true;
        }
    }
    if (s->capture)
        trk_capture_flush(s->capture); /* whoever waits for packets sees all that there were */
    return false;
}

struct minisock *msk_next_event(struct msk_server *s)
{
    struct minisock *m = s->slots.first;
    if (s->current)
        msk_drop(s->current);
    if (m)
        msk_queue_take(m);
    else if ((m = msk_slot_take(s)) && !msk_receive_event(m)) {
        msk_slot_free(m);
        m = NULL;
    }
    s->current = m;
    if (m)
        m->state = MSK_CURRENT;
    return m;
}

int msk_process(struct msk_server *s, msk_handler handler, void *arg)
{
    int events = 0;
    struct minisock *m;
    if (!handler)
        return -EINVAL;
    while ((m = msk_next_event(s)) != NULL) {
        handler(m, &m->event, arg);
        if (s->current)
            msk_drop(s->current);      /* left unanswered */
        if (++events >= MSK_EVENTS_MAX && s->batch_i == s->batch_n && !s->slots.first)
            break;                     /* at a batch's end: what is left shows in the descriptor again */
    }
    msk_outbox_flush(s);
    return s->ending ? -ECANCELED : events;
}

bool msk_ending(const struct msk_server *s) { return s->ending; }
