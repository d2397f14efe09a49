/* send.c - how a minisocket ends: answered, dropped, or with the connection reset. */
#include <errno.h>
#include "server.h"

void msk_tell(struct minisock *m, enum trk_verdict v, bool reset)
{
    struct trk_packets answer = msk_outbox_begin(m->server);
    trk_respond_verdict(&m->spend, v, &m->iface->config, reset, &answer);
    msk_outbox_add(m, &answer);
}

int msk_reply(struct minisock *m)
{
    struct msk_server *s = m->server;
    if (!m->alive)
        return -EBADF;
    m->alive = false;
    if (m->spend.type == TRK_SPEND_CLOSE) {
        msk_count(s, TRK_V_CLOSED);
        return 0;
    }
    struct trk_packets answer = msk_outbox_begin(s);
    enum trk_verdict v = trk_respond(&m->spend, &m->decision, &m->plan, &m->result, &s->keys, &m->iface->config, m->now_ms, &answer);
    msk_count(s, v);
    if (v != TRK_V_ANSWERED && v != TRK_V_REFRESHED) {
        msk_tell(m, v, false);
        return -ENOBUFS;
    }
    msk_outbox_add(m, &answer);
    if (m->foreign)
        msk_outbox_flush(s);
    return 0;
}

int msk_sendv(struct minisock *m, const struct iovec *vectors, int n)
{
    int rc = 0;
    for (int i = 0; i < n && rc == 0; i++)
        rc = msk_give(m, (size_t)i, vectors[i].iov_base, vectors[i].iov_len);
    return rc != 0 ? rc : msk_reply(m);
}

int msk_send(struct minisock *m, const void *data, size_t bytes)
{
    const uint8_t *at = data;
    for (size_t i = 0; i < msk_ranges(m); i++) {
        struct msk_range r;
        msk_range(m, i, &r);
        size_t part = r.bytes < bytes ? r.bytes : bytes;
        msk_give(m, i, at, part);
        at += part;
        bytes -= part;
    }
    return bytes > 0 ? -EINVAL : msk_reply(m);
}

int msk_drop(struct minisock *m)
{
    if (!m->alive)
        return -EBADF;
    m->alive = false;
    msk_count(m->server, m->spend.type == TRK_SPEND_CLOSE ? TRK_V_CLOSED : TRK_V_DROPPED);
    return 0;
}

int msk_reset(struct minisock *m)
{
    if (!m->alive)
        return -EBADF;
    m->alive = false;
    msk_count(m->server, TRK_V_RESET);
    if (m->spend.type != TRK_SPEND_CLOSE)
        msk_tell(m, TRK_V_RESET, true);
    return 0;
}
