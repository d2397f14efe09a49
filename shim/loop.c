/* loop.c - the engine's thread: one epoll loop over the control socket, the links, and the connections' ends. */
#include "loop.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <pthread.h>
#include <sched.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>
#include "config.h"
#include "connection.h"
#include "hints.h"
#include "libc.h"
#include "limit.h"
#include "links.h"
#include "log.h"

#define EVENTS 64

static uint64_t clock_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

bool shim_loop_watch(struct shim_loop *loop, int fd, uint32_t events, struct shim_source *source)
{
    struct epoll_event event = { .events = events, .data.ptr = source };
    return epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

/* A table of our own: a copy of the program's in which only ours stay open. close_range() makes the copy where
 * container profiles forbid unshare(). The standard numbers are taken, so that a library which writes to them writes to nobody. */
static bool take_own_table(const struct shim_loop_start *start)
{
    int low = start->control < start->log ? start->control : start->log;
    int high = start->control < start->log ? start->log : start->control;
    if (libc_close_range((unsigned)high + 1, ~0u, CLOSE_RANGE_UNSHARE) < 0 &&
        (unshare(CLONE_FILES) < 0 || libc_close_range((unsigned)high + 1, ~0u, 0) < 0))
        return false;
    if (low > 0)
        libc_close_range(0, (unsigned)low - 1, 0);
    if (high > low + 1)
        libc_close_range((unsigned)low + 1, (unsigned)high - 1, 0);
    int null;
    do
        null = open("/dev/null", O_RDWR | O_CLOEXEC);
    while (null >= 0 && null <= STDERR_FILENO);
    if (null > STDERR_FILENO)
        close(null);
    return true;
}

/* FILE; in a forked child, whose parent may be writing that, FILE.PID. */
static void open_capture(struct shim_loop *loop, bool in_child)
{
    char error[256], path[PATH_MAX];
    if (!shim_config.pcap_file)
        return;
    int n = snprintf(path, sizeof path, "%s", shim_config.pcap_file);
    if (in_child && n > 0 && (size_t)n < sizeof path)
        snprintf(path + n, sizeof path - (size_t)n, ".%d", (int)getpid());
    loop->capture = trk_capture_open(path, error, sizeof error);
    if (!loop->capture)
        shim_log(SHIM_LOG_ERROR, "TRICKLES_PCAP: %s", error);
}

/* One message and its descriptors. */
static bool receive(struct shim_loop *loop, struct shim_message *message, int fds[3], int *n)
{
    union { struct cmsghdr align; char bytes[CMSG_SPACE(3 * sizeof(int))]; } control;
    struct iovec iov = { .iov_base = message, .iov_len = sizeof *message };
    struct msghdr header = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control };
    struct shim_lift lift;
    *n = 0;
    shim_limit_lift(&lift);
    ssize_t bytes = libc_recvmsg(loop->control, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    shim_limit_lay(&lift);
    if (bytes != (ssize_t)sizeof *message)
        return false;
    struct cmsghdr *c = CMSG_FIRSTHDR(&header);
    if (c && c->cmsg_type == SCM_RIGHTS) {
        *n = (int)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        memcpy(fds, CMSG_DATA(c), (size_t)*n * sizeof(int));
    }
    return true;
}

static void answer_query(struct shim_socket *s)
{
    struct shim_connection *c = shim_connection_by_socket(s);
    if (c) {
        shim_connection_run(c);
        shim_connection_publish(c);
    }
    atomic_fetch_add(&s->shared->answered, 1);
    shim_futex_wake(&s->shared->answered);
}

static void on_connection(const struct shim_message *message)
{
    struct shim_connection *c = shim_connection_by_socket(message->socket);
    if (c && message->command == SHIM_ABORT)
        shim_connection_abort(c);
    if (c && message->command == SHIM_HINT)
        shim_connection_let_app_end_go(c);
}

static void on_control(struct shim_loop *loop)
{
    struct shim_message message;
    int fds[3] = { -1, -1, -1 }, n;
    while (receive(loop, &message, fds, &n)) {
        switch (message.command) {
        case SHIM_OPEN:
            shim_connection_start(loop, &message, fds, n);
            break;
        case SHIM_QUERY:
            answer_query(message.socket);
            break;
        case SHIM_HINT:
        case SHIM_ABORT:
            on_connection(&message);
            break;
        case SHIM_DRAIN:
            loop->draining = true;
            loop->last = message.last;
            loop->drain_done = message.done;
            loop->drain_limit_us = loop->now_us + message.limit_ms * 1000ull;
            for (struct shim_connection *c = loop->connections; c; c = c->next)
                shim_connection_touch(c);
            break;
        }
    }
}

/* exec keeps descriptors, and the connections behind them end with this image: they shall read an end, not a reset. */
static void let_go(struct shim_loop *loop)
{
    for (struct shim_connection *c = loop->connections; c; c = c->next) {
        if (loop->last)
            shim_connection_finish(c);
        else
            shim_pair_settle(&c->pair);
    }
    if (loop->last)
        shim_links_close(loop);
}

static void follow_drain(struct shim_loop *loop)
{
    if (!loop->draining)
        return;
    int left = 0;
    for (struct shim_connection *c = loop->connections; c; c = c->next)
        left += !shim_connection_drained(c);
    if (left && loop->now_us < loop->drain_limit_us)
        return;
    if (left)
        shim_log(SHIM_LOG_WARN, "%d connections end with bytes unsent (TRICKLES_LINGER_MS=%u)", left, shim_config.linger_ms);
    loop->draining = false;
    let_go(loop);
    if (loop->capture)
        trk_capture_flush(loop->capture);
    atomic_store(loop->drain_done, 1);
    shim_futex_wake(loop->drain_done);
}

static void on_event(struct shim_loop *loop, const struct epoll_event *event)
{
    struct shim_source *source = event->data.ptr;
    switch (source->kind) {
    case SHIM_SOURCE_CONTROL:
        on_control(loop);
        break;
    case SHIM_SOURCE_LINK:
        shim_links_receive(loop, source->owner);
        break;
    case SHIM_SOURCE_PAIR:
        shim_connection_pair_event(source->owner, event->events);
        break;
    case SHIM_SOURCE_HINTS:
        shim_hints_receive(loop, source);
        break;
    case SHIM_SOURCE_KERNEL:
        shim_connection_touch(source->owner);
        break;
    }
}

static uint64_t next_wake_us(const struct shim_loop *loop)
{
    uint64_t wake = loop->busy ? 0 : shim_connections_wake_us(loop), narrow = shim_links_wake_us(loop);
    if (narrow < wake)
        wake = narrow;
    return loop->draining && loop->drain_limit_us < wake ? loop->drain_limit_us : wake;
}

static int wait_for_events(struct shim_loop *loop, struct epoll_event *events)
{
    uint64_t wake = next_wake_us(loop), now = clock_us();
    uint64_t wait = wake > now ? wake - now : 0;
    struct timespec limit = { .tv_sec = (time_t)(wait / 1000000), .tv_nsec = (long)(wait % 1000000) * 1000 };
    if (!loop->coarse) {
        int n = epoll_pwait2(loop->epoll, events, EVENTS, wake == UINT64_MAX ? NULL : &limit, NULL);
        if (n >= 0 || errno == EINTR)
            return n;
        loop->coarse = true;           /* before Linux 5.11, or under an old container profile */
    }
    return epoll_wait(loop->epoll, events, EVENTS, wake == UINT64_MAX ? -1 : (int)(wait / 1000 < 60000 ? wait / 1000 + 1 : 60000));
}

static void run(struct shim_loop *loop)
{
    struct epoll_event events[EVENTS];
    for (;;) {
        int n = wait_for_events(loop, events);
        loop->now_us = clock_us();
        for (int i = 0; i < n; i++)
            on_event(loop, &events[i]);
        loop->busy = shim_links_more(loop);
        shim_links_narrow(loop);
        shim_connections_run(loop, true);
        follow_drain(loop);
        if (loop->capture)
            trk_capture_flush(loop->capture);  /* whole at any end of the program */
        shim_connections_free_over(loop);
    }
}

void *shim_loop_main(void *argument)
{
    struct shim_loop_start *start = argument;
    static struct shim_loop loop;
    shim_on_engine = true;
    pthread_setname_np(pthread_self(), "trickles");
    prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);       /* delayed requests leave after fractions of a round trip */
    bool ok = sodium_init() >= 0 && take_own_table(start), in_child = start->in_child;
    memset(&loop, 0, sizeof loop);
    loop.control = start->control;
    loop.control_source = (struct shim_source){ SHIM_SOURCE_CONTROL, &loop };
    loop.epoll = ok ? epoll_create1(EPOLL_CLOEXEC) : -1;
    ok = loop.epoll >= 0 && shim_loop_watch(&loop, loop.control, EPOLLIN, &loop.control_source);
    atomic_store(&start->ready, ok ? SHIM_LOOP_RUNS : SHIM_LOOP_FAILED);
    shim_futex_wake(&start->ready);    /* start is gone from here on */
    if (!ok)
        return NULL;
    open_capture(&loop, in_child);
    shim_hints_open(&loop);
    run(&loop);
    return NULL;
}
