#include "pair.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "libc.h"

static int fill(int fd)
{
    int smallest = 1;
    static const char dummies[2048];
    if (libc_setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &smallest, sizeof smallest) < 0)
        return -1;
    /* Large pieces first, then single bytes until not one more fits. */
    while (libc_send(fd, dummies, sizeof dummies, MSG_DONTWAIT | MSG_NOSIGNAL) > 0) { }
    while (libc_send(fd, dummies, 1, MSG_DONTWAIT | MSG_NOSIGNAL) > 0) { }
    return 0;
}

int shim_pair_open(int ends[2])
{
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return -1;
    if (libc_fcntl(ends[1], F_SETFL, O_NONBLOCK) < 0 || fill(ends[0]) < 0) {
        libc_close(ends[0]);
        libc_close(ends[1]);
        return -1;
    }
    return 0;
}

void shim_pair_widen(int fd)
{
    int bytes = SHIM_PAIR_BUFFER_BYTES;
    if (libc_setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof bytes) < 0)
        libc_setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
}

void shim_pair_up(struct shim_pair *p, int app_fd)
{
    char dummies[4096];
    int bytes = 0;
    while (libc_ioctl(p->fd, FIONREAD, &bytes) == 0 && bytes > 1) {
        size_t want = (size_t)bytes - 1 < sizeof dummies ? (size_t)bytes - 1 : sizeof dummies;
        if (libc_recv(p->fd, dummies, want, MSG_DONTWAIT) <= 0)
            break;
    }
    p->kept = bytes >= 1;
    if (app_fd >= 0)
        shim_pair_widen(app_fd);
    shim_pair_widen(p->fd);
}

size_t shim_pair_unread(const struct shim_pair *p)
{
    int bytes = 0;
    if (p->fd < 0 || libc_ioctl(p->fd, FIONREAD, &bytes) < 0)
        return 0;
    return bytes > p->kept ? (size_t)bytes - p->kept : 0;
}

size_t shim_pair_read(struct shim_pair *p, uint8_t *buffer, size_t want, const uint8_t **data)
{
    size_t unread = shim_pair_unread(p);
    if (want > unread)
        want = unread;
    if (want > SHIM_PAIR_READ_MAX)
        want = SHIM_PAIR_READ_MAX;
    if (want == 0)
        return 0;
    /* The first byte is the kept one; the last one wanted is looked at and kept in its place. */
    ssize_t n = libc_recv(p->fd, buffer, want, MSG_DONTWAIT);
    if (n <= 0)
        return 0;
    if (!p->kept) {
        *data = buffer;
        return (size_t)n;
    }
    if (libc_recv(p->fd, buffer + n, 1, MSG_DONTWAIT | MSG_PEEK) != 1)
        return 0;
    *data = buffer + 1;
    return (size_t)n;
}

void shim_pair_settle(struct shim_pair *p)
{
    char byte;
    if (p->kept && libc_recv(p->fd, &byte, 1, MSG_DONTWAIT) == 1)
        p->kept = false;
}
