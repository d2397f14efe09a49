/* file.c - see file.h. */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "wire/bytes.h"

#define OPEN_FLAGS (O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)
#define SAMPLE_BYTES 1024
#define MEMO_TAGS 128
#define MEMO_OPEN 8
#define MEMO_PATH_BYTES 400

struct memo_tag {                      /* of a file that has not been touched since: ctime cannot be set back */
    bool used;
    dev_t dev; ino_t ino;
    int64_t ctime_ns, mtime_ns;
    uint64_t size, tag;
};
struct memo_open { char path[MEMO_PATH_BYTES]; struct file file; };     /* fd -1: none */
struct file_memo {
    struct memo_tag tags[MEMO_TAGS];
    struct memo_open open[MEMO_OPEN]; unsigned next;
};


static void close_open(struct memo_open *o)
{
    if (o->file.fd >= 0)
        close(o->file.fd);
    o->file.fd = -1;
}

void file_root_release(struct file_root *root)
{
    for (size_t i = 0; root->memo && i < MEMO_OPEN; i++)
        close_open(&root->memo->open[i]);
}

void file_root_close(struct file_root *root)
{
    file_root_release(root);
    if (root->fd >= 0)
        close(root->fd);
    root->fd = -1;
    free(root->memo);
    root->memo = NULL;
}

void file_root_forget(struct file_root *root)
{
    file_root_release(root);
    memset(root->memo->tags, 0, sizeof root->memo->tags);
}

/* EXDEV: it would leave the root. EAGAIN: something was renamed meanwhile, try again. */
static int open_beneath(int root, const char *path)
{
    struct open_how how = { .flags = OPEN_FLAGS, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS };
    long fd = -1;
    for (int i = 0; i < 16; i++) {
        fd = syscall(SYS_openat2, root, path, &how, sizeof how);
        if (fd >= 0 || errno != EAGAIN)
            break;
    }
    return (int)fd;
}

/* For kernels before 5.6, and containers that forbid openat2: one component at a time, no ".." and no link at all,
 * so inner links are refused there that openat2 would follow. */
static int open_walking(int root, const char *path)
{
    char name[256];
    int at = dup(root);
    while (at >= 0 && *path) {
        size_t n = strcspn(path, "/");
        const char *rest = path + n + strspn(path + n, "/");
        bool last = path[n] == '\0';
        if (n >= sizeof name || (n == 2 && memcmp(path, "..", 2) == 0)) {
            close(at);
            errno = n == 2 ? EXDEV : ENAMETOOLONG;
            return -1;
        }
        memcpy(name, path, n);
        name[n] = '\0';
        int next = openat(at, name, (last ? OPEN_FLAGS : O_PATH | O_DIRECTORY | O_CLOEXEC) | O_NOFOLLOW);
        int saved = errno;
        close(at);
        errno = saved == ELOOP ? EXDEV : saved;
        at = next;
        path = rest;
    }
    return at;
}

int file_root_open(struct file_root *root, const char *directory)
{
    *root = (struct file_root){ .fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC) };
    if (root->fd < 0)
        return -1;
    root->memo = calloc(1, sizeof *root->memo);
    for (size_t i = 0; root->memo && i < MEMO_OPEN; i++)
        root->memo->open[i].file.fd = -1;
    int probe = open_beneath(root->fd, ".");
    int error = !root->memo ? ENOMEM : probe < 0 ? errno : 0;
    if (probe >= 0)
        close(probe);
    root->walk = error == ENOSYS || error == EPERM;
    if (error == 0 || root->walk)
        return 0;
    file_root_close(root);
    errno = error;
    return -1;
}

static enum file_result result_of(int error)
{
    switch (error) {
    case ENOENT: case ENOTDIR: case ENAMETOOLONG: case EINVAL:
        return FILE_NOT_FOUND;
    case EACCES: case EPERM: case EXDEV: case ELOOP: case ENXIO: case ENODEV:
        return FILE_FORBIDDEN;
    default:
        return FILE_FAILED;
    }
}

static int64_t ns_of(const struct timespec *t) { return (int64_t)t->tv_sec * 1000000000 + t->tv_nsec; }

static bool read_all(int fd, uint64_t offset, uint8_t *out, size_t n)
{
    while (n > 0) {
        ssize_t got = pread(fd, out, n, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        out += got;
        offset += (uint64_t)got;
        n -= (size_t)got;
    }
    return true;
}

/* Hash of size, mtime, and up to three samples: beginning, middle, end. */
static bool compute_tag(const struct file *f, uint64_t *tag)
{
    static const unsigned char key[crypto_shorthash_KEYBYTES] = "tricklesd file";
    uint8_t text[16 + 3 * SAMPLE_BYTES], hash[crypto_shorthash_BYTES];
    struct trk_writer w = trk_writer_init(text, sizeof text);
    trk_put(&w, f->id.size, 8);
    trk_put(&w, (uint64_t)f->id.mtime_ns, 8);
    size_t n = f->id.size < SAMPLE_BYTES ? (size_t)f->id.size : SAMPLE_BYTES;
    const uint64_t at[] = { 0, (f->id.size - n) / 2, f->id.size - n };
    for (size_t i = 0; i < 3; i++, w.at += n)
        if (!read_all(f->fd, at[i], w.at, n))
            return false;
    crypto_shorthash(hash, text, (size_t)(w.at - text), key);
    struct trk_reader r = trk_reader_init(hash, sizeof hash);
    *tag = trk_get(&r, 8);
    return true;
}

/* The tag of an open file whose size and times are known. */
static bool find_tag(struct file_root *root, const struct stat *st, struct file *f)
{
    struct memo_tag *memo = &root->memo->tags[(size_t)(st->st_ino ^ st->st_dev) % MEMO_TAGS];
    if (memo->used && memo->dev == st->st_dev && memo->ino == st->st_ino && memo->ctime_ns == f->ctime_ns && memo->mtime_ns == f->id.mtime_ns &&
        memo->size == f->id.size) {
        f->id.tag = memo->tag;
        return true;
    }
    if (!compute_tag(f, &f->id.tag))
        return false;
    *memo = (struct memo_tag){ true, st->st_dev, st->st_ino, f->ctime_ns, f->id.mtime_ns, f->id.size, f->id.tag };
    return true;
}

static void set_stat(struct file *f, const struct stat *st)
{
    f->id.size = (uint64_t)st->st_size;
    f->id.mtime_ns = ns_of(&st->st_mtim);
    f->ctime_ns = ns_of(&st->st_ctim);
    f->dev = st->st_dev;
    f->ino = st->st_ino;
}

bool file_still(const struct file *f)
{
    struct stat st;
    struct file now;
    if (fstat(f->fd, &st) != 0)
        return false;
    set_stat(&now, &st);
    return now.id.size == f->id.size && now.id.mtime_ns == f->id.mtime_ns && now.ctime_ns == f->ctime_ns;
}

/* What an open descriptor is. FILE_OK: f is complete. */
static enum file_result examine(struct file_root *root, struct file *f)
{
    struct stat st;
    if (fstat(f->fd, &st) != 0)
        return FILE_FAILED;
    if (S_ISDIR(st.st_mode))
        return FILE_DIRECTORY;
    if (!S_ISREG(st.st_mode))
        return FILE_FORBIDDEN;
    set_stat(f, &st);
    return find_tag(root, &st, f) ? FILE_OK : FILE_FAILED;
}

/* The place of path among the open files; NULL: it is not there, or is no longer what it was. */
static const struct memo_open *find_open(struct file_root *root, const char *path)
{
    for (struct memo_open *o = root->memo->open; o < root->memo->open + MEMO_OPEN; o++)
        if (o->file.fd >= 0 && strcmp(o->path, path) == 0) {
            if (file_still(&o->file))
                return o;
            close_open(o);
        }
    return NULL;
}

static void keep_open(struct file_root *root, const char *path, const struct file *f)
{
    struct memo_open *o = &root->memo->open[root->memo->next++ % MEMO_OPEN];
    size_t n = strlen(path) + 1;
    close_open(o);
    o->file = *f;
    o->path[0] = '\0';                 /* matches no path: file_open never asks for "" */
    if (n <= sizeof o->path)
        memcpy(o->path, path, n);
}

enum file_result file_open(struct file_root *root, const char *path, struct file *out)
{
    path += strspn(path, "/");
    if (*path == '\0')
        path = ".";
    const struct memo_open *known = find_open(root, path);
    if (known) {
        *out = known->file;
        return FILE_OK;
    }
    *out = (struct file){ .fd = root->walk ? open_walking(root->fd, path) : open_beneath(root->fd, path) };
    if (out->fd < 0)
        return result_of(errno);
    enum file_result result = examine(root, out);
    if (result == FILE_OK)
        keep_open(root, path, out);
    else
        close(out->fd);
    return result;
}

bool file_same(const struct file_identity *a, const struct file_identity *b)
{
    return a->size == b->size && a->mtime_ns == b->mtime_ns && a->tag == b->tag;
}

bool file_read(const struct file *f, uint64_t offset, uint8_t *out, size_t n)
{
    return read_all(f->fd, offset, out, n) && file_still(f);
}
