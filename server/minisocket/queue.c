/* queue.c - from many links to one sequence of packets: a batch from each ready link in turn. */
#include <errno.h>
#include <sys/epoll.h>
#include "group.h"

#define EMPTY_ROUNDS_MAX 4             /* polls per call: a flood must not keep the caller from its other work */

static void interfaces_changed(struct msk_server *s)
{
    char error[MSK_ERROR_BYTES];
    trk_watch_drain(s->watch);
    s->ready_n = 0;                    /* indices change */
    if (!msk_locals_update(s))
        msk_log(s, MSK_LOG_WARNING, "cannot list local addresses: going on with the old list");
    if (!msk_links_update(s, error, sizeof error))
        msk_log(s, MSK_LOG_WARNING, "%s; waiting for one", error);
}

/* Ask which links have something. False: none. */
static bool poll_links(struct msk_server *s)
{
    struct epoll_event events[MSK_LINKS_MAX + 2];
    int n = epoll_wait(s->epoll, events, MSK_LINKS_MAX + 2, 0);
    bool changed = false;
    s->ready_n = 0;
    for (int i = 0; i < n; i++) {
        if (events[i].data.u32 == MSK_LINKS_MAX)
            changed = true;
        else if (events[i].data.u32 == MSK_WAKE)
            s->ending = true;
        else
            s->ready[s->ready_n++] = (int)events[i].data.u32;
    }
    if (changed)
        interfaces_changed(s);
    return s->ready_n > 0;
}

static bool next_batch(struct msk_server *s)
{
    while (s->ready_n > 0) {
        const struct msk_iface *iface = &s->ifaces[s->ready[--s->ready_n]];
        int n = trk_link_receive(iface->link, s->batch, MSK_BATCH);
        s->batch_i = 0;
        s->batch_n = n > 0 ? n : 0;
        s->batch_iface = iface;
        if (n > 0)
            return true;
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            msk_log(s, MSK_LOG_INFO, "interface %s: %m", iface->name);
    }
    return false;
}

const struct trk_link_packet *msk_next_packet(struct msk_server *s, const struct msk_iface **iface)
{
    if (s->batch_i == s->batch_n) {
        msk_outbox_flush(s);
        if (s->group)
            msk_group_keys(s);         /* between two batches nothing points into the old ones */
    }
    for (int round = 0; s->batch_i == s->batch_n; round++)
        if (!next_batch(s) && (round == EMPTY_ROUNDS_MAX || !poll_links(s)))
            return NULL;
    *iface = s->batch_iface;
    if (s->group)
        msk_group_taken(s);
    s->tally->counts[MSK_COUNT_PACKETS]++;
    return &s->batch[s->batch_i++];
}
