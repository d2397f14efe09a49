/* guard.c - a kernel listener that hears nothing.
 *
 * Without a socket on the port the kernel answers our segments with RST; with an ordinary listener it answers
 * SYNs. A listener whose socket filter drops them does neither, for any flags, and a packet socket still sees
 * everything. It is gone with the process. Order matters: bind, filter, and only then listen. */
#include "link/guard.h"
#include "wire/segment.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#ifndef IPV6_MINHOPCOUNT
#define IPV6_MINHOPCOUNT 73
#endif
#define HOPS_NOBODY_SENDS 255          /* a segment with an ordinary TTL is below this and dropped */
#define PLAIN_BACKLOG     128

static bool attach(int fd, enum trk_guard_kind kind)
{
    /* Offset 0 is the TCP header. A load beyond the end drops, so the header length is tested first. */
    static struct sock_filter all[] = { BPF_STMT(BPF_RET | BPF_K, 0) };
    static struct sock_filter marked[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 12),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x60, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 20),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, TRK_MARKER, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
    };
    struct sock_fprog program = kind == TRK_GUARD_ALL ? (struct sock_fprog){ sizeof all / sizeof *all, all }
                                                      : (struct sock_fprog){ sizeof marked / sizeof *marked, marked };
    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0;
}

/* What needs no right: refuse every segment that comes with an ordinary TTL. */
static bool refuse_by_hops(int fd, sa_family_t family)
{
    int hops = HOPS_NOBODY_SENDS;
    bool v4 = setsockopt(fd, IPPROTO_IP, IP_MINTTL, &hops, sizeof hops) == 0;
    return family == AF_INET ? v4 : setsockopt(fd, IPPROTO_IPV6, IPV6_MINHOPCOUNT, &hops, sizeof hops) == 0;
}

/* "::" covers IPv4 too where the port is free there; where it is taken (perhaps by another guard), IPv6 alone. */
static int bind_guard(int fd, const struct sockaddr *addr, socklen_t len)
{
    int off = 0, on = 1;
    if (addr->sa_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (bind(fd, addr, len) == 0)
        return 0;
    if (addr->sa_family != AF_INET6 || errno != EADDRINUSE || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on))
        return -1;
    return bind(fd, addr, len);
}

static int complain(int fd, const struct sockaddr *addr, char *errbuf, size_t errbuf_bytes)
{
    int error = errno;
    unsigned port = ntohs(addr->sa_family == AF_INET6 ? ((const struct sockaddr_in6 *)(const void *)addr)->sin6_port
                                                      : ((const struct sockaddr_in *)(const void *)addr)->sin_port);
    if (error == EADDRINUSE)
        snprintf(errbuf, errbuf_bytes, "port %u is in use by another program", port);
    else if (error == EACCES)
        snprintf(errbuf, errbuf_bytes, "port %u needs root or CAP_NET_BIND_SERVICE", port);
    else if (error == EADDRNOTAVAIL)
        snprintf(errbuf, errbuf_bytes, "the address for port %u is not one of this host's", port);
    else
        snprintf(errbuf, errbuf_bytes, "cannot guard port %u: %s", port, strerror(error));
    if (fd >= 0)
        close(fd);
    errno = error;
    return -1;
}

int trk_guard_open(const struct sockaddr *addr, socklen_t len, enum trk_guard_kind kind, int reuse, char *errbuf, size_t errbuf_bytes)
{
    int on = 1, fd = socket(addr->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return complain(fd, addr, errbuf, errbuf_bytes);
    if (reuse && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on))
        return complain(fd, addr, errbuf, errbuf_bytes);
    if (bind_guard(fd, addr, len) || (!attach(fd, kind) && !refuse_by_hops(fd, addr->sa_family)) ||
        listen(fd, kind == TRK_GUARD_ALL ? 0 : PLAIN_BACKLOG))
        return complain(fd, addr, errbuf, errbuf_bytes);
    return fd;
}
