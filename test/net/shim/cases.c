#include "cases.h"

#include <net/if.h>
#include <stdarg.h>
#include "peer.h"

struct target target, silent, refused;

void say(const char *format, ...)
{
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(line, sizeof line - 1, format, arguments);
    va_end(arguments);
    line[n] = '\n';
    if (write(STDOUT_FILENO, line, (size_t)n + 1) < 0)
        abort();
}

const char *errno_name(int error)
{
    const char *name = strerrorname_np(error);
    return name ? name : "?";
}

void say_result(const char *what, long value)
{
    if (value < 0)
        say("%s: %ld %s", what, value, errno_name(errno));
    else
        say("%s: %ld", what, value);
}

const char *poll_names(short revents)
{
    static char text[64];
    static const struct { short bit; const char *name; } names[] = {
        { POLLIN, "IN " }, { POLLOUT, "OUT " }, { POLLERR, "ERR " }, { POLLHUP, "HUP " }, { POLLRDHUP, "RDHUP " }, { POLLPRI, "PRI " },
    };
    text[0] = 0;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (revents & names[i].bit)
            strcat(text, names[i].name);
    return text;
}

int tcp_socket(int flags)
{
    int fd = socket(target.at.any.sa_family, SOCK_STREAM | flags, 0);
    if (fd < 0) {
        perror("socket");
        exit(1);
    }
    return fd;
}

int connected(void)
{
    int fd = tcp_socket(0);
    if (connect(fd, &target.at.any, target.len) < 0) {
        perror("connect");
        exit(1);
    }
    return fd;
}

int connecting(const struct target *to)
{
    int fd = tcp_socket(SOCK_NONBLOCK);
    say_result("connect", connect(fd, &to->at.any, to->len));
    return fd;
}

short poll_one(int fd, short events, int timeout_ms)
{
    struct pollfd p = { .fd = fd, .events = events };
    return poll(&p, 1, timeout_ms) > 0 ? p.revents : 0;
}

void request(int fd, const char *line)
{
    if (send(fd, line, strlen(line), MSG_NOSIGNAL) != (ssize_t)strlen(line)) {
        perror("request");
        exit(1);
    }
}

void expect_pattern(int fd, uint64_t offset, size_t n)
{
    uint8_t buffer[16384];
    size_t at = 0;
    while (at < n) {
        ssize_t got = recv(fd, buffer, n - at < sizeof buffer ? n - at : sizeof buffer, 0);
        if (got <= 0) {
            say("pattern: ends after %zu of %zu: %ld %s", at, n, (long)got, got < 0 ? errno_name(errno) : "");
            return;
        }
        for (ssize_t i = 0; i < got; i++)
            if (buffer[i] != peer_byte(offset + at + (size_t)i)) {
                say("pattern: wrong at %zu", at + (size_t)i);
                return;
            }
        at += (size_t)got;
    }
    say("pattern ok: %zu", n);
}

int socket_error(int fd)
{
    int error = -1;
    socklen_t len = sizeof error;
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
    return error;
}

static bool read_target(const char *address, uint16_t port, struct target *t)
{
    memset(t, 0, sizeof *t);
    if (inet_pton(AF_INET, address, &t->at.v4.sin_addr) == 1) {
        t->at.v4.sin_family = AF_INET;
        t->at.v4.sin_port = htons(port);
        t->len = sizeof t->at.v4;
        return true;
    }
    t->at.v6.sin6_family = AF_INET6;
    t->at.v6.sin6_port = htons(port);
    t->len = sizeof t->at.v6;
    char host[INET6_ADDRSTRLEN];
    const char *device = strchr(address, '%');                 /* of a link-local address */
    t->at.v6.sin6_scope_id = device ? if_nametoindex(device + 1) : 0;
    snprintf(host, sizeof host, "%.*s", (int)(device ? device - address : (long)strlen(address)), address);
    return inet_pton(AF_INET6, host, &t->at.v6.sin6_addr) == 1;
}

static const struct test_case *find(const char *name)
{
    const struct test_case *const tables[] = { option_cases, connect_cases, stream_cases, process_cases, descriptor_cases, wait_cases,
                                               address_cases, number_cases };
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        for (const struct test_case *c = tables[i]; c->name; c++)
            if (!name)
                puts(c->name);
            else if (strcmp(c->name, name) == 0)
                return c;
    return NULL;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        find(NULL);
        return 0;
    }
    if (argc == 3 && strcmp(argv[1], "--read") == 0) {         /* after exec: what is left of a connection */
        char byte;
        say_result("recv", recv(atoi(argv[2]), &byte, 1, 0));
        return 0;
    }
    const struct test_case *c = argc == 5 ? find(argv[1]) : NULL;
    if (!c || !read_target(argv[2], (uint16_t)atoi(argv[3]), &target) || !read_target(argv[2], CLOSED_PORT, &refused) ||
        !read_target(argv[4], (uint16_t)atoi(argv[3]), &silent)) {
        fputs("usage: trk-shim_cases NAME ADDRESS PORT SILENT | --list\n", stderr);
        return 2;
    }
    alarm(60);                         /* a hang is a failure, and ends */
    c->run();
    return 0;
}
