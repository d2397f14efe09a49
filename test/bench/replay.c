/* replay.c - trk-replay: as many requests as a server takes, at so little cost that the server has the machine for itself. The requests
 * are made beforehand, with the server's key: what is measured is who answers them.
 *
 *     trk-replay SERVER4 PORT KEY-FILE FLOWS SECONDS [IN-FLIGHT]
 *
 * Any output of the server must be made from a continuation without opaque bytes (trk-workerprobe's is). Prints one line of JSON:
 * answers, seconds, cpu (seconds of this process), lost (requests that were not answered). Exit status 1: nobody answers. */
#include "replay.h"
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "../net/any_link.h"

#define BATCH      64
#define BURST      8
#define PAUSE_NS   400000              /* between two looks: answers that came meanwhile cost one call */
#define PATIENCE_S .1                  /* what is not answered by then is lost */
#define WARM_UP_S  .3
#define RATE_MOST  150000              /* requests made beforehand, for each second */

static double now_s(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void replay_fail(const char *what, const char *detail)
{
    fprintf(stderr, "trk-replay: %s%s%s\n", what, detail ? ": " : "", detail ? detail : "");
    exit(1);
}

/* The current key of a file as tricklesd reads it: EPOCH current 64 hexadecimal digits. */
static void read_key(const char *path, struct trk_keys *keys)
{
    FILE *f = fopen(path, "r");
    char line[256], hex[65];
    unsigned epoch, byte;
    bool found = false;
    trk_keys_init(keys);
    if (!f)
        replay_fail(path, strerror(errno));
    while (fgets(line, sizeof line, f)) {
        uint8_t master[TRK_MASTER_BYTES];
        if (sscanf(line, "%u current %64[0-9a-fA-F]", &epoch, hex) != 2)
            continue;
        for (size_t i = 0; i < sizeof master; i++)
            master[i] = (uint8_t)(sscanf(hex + 2 * i, "%2x", &byte) == 1 ? byte : 0);
        found = trk_keys_add(keys, (uint8_t)epoch, TRK_EPOCH_CURRENT, master);
    }
    fclose(f);
    if (!found)
        replay_fail(path, "no current key");
}

/* Domain and slot are the server's: one SYN asks for them. */
static void ask_server(struct replay *r, struct trk_link *link, struct trk_link_neighbour to)
{
    uint8_t syn[1500];
    static struct trk_answer a;
    struct trk_link_packet got[BATCH];
    struct trk_link_out out = { .head = syn, .head_bytes = (uint32_t)replay_syn(r, syn, sizeof syn), .to = to };
    for (int i = 0; i < 20; i++) {
        trk_link_send(link, &out, 1);
        poll(&(struct pollfd){ .fd = trk_link_fd(link), .events = POLLIN }, 1, 100);
        struct trk_segment seg;
        if (trk_link_receive(link, got, BATCH) > 0 && trk_segment_parse(got[0].ip, got[0].bytes, &seg) == TRK_V_ACCEPTED &&
            trk_answer_parse(seg.payload, seg.payload_bytes, &a) == TRK_V_ACCEPTED && a.form == TRK_FORM_OPENED) {
            r->domain = a.grant.domain;
            r->slot = a.grant.slot;
            return;
        }
    }
    replay_fail("the server does not answer", NULL);
}

/* Answers that came, with all that was asked for. */
static size_t answers(struct trk_link *link)
{
    struct trk_link_packet got[BATCH];
    size_t n = 0;
    int count;
    while ((count = trk_link_receive(link, got, BATCH)) > 0)
        for (int i = 0; i < count; i++)
            n += got[i].bytes >= REPLAY_ASKS + TRK_NORMAL_BYTES;
    return n;
}

static void send_some(const struct replay *r, struct trk_link *link, struct trk_link_neighbour to, size_t at, size_t n)
{
    struct trk_link_out out[BURST];
    for (size_t i = 0; i < n; i++)
        out[i] = (struct trk_link_out){ .head = r->packets[at + i].data, .head_bytes = r->packets[at + i].bytes, .to = to };
    for (size_t sent = 0; sent < n;) {
        int k = trk_link_send(link, out + sent, (int)(n - sent));
        if (k < 0)
            replay_fail("cannot send", strerror(errno));
        sent += (size_t)k;
    }
}

static void run(const struct replay *r, struct trk_link *link, struct trk_link_neighbour to, size_t in_flight, double seconds)
{
    size_t sent = 0, done = 0, lost = 0, counted = 0;
    double began = now_s(CLOCK_MONOTONIC), last = began, from = 0, cpu = 0, now = began;
    while (now < began + WARM_UP_S + seconds && sent < r->n) {
        size_t want = sent - done - lost < in_flight ? in_flight - (sent - done - lost) : 0;
        for (size_t n; want > 0 && sent < r->n; want -= n, sent += n) {
            n = r->burst - sent % r->burst;          /* frames go to workers in turn: equal ones are equal work */
            n = n < r->n - sent ? n : r->n - sent;
            if (n > want)
                break;
            send_some(r, link, to, sent, n);
        }
        nanosleep(&(struct timespec){ .tv_nsec = PAUSE_NS }, NULL);
        size_t came = answers(link);
        now = now_s(CLOCK_MONOTONIC);
        if (came)
            last = now;
        else if (now - last > PATIENCE_S) {
            lost = sent - done;
            last = now;
        }
        done += came;
        if (from == 0 && now > began + WARM_UP_S) {
            from = now;
            counted = done;
            cpu = now_s(CLOCK_PROCESS_CPUTIME_ID);
        }
    }
    if (done == 0)
        replay_fail("nothing was answered", NULL);
    printf("{\"answers\":%zu,\"seconds\":%.3f,\"cpu\":%.4f,\"lost\":%zu}\n", done - counted, now - from, now_s(CLOCK_PROCESS_CPUTIME_ID) - cpu, lost);
}

int main(int argc, char **argv)
{
    static struct trk_keys keys;
    struct replay r = { .epoch = NULL };
    struct trk_link_neighbour to;
    if (argc < 6)
        replay_fail("usage: trk-replay SERVER4 PORT KEY-FILE FLOWS SECONDS [IN-FLIGHT]", NULL);
    double seconds = atof(argv[5]);
    read_key(argv[3], &keys);
    r.epoch = trk_keys_current(&keys);
    r.port = (uint16_t)atoi(argv[2]);
    r.n_flows = (unsigned)atoi(argv[4]);
    r.burst = BURST;
    r.n = (size_t)((seconds + WARM_UP_S) * RATE_MOST);
    if (r.n_flows == 0 || r.n_flows > 10000 || !(seconds > 0 && seconds < 30))
        replay_fail("FLOWS is 1 to 10000, SECONDS above 0 and below 30", NULL);
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    r.random = (uint64_t)t.tv_nsec * 0x9e3779b97f4a7c15u;
    struct trk_link *link = any_link_open(argv[1], &r.server, &to, replay_fail);
    ask_server(&r, link, to);
    r.packets = malloc(r.n * sizeof *r.packets);
    if (!r.packets)
        replay_fail("out of memory", NULL);
    replay_mint(&r, (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000);
    run(&r, link, to, argc > 6 ? (size_t)atol(argv[6]) : 256, seconds);
    free(r.packets);
    trk_link_close(link);
    return 0;
}
