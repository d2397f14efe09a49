/* cases_process.c - fork, exec, exit, threads, signals and close loops. */
#include "cases.h"

#include <dirent.h>
#include <pthread.h>
#include <spawn.h>
#include <sys/syscall.h>

extern char **environ;

static void wait_child(const char *what, pid_t child)
{
    int status = -1;
    waitpid(child, &status, 0);
    say("%s: %s %d", what, WIFEXITED(status) ? "exit" : "signal", WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
}

/* The child reads and writes what its parent connected, and connects for itself. */
static void forks(void)
{
    int fd = connected();
    pid_t child = fork();
    if (child == 0) {
        request(fd, "get 100000\n");
        expect_pattern(fd, 0, 100000);
        int value = 0;
        socklen_t len = sizeof value;
        getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &value, &len);
        say("child: domain %d", value == target.at.any.sa_family);
        struct target peer = { .len = sizeof peer.at };
        say_result("child: getpeername", getpeername(fd, &peer.at.any, &peer.len));
        int own = connected();
        request(own, "get 10\n");
        expect_pattern(own, 0, 10);
        exit(7);
    }
    wait_child("child", child);
    request(fd, "get 10\n");
    expect_pattern(fd, 100000, 10);
}

/* A child that closes everything, as daemons and shells do. */
static void child_closes_all(void)
{
    int fd = connected();
    pid_t child = fork();
    if (child == 0) {
        for (int i = 3; i < 1024; i++)
            close(i);
        close_range(3, ~0u, 0);
        int again = connected();
        request(again, "get 10\n");
        expect_pattern(again, 0, 10);
        _exit(0);
    }
    wait_child("child", child);
    request(fd, "get 10\n");
    expect_pattern(fd, 0, 10);
}

/* The program itself does. */
static void closes_all(void)
{
    int fd = connected();
    say_result("close_range", close_range((unsigned)fd + 1, ~0u, 0));
    request(fd, "get 10\n");
    expect_pattern(fd, 0, 10);
    closefrom(fd + 1);
    for (int i = fd + 1; i < 1024; i++)
        if (close(i) == 0)
            say("closed %d", i);
    int value = 0;
    socklen_t len = sizeof value;
    say_result("getsockopt", getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &value, &len));
    int other = connected();
    request(other, "get 10\n");
    expect_pattern(other, 0, 10);
    say_result("close_range of all", close_range(3, ~0u, 0));
    other = connected();
    request(other, "get 10\n");
    expect_pattern(other, 0, 10);
}

static void spawns(void)
{
    int fd = connected();
    char *const argv[] = { "true", NULL };
    pid_t child;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    say_result("posix_spawn", posix_spawn(&child, "/bin/true", &actions, NULL, argv, environ));
    wait_child("spawned", child);
    child = vfork();
    if (child == 0) {
        execv("/bin/true", argv);
        _exit(127);
    }
    wait_child("vfork", child);
    say_result("system", system("exit 3") >> 8);
    request(fd, "get 10\n");
    expect_pattern(fd, 0, 10);
}

/* A failed exec must leave everything as it was. */
static void exec_fails(void)
{
    int fd = connected();
    char *const argv[] = { "nothing", NULL };
    say_result("execv", execv("/nonexistent/program", argv));
    say_result("execlp", execlp("no-such-program-here", "x", (char *)NULL));
    request(fd, "get 10\n");
    expect_pattern(fd, 0, 10);
}

static void write_lines(const char *last)
{
    int fd = connected();
    char line[64];
    for (int i = 0; i < 3000; i++)
        request(fd, "log filler filler filler filler filler filler\n");
    snprintf(line, sizeof line, "log %s\n", last);
    request(fd, line);
}

static void exits(void)
{
    write_lines("said before exit");
    exit(0);
}

/* What stdio still holds is flushed by exit() itself. */
static void exits_with_stdio(void)
{
    FILE *stream = fdopen(connected(), "w");
    for (int i = 0; i < 3000; i++)
        fputs("log filler filler filler filler filler filler\n", stream);
    fputs("log said by stdio\n", stream);
    printf("standard output, too\n");
    exit(0);
}

static void exits_at_once(void)
{
    write_lines("said before _exit");
    _exit(0);
}

static void exits_quickly(void)
{
    write_lines("said before quick_exit");
    quick_exit(0);
}

static void closes_and_exits(void)
{
    int fd = connected();
    for (int i = 0; i < 3000; i++)
        request(fd, "log filler filler filler filler filler filler\n");
    request(fd, "log said before close\n");
    close(fd);
}

static void execs(void)
{
    write_lines("said before exec");
    execlp("true", "true", (char *)NULL);
}

/* The limits of an engine inside the program: the image that exec brings reads the end. Not compared. */
static void exec_limit(void)
{
    int fd = connected();
    char number[16];
    snprintf(number, sizeof number, "%d", fd);
    execl("/proc/self/exe", "cases", "--read", number, (char *)NULL);
}

/* As does a child whose parent exits. Not compared. */
static void parent_exits_limit(void)
{
    int fd = connected(), pipes[2];
    if (pipe(pipes) < 0)
        exit(1);
    if (fork() == 0) {
        char byte;
        close(pipes[1]);
        if (read(pipes[0], &byte, 1) != 0)             /* the parent is gone */
            _exit(1);
        say("poll: %s", poll_names(poll_one(fd, POLLIN | POLLRDHUP, 5000)));
        say_result("recv", recv(fd, &byte, 1, MSG_DONTWAIT));
        _exit(0);
    }
    exit(0);
}

/* A raw exit_group: nothing runs, nothing waits. Not compared. */
static void raw_exit_limit(void)
{
    write_lines("said before exit_group");
    syscall(SYS_exit_group, 0);
}

static void on_signal(int number) { (void)number; }

/* Signals arrive on the program's threads: ours block them all. */
static void signals(void)
{
    int fd = connected(), others = 0, open_ones = 0;
    DIR *tasks = opendir("/proc/self/task");
    for (struct dirent *d; tasks && (d = readdir(tasks));) {
        char path[300], line[256];
        if (atoi(d->d_name) == 0 || atoi(d->d_name) == (int)getpid())
            continue;
        snprintf(path, sizeof path, "/proc/self/task/%s/status", d->d_name);
        FILE *status = fopen(path, "r");
        others++;
        while (status && fgets(line, sizeof line, status))
            if (strncmp(line, "SigBlk:", 7) == 0 && !strstr(line, "fffffffe") && !strstr(line, "fffffff"))
                open_ones++;
        if (status)
            fclose(status);
    }
    say("threads that take signals: %d", open_ones);
    signal(SIGUSR1, on_signal);
    for (int i = 0; i < 100; i++)
        kill(getpid(), SIGUSR1);
    request(fd, "get 10\n");
    expect_pattern(fd, 0, 10);
}

static void *use_connection(void *argument)
{
    long *good = argument;
    for (int i = 0; i < 20; i++) {
        int fd = connected();
        char buffer[1000];
        request(fd, "get 1000\n");
        *good += recv(fd, buffer, sizeof buffer, MSG_WAITALL) == 1000;
        close(fd);
    }
    return NULL;
}

static void threads(void)
{
    pthread_t ids[8];
    long good[8] = { 0 }, all = 0;
    for (int i = 0; i < 8; i++)
        pthread_create(&ids[i], NULL, use_connection, &good[i]);
    for (int i = 0; i < 10; i++) {                     /* forks meanwhile */
        pid_t child = fork();
        if (child == 0)
            _exit(0);
        waitpid(child, NULL, 0);
    }
    for (int i = 0; i < 8; i++) {
        pthread_join(ids[i], NULL);
        all += good[i];
    }
    say("good %ld", all);
}

/* A child that closes its copy of a socket that lingers ends nothing. */
static void child_lingers(void)
{
    int fd = connected(), status;
    struct linger set = { 1, 3 };
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &set, sizeof set);
    pid_t child = fork();
    if (child == 0) {
        close(fd);
        _exit(0);
    }
    waitpid(child, &status, 0);
    request(fd, "get 1000\n");
    expect_pattern(fd, 0, 1000);
}

static void *connect_in_vain(void *argument)
{
    *(int *)argument = tcp_socket(0);
    say_result("connect", connect(*(int *)argument, &silent.at.any, silent.len));
    return NULL;
}

/* connect() is a cancellation point; whoever waits in it can be stopped, and others go on. */
static void cancelled(void)
{
    pthread_t thread;
    int fd = -1;
    void *result;
    struct timespec began, ended;
    pthread_create(&thread, NULL, connect_in_vain, &fd);
    usleep(200000);
    clock_gettime(CLOCK_MONOTONIC, &began);
    pthread_cancel(thread);
    pthread_join(thread, &result);
    clock_gettime(CLOCK_MONOTONIC, &ended);
    say("cancelled %d at once %d", result == PTHREAD_CANCELED, ended.tv_sec - began.tv_sec < 2);
    say_result("close", close(fd));
    fd = connected();
    request(fd, "get 1000\n");
    expect_pattern(fd, 0, 1000);
}

const struct test_case process_cases[] = {
    { "forks", forks }, { "child_closes_all", child_closes_all }, { "closes_all", closes_all }, { "spawns", spawns },
    { "exec_fails", exec_fails }, { "exits", exits }, { "exits_with_stdio", exits_with_stdio }, { "exits_at_once", exits_at_once }, { "exits_quickly", exits_quickly },
    { "closes_and_exits", closes_and_exits }, { "execs", execs }, { "exec_limit", exec_limit },
    { "parent_exits_limit", parent_exits_limit }, { "raw_exit_limit", raw_exit_limit }, { "signals", signals },
    { "threads", threads }, { "child_lingers", child_lingers }, { "cancelled", cancelled }, { NULL, NULL },
};
