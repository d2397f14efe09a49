/* main.c - trickles-load: an HTTP load generator in the manner of wrk and h2load, over Trickles. */
#include "load.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <trickles/client.h>

#define DESCRIPTORS_BESIDE 32

static void on_signal(int number)
{
    (void)number;
    load_interrupted = 1;
}

/* Each connection takes a descriptor. */
static bool allow_descriptors(int connections)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    rlim_t needed = (rlim_t)connections + DESCRIPTORS_BESIDE;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_max >= needed)
        return true;
    fprintf(stderr, "trickles-load: %d connections need %lu open files, and %lu are allowed (ulimit -Hn)\n", connections,
            (unsigned long)needed, (unsigned long)limit.rlim_max);
    return false;
}

int main(int argc, char **argv)
{
    static struct load load;
    struct options options;
    char error[TRICKLES_ERROR_BYTES] = "";
    int exit_code = EXIT_RUN;
    if (!options_parse(argc, argv, &options, &exit_code))
        return exit_code;
    struct sigaction action = { .sa_handler = on_signal };
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    load.options = &options;
    load.ops = options.tcp ? &transport_tcp : &transport_trickles;
    if (!allow_descriptors(options.connections) || !targets_read(&load.targets, options.urls, options.n_urls))
        return EXIT_RUN;
    bool ok = load_run(&load, error, sizeof error);
    if (!ok)
        fprintf(stderr, "trickles-load: %s\n", error);
    targets_free(&load.targets);
    return ok && !load.counts.errors && load.counts.answers ? EXIT_FINE : EXIT_RUN;
}
