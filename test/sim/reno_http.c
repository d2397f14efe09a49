#include "reno_http.h"

#include <stdlib.h>
#include <string.h>

#include "reno_sender.h"

#define HEADER_BYTES 52                /* IPv4, TCP and timestamps */
#define REQUEST_BYTES 40               /* of payload */
#define SYN_TRIES 7
#define SYN_TIMEOUT_US 1000000ull

enum { CLIENT, SERVER };               /* whose timer: the `client` of a wake event */
enum kind { SYN, SYN_ACK, REQUEST, DATA, ACK };

struct message {
    enum kind kind;
    uint32_t index;                    /* DATA: of the packet; REQUEST: of the object */
    uint32_t requests;                 /* from the server: how many requests it has */
    uint64_t sent_us, echo_us;
    struct reno_ack ack;
};

struct exchange {
    struct sim_reno_http *h;
    struct sim_path up, down;
    struct sim_random random;
    struct sim_events events;
    uint64_t now_us;
    uint32_t *ends;                    /* packets of the first i + 1 objects */
    /* server */
    struct reno_sender sender;
    uint32_t requests;                 /* received */
    uint64_t request_us;               /* when the newest was sent: echoed */
    /* client */
    uint8_t *got;
    uint32_t expected, recent[RENO_RECENT], n_recent;
    uint32_t object;                   /* being waited for */
    bool     connected, asked, heard;  /* asked: its request has left; heard: and the server has said so */
    unsigned tries;                    /* of the SYN */
    struct reno_rtt rtt;
    uint64_t timer_us, begin_us, connected_us;          /* begin: the SYN|ACK was sent */
};

static void wake(struct exchange *x, uint16_t who, uint64_t at_us) { sim_events_add(&x->events, at_us, SIM_EVENT_CLIENT_WAKE, who, NULL); }

static uint32_t packets_of(const struct exchange *x, unsigned object)
{
    uint64_t payload = x->h->mtu - HEADER_BYTES;
    return (uint32_t)((x->h->objects[object].bytes + payload - 1) / payload);
}

/* The last packet of an object is as long as what is left of it. */
static uint32_t bytes_of(const struct exchange *x, uint32_t index)
{
    unsigned object = 0;

    while (index >= x->ends[object])
        object++;
    uint32_t payload = x->h->mtu - HEADER_BYTES;
    if (index + 1 < x->ends[object])
        return x->h->mtu;
    return (uint32_t)(x->h->objects[object].bytes - (uint64_t)(packets_of(x, object) - 1) * payload) + HEADER_BYTES;
}

static void carry(struct exchange *x, bool up, const struct message *m, uint32_t bytes)
{
    uint8_t packet[2048] = { 0 };

    memcpy(packet, m, sizeof *m);
    sim_path_send(up ? &x->up : &x->down, &x->random, &x->events, x->now_us, up ? SIM_EVENT_TO_SERVER : SIM_EVENT_TO_CLIENT, 0, packet,
                  bytes > sizeof *m ? bytes : (uint32_t)sizeof *m);
}

/* ---- server ---- */

static void serve(struct exchange *x)
{
    uint32_t index;

    while (reno_sender_next(&x->sender, x->now_us, &index))
        carry(x, false, &(struct message){ .kind = DATA, .index = index, .requests = x->requests, .sent_us = x->now_us, .echo_us = x->request_us },
              bytes_of(x, index));
    if (x->sender.rto_at_us)
        wake(x, SERVER, x->sender.rto_at_us);
}

static void at_server(struct exchange *x, const struct message *m)
{
    if (m->kind == SYN) {
        carry(x, false, &(struct message){ .kind = SYN_ACK, .echo_us = m->sent_us, .sent_us = x->now_us }, HEADER_BYTES);
        return;
    }
    if (m->kind == ACK) {
        reno_sender_ack(&x->sender, &m->ack, x->now_us);
        serve(x);
        return;
    }
    if (x->sender.rtt.srtt_us <= 0)
        reno_rtt_sample(&x->sender.rtt, x->now_us - m->echo_us);
    if (m->index < x->requests) {      /* once more: the acknowledgement got lost */
        carry(x, false, &(struct message){ .kind = ACK, .requests = x->requests, .echo_us = m->sent_us }, HEADER_BYTES);
        return;
    }
    x->requests = m->index + 1;
    x->request_us = m->sent_us;
    reno_sender_give(&x->sender, x->ends[m->index], x->now_us);
    serve(x);
}

/* ---- client ---- */

static void set_timer(struct exchange *x, uint64_t at_us)
{
    x->timer_us = at_us;
    wake(x, CLIENT, at_us);
}

static void send_syn(struct exchange *x)
{
    carry(x, true, &(struct message){ .kind = SYN, .sent_us = x->now_us }, HEADER_BYTES);
    set_timer(x, x->now_us + (SYN_TIMEOUT_US << x->tries));
    x->tries++;
}

/* The handshake's acknowledgement rides on the first request, and measures the handshake however often that is sent. */
static void ask(struct exchange *x)
{
    x->asked = true;
    carry(x, true, &(struct message){ .kind = REQUEST, .index = x->object, .sent_us = x->now_us, .echo_us = x->begin_us + x->now_us - x->connected_us }, HEADER_BYTES + REQUEST_BYTES);
    set_timer(x, x->now_us + reno_rto_us(&x->rtt));
}

static void think(struct exchange *x)
{
    x->asked = x->heard = false;
    x->rtt.backoff = 0;
    if (x->object == x->h->n_objects)
        return;
    if (x->h->objects[x->object].think_us)
        set_timer(x, x->now_us + x->h->objects[x->object].think_us);
    else
        ask(x);
}

static void on_client_timer(struct exchange *x)
{
    if (!x->connected) {
        if (x->tries < SYN_TRIES)
            send_syn(x);
        return;
    }
    if (x->asked && x->heard)
        return;
    if (x->asked)
        x->rtt.backoff++;
    ask(x);
}

static void acknowledge(struct exchange *x, const struct message *m)
{
    struct message a = { .kind = ACK, .ack = { .cumulative = x->expected, .echo_us = m->sent_us } };

    memmove(x->recent + 1, x->recent, (RENO_RECENT - 1) * sizeof *x->recent);
    x->recent[0] = m->index;
    x->n_recent += x->n_recent < RENO_RECENT;
    a.ack.n_recent = x->n_recent;
    memcpy(a.ack.recent, x->recent, sizeof a.ack.recent);
    carry(x, true, &a, HEADER_BYTES);
}

static void take_data(struct exchange *x, const struct message *m)
{
    x->got[m->index] = 1;
    while (x->expected < x->ends[x->h->n_objects - 1] && x->got[x->expected])
        x->expected++;
    acknowledge(x, m);
    if (x->object < x->h->n_objects && x->expected >= x->ends[x->object]) {
        if (x->h->done_us)
            x->h->done_us[x->object] = x->now_us;
        x->object++;
        think(x);
    }
}

static void at_client(struct exchange *x, const struct message *m)
{
    if (m->kind == SYN_ACK) {
        if (x->connected)
            return;
        x->connected = true;
        x->begin_us = m->sent_us;
        reno_rtt_sample(&x->rtt, x->now_us - m->echo_us);
        x->connected_us = x->now_us;
        think(x);
        return;
    }
    if (x->asked && !x->heard && m->requests > x->object) {
        x->heard = true;
        reno_rtt_sample(&x->rtt, x->now_us - m->echo_us);
    }
    if (m->kind == DATA)
        take_data(x, m);
}

/* ---- one run ---- */

static void react(struct exchange *x, const struct sim_event *e)
{
    struct message m;

    if (e->kind == SIM_EVENT_CLIENT_WAKE) {
        if (e->client == CLIENT && e->at_us == x->timer_us)
            on_client_timer(x);
        if (e->client == SERVER && e->at_us == x->sender.rto_at_us) {
            reno_sender_timeout(&x->sender, x->now_us);
            serve(x);
        }
        return;
    }
    memcpy(&m, e->packet->data, sizeof m);
    if (e->kind == SIM_EVENT_TO_SERVER)
        at_server(x, &m);
    else
        at_client(x, &m);
}

static void *zeroed(size_t bytes)
{
    void *p = calloc(bytes, 1);
    if (!p)
        abort();
    return p;
}

static void begin(struct exchange *x)
{
    uint32_t total = 0;

    x->ends = zeroed(x->h->n_objects * sizeof *x->ends);
    for (unsigned i = 0; i < x->h->n_objects; i++)
        x->ends[i] = total += packets_of(x, i);
    x->got = zeroed(total + 1);
    reno_sender_init(&x->sender, zeroed(total + 1));
    x->sender.prompt = true;
    sim_path_init(&x->up, x->h->up);
    sim_path_init(&x->down, x->h->down);
    sim_random_seed(&x->random, x->h->seed ^ 0x2e40);
    send_syn(x);
}

double sim_reno_http(struct sim_reno_http *h)
{
    struct exchange x = { .h = h };
    struct sim_event e;

    begin(&x);
    while (x.object < h->n_objects && sim_events_next(&x.events, &e)) {
        x.now_us = e.at_us;
        react(&x, &e);
        free(e.packet);
    }
    h->up_pkts = x.up.sent_pkts;
    h->down_pkts = x.down.sent_pkts;
    sim_events_clear(&x.events);
    free(x.events.heap);
    free(x.sender.state);
    free(x.got);
    free(x.ends);
    return x.object < h->n_objects ? -1 : (double)x.now_us / 1e6;
}
