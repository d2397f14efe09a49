/* metrics.c - see metrics.h. A client may be slow or silent: it gets two seconds and a place of its own. */
#include "metrics.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "log.h"

#define ANSWER_BYTES 32768
#define CLIENT_SECONDS 2.

static int fails(int fd, const char *where, const char *what)
{
    log_line("metrics on %s: %s", where, what ? what : strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

/* A name that is left of a process that was killed is replaced; whoever connects finds the newest. */
static int listen_unix(const char *where, const char *path)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    struct stat st;
    if (!*path || strlen(path) >= sizeof a.sun_path)
        return fails(-1, where, "unix:PATH, with a path of at most 107 bytes");
    strcpy(a.sun_path, path);
    if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode))
        unlink(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) != 0 || listen(fd, METRICS_CLIENTS) != 0)
        return fails(fd, where, NULL);
    return fd;
}

/* Two daemons may share the port, as they do while one takes over from the other. */
static int listen_tcp(const char *where)
{
    char host[64];
    const char *port = strrchr(where, ':');
    struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE, .ai_socktype = SOCK_STREAM }, *found;
    size_t n = port ? (size_t)(port - where) : 0;
    bool brackets = n > 2 && where[0] == '[' && where[n - 1] == ']';
    if (n == 0 || n >= sizeof host)
        return fails(-1, where, "write ADDR:PORT, [V6ADDR]:PORT or unix:PATH");
    snprintf(host, sizeof host, "%.*s", (int)(brackets ? n - 2 : n), where + brackets);
    if (getaddrinfo(host, port + 1, &hints, &found) != 0)
        return fails(-1, where, "write ADDR:PORT, [V6ADDR]:PORT or unix:PATH, with numbers");
    int on = 1, fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool ok = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0 &&
              bind(fd, found->ai_addr, found->ai_addrlen) == 0 && listen(fd, METRICS_CLIENTS) == 0;
    freeaddrinfo(found);
    return ok ? fd : fails(fd, where, NULL);
}

int metrics_listen(const char *where)
{
    return strncmp(where, "unix:", 5) == 0 ? listen_unix(where, where + 5) : listen_tcp(where);
}

static void drop(struct metrics_client *c)
{
    ev_io_stop(c->metrics->loop, &c->io);
    ev_timer_stop(c->metrics->loop, &c->limit);
    close(c->io.fd);
    c->io.fd = -1;
    ev_io_start(c->metrics->loop, &c->metrics->listener);      /* there is room again */
}

static void answer(struct metrics_client *c)
{
    static char out[ANSWER_BYTES];
    static const char head[] = "HTTP/1.0 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nConnection: close\r\n\r\n";
    static const char wrong[] = "HTTP/1.0 404 Not Found\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\nGET /metrics\n";
    size_t n = sizeof head - 1;
    bool asked = strncmp(c->request, "GET /metrics", 12) == 0 || strncmp(c->request, "GET / ", 6) == 0;
    memcpy(out, head, n);
    if (asked)
        n += metrics_text(c->metrics->server, out + n, sizeof out - n);
    (void)!send(c->io.fd, asked ? out : wrong, asked ? n : sizeof wrong - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    drop(c);
}

static void on_request(struct ev_loop *loop, ev_io *w, int revents)
{
    struct metrics_client *c = w->data;
    (void)loop;
    (void)revents;
    ssize_t n = recv(w->fd, c->request + c->got, sizeof c->request - 1 - c->got, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        drop(c);
        return;
    }
    c->got += (size_t)n;
    c->request[c->got] = '\0';
    if (strstr(c->request, "\r\n\r\n") || strstr(c->request, "\n\n"))
        answer(c);
    else if (c->got == sizeof c->request - 1)
        drop(c);
}

static void on_limit(struct ev_loop *loop, ev_timer *w, int revents)
{
    (void)loop;
    (void)revents;
    drop(w->data);
}

static void on_client(struct ev_loop *loop, ev_io *w, int revents)
{
    struct metrics *m = w->data;
    struct metrics_client *c = m->clients;
    (void)revents;
    while (c < m->clients + METRICS_CLIENTS && c->io.fd >= 0)
        c++;
    if (c == m->clients + METRICS_CLIENTS) {
        ev_io_stop(loop, w);           /* until one of them goes */
        return;
    }
    int fd = accept4(w->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return;                        /* another worker had it */
    c->got = 0;
    ev_io_set(&c->io, fd, EV_READ);
    ev_io_start(loop, &c->io);
    ev_timer_set(&c->limit, CLIENT_SECONDS, 0.);
    ev_timer_start(loop, &c->limit);
}

void metrics_start(struct metrics *m, struct ev_loop *loop, int fd, struct msk_server *server)
{
    m->server = server;
    m->loop = loop;
    for (struct metrics_client *c = m->clients; c < m->clients + METRICS_CLIENTS; c++) {
        c->metrics = m;
        ev_init(&c->io, on_request);
        ev_init(&c->limit, on_limit);
        c->io.data = c->limit.data = c;
        c->io.fd = -1;
    }
    ev_io_init(&m->listener, on_client, fd, EV_READ);
    m->listener.data = m;
    ev_io_start(loop, &m->listener);
}
