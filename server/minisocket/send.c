/* send.c - how a minisocket ends: answered, dropped, or with the connection reset. */
#include <errno.h>
#include "server.h"

/* Of a kept one the interface may have gone, or stand elsewhere in the list. */
static bool find_iface(struct minisock *m)
{
    struct msk_server *s = m->server;
    for (size_t i = 0; i < s->n_ifaces && !m->iface; i++)
        if (s->ifaces[i].ifindex == m->ifindex)
            m->iface = &s->ifaces[i];
    return m->iface != NULL;
}

void msk_tell(struct minisock *m, enum trk_verdict v, bool reset)
{
    if (!find_iface(m))
        return;
    struct trk_packets answer = msk_outbox_begin(m);
    trk_respond_verdict(&m->spend, v, &m->config, reset, &answer);
    msk_outbox_add(m, &answer);
}

/* What was kept is answered outside of a round of packets, and nothing else would send it soon. */
static void end(struct minisock *m)
{
    struct msk_server *s = m->server;
    bool now = (m->foreign || s->current != m) && !s->bulk;
    msk_slot_free(m);
    if (now)
        msk_outbox_flush(s);
}

static int respond(struct minisock *m)
{
    struct msk_server *s = m->server;
    if (!m->spend.epoch)
        return -ENOKEY;
    if (!find_iface(m))
        return -ENETDOWN;
    struct trk_packets answer = msk_outbox_begin(m);
    enum trk_verdict v = trk_respond(&m->spend, &m->decision, &m->plan, &m->result, &s->keys, &m->config, m->now_ms, &answer);
    msk_count(s, v);
    if (v == TRK_V_ANSWERED) {
        msk_outbox_add(m, &answer);
        return 0;
    }
    msk_tell(m, v, false);
    return -ENOBUFS;
}

int msk_reply(struct minisock *m)
{
    int rc = 0;
    if (m->state == MSK_FREE)
        return -EBADF;
    if (m->spend.type == TRK_SPEND_CLOSE)
        msk_count(m->server, TRK_V_CLOSED);
    else
        rc = respond(m);
    if (rc == -ENOKEY || rc == -ENETDOWN)
        msk_count(m->server, TRK_V_DROPPED);
    end(m);
    return rc;
}

int msk_drop(struct minisock *m)
{
    if (m->state == MSK_FREE)
        return -EBADF;
    msk_count(m->server, m->spend.type == TRK_SPEND_CLOSE ? TRK_V_CLOSED : TRK_V_DROPPED);
    msk_slot_free(m);
    return 0;
}

int msk_reset(struct minisock *m)
{
    if (m->state == MSK_FREE)
        return -EBADF;
    msk_count(m->server, TRK_V_RESET);
    if (m->spend.type != TRK_SPEND_CLOSE)
        msk_tell(m, TRK_V_RESET, true);
    end(m);
    return 0;
}
