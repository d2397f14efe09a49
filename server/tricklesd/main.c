/* main.c - tricklesd: read the command line, set up, serve. */
#include <sodium.h>
#include <stdio.h>
#include "tricklesd/daemon.h"
#include "tricklesd/log.h"

static int generate_key(const char *path)
{
    char error[MSK_ERROR_BYTES];
    if (msk_keys_generate(path, error, sizeof error) == 0)
        return EXIT_FINE;
    log_line("%s", error);
    return EXIT_RUN;
}

int main(int argc, char **argv)
{
    static struct daemon d;
    int exit_code;
    if (!options_parse(argc, argv, &d.options, &exit_code))
        return exit_code;
    if (sodium_init() < 0) {
        log_line("no source of random numbers");
        return EXIT_RUN;
    }
    if (d.options.generate_key)
        return generate_key(d.options.generate_key);
    log_verbose = d.options.verbose;
    bool ok = daemon_open(&d);
    if (!ok)
        exit_code = EXIT_RUN;
    else if (!d.options.check)
        exit_code = daemon_run(&d, argv);
    else {
        exit_code = EXIT_FINE;
        puts("the configuration is fine");
    }
    daemon_close(&d);
    return exit_code;
}
