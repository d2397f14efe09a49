/* upload.c - see upload.h. */
#include "upload.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#define PREFIX ".upload-"

/* ---------------- leftovers ---------------- */

/* Deletes what is left of uploads that had no byte for so many seconds. Returns how many others there are. */
static unsigned sweep_older(int directory, time_t seconds)
{
    int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    const struct dirent *entry;
    struct stat st;
    unsigned left = 0;
    if (!d && fd >= 0)
        close(fd);
    while (d && (entry = readdir(d)) != NULL) {
        if (strncmp(entry->d_name, PREFIX, sizeof PREFIX - 1) != 0 || fstatat(directory, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
            !S_ISREG(st.st_mode))
            continue;
        if (st.st_mtime >= time(NULL) - seconds || unlinkat(directory, entry->d_name, 0) != 0)
            left++;
    }
    if (d)
        closedir(d);
    return left;
}

static void sweep(struct upload_place *place)
{
    place->unfinished = sweep_older(place->fd, UPLOAD_KEPT_SECONDS);
    if (place->unfinished > UPLOAD_UNFINISHED_MAX / 2)
        place->unfinished = sweep_older(place->fd, UPLOAD_SHORT_SECONDS);
    place->swept = time(NULL);
}

/* A server that runs for months cleans up when the next upload begins; the directory is read once a minute at most. */
static bool has_place(struct upload_place *place)
{
    int64_t ago = time(NULL) - place->swept;
    if (ago < 0 || ago >= UPLOAD_SWEEP_SECONDS)
        sweep(place);
    return place->unfinished < UPLOAD_UNFINISHED_MAX;
}

static void one_less(struct upload_place *place) { place->unfinished -= place->unfinished > 0; }

int upload_open(struct upload_place *place, const char *directory)
{
    place->held = -1;
    place->fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (place->fd < 0)
        return -1;
    if (faccessat(place->fd, ".", W_OK | X_OK, AT_EACCESS) != 0) {
        int error = errno;
        upload_close(place);
        errno = error;
        return -1;
    }
    sweep(place);
    return 0;
}

void upload_close(struct upload_place *place)
{
    upload_round(place);
    if (place->fd >= 0)
        close(place->fd);
    place->fd = -1;
}

/* ---------------- names ---------------- */

void upload_name(const uint8_t connection[12], uint64_t offset, char out[UPLOAD_NAME_BYTES])
{
    char *at = out + sprintf(out, PREFIX);
    for (int i = 0; i < 12; i++)
        at += sprintf(at, "%02x", connection[i]);
    sprintf(at, "-%" PRIx64, offset);
}

static enum upload_result result_of(int error)
{
    switch (error) {
    case ENOENT: case ENOTDIR:                         return UPLOAD_NO_DIRECTORY;
    case EACCES: case EPERM: case ELOOP: case EISDIR:
    case EXDEV: case ENAMETOOLONG: case EINVAL: case EROFS: return UPLOAD_FORBIDDEN;
    case ENOSPC: case EDQUOT: case EFBIG:              return UPLOAD_FULL;
    default:                                           return UPLOAD_FAILED;
    }
}

/* The directory that path's last component lies in, and that component. No links, no "..": whoever uploads must not choose
 * where. -1 and errno. */
static int open_parent(const struct upload_place *place, const char *path, char last[NAME_MAX + 1])
{
    int at = openat(place->fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    path += strspn(path, "/");
    while (at >= 0) {
        size_t n = strcspn(path, "/");
        const char *rest = path + n + strspn(path + n, "/");
        bool dots = (n == 1 && path[0] == '.') || (n == 2 && path[0] == '.' && path[1] == '.');
        int error = n == 0 || (path[n] && !*rest) ? EISDIR : n > NAME_MAX || dots ? EINVAL : strncmp(path, PREFIX, sizeof PREFIX - 1) == 0 ? EPERM : 0;
        int next = -1;
        if (!error) {
            memcpy(last, path, n);
            last[n] = '\0';
            if (!*rest)
                return at;
            next = openat(at, last, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
            error = errno;
        }
        close(at);
        errno = error;
        at = next;
        path = rest;
    }
    return -1;
}

/* ---------------- an upload ---------------- */

/* Room is asked for here, where the client can still be told; others may use it up meanwhile. */
static bool has_room(const struct upload_place *place, uint64_t size)
{
    struct statvfs fs;
    if (size > INT64_MAX)
        return false;
    return fstatvfs(place->fd, &fs) != 0 || fs.f_frsize == 0 || size / fs.f_frsize <= fs.f_bavail;
}

/* The file, new or begun before. */
static int create(struct upload_place *place, const char *name, uint64_t size, int *error)
{
    int fd = openat(place->fd, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    *error = errno;
    if (fd >= 0 || *error != ENOENT)
        return fd;
    *error = ENOSPC;
    if (!has_room(place, size) || !has_place(place))
        return -1;
    fd = openat(place->fd, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
    *error = errno;
    place->unfinished += fd >= 0;
    return fd;
}

enum upload_result upload_begin(struct upload_place *place, const char *name, const char *path, uint64_t size, uint64_t *inode, bool *replaces)
{
    char last[NAME_MAX + 1];
    struct stat st;
    int parent = open_parent(place, path, last);
    if (parent < 0)
        return result_of(errno);
    *replaces = fstatat(parent, last, &st, AT_SYMLINK_NOFOLLOW) == 0;
    bool plain = !*replaces || S_ISREG(st.st_mode);
    int error = !plain ? EISDIR : faccessat(parent, ".", W_OK | X_OK, AT_EACCESS) != 0 ? errno : 0;
    close(parent);
    if (error)
        return result_of(error);
    int fd = create(place, name, size, &error);
    if (fd < 0)
        return result_of(error);
    error = ftruncate(fd, (off_t)size) != 0 || fstat(fd, &st) != 0 ? errno : 0;
    close(fd);
    *inode = st.st_ino;
    if (error)
        upload_forget(place, name);
    return error ? result_of(error) : UPLOAD_OK;
}

static bool write_all(int fd, uint64_t at, const uint8_t *data, size_t n)
{
    while (n > 0) {
        ssize_t done = pwrite(fd, data, n, (off_t)at);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        data += done;
        at += (uint64_t)done;
        n -= (size_t)done;
    }
    return true;
}

static int hold(struct upload_place *place, const char *name)
{
    if (place->held >= 0 && strcmp(place->held_name, name) == 0)
        return place->held;
    upload_round(place);
    snprintf(place->held_name, sizeof place->held_name, "%s", name);
    place->held = openat(place->fd, name, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
    return place->held;
}

void upload_round(struct upload_place *place)
{
    if (place->fd >= 0 && place->held >= 0)
        close(place->held);
    place->held = -1;
}

enum upload_result upload_write(struct upload_place *place, const char *name, uint64_t at, const uint8_t *data, size_t n)
{
    int fd = hold(place, name);
    if (fd < 0)
        return errno == ENOENT ? UPLOAD_GONE : result_of(errno);
    return write_all(fd, at, data, n) ? UPLOAD_OK : result_of(errno);
}

/* Bytes that no replica has written are a hole, if there are enough of them together. */
static bool has_all(int fd, uint64_t size)
{
    struct stat st;
    off_t hole = size > 0 ? lseek(fd, 0, SEEK_HOLE) : 0;
    return fstat(fd, &st) == 0 && (uint64_t)st.st_size == size && (hole < 0 || (uint64_t)hole >= size);
}

enum upload_result upload_finish(struct upload_place *place, const char *name, const char *path, uint64_t size, uint64_t inode)
{
    char last[NAME_MAX + 1];
    struct stat st;
    upload_round(place);
    int parent = open_parent(place, path, last);
    if (parent < 0)
        return result_of(errno);
    enum upload_result result = UPLOAD_OK;
    int fd = openat(place->fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {                      /* finished before, and its answer got lost? */
        bool here = errno == ENOENT && fstatat(parent, last, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_ino == inode;
        result = here ? UPLOAD_OK : errno == ENOENT ? UPLOAD_GONE : result_of(errno);
    } else if (!has_all(fd, size)) {
        errno = EIO;
        result = UPLOAD_FAILED;
    } else if (renameat(place->fd, name, parent, last) != 0) {
        result = result_of(errno);
    } else {
        one_less(place);
    }
    if (fd >= 0)
        close(fd);
    close(parent);
    return result;
}

void upload_forget(struct upload_place *place, const char *name)
{
    upload_round(place);
    if (unlinkat(place->fd, name, 0) == 0)
        one_less(place);
}
