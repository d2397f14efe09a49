/* trickles - runs a program with libtrickles.so preloaded, or says in one line why that cannot work. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "program.h"
#include "rights.h"

#define EXIT_USAGE      2
#define EXIT_CANNOT     126            /* as a shell: found, but not to be run */
#define EXIT_NOT_FOUND  127

static const char usage[] =
    "usage: trickles [OPTION]... [--] PROGRAM [ARGUMENT]...\n"
    "Runs PROGRAM so that its TCP connections speak Trickles where the server does.\n"
    "\n"
    "  -v, --verbose   report each connection on standard error (TRICKLES_LOG=info)\n"
    "      --try       fall back to TCP where the server does not answer (default)\n"
    "      --require   fail instead (TRICKLES=require)\n"
    "      --pcap FILE capture the packets (TRICKLES_PCAP)\n"
    "      --help      show this and exit\n"
    "      --version   show the version and exit\n"
    "\n"
    "Needs root, or the file capability on this launcher:\n"
    "  setcap cap_net_raw,cap_net_admin+ep $(command -v trickles)\n";

/* Options end at the first word that is none: the program's own are not ours. Returns its index; exits for --help. */
static int read_options(int argc, char **argv)
{
    enum { TRY = 256, REQUIRE, PCAP, HELP, VERSION };
    static const struct option options[] = {
        { "verbose", no_argument, NULL, 'v' }, { "try", no_argument, NULL, TRY }, { "require", no_argument, NULL, REQUIRE },
        { "pcap", required_argument, NULL, PCAP }, { "help", no_argument, NULL, HELP },
        { "version", no_argument, NULL, VERSION }, { NULL, 0, NULL, 0 },
    };
    int option;
    while ((option = getopt_long(argc, argv, "+v", options, NULL)) != -1) {
        switch (option) {
        case 'v':
            setenv("TRICKLES_LOG", "info", 1);
            break;
        case TRY:
            setenv("TRICKLES", "try", 1);
            break;
        case REQUIRE:
            setenv("TRICKLES", "require", 1);
            break;
        case PCAP:
            setenv("TRICKLES_PCAP", optarg, 1);
            break;
        case HELP:
            fputs(usage, stdout);
            exit(EXIT_SUCCESS);
        case VERSION:
            puts("trickles " TRICKLES_VERSION);
            exit(EXIT_SUCCESS);
        default:
            fputs("try: trickles --help\n", stderr);
            exit(EXIT_USAGE);
        }
    }
    return optind;
}

/* Beside us in a build tree or an installation: DIR/bin/trickles and DIR/lib/libtrickles.so. */
static int find_library(char *path, size_t bytes)
{
    char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n > 0) {
        self[n] = 0;
        *strrchr(self, '/') = 0;
        static const char *const places[] = { "/../lib/libtrickles.so", "/../" TRICKLES_LIBDIR "/libtrickles.so", "/libtrickles.so" };
        for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
            char candidate[PATH_MAX + 64];
            snprintf(candidate, sizeof candidate, "%s%s", self, places[i]);
            if (realpath(candidate, path))
                return 0;
        }
    }
    snprintf(path, bytes, TRICKLES_INSTALLED "/libtrickles.so");
    return access(path, R_OK);
}

/* The loader splits LD_PRELOAD at spaces and colons and knows no quoting. */
static int preload(const char *library)
{
    if (strpbrk(library, " :"))
        return -1;
    const char *others = getenv("LD_PRELOAD");
    char *value;
    if (asprintf(&value, "%s%s%s", others && *others ? others : "", others && *others ? ":" : "", library) < 0)
        return -1;
    int result = setenv("LD_PRELOAD", value, 1);
    free(value);
    return result;
}

static int refuse(enum launcher_verdict v, const char *name, const char *judged)
{
    switch (v) {
    case LAUNCHER_NOT_FOUND:
        fprintf(stderr, "trickles: %s: not found\n", name);
        return EXIT_NOT_FOUND;
    case LAUNCHER_NOT_EXECUTABLE:
        fprintf(stderr, "trickles: %s: not an executable file\n", name);
        return EXIT_CANNOT;
    case LAUNCHER_SET_ID:
        fprintf(stderr, "trickles: %s is set-uid or set-gid, and such programs ignore preloaded libraries: run it as the user "
                        "that it would become\n", judged);
        return EXIT_CANNOT;
    case LAUNCHER_FILE_CAPABILITIES:
        fprintf(stderr, "trickles: %s has file capabilities, and such programs ignore preloaded libraries: run it as root, or "
                        "use a copy without them\n", judged);
        return EXIT_CANNOT;
    case LAUNCHER_STATIC:
        fprintf(stderr, "trickles: %s is statically linked, so no library can be preloaded into it\n", judged);
        return EXIT_CANNOT;
    case LAUNCHER_GO:
        fprintf(stderr, "trickles: %s is a Go program, which makes its system calls itself, so a preloaded library does not see "
                        "its connections\n", judged);
        return EXIT_CANNOT;
    case LAUNCHER_OTHER_MACHINE:
        fprintf(stderr, "trickles: %s is for another machine than libtrickles.so\n", judged);
        return EXIT_CANNOT;
    case LAUNCHER_FINE:
        break;
    }
    return 0;
}

int main(int argc, char **argv)
{
    char path[PATH_MAX], judged[PATH_MAX], library[PATH_MAX];
    int first = read_options(argc, argv);
    if (first >= argc) {
        fputs("trickles: which program? try: trickles --help\n", stderr);
        return EXIT_USAGE;
    }
    enum launcher_verdict v = launcher_find(argv[first], path, sizeof path);
    if (v == LAUNCHER_FINE)
        v = launcher_judge(path, judged, sizeof judged);
    if (v != LAUNCHER_FINE)
        return refuse(v, argv[first], judged);
    if (find_library(library, sizeof library) != 0 || preload(library) != 0) {
        fprintf(stderr, "trickles: cannot use %s: not there, or a space or colon in its path\n", library);
        return EXIT_CANNOT;
    }
    launcher_pass_rights();
    if (!launcher_has_rights()) {
        fputs("trickles: no right to open packet sockets: run it as root (sudo trickles ...), or once: "
              "setcap cap_net_raw,cap_net_admin+ep on this launcher\n", stderr);
        return EXIT_CANNOT;
    }
    execv(path, argv + first);
    fprintf(stderr, "trickles: %s: %s\n", path, strerror(errno));
    return errno == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT;
}
