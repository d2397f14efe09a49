#include "sockets.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include "libc.h"
#include "raw.h"

#define BUCKETS 16384
#define REAPED_MAX 8

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER, brief = PTHREAD_MUTEX_INITIALIZER;
static struct shim_socket *buckets[BUCKETS];
static struct shim_socket *oldest, *newest;         /* by when they were last looked at */
static _Atomic int count;

static void lock(pthread_mutex_t *which, struct shim_kept *kept)
{
    sigset_t all;
    sigfillset(&all);
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &kept->cancellation);
    pthread_sigmask(SIG_SETMASK, &all, &kept->signals);
    pthread_mutex_lock(which);
}

static void unlock(pthread_mutex_t *which, const struct shim_kept *kept)
{
    pthread_mutex_unlock(which);
    pthread_sigmask(SIG_SETMASK, &kept->signals, NULL);
    pthread_setcancelstate(kept->cancellation, NULL);
}

void shim_lock(struct shim_kept *kept) { lock(&mutex, kept); }
void shim_unlock(const struct shim_kept *kept) { unlock(&mutex, kept); }
void shim_lock_briefly(struct shim_kept *kept) { lock(&brief, kept); }
void shim_unlock_briefly(const struct shim_kept *kept) { unlock(&brief, kept); }

struct shim_socket *shim_socket_new(void)
{
    struct shim_socket *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->shared = mmap(NULL, sizeof *s->shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (s->shared == MAP_FAILED) {
        free(s);
        return NULL;
    }
    s->kernel.fd = -1;
    atomic_store(&s->references, 1);
    return s;
}

void shim_socket_release(struct shim_socket *s)
{
    if (atomic_fetch_sub(&s->references, 1) > 1)
        return;
    munmap(s->shared, sizeof *s->shared);
    free(s);
}

void shim_socket_release_by_engine(struct shim_socket *s)
{
    struct shim_kept kept;
    shim_lock_briefly(&kept);          /* no fork in between: its child would give the reference up again */
    s->engine_holds = false;
    shim_socket_release(s);
    shim_unlock_briefly(&kept);
}

static void line_up(struct shim_socket *s)
{
    s->older = newest;
    s->newer = NULL;
    *(newest ? &newest->newer : &oldest) = s;
    newest = s;
}

static void step_out(struct shim_socket *s)
{
    *(s->older ? &s->older->newer : &oldest) = s->newer;
    *(s->newer ? &s->newer->older : &newest) = s->older;
}

static struct shim_socket **bucket_of(ino_t ino) { return &buckets[ino % BUCKETS]; }

void shim_socket_insert(struct shim_socket *s)
{
    s->next = *bucket_of(s->ino);
    *bucket_of(s->ino) = s;
    line_up(s);
    atomic_fetch_add(&count, 1);
}

void shim_socket_remove(struct shim_socket *s)
{
    for (struct shim_socket **at = bucket_of(s->ino); *at; at = &(*at)->next)
        if (*at == s) {
            *at = s->next;
            step_out(s);
            atomic_fetch_sub(&count, 1);
            shim_hidden_close(&s->kernel);
            shim_socket_release(s);
            return;
        }
}

bool shim_sockets_any(void)
{
    return atomic_load_explicit(&count, memory_order_relaxed) > 0;
}

struct shim_socket *shim_socket_of(int fd)
{
    if (!shim_sockets_any())
        return NULL;
    ino_t ino = shim_socket_inode(fd);
    if (!ino)
        return NULL;
    int error = errno;
    struct shim_kept kept;
    shim_lock(&kept);
    struct shim_socket *s = *bucket_of(ino);
    while (s && s->ino != ino)
        s = s->next;
    if (s)
        atomic_fetch_add(&s->references, 1);
    shim_unlock(&kept);
    errno = error;
    return s;
}

#define STATS_WORDS (sizeof(struct trk_client_stats) / sizeof(uint32_t))

void shim_stats_write(struct shim_shared *shared, const struct trk_client_stats *stats)
{
    uint32_t words[STATS_WORDS];
    memcpy(words, stats, sizeof words);
    for (size_t i = 0; i < STATS_WORDS; i++)
        atomic_store_explicit(&shared->stats[i], words[i], memory_order_relaxed);
}

void shim_stats_read(const struct shim_shared *shared, struct trk_client_stats *stats)
{
    uint32_t words[STATS_WORDS];
    for (size_t i = 0; i < STATS_WORDS; i++)
        words[i] = atomic_load_explicit(&shared->stats[i], memory_order_relaxed);
    memcpy(stats, words, sizeof words);
}

void shim_socket_reap(struct shim_socket *s)
{
    int fd;
    if (atomic_load(&s->shared->finished) && shim_fds_of(s->ino, s->fd, &fd, 1) == 0)
        shim_socket_remove(s);
}

static void reap_oldest(int n)
{
    for (struct shim_socket *s; n > 0 && (s = oldest); n--) {
        step_out(s);
        line_up(s);
        shim_socket_reap(s);
    }
}

void shim_sockets_reap_some(void) { reap_oldest(REAPED_MAX); }
void shim_sockets_reap_all(void) { reap_oldest(atomic_load(&count)); }

void shim_sockets_forked(void)
{
    for (struct shim_socket *s = oldest; s; s = s->newer)
        if (s->engine_holds) {
            s->engine_holds = false;
            atomic_fetch_sub(&s->references, 1);
        }
}

int shim_futex_wait(_Atomic uint32_t *word, uint32_t value, const struct timespec *timeout)
{
    while (atomic_load(word) == value)
        if (libc_syscall(SYS_futex, (long)word, FUTEX_WAIT, (long)value, (long)timeout, 0, 0) < 0 && errno != EAGAIN)
            return -1;
    return 0;
}

void shim_futex_wake(_Atomic uint32_t *word)
{
    libc_syscall(SYS_futex, (long)word, FUTEX_WAKE, INT32_MAX, 0, 0, 0);
}
