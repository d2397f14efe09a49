/* context.c - a context: its making and end, its events, and how its descriptor tells of timers. */
#include "endpoint/library/context.h"
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define RECEIVE_BYTES (4u << 20)
#define SEND_BYTES    (1u << 20)
#define BUFFER_MAX    (1u << 30)
#define LINGER_MS     60000

static uint64_t clock_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* ---- making and ending ---- */
static bool buffer_ok(uint32_t bytes, uint32_t least)
{
    return bytes >= least && bytes <= BUFFER_MAX && !(bytes & (bytes - 1));
}

static bool set_up(struct trickles *t, const struct trickles_options *o, char *error, size_t error_bytes)
{
    uint32_t receive = o->receive_bytes ? o->receive_bytes : RECEIVE_BYTES;
    t->send_bytes = o->send_bytes ? o->send_bytes : SEND_BYTES;
    t->open_timeout_ms = o->open_timeout_ms;
    t->linger_ms = o->linger_ms ? o->linger_ms : LINGER_MS;
    if (!buffer_ok(receive, 65536) || !buffer_ok(t->send_bytes, 16384)) {
        snprintf(error, error_bytes, "receive_bytes and send_bytes are powers of two, at least 64 KiB and 16 KiB, at most 1 GiB");
        errno = EINVAL;
        return false;
    }
    if (o->capture && !(t->capture = trk_capture_open(o->capture, error, error_bytes)))
        return false;
    t->epoll = epoll_create1(EPOLL_CLOEXEC);
    struct trk_endpoint_config config = { .epoll = t->epoll, .capture = t->capture, .receive_bytes = receive, .send_bytes = t->send_bytes };
    if (t->epoll >= 0 && sodium_init() >= 0)
        t->endpoint = trk_endpoint_open(&config);
    if (!t->endpoint)
        snprintf(error, error_bytes, "cannot make a context: %s", strerror(errno));
    return t->endpoint != NULL;
}

struct trickles *trickles_new(const struct trickles_options *options, char *error, size_t error_bytes)
{
    static const struct trickles_options defaults;
    struct trickles *t = calloc(1, sizeof *t);
    if (!t) {
        snprintf(error, error_bytes, "out of memory");
        return NULL;
    }
    t->epoll = t->timer = -1;
    t->armed_us = UINT64_MAX;
    t->idle = true;
    t->pid = getpid();
    t->events_end = &t->events;
    errno = ENOMEM;
    if (set_up(t, options ? options : &defaults, error, error_bytes)) {
        trk_endpoint_clock(t->endpoint, clock_us());
        return t;
    }
    int kept = errno;
    trickles_free(t);
    errno = kept;
    return NULL;
}

void trickles_free(struct trickles *t)
{
    if (!t)
        return;
    bool ours = t->pid == getpid();
    while (t->conns) {
        struct trickles_conn *c = t->conns;
        if (ours && c->end.client) {
            trk_client_close(c->end.client);
            trk_end_send(&c->end);
        }
        conn_free(c);
    }
    if (ours && t->endpoint)
        trk_endpoint_flush(t->endpoint);
    trk_endpoint_close(t->endpoint);
    if (t->capture)
        trk_capture_close(t->capture);
    if (t->timer >= 0)
        close(t->timer);
    if (t->epoll >= 0)
        close(t->epoll);
    free(t);
}

/* ---- the queue of events ---- */
void context_queue(struct trickles_conn *c, unsigned what)
{
    struct trickles *t = c->t;
    c->what |= what;
    if (c->queued)
        return;
    c->queued = true;
    c->next_event = NULL;
    *t->events_end = c;
    t->events_end = &c->next_event;
}

static void dequeue(struct trickles *t, struct trickles_conn **at)
{
    struct trickles_conn *c = *at;
    *at = c->next_event;
    if (!*at)
        t->events_end = at;
    c->queued = false;
    c->what = 0;
}

void context_unqueue(struct trickles_conn *c)
{
    struct trickles_conn **at = &c->t->events;
    if (!c->queued)
        return;
    while (*at != c)
        at = &(*at)->next_event;
    dequeue(c->t, at);
}

/* ---- turning ---- */
/* What the program did, what its time has come for; then a batch of packets, each to its connection. False: nothing to do now. */
static bool turn(struct trickles *t)
{
    struct trk_endpoint *e = t->endpoint;
    struct trk_end *end;
    trk_endpoint_clock(e, clock_us());
    while ((end = trk_endpoint_next(e)))
        conn_run((struct trickles_conn *)(void *)end);
    trk_endpoint_flush(e);
    if (t->events)
        return true;                   /* lent data, if any, is still where it was */
    bool more = trk_endpoint_feed(e);
    for (struct trk_end *heard = NULL; (heard = trk_endpoint_fed(e, heard)); )
        conn_heard((struct trickles_conn *)(void *)heard);
    return more;
}

/* The timer is left where it goes off too early. */
static void arm(struct trickles *t, uint64_t at_us)
{
    bool went_off = t->armed_us != UINT64_MAX && t->armed_us <= clock_us();
    if (t->timer < 0 || (at_us >= t->armed_us && !went_off))
        return;
    struct itimerspec when = { .it_value = { (time_t)(at_us / 1000000), (long)(at_us % 1000000) * 1000 } };
    if (at_us == UINT64_MAX)
        when.it_value = (struct timespec){ 0, 0 };
    else if (at_us == 0)
        when.it_value = (struct timespec){ 0, 1 };
    timerfd_settime(t->timer, TFD_TIMER_ABSTIME, &when, NULL);
    t->armed_us = at_us;
}

void context_rouse(struct trickles *t)
{
    if (t->idle)
        arm(t, 0);
    t->idle = false;
}

/* Events, if there are any now. */
static int take_events(struct trickles *t, struct trickles_event *events, int n)
{
    int got = 0;
    while (!t->events)
        if (!turn(t) && !t->events) {
            arm(t, trk_endpoint_wake_us(t->endpoint));
            if (t->capture)
                trk_capture_flush(t->capture);
            t->idle = true;
            return 0;
        }
    t->idle = false;
    for (; t->events && got < n; got++) {
        struct trickles_conn *c = t->events;
        events[got] = (struct trickles_event){ c, c->user, c->what };
        dequeue(t, &t->events);
    }
    return got;
}

/* Until the endpoint or the caller's patience says so. 0, or -EINTR. */
static int sleep_until(struct trickles *t, uint64_t until_us)
{
    uint64_t wake = trk_endpoint_wake_us(t->endpoint), now = clock_us();
    if (until_us < wake)
        wake = until_us;
    uint64_t wait = wake > now ? wake - now : 0;
    struct timespec limit = { (time_t)(wait / 1000000), (long)(wait % 1000000) * 1000 };
    struct epoll_event events[8];
    if (!t->coarse) {
        if (epoll_pwait2(t->epoll, events, 8, wake == UINT64_MAX ? NULL : &limit, NULL) >= 0)
            return 0;
        if (errno == EINTR)
            return -EINTR;
        t->coarse = true;              /* before Linux 5.11, or under an old container profile */
    }
    int n = epoll_wait(t->epoll, events, 8, wake == UINT64_MAX ? -1 : (int)(wait / 1000 < 60000 ? wait / 1000 + 1 : 60000));
    return n < 0 && errno == EINTR ? -EINTR : 0;
}

int trickles_wait(struct trickles *t, struct trickles_event *events, int n, int timeout_ms)
{
    uint64_t until = timeout_ms < 0 ? UINT64_MAX : timeout_ms == 0 ? 0 : clock_us() + (uint64_t)timeout_ms * 1000;
    for (;;) {
        int got = take_events(t, events, n);
        if (got || !until || (until != UINT64_MAX && clock_us() >= until))
            return got;
        int status = sleep_until(t, until);
        if (status < 0)
            return status;
    }
}

int trickles_fd(struct trickles *t)
{
    if (t->timer < 0) {
        t->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
        struct epoll_event event = { .events = EPOLLIN };
        if (t->timer < 0 || epoll_ctl(t->epoll, EPOLL_CTL_ADD, t->timer, &event) < 0)
            return -errno;
        arm(t, t->events ? 0 : trk_endpoint_wake_us(t->endpoint));
    }
    return t->epoll;
}

const char *trickles_why(const struct trickles *t) { return t->why; }
uint64_t trickles_drops(struct trickles *t) { return trk_endpoint_drops(t->endpoint); }
