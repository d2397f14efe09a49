/* cases_descriptors.c - several descriptors of one socket, and numbers that change hands. */
#include "cases.h"

#include <sys/resource.h>

static void say_peer(const char *what, int fd)
{
    struct target peer = { .len = sizeof peer.at };
    int result = getpeername(fd, &peer.at.any, &peer.len);
    say_result(what, result);
    say("the target: %d", result == 0 && memcmp(&peer.at, &target.at, target.len) == 0);
}

/* A copy made after connect() is the socket when the first one is closed. */
static void copied(void)
{
    int fd = connected(), copy = dup(fd), third = fcntl(fd, F_DUPFD, 100);
    close(fd);
    say_peer("getpeername", copy);
    say_result("second connect", connect(third, &target.at.any, target.len));
    request(copy, "get 1000\n");
    expect_pattern(third, 0, 1000);
    say_result("shutdown", shutdown(third, SHUT_WR));
    char byte;
    say_result("end", recv(copy, &byte, 1, 0));
}

/* Copied while connecting; whoever asks first, all are one socket in the end. */
static void copied_while_connecting(void)
{
    int fd = connecting(&target), copy = dup(fd), ep = epoll_create1(0);
    struct epoll_event event = { .events = EPOLLOUT, .data.fd = copy }, got;
    say_result("ADD", epoll_ctl(ep, EPOLL_CTL_ADD, copy, &event));
    say_result("epoll_wait", epoll_wait(ep, &got, 1, 10000));
    say("SO_ERROR %d", socket_error(fd));
    say_peer("getpeername", copy);
    request(copy, "get 1000\n");
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
    expect_pattern(fd, 0, 1000);
    close(fd);
    request(copy, "get 1000\n");
    expect_pattern(copy, 1000, 1000);
    say_result("DEL", epoll_ctl(ep, EPOLL_CTL_DEL, copy, NULL));
    say_result("silent", epoll_wait(ep, &got, 1, 50));
}

/* Over one end of a stream of the host; the receiver gets a descriptor of the same socket. */
static void pass(int over, int fd)
{
    union { struct cmsghdr align; char bytes[CMSG_SPACE(sizeof fd)]; } control;
    struct iovec iov = { "x", 1 };
    struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control };
    memset(&control, 0, sizeof control);
    struct cmsghdr *c = CMSG_FIRSTHDR(&message);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(c), &fd, sizeof fd);
    if (sendmsg(over, &message, 0) != 1)
        say("passing it: %s", errno_name(errno));
}

static int passed_on(int over)
{
    union { struct cmsghdr align; char bytes[CMSG_SPACE(sizeof(int))]; } control;
    char byte;
    struct iovec iov = { &byte, 1 };
    struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control };
    int fd = -1;
    if (recvmsg(over, &message, 0) != 1)
        say("receiving it: %s", errno_name(errno));
    struct cmsghdr *c = CMSG_FIRSTHDR(&message);
    if (c && c->cmsg_type == SCM_RIGHTS)
        memcpy(&fd, CMSG_DATA(c), sizeof fd);
    return fd;
}

/* A process sends its socket to itself and closes the one that it had. */
static void passed_to_itself(void)
{
    int ends[2], fd = connected();
    say_result("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
    pass(ends[0], fd);
    close(fd);
    int again = passed_on(ends[1]);
    say_peer("getpeername", again);
    request(again, "end 1000\n");
    expect_pattern(again, 0, 1000);
    char byte;
    say_result("end", recv(again, &byte, 1, 0));
}

/* A prefork server's way: the worker gets it, the parent lives on. */
static void passed_to_child(void)
{
    int ends[2], fd = connected();
    socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
    pid_t child = fork();
    if (child == 0) {
        close(fd);
        int mine = passed_on(ends[1]);
        say_peer("child: getpeername", mine);
        request(mine, "get 100000\n");
        expect_pattern(mine, 0, 100000);
        _exit(0);
    }
    pass(ends[0], fd);
    int status;
    waitpid(child, &status, 0);
    say("child: %d", status);
    request(fd, "get 10\n");
    expect_pattern(fd, 100000, 10);
}

/* The worker was there before the connection: it reads and writes, and knows nothing else of it. */
static void passed_to_older_child(void)
{
    int ends[2];
    socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
    pid_t child = fork();
    if (child == 0) {
        int mine = passed_on(ends[1]);
        say_result("write", write(mine, "get 100000\n", 11));
        expect_pattern(mine, 0, 100000);
        _exit(0);
    }
    int fd = connected(), status;
    pass(ends[0], fd);
    waitpid(child, &status, 0);
    say("child: %d", status);
    request(fd, "get 10\n");
    expect_pattern(fd, 100000, 10);
}

/* dup2() over the only descriptor closes the connection; its registration in epoll goes along. */
static void taken_over(void)
{
    int fd = connected(), null = open("/dev/null", O_RDWR), ep = epoll_create1(0);
    struct epoll_event event = { .events = EPOLLOUT }, got;
    epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event);
    say_result("writable", epoll_wait(ep, &got, 1, 1000));
    request(fd, "log taken over\n");
    say("dup2: %d", dup2(null, fd) == fd);
    say_result("silent", epoll_wait(ep, &got, 1, 50));
    say_result("read", read(fd, &got, 1));
    int other = connected();
    request(other, "get 10\n");
    expect_pattern(other, 0, 10);
}

static void taken_over_while_connecting(void)
{
    int fd = connecting(&silent), null = open("/dev/null", O_RDWR), ep = epoll_create1(0);
    struct epoll_event event = { .events = EPOLLOUT | EPOLLIN }, got;
    epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event);
    say_result("connecting", epoll_wait(ep, &got, 1, 50));
    say("dup3: %d", dup3(null, fd, O_CLOEXEC) == fd);
    say_result("silent", epoll_wait(ep, &got, 1, 100));
    say_result("ADD again", epoll_ctl(ep, EPOLL_CTL_ADD, connected(), &event));
    say_result("writable", epoll_wait(ep, &got, 1, 1000));
}

/* Numbers beyond what select() can name. */
static void high_numbers(void)
{
    struct rlimit limit = { 3000, 3000 };
    say_result("setrlimit", setrlimit(RLIMIT_NOFILE, &limit));
    int low = tcp_socket(0), fd = dup2(low, 2900);
    close(low);
    say_result("connect", connect(fd, &target.at.any, target.len));
    say("poll: %s", poll_names(poll_one(fd, POLLIN | POLLOUT, 0)));
    request(fd, "get 1000\n");
    expect_pattern(fd, 0, 1000);
    say_peer("getpeername", fd);
}

/* All numbers but two are taken: the program sees what it would see of TCP, or is told that there are none left. */
static void few_numbers(void)
{
    struct rlimit limit = { 64, 64 };
    setrlimit(RLIMIT_NOFILE, &limit);
    int fd = tcp_socket(0);
    say_result("connect", connect(fd, &target.at.any, target.len));
    int taken = 0;
    while (open("/dev/null", O_RDONLY) >= 0)
        taken++;
    say("numbers left: %d", taken > 40);
    request(fd, "get 1000\n");
    expect_pattern(fd, 0, 1000);
    say_result("socket", socket(AF_INET, SOCK_STREAM, 0));
}

const struct test_case descriptor_cases[] = {
    { "copied", copied }, { "copied_while_connecting", copied_while_connecting }, { "passed_to_itself", passed_to_itself },
    { "passed_to_child", passed_to_child }, { "passed_to_older_child", passed_to_older_child }, { "taken_over", taken_over },
    { "taken_over_while_connecting", taken_over_while_connecting }, { "high_numbers", high_numbers },
    { "few_numbers", few_numbers }, { NULL, NULL },
};
