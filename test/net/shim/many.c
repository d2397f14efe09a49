/* trk-shim_many ADDRESS PORT N: opens N connections, uses the first one, closes all. Ends with 0 if all of that worked.
 * What it costs is counted from outside (../long_shim_many.sh). */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define IDLE_S 2
#define STEP_US 3000
#define END_S  3

static int open_one(const struct sockaddr_in *at)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)at, sizeof *at) == 0)
        return fd;
    perror("connect");
    exit(1);
}

int main(int argc, char **argv)
{
    static const char request[] = "GET /file HTTP/1.1\r\nHost: test\r\n\r\n";
    char answer[64];
    struct sockaddr_in at = { .sin_family = AF_INET };
    int n = argc == 4 ? atoi(argv[3]) : 0;
    struct rlimit limit;
    if (n <= 0 || inet_pton(AF_INET, argv[1], &at.sin_addr) != 1 || getrlimit(RLIMIT_NOFILE, &limit) < 0) {
        fputs("trk-shim_many ADDRESS PORT N\n", stderr);
        return 2;
    }
    at.sin_port = htons((uint16_t)atoi(argv[2]));
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    int *fds = calloc((size_t)n, sizeof *fds);
    for (int i = 0; fds && i < n; i++)
        fds[i] = open_one(&at);
    if (!fds || send(fds[0], request, sizeof request - 1, 0) < 0 || recv(fds[0], answer, sizeof answer, 0) <= 0 ||
        memcmp(answer, "HTTP/1.1 200", 12) != 0) {
        fputs("no answer\n", stderr);
        return 1;
    }
    sleep(IDLE_S);                     /* so long that each of them looks up its route again when it is closed, few or many */
    for (int i = 0; i < n; i++) {
        close(fds[i]);
        usleep(STEP_US);               /* all at once they would keep each other waiting, and ask again */
    }
    sleep(END_S);                      /* the preload closes them behind us */
    free(fds);
    return 0;
}
