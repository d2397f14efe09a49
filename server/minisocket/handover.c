/* handover.c - from a master to its successor: guards, filter and sockets, while both run. Nothing is closed until the successor
 * serves, so an upgrade that fails has changed nothing, and one that succeeds loses no packet. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>
#include "address.h"
#include "group.h"

#define HANDED_MAGIC 0x54724b31u       /* "TrK1": another layout is another magic */
#define PEER_SECONDS 5                 /* how long one end waits for the other */

static bool set_path(struct sockaddr_un *a, const char *path, char *error, size_t error_bytes)
{
    *a = (struct sockaddr_un){ .sun_family = AF_UNIX };
    if (snprintf(a->sun_path, sizeof a->sun_path, "%s", path) < (int)sizeof a->sun_path)
        return true;
    snprintf(error, error_bytes, "control socket %s: a name of at most %d bytes, please", path, (int)sizeof a->sun_path - 1);
    errno = ENAMETOOLONG;
    return false;
}

static int fails(int fd, const char *path, const char *what, char *error, size_t error_bytes)
{
    int saved = errno;
    snprintf(error, error_bytes, "control socket %s: %s", path, what ? what : strerror(saved));
    if (fd >= 0)
        close(fd);
    errno = saved;
    return -1;
}

/* Under another name first: at no moment is there a name without a listener. */
int msk_control_listen(const char *path, char *error, size_t error_bytes)
{
    char temporary[sizeof((struct sockaddr_un *)0)->sun_path + 16];
    struct sockaddr_un a;
    snprintf(temporary, sizeof temporary, "%s.%ld", path, (long)getpid());
    if (!set_path(&a, temporary, error, error_bytes))
        return -1;
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mode_t old = umask(0177);
    int bound = fd < 0 ? -1 : bind(fd, (struct sockaddr *)&a, sizeof a);
    umask(old);
    if (bound != 0)
        return fails(fd, path, NULL, error, error_bytes);
    if (listen(fd, 4) == 0 && rename(temporary, path) == 0)
        return fd;
    int saved = errno;
    unlink(temporary);
    errno = saved;
    return fails(fd, path, NULL, error, error_bytes);
}

/* Descriptors that open the network and the filter go to our own user and root alone, and come from them alone: a filter is
 * memory that is mapped and believed. */
static bool trusted(int peer)
{
    struct ucred who;
    socklen_t bytes = sizeof who;
    return getsockopt(peer, SOL_SOCKET, SO_PEERCRED, &who, &bytes) == 0 && (who.uid == geteuid() || who.uid == 0);
}

static void set_patience(int fd)
{
    struct timeval t = { .tv_sec = PEER_SECONDS };
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t);
}

/* ---------------- giving ---------------- */

static bool give(int peer, const struct msk_handed *what, int fd)
{
    union { struct cmsghdr align; uint8_t bytes[CMSG_SPACE(sizeof fd)]; } control = { 0 };
    struct iovec iov = { (void *)(uintptr_t)what, sizeof *what };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
    if (fd >= 0) {
        msg.msg_control = control.bytes;
        msg.msg_controllen = sizeof control.bytes;
        struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof fd);
        memcpy(CMSG_DATA(c), &fd, sizeof fd);
    }
    return sendmsg(peer, &msg, MSG_NOSIGNAL) == (ssize_t)sizeof *what;
}

static bool give_sockets(const struct msk_group *g, int peer)
{
    for (size_t i = 0; i < g->n_sockets; i++)
        for (unsigned w = 0; w < g->n; w++) {
            struct msk_handed h = { .magic = HANDED_MAGIC, .kind = MSK_HANDED_SOCKET, .ifindex = g->sockets[i].ifindex, .worker = w };
            if (!give(peer, &h, g->sockets[i].fds[w]))
                return false;
        }
    return true;
}

bool msk_group_give(const struct msk_group *g, int peer)
{
    struct msk_handed end = { .magic = HANDED_MAGIC, .kind = MSK_HANDED_END };
    if (!trusted(peer))
        return false;
    set_patience(peer);
    for (size_t i = 0; i < g->listens.n; i++) {
        struct msk_handed h = { .magic = HANDED_MAGIC, .kind = MSK_HANDED_GUARD, .address = g->listens.at[i].address };
        if (!give(peer, &h, g->listens.at[i].guard))
            return false;
    }
    struct msk_handed filter = { .magic = HANDED_MAGIC, .kind = MSK_HANDED_FILTER, .bytes = g->memory.bytes };
    if (g->memory.fd >= 0 && !give(peer, &filter, g->memory.fd))
        return false;
    return give_sockets(g, peer) && give(peer, &end, -1);
}

/* ---------------- taking ---------------- */

/* 1: an item; 0: that was all; -1: it went wrong. */
static int receive(struct msk_pool *pool)
{
    union { struct cmsghdr align; uint8_t bytes[CMSG_SPACE(sizeof(int))]; } control;
    struct msk_handed h;
    struct iovec iov = { &h, sizeof h };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes };
    ssize_t got = recvmsg(pool->peer, &msg, MSG_CMSG_CLOEXEC);
    int fd = -1;
    const struct cmsghdr *c = got < 0 ? NULL : CMSG_FIRSTHDR(&msg);
    if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
        memcpy(&fd, CMSG_DATA(c), sizeof fd);
    bool whole = got == (ssize_t)sizeof h && !(msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) && h.magic == HANDED_MAGIC;
    if (whole && h.kind == MSK_HANDED_END)
        return 0;
    if (!whole || fd < 0 || pool->n == MSK_POOL_MAX) {
        if (fd >= 0)
            close(fd);
        if (got >= 0)
            errno = EPROTO;
        return -1;
    }
    pool->items[pool->n].what = h;
    pool->items[pool->n++].fd = fd;
    return 1;
}

bool msk_pool_receive(struct msk_pool *pool, const char *path, char *error, size_t error_bytes)
{
    struct sockaddr_un a;
    int more;
    pool->n = 0;
    pool->peer = -1;
    if (!set_path(&a, path, error, error_bytes))
        return false;
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a) != 0)
        return fails(fd, path, NULL, error, error_bytes) == 0;
    if (!trusted(fd)) {
        errno = EPERM;
        return fails(fd, path, "another user's process listens there", error, error_bytes) == 0;
    }
    set_patience(fd);
    pool->peer = fd;
    while ((more = receive(pool)) > 0)
        ;
    if (more == 0)
        return true;
    fails(-1, path, errno == EPROTO ? "another version serves there, which cannot hand over: stop it first" : NULL, error, error_bytes);
    int saved = errno == ENOENT || errno == ECONNREFUSED ? EIO : errno;
    msk_pool_close(pool);
    errno = saved;
    return false;
}

void msk_pool_close(struct msk_pool *pool)
{
    while (pool->n > 0)
        close(pool->items[--pool->n].fd);
    if (pool->peer >= 0)
        close(pool->peer);
    pool->peer = -1;
}

static int take(struct msk_pool *pool, size_t i)
{
    int fd = pool->items[i].fd;
    pool->items[i] = pool->items[--pool->n];
    return fd;
}

int msk_pool_guard(struct msk_pool *pool, const struct sockaddr_storage *a)
{
    uint8_t wanted[16], had[16];
    uint8_t family = msk_address_bytes(a, wanted);
    for (size_t i = 0; i < pool->n; i++) {
        const struct msk_handed *h = &pool->items[i].what;
        if (h->kind == MSK_HANDED_GUARD && msk_address_bytes(&h->address, had) == family && memcmp(wanted, had, sizeof had) == 0 &&
            (msk_address_port(a) == 0 || msk_address_port(a) == msk_address_port(&h->address)))
            return take(pool, i);
    }
    return -1;
}

int msk_pool_filter(struct msk_pool *pool, size_t bytes)
{
    for (size_t i = 0; i < pool->n; i++)
        if (pool->items[i].what.kind == MSK_HANDED_FILTER && pool->items[i].what.bytes == bytes)
            return take(pool, i);
    return -1;
}

int msk_pool_socket(struct msk_pool *pool, int ifindex, unsigned worker)
{
    for (size_t i = 0; i < pool->n; i++) {
        const struct msk_handed *h = &pool->items[i].what;
        if (h->kind == MSK_HANDED_SOCKET && h->ifindex == ifindex && h->worker == worker)
            return take(pool, i);
    }
    return -1;
}
