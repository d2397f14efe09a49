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
#include "server.h"

static bool fails(char *error, size_t error_bytes, const char *name, const char *what, int code)
{
    snprintf(error, error_bytes, "filter memory %s: %s", name, what ? what : strerror(code));
    errno = code;
    return false;
}

/* A new filter forgets all: another domain, drawn at random unless the operator has named one for all hosts. */
static bool create(struct msk_server *s, uint32_t domain)
{
    uint8_t key[TRK_FILTER_KEY_BYTES];
    while (!domain)
        domain = randombytes_random();
    randombytes_buf(key, sizeof key);
    s->filter = trk_filter_create(s->filter_memory, s->filter_bytes, domain, key);
    return s->filter != NULL;
}

static bool map(struct msk_server *s, int fd, int flags)
{
    s->filter_memory = mmap(NULL, s->filter_bytes, PROT_READ | PROT_WRITE, flags | MAP_POPULATE, fd, 0);
    if (s->filter_memory == MAP_FAILED)
        s->filter_memory = NULL;
    return s->filter_memory != NULL;
}

/* Ours alone, of the size asked for; a new one is given that size. Zero, or what is wrong. */
static const char *fit(struct msk_server *s, int fd, int *code)
{
    struct stat st;
    *code = EACCES;
    if (fstat(fd, &st) != 0)
        return "cannot be looked at";
    if (st.st_uid != geteuid() || (st.st_mode & 077))
        return "belongs to another user, or others may open it";
    if (st.st_size == 0 && ftruncate(fd, (off_t)s->filter_bytes) == 0)
        return NULL;
    *code = EINVAL;
    return st.st_size == (off_t)s->filter_bytes ? NULL : "is there with another size: stop its users and remove it, or ask for the same size";
}

/* The lock orders who creates; the kernel lets go of it when its holder dies. */
static bool open_named(struct msk_server *s, const struct msk_options *o, char *error, size_t error_bytes)
{
    char path[128];
    int code = EINVAL;
    if (strchr(o->filter_name, '/') || snprintf(path, sizeof path, "/%s", o->filter_name) >= (int)sizeof path)
        return fails(error, error_bytes, o->filter_name, "a name has no slash and at most 126 bytes", EINVAL);
    int fd = shm_open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return fails(error, error_bytes, o->filter_name, NULL, errno);
    const char *wrong = flock(fd, LOCK_EX) != 0 ? "cannot be locked" : fit(s, fd, &code);
    if (!wrong && !map(s, fd, MAP_SHARED))
        wrong = "cannot be mapped";
    if (!wrong) {
        s->filter = trk_filter_attach(s->filter_memory, s->filter_bytes);
        if (!s->filter && !create(s, o->domain))
            wrong = "is too small";
        else if (o->domain && trk_filter_domain(s->filter) != o->domain)
            wrong = "is there with another domain: remove it, or ask for the same domain";
    }
    close(fd);                         /* and unlocks */
    return wrong ? fails(error, error_bytes, o->filter_name, wrong, code) : true;
}

bool msk_filter_open(struct msk_server *s, const struct msk_options *o, char *error, size_t error_bytes)
{
    if (!o->filter_bytes)
        return true;
    s->filter_bytes = (o->filter_bytes + 4095) / 4096 * 4096;
    if (s->filter_bytes < TRK_FILTER_BYTES_MIN)
        return fails(error, error_bytes, "", "at least 64 KiB, or 0 for none", EINVAL);
    if (o->filter_name)
        return open_named(s, o, error, error_bytes);
    if (!map(s, -1, MAP_PRIVATE | MAP_ANONYMOUS) || !create(s, o->domain))
        return fails(error, error_bytes, "", NULL, ENOMEM);
    return true;
}

void msk_filter_close(struct msk_server *s)
{
    if (s->filter_memory)
        munmap(s->filter_memory, s->filter_bytes);
    s->filter_memory = NULL;
    s->filter = NULL;
}
