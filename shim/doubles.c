#include "doubles.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include "descriptors.h"

#define MARKS 65536

static _Atomic uint64_t marks[MARKS / 64];

static void mark(ino_t ino)
{
    atomic_fetch_or(&marks[ino % MARKS / 64], UINT64_C(1) << (ino % 64));
}

bool shim_is_doubled(ino_t ino)
{
    return atomic_load(&marks[ino % MARKS / 64]) >> (ino % 64) & 1;
}

void shim_doubled(int fd)
{
    ino_t ino = shim_socket_inode(fd);
    if (ino)
        mark(ino);
}

void shim_doubled_received(const struct msghdr *message)
{
    if (!message->msg_control)
        return;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR((struct msghdr *)(uintptr_t)message, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS || c->cmsg_len < CMSG_LEN(0))
            continue;
        size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < n; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
            shim_doubled(fd);
        }
    }
}

/* The first descriptor of an inode sets one bit, a second one that finds it is a double: or another with the same hash. */
static void see(int fd, void *seen)
{
    ino_t ino = shim_socket_inode(fd);
    uint64_t *word = (uint64_t *)seen + ino % MARKS / 64, bit = UINT64_C(1) << (ino % 64);
    if (ino && *word & bit)
        mark(ino);
    if (ino)
        *word |= bit;
}

void shim_doubles_find(void)
{
    static bool done;
    uint64_t seen[MARKS / 64] = { 0 };
    if (!done && !shim_fds_visit(see, seen))
        memset((void *)marks, 0xff, sizeof marks);             /* no /proc: nobody knows */
    done = true;
}
