/* socket.c - opening a packet socket so that it never sees a frame it did not ask for, alone or in a group. */
#include "link/link_state.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#ifndef ARPHRD_RAWIP
#define ARPHRD_RAWIP 519
#endif
#ifndef PACKET_FANOUT_FLAG_IGNORE_OUTGOING
#define PACKET_FANOUT_FLAG_IGNORE_OUTGOING 0x4000
#endif
/* In turn, over full buffers; a group has hooks of its own, so it must be told to ignore what we send. */
#define FANOUT_FLAGS (PACKET_FANOUT_LB | PACKET_FANOUT_FLAG_ROLLOVER | PACKET_FANOUT_FLAG_IGNORE_OUTGOING)

static bool complain(char *errbuf, size_t errbuf_bytes, const char *what)
{
    int error = errno;
    const char *hint = error == EPERM || error == EACCES ? " (it needs root or CAP_NET_RAW)" : "";
    snprintf(errbuf, errbuf_bytes, "%s: %s%s", what, strerror(error), hint);
    errno = error;
    return false;
}

bool trk_link_device(int fd, int ifindex, struct link_device *out, char *errbuf, size_t errbuf_bytes)
{
    struct ifreq request = { .ifr_ifindex = ifindex };
    if (ioctl(fd, SIOCGIFNAME, &request) || ioctl(fd, SIOCGIFHWADDR, &request)) {
        errno = ENODEV;
        return complain(errbuf, errbuf_bytes, "network interface");
    }
    *out = (struct link_device){ .loopback = request.ifr_hwaddr.sa_family == ARPHRD_LOOPBACK };
    switch (request.ifr_hwaddr.sa_family) {
    case ARPHRD_LOOPBACK:
    case ARPHRD_ETHER: out->framing = TRK_FRAMING_ETHERNET; break;
    case ARPHRD_NONE:
    case ARPHRD_RAWIP: out->framing = TRK_FRAMING_RAW_IP; break;
    default:
        snprintf(errbuf, errbuf_bytes, "interface %s is neither Ethernet-like nor plain IP (device type %u)", request.ifr_name,
                 request.ifr_hwaddr.sa_family);
        errno = EOPNOTSUPP;
        return false;
    }
    memcpy(out->mac, request.ifr_hwaddr.sa_data, 6);
    return true;
}

static bool attach(int fd, struct sock_fprog program, char *errbuf, size_t errbuf_bytes)
{
    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0 || complain(errbuf, errbuf_bytes, "packet filter");
}

bool trk_link_refilter(int fd, const struct trk_link_config *config, char *errbuf, size_t errbuf_bytes)
{
    struct link_device device;
    struct trk_filter filter;
    if (!trk_link_device(fd, config->ifindex, &device, errbuf, errbuf_bytes) ||
        !trk_filter_compile(config->ports, config->n_ports, config->want_unmarked, device.framing, &filter, errbuf, errbuf_bytes))
        return false;
    bool ok = attach(fd, (struct sock_fprog){ .len = (unsigned short)filter.n, .filter = filter.insns }, errbuf, errbuf_bytes);
    trk_filter_free(&filter);
    return ok;
}

static bool set_options(int fd, uint32_t receive_bytes, char *errbuf, size_t errbuf_bytes)
{
    int on = 1, receive = receive_bytes ? (int)receive_bytes : 4 << 20, send = LINK_SEND_BUFFER;
    if (setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof on))
        return complain(errbuf, errbuf_bytes, "PACKET_VNET_HDR");
    /* lo would show each frame twice. */
    if (setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on))
        return complain(errbuf, errbuf_bytes, "PACKET_IGNORE_OUTGOING");
    if (setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof on))
        return complain(errbuf, errbuf_bytes, "PACKET_AUXDATA");
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &receive, sizeof receive) &&
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive, sizeof receive))
        return complain(errbuf, errbuf_bytes, "SO_RCVBUF");
    /* Small on purpose: a full buffer blocks the sender, and nothing is lost; a large one loses. */
    if (setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &send, sizeof send))
        return complain(errbuf, errbuf_bytes, "SO_SNDBUF");
    return true;
}

/* Protocol 0 until here: nothing is received before the filter and the options are in place. */
static bool bind_device(int fd, int ifindex, char *errbuf, size_t errbuf_bytes)
{
    struct sockaddr_ll address = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = ifindex };
    return bind(fd, (struct sockaddr *)&address, sizeof address) == 0 || complain(errbuf, errbuf_bytes, "binding the packet socket");
}

int trk_link_group(int fd)
{
    uint32_t value = 0;
    socklen_t bytes = sizeof value;
    return getsockopt(fd, SOL_PACKET, PACKET_FANOUT, &value, &bytes) == 0 && value != 0 ? (int)(value & 0xffff) : -1;
}

/* Only a bound socket can join. It is deaf until it has, as each member by itself would hear every frame. */
static bool join(int fd, const struct trk_link_config *config, int *group, char *errbuf, size_t errbuf_bytes)
{
    static struct sock_filter deaf[] = { BPF_STMT(BPF_RET | BPF_K, 0) };
    uint32_t new = *group < 0, flags = FANOUT_FLAGS | (new ? PACKET_FANOUT_FLAG_UNIQUEID : 0), value = (new ? 0 : (uint32_t)*group) | flags << 16;
    if (!attach(fd, (struct sock_fprog){ 1, deaf }, errbuf, errbuf_bytes) || !bind_device(fd, config->ifindex, errbuf, errbuf_bytes))
        return false;
    if (setsockopt(fd, SOL_PACKET, PACKET_FANOUT, &value, sizeof value))
        return complain(errbuf, errbuf_bytes, "PACKET_FANOUT");
    if (!trk_link_refilter(fd, config, errbuf, errbuf_bytes))
        return false;
    *group = trk_link_group(fd);
    return true;
}

int trk_link_socket(const struct trk_link_config *config, int *group, char *errbuf, size_t errbuf_bytes)
{
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        complain(errbuf, errbuf_bytes, "packet socket");
        return -1;
    }
    if (set_options(fd, config->receive_bytes, errbuf, errbuf_bytes) &&
        (group ? join(fd, config, group, errbuf, errbuf_bytes)
               : trk_link_refilter(fd, config, errbuf, errbuf_bytes) && bind_device(fd, config->ifindex, errbuf, errbuf_bytes)))
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}
