/* black_hole.c - a path may swallow packets above some size and tell nobody (RFC 4821): both devices take them, a router or a
 * tunnel between them does not. What comes through is watched, each way; if larger messages get lost again and again and none
 * arrives, the connection goes on with a size that every path carries. That may have been chance, or the path may change: now
 * and then one answer is asked for in full size, and if it comes the connection has its size back (PROTOCOL.md 7.4). */
#include "client/internal.h"

#define FILL_SAFE 1216u                /* message bytes in IPv6's least MTU of 1280 */
#define MISSED_MAX 3                   /* times that a large one was missed before the size is suspected */
#define SILENCES_MAX 4                 /* expiries in a row before it is, whatever came through before */
#define SEQ_RECENT (64u << 10)         /* bytes sent that a router may still speak of */
#define PROBE_FIRST_US 2000000ull
#define PROBE_MOST_US  600000000ull    /* RFC 8899: PMTU_RAISE_TIMER */

static uint32_t fill_of(const struct trk_client *c, uint32_t mtu)
{
    uint32_t header = trk_header_bytes(c->config.flow.src.family);
    return mtu < header + TRK_SLOT_MIN ? TRK_SLOT_MIN : mtu - header;
}

/* A SYN is repeated at once, as small as the path wants it; its MSS makes the server's slots small, too. */
static bool shrink_syn(struct trk_client *c, uint32_t seq, uint32_t mtu, uint64_t now_us)
{
    uint32_t mss = fill_of(c, mtu) + TRK_OPTION_BYTES;
    if (seq != c->config.iss || mss >= c->config.mss)
        return false;
    c->config.mss = (uint16_t)mss;
    c->syn_due_us = now_us;
    return true;
}

bool trk_client_path_mtu(struct trk_client *c, uint32_t seq, uint32_t mtu, uint64_t now_us)
{
    if (c->state == TRK_CLIENT_OPENING)
        return shrink_syn(c, seq, mtu, now_us);
    if (c->state != TRK_CLIENT_OPEN || c->seq - seq > SEQ_RECENT || c->seq == seq || fill_of(c, mtu) >= c->fill)
        return false;
    c->fill = (uint16_t)fill_of(c, mtu);
    c->probe_us = 0;                   /* it was told, not guessed */
    return true;
}

void trk_heard(struct trk_client *c, uint32_t message_bytes)
{
    if (message_bytes > c->heard_bytes)
        c->heard_bytes = message_bytes;
    if (c->probe_us && c->fill < c->slot && message_bytes >= c->slot)
        c->fill = c->slot;
}

/* The request before it in the ring tells how long it was. 0: that one is not known. */
static uint32_t request_bytes(const struct trk_client *c, const struct trk_sent *request)
{
    const struct trk_sent *before = &c->sent[(request - c->sent + TRK_CLIENT_SENT - 1) % TRK_CLIENT_SENT];
    uint32_t bytes = request->end - before->end;
    if (request == c->sent && c->n_sent <= TRK_CLIENT_SENT)
        return 0;
    return before->end && bytes <= c->slot ? bytes : 0;
}

void trk_answered(struct trk_client *c, const struct trk_sent *request)
{
    uint32_t bytes = request_bytes(c, request);
    if (bytes > c->said_bytes)
        c->said_bytes = bytes;
}

/* What gets lost of one window counts once. */
void trk_missed(struct trk_client *c, const struct trk_number *e)
{
    bool carries_input = c->input_state == TRK_IN_OUTSTANDING && c->input_number == e->n;
    uint32_t message_bytes = TRK_LONG_BYTES + e->bytes + (carries_input ? c->reserve : 0u);      /* at most */
    if (e->bytes == 0 || e->placed || message_bytes <= c->heard_bytes || message_bytes <= FILL_SAFE || c->missed_at == c->n_sent)
        return;
    c->missed_at = c->n_sent;
    c->large_missed++;
}

/* Where input was on its way the requests may have been too large, and no answer tells whether they still are: no probes. */
static void lower(struct trk_client *c, bool input, uint64_t now_us)
{
    c->fill = FILL_SAFE;
    c->large_missed = c->heard_bytes = 0;
    if (!c->probe_wait_us)
        c->probe_wait_us = PROBE_FIRST_US;
    c->probe_us = input ? 0 : now_us + c->probe_wait_us;
}

void trk_suspect_path(struct trk_client *c, uint64_t now_us)
{
    if (c->fill <= FILL_SAFE)
        return;
    bool input = c->written > c->consumed + FILL_SAFE / 2;
    bool down = c->heard_bytes < c->fill && c->large_missed >= MISSED_MAX;
    uint32_t said = c->n_sent ? request_bytes(c, &c->sent[(c->n_sent - 1) % TRK_CLIENT_SENT]) : 0;
    bool up = said > FILL_SAFE && said > c->said_bytes && c->backoff >= 2;
    if (down || up || c->backoff >= SILENCES_MAX)
        lower(c, up || input, now_us);
}

/* One answer of a full packet's data. Each further one waits twice as long: one that is lost costs a recovery. */
bool trk_probe_due(struct trk_client *c, uint64_t now_us)
{
    if (!c->probe_us || c->fill >= c->slot || now_us < c->probe_us || trk_input_ready(c) || trk_wanted_bytes(c) < c->slot)
        return false;
    c->probe_wait_us = 2 * c->probe_wait_us < PROBE_MOST_US ? 2 * c->probe_wait_us : PROBE_MOST_US;
    c->probe_us = now_us + c->probe_wait_us;
    return true;
}
