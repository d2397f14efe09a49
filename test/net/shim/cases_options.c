/* cases_options.c - socket options, names and ioctls. */
#include "cases.h"

#include <linux/sockios.h>
#include <net/if.h>

static void show(int fd, const char *what, int level, int name)
{
    int value = -1;
    socklen_t len = sizeof value;
    int result = getsockopt(fd, level, name, &value, &len);
    say("%s: %d %d len %u", what, result, result ? errno : value, len);
}

static void set_and_show(int fd, const char *what, int level, int name, int value)
{
    say_result(what, setsockopt(fd, level, name, &value, sizeof value));
    show(fd, what, level, name);
}

static void kinds(void)
{
    int fd = connected();
    show(fd, "SO_TYPE", SOL_SOCKET, SO_TYPE);
    show(fd, "SO_DOMAIN", SOL_SOCKET, SO_DOMAIN);
    show(fd, "SO_PROTOCOL", SOL_SOCKET, SO_PROTOCOL);
    show(fd, "SO_ACCEPTCONN", SOL_SOCKET, SO_ACCEPTCONN);
    show(fd, "SO_ERROR", SOL_SOCKET, SO_ERROR);
    struct ucred cred = { 1, 1, 1 };
    socklen_t len = sizeof cred;
    say_result("SO_PEERCRED", getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len));
    say("pid %d uid %d gid %d", cred.pid, (int)cred.uid, (int)cred.gid);
}

static void tcp_options(void)
{
    int fd = connected();
    set_and_show(fd, "TCP_NODELAY", IPPROTO_TCP, TCP_NODELAY, 1);
    set_and_show(fd, "TCP_KEEPIDLE", IPPROTO_TCP, TCP_KEEPIDLE, 77);
    set_and_show(fd, "TCP_USER_TIMEOUT", IPPROTO_TCP, TCP_USER_TIMEOUT, 5000);
    set_and_show(fd, "TCP_CORK", IPPROTO_TCP, TCP_CORK, 0);
    set_and_show(fd, "SO_KEEPALIVE", SOL_SOCKET, SO_KEEPALIVE, 1);
    set_and_show(fd, "SO_OOBINLINE", SOL_SOCKET, SO_OOBINLINE, 1);
    set_and_show(fd, "SO_SNDBUF", SOL_SOCKET, SO_SNDBUF, 100000);
    set_and_show(fd, "SO_RCVBUF", SOL_SOCKET, SO_RCVBUF, 100000);
    if (target.at.any.sa_family == AF_INET)
        set_and_show(fd, "IP_TOS", IPPROTO_IP, IP_TOS, 0x10);
    else
        set_and_show(fd, "IPV6_TCLASS", IPPROTO_IPV6, IPV6_TCLASS, 0x10);
    int value;
    socklen_t len = sizeof value;
    say_result("unknown option", getsockopt(fd, IPPROTO_TCP, 999, &value, &len));
    request(fd, "get 5\n");
    expect_pattern(fd, 0, 5);
}

static void set_before_connect(void)
{
    int fd = tcp_socket(0), one = 1;
    struct timeval limit = { 0, 150000 }, got = { 0, 0 };
    socklen_t len = sizeof got;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    say_result("connect", connect(fd, &target.at.any, target.len));
    show(fd, "TCP_NODELAY", IPPROTO_TCP, TCP_NODELAY);
    getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &got, &len);
    say("SO_RCVTIMEO: %ld.%06ld", (long)got.tv_sec, (long)got.tv_usec);
    char byte;
    say_result("recv in time", recv(fd, &byte, 1, 0));
    limit = (struct timeval){ 5, 0 };
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    request(fd, "get 1\n");
    say_result("recv", recv(fd, &byte, 1, 0));
}

/* The values differ between stacks; that they are sensible does not. */
static void tcp_info(void)
{
    int fd = connected();
    request(fd, "get 100000\n");
    expect_pattern(fd, 0, 100000);
    struct tcp_info info;
    memset(&info, 0xff, sizeof info);
    socklen_t len = sizeof info;
    say_result("TCP_INFO", getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len));
    say("len %u state %u rtt %d mss %d cwnd %d pmtu %d", len, info.tcpi_state, info.tcpi_rtt > 0 && info.tcpi_rtt < 5000000,
        info.tcpi_snd_mss >= 512, info.tcpi_snd_cwnd > 0, info.tcpi_pmtu >= 1280);
    len = 4;
    say_result("short TCP_INFO", getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len));
    say("len %u", len);
    int value = 0;
    len = sizeof value;
    say_result("TCP_MAXSEG", getsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &value, &len));
    say("sensible %d", value >= 512);
    int v6 = target.at.any.sa_family == AF_INET6;
    say_result("MTU", getsockopt(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_MTU : IP_MTU, &value, &len));
    say("sensible %d", value >= 1280);
}

/* Not compared: which congestion control it is. */
static void congestion(void)
{
    int fd = connected();
    char name[32] = "";
    socklen_t len = sizeof name;
    say_result("TCP_CONGESTION", getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &len));
    say("%s", name);
}

static void say_name(const char *what, const struct target *t, int result)
{
    char host[INET6_ADDRSTRLEN] = "?";
    if (t->at.any.sa_family == AF_INET)
        inet_ntop(AF_INET, &t->at.v4.sin_addr, host, sizeof host);
    else
        inet_ntop(AF_INET6, &t->at.v6.sin6_addr, host, sizeof host);
    uint32_t scope = t->at.any.sa_family == AF_INET6 ? t->at.v6.sin6_scope_id : 0;
    say("%s: %d family %d len %u host %s scope %u", what, result, t->at.any.sa_family, t->len, host, scope);
}

static void names(void)
{
    int fd = connected();
    struct target local = { .len = sizeof local.at }, peer = { .len = sizeof peer.at };
    int result = getsockname(fd, &local.at.any, &local.len);
    say_name("getsockname", &local, result);
    say("port %d", ntohs(local.at.v4.sin_port) > 1023);
    result = getpeername(fd, &peer.at.any, &peer.len);
    say_name("getpeername", &peer, result);
    say("port %d", peer.at.v4.sin_port == target.at.v4.sin_port);
    socklen_t len = 4;
    char few[4];
    say_result("four bytes", getpeername(fd, (struct sockaddr *)few, &len));
    say("len %u", len);
    say_result("no bytes", getsockname(fd, NULL, &(socklen_t){ 0 }));
    say_result("no address", getpeername(fd, NULL, &(socklen_t){ 16 }));
}

static void bound(void)
{
    int fd = tcp_socket(0);
    struct target local = { .len = target.len };
    local.at.any.sa_family = target.at.any.sa_family;
    local.at.v4.sin_port = htons(40123);
    say_result("bind", bind(fd, &local.at.any, local.len));
    say_result("connect", connect(fd, &target.at.any, target.len));
    local.len = sizeof local.at;
    say_name("getsockname", &local, getsockname(fd, &local.at.any, &local.len));
    say("port %u", ntohs(local.at.v4.sin_port));
    request(fd, "get 1000\n");
    expect_pattern(fd, 0, 1000);
    struct linger abort = { 1, 0 };            /* the port is free again for the next run */
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
}

/* An AF_INET6 socket to an IPv4 address. */
static void mapped(void)
{
    if (target.at.any.sa_family == AF_INET6)
        return;
    struct in_addr v4 = target.at.v4.sin_addr;
    in_port_t port = target.at.v4.sin_port;
    memset(&target, 0, sizeof target);
    target.at.v6.sin6_family = AF_INET6;
    target.at.v6.sin6_port = port;
    target.at.v6.sin6_addr.s6_addr[10] = target.at.v6.sin6_addr.s6_addr[11] = 0xff;
    memcpy(target.at.v6.sin6_addr.s6_addr + 12, &v4, 4);
    target.len = sizeof target.at.v6;
    names();
}

static void ioctls(void)
{
    int fd = connected(), value = -1;
    request(fd, "get 10\n");
    for (int i = 0; i < 200 && (ioctl(fd, FIONREAD, &value) < 0 || value < 10); i++)
        usleep(10000);
    say("FIONREAD: %d", value);
    expect_pattern(fd, 0, 10);
    for (int i = 0; i < 200 && (ioctl(fd, SIOCOUTQ, &value) < 0 || value > 0); i++)
        usleep(10000);
    say("SIOCOUTQ: %d", value);
    value = -1;
    say_result("SIOCOUTQNSD", ioctl(fd, SIOCOUTQNSD, &value));
    say("%d", value);
    struct ifreq lo = { .ifr_name = "lo" };
    if (target.at.any.sa_family == AF_INET)            /* a question that only AF_INET sockets answer */
        say_result("SIOCGIFADDR", ioctl(fd, SIOCGIFADDR, &lo));
    say_result("SIOCATMARK", ioctl(fd, SIOCATMARK, &value));
    value = 1;
    say_result("FIONBIO", ioctl(fd, FIONBIO, &value));
    char byte;
    say_result("recv", recv(fd, &byte, 1, 0));
}

static void lingers(void)
{
    int fd = connected();
    struct linger set = { 1, 3 }, got = { 0, 0 };
    socklen_t len = sizeof got;
    say_result("SO_LINGER", setsockopt(fd, SOL_SOCKET, SO_LINGER, &set, sizeof set));
    getsockopt(fd, SOL_SOCKET, SO_LINGER, &got, &len);
    say("on %d %d", got.l_onoff, got.l_linger);
    char lines[1000];
    memset(lines, 'x', sizeof lines);
    request(fd, "eat\n");
    say_result("send", send(fd, lines, sizeof lines, 0));
    say_result("close", close(fd));            /* waits until the peer has it */
}

/* A second lookup of a number that is no socket or closed. */
static void not_ours(void)
{
    int fd = connected(), pipes[2], value;
    socklen_t len = sizeof value;
    if (pipe(pipes) < 0)
        exit(1);
    say_result("getsockopt of a pipe", getsockopt(pipes[0], SOL_SOCKET, SO_TYPE, &value, &len));
    say_result("getpeername of a pipe", getpeername(pipes[0], NULL, &len));
    close(fd);
    say_result("getsockopt after close", getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, &len));
    say_result("close again", close(fd));
    say_result("connect of a pipe", connect(pipes[0], &target.at.any, target.len));
    int udp = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    say_result("connect of UDP", connect(udp, (struct sockaddr *)&to, sizeof to));
    len = sizeof value;
    say_result("SO_TYPE of UDP", getsockopt(udp, SOL_SOCKET, SO_TYPE, &value, &len));
    say("%d", value);
}

const struct test_case option_cases[] = {
    { "kinds", kinds }, { "tcp_options", tcp_options }, { "set_before_connect", set_before_connect },
    { "tcp_info", tcp_info }, { "congestion", congestion }, { "names", names }, { "bound", bound }, { "mapped", mapped },
    { "ioctls", ioctls }, { "lingers", lingers }, { "not_ours", not_ours }, { NULL, NULL },
};
