/* train.c - the packets of a superframe: the answer to one request, in the order of its numbers. Each differs from the one before
 * it in number, offset and nonce alone. So once one was accepted, those behind it are taken by comparing bytes, as long as they bring
 * just what was predicted; the first that does not goes the way of a single packet. */
#include "client/internal.h"

/* Nobody waits for one of these packets in particular. */
static bool is_quiet(const struct trk_client *c)
{
    return !c->attempt && !c->awaiting && !c->n_terminals && c->input_state != TRK_IN_OUTSTANDING;
}

/* Its entry, if it was to bring these bytes and nothing else. */
static struct trk_number *expected(struct trk_client *c, uint64_t n, const struct trk_number *before, uint32_t offset, uint32_t bytes)
{
    struct trk_number *e = trk_number_at(c, n);
    bool so = e && e->state == TRK_N_EXPECTED && !e->placed && e->piece == before->piece && (uint32_t)e->offset == offset && e->bytes == bytes;
    return so ? e : NULL;
}

/* As an accepted packet's number (answer.c): all but its own place and nonce is that of its grant. */
static void hold(struct trk_client *c, struct trk_number *e, const struct trk_number *before, uint64_t nonce)
{
    trk_number_hold(c, e, nonce, before->arrived_us);
    e->tick = before->tick;
    e->n_minus_a = (uint8_t)(before->n_minus_a + (e->n - before->n));
    e->b_minus_a = before->b_minus_a;
    e->f_minus_a = before->f_minus_a;
    memcpy(e->seal, before->seal, TRK_SEAL_BYTES);
    e->bytes = 0;
}

static void take(struct trk_client *c, const struct trk_number *e, const uint8_t *data, uint32_t bytes, const struct trk_origin *origin)
{
    bool taken = trk_take_data(c, e->offset, data, bytes, origin);
    trk_want_again(c, e->offset, bytes);             /* what was not */
    c->stats.segments_received++;
    c->stats.verdicts[taken ? TRK_V_ACCEPTED : TRK_V_OUT_OF_WINDOW]++;
}

uint32_t trk_train_feed(struct trk_client *c, const struct trk_segment *first, uint32_t bytes)
{
    uint32_t slot = c->slot, done = 0, offset;
    uint64_t n, nonce;
    struct trk_sent *request = trk_sent_find(c, first->ack);
    if (first->payload_bytes != slot || bytes <= slot || !is_quiet(c) || !trk_number_of_seq(c->isn, first->seq, c->slot, c->next, &n))
        return 0;
    const struct trk_number *before = trk_number_at(c, n);
    if (!request || n < request->granted || !before || before->state != TRK_N_HELD)
        return 0;
    const struct trk_origin origin = trk_origin_of(c, first->ack);
    for (uint32_t i = 1; bytes > i * slot + TRK_NORMAL_BYTES; i++) {
        const uint8_t *message = first->payload + i * slot;
        uint32_t left = bytes - i * slot, here = left < slot ? left : slot;
        struct trk_number *e = trk_answer_follows(first->payload, message, i, &offset, &nonce)
                             ? expected(c, n + i, before, offset, here - TRK_NORMAL_BYTES) : NULL;
        if (!e)
            break;
        hold(c, e, before, nonce);
        take(c, e, message + TRK_NORMAL_BYTES, here - TRK_NORMAL_BYTES, &origin);
        done += here;
    }
    trk_acknowledge(c, first->seq + slot + done);
    return done;
}
