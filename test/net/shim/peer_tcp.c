#include "peer.h"

#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static bool send_pattern(int fd, uint64_t *offset, uint64_t bytes)
{
    static const size_t most = 65536;
    uint8_t buffer[65536];
    while (bytes) {
        size_t n = bytes < most ? bytes : most;
        for (size_t i = 0; i < n; i++)
            buffer[i] = peer_byte(*offset + i);
        ssize_t sent = send(fd, buffer, n, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        *offset += (uint64_t)sent;
        bytes -= (uint64_t)sent;
    }
    return true;
}

static void eat(int fd)
{
    char buffer[65536];
    uint64_t count = 0;
    ssize_t n;
    while ((n = recv(fd, buffer, sizeof buffer, 0)) > 0)
        count += (uint64_t)n;
    int length = snprintf(buffer, sizeof buffer, "%llu\n", (unsigned long long)count);
    send(fd, buffer, (size_t)length, MSG_NOSIGNAL);
    shutdown(fd, SHUT_WR);
}

/* False: nothing more will be read as lines. */
static bool obey(int fd, const char *line, uint64_t *offset)
{
    struct linger abort = { 1, 0 };
    if (strncmp(line, "log ", 4) == 0) {
        puts(line + 4);
        return true;
    }
    if (strncmp(line, "get ", 4) == 0)
        return send_pattern(fd, offset, strtoull(line + 4, NULL, 10));
    if (strncmp(line, "end ", 4) == 0 && send_pattern(fd, offset, strtoull(line + 4, NULL, 10)))
        shutdown(fd, SHUT_WR);
    else if (strcmp(line, "eat") == 0)
        eat(fd);
    else if (strcmp(line, "rst") == 0)
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
    return false;
}

static ssize_t read_line(int fd, char *line)
{
    for (size_t n = 0; n < PEER_LINE_BYTES; n++) {
        ssize_t got = recv(fd, line + n, 1, 0);
        if (got <= 0)
            return got;
        if (line[n] == '\n') {
            line[n] = 0;
            return (ssize_t)n + 1;
        }
    }
    return 0;
}

static void *serve(void *argument)
{
    int fd = (int)(intptr_t)argument;
    char line[PEER_LINE_BYTES + 1], rest[4096];
    uint64_t offset = 0;
    ssize_t n;
    while ((n = read_line(fd, line)) > 0)
        if (!obey(fd, line, &offset)) {
            if (strcmp(line, "rst") != 0)
                while ((n = recv(fd, rest, sizeof rest, 0)) > 0) { }
            break;
        }
    puts(n < 0 && errno == ECONNRESET ? "peer: reset" : "peer: closed");
    close(fd);
    return NULL;
}

int peer_tcp(uint16_t port)
{
    int on = 1, off = 0, listener = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(listener, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (bind(listener, (struct sockaddr *)&any, sizeof any) < 0 || listen(listener, 64) < 0) {
        perror("peer");
        return 1;
    }
    for (;;) {
        pthread_t thread;
        int fd = accept(listener, NULL, NULL);
        if (fd >= 0 && pthread_create(&thread, NULL, serve, (void *)(intptr_t)fd) == 0)
            pthread_detach(thread);
    }
}
