/* send.c - how a minisocket ends: answered, dropped, or with the connection reset. */
#include <errno.h>
#include "server.h"

struct trk_packets msk_packets(struct msk_server *s)
{
    return (struct trk_packets){
        .packets = s->packets, .cap = TRK_ANSWER_PACKETS_MAX, .arena = s->arena, .arena_bytes = sizeof s->arena,
    };
}

int msk_send_packets(struct minisock *m, const struct trk_packets *answer)
{
    struct msk_server *s = m->server;
    int n = (int)answer->n;
    for (int i = 0; i < n; i++) {
        const struct trk_packet *p = &answer->packets[i];
        s->out[i] = (struct trk_link_out){ p->head, p->head_bytes, p->data, p->data_bytes, m->from };
    }
    int sent = n > 0 ? trk_link_send(m->iface->link, s->out, n) : 0;
    int rc = sent < 0 ? -errno : 0;
    if (sent < 0)
        sent = 0;
    s->counts[MSK_COUNT_SENT] += (uint64_t)sent;
    s->counts[MSK_COUNT_UNSENT] += (uint64_t)(n - sent);
    if (rc != 0)
        msk_log(s, MSK_LOG_DEBUG, "interface %s: cannot send: %m", m->iface->name);
    return rc != 0 ? rc : sent < n ? -EAGAIN : 0;
}

void msk_tell(struct minisock *m, enum trk_verdict v, bool reset)
{
    struct trk_packets answer = msk_packets(m->server);
    trk_respond_verdict(&m->spend, v, &m->iface->config, reset, &answer);
    msk_send_packets(m, &answer);
}

int msk_reply(struct minisock *m)
{
    struct msk_server *s = m->server;
    struct trk_packets answer = msk_packets(s);
    if (!m->alive)
        return -EBADF;
    m->alive = false;
    if (m->spend.type == TRK_SPEND_CLOSE) {
        msk_count(s, TRK_V_CLOSED);
        return 0;
    }
    enum trk_verdict v = trk_respond(&m->spend, &m->decision, &m->plan, &m->result, &s->keys, &m->iface->config, m->now_ms, &answer);
    msk_count(s, v);
    if (v != TRK_V_ANSWERED && v != TRK_V_REFRESHED) {
        msk_tell(m, v, false);
        return -ENOBUFS;
    }
    return msk_send_packets(m, &answer);
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
