/* load.c - each connection asks, waits, rests and asks again, until enough was asked. */
#include "load.h"
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PROGRESS_US 1000000
#define RETRY_US    100000             /* after an error: nobody is helped by asking again at once */
#define EVENTS      TRANSPORT_EVENTS

volatile int load_interrupted;

uint64_t clock_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* ---- lists: what waits for the same time is in order of its times ---- */
static void leave(struct load_conn *c)
{
    struct load_list *list = c->list;
    if (!list)
        return;
    *(c->previous ? &c->previous->next : &list->first) = c->next;
    *(c->next ? &c->next->previous : &list->last) = c->previous;
    c->list = NULL;
}

static void join(struct load_conn *c, struct load_list *list)
{
    leave(c);
    c->list = list;
    c->next = NULL;
    c->previous = list->last;
    *(list->last ? &list->last->next : &list->first) = c;
    list->last = c;
}

/* ---- asking ---- */
static bool enough(const struct load *l)
{
    return l->ending || (l->options->requests && l->asked >= (uint64_t)l->options->requests);
}

static void close_conn(struct load_conn *c)
{
    if (c->conn)
        c->load->ops->close(c->conn);
    c->conn = NULL;
}

static void count_error(struct load *l, const char *why)
{
    l->counts.errors++;
    for (int i = 0; i < LOAD_ERROR_KINDS; i++) {
        struct load_error *e = &l->counts.kinds[i];
        if (!e->why)
            e->why = strdup(why);
        if (e->why && (i == LOAD_ERROR_KINDS - 1 || strcmp(e->why, why) == 0)) {
            e->n++;
            return;
        }
    }
}

static void no_longer_first(struct load_conn *c)
{
    c->load->n_opening -= c->first;
    c->first = false;
}

static void failed(struct load_conn *c, const char *why, uint64_t now_us)
{
    count_error(c->load, why);
    no_longer_first(c);
    close_conn(c);
    c->due_us = now_us + RETRY_US;
    join(c, &c->load->failing);
}

static void ask(struct load_conn *c, uint64_t now_us)
{
    struct load *l = c->load;
    const char *why = "a request does not fit the connection";
    c->target = &l->targets.all[l->next_target++ % l->targets.n];
    answer_begin(c);
    c->started_us = now_us;
    l->asked++;
    bool sent = false;
    if (c->conn) {
        sent = l->ops->write(c->conn, c->target->request, c->target->request_bytes);
    } else {
        c->conn = l->ops->open(l->transport, (struct sockaddr *)&l->targets.peer, c->target->request, c->target->request_bytes, c, &why);
        sent = c->conn != NULL;
        l->counts.opened += sent;
    }
    if (sent)
        join(c, &l->asking);
    else
        failed(c, why, now_us);
}

static void answered(struct load_conn *c, uint64_t now_us)
{
    struct load *l = c->load;
    histogram_add(&l->latency, now_us - c->started_us);
    l->counts.answers++;
    l->counts.body_bytes += c->body_bytes;
    l->counts.by_status[c->parser.status_code / 100 < 6 ? c->parser.status_code / 100 : 0]++;
    no_longer_first(c);
    if (l->options->new_connection || !c->keep)
        close_conn(c);
    if (enough(l)) {
        leave(c);
    } else if (l->options->think_ms) {
        c->due_us = now_us + (uint64_t)l->options->think_ms * 1000;
        join(c, &l->resting);
    } else {
        ask(c, now_us);
    }
}

static void read_answer(struct load_conn *c, uint64_t now_us)
{
    int status = c->load->ops->pull(c->conn, answer_take, c);
    if (status == 0 && c->list != &c->load->asking) {
        close_conn(c);                 /* the server ended an idle connection: the next request opens another */
        return;
    }
    if (status == 0 && !c->complete)
        answer_ended(c);
    if (c->complete)
        answer_verify(c);
    if (c->bad)
        failed(c, c->bad, now_us);
    else if (c->complete && c->list == &c->load->asking)
        answered(c, now_us);
}

static void on_event(const struct transport_event *event, uint64_t now_us)
{
    struct load_conn *c = event->user;
    if (!c->conn)
        return;
    bool asking = c->list == &c->load->asking;
    read_answer(c, now_us);
    if (!event->failed || !c->conn)
        return;
    if (asking && c->list == &c->load->asking && !c->complete)
        failed(c, event->why, now_us);
    else
        close_conn(c);
}

/* ---- time ---- */
static void start_more(struct load *l, uint64_t now_us)
{
    while (l->n_started < l->options->connections && l->n_opening < l->options->opening && !enough(l)) {
        struct load_conn *c = &l->conns[l->n_started++];
        c->first = true;
        l->n_opening++;
        ask(c, now_us);
    }
}

static void ask_due(struct load *l, struct load_list *list, uint64_t now_us)
{
    while (list->first && list->first->due_us <= now_us) {
        struct load_conn *c = list->first;
        leave(c);
        if (!enough(l))
            ask(c, now_us);
    }
}

static void time_out(struct load *l, uint64_t now_us)
{
    uint64_t limit_us = (uint64_t)l->options->timeout_ms * 1000;
    while (l->asking.first && now_us - l->asking.first->started_us >= limit_us)
        failed(l->asking.first, "no answer in time (--timeout)", now_us);
}

static void warm_up(struct load *l, uint64_t now_us)
{
    if (l->warm || now_us < l->counted_from_us)
        return;
    for (int i = 0; i < LOAD_ERROR_KINDS; i++)
        free((void *)(uintptr_t)l->counts.kinds[i].why);
    memset(&l->counts, 0, sizeof l->counts);
    histogram_clear(&l->latency);
    l->warm = true;
    l->counted_from_us = now_us;
}

static uint64_t next_time(const struct load *l, uint64_t progress_us)
{
    uint64_t at = progress_us;
    if (l->ends_us && l->ends_us < at)
        at = l->ends_us;
    if (!l->warm && l->counted_from_us < at)
        at = l->counted_from_us;
    if (l->resting.first && l->resting.first->due_us < at)
        at = l->resting.first->due_us;
    if (l->failing.first && l->failing.first->due_us < at)
        at = l->failing.first->due_us;
    return at;
}

static bool over(const struct load *l)
{
    return load_interrupted || (l->ends_us && l->ending) ||
           (enough(l) && !l->asking.first && !l->resting.first && !l->failing.first);
}

static void loop(struct load *l)
{
    struct transport_event events[EVENTS];
    uint64_t now_us = clock_us(), progress_us = now_us + PROGRESS_US;
    while (!over(l)) {
        start_more(l, now_us);
        int n = l->ops->wait(l->transport, events, EVENTS, next_time(l, progress_us));
        now_us = clock_us();
        l->ending = l->ends_us && now_us >= l->ends_us;
        warm_up(l, now_us);
        for (int i = 0; i < n; i++)
            on_event(&events[i], now_us);
        ask_due(l, &l->resting, now_us);
        ask_due(l, &l->failing, now_us);
        time_out(l, now_us);
        if (now_us >= progress_us) {
            progress_us += PROGRESS_US;
            report_progress(l, now_us);
        }
    }
}

static bool set_up(struct load *l, char *error, size_t error_bytes)
{
    size_t n = (size_t)l->options->connections;
    l->conns = calloc(n, sizeof *l->conns);
    if (!l->conns) {
        snprintf(error, error_bytes, "out of memory");
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        l->conns[i].load = l;
        /* 64-aligned, as its type wants it */
        if (l->options->verify && !(l->conns[i].hash = aligned_alloc(64, (sizeof *l->conns[i].hash + 63) & ~(size_t)63))) {
            snprintf(error, error_bytes, "out of memory");
            return false;
        }
    }
    l->transport = l->ops->new(l->options, error, error_bytes);
    return l->transport != NULL;
}

bool load_run(struct load *l, char *error, size_t error_bytes)
{
    bool ok = set_up(l, error, error_bytes);
    if (ok) {
        l->began_us = clock_us();
        l->counted_from_us = l->began_us + (uint64_t)(l->options->warmup_seconds * 1e6);
        l->warm = l->options->warmup_seconds <= 0;
        l->ends_us = l->options->requests ? 0 : l->counted_from_us + (uint64_t)(l->options->seconds * 1e6);
        loop(l);
        ok = report_end(l, clock_us());
        if (!ok)
            snprintf(error, error_bytes, "cannot write %s", l->options->json);
    }
    for (int i = 0; l->conns && i < l->options->connections; i++) {
        close_conn(&l->conns[i]);
        free(l->conns[i].hash);
    }
    if (l->transport)
        l->ops->free(l->transport);
    free(l->conns);
    return ok;
}
