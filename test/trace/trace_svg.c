/* trk-trace-svg - draws one flow of a list of events (flow_events.h) as a picture: windows, numbers and data over time; or,
 * with --shares, what all flows get of a bottleneck over time.
 *
 *     trk-trace-svg [--flow N] [--from SECONDS] [--to SECONDS] [--title TEXT] FILE.jsonl > FILE.svg
 *     trk-trace-svg --shares [--title TEXT] FILE.jsonl > FILE.svg */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "picture.h"
#include "shares.h"
#include "trace_file.h"

struct options { unsigned flow; bool shares; double from, to; const char *title, *file; };

static int usage(void)
{
    fprintf(stderr, "usage: trk-trace-svg [--flow N] [--from SECONDS] [--to SECONDS] [--shares] [--title TEXT] FILE.jsonl > FILE.svg\n");
    return 2;
}

static bool parse(int argc, char **argv, struct options *o)
{
    static const struct option names[] = { { "flow", 1, NULL, 'f' }, { "from", 1, NULL, 'a' }, { "to", 1, NULL, 'b' }, { "title", 1, NULL, 't' },
                                          { "shares", 0, NULL, 's' }, { 0 } };

    for (int c; (c = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        if (c == 'f')
            o->flow = (unsigned)strtoul(optarg, NULL, 10);
        else if (c == 'a')
            o->from = strtod(optarg, NULL);
        else if (c == 'b')
            o->to = strtod(optarg, NULL);
        else if (c == 't')
            o->title = optarg;
        else if (c == 's')
            o->shares = true;
        else
            return false;
    }
    o->file = argv[optind];
    return optind + 1 == argc;
}

int main(int argc, char **argv)
{
    struct options o = { .to = 1e12 };
    struct trace trace;

    if (!parse(argc, argv, &o))
        return usage();
    if (o.shares) {
        if (!shares_draw(o.file, o.title ? o.title : o.file, stdout))
            return 1;
    } else {
        if (!trace_read(&trace, o.file, o.flow, o.from, o.to))
            return 1;
        picture_draw(&trace, o.title ? o.title : o.file, stdout);
        trace_free(&trace);
    }
    if (fflush(stdout) == 0 && !ferror(stdout))
        return 0;
    fprintf(stderr, "trk-trace-svg: cannot write the picture\n");
    return 1;
}
