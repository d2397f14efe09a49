/* engine.c - the program's side of the engine: start it, tell it, wait for it. */
#include "engine.h"

#include <errno.h>
#include <linux/capability.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "config.h"
#include "doubles.h"
#include "fork.h"
#include "libc.h"
#include "log.h"
#include "loop.h"

#define QUERY_WAIT_MS  100
#define STACK_BYTES    (1u << 20)
#define DESCRIPTORS    3
#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

static struct {
    pid_t pid;                         /* whose engine this is; vfork's and clone's children share or copy it */
    struct shim_hidden control;
    uint64_t namespace;                /* its network namespace's cookie */
    bool in_child;
} engine = { .control = { .fd = -1 } };

static bool may_open_packet_sockets(void)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct data[2];
    memset(data, 0, sizeof data);
    if (libc_syscall(SYS_capget, (long)&header, (long)data, 0, 0, 0, 0) < 0)
        return false;
    return data[CAP_NET_RAW / 32].effective >> (CAP_NET_RAW % 32) & 1;
}

bool shim_engine_runs(void)
{
    return engine.pid && engine.pid == getpid() && shim_hidden_fd(&engine.control) >= 0;
}

static bool start_thread(struct shim_loop_start *start)
{
    pthread_attr_t attributes;
    pthread_t thread;
    if (pthread_attr_init(&attributes) != 0)
        return false;
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    /* The caller has all signals blocked, and the thread inherits that: handlers run on the program's own threads. */
    bool ok = pthread_create(&thread, &attributes, shim_loop_main, start) == 0;
    pthread_attr_destroy(&attributes);
    if (ok)
        shim_futex_wait(&start->ready, SHIM_LOOP_STARTING, NULL);
    return ok && atomic_load(&start->ready) == SHIM_LOOP_RUNS;
}

/* 0: before Linux 5.14 nobody can tell. */
static uint64_t namespace_of(int fd)
{
    uint64_t cookie = 0;
    socklen_t len = sizeof cookie;
    return libc_getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &len) == 0 ? cookie : 0;
}

bool shim_engine_elsewhere(int fd)
{
    return shim_engine_runs() && namespace_of(fd) != engine.namespace;
}

bool shim_engine_start(int fd, const char **why)
{
    if (shim_engine_runs())
        return true;
    if (!may_open_packet_sockets()) {
        *why = "no right to open packet sockets (CAP_NET_RAW): run it as root, or through a `trickles` that has the file "
               "capability cap_net_raw+ep";
        errno = EPERM;
        return false;
    }
    int ends[2];
    *why = "cannot start the engine";
    if (!shim_fork_watch() || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return false;
    shim_doubles_find();
    shim_log_open();
    struct shim_loop_start start = { .control = ends[1], .log = shim_log_fd(), .in_child = engine.in_child };
    bool ok = start_thread(&start);
    libc_close(ends[1]);               /* the engine has its own copy by now */
    if (!ok) {
        libc_close(ends[0]);
        return false;
    }
    shim_hidden_close(&engine.control);
    engine.control = shim_hide(ends[0]);
    engine.pid = getpid();
    engine.namespace = namespace_of(fd);
    return engine.control.fd >= 0;
}

bool shim_engine_tell(const struct shim_message *message, const int *fds, int n)
{
    union { struct cmsghdr align; char bytes[CMSG_SPACE(DESCRIPTORS * sizeof(int))]; } control;
    struct iovec iov = { .iov_base = (void *)message, .iov_len = sizeof *message };
    struct msghdr header = { .msg_iov = &iov, .msg_iovlen = 1 };
    if (!shim_engine_runs())
        return false;
    if (n > 0) {
        memset(&control, 0, sizeof control);
        header.msg_control = control.bytes;
        header.msg_controllen = CMSG_SPACE((size_t)n * sizeof(int));
        struct cmsghdr *c = CMSG_FIRSTHDR(&header);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN((size_t)n * sizeof(int));
        memcpy(CMSG_DATA(c), fds, (size_t)n * sizeof(int));
    }
    ssize_t sent;
    do
        sent = libc_sendmsg(engine.control.fd, &header, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent == (ssize_t)sizeof *message;
}

static struct timespec ms_time(unsigned ms)
{
    return (struct timespec){ .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };
}

void shim_engine_query(struct shim_socket *s)
{
    uint32_t before = atomic_load(&s->shared->answered);
    struct shim_message message = { .command = SHIM_QUERY, .socket = s };
    struct timespec limit = ms_time(QUERY_WAIT_MS);
    if (s->engine_holds && shim_engine_tell(&message, NULL, 0))
        shim_futex_wait(&s->shared->answered, before, &limit);
}

/* The word that the engine sets outlives a wait that timed out: it is not on the stack. */
void shim_engine_drain(bool last)
{
    static _Atomic uint32_t done;
    if (!shim_engine_runs())
        return;
    atomic_store(&done, 0);
    struct shim_message message = { .command = SHIM_DRAIN, .last = last, .limit_ms = shim_config.linger_ms, .done = &done };
    struct timespec limit = ms_time(shim_config.linger_ms + QUERY_WAIT_MS);
    if (shim_engine_tell(&message, NULL, 0))
        while (shim_futex_wait(&done, 0, &limit) < 0 && errno == EINTR) { }
}

void shim_engine_forked(void)
{
    engine.pid = 0;
    engine.in_child = true;
    shim_hidden_close(&engine.control);
}
