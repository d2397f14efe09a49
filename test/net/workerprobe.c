/* workerprobe.c - a server of workers that a test can look into: any input is answered by one HTTP response of 10,000 bytes, and
 * each event takes as long as asked for.
 *
 *     trk-workerprobe ADDR:PORT WORKERS KEY-FILE [spin=MICROSECONDS] [die=MILLISECONDS] [bytes=N] [filter=MIB] [control=PATH]
 *
 * die: workers end with status 3 after so long. Lines "worker N begins" and "worker N ends: EVENTS events" are written by each. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <trickles/minisocket.h>

static long spin_ns, die_ms = -1, body_bytes = 10000;
static char head[128];
static size_t head_bytes;

static int64_t now_ns(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Byte i of the response, from its start. */
static uint8_t byte_at(uint64_t i) { return i < head_bytes ? (uint8_t)head[i] : (uint8_t)('a' + (i - head_bytes) % 26); }

static void handle(struct minisock *m, const struct msk_event *event, void *arg)
{
    int64_t until = now_ns(CLOCK_THREAD_CPUTIME_ID) + spin_ns;
    uint8_t *room = msk_room(m);
    struct msk_range r;
    size_t used = 0;
    ++*(unsigned long *)arg;
    if (event->input.present)
        msk_done(m, &(struct msk_output){ .consumed = event->input.bytes + event->input.end, .length = event->input.bytes ? head_bytes + (size_t)body_bytes : 0,
                                          .last = event->input.end });
    for (size_t i = 0; msk_range(m, i, &r) == 0; i++) {
        for (size_t b = 0; b < r.bytes; b++)
            room[used + b] = byte_at(r.offset + b - r.first);
        msk_give(m, i, room + used, r.bytes);
        used += r.bytes;
    }
    while (now_ns(CLOCK_THREAD_CPUTIME_ID) < until)
        ;
    msk_reply(m);
}

static int run(struct msk_server *server, unsigned worker, void *arg)
{
    unsigned long events = 0;
    int rc = 0;
    (void)arg;
    printf("worker %u begins\n", worker);
    fflush(stdout);
    if (die_ms >= 0) {
        usleep((useconds_t)die_ms * 1000);
        return 3;
    }
    while (rc != -ECANCELED) {
        poll(&(struct pollfd){ .fd = msk_fd(server), .events = POLLIN }, 1, -1);
        rc = msk_process(server, handle, &events);
    }
    printf("worker %u ends: %lu events, %lld ms of CPU\n", worker, events, (long long)now_ns(CLOCK_PROCESS_CPUTIME_ID) / 1000000);
    return 0;
}

static void ready(const struct sockaddr_storage *addresses, size_t n, void *arg)
{
    (void)addresses;
    (void)arg;
    printf("ready on %zu addresses\n", n);
    fflush(stdout);
}

static void say(void *arg, enum msk_log_level level, const char *line)
{
    (void)arg;
    (void)level;
    fprintf(stderr, "%s\n", line);
}

int main(int argc, char **argv)
{
    char error[MSK_ERROR_BYTES];
    struct msk_keys keys;
    const char *listen[] = { argc > 1 ? argv[1] : "" };
    struct msk_options options = { .listen = listen, .n_listen = 1, .keys = &keys, .filter_bytes = 4u << 20, .log = say };
    struct msk_workers workers = { .options = &options, .run = run, .ready = ready };
    if (argc < 4) {
        fprintf(stderr, "usage: trk-workerprobe ADDR:PORT WORKERS KEY-FILE [spin=MICROSECONDS] [die=MILLISECONDS] [bytes=N] [filter=MIB] [control=PATH]\n");
        return 2;
    }
    workers.n = (unsigned)atoi(argv[2]);
    for (int i = 4; i < argc; i++) {
        if (strncmp(argv[i], "spin=", 5) == 0)
            spin_ns = atol(argv[i] + 5) * 1000;
        else if (strncmp(argv[i], "die=", 4) == 0)
            die_ms = atol(argv[i] + 4);
        else if (strncmp(argv[i], "bytes=", 6) == 0)
            body_bytes = atol(argv[i] + 6);
        else if (strncmp(argv[i], "filter=", 7) == 0)
            options.filter_bytes = (size_t)atol(argv[i] + 7) << 20;
        else if (strncmp(argv[i], "control=", 8) == 0)
            workers.control = argv[i] + 8;
    }
    head_bytes = (size_t)snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %ld\r\n\r\n", body_bytes);
    if (msk_keys_read(argv[3], &keys, error, sizeof error) != 0 || msk_run_workers(&workers, error, sizeof error) != 0) {
        fprintf(stderr, "%s\n", error);
        return 1;
    }
    return 0;
}
