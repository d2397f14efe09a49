/* options.c - see options.h. */
#include "options.h"

#include <popt.h>
#include <stdio.h>
#include <string.h>
#include <trickles/minisocket.h>
#include "log.h"

#define FILTER_KIB 4096                /* six million numbers in 75 s: a busy gigabit */

enum { OPT_LISTEN = 1, OPT_VERSION, OPT_HELP };

static const char about[] =
    "Serves the files of a directory over HTTP/1.1 on Trickles, and keeps no state for any connection:\n"
    "stop it, restart it, run several with the same --key-file, and no client notices.\n\n";
static const char more[] =
    "\nADDR:PORT is an IPv4 address, [V6ADDR], or * for all addresses; default *:80. Signals: TERM and INT end at once,\n"
    "HUP reads the key file again, USR1 prints the counters, USR2 starts the program anew, which takes over (--control).\n"
    "Needs CAP_NET_RAW and CAP_NET_ADMIN to begin. tricklesd(8) tells more.\n";

static bool usage(const char *what, const char *detail, int *exit_code)
{
    log_line("%s%s%s (tricklesd --help explains)", what, detail ? ": " : "", detail ? detail : "");
    *exit_code = EXIT_USAGE;
    return false;
}

static bool check(struct options *out, const char *extra, int *exit_code)
{
    if (extra)
        return usage("unexpected argument", extra, exit_code);
    if (out->generate_key && (out->root || out->n_listen || out->key_file))
        return usage("--generate-key makes a key file and ends: it goes with no other option", NULL, exit_code);
    if (!out->generate_key && !out->root)
        return usage("--root DIR is missing: which directory shall be served?", NULL, exit_code);
    if (out->filter_kib < 0 || (out->filter_kib > 0 && out->filter_kib < 64))
        return usage("--filter-memory is in KiB: 0 for none, or at least 64", NULL, exit_code);
    if (out->filter_name && (!*out->filter_name || strchr(out->filter_name, '/')))
        return usage("--filter-name is a name in /dev/shm, without a slash", out->filter_name, exit_code);
    if (out->cache_kib < 0 || (out->cache_kib > 0 && out->cache_kib < 4))
        return usage("--cache-memory is in KiB: 0 for none, or at least 4", NULL, exit_code);
    if (out->workers < 0 || out->workers > MSK_WORKERS_MAX)
        return usage("--workers is a number of processes, at most 64; 0 is this one alone", NULL, exit_code);
    if (out->control && out->workers == 0)
        return usage("--control goes with --workers: one process alone cannot hand over", NULL, exit_code);
    if (out->n_listen == 0)
        out->listen[out->n_listen++] = "*:80";
    return true;
}

static bool say_and_end(poptContext context, int option, int *exit_code)
{
    *exit_code = EXIT_FINE;
    if (option == OPT_VERSION) {
        printf("tricklesd %s\n", TRICKLES_VERSION);
        return false;
    }
    poptSetOtherOptionHelp(context, "--root DIR [OPTIONS]\n       tricklesd --generate-key FILE");
    fputs(about, stdout);
    poptPrintHelp(context, stdout, 0);
    fputs(more, stdout);
    return false;
}

bool options_parse(int argc, char **argv, struct options *out, int *exit_code)
{
    char *listen = NULL;
    int verbose = 0, check_only = 0, option;
    memset(out, 0, sizeof *out);
    out->filter_kib = FILTER_KIB;
    const struct poptOption table[] = {
        { "root", 'r', POPT_ARG_STRING, &out->root, 0, "the directory to serve", "DIR" },
        { "upload", 0, POPT_ARG_STRING, &out->upload, 0, "store what clients PUT in this directory; without it there are no uploads", "DIR" },
        { "listen", 'l', POPT_ARG_STRING, &listen, OPT_LISTEN, "where to listen; may be given several times", "ADDR:PORT" },
        { "key-file", 'k', POPT_ARG_STRING, &out->key_file, 0, "the replicas' shared keys; without it a restart breaks connections", "FILE" },
        { "generate-key", 0, POPT_ARG_STRING, &out->generate_key, 0, "make a new key file, and end", "FILE" },
        { "filter-memory", 0, POPT_ARG_INT | POPT_ARGFLAG_SHOW_DEFAULT, &out->filter_kib, 0, "memory of the replay filter; 0: none, so clients can cheat", "KIB" },
        { "filter-name", 0, POPT_ARG_STRING, &out->filter_name, 0, "keep it in /dev/shm/NAME: it outlives the daemon, and all that name it share it", "NAME" },
        { "domain", 0, POPT_ARG_INT, &out->domain, 0, "the filter's domain, if several hosts answer for one connection at once", "NUMBER" },
        { "cache-memory", 0, POPT_ARG_INT, &out->cache_kib, 0, "of each process, for continuations that come back; 0 (default): none", "KIB" },
        { "workers", 'w', POPT_ARG_INT, &out->workers, 0, "so many processes share the work, and are replaced when they end; 0: this one alone", "N" },
        { "control", 0, POPT_ARG_STRING, &out->control, 0, "a Unix socket: a second daemon with the same one takes over without losing a packet", "PATH" },
        { "user", 'u', POPT_ARG_STRING, &out->user, 0, "become that user once everything is open", "NAME" },
        { "access-log", 0, POPT_ARG_STRING, &out->access_log, 0, "add a line for each request; - is standard output", "FILE|-" },
        { "metrics", 0, POPT_ARG_STRING, &out->metrics, 0, "answer Prometheus there", "ADDR:PORT|unix:PATH" },
        { "check", 0, POPT_ARG_NONE, &check_only, 0, "say whether the configuration is fine, and end", NULL },
        { "stats", 0, POPT_ARG_STRING, &out->stats, 0, "write the counters there as JSON: every 10 s, on USR1, at the end; - is standard output", "FILE|-" },
        { "pcap", 0, POPT_ARG_STRING, &out->pcap, 0, "capture all packets there", "FILE" },
        { "verbose", 'v', POPT_ARG_NONE, &verbose, 0, "say what happens", NULL },
        { "version", 'V', POPT_ARG_NONE, NULL, OPT_VERSION, "print the version", NULL },
        { "help", 'h', POPT_ARG_NONE, NULL, OPT_HELP, "print this", NULL },
        POPT_TABLEEND
    };
    poptContext context = poptGetContext("tricklesd", argc, (const char **)argv, table, 0);
    bool ok = true;
    while (ok && (option = poptGetNextOpt(context)) > 0) {
        if (option != OPT_LISTEN)
            ok = say_and_end(context, option, exit_code);
        else if (out->n_listen == LISTEN_MAX)
            ok = usage("more than 16 listen addresses", NULL, exit_code);
        else
            out->listen[out->n_listen++] = listen;
    }
    if (ok && option < -1)
        ok = usage(poptBadOption(context, POPT_BADOPTION_NOALIAS), poptStrerror(option), exit_code);
    out->check = check_only;
    if (ok)
        ok = check(out, poptPeekArg(context), exit_code);
    out->verbose = verbose;
    poptFreeContext(context);
    return ok;
}
