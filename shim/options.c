/* options.c - getsockopt() and setsockopt(): the hidden kernel socket answers, except where only the engine
 * knows, or where the kernel acts on the pair. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include "engine.h"
#include "hook.h"
#include "tcp_info.h"

/* TCP without us underneath: every answer is the kernel socket's. */
static bool is_tcp(enum shim_state state)
{
    return state >= SHIM_TCP_CONNECTING && state <= SHIM_GIVEN_BACK;
}

static int give(const void *from, size_t bytes, void *value, socklen_t *len)
{
    if (!len || (!value && *len)) {
        errno = EFAULT;
        return -1;
    }
    if ((int)*len < 0) {
        errno = EINVAL;
        return -1;
    }
    if (*len > bytes)
        *len = (socklen_t)bytes;
    if (*len)
        memcpy(value, from, *len);
    return 0;
}

static int give_int(int number, void *value, socklen_t *len) { return give(&number, sizeof number, value, len); }

/* A failed connect's errno from the engine; after that what the pair has: ECONNRESET, once. */
static int give_error(struct shim_socket *s, int fd, void *value, socklen_t *len)
{
    int pending = 0;
    socklen_t pending_len = sizeof pending;
    int error = shim_take_error(s);
    libc_getsockopt(fd, SOL_SOCKET, SO_ERROR, &pending, &pending_len);
    if (!error && shim_state(s) != SHIM_FAILED)
        error = pending;
    return give_int(error, value, len);
}

static int max_segment(const struct shim_shared *shared)
{
    struct trk_client_stats stats;
    shim_stats_read(shared, &stats);
    return stats.slot ? stats.slot : (int)shared->mtu - 40;
}

static int give_tcp(struct shim_socket *s, int name, void *value, socklen_t *len)
{
    static const char congestion[16] = "trickles";
    switch (name) {
    case TCP_CONGESTION:
        return give(congestion, sizeof congestion, value, len);
    case TCP_INFO: {
        struct shim_tcp_info info;
        shim_engine_query(s);
        shim_tcp_info_fill(s->shared, &info);
        return give(&info, sizeof info, value, len);
    }
    case TCP_MAXSEG:
        return give_int(max_segment(s->shared), value, len);
    default:
        return libc_getsockopt(shim_hidden_fd(&s->kernel), IPPROTO_TCP, name, value, len);
    }
}

static int get(struct shim_socket *s, int fd, int level, int name, void *value, socklen_t *len)
{
    if (level == SOL_SOCKET && name == SO_ERROR)
        return give_error(s, fd, value, len);
    if (level == IPPROTO_TCP && !is_tcp(shim_state(s)))
        return give_tcp(s, name, value, len);
    bool mtu = (level == IPPROTO_IP && name == IP_MTU) || (level == IPPROTO_IPV6 && name == IPV6_MTU);
    if (mtu && !is_tcp(shim_state(s)) && s->shared->mtu)
        return give_int((int)s->shared->mtu, value, len);
    return libc_getsockopt(shim_hidden_fd(&s->kernel), level, name, value, len);
}

int shim_getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
    struct shim_socket *s = shim_pass() ? NULL : shim_socket_of(fd);
    if (!s)
        return libc_getsockopt(fd, level, name, value, len);
    bool back = level == SOL_SOCKET && name == SO_ERROR && shim_give_back(s);
    int result = back ? libc_getsockopt(fd, level, name, value, len) : get(s, fd, level, name, value, len);
    int kept = errno;
    shim_socket_release(s);
    errno = kept;
    return result;
}

/* What the kernel applies where the program reads and writes. */
static bool acts_on_pair(struct shim_socket *s, int name)
{
    switch (name) {
    case SO_RCVTIMEO:
    case SO_SNDTIMEO:
    case SO_RCVLOWAT:
    case SO_RCVBUF:
    case SO_PEEK_OFF:
        return true;
    case SO_SNDBUF:                    /* while connecting its smallness keeps the program from writing */
        return shim_state(s) != SHIM_CONNECTING && shim_state(s) != SHIM_TCP_CONNECTING;
    default:
        return false;
    }
}

static int set(struct shim_socket *s, int fd, int level, int name, const void *value, socklen_t len)
{
    if (level == SOL_SOCKET && name == SO_ZEROCOPY) {          /* its completions could never come */
        errno = EOPNOTSUPP;
        return -1;
    }
    int result = libc_setsockopt(shim_hidden_fd(&s->kernel), level, name, value, len);
    if (result < 0 || level != SOL_SOCKET)
        return result;
    if (acts_on_pair(s, name))
        libc_setsockopt(fd, level, name, value, len);
    if (name == SO_LINGER) {
        struct linger linger;
        socklen_t linger_len = sizeof linger;
        libc_getsockopt(shim_hidden_fd(&s->kernel), SOL_SOCKET, SO_LINGER, &linger, &linger_len);
        atomic_store(&s->shared->abort_on_close, linger.l_onoff && !linger.l_linger);
    }
    return result;
}

int shim_setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
    struct shim_socket *s = shim_pass() ? NULL : shim_socket_of(fd);
    if (!s)
        return libc_setsockopt(fd, level, name, value, len);
    int result = set(s, fd, level, name, value, len), kept = errno;
    shim_socket_release(s);
    errno = kept;
    return result;
}

SHIM_EXPORT int getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
    return shim_getsockopt(fd, level, name, value, len);
}

SHIM_EXPORT int setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
    return shim_setsockopt(fd, level, name, value, len);
}
