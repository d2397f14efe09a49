#include "options.h"
#include <popt.h>
#include <stdio.h>
#include <string.h>

enum { OPT_VERSION = 1, OPT_HELP };

static const char about[] =
    "Sends HTTP requests over many connections at a time, and tells how many per second were answered, and how fast.\n\n";
static const char more[] =
    "\nSeveral paths of one server are asked for in turn. A connection is used for one request after the other, or with\n"
    "--new-connection for one; then its request travels in the first packet. Latency counts from the request (with\n"
    "--new-connection from the opening) to the last byte of its answer. Needs CAP_NET_RAW and CAP_NET_ADMIN, but not for --tcp.\n";

static bool usage(const char *what, const char *detail, int *exit_code)
{
    fprintf(stderr, "trickles-load: %s%s%s (trickles-load --help explains)\n", what, detail ? ": " : "", detail ? detail : "");
    *exit_code = EXIT_USAGE;
    return false;
}

static bool say_and_end(poptContext context, int option, int *exit_code)
{
    *exit_code = EXIT_FINE;
    if (option == OPT_VERSION) {
        printf("trickles-load %s\n", TRICKLES_VERSION);
        return false;
    }
    poptSetOtherOptionHelp(context, "[OPTIONS] http://HOST[:PORT]/PATH...");
    fputs(about, stdout);
    poptPrintHelp(context, stdout, 0);
    fputs(more, stdout);
    return false;
}

static bool check(struct options *out, int *exit_code)
{
    if (!out->n_urls)
        return usage("a URL is missing", NULL, exit_code);
    if (out->connections < 1 || out->connections > 1000000)
        return usage("--connections is a number from 1 to 1000000", NULL, exit_code);
    if (out->requests < 0 || out->seconds < 0 || out->think_ms < 0 || out->warmup_seconds < 0)
        return usage("numbers of requests, seconds and milliseconds are not negative", NULL, exit_code);
    if (out->requests && out->seconds > 0)
        return usage("--requests or --duration, not both", NULL, exit_code);
    if (out->opening < 1 || out->timeout_ms < 1)
        return usage("--opening and --timeout are at least 1", NULL, exit_code);
    if (out->receive_kib < 64 || out->receive_kib > 1 << 20 || (out->receive_kib & (out->receive_kib - 1)))
        return usage("--receive is a power of two, in KiB, at least 64", NULL, exit_code);
    if (!out->requests && out->seconds <= 0)
        out->seconds = 10;
    return true;
}

bool options_parse(int argc, char **argv, struct options *out, int *exit_code)
{
    int new_connection = 0, verify = 0, tcp = 0, quiet = 0, option;
    memset(out, 0, sizeof *out);
    *out = (struct options){ .connections = 10, .opening = 64, .timeout_ms = 30000, .receive_kib = 4096 };
    const struct poptOption table[] = {
        { "connections", 'c', POPT_ARG_INT | POPT_ARGFLAG_SHOW_DEFAULT, &out->connections, 0, "at the same time", "N" },
        { "requests", 'n', POPT_ARG_INT, &out->requests, 0, "end after N requests", "N" },
        { "duration", 'd', POPT_ARG_DOUBLE, &out->seconds, 0, "end after SECONDS (10)", "SECONDS" },
        { "think", 't', POPT_ARG_INT, &out->think_ms, 0, "each connection rests MS between an answer and the next request", "MS" },
        { "new-connection", 0, POPT_ARG_NONE, &new_connection, 0, "for each request", NULL },
        { "warmup", 0, POPT_ARG_DOUBLE, &out->warmup_seconds, 0, "what happens in the first SECONDS does not count", "SECONDS" },
        { "opening", 0, POPT_ARG_INT | POPT_ARGFLAG_SHOW_DEFAULT, &out->opening, 0, "at the start, open N connections at a time", "N" },
        { "timeout", 0, POPT_ARG_INT | POPT_ARGFLAG_SHOW_DEFAULT, &out->timeout_ms, 0, "an unanswered request is an error after MS", "MS" },
        { "verify", 0, POPT_ARG_NONE, &verify, 0, "all answers of a URL must have the same body", NULL },
        { "tcp", 0, POPT_ARG_NONE, &tcp, 0, "the same over the kernel's TCP, to compare", NULL },
        { "receive", 0, POPT_ARG_INT | POPT_ARGFLAG_SHOW_DEFAULT, &out->receive_kib, 0, "receive buffer of a connection", "KIB" },
        { "json", 0, POPT_ARG_STRING, &out->json, 0, "write the results there, too (-: standard output, instead)", "FILE" },
        { "pcap", 0, POPT_ARG_STRING, &out->pcap, 0, "record all packets", "FILE" },
        { "quiet", 'q', POPT_ARG_NONE, &quiet, 0, "no progress lines", NULL },
        { "version", 'V', POPT_ARG_NONE, NULL, OPT_VERSION, "print the version and end", NULL },
        { "help", 'h', POPT_ARG_NONE, NULL, OPT_HELP, "print this and end", NULL },
        POPT_TABLEEND
    };
    poptContext context = poptGetContext("trickles-load", argc, (const char **)(void *)argv, table, 0);
    if ((option = poptGetNextOpt(context)) < -1)
        return usage(poptStrerror(option), poptBadOption(context, POPT_BADOPTION_NOALIAS), exit_code);
    if (option > 0)
        return say_and_end(context, option, exit_code);
    out->urls = poptGetArgs(context);          /* the context keeps them: it is not freed */
    for (out->n_urls = 0; out->urls && out->urls[out->n_urls]; )
        out->n_urls++;
    out->new_connection = new_connection;
    out->verify = verify;
    out->tcp = tcp;
    out->quiet = quiet;
    return check(out, exit_code);
}
