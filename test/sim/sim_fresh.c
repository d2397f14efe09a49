/* sim_fresh - statelessness by the book: each packet of a client is answered by two processes that were started for
 * this packet alone. They get the packet, the keys and the time, and must give the same bytes.
 *
 *     sim_fresh                  the test: a client in this process, its server in processes that live for one packet
 *     sim_fresh --answer MS      one such process: a packet on stdin, its answers on stdout, real time MS */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "program.h"
#include "server.h"

#define MTU 1500
#define ANSWER_MAX (1u << 20)          /* bytes that one process may say */
#define REAL_MS 1700000000000ull       /* real time at virtual time 0 */
#define STEP_US 2500                   /* what one packet takes, each way */
#define EVENTS_MAX 5000

/* ---- the process that lives for one packet ---- */

static void say(void *arg, const uint8_t *packet, uint32_t bytes)
{
    (void)arg;
    fwrite(&bytes, sizeof bytes, 1, stdout);
    fwrite(packet, bytes, 1, stdout);
}

static int answer_one(uint64_t real_ms)
{
    static uint8_t packet[65536];
    size_t bytes = fread(packet, 1, sizeof packet, stdin);
    struct sim_server_config config = { .replicas = 1, .mtu = MTU };
    struct sim_server server;
    struct sim_random random;

    sim_random_seed(&random, 1);
    sim_server_init(&server, &config);
    sim_server_packet(&server, &random, 0, packet, (uint32_t)bytes, false, real_ms, say, NULL);
    if (server.violation)
        fprintf(stderr, "%s: %s\n", server.violation, server.detail);
    return server.violation || fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* ---- the client's side ---- */

#define QUEUE_MAX 64
struct queue { uint8_t packets[QUEUE_MAX][MTU]; uint32_t bytes[QUEUE_MAX]; unsigned in, out; };     /* counted, used modulo */

static struct queue to_server;
static const char *self;

static void die(const char *what)
{
    perror(what);
    exit(EXIT_FAILURE);
}

static void enqueue(void *arg, const uint8_t *packet, uint32_t bytes)
{
    struct queue *q = arg;

    if (q->in - q->out == QUEUE_MAX || bytes > MTU) {
        fprintf(stderr, "the client sends more at once than this test can hold\n");
        exit(EXIT_FAILURE);
    }
    memcpy(q->packets[q->in % QUEUE_MAX], packet, bytes);
    q->bytes[q->in++ % QUEUE_MAX] = bytes;
}

static _Noreturn void become_server(int in[2], int out[2], uint64_t real_ms)
{
    char ms[24];

    snprintf(ms, sizeof ms, "%" PRIu64, real_ms);
    if (dup2(in[0], 0) < 0 || dup2(out[1], 1) < 0)
        die("dup2");
    close(in[0]); close(in[1]); close(out[0]); close(out[1]);
    execl(self, self, "--answer", ms, (char *)NULL);
    perror("exec");
    _exit(127);
}

/* What a fresh process answers. Returns the bytes of all its answers, each behind its length. */
static uint32_t ask_fresh_process(const uint8_t *packet, uint32_t bytes, uint64_t real_ms, uint8_t *answers)
{
    int in[2], out[2], status;
    uint32_t got = 0;
    ssize_t n;

    if (pipe(in) || pipe(out))
        die("pipe");
    pid_t pid = fork();
    if (pid < 0)
        die("fork");
    if (pid == 0)
        become_server(in, out, real_ms);
    close(in[0]); close(out[1]);
    if (write(in[1], packet, bytes) != (ssize_t)bytes)       /* a packet is smaller than a pipe */
        die("write");
    close(in[1]);
    while (got < ANSWER_MAX && (n = read(out[0], answers + got, ANSWER_MAX - got)) > 0)
        got += (uint32_t)n;
    close(out[0]);
    if (waitpid(pid, &status, 0) != pid || status != 0) {
        fprintf(stderr, "the process for one packet failed (status %d)\n", status);
        exit(EXIT_FAILURE);
    }
    return got;
}

/* Every 17th answer is lost, so that recoveries and restarts are among what is compared. What the client says in
 * between joins the queue. */
static void deliver(struct sim_program *client, const uint8_t *answers, uint32_t bytes, uint64_t now_us, unsigned *count)
{
    uint32_t length;

    for (uint32_t at = 0; at + sizeof length <= bytes; at += (uint32_t)sizeof length + length) {
        enum trk_verdict fate;
        memcpy(&length, answers + at, sizeof length);
        if (++*count % 17 && sim_program_packet(client, answers + at + sizeof length, length, false, now_us, &fate))
            sim_program_run(client, now_us, enqueue, &to_server);
    }
}

int main(int argc, char **argv)
{
    static const struct sim_object objects[] = {
        { .type = 'K', .id = 1, .bytes = 200000 },
        { .type = 'P', .id = 2, .bytes = 5000, .body_bytes = 3000 },
        { .type = 'U', .id = 3, .bytes = 30000 },
        { .type = 'K', .id = 4, .bytes = 100, .think_us = 90000000 },     /* older than the horizon: a refresh */
    };
    static const struct sim_program_config config = {
        .objects = objects, .n_objects = 4, .pipeline = 1, .receive_bytes = 1 << 18, .send_bytes = 1 << 14, .mtu = MTU,
        .flow = { .src = { 4, { 10, 0, 0, 2 } }, .dst = { 4, { 10, 0, 0, 1 } }, .sport = 40000, .dport = 80 },
    };
    static uint8_t answers[2][ANSWER_MAX];
    static struct sim_program client;
    struct sim_random random;
    uint64_t now_us = 0, wake_us = 0;
    unsigned compared = 0, delivered = 0, events = 0;

    if (argc == 3 && strcmp(argv[1], "--answer") == 0)
        return answer_one(strtoull(argv[2], NULL, 10));
    self = argv[0];
    sim_random_seed(&random, 7);
    sim_program_init(&client, &config, &random, now_us);
    while (events++ < EVENTS_MAX && (wake_us = sim_program_run(&client, now_us, enqueue, &to_server)) != SIM_NEVER) {
        if (to_server.in == to_server.out)
            now_us = wake_us > now_us ? wake_us : now_us + 1;
        for (; to_server.out != to_server.in; to_server.out++) {
            const uint8_t *packet = to_server.packets[to_server.out % QUEUE_MAX];
            uint32_t bytes = to_server.bytes[to_server.out % QUEUE_MAX];
            uint64_t real_ms = REAL_MS + (now_us += STEP_US) / 1000;
            uint32_t first = ask_fresh_process(packet, bytes, real_ms, answers[0]);
            uint32_t second = ask_fresh_process(packet, bytes, real_ms, answers[1]);
            if (first != second || memcmp(answers[0], answers[1], first) != 0) {
                fprintf(stderr, "packet %u: two fresh processes gave different answers (%u and %u bytes)\n", compared + 1, first, second);
                return EXIT_FAILURE;
            }
            compared++;
            deliver(&client, answers[0], first, now_us += STEP_US, &delivered);
        }
    }
    printf("%u packets answered by 2 processes each, %u answers, the same bytes\n", compared, delivered);
    if (client.violation || !client.finished) {
        fprintf(stderr, "the client did not finish: %s %s\n", client.violation ? client.violation : "stuck", client.detail);
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
