#include "bind.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "address.h"
#include "config.h"
#include "engine.h"
#include "hook.h"
#include "limit.h"
#include "log.h"
#include "pair.h"

#define RELEASE_WAIT_MS 100

static int option(int fd, int level, int name)
{
    int value = 0;
    socklen_t len = sizeof value;
    return libc_getsockopt(fd, level, name, &value, &len) == 0 ? value : 0;
}

/* A fresh TCP socket, neither connected nor listening, and nothing set that would be lost on a pair. */
static bool plain_tcp(int fd, int domain)
{
    struct tcp_info info;
    socklen_t len = sizeof info;
    char device[32] = "";
    socklen_t device_len = sizeof device;
    if (option(fd, SOL_SOCKET, SO_DOMAIN) != domain || option(fd, SOL_SOCKET, SO_TYPE) != SOCK_STREAM ||
        option(fd, SOL_SOCKET, SO_PROTOCOL) != IPPROTO_TCP)
        return false;
    if (libc_getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0 || info.tcpi_state != TCP_CLOSE)
        return false;
    if (libc_getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, &device_len) == 0 && device[0])
        return false;                  /* the route is chosen by socket */
    return !option(fd, SOL_SOCKET, SO_MARK) && !option(fd, SOL_SOCKET, SO_ZEROCOPY);
}

/* An IPv6 socket speaks IPv4 unless it is told not to, and from an address of that kind; else the kernel says what is wrong. */
static bool kinds_agree(int fd, const union shim_address *peer)
{
    union shim_address local;
    socklen_t len = sizeof local;
    if (peer->any.sa_family != AF_INET6)
        return true;
    bool mapped = IN6_IS_ADDR_V4MAPPED(&peer->v6.sin6_addr);
    if ((mapped && option(fd, IPPROTO_IPV6, IPV6_V6ONLY)) || libc_getsockname(fd, &local.any, &len) < 0)
        return false;
    return IN6_IS_ADDR_UNSPECIFIED(&local.v6.sin6_addr) || mapped == IN6_IS_ADDR_V4MAPPED(&local.v6.sin6_addr);
}

static bool one_host(const struct trk_addr *a, int scope)
{
    if (a->family == 4)
        return a->bytes[0] != 0 && a->bytes[0] < 224;          /* not "this network", multicast, broadcast */
    return a->bytes[0] != 0xff && (!shim_address_is_link_local(a) || scope);
}

bool shim_eligible(int fd, const struct sockaddr *addr, socklen_t len, union shim_address *peer)
{
    if (!addr || len < sizeof(sa_family_t) || (addr->sa_family != AF_INET && addr->sa_family != AF_INET6) ||
        len < shim_address_bytes(addr->sa_family))
        return false;
    memset(peer, 0, sizeof *peer);
    memcpy(peer, addr, shim_address_bytes(addr->sa_family));
    struct trk_addr host = shim_address_addr(peer);
    if (shim_address_any(&host)) {                             /* the kernel takes it as this host */
        host.bytes[0] = host.family == 4 ? 127 : 0;
        host.bytes[host.family == 4 ? 3 : 15] = 1;
        *peer = shim_address_make(addr->sa_family, &host, shim_address_port(peer));
    }
    int scope = shim_address_scope(peer);
    if (peer->any.sa_family == AF_INET6) {
        peer->v6.sin6_flowinfo = 0;
        peer->v6.sin6_scope_id = (uint32_t)scope;
    }
    return one_host(&host, scope) && shim_address_port(peer) != 0 && plain_tcp(fd, addr->sa_family) &&
           kinds_agree(fd, peer) && !shim_engine_elsewhere(fd);
}

/* Of the open file: O_NONBLOCK, O_ASYNC and who is told by which signal. */
void shim_copy_flags(int from, int to)
{
    struct f_owner_ex owner;
    if (libc_fcntl(from, F_GETOWN_EX, (long)&owner) == 0 && owner.pid)
        libc_fcntl(to, F_SETOWN_EX, (long)&owner);
    libc_fcntl(to, F_SETSIG, libc_fcntl(from, F_GETSIG, 0));
    libc_fcntl(to, F_SETFL, libc_fcntl(from, F_GETFL, 0));
}

/* Timeouts and the like that the kernel applies to whoever reads or writes the pair. */
static void copy_options(int from, int to)
{
    static const int names[] = { SO_RCVTIMEO, SO_SNDTIMEO, SO_RCVLOWAT };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct timeval value;
        socklen_t len = sizeof value;
        if (libc_getsockopt(from, SOL_SOCKET, names[i], &value, &len) == 0)
            libc_setsockopt(to, SOL_SOCKET, names[i], &value, len);
    }
    shim_copy_flags(from, to);
}

/* Where the program bound the socket. SO_REUSEADDR lets the guard share the port. */
static void read_bound(int fd, struct shim_message *message)
{
    socklen_t len = sizeof message->local;
    if (libc_getsockname(fd, &message->local.any, &len) < 0)
        return;
    struct trk_addr host = shim_address_addr(&message->local);
    message->bound = shim_address_port(&message->local) != 0 || !shim_address_any(&host);
    int on = 1;
    message->lent_reuse = shim_address_port(&message->local) && !option(fd, SOL_SOCKET, SO_REUSEADDR);
    if (message->lent_reuse)
        libc_setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
}

/* Two numbers more than the program has now, for a moment. */
static bool open_pair(int ends[2])
{
    struct shim_lift lift;
    shim_limit_lift(&lift);
    bool ok = shim_pair_open(ends) == 0;
    shim_limit_lay(&lift);
    return ok;
}

static bool fill_socket(struct shim_socket *s, int fd, int app_end, const union shim_address *peer, enum shim_state state)
{
    struct shim_lift lift;
    shim_limit_lift(&lift);
    int copy = libc_fcntl(fd, F_DUPFD_CLOEXEC, 3);
    shim_limit_lay(&lift);
    if (copy < 0)
        return false;
    struct linger linger;
    socklen_t len = sizeof linger;
    if (libc_getsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, &len) == 0 && linger.l_onoff && !linger.l_linger)
        atomic_store(&s->shared->abort_on_close, 1);
    s->kernel = shim_hide(copy);
    s->ino = shim_socket_inode(app_end);
    s->shared->peer = *peer;
    s->shared->name_bytes = shim_address_bytes(peer->any.sa_family);
    atomic_store(&s->shared->state, state);
    return s->kernel.fd >= 0;
}

static bool tell_engine(struct shim_socket *s, int fd, int app_end, int our_end)
{
    struct shim_message message;
    memset(&message, 0, sizeof message);
    message.command = SHIM_OPEN;
    message.socket = s;
    read_bound(fd, &message);
    int fds[3] = { our_end, app_end, fd };
    atomic_fetch_add(&s->references, 1);
    s->engine_holds = true;
    atomic_store(&s->shared->held, 1);
    atomic_store(&s->shared->kernel_held, 1);
    if (shim_engine_tell(&message, fds, 3))
        return true;
    s->engine_holds = false;
    shim_socket_release(s);
    return false;
}

static bool bind_once(int fd, const union shim_address *peer, enum shim_state state, struct shim_binding *out, const char **why)
{
    struct shim_kept kept;
    int ends[2] = { -1, -1 };
    errno = ENOBUFS;
    shim_lock(&kept);                  /* no fork meanwhile: a child with a copy of our end would keep it alive */
    shim_sockets_reap_some();
    bool ok = shim_engine_start(fd, why);
    out->socket = ok ? shim_socket_new() : NULL;
    if (ok) {
        *why = "out of descriptors or memory";
        ok = out->socket && open_pair(ends) && fill_socket(out->socket, fd, ends[0], peer, state);
    }
    if (ok) {
        copy_options(fd, ends[0]);
        ok = tell_engine(out->socket, fd, ends[0], ends[1]);
    }
    int error = errno;
    out->app_end = ends[0];
    if (ends[1] >= 0)
        libc_close(ends[1]);
    if (!ok && out->socket) {
        shim_hidden_close(&out->socket->kernel);
        shim_socket_release(out->socket);
    }
    if (!ok && ends[0] >= 0)
        libc_close(ends[0]);
    shim_unlock(&kept);
    errno = error;
    return ok;
}

/* Out of numbers: sockets that the program has closed may still hide some. */
bool shim_bind(int fd, const union shim_address *peer, enum shim_state state, struct shim_binding *out, const char **why)
{
    struct shim_kept kept;
    if (bind_once(fd, peer, state, out, why))
        return true;
    if (errno != EMFILE)
        return false;
    shim_lock(&kept);
    shim_sockets_reap_all();
    shim_unlock(&kept);
    return bind_once(fd, peer, state, out, why);
}

bool shim_bind_swap(struct shim_binding *b, int fd)
{
    struct shim_kept kept;
    shim_lock(&kept);
    shim_socket_insert(b->socket);
    b->socket->fd = fd;
    bool ok = shim_fds_replace(shim_socket_inode(fd), fd, b->app_end) > 0;
    libc_close(b->app_end);
    shim_unlock(&kept);
    return ok;
}

/* While the engine has a copy of the kernel socket, closing it would neither end its connection, nor free its port,
 * nor leave epoll. */
static void wait_for_kernel_socket(struct shim_socket *s)
{
    struct timespec limit = { .tv_nsec = RELEASE_WAIT_MS * 1000000 };
    shim_futex_wait(&s->shared->kernel_held, 1, &limit);
}

void shim_bind_drop(struct shim_binding *b)
{
    struct shim_kept kept;
    wait_for_kernel_socket(b->socket);
    shim_lock(&kept);
    libc_close(b->app_end);
    shim_hidden_close(&b->socket->kernel);
    shim_socket_release(b->socket);
    shim_unlock(&kept);
}

bool shim_give_back(struct shim_socket *s)
{
    uint32_t idle = SHIM_TCP_IDLE;
    int kernel = shim_hidden_fd(&s->kernel), fd;
    if (shim_state(s) != SHIM_TCP_IDLE || kernel < 0 || !s->engine_holds)
        return false;                  /* in a forked child the parent's descriptors would stay behind */
    struct shim_kept kept;
    shim_lock(&kept);
    bool ours = shim_fds_of(s->ino, s->fd, &fd, 1) == 1 && atomic_compare_exchange_strong(&s->shared->state, &idle, SHIM_GIVEN_BACK);
    if (ours) {
        shim_copy_flags(fd, kernel);   /* changed on the pair, perhaps */
        shim_fds_replace(s->ino, s->fd, kernel);
        shim_socket_remove(s);
    }
    shim_unlock(&kept);
    if (ours)
        wait_for_kernel_socket(s);
    return ours;
}

int shim_take_error(struct shim_socket *s)
{
    char text[SHIM_ADDRESS_TEXT];
    int error = shim_state(s) == SHIM_FAILED ? atomic_exchange(&s->shared->error, 0) : 0;
    if (error && s->shared->why[0])
        shim_complain("%s: %s (TRICKLES=require forbids TCP)", shim_address_text(&s->shared->peer, text, sizeof text), s->shared->why);
    return error;
}
