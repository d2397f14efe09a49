/* main.c - trk-crowd: many connections of one client process that keeps 44 bytes for each: opens them, leaves them idle, and lets
 * a random share of them fetch a file.
 *
 *     trk-crowd SERVER4 PORT COUNT IDLE_SECONDS SHARE PATH FILE
 *
 * The engine is not used: a connection here is a SYN, perhaps a refresh, a request, and one more for each window that its answer
 * takes, without any repair of losses but for the SYN. Connections have source addresses of 10.80.0.0/16, which need not
 * exist: the server answers to whom a frame came from. Lines on standard output: "opened ...", "fetched ...".
 * Exit status 0: each fetch was exact. */
#include "crowd.h"
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "../any_link.h"

int64_t crowd_now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void crowd_fail(const char *what, const char *detail)
{
    fprintf(stderr, "trk-crowd: %s%s%s\n", what, detail ? ": " : "", detail ? detail : "");
    exit(2);
}

uint64_t crowd_mix(uint64_t z)
{
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
}

/* ---- opening ---- */

static void take_opened(struct crowd *c, uint32_t i, const struct trk_answer *a)
{
    struct conn *n = &c->conns[i];
    if (n->h)
        return;
    if (c->opened == 0) {
        c->domain = a->grant.domain;
        c->epoch = a->grant.epoch;
        c->slot = a->grant.slot;
        c->piece = a->grant.piece;
    } else if (c->domain != a->grant.domain || c->epoch != a->grant.epoch || c->slot != a->grant.slot)
        crowd_fail("the server's filter, keys or MTU have changed", NULL);
    n->h = a->grant.id.h;
    n->tag = a->grant.address_tag;
    n->tick = a->grant.tick;
    n->nonce = a->nonce;
    memcpy(n->seal, a->seal, sizeof n->seal);
    c->t_of[i] = a->grant.id.t;
    c->opened++;
}

/* ---- receiving ---- */

static void take_packet(struct crowd *c, const struct trk_link_packet *p)
{
    struct trk_segment seg;
    static struct trk_answer a;
    uint32_t i;
    if (trk_segment_parse(p->ip, p->bytes, &seg) != TRK_V_ACCEPTED || !crowd_conn_of(c, &seg.flow, &i) ||
        trk_answer_parse(seg.payload, seg.payload_bytes, &a) != TRK_V_ACCEPTED)
        return;
    if (a.form == TRK_FORM_OPENED)
        take_opened(c, i, &a);
    else if (a.form == TRK_FORM_LONG)
        crowd_take_answer(c, i, &seg, &a);
}

/* What is there, after a wait of at most so long. */
static void receive(struct crowd *c, int wait_ms)
{
    struct trk_link_packet packets[64];
    int n;
    crowd_flush(c);
    poll(&(struct pollfd){ .fd = trk_link_fd(c->link), .events = POLLIN }, 1, wait_ms);
    while ((n = trk_link_receive(c->link, packets, 64)) > 0)
        for (int i = 0; i < n; i++)
            take_packet(c, &packets[i]);
}

/* Until all are open. A server that is too busy answers later: who has no answer yet asks again in the next pass. */
static void open_all(struct crowd *c)
{
    for (int pass = 0; c->opened < c->n; pass++) {
        uint32_t sent = 0, before = c->opened;
        if (pass == 20)
            crowd_fail("not all connections could be opened", NULL);
        for (uint32_t i = 0; i < c->n; i++) {
            if (c->conns[i].h)
                continue;
            crowd_send_syn(c, i);
            sent++;
            for (int64_t began = crowd_now_ms(); sent - (c->opened - before) > OUTSTANDING && crowd_now_ms() - began < 20;)
                receive(c, 1);
            if (sent - (c->opened - before) > OUTSTANDING)
                sent = c->opened - before;     /* they are lost: the next pass's */
        }
        for (int64_t began = crowd_now_ms(); c->opened < c->n && crowd_now_ms() - began < 300;)
            receive(c, 10);
    }
}

static void fetch_share(struct crowd *c, double share)
{
    uint64_t seed = (uint64_t)getpid() ^ (uint64_t)crowd_now_ms();
    for (uint32_t i = 0; i < c->n;) {
        struct fetch *idle = NULL;
        for (size_t k = 0; k < ACTIVE; k++) {
            struct fetch *f = &c->fetches[k];
            if (f->busy && crowd_now_ms() - f->since_ms > PATIENCE_MS)
                crowd_end_fetch(c, f, false);
            if (!f->busy)
                idle = f;
        }
        if (!idle) {
            receive(c, 1);
            continue;
        }
        seed += 0x9e3779b97f4a7c15ull;
        if ((double)(crowd_mix(seed) >> 11) / 9007199254740992.0 < share)
            crowd_begin_fetch(c, idle, i);
        i++;
    }
    for (int64_t began = crowd_now_ms(); crowd_now_ms() - began < PATIENCE_MS + 100; receive(c, 10)) {
        bool any = false;
        for (size_t k = 0; k < ACTIVE; k++)
            any = any || c->fetches[k].busy;
        if (!any)
            return;
    }
    for (size_t k = 0; k < ACTIVE; k++)
        if (c->fetches[k].busy)
            crowd_end_fetch(c, &c->fetches[k], false);
}

/* ---- setting up ---- */

static void read_file(struct crowd *c, const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        crowd_fail(path, strerror(errno));
    c->file_bytes = fread(c->file, 1, sizeof c->file, f);
    fclose(f);
}

int main(int argc, char **argv)
{
    static struct crowd c;
    if (argc != 8)
        crowd_fail("usage: trk-crowd SERVER4 PORT COUNT IDLE_SECONDS SHARE PATH FILE", NULL);
    c.port = (uint16_t)atoi(argv[2]);
    c.n = (uint32_t)atol(argv[3]);
    c.path = argv[6];
    read_file(&c, argv[7]);
    c.conns = calloc(c.n, sizeof *c.conns);
    c.t_of = calloc(c.n, sizeof *c.t_of);
    if (c.n == 0 || c.n > 40u << 16 || !c.conns || !c.t_of)
        crowd_fail("COUNT is 1 to 2,621,440, if there is memory for them", NULL);
    c.link = any_link_open(argv[1], &c.server, &c.to, crowd_fail);
    int64_t began = crowd_now_ms();
    open_all(&c);
    printf("opened %u connections in %.1f s, %zu bytes of client state for each\n", c.opened, (double)(crowd_now_ms() - began) / 1000, sizeof *c.conns + sizeof *c.t_of);
    fflush(stdout);
    sleep((unsigned)atoi(argv[4]));
    began = crowd_now_ms();
    fetch_share(&c, atof(argv[5]));
    printf("fetched %u of %u, %u exact, %u refreshed, in %.1f s\n", c.done, c.n, c.exact, c.refreshes, (double)(crowd_now_ms() - began) / 1000);
    trk_link_close(c.link);
    return c.failed == 0 && c.done > 0 ? 0 : 1;
}
