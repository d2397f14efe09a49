/* stats.c - see stats.h. */
#include "stats.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "log.h"

#define COUNTERS_MAX 160

static size_t counters(const struct msk_server *server, struct msk_counter *out)
{
    size_t n = msk_counters(server, out, COUNTERS_MAX);
    return n < COUNTERS_MAX ? n : COUNTERS_MAX;
}

long stats_resident_kib(void)
{
    long size, resident = 0;
    FILE *f = fopen("/proc/self/statm", "re");
    if (!f)
        return 0;
    if (fscanf(f, "%ld %ld", &size, &resident) != 2)
        resident = 0;
    fclose(f);
    return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

static bool write_json(const struct msk_server *server, FILE *f)
{
    struct msk_counter all[COUNTERS_MAX];
    size_t n = counters(server, all);
    fprintf(f, "{\"program\":\"tricklesd\",\"pid\":%ld,\"resident_kib\":%ld,\"counters\":{", (long)getpid(), stats_resident_kib());
    for (size_t i = 0; i < n; i++)
        fprintf(f, "%s\"%s\":%llu", i ? "," : "", all[i].name, (unsigned long long)all[i].value);
    fputs("}}\n", f);
    return fflush(f) == 0 && !ferror(f);
}

bool stats_write(const struct msk_server *server, const char *path)
{
    char temporary[4096];
    if (strcmp(path, "-") == 0)
        return write_json(server, stdout);
    if (snprintf(temporary, sizeof temporary, "%s.new", path) >= (int)sizeof temporary) {
        errno = ENAMETOOLONG;
        return false;
    }
    FILE *f = fopen(temporary, "we");
    if (!f)
        return false;
    bool ok = write_json(server, f);
    ok = fclose(f) == 0 && ok;
    if (ok && rename(temporary, path) == 0)
        return true;
    int saved = errno;
    unlink(temporary);
    errno = saved;
    return false;
}

void stats_print(const struct msk_server *server)
{
    struct msk_counter all[COUNTERS_MAX];
    size_t n = counters(server, all);
    for (size_t i = 0; i < n; i++)
        log_line("%-18s %llu", all[i].name, (unsigned long long)all[i].value);
}
