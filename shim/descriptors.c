#include "descriptors.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "doubles.h"
#include "libc.h"
#include "limit.h"
#include "registrations.h"

#define MARKS        65536             /* numbers above are never chosen */
#define HIDDEN_FIRST 32768             /* where the limit allows: growing the kernel's table costs memory */
#define FDS_MAX      256               /* descriptors of one socket that are replaced at connect */

static _Atomic uint64_t marks[MARKS / 64];

static void mark(int fd, bool ours)
{
    uint64_t bit = UINT64_C(1) << (fd % 64);
    if (ours)
        atomic_fetch_or(&marks[fd / 64], bit);
    else
        atomic_fetch_and(&marks[fd / 64], ~bit);
}

bool shim_fd_is_hidden(int fd)
{
    return fd >= 0 && fd < MARKS && (atomic_load_explicit(&marks[fd / 64], memory_order_relaxed) >> (fd % 64) & 1);
}

long shim_next_hidden(unsigned first, unsigned last)
{
    for (unsigned fd = first; fd <= last && fd < MARKS; fd++) {
        if (fd % 64 == 0 && !atomic_load_explicit(&marks[fd / 64], memory_order_relaxed))
            fd += 63;
        else if (shim_fd_is_hidden((int)fd))
            return (long)fd;
    }
    return -1;
}

/* Beyond the program's limit, where that can be lifted; else among the highest quarter, or wherever there is room. */
static int move_up(int fd)
{
    struct shim_lift lift;
    shim_limit_lift(&lift);
    rlim_t own = lift.up ? lift.own.rlim_cur : lift.own.rlim_cur / 4 * 3;
    int moved = libc_fcntl(fd, F_DUPFD_CLOEXEC, own < HIDDEN_FIRST ? (long)own : HIDDEN_FIRST);
    if (moved < 0)
        moved = libc_fcntl(fd, F_DUPFD_CLOEXEC, 3);
    shim_limit_lay(&lift);
    return moved;
}

struct shim_hidden shim_hide(int fd)
{
    struct shim_hidden hidden = { .fd = -1 };
    struct stat st;
    int moved = move_up(fd);
    int kept = errno;
    libc_close(fd);
    errno = kept;
    if (moved < 0 || moved >= MARKS || fstat(moved, &st) < 0) {
        if (moved >= 0)
            libc_close(moved);
        return hidden;
    }
    mark(moved, true);
    return (struct shim_hidden){ .fd = moved, .ino = st.st_ino, .dev = st.st_dev };
}

int shim_hidden_fd(const struct shim_hidden *hidden)
{
    struct stat st;
    if (hidden->fd < 0 || fstat(hidden->fd, &st) < 0 || st.st_ino != hidden->ino || st.st_dev != hidden->dev)
        return -1;
    return hidden->fd;
}

void shim_hidden_close(struct shim_hidden *hidden)
{
    if (hidden->fd < 0)
        return;
    int fd = shim_hidden_fd(hidden);
    mark(hidden->fd, false);
    hidden->fd = -1;
    if (fd >= 0)
        libc_close(fd);
}

ino_t shim_socket_inode(int fd)
{
    struct stat st;
    int kept = errno;
    bool socket = fd >= 0 && fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode);
    errno = kept;
    return socket ? st.st_ino : 0;
}

bool shim_fds_visit(void (*visit)(int fd, void *context), void *context)
{
    int dir = open("/proc/thread-self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return false;
    _Alignas(struct dirent64) char entries[4096];
    ssize_t bytes;
    while ((bytes = getdents64(dir, entries, sizeof entries)) > 0) {
        for (ssize_t at = 0; at < bytes;) {
            const struct dirent64 *entry = (const struct dirent64 *)(entries + at);
            at += entry->d_reclen;
            int fd = atoi(entry->d_name);
            if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9' && fd != dir && !shim_fd_is_hidden(fd))
                visit(fd, context);
        }
    }
    libc_close(dir);
    return true;
}

struct search { ino_t ino; int *out, n, found; };

static void look_at(int fd, void *context)
{
    struct search *s = context;
    if (s->found < s->n && !shim_fd_is_hidden(fd) && shim_socket_inode(fd) == s->ino)
        s->out[s->found++] = fd;
}

int shim_fds_of(ino_t ino, int usual, int *out, int n)
{
    struct search search = { .ino = ino, .out = out, .n = n };
    if (!shim_is_doubled(ino))
        look_at(usual, &search);
    else if (!shim_fds_visit(look_at, &search))
        for (int fd = 0; fd < 1024; fd++)                      /* without /proc only low numbers are tried */
            look_at(fd, &search);
    return search.found;
}

int shim_fds_replace(ino_t old, int usual, int new_fd)
{
    int fds[FDS_MAX], changed = 0;
    ino_t now = shim_socket_inode(new_fd);
    int n = shim_fds_of(old, usual, fds, FDS_MAX);
    if (n > 1)                         /* a mark alone may be another's with the same hash, and would spread to all in time */
        shim_doubled(new_fd);
    for (int i = 0; i < n; i++) {
        int flags = libc_fcntl(fds[i], F_GETFD, 0);
        shim_registrations_lift(old, fds[i]);
        int result = libc_dup3(new_fd, fds[i], flags & FD_CLOEXEC ? O_CLOEXEC : 0);
        shim_registrations_lay(result < 0 ? old : now, fds[i]);
        if (result < 0)
            return -1;
        changed++;
    }
    return changed;
}
