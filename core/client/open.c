/* open.c - a connection begins, and what can be asked about it. */
#include "client/internal.h"

#define SYN_TIMEOUT_MS 127000          /* Linux: tcp_syn_retries 6 */
#define SYN_INPUT_MAX  1024            /* leaves room for the message's own header */
#define RESERVE_FIRST  192             /* room for an answer's continuations before any was seen */

static bool power_of_two(uint32_t n) { return n && !(n & (n - 1)); }

static bool config_ok(const struct trk_client_config *config)
{
    uint8_t family = config->flow.src.family;
    return (family == 4 || family == 6) && family == config->flow.dst.family && config->mss >= TRK_SLOT_MIN + TRK_OPTION_BYTES &&
           config->receive_buffer && power_of_two(config->receive_bytes) && config->receive_bytes >= 65536 &&
           config->send_buffer && power_of_two(config->send_bytes) && config->send_bytes >= 16384 &&
           config->numbers && config->numbers_bytes >= TRK_CLIENT_NUMBERS_BYTES;
}

/* Everything but the large arrays, which are written before they are read, as their counts are zero. So opening touches a
 * few KB, and where memory comes in pages a connection costs what it uses. */
static void clear(struct trk_client *c)
{
#define ARRAY(name) { offsetof(struct trk_client, name), sizeof c->name }
    static const struct { size_t at, bytes; } arrays[] = {
        ARRAY(lost), ARRAY(previous), ARRAY(beyond.at), ARRAY(again.at), ARRAY(conts), ARRAY(sent),
    };
#undef ARRAY
    size_t from = 0;
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) {
        memset((uint8_t *)c + from, 0, arrays[i].at - from);
        from = arrays[i].at + arrays[i].bytes;
    }
    memset((uint8_t *)c + from, 0, offsetof(struct trk_client, lent) - from);
    for (size_t i = 0; i < TRK_CLIENT_REPEATS; i++)
        c->previous[i].repeats = false;
}

bool trk_client_open(struct trk_client *c, const struct trk_client_config *config, const uint8_t *data, uint32_t bytes, uint64_t now_us)
{
    if (!config_ok(config) || bytes > SYN_INPUT_MAX || bytes + 128u > config->mss)
        return false;
    clear(c);
    c->config = *config;
    if (!c->config.syn_timeout_ms)
        c->config.syn_timeout_ms = SYN_TIMEOUT_MS;
    c->from_server = trk_flow_reverse(&config->flow);
    c->ring = config->numbers;
    c->ring_mask = TRK_CLIENT_NUMBERS_FIRST - 1;
    if (!config->numbers_zeroed)
        memset(c->ring, 0, TRK_CLIENT_NUMBERS_BYTES);
    c->next = 1;
    c->reserve = RESERVE_FIRST;
    c->seq = config->iss;
    c->syn_started_us = c->syn_due_us = c->progress_us = now_us;
    c->state = TRK_CLIENT_OPENING;
    if (bytes)
        trk_client_write(c, data, bytes, now_us);
    c->syn_input = bytes;
    return true;
}

enum trk_client_state trk_client_state(const struct trk_client *c)
{
    return c->state;
}

void trk_client_stats(const struct trk_client *c, struct trk_client_stats *out)
{
    *out = c->stats;
    out->srtt_us = (uint32_t)c->srtt_us;
    out->rttvar_us = (uint32_t)c->rttvar_us;
    out->outstanding_pkts = c->n_expected;
    out->slot = c->slot;
    out->fill = c->fill;
    out->generation = c->generation;
    const struct trk_number *e = &c->ring[c->star & c->ring_mask];
    if (c->state == TRK_CLIENT_OPEN && e->n == c->star) {
        const struct trk_client_piece *p = &c->pieces[e->piece];
        out->cwnd_pkts = (uint32_t)(p->kind == TRK_OPENING ? p->piece.start : trk_cwnd(&p->piece, c->star));
        out->ssthresh_pkts = p->piece.ssthresh;
    }
}
