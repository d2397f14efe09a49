/* cases.h - trk-shim_cases NAME ADDRESS PORT [SILENT]: one case, which prints what a program can observe.
 *
 * The same case runs on kernel TCP, on Trickles and over a fallback; the test compares the lines. SILENT is an
 * address that never answers, CLOSED_PORT one where nobody listens. */
#ifndef SHIM_TEST_CASES_H
#define SHIM_TEST_CASES_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CLOSED_PORT 9                  /* discard: nobody listens there */

struct target { union { struct sockaddr any; struct sockaddr_in v4; struct sockaddr_in6 v6; } at; socklen_t len; };
extern struct target target, silent, refused;

/* "what: text" on standard output, in one write. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* "what: value" or "what: -1 ERRNO" */
void say_result(const char *what, long value);
const char *errno_name(int error);
const char *poll_names(short revents);         /* "IN OUT HUP" */

int tcp_socket(int flags);                     /* of target's family */
int connected(void);                           /* blocking; ends the program if it fails */
int connecting(const struct target *to);       /* non-blocking, EINPROGRESS said */
short poll_one(int fd, short events, int timeout_ms);
void request(int fd, const char *line);
/* Read n bytes of the pattern from offset on: "pattern ok", or where it breaks. */
void expect_pattern(int fd, uint64_t offset, size_t n);
int socket_error(int fd);

struct test_case { const char *name; void (*run)(void); };
extern const struct test_case option_cases[], connect_cases[], stream_cases[], process_cases[], descriptor_cases[], wait_cases[],
                              address_cases[], number_cases[];

#endif
