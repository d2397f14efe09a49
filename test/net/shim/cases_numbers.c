/* cases_numbers.c - many descriptors: the numbers that a program has are its own. */
#include "cases.h"

#include <sys/resource.h>

#define MOST 1010                      /* of the 1024 that most programs may have */

/* As many connections as there are numbers, all of them at work. */
static void as_many_as_allowed(void)
{
    static int fds[MOST];
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = 1024;
    say_result("setrlimit", setrlimit(RLIMIT_NOFILE, &limit));
    int open = 0, working = 0;
    for (; open < MOST; open++) {
        fds[open] = tcp_socket(0);
        if (connect(fds[open], &target.at.any, target.len) < 0) {
            say_result("connect", -1);
            break;
        }
    }
    say("open: %d", open);
    for (int i = 0; i < open; i++)
        request(fds[i], "get 10\n");
    for (int i = 0; i < open; i++) {
        char answer[10];
        working += recv(fds[i], answer, sizeof answer, MSG_WAITALL) == sizeof answer;
    }
    say("working: %d", working);
    getrlimit(RLIMIT_NOFILE, &limit);
    say("limit: %lu", (unsigned long)limit.rlim_cur);
    int more = 0;
    while (dup(1) >= 0)
        more++;
    say("numbers left: %d", more >= 1024 - MOST - 10);
    say_result("dup", dup(1));
}

/* The same while all are connecting. */
static void as_many_at_once(void)
{
    static struct pollfd fds[MOST];
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = 1024;
    say_result("setrlimit", setrlimit(RLIMIT_NOFILE, &limit));
    int errors = 0, refusals = 0, working = 0;
    for (int i = 0; i < MOST; i++) {
        fds[i] = (struct pollfd){ .fd = tcp_socket(SOCK_NONBLOCK), .events = POLLOUT };
        refusals += connect(fds[i].fd, &target.at.any, target.len) < 0 && errno != EINPROGRESS;
    }
    say("not begun: %d", refusals);
    for (int i = 0; i < MOST; i++) {
        poll(&fds[i], 1, errors ? 0 : 10000);
        int error = socket_error(fds[i].fd);
        if (error && !errors++)
            say("%s, after %d", errno_name(error), i);
    }
    say("errors: %d", errors);
    for (int i = 0; i < MOST; i++)
        working += send(fds[i].fd, "get 10\n", 7, MSG_NOSIGNAL) == 7;
    say("written: %d", working);
    working = 0;
    for (int i = 0; i < MOST; i++) {
        char answer[10];
        fds[i].events = POLLIN;
        poll(&fds[i], 1, working < i ? 0 : 10000);
        working += recv(fds[i].fd, answer, sizeof answer, 0) == sizeof answer;
    }
    say("working: %d", working);
}

const struct test_case number_cases[] = {
    { "as_many_as_allowed", as_many_as_allowed }, { "as_many_at_once", as_many_at_once }, { NULL, NULL },
};
