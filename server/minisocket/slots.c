/* slots.c - the memory of all minisockets there will be, and the queue of those that are pending. What was never used
 * is never touched, so a server that answers one event at a time has one of them in memory. */
#include <string.h>
#include <sys/mman.h>
#include "server.h"

bool msk_slots_open(struct msk_server *s, uint32_t n)
{
    struct msk_slots *slots = &s->slots;
    slots->n = n;
    slots->bytes = n * (sizeof(struct minisock) + MSK_PACKET_MAX);
    slots->memory = mmap(NULL, slots->bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (slots->memory == MAP_FAILED) {
        slots->memory = NULL;
        return false;
    }
    slots->all = slots->memory;
    memset(slots->all, 0, sizeof *slots->all);      /* the first one is resident from the start */
    return true;
}

void msk_slots_close(struct msk_slots *slots)
{
    if (slots->memory)
        munmap(slots->memory, slots->bytes);
}

struct minisock *msk_slot_take(struct msk_server *s)
{
    struct msk_slots *slots = &s->slots;
    struct minisock *m = slots->free;
    if (m)
        slots->free = m->after;
    else if (slots->touched < slots->n)
        m = &slots->all[slots->touched++];
    else
        return NULL;
    m->server = s;
    m->before = m->after = NULL;
    m->room_used = 0;
    m->foreign = false;
    m->packet = NULL;
    slots->used++;
    return m;
}

struct minisock *msk_slot_spare(struct msk_server *s)
{
    bool next_has_one = s->current || s->slots.used + 1 < s->slots.n;
    return next_has_one ? msk_slot_take(s) : NULL;
}

uint8_t *msk_slot_memory(const struct minisock *m)
{
    const struct msk_slots *slots = &m->server->slots;
    return (uint8_t *)(slots->all + slots->n) + (size_t)(m - slots->all) * MSK_PACKET_MAX;
}

void msk_slot_free(struct minisock *m)
{
    struct msk_server *s = m->server;
    if (m->state == MSK_PENDING)
        msk_queue_take(m);
    if (s->current == m)
        s->current = NULL;
    if (s->room_owner == m)
        s->room_owner = NULL;
    m->state = MSK_FREE;
    m->after = s->slots.free;
    s->slots.free = m;
    s->slots.used--;
}

void msk_queue_put(struct minisock *m, bool front)
{
    struct msk_slots *q = &m->server->slots;
    m->state = MSK_PENDING;
    m->before = front ? NULL : q->last;
    m->after = front ? q->first : NULL;
    *(m->before ? &m->before->after : &q->first) = m;
    *(m->after ? &m->after->before : &q->last) = m;
    q->pending++;
}

void msk_queue_take(struct minisock *m)
{
    struct msk_slots *q = &m->server->slots;
    *(m->before ? &m->before->after : &q->first) = m->after;
    *(m->after ? &m->after->before : &q->last) = m->before;
    m->before = m->after = NULL;
    m->state = MSK_DETACHED;
    q->pending--;
}

void msk_slots_rekey(struct msk_server *s)
{
    for (size_t i = 0; i < s->slots.touched; i++) {
        struct minisock *m = &s->slots.all[i];
        if (m->state != MSK_FREE && m->spend.type != TRK_SPEND_CLOSE)
            m->spend.epoch = trk_keys_find(&s->keys, m->spend.request.epoch);
    }
}
