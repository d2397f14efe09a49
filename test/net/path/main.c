/* main.c - trk-path: joins two devices of its namespace by a path with the conditions asked for. */
#include "path.h"
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#define SPIN_NS 20000                  /* a sleep may end so late, so the last stretch is spent awake */
#define ROUNDS  8                      /* batches from one side before the other has its turn */

static volatile sig_atomic_t stop_asked, stats_asked;
static void on_signal(int number)
{
    if (number == SIGUSR1)
        stats_asked = 1;
    else
        stop_asked = 1;
}

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

struct path {
    struct spec up_spec, down_spec;
    uint64_t seed;
    struct port *a, *b;
    struct direction up, down;
};

static void print_stats(struct path *p)
{
    char up[1024], down[1024];
    direction_print(&p->up, up, sizeof up);
    direction_print(&p->down, down, sizeof down);
    printf("{\"seed\":%llu,\"missed\":%llu,%s,%s}\n", (unsigned long long)p->seed,
           (unsigned long long)(port_missed(p->a) + port_missed(p->b)), up, down);
    fflush(stdout);
}

/* Sleep until something arrives or the next frame is due; stay awake for the last stretch. */
static void wait_for_work(struct path *p, const sigset_t *while_waiting)
{
    struct pollfd fds[2] = { { .fd = port_fd(p->a), .events = POLLIN }, { .fd = port_fd(p->b), .events = POLLIN } };
    uint64_t up = direction_next(&p->up), down = direction_next(&p->down), due = up < down ? up : down, now = now_ns();
    uint64_t sleep_ns = due == UINT64_MAX ? 1000000000u : due > now + SPIN_NS ? due - now - SPIN_NS : 0;
    struct timespec timeout = { (time_t)(sleep_ns / 1000000000u), (long)(sleep_ns % 1000000000u) };
    if (sleep_ns > 0)
        ppoll(fds, 2, &timeout, while_waiting);
}

/* Until a signal; false if a device went away. */
static bool run(struct path *p, const sigset_t *while_waiting)
{
    while (!stop_asked) {
        if (stats_asked) {
            stats_asked = 0;
            print_stats(p);
        }
        wait_for_work(p, while_waiting);
        int from_a = 1, from_b = 1;
        for (int i = 0; i < ROUNDS && (from_a > 0 || from_b > 0); i++) {
            from_a = port_receive(p->a, &p->up, now_ns());
            from_b = port_receive(p->b, &p->down, now_ns());
            port_send(p->b, &p->up, now_ns());
            port_send(p->a, &p->down, now_ns());
            if (from_a < 0 || from_b < 0)
                return false;
        }
        struct timespec zero = { 0, 0 };             /* signals are heard also when we never sleep */
        ppoll(NULL, 0, &zero, while_waiting);
    }
    return true;
}

static void usage(FILE *out)
{
    fprintf(out, "usage: trk-path [options] DEVICE-A DEVICE-B\n"
                 "Joins two network devices by a path that delays, limits, loses, reorders, duplicates and damages.\n"
                 "  --up SPEC     from A to B\n  --down SPEC   from B to A\n  --both SPEC   both\n"
                 "  --seed N      of all random decisions (default 1)\n%s"
                 "SIGUSR1 prints the counters as one line of JSON; SIGTERM prints them and ends.\n", spec_help);
}

static bool parse_options(struct path *p, int argc, char **argv, char *error, size_t error_bytes)
{
    static const struct option options[] = { { "up", 1, NULL, 'u' }, { "down", 1, NULL, 'd' }, { "both", 1, NULL, 'b' },
                                             { "seed", 1, NULL, 's' }, { "help", 0, NULL, 'h' }, { NULL, 0, NULL, 0 } };
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1; ) {
        bool ok = true;
        switch (option) {
        case 'u': ok = spec_parse(&p->up_spec, optarg, error, error_bytes); break;
        case 'd': ok = spec_parse(&p->down_spec, optarg, error, error_bytes); break;
        case 'b': ok = spec_parse(&p->up_spec, optarg, error, error_bytes) && spec_parse(&p->down_spec, optarg, error, error_bytes); break;
        case 's': p->seed = strtoull(optarg, NULL, 0); break;
        case 'h': usage(stdout); exit(0);
        default:  usage(stderr); exit(2);
        }
        if (!ok)
            return false;
    }
    if (argc - optind != 2) {
        snprintf(error, error_bytes, "two devices are needed");
        return false;
    }
    return true;
}

/* On a busy machine an ordinary process would be milliseconds late; without the right to it, so are we. */
static void be_punctual(void)
{
    struct sched_param parameter = { .sched_priority = 1 };
    prctl(PR_SET_TIMERSLACK, 1);
    (void)sched_setscheduler(0, SCHED_RR, &parameter);
}

static void hear_signals(sigset_t *while_waiting)
{
    struct sigaction action = { .sa_handler = on_signal };
    sigset_t ours;
    sigemptyset(&ours);
    for (const int *s = (const int[]){ SIGUSR1, SIGTERM, SIGINT, 0 }; *s; s++) {
        sigaction(*s, &action, NULL);
        sigaddset(&ours, *s);
    }
    sigprocmask(SIG_BLOCK, &ours, while_waiting);
}

int main(int argc, char **argv)
{
    static struct path p = { .seed = 1 };
    char error[256] = "";
    sigset_t while_waiting;
    spec_default(&p.up_spec);
    spec_default(&p.down_spec);
    if (!parse_options(&p, argc, argv, error, sizeof error) ||
        !(p.a = port_open(argv[optind], error, sizeof error)) || !(p.b = port_open(argv[optind + 1], error, sizeof error))) {
        fprintf(stderr, "trk-path: %s\n", error);
        return 2;
    }
    hear_signals(&while_waiting);
    be_punctual();
    direction_init(&p.up, "up", &p.up_spec, p.seed * 2);
    direction_init(&p.down, "down", &p.down_spec, p.seed * 2 + 1);
    puts("ready");
    fflush(stdout);
    bool ok = run(&p, &while_waiting);
    if (!ok)
        fprintf(stderr, "trk-path: a device went away: %s\n", strerror(errno));
    print_stats(&p);
    direction_free(&p.up);
    direction_free(&p.down);
    port_close(p.a);
    port_close(p.b);
    return ok ? 0 : 1;
}
