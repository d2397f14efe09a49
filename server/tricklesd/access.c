/* access.c - see access.h. */
#include "access.h"

#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "log.h"

#define LINE_BYTES 1200

static int file = -1;

bool access_open(const char *path)
{
    file = strcmp(path, "-") == 0 ? dup(STDOUT_FILENO) : open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
    if (file < 0)
        log_line("cannot write the access log %s: %m", path);
    return file >= 0;
}

void access_close(void)
{
    if (file >= 0)
        close(file);
    file = -1;
}

bool access_is_open(void) { return file >= 0; }

/* What a client wrote must not end the line or the quotes, nor drive a terminal. */
static void clean(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f || *text == '"' || *text == '\\')
            *text = '?';
}

static const char *when(uint64_t time_ms, char out[40])
{
    time_t seconds = (time_t)(time_ms / 1000);
    struct tm utc;
    if (!gmtime_r(&seconds, &utc) || strftime(out, 40, "%d/%b/%Y:%H:%M:%S +0000", &utc) == 0)
        strcpy(out, "-");
    return out;
}

void access_line(const struct msk_event *event, const char *method, const char *path, unsigned status, uint64_t bytes)
{
    char line[LINE_BYTES], host[64] = "-", text[900], time_text[40], id[2 * sizeof event->connection + 1];
    if (file < 0)
        return;
    getnameinfo((const struct sockaddr *)&event->peer, sizeof event->peer, host, sizeof host, NULL, 0, NI_NUMERICHOST);
    snprintf(text, sizeof text, "%s %s", method, path);
    clean(text);
    for (size_t i = 0; i < sizeof event->connection; i++)
        snprintf(id + 2 * i, 3, "%02x", event->connection[i]);
    int n = snprintf(line, sizeof line, "%s - - [%s] \"%s HTTP/1.1\" %u %llu %s:%llu\n", host, when(event->time_ms, time_text), text, status,
                     (unsigned long long)bytes, id, (unsigned long long)event->input.offset);
    if (write(file, line, (size_t)n) < 0)
        log_event("cannot write the access log: %m");
}
