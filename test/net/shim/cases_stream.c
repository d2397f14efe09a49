/* cases_stream.c - bytes, ends and resets. */
#include "cases.h"

#include <sys/sendfile.h>
#include <sys/uio.h>

static void named_sends(void)
{
    int fd = connected();
    say_result("sendto", sendto(fd, "get", 3, 0, &silent.at.any, silent.len));
    struct iovec iov = { " 10", 3 };
    struct msghdr message = { .msg_name = &silent.at.any, .msg_namelen = silent.len, .msg_iov = &iov, .msg_iovlen = 1 };
    say_result("sendmsg", sendmsg(fd, &message, 0));
    struct iovec last = { "\n", 1 };
    struct mmsghdr many[1] = { { .msg_hdr = { .msg_name = &silent.at.any, .msg_namelen = silent.len, .msg_iov = &last, .msg_iovlen = 1 } } };
    say_result("sendmmsg", sendmmsg(fd, many, 1, 0));
    expect_pattern(fd, 0, 10);
}

static void passed_descriptor(void)
{
    int fd = connected();
    union { struct cmsghdr align; char bytes[CMSG_SPACE(sizeof(int))]; } control = { 0 };
    struct iovec iov = { "get 10\n", 7 };
    struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control };
    struct cmsghdr *c = CMSG_FIRSTHDR(&message);
    *c = (struct cmsghdr){ .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int)) };
    memcpy(CMSG_DATA(c), &fd, sizeof fd);
    say_result("sendmsg", sendmsg(fd, &message, 0));
    expect_pattern(fd, 0, 10);
}

static void error_queue(void)
{
    int fd = connected();
    request(fd, "get 10\n");
    poll_one(fd, POLLIN, 5000);
    char buffer[64];
    struct iovec iov = { buffer, sizeof buffer };
    struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };
    say_result("recvmsg", recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT));
    say_result("recv", recv(fd, buffer, sizeof buffer, MSG_ERRQUEUE));
    expect_pattern(fd, 0, 10);
}

static void urgent(void)
{
    int fd = connected();
    char byte;
    say_result("recv", recv(fd, &byte, 1, MSG_OOB));
    say_result("send", send(fd, "x", 1, MSG_OOB));
    say_result("again", send(fd, "log y\n", 6, 0));
}

static void ways_to_read(void)
{
    int fd = connected();
    char a[8] = "", b[8] = "", from[64];
    request(fd, "get 100\n");
    say_result("peek", recv(fd, a, 8, MSG_PEEK | MSG_WAITALL));
    say_result("recv", recv(fd, b, 8, MSG_WAITALL));
    say("equal %d", memcmp(a, b, 8) == 0);
    struct iovec two[2] = { { a, 4 }, { b, 4 } };
    say_result("readv", readv(fd, two, 2));
    socklen_t len = sizeof from;
    say_result("recvfrom", recvfrom(fd, a, 4, 0, (struct sockaddr *)from, &len));
    say("name %u", len);
    struct iovec one = { a, 4 };
    struct msghdr message = { .msg_iov = &one, .msg_iovlen = 1, .msg_name = from, .msg_namelen = sizeof from };
    say_result("recvmsg", recvmsg(fd, &message, 0));
    say("name %u flags %x", message.msg_namelen, message.msg_flags);
    expect_pattern(fd, 24, 76);
    request(fd, "get 10\n");
    poll_one(fd, POLLIN, 5000);
    usleep(50000);
    say_result("MSG_TRUNC", recv(fd, NULL, 4, MSG_TRUNC));
    expect_pattern(fd, 104, 6);
    say_result("nothing", recv(fd, a, 1, MSG_DONTWAIT));
    FILE *stream = fdopen(dup(fd), "r+");
    fputs("get 3\n", stream);
    fflush(stream);
    say_result("stdio", (long)fread(a, 1, 3, stream));
    fclose(stream);
    request(fd, "get 5\n");
    expect_pattern(fd, 113, 5);
}

static void ways_to_write(void)
{
    int fd = connected(), pipes[2];
    char path[] = "/tmp/shim-case-XXXXXX", text[32] = "";
    int file = mkstemp(path);
    unlink(path);
    off_t at = 0;
    say_result("file", write(file, "eat\nabc", 7));
    say_result("sendfile", sendfile(fd, file, &at, 7));
    if (pipe(pipes) < 0 || write(pipes[1], "defgh", 5) != 5)
        exit(1);
    say_result("splice", splice(pipes[0], NULL, fd, NULL, 5, 0));
    struct iovec two[2] = { { "ij", 2 }, { "k", 1 } };
    say_result("writev", writev(fd, two, 2));
    say_result("MSG_MORE", send(fd, "l", 1, MSG_MORE));
    say_result("send", send(fd, "m", 1, MSG_DONTWAIT | MSG_NOSIGNAL));
    say_result("shutdown", shutdown(fd, SHUT_WR));
    say_result("answer", recv(fd, text, sizeof text, MSG_WAITALL));
    say("%s", text);
}

static void peer_ends(void)
{
    int fd = connected();
    char byte;
    request(fd, "end 20\n");
    expect_pattern(fd, 0, 20);
    say_result("end", recv(fd, &byte, 1, 0));
    say_result("still the end", recv(fd, &byte, 1, 0));
    say("poll: %s", poll_names(poll_one(fd, POLLIN | POLLOUT | POLLRDHUP, 0)));
    say_result("send", send(fd, "ignored", 7, MSG_NOSIGNAL));
    say("SO_ERROR %d", socket_error(fd));
    struct target name = { .len = sizeof name.at };
    say_result("getpeername", getpeername(fd, &name.at.any, &name.len));
    say_result("shutdown", shutdown(fd, SHUT_WR));
    say("poll: %s", poll_names(poll_one(fd, POLLIN | POLLOUT | POLLRDHUP, 0)));
}

static void half_close(void)
{
    int fd = connected();
    static char bytes[300000];
    char text[32] = "";
    request(fd, "eat\n");
    size_t sent = 0;
    while (sent < sizeof bytes) {
        ssize_t n = send(fd, bytes + sent, sizeof bytes - sent, MSG_NOSIGNAL);
        if (n <= 0)
            break;
        sent += (size_t)n;
    }
    say("sent %zu", sent);
    say_result("shutdown", shutdown(fd, SHUT_WR));
    say_result("send", send(fd, "x", 1, MSG_NOSIGNAL));
    say_result("answer", recv(fd, text, sizeof text, MSG_WAITALL));
    say("%s", text);
}

static void shut_reading(void)
{
    int fd = connected();
    char byte;
    say_result("shutdown", shutdown(fd, SHUT_RD));
    say_result("recv", recv(fd, &byte, 1, 0));
    say_result("send", send(fd, "log after SHUT_RD\n", 18, MSG_NOSIGNAL));
    int unconnected = tcp_socket(0);
    say_result("unconnected", shutdown(unconnected, SHUT_RDWR));
    int both = connected();
    say_result("SHUT_RDWR", shutdown(both, SHUT_RDWR));
    say_result("recv", recv(both, &byte, 1, 0));
    int value = 0;
    socklen_t len = sizeof value;
    usleep(100000);
    say_result("SO_DOMAIN", getsockopt(both, SOL_SOCKET, SO_DOMAIN, &value, &len));
    say("%d", value);
}

static volatile sig_atomic_t pipes_broken;
static void on_pipe(int number) { (void)number; pipes_broken++; }

/* Bytes before the reset are read first; then the error, once; then the end. */
static void peer_resets(void)
{
    int fd = connected();
    char byte;
    request(fd, "get 20\n");
    expect_pattern(fd, 0, 20);
    request(fd, "rst\n");
    say("poll: %s", poll_names(poll_one(fd, POLLIN | POLLRDHUP, 5000)));
    say_result("recv", recv(fd, &byte, 1, 0));
    say_result("recv", recv(fd, &byte, 1, 0));
    say("SO_ERROR %d", socket_error(fd));
    struct target name = { .len = sizeof name.at };
    say_result("getpeername", getpeername(fd, &name.at.any, &name.len));
}

static void reset_asked(void)
{
    int fd = connected();
    char byte;
    request(fd, "rst\n");
    poll_one(fd, POLLIN, 5000);
    say("SO_ERROR %s", errno_name(socket_error(fd)));
    say("SO_ERROR %d", socket_error(fd));
    say_result("recv", recv(fd, &byte, 1, 0));
}

static void reset_written(void)
{
    int fd = connected();
    signal(SIGPIPE, on_pipe);
    request(fd, "rst\n");
    poll_one(fd, POLLIN, 5000);
    say_result("send", send(fd, "x", 1, 0));
    say("signals %d", (int)pipes_broken);
    say_result("send", send(fd, "x", 1, MSG_NOSIGNAL));
    say("signals %d", (int)pipes_broken);
    say_result("send", send(fd, "x", 1, 0));
    say("signals %d", (int)pipes_broken);
}

/* Not compared: write() is not intercepted, so the first one after a reset raises SIGPIPE. */
static void reset_write_limit(void)
{
    int fd = connected();
    signal(SIGPIPE, on_pipe);
    request(fd, "rst\n");
    poll_one(fd, POLLIN, 5000);
    say_result("write", write(fd, "x", 1));
    say("signals %d", (int)pipes_broken);
}

static void closed_unread(void)
{
    int fd = connected();
    request(fd, "get 100000\n");
    poll_one(fd, POLLIN, 5000);
    usleep(100000);
    say_result("close", close(fd));
    usleep(300000);
}

static void aborted(void)
{
    int fd = connected();
    struct linger abort = { 1, 0 };
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
    say_result("close", close(fd));
    usleep(300000);
}

/* The kernel's TCP holds some thousand tiny writes and megabytes; so must we. */
static void buffers(void)
{
    int fd = connected(), accepted = 0;
    request(fd, "eat\n");
    fcntl(fd, F_SETFL, O_NONBLOCK);
    for (; accepted < 1000 && send(fd, "x", 1, MSG_NOSIGNAL) == 1; accepted++) { }
    say("tiny writes %d", accepted);
    static char block[150000];
    ssize_t large = send(fd, block, sizeof block, MSG_NOSIGNAL);
    say("a large one %d", large > 50000);              /* as much as there is room for */
    shutdown(fd, SHUT_WR);
    fcntl(fd, F_SETFL, 0);
    char text[32] = "";
    recv(fd, text, sizeof text, MSG_WAITALL);
    say("all arrived %d", atol(text) == accepted + large);
}

/* A reader that stops for a while. */
static void stalled(void)
{
    int fd = connected();
    request(fd, "get 30000000\n");
    usleep(1500000);
    expect_pattern(fd, 0, 30000000);
    request(fd, "get 10\n");
    expect_pattern(fd, 30000000, 10);
}

const struct test_case stream_cases[] = {
    { "named_sends", named_sends }, { "passed_descriptor", passed_descriptor }, { "error_queue", error_queue },
    { "urgent", urgent }, { "ways_to_read", ways_to_read }, { "ways_to_write", ways_to_write }, { "peer_ends", peer_ends },
    { "half_close", half_close }, { "shut_reading", shut_reading }, { "peer_resets", peer_resets },
    { "reset_asked", reset_asked }, { "reset_written", reset_written }, { "reset_write_limit", reset_write_limit },
    { "closed_unread", closed_unread }, { "aborted", aborted }, { "buffers", buffers }, { "stalled", stalled }, { NULL, NULL },
};
