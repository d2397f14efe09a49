/* cases_addresses.c - to whom a socket may connect, and from where. */
#include "cases.h"

#include <sched.h>
#include "peer.h"

/* target's IPv4 address as IPv6 sockets write it; false: target has none. */
static bool mapped_target(struct target *out)
{
    if (target.at.any.sa_family == AF_INET6)
        return false;
    memset(out, 0, sizeof *out);
    out->at.v6.sin6_family = AF_INET6;
    out->at.v6.sin6_port = target.at.v4.sin_port;
    out->at.v6.sin6_addr.s6_addr[10] = out->at.v6.sin6_addr.s6_addr[11] = 0xff;
    memcpy(out->at.v6.sin6_addr.s6_addr + 12, &target.at.v4.sin_addr, 4);
    out->len = sizeof out->at.v6;
    return true;
}

/* An IPv6 socket that may not speak IPv4, or is bound to an address of the other kind. */
static void other_kind(void)
{
    struct target mapped, local = { .at.v6 = { .sin6_family = AF_INET6 }, .len = sizeof local.at.v6 };
    int on = 1, fd = socket(AF_INET6, SOCK_STREAM, 0);
    if (!mapped_target(&mapped))
        return;
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    say_result("IPV6_V6ONLY", connect(fd, &mapped.at.any, mapped.len));
    close(fd);
    fd = socket(AF_INET6, SOCK_STREAM, 0);
    local.at.v6.sin6_addr = in6addr_loopback;
    say_result("bind", bind(fd, &local.at.any, local.len));
    say_result("bound to IPv6", connect(fd, &mapped.at.any, mapped.len));
    close(fd);
    fd = socket(AF_INET6, SOCK_STREAM, 0);
    local.at.v6.sin6_addr = in6addr_any;
    say_result("bind", bind(fd, &local.at.any, local.len));
    say_result("bound to ::", connect(fd, &mapped.at.any, mapped.len));
    request(fd, "get 1000\n");
    expect_pattern(fd, 0, 1000);
}

static void all_hosts_of_a_network(void)
{
    struct target all = target;
    if (target.at.any.sa_family == AF_INET6)
        return;
    all.at.v4.sin_addr.s_addr |= htonl(255);
    int fd = tcp_socket(0);
    say_result("connect", connect(fd, &all.at.any, all.len));
}

/* 0.0.0.0 and :: are this host, where nobody listens. */
static void no_address(void)
{
    struct target none = target;
    memset(&none.at.v6.sin6_addr, 0, target.at.any.sa_family == AF_INET6 ? 16 : 0);
    if (target.at.any.sa_family == AF_INET)
        none.at.v4.sin_addr.s_addr = 0;
    none.at.v4.sin_port = htons(CLOSED_PORT);
    int fd = tcp_socket(0);
    say_result("connect", connect(fd, &none.at.any, none.len));
    none.at.v4.sin_port = 0;
    say_result("port 0", connect(fd, &none.at.any, none.len));
}

static int from_port(uint16_t port)
{
    struct target local = { .len = target.len };
    int on = 1, fd = tcp_socket(0);
    struct linger abort = { 1, 0 };            /* the port is free again for the next run */
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    local.at.any.sa_family = target.at.any.sa_family;
    local.at.v4.sin_port = htons(port);
    say_result("bind", bind(fd, &local.at.any, local.len));
    return fd;
}

/* One local port serves several peers, but the same one only once. */
static void one_port(void)
{
    int first = from_port(40124), second = from_port(40124), third = from_port(40124);
    say_result("connect", connect(first, &target.at.any, target.len));
    say_result("the same again", connect(second, &target.at.any, target.len));
    say_result("another port there", connect(third, &refused.at.any, refused.len));
    request(first, "get 1000\n");
    expect_pattern(first, 0, 1000);
    close(first);
    int again = connect(second, &target.at.any, target.len);
    say_result("free again", again);
    if (again < 0)
        return;
    request(second, "get 1000\n");
    expect_pattern(second, 0, 1000);
}

/* What a program did not set it does not find set. */
static void unchanged(void)
{
    struct target local = { .len = target.len };
    local.at.any.sa_family = target.at.any.sa_family;
    local.at.v4.sin_port = htons(40125);
    int value = -1, fd = tcp_socket(0);
    socklen_t len = sizeof value;
    struct linger abort = { 1, 0 };
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
    say_result("bind", bind(fd, &local.at.any, local.len));
    say_result("connect", connect(fd, &target.at.any, target.len));
    getsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &value, &len);
    say("SO_REUSEADDR %d", value);
}

/* A socket of another network namespace than the first one's. */
static void other_namespace(void)
{
    int here = connected();
    say_result("unshare", unshare(CLONE_NEWNET));
    int fd = tcp_socket(0);
    say_result("connect there", connect(fd, &target.at.any, target.len));
    request(here, "get 1000\n");
    expect_pattern(here, 0, 1000);
}

const struct test_case address_cases[] = {
    { "other_kind", other_kind }, { "all_hosts_of_a_network", all_hosts_of_a_network }, { "no_address", no_address },
    { "one_port", one_port }, { "unchanged", unchanged }, { "other_namespace", other_namespace }, { NULL, NULL },
};
