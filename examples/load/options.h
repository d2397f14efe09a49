/* options.h - the command line. */
#ifndef LOAD_OPTIONS_H
#define LOAD_OPTIONS_H

#include <stdbool.h>

struct options {                       /* strings live as long as the program */
    const char **urls; int n_urls;
    int connections, requests, think_ms, opening, timeout_ms;
    double seconds, warmup_seconds;
    bool new_connection, verify, tcp, quiet;
    int receive_kib;
    const char *json, *pcap;
};

enum { EXIT_FINE = 0, EXIT_RUN = 1, EXIT_USAGE = 2 };

/* True: run with *out. False: end with *exit_code; what was wrong (or asked for) has been said. */
bool options_parse(int argc, char **argv, struct options *out, int *exit_code);

#endif
