#include "connection.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "address.h"
#include "config.h"
#include "libc.h"
#include "links.h"
#include "log.h"

#define END_LIMIT_US   60000000u       /* how long bytes written before close() may take to leave */
#define QUIET_US       1000000u

static void attach(struct shim_loop *loop, struct shim_connection *c)
{
    c->next = loop->connections;
    if (c->next)
        c->next->previous = c;
    loop->connections = c;
}

static void detach(struct shim_connection *c)
{
    if (c->next)
        c->next->previous = c->previous;
    if (c->previous)
        c->previous->next = c->next;
    else
        c->loop->connections = c->next;
}

/* Out of epoll first: where the program has the same file open, closing alone would leave it in there. */
void shim_connection_close_fd(struct shim_connection *c, int *fd)
{
    if (*fd >= 0) {
        epoll_ctl(c->loop->epoll, EPOLL_CTL_DEL, *fd, NULL);
        close(*fd);
    }
    *fd = -1;
}

void shim_connection_let_app_end_go(struct shim_connection *c)
{
    shim_connection_close_fd(c, &c->app_fd);
    atomic_store(&c->socket->shared->held, 0);
    shim_futex_wake(&c->socket->shared->held);
}

void shim_connection_let_kernel_go(struct shim_connection *c)
{
    shim_connection_close_fd(c, &c->kernel_fd);
    atomic_store(&c->socket->shared->kernel_held, 0);
    shim_futex_wake(&c->socket->shared->kernel_held);
}

/* No memory or no descriptor for it. Whoever waits goes on with TCP; for others closing our end fails the connection. */
static void refuse(const struct shim_message *message, const int *fds, int n, int error)
{
    struct shim_shared *shared = message->socket->shared;
    uint32_t waited = SHIM_WAITED;
    atomic_store(&shared->error, error);
    if (shim_config.mode == SHIM_REQUIRE || !atomic_compare_exchange_strong(&shared->state, &waited, SHIM_FALLBACK))
        atomic_store(&shared->state, SHIM_FAILED);
    for (int i = 0; i < n; i++)
        close(fds[i]);
    atomic_store(&shared->finished, 1);
    atomic_store(&shared->held, 0);
    atomic_store(&shared->kernel_held, 0);
    shim_futex_wake(&shared->state);
    shim_futex_wake(&shared->held);
    shim_futex_wake(&shared->kernel_held);
    shim_socket_release_by_engine(message->socket);
}

void shim_connection_start(struct shim_loop *loop, const struct shim_message *message, const int fds[3], int n)
{
    size_t bytes = sizeof(struct shim_connection);
    struct shim_connection *c = n == 3 ? mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) : MAP_FAILED;
    if (c != MAP_FAILED && !shim_timers_join(&loop->timers)) {
        munmap(c, bytes);
        c = MAP_FAILED;
    }
    if (c == MAP_FAILED) {
        refuse(message, fds, n, n == 3 ? ENOMEM : EMFILE);
        return;
    }
    c->loop = loop;
    c->socket = message->socket;
    c->socket->connection = c;
    c->pair.fd = fds[0];
    c->app_fd = fds[1];
    c->kernel_fd = fds[2];
    c->guard_fd = -1;
    c->bound = message->bound;
    c->bound_to = message->local;
    c->lent_reuse = message->lent_reuse;
    c->pair_source = (struct shim_source){ SHIM_SOURCE_PAIR, c };
    c->kernel_source = (struct shim_source){ SHIM_SOURCE_KERNEL, c };
    attach(loop, c);
    shim_loop_watch(loop, c->pair.fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, &c->pair_source);
    shim_connection_touch(c);
}

void shim_connection_end(struct shim_connection *c)
{
    shim_connection_publish(c);
    shim_connection_close_fd(c, &c->pair.fd);
    shim_connection_let_app_end_go(c);
    shim_connection_let_kernel_go(c);
    shim_connection_drop_port(c);
    bool guarded = c->guard_fd >= 0;
    atomic_store(&c->socket->shared->unsent_bytes, 0);
    atomic_store(&c->socket->shared->finished, 1);
    c->stage = guarded ? SHIM_QUIET : SHIM_OVER;
    c->limit_us = c->wake_us = c->loop->now_us + QUIET_US;
}

static void run_once(struct shim_connection *c)
{
    switch (c->stage) {
    case SHIM_ROUTING:
        if (c->app_closed)
            shim_connection_end(c);
        else
            shim_opening_route(c);
        break;
    case SHIM_OPENING:
        if (c->app_closed)
            trk_client_close(&c->client);
        shim_stream_send(c);
        shim_opening_follow(c);
        break;
    case SHIM_STREAM:
    case SHIM_ENDING:
        shim_stream_run(c);
        break;
    case SHIM_TCP:
        shim_relay_run(c);
        break;
    case SHIM_QUIET:
        if (c->loop->now_us >= c->limit_us) {
            shim_opening_release(c);
            c->stage = SHIM_OVER;
        }
        break;
    case SHIM_OVER:
        break;
    }
}

void shim_connection_run(struct shim_connection *c)
{
    enum shim_stage before;
    do {                               /* a new stage has something to do at once */
        before = c->stage;
        run_once(c);
    } while (c->stage != before);
    if (c->stage == SHIM_OPENING || c->stage == SHIM_STREAM || c->stage == SHIM_ENDING)
        trk_client_keep(&c->client);   /* the link's next batch overwrites this one */
    if (c->stage != SHIM_OVER) {
        shim_timers_set(&c->loop->timers, &c->timer, c->wake_us);
    } else if (!c->over) {
        c->over = true;
        c->next_over = c->loop->over;
        c->loop->over = c;
    }
}

void shim_connection_touch(struct shim_connection *c)
{
    if (c->dirty)
        return;
    c->dirty = true;
    c->next_dirty = c->loop->dirty;
    c->loop->dirty = c;
}

static void touch_due(struct shim_loop *loop)
{
    struct shim_timer *timer;
    while ((timer = shim_timers_due(&loop->timers, loop->now_us)))
        shim_connection_touch((struct shim_connection *)(void *)((char *)timer - offsetof(struct shim_connection, timer)));
}

void shim_connections_run(struct shim_loop *loop, bool due)
{
    if (due)
        touch_due(loop);
    struct shim_connection *c = loop->dirty, *next;
    loop->dirty = NULL;                /* what is touched from now on runs in the next round */
    for (; c; c = next) {
        next = c->next_dirty;
        c->dirty = false;
        shim_connection_run(c);
    }
}

uint64_t shim_connections_wake_us(const struct shim_loop *loop)
{
    return loop->dirty ? 0 : shim_timers_next_us(&loop->timers);
}

static struct shim_connection **port_bucket(struct shim_loop *loop, uint16_t port)
{
    return &loop->by_port[port % SHIM_PORT_BUCKETS];
}

void shim_connection_take_port(struct shim_connection *c)
{
    struct shim_connection **bucket = port_bucket(c->loop, c->client.config.flow.sport);
    c->next_port = *bucket;
    *bucket = c;
    c->has_port = true;
}

void shim_connection_drop_port(struct shim_connection *c)
{
    struct shim_connection **at = port_bucket(c->loop, c->client.config.flow.sport);
    if (!c->has_port)
        return;
    shim_links_drop_port(c->link, &c->port);
    while (*at != c)
        at = &(*at)->next_port;
    *at = c->next_port;
    c->has_port = false;
}

void shim_connection_pair_event(struct shim_connection *c, uint32_t events)
{
    if (events & EPOLLRDHUP)
        c->app_shut = true;
    c->app_full = false;               /* whatever it is, try again */
    if (events & (EPOLLHUP | EPOLLERR)) {
        int error = 0;
        socklen_t len = sizeof error;
        c->app_shut = c->app_closed = true;
        /* ECONNRESET: it closed while bytes of ours lay unread, which for TCP is a reset. */
        if (libc_getsockopt(c->pair.fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 && error)
            c->app_reset = true;
        if (atomic_load(&c->socket->shared->abort_on_close))
            c->app_reset = true;
        if (c->stage == SHIM_STREAM) {
            c->stage = SHIM_ENDING;
            c->limit_us = c->loop->now_us + END_LIMIT_US;
        }
    }
    shim_connection_touch(c);
}

struct shim_connection *shim_connection_by_flow(struct shim_loop *loop, const struct trk_flow *received)
{
    struct trk_flow sent = trk_flow_reverse(received);
    for (struct shim_connection *c = *port_bucket(loop, sent.sport); c; c = c->next_port)
        if (trk_flow_equal(&c->client.config.flow, &sent))
            return c;
    return NULL;
}

struct shim_connection *shim_connection_by_socket(const struct shim_socket *s)
{
    struct shim_connection *c = s->connection;
    return c && c->stage != SHIM_OVER && c->stage != SHIM_QUIET ? c : NULL;
}

void shim_connection_publish(struct shim_connection *c)
{
    if (c->stage != SHIM_OPENING && c->stage != SHIM_STREAM && c->stage != SHIM_ENDING)
        return;
    struct trk_client_stats stats;
    trk_client_stats(&c->client, &stats);
    shim_stats_write(c->socket->shared, &stats);
    atomic_store(&c->socket->shared->unsent_bytes, trk_client_unsent(&c->client) + shim_pair_unread(&c->pair));
}

void shim_connection_abort(struct shim_connection *c)
{
    c->app_shut = c->app_closed = c->app_reset = true;
    c->app_full = false;
    if (c->stage == SHIM_STREAM)
        c->stage = SHIM_ENDING;
    shim_connection_touch(c);
}

bool shim_connection_drained(struct shim_connection *c)
{
    if (c->stage == SHIM_TCP)
        return shim_relay_drained(c);
    if (c->stage != SHIM_STREAM && c->stage != SHIM_ENDING)
        return true;
    return shim_pair_unread(&c->pair) == 0 && trk_client_unsent(&c->client) == 0;
}

void shim_connection_finish(struct shim_connection *c)
{
    bool open = c->stage == SHIM_OPENING || c->stage == SHIM_STREAM || c->stage == SHIM_ENDING;
    if (open) {
        trk_client_close(&c->client);
        shim_stream_send(c);
    }
    if (c->stage != SHIM_QUIET && c->stage != SHIM_OVER) {
        shim_pair_settle(&c->pair);
        shim_connection_end(c);
        shim_connection_touch(c);
    }
}

static void free_one(struct shim_connection *c)
{
    struct shim_shared *shared = c->socket->shared;
    shim_opening_release(c);
    shim_connection_close_fd(c, &c->pair.fd);
    shim_connection_let_app_end_go(c);
    shim_connection_let_kernel_go(c);
    atomic_store(&shared->finished, 1);
    shim_timers_leave(&c->loop->timers, &c->timer);
    c->socket->connection = NULL;
    detach(c);
    free(c->up);
    free(c->down);
    shim_socket_release_by_engine(c->socket);
    munmap(c, sizeof *c);
}

void shim_connections_free_over(struct shim_loop *loop)
{
    if (loop->over && loop->dirty)
        shim_connections_run(loop, false);     /* so that none of them waits for its turn while it is freed */
    while (loop->over) {
        struct shim_connection *c = loop->over;
        loop->over = c->next_over;
        free_one(c);
    }
}
