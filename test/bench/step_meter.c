#include "step_meter.h"

#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

double meter_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int counter(void)
{
    struct perf_event_attr attr = { .type = PERF_TYPE_HARDWARE, .size = sizeof attr, .config = PERF_COUNT_HW_INSTRUCTIONS,
                                    .exclude_kernel = 1, .exclude_hv = 1 };
    return (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
}

uint64_t meter_instructions(void)
{
    static int fd = -2;
    uint64_t n = 0;

    if (fd == -2)
        fd = counter();
    return fd >= 0 && read(fd, &n, sizeof n) == sizeof n ? n : 0;
}

void meter_note(struct meter_best *best, double ns, uint64_t instructions, unsigned steps)
{
    if (best->ns > 0 && best->ns <= ns / steps)
        return;
    best->ns = ns / steps;
    best->instructions = instructions / steps;
}

bool step_options_parse(int argc, char **argv, struct step_options *out)
{
    *out = (struct step_options){ .rounds = 100, .shape = -1 };
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--count"))
            out->count = true;
        else if (!strcmp(argv[i], "--list"))
            out->list = true;
        else if (!strcmp(argv[i], "--rounds") && i + 1 < argc)
            out->rounds = (unsigned)atoi(argv[++i]);
        else if (!strcmp(argv[i], "--shape") && i + 1 < argc)
            out->shape = atoi(argv[++i]);
        else
            out->rounds = 0;
    }
    if (out->rounds)
        return true;
    fprintf(stderr, "usage: %s [--rounds N] [--shape I] [--count] [--list]\n"
                    "  --rounds N  the fastest of so many counts (default 100)\n"
                    "  --shape I   only this one; --list names them\n"
                    "  --count     for callgrind: prints how many steps were taken, and no times\n", argv[0]);
    return false;
}
