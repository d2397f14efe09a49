/* engine_loop.c - feed what arrives, poll until nothing is left, sleep until the timer. */
#include "engine_loop.h"
#include <errno.h>
#include <poll.h>
#include <time.h>

#define FEEDS_PER_FLUSH 8              /* the engine's outbox is bounded */

uint64_t engine_loop_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static int send_batch(struct engine_loop *loop, int n)
{
    int sent = trk_link_send(loop->link, loop->out, n);
    return sent < 0 && errno != ENETDOWN && errno != ENETUNREACH ? -1 : 0;   /* what was not sent is lost, like any packet */
}

int engine_loop_flush(struct engine_loop *loop)
{
    int n;
    do {
        for (n = 0; n < ENGINE_LOOP_BATCH; n++) {
            size_t bytes = trk_client_poll(loop->client, engine_loop_now(), loop->packets[n], sizeof loop->packets[n]);
            if (bytes == 0)
                break;
            loop->out[n] = (struct trk_link_out){ .head = loop->packets[n], .head_bytes = (uint32_t)bytes, .to = loop->to };
        }
        if (n > 0 && send_batch(loop, n))
            return -1;
    } while (n == ENGINE_LOOP_BATCH);
    return 0;
}

static void feed(struct engine_loop *loop, const struct trk_link_packet *packet, uint64_t now_us)
{
    struct trk_segment seg;
    enum trk_verdict verdict = trk_segment_parse(packet->ip, packet->bytes, &seg);
    bool whole = verdict == TRK_V_ACCEPTED || verdict == TRK_V_UNMARKED;
    if (whole && !packet->checksum_ok && !trk_segment_checksum_ok(packet->ip, packet->bytes)) {
        verdict = TRK_V_BAD_CHECKSUM;
        whole = false;
    }
    if (whole)
        trk_client_feed(loop->client, &seg, now_us);
    else
        loop->verdicts[verdict]++;
}

/* Whatever has arrived. */
static int receive(struct engine_loop *loop)
{
    for (int n; (n = trk_link_receive(loop->link, loop->in, ENGINE_LOOP_BATCH)) != 0; ) {
        if (n < 0)
            return errno == ENETDOWN ? 0 : -1;
        uint64_t now_us = engine_loop_now();
        for (int i = 0; i < n; i++) {
            feed(loop, &loop->in[i], now_us);
            if ((i + 1) % FEEDS_PER_FLUSH == 0 && engine_loop_flush(loop))
                return -1;
        }
        if (engine_loop_flush(loop))
            return -1;
    }
    return 0;
}

/* Until the engine's timer, at most max_wait_ms; NULL: for ever. In nanoseconds, as a LAN's timers are below 1 ms. */
static const struct timespec *wait_time(const struct engine_loop *loop, int max_wait_ms, struct timespec *out)
{
    uint64_t due_us = trk_client_next_timeout(loop->client), now_us = engine_loop_now();
    uint64_t wait_us = due_us == UINT64_MAX ? UINT64_MAX : due_us > now_us ? due_us - now_us : 0;
    if (max_wait_ms >= 0 && wait_us > (uint64_t)max_wait_ms * 1000)
        wait_us = (uint64_t)max_wait_ms * 1000;
    *out = (struct timespec){ (time_t)(wait_us / 1000000), (long)(wait_us % 1000000) * 1000 };
    return wait_us == UINT64_MAX ? NULL : out;
}

int engine_loop_turn(struct engine_loop *loop, int max_wait_ms)
{
    struct pollfd fd = { .fd = trk_link_fd(loop->link), .events = POLLIN };
    struct timespec wait;
    int n = ppoll(&fd, 1, wait_time(loop, max_wait_ms, &wait), NULL);
    if (n < 0 && errno != EINTR)
        return -1;
    if (n > 0 && receive(loop))
        return -1;
    return engine_loop_flush(loop);
}
