/* options.h - the command line. */
#ifndef TRICKLESD_OPTIONS_H
#define TRICKLESD_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#define LISTEN_MAX 16

struct options {                       /* strings live as long as the program */
    const char *root, *upload, *key_file, *stats, *pcap, *generate_key;
    const char *listen[LISTEN_MAX]; size_t n_listen;
    const char *filter_name;
    int filter_kib, cache_kib, domain;
    int workers;                       /* 0: this process alone */
    const char *control, *user, *access_log, *metrics;
    bool check, verbose;
};

enum { EXIT_FINE = 0, EXIT_RUN = 1, EXIT_USAGE = 2 };

/* True: run with *out. False: end with *exit_code; what was wrong (or asked for) has been said. */
bool options_parse(int argc, char **argv, struct options *out, int *exit_code);

#endif
