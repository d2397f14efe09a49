#include "forge.h"

#include <string.h>

#include "wire/messages.h"
#include "wire/segment.h"

void sim_forger_init(struct sim_forger *f) { f->opened = false; }

static void fill(struct sim_random *random, uint8_t *p, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        p[i] = (uint8_t)sim_random_u64(random);
}

/* A segment with these headers around `payload`. */
static struct sim_packet *wrap(struct trk_segment *seg, const uint8_t *payload, uint32_t bytes)
{
    uint8_t packet[TRK_HEADER_MAX + 1500];

    seg->payload = payload;
    seg->payload_bytes = bytes;
    size_t head = trk_segment_emit(seg, packet, sizeof packet);
    if (bytes > 0)
        memcpy(packet + head, payload, bytes);
    trk_segment_finish(packet, head + bytes);
    struct sim_packet *p = sim_packet_copy(packet, (uint32_t)(head + bytes));
    p->garbage = true;
    return p;
}

/* The true segment's headers, noise inside. Towards the client the sequence number is a guess: who sees the true one
 * can put bytes into any stream that is not encrypted, TCP's as well. */
static struct sim_packet *noise_inside(struct sim_random *random, const struct trk_segment *true_seg, bool to_server)
{
    uint8_t payload[1400];
    struct trk_segment seg = *true_seg;
    uint32_t n = (uint32_t)sim_random_below(random, sizeof payload);

    if (!to_server)
        seg.seq = (uint32_t)sim_random_u64(random);
    fill(random, payload, n);
    if (n > 0 && sim_random_chance(random, .8))        /* most of it with a form that is looked at */
        payload[0] = (uint8_t)(TRK_VERSION << 4 | sim_random_below(random, 16));
    return wrap(&seg, payload, n);
}

/* A reset, or a plain TCP segment, from somebody who sees nothing but the addresses. */
static struct sim_packet *blind(struct sim_random *random, const struct trk_segment *true_seg)
{
    static const uint8_t flags[] = { TRK_RST, TRK_RST | TRK_ACK, TRK_ACK, TRK_FIN | TRK_ACK, TRK_SYN | TRK_ACK };
    struct trk_segment seg = *true_seg;

    seg.flags = flags[sim_random_below(random, sizeof flags)];
    seg.marked = sim_random_chance(random, .5);
    if (sim_random_chance(random, .5))
        seg.seq = (uint32_t)sim_random_u64(random);
    return wrap(&seg, NULL, 0);
}

/* The true packet as it is, but from another port: a thief of grants. */
static struct sim_packet *stolen(struct sim_random *random, const struct trk_segment *true_seg)
{
    struct trk_segment seg = *true_seg;

    seg.flow.sport = (uint16_t)(1 + sim_random_below(random, 60000));
    if (seg.flow.sport == true_seg->flow.sport)
        seg.flow.sport++;
    if (true_seg->payload_bytes > 1400)
        return NULL;
    return wrap(&seg, true_seg->payload, true_seg->payload_bytes);
}

struct sim_packet *sim_forge(struct sim_forger *f, struct sim_random *random, bool to_server, const uint8_t *packet, uint32_t bytes)
{
    struct trk_segment seg;

    if (trk_segment_parse(packet, bytes, &seg) != TRK_V_ACCEPTED)
        return NULL;
    f->opened |= !to_server;
    if (!f->opened || seg.flags & TRK_SYN)             /* a blind answer to a SYN may well refuse it, as in TCP */
        return NULL;
    switch (sim_random_below(random, to_server ? 3 : 2)) {
    case 0:
        return noise_inside(random, &seg, to_server);
    case 1:
        return blind(random, &seg);
    default:
        return stolen(random, &seg);
    }
}
