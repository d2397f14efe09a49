/* cases_connect.c - the ways to connect, and to fail at it. */
#include "cases.h"

#include <sys/select.h>
#include <sys/syscall.h>

static void blocking(void)
{
    int fd = tcp_socket(0);
    say_result("connect", connect(fd, &target.at.any, target.len));
    say_result("second connect", connect(fd, &target.at.any, target.len));
    say("poll: %s", poll_names(poll_one(fd, POLLIN | POLLOUT | POLLRDHUP, 0)));
    request(fd, "get 100000\n");
    expect_pattern(fd, 0, 100000);
    say_result("close", close(fd));
}

static void wait_writable(int fd)
{
    say("poll: %s", poll_names(poll_one(fd, POLLIN | POLLOUT | POLLRDHUP, 10000)));
}

static void polled(void)
{
    int fd = connecting(&target);
    wait_writable(fd);
    say("SO_ERROR %d", socket_error(fd));
    struct target peer = { .len = sizeof peer.at };
    say_result("getpeername", getpeername(fd, &peer.at.any, &peer.len));
    say_result("second connect", connect(fd, &target.at.any, target.len));
    say_result("third connect", connect(fd, &target.at.any, target.len));
    request(fd, "get 100000\n");
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
    expect_pattern(fd, 0, 100000);
}

/* Straight on, as some do: no question about SO_ERROR. A fallback must then carry the bytes. */
static void polled_no_questions(void)
{
    int fd = connecting(&target);
    wait_writable(fd);
    say_result("write", write(fd, "get 3000000\n", 12));
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
    expect_pattern(fd, 0, 3000000);
    say_result("write", write(fd, "end 10\n", 7));
    expect_pattern(fd, 3000000, 10);
    char byte;
    say_result("end", read(fd, &byte, 1));
    say("poll: %s", poll_names(poll_one(fd, POLLIN | POLLOUT | POLLRDHUP, 0)));
    struct target peer = { .len = sizeof peer.at };
    say_result("getpeername", getpeername(fd, &peer.at.any, &peer.len));
}

static void selected(void)
{
    int fd = connecting(&target);
    fd_set writable;
    FD_ZERO(&writable);
    FD_SET(fd, &writable);
    struct timeval limit = { 10, 0 };
    say_result("select", select(fd + 1, NULL, &writable, NULL, &limit));
    say("SO_ERROR %d, fd below FD_SETSIZE %d", socket_error(fd), fd < FD_SETSIZE);
}

/* Edge-triggered, registered before connect: silence, then one event. */
static void edges(void)
{
    int ep = epoll_create1(0), fd = tcp_socket(SOCK_NONBLOCK);
    struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.u64 = 4711 }, got;
    epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event);
    while (epoll_wait(ep, &got, 1, 0) > 0) { }         /* an unconnected socket hangs up; that is read */
    say_result("connect", connect(fd, &target.at.any, target.len));
    int events = 0;
    bool writable = false;
    for (int i = 0; i < 50 && !writable; i++)
        while (epoll_wait(ep, &got, 1, 200) > 0) {
            events++;
            writable |= got.events & EPOLLOUT && !(got.events & EPOLLHUP);
        }
    say("writable %d data %llu few events %d", writable, (unsigned long long)got.data.u64, events <= 2);
    say("SO_ERROR %d", socket_error(fd));
    while (epoll_wait(ep, &got, 1, 50) > 0) { }        /* given back, it may report once more */
    request(fd, "get 10\n");
    int n;                                     /* a pair says "writable" more often than TCP does */
    do
        n = epoll_wait(ep, &got, 1, 5000);
    while (n == 1 && !(got.events & EPOLLIN));
    say("then: %d data %llu", n, (unsigned long long)got.data.u64);
    event.events = EPOLLIN;
    say_result("MOD", epoll_ctl(ep, EPOLL_CTL_MOD, fd, &event));
    say_result("DEL", epoll_ctl(ep, EPOLL_CTL_DEL, fd, NULL));
    say_result("DEL again", epoll_ctl(ep, EPOLL_CTL_DEL, fd, NULL));
    say_result("silent", epoll_wait(ep, &got, 1, 50));
}

/* Level-triggered, registered after connect; closing takes the registration along. */
static void levels(void)
{
    int ep = epoll_create1(0), fd = connecting(&target);
    struct epoll_event event = { .events = EPOLLOUT, .data.fd = fd }, got;
    epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event);
    say_result("epoll_wait", epoll_wait(ep, &got, 1, 10000));
    say("SO_ERROR %d", socket_error(fd));
    say_result("epoll_wait", epoll_wait(ep, &got, 1, 0));
    close(fd);
    say_result("after close", epoll_wait(ep, &got, 1, 50));
    int other = connected();
    say("same number %d", other == fd);
    say_result("ADD", epoll_ctl(ep, EPOLL_CTL_ADD, other, &event));
}

/* A second name of the socket, made before connect. */
static void duplicates(void)
{
    int fd = tcp_socket(0), copy = dup(fd), high = fcntl(fd, F_DUPFD_CLOEXEC, 200);
    say_result("connect", connect(copy, &target.at.any, target.len));
    request(fd, "get 10\n");
    expect_pattern(high, 0, 10);
    say("flags %d %d", fcntl(fd, F_GETFD), fcntl(high, F_GETFD));
    close(fd);
    close(copy);
    request(high, "get 10\n");
    expect_pattern(high, 10, 10);
}

static void by_number(void)
{
    int fd = tcp_socket(0);
    say_result("connect", syscall(SYS_connect, fd, &target.at.any, target.len));
    struct target peer = { .len = sizeof peer.at };
    say_result("getpeername", syscall(SYS_getpeername, fd, &peer.at.any, &peer.len));
    say("family %d", peer.at.any.sa_family);
    int value = 0;
    socklen_t len = sizeof value;
    say_result("getsockopt", syscall(SYS_getsockopt, fd, SOL_SOCKET, SO_DOMAIN, &value, &len));
    say("SO_DOMAIN %d", value);
    say("getpid %d", syscall(SYS_getpid) == getpid());
}

static void while_connecting(void)
{
    int ep = epoll_create1(0), fd = connecting(&silent), value = -1;
    struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLET }, got;
    epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event);
    char byte = 0;
    say("poll: %s", poll_names(poll_one(fd, POLLIN | POLLOUT, 100)));
    say_result("edges", epoll_wait(ep, &got, 1, 100));
    say_result("send", send(fd, &byte, 1, MSG_NOSIGNAL));
    say_result("recv", recv(fd, &byte, 1, 0));
    say_result("second connect", connect(fd, &silent.at.any, silent.len));
    struct target name = { .len = sizeof name.at };
    say_result("getpeername", getpeername(fd, &name.at.any, &name.len));
    say_result("getsockname", getsockname(fd, &name.at.any, &name.len));
    say("port %d", name.at.v4.sin_port != 0);
    say("SO_ERROR %d", socket_error(fd));
    say_result("FIONREAD", ioctl(fd, FIONREAD, &value));
    say("%d", value);
    struct tcp_info info;
    socklen_t len = sizeof info;
    say_result("TCP_INFO", getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len));
    say("state %u", info.tcpi_state);
    say_result("close", close(fd));
}

static void refused_blocking(void)
{
    int fd = tcp_socket(0);
    say_result("connect", connect(fd, &refused.at.any, refused.len));
    say("SO_ERROR %d", socket_error(fd));
    struct target name = { .len = sizeof name.at };
    say_result("getpeername", getpeername(fd, &name.at.any, &name.len));
    say_result("connect elsewhere", connect(fd, &target.at.any, target.len));
    request(fd, "get 10\n");
    expect_pattern(fd, 0, 10);
}

static void refused_polled(void)
{
    int fd = connecting(&refused);
    wait_writable(fd);
    say("SO_ERROR %s", errno_name(socket_error(fd)));
    say("SO_ERROR again %d", socket_error(fd));
    struct target name = { .len = sizeof name.at };
    say_result("getpeername", getpeername(fd, &name.at.any, &name.len));
    char byte;
    say_result("recv", recv(fd, &byte, 1, 0));
}

static void refused_received(void)
{
    int fd = connecting(&refused);
    wait_writable(fd);
    char byte;
    say_result("recv", recv(fd, &byte, 1, 0));
    say_result("recv again", recv(fd, &byte, 1, 0));
    say("SO_ERROR %d", socket_error(fd));
}

/* What the C library makes of recv() where it checks the buffer's size (_FORTIFY_SOURCE). */
ssize_t __recv_chk(int fd, void *buffer, size_t bytes, size_t room, int flags);
ssize_t __recvfrom_chk(int fd, void *buffer, size_t bytes, size_t room, int flags, struct sockaddr *addr, socklen_t *len);

static void refused_checked(void)
{
    char byte;
    int fd = connecting(&refused);
    wait_writable(fd);
    say_result("recv", __recv_chk(fd, &byte, 1, 1, 0));
    close(fd);
    fd = connecting(&refused);
    wait_writable(fd);
    say_result("recvfrom", __recvfrom_chk(fd, &byte, 1, 1, 0, NULL, NULL));
    close(fd);
    fd = connected();
    say_result("error queue", __recv_chk(fd, &byte, 1, 1, MSG_ERRQUEUE | MSG_DONTWAIT));
}

static void refused_again(void)
{
    int fd = connecting(&refused);
    wait_writable(fd);
    say_result("connect reports", connect(fd, &refused.at.any, refused.len));
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
    say_result("connect elsewhere", connect(fd, &target.at.any, target.len));
    request(fd, "get 10\n");
    expect_pattern(fd, 0, 10);
}

static void disconnected(void)
{
    int fd = connected();
    struct sockaddr none = { .sa_family = AF_UNSPEC };
    request(fd, "get 10\n");
    expect_pattern(fd, 0, 10);
    say_result("disconnect", connect(fd, &none, sizeof none));
    struct target name = { .len = sizeof name.at };
    say_result("getpeername", getpeername(fd, &name.at.any, &name.len));
    say_result("connect", connect(fd, &target.at.any, target.len));
    request(fd, "get 10\n");
    expect_pattern(fd, 0, 10);
}

static void on_alarm(int number) { (void)number; }

static void interrupted(void)
{
    struct sigaction action = { .sa_handler = on_alarm };      /* without SA_RESTART */
    sigaction(SIGUSR1, &action, NULL);
    int fd = tcp_socket(0);
    pid_t child = fork();
    if (child == 0) {
        usleep(300000);
        kill(getppid(), SIGUSR1);
        _exit(0);
    }
    say_result("connect", connect(fd, &silent.at.any, silent.len));
    say("poll: %s", poll_names(poll_one(fd, POLLIN | POLLOUT, 50)));
    waitpid(child, NULL, 0);
    struct target name = { .len = sizeof name.at };
    say_result("getpeername", getpeername(fd, &name.at.any, &name.len));
}

static void timed(void)
{
    struct timeval limit = { 0, 300000 };
    int fd = tcp_socket(0);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    say_result("connect", connect(fd, &silent.at.any, silent.len));
    say("poll: %s", poll_names(poll_one(fd, POLLIN | POLLOUT, 50)));
}

static void many(void)
{
    int fds[100];
    for (int i = 0; i < 100; i++)
        fds[i] = connected();
    for (int i = 0; i < 100; i++)
        request(fds[i], "get 1000\n");
    for (int i = 0; i < 100; i += 33)
        expect_pattern(fds[i], 0, 1000);
    for (int i = 0; i < 100; i++)
        close(fds[i]);
    for (int i = 0; i < 200; i++) {            /* one after the other: nothing may leak */
        int fd = connected();
        if (fd > 10)
            say("descriptor %d", fd);
        close(fd);
    }
    say("done");
}

/* Addresses that one host does not have, and sockets that are not plain: they stay with the kernel. */
static void ineligible(void)
{
    struct sockaddr_in multicast = { .sin_family = AF_INET, .sin_port = htons(80), .sin_addr.s_addr = htonl(0xe0000001) };
    struct sockaddr_in broadcast = { .sin_family = AF_INET, .sin_port = htons(80), .sin_addr.s_addr = htonl(0xffffffff) };
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    say_result("multicast", connect(fd, (struct sockaddr *)&multicast, sizeof multicast));
    say_result("broadcast", connect(fd, (struct sockaddr *)&broadcast, sizeof broadcast));
    say_result("short address", connect(fd, (struct sockaddr *)&multicast, 4));
    say_result("no address", connect(fd, NULL, 16));
    say_result("closed descriptor", connect(999, (struct sockaddr *)&multicast, sizeof multicast));
    say_result("listen", listen(fd, 1));
    say_result("connect a listener", connect(fd, &target.at.any, target.len));
}

const struct test_case connect_cases[] = {
    { "blocking", blocking }, { "polled", polled }, { "polled_no_questions", polled_no_questions },
    { "selected", selected }, { "edges", edges }, { "levels", levels }, { "duplicates", duplicates },
    { "by_number", by_number }, { "while_connecting", while_connecting }, { "refused_blocking", refused_blocking },
    { "refused_polled", refused_polled }, { "refused_received", refused_received }, { "refused_checked", refused_checked }, { "refused_again", refused_again },
    { "disconnected", disconnected }, { "interrupted", interrupted }, { "timed", timed }, { "many", many },
    { "ineligible", ineligible }, { NULL, NULL },
};
