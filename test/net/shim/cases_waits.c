/* cases_waits.c - the ways to wait for a socket, and to be woken. */
#include "cases.h"

#include <pthread.h>
#include <sys/select.h>
#include <sys/time.h>

static void nothing(int signal) { (void)signal; }

static void handle_alarm(int flags)
{
    struct sigaction action = { .sa_handler = nothing, .sa_flags = flags };
    sigaction(SIGALRM, &action, NULL);
}

static void alarm_in(int ms)
{
    struct itimerval timer = { .it_value = { 0, ms * 1000 } };
    setitimer(ITIMER_REAL, &timer, NULL);
}

/* A handler without SA_RESTART ends a wait; one with it does not. */
static void woken_by_signals(void)
{
    int fd = connected();
    char byte;
    handle_alarm(0);
    alarm_in(50);
    say_result("recv", recv(fd, &byte, 1, 0));
    alarm_in(50);
    say("poll: %d", poll_one(fd, POLLIN, 2000));
    handle_alarm(SA_RESTART);
    request(fd, "get 1\n");
    expect_pattern(fd, 0, 1);
    alarm_in(50);
    request(fd, "get 3\n");
    say_result("recv, all", recv(fd, (char[3]){ 0 }, 3, MSG_WAITALL));
    struct timeval limit = { 0, 200000 };
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    alarm_in(50);
    say_result("recv with a limit", recv(fd, &byte, 1, 0));    /* limits are not restarted */
}

static void masked_waits(void)
{
    int fd = connected();
    sigset_t all;
    sigfillset(&all);
    struct pollfd p = { .fd = fd, .events = POLLIN | POLLRDHUP };
    struct timespec limit = { .tv_nsec = 50000000 };
    handle_alarm(0);
    alarm_in(10);
    say_result("ppoll", ppoll(&p, 1, &limit, &all));
    fd_set readable;
    FD_ZERO(&readable);
    FD_SET(fd, &readable);
    say_result("pselect", pselect(fd + 1, &readable, NULL, NULL, &limit, NULL));
    request(fd, "end 5\n");
    say_result("ppoll", ppoll(&p, 1, &(struct timespec){ 5, 0 }, NULL));
    expect_pattern(fd, 0, 5);
    say("then: %s", poll_names(poll_one(fd, POLLIN | POLLRDHUP, 5000)));
    FD_SET(fd, &readable);
    say_result("select", select(fd + 1, &readable, NULL, NULL, &(struct timeval){ 5, 0 }));
}

/* One event, then silence until armed again; a second instance hears on its own. */
static void once_and_twice(void)
{
    int fd = connected(), first = epoll_create1(0), second = epoll_create1(0), outer = epoll_create1(0);
    struct epoll_event event = { .events = EPOLLIN | EPOLLONESHOT, .data.u32 = 1 }, got;
    say_result("ADD", epoll_ctl(first, EPOLL_CTL_ADD, fd, &event));
    event.events = EPOLLIN | EPOLLEXCLUSIVE;
    say_result("ADD exclusive", epoll_ctl(second, EPOLL_CTL_ADD, fd, &event));
    event.events = EPOLLIN;
    say_result("ADD nested", epoll_ctl(outer, EPOLL_CTL_ADD, second, &event));
    request(fd, "get 10\n");
    say_result("first", epoll_wait(first, &got, 1, 5000));
    say_result("first again", epoll_wait(first, &got, 1, 50));
    say_result("outer", epoll_wait(outer, &got, 1, 5000));
    say_result("second", epoll_wait(second, &got, 1, 5000));
    event.events = EPOLLIN | EPOLLONESHOT;
    say_result("MOD", epoll_ctl(first, EPOLL_CTL_MOD, fd, &event));
    say_result("first", epoll_wait(first, &got, 1, 5000));
    expect_pattern(fd, 0, 10);
    say_result("ADD twice", epoll_ctl(first, EPOLL_CTL_ADD, fd, &event));
}

/* Armed once before connect(), with an edge: the event comes when the connection is up. */
static void armed_before(void)
{
    int ep = epoll_create1(0), fd = tcp_socket(SOCK_NONBLOCK);
    struct epoll_event event = { .events = EPOLLOUT | EPOLLONESHOT, .data.u64 = 99 }, got;
    say_result("connect", connect(fd, &target.at.any, target.len));
    say_result("ADD", epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event));
    say_result("epoll_wait", epoll_wait(ep, &got, 1, 10000));
    say("events %s data %llu", poll_names((short)got.events), (unsigned long long)got.data.u64);
    say_result("again", epoll_wait(ep, &got, 1, 50));
    say("SO_ERROR %d", socket_error(fd));
    event.events = EPOLLIN;
    say_result("MOD", epoll_ctl(ep, EPOLL_CTL_MOD, fd, &event));
    request(fd, "get 10\n");
    say_result("epoll_wait", epoll_wait(ep, &got, 1, 10000));
}

static void *shut_soon(void *fd)
{
    usleep(50000);
    shutdown(*(int *)fd, SHUT_RDWR);
    return NULL;
}

/* A thread that waits in recv() is woken by another one's shutdown(). */
static void woken_by_shutdown(void)
{
    int fd = connected();
    char byte;
    pthread_t other;
    pthread_create(&other, NULL, shut_soon, &fd);
    say_result("recv", recv(fd, &byte, 1, 0));
    pthread_join(other, NULL);
    say("poll: %s", poll_names(poll_one(fd, POLLIN | POLLOUT | POLLRDHUP, 0)));
    say_result("send", send(fd, "x", 1, MSG_NOSIGNAL));
}

static void *write_much(void *fd)
{
    for (int i = 0; i < 300; i++)
        request(*(int *)fd, "get 10000\n");
    return NULL;
}

/* One thread writes, another reads, both blocking, of one socket. */
static void two_ways(void)
{
    int fd = connected();
    pthread_t writer;
    pthread_create(&writer, NULL, write_much, &fd);
    expect_pattern(fd, 0, 3000000);
    pthread_join(writer, NULL);
}

static void limits(void)
{
    int fd = connected();
    struct timeval limit = { 0, 30000 };
    char buffer[10];
    say_result("SO_RCVTIMEO", setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit));
    say_result("recv", recv(fd, buffer, 1, 0));
    say_result("read", read(fd, buffer, 1));
    request(fd, "get 3\n");
    usleep(200000);
    say_result("recv, all", recv(fd, buffer, 10, MSG_WAITALL));    /* what is there when time is up */
    int low = 5;
    say_result("SO_RCVLOWAT", setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &low, sizeof low));
    request(fd, "get 3\n");
    say_result("recv of 3 with a low mark of 5", recv(fd, buffer, 10, 0));
    say_result("MSG_DONTWAIT", recv(fd, buffer, 1, MSG_DONTWAIT));
}

static volatile sig_atomic_t told;

static void on_told(int number) { told = number; }

/* Who is told of input by a signal, and by which one, as set before connect. */
static void told_by_signal(void)
{
    int fd = tcp_socket(0);
    signal(SIGUSR2, on_told);
    say_result("F_SETOWN", fcntl(fd, F_SETOWN, getpid()));
    say_result("F_SETSIG", fcntl(fd, F_SETSIG, SIGUSR2));
    say_result("O_ASYNC", fcntl(fd, F_SETFL, O_ASYNC));
    while (connect(fd, &target.at.any, target.len) < 0 && errno == EINTR && poll_one(fd, POLLOUT, 5000) == 0) { }
    told = 0;
    say("own %d signal %d", fcntl(fd, F_GETOWN) == getpid(), fcntl(fd, F_GETSIG) == SIGUSR2);
    request(fd, "get 10\n");
    for (int i = 0; i < 300 && !told; i++)
        usleep(10000);
    say("told %d", told == SIGUSR2);
}

const struct test_case wait_cases[] = {
    { "woken_by_signals", woken_by_signals }, { "masked_waits", masked_waits }, { "once_and_twice", once_and_twice },
    { "armed_before", armed_before }, { "woken_by_shutdown", woken_by_shutdown }, { "two_ways", two_ways }, { "told_by_signal", told_by_signal },
    { "limits", limits }, { NULL, NULL },
};
