#include "peers.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "libc.h"

#define OURS_MAX 32                    /* interfaces; one more would count as another's */

static _Atomic uint64_t ours[OURS_MAX];

void shim_peers_ours(ino_t ino)
{
    for (int i = 0; i < OURS_MAX; i++) {
        uint64_t nobody = 0;
        if (atomic_compare_exchange_strong(&ours[i], &nobody, (uint64_t)ino))
            return;
    }
}

static bool is_ours(uint64_t ino)
{
    for (int i = 0; i < OURS_MAX; i++)
        if (atomic_load(&ours[i]) == ino)
            return true;
    return false;
}

/* sk RefCnt Type Proto Iface R Rmem User Inode */
static bool line_is_peer(const char *line, int ifindex)
{
    int interface;
    uint64_t ino;
    if (sscanf(line, "%*s %*d %*d %*x %d %*d %*u %*u %" SCNu64, &interface, &ino) != 2)
        return false;
    return (interface == ifindex || interface == 0) && !is_ours(ino);
}

/* Without stdio, which takes memory: this runs in connect(). */
static bool search(int fd, int ifindex)
{
    char text[1024];
    size_t used = 0;
    ssize_t n;
    while ((n = read(fd, text + used, sizeof text - 1 - used)) > 0) {
        used += (size_t)n;
        text[used] = 0;
        char *line = text, *end;
        for (; (end = strchr(line, '\n')); line = end + 1) {
            *end = 0;
            if (line_is_peer(line, ifindex))
                return true;
        }
        used -= (size_t)(line - text);
        memmove(text, line, used);
        if (used == sizeof text - 1)
            return true;               /* no such line exists: better ask than miss a server */
    }
    return n < 0;
}

bool shim_peers_on(int ifindex)
{
    int kept = errno;
    int fd = open("/proc/thread-self/net/packet", O_RDONLY | O_CLOEXEC);
    bool found = fd < 0 || search(fd, ifindex);
    if (fd >= 0)
        libc_close(fd);
    errno = kept;
    return found;
}
