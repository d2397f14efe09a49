/* pending.c - the queue in the program's hands: gather, walk, reorder, and minisockets that outlive their turn. */
#include <errno.h>
#include <string.h>
#include "server.h"

/* The link's memory is used again for the next packets, so who stays needs the packet in memory of its own. What it was
 * judged by is the same, so the views come out the same. */
static void keep(struct minisock *m)
{
    if (m->packet == msk_slot_memory(m))
        return;
    m->packet = memcpy(msk_slot_memory(m), m->packet, m->packet_bytes);
    m->iface = NULL;
    msk_reread(m);
}

/* Out of the current turn, and never the last one: the next event needs one, too. */
static int leave_turn(struct minisock *m)
{
    struct msk_server *s = m->server;
    if (m->state == MSK_FREE)
        return -EBADF;
    if (m->state == MSK_CURRENT && s->slots.used == s->slots.n)
        return -ENOBUFS;
    if (m->state == MSK_PENDING)
        msk_queue_take(m);
    if (s->current == m)
        s->current = NULL;
    if (s->room_owner == m)
        s->room_owner = NULL;
    m->room_used = 0;
    m->foreign = false;
    m->state = MSK_DETACHED;
    keep(m);
    msk_forget_said(m);
    return 0;
}

int msk_detach(struct minisock *m)
{
    if (m->state != MSK_FREE && m->spend.type == TRK_SPEND_CLOSE)
        return -EINVAL;
    return leave_turn(m);
}

static int move(struct minisock *m, bool front)
{
    int rc = leave_turn(m);
    if (rc == 0)
        msk_queue_put(m, front);
    return rc;
}

int msk_to_front(struct minisock *m) { return move(m, true); }
int msk_to_back(struct minisock *m) { return move(m, false); }

size_t msk_gather(struct msk_server *s)
{
    struct minisock *m;
    while (!s->current && (m = msk_slot_spare(s)) != NULL) {
        if (!msk_receive_event(m)) {
            msk_slot_free(m);
            break;
        }
        keep(m);
        msk_queue_put(m, false);
    }
    return s->slots.pending;
}

struct minisock *msk_first(struct msk_server *s) { return s->slots.first; }
struct minisock *msk_after(const struct minisock *m) { return m->state == MSK_PENDING ? m->after : NULL; }
