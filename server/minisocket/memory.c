/* memory.c - where the replay filter lives: in memory of this process alone, or named, so that it outlives the process and
 * is shared by all workers of a host. */
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "group.h"

static bool fails(char *error, size_t error_bytes, const char *name, const char *what, int code)
{
    snprintf(error, error_bytes, "filter memory %s: %s", name, what ? what : strerror(code));
    errno = code;
    return false;
}

/* A new filter forgets all: another domain, drawn at random unless the operator has named one for all hosts. */
static bool create(struct msk_memory *m, uint32_t domain)
{
    uint8_t key[TRK_FILTER_KEY_BYTES];
    while (!domain)
        domain = randombytes_random();
    randombytes_buf(key, sizeof key);
    m->filter = trk_filter_create(m->at, m->bytes, domain, key);
    return m->filter != NULL;
}

static bool map(struct msk_memory *m, int fd, int flags)
{
    m->at = mmap(NULL, m->bytes, PROT_READ | PROT_WRITE, flags | MAP_POPULATE, fd, 0);
    if (m->at == MAP_FAILED)
        m->at = NULL;
    return m->at != NULL;
}

/* Ours alone, of the size asked for; a new one is given that size. Zero, or what is wrong. */
static const char *fit(struct msk_memory *m, int fd, int *code)
{
    struct stat st;
    *code = EACCES;
    if (fstat(fd, &st) != 0)
        return "cannot be looked at";
    if (st.st_uid != geteuid() || (st.st_mode & 077))
        return "belongs to another user, or others may open it";
    if (st.st_size == 0 && ftruncate(fd, (off_t)m->bytes) == 0)
        return NULL;
    *code = EINVAL;
    return st.st_size == (off_t)m->bytes ? NULL : "is there with another size: stop its users and remove it, or ask for the same size";
}

/* The lock orders who creates; the kernel lets go of it when its holder dies. */
static bool open_named(struct msk_memory *m, const struct msk_options *o, char *error, size_t error_bytes)
{
    char path[128];
    int code = EINVAL;
    if (strchr(o->filter_name, '/') || snprintf(path, sizeof path, "/%s", o->filter_name) >= (int)sizeof path)
        return fails(error, error_bytes, o->filter_name, "a name has no slash and at most 126 bytes", EINVAL);
    int fd = shm_open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return fails(error, error_bytes, o->filter_name, NULL, errno);
    const char *wrong = flock(fd, LOCK_EX) != 0 ? "cannot be locked" : fit(m, fd, &code);
    if (!wrong && !map(m, fd, MAP_SHARED))
        wrong = "cannot be mapped";
    if (!wrong) {
        m->filter = trk_filter_attach(m->at, m->bytes);
        if (!m->filter && !create(m, o->domain))
            wrong = "is too small";
        else if (o->domain && trk_filter_domain(m->filter) != o->domain)
            wrong = "is there with another domain: remove it, or ask for the same domain";
    }
    close(fd);                         /* and unlocks */
    return wrong ? fails(error, error_bytes, o->filter_name, wrong, code) : true;
}

/* The memory of the process that this one takes over from: its numbers stay spent, its domain goes on. */
static bool take_over(struct msk_memory *m, const struct msk_options *o, struct msk_pool *handed)
{
    m->fd = handed ? msk_pool_filter(handed, m->bytes) : -1;
    if (m->fd < 0)
        return false;
    m->filter = map(m, m->fd, MAP_SHARED) ? trk_filter_attach(m->at, m->bytes) : NULL;
    if (m->filter && (!o->domain || trk_filter_domain(m->filter) == o->domain))
        return true;
    msk_memory_close(m);
    return false;
}

/* For processes that are forked from this one, and for its successor. */
static bool map_shared(struct msk_memory *m)
{
    m->fd = memfd_create("trickles-filter", MFD_CLOEXEC);
    return m->fd >= 0 && ftruncate(m->fd, (off_t)m->bytes) == 0 && map(m, m->fd, MAP_SHARED);
}

bool msk_memory_open(struct msk_memory *m, const struct msk_options *o, bool shared, struct msk_pool *handed, char *error, size_t error_bytes)
{
    *m = (struct msk_memory){ .fd = -1 };
    if (!o->filter_bytes)
        return true;
    size_t bytes = (o->filter_bytes + 4095) / 4096 * 4096;
    if (bytes < TRK_FILTER_BYTES_MIN)
        return fails(error, error_bytes, "", "at least 64 KiB, or 0 for none", EINVAL);
    m->bytes = bytes;
    if (o->filter_name)
        return open_named(m, o, error, error_bytes);
    if (shared && take_over(m, o, handed))
        return true;
    m->bytes = bytes;
    if (!(shared ? map_shared(m) : map(m, -1, MAP_PRIVATE | MAP_ANONYMOUS)) || !create(m, o->domain))
        return fails(error, error_bytes, "", NULL, ENOMEM);
    return true;
}

void msk_memory_close(struct msk_memory *m)
{
    if (m->at)
        munmap(m->at, m->bytes);
    if (m->fd >= 0)
        close(m->fd);
    *m = (struct msk_memory){ .fd = -1 };
}
