/* epoll.c - epoll_ctl(): remember who watches a socket that is about to change its file. */
#include <errno.h>
#include <netinet/tcp.h>
#include <netinet/in.h>
#include "hook.h"
#include "registrations.h"

/* A TCP socket before connect, or one of ours. */
static ino_t may_change(int fd)
{
    int protocol = 0;
    socklen_t len = sizeof protocol;
    struct shim_socket *s = shim_socket_of(fd);
    if (s) {
        ino_t ino = s->ino;
        shim_socket_release(s);
        return ino;
    }
    if (libc_getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &len) < 0 || protocol != IPPROTO_TCP)
        return 0;
    struct tcp_info info;
    len = sizeof info;
    if (libc_getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0 || info.tcpi_state != TCP_CLOSE)
        return 0;
    return shim_socket_inode(fd);
}

static void remember(int epfd, int op, int fd, const struct epoll_event *event)
{
    ino_t ino = op == EPOLL_CTL_ADD ? may_change(fd) : 0;
    struct shim_kept kept;
    shim_lock(&kept);
    if (op == EPOLL_CTL_DEL || (op == EPOLL_CTL_ADD && !ino))
        shim_registration_delete(epfd, fd);
    else if (op == EPOLL_CTL_ADD)
        shim_registration_add(epfd, fd, ino, event);
    else
        shim_registration_modify(epfd, fd, event);
    shim_unlock(&kept);
}

int shim_epoll_ctl(int epfd, int op, int fd, struct epoll_event *event)
{
    int result = libc_epoll_ctl(epfd, op, fd, event);
    if (result < 0 || shim_pass() || (!event && op != EPOLL_CTL_DEL))
        return result;
    int kept = errno;
    remember(epfd, op, fd, event);
    errno = kept;
    return result;
}

SHIM_EXPORT int epoll_ctl(int epfd, int op, int fd, struct epoll_event *event)
{
    return shim_epoll_ctl(epfd, op, fd, event);
}
