/* outbox.c - answers on their way out. A batch of requests becomes one send: a system call for each would cost as much
 * as everything else about an answer. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include "server.h"

bool msk_outbox_open(struct msk_outbox *o)
{
    o->room = mmap(NULL, MSK_ROOM_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (o->room == MAP_FAILED)
        o->room = NULL;
    else
        memset(o->room, 1, MSK_RESIDENT_BYTES);     /* resident from the start: memory does not grow with use */
    return o->room != NULL;
}

void msk_outbox_close(struct msk_outbox *o)
{
    if (o->room)
        munmap(o->room, MSK_ROOM_BYTES);
}

struct trk_packets msk_outbox_begin(struct minisock *m)
{
    struct msk_server *s = m->server;
    struct msk_outbox *o = &s->outbox;
    if ((o->n > 0 && o->iface != m->iface) || o->n >= MSK_OUTBOX_LEAVES || o->n + TRK_ANSWER_PACKETS_MAX > MSK_OUTBOX_PACKETS || o->heads_used + TRK_ARENA_BYTES > MSK_OUTBOX_HEADS)
        msk_outbox_flush(s);
    return (struct trk_packets){
        .packets = s->packets, .cap = TRK_ANSWER_PACKETS_MAX, .arena = o->heads + o->heads_used, .arena_bytes = TRK_ARENA_BYTES,
    };
}

void msk_outbox_add(struct minisock *m, const struct trk_packets *answer)
{
    struct msk_outbox *o = &m->server->outbox;
    for (size_t i = 0; i < answer->n; i++) {
        const struct trk_packet *p = &answer->packets[i];
        o->out[o->n++] = (struct trk_link_out){ p->head, p->head_bytes, p->data, p->data_bytes, m->from, p->follows };
    }
    o->heads_used += answer->arena_used;
    if (m->server->room_owner == m) {
        o->room_used += m->room_used;
        m->server->room_owner = NULL;
    }
    o->iface = m->iface;
}

/* All of them. A packet that the interface refuses is one client's loss; those of others behind it still leave. */
static void send_all(struct msk_server *s, const struct msk_outbox *o)
{
    int at = 0, refused = 0;
    while (at < o->n && refused <= MSK_OUTBOX_PACKETS) {
        int sent = trk_link_send(o->iface->link, o->out + at, o->n - at);
        if (sent > 0) {
            at += sent;
            s->tally->counts[MSK_COUNT_SENT] += (uint64_t)sent;
        }
        if (at == o->n)
            break;
        if (refused++ == 0)
            msk_log(s, MSK_LOG_DEBUG, "interface %s: cannot send: %m", o->iface->name);
        at++;
        s->tally->counts[MSK_COUNT_UNSENT]++;
    }
}

void msk_outbox_flush(struct msk_server *s)
{
    struct msk_outbox *o = &s->outbox;
    if (o->n > 0)
        send_all(s, o);
    o->n = 0;
    o->heads_used = 0;
    if (s->room_owner)
        return;                        /* an event being answered has its data behind what has left */
    o->room_used = 0;
    if (o->room_touched > MSK_RESIDENT_BYTES)
        madvise(o->room + MSK_RESIDENT_BYTES, MSK_ROOM_BYTES - MSK_RESIDENT_BYTES, MADV_DONTNEED);
    o->room_touched = 0;
}

void msk_flush(struct minisock *m) { msk_outbox_flush(m->server); }

uint8_t *msk_room(struct minisock *m)
{
    struct msk_server *s = m->server;
    struct msk_outbox *o = &s->outbox;
    if (m->state == MSK_FREE || (s->room_owner && s->room_owner != m))
        return NULL;
    if (!s->room_owner && o->room_used >= MSK_GATHER_BYTES)
        msk_outbox_flush(s);
    s->room_owner = m;
    return o->room + o->room_used;
}
