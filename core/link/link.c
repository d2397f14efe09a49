/* link.c - opening a packet socket so that it never sees a frame it did not ask for, and its upkeep. */
#include "link/link_state.h"
#include <errno.h>
#include <linux/filter.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <net/ethernet.h>
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#ifndef ARPHRD_RAWIP
#define ARPHRD_RAWIP 519
#endif

static bool complain(char *errbuf, size_t errbuf_bytes, const char *what)
{
    int error = errno;
    const char *hint = error == EPERM || error == EACCES ? " (it needs root or CAP_NET_RAW)" : "";
    snprintf(errbuf, errbuf_bytes, "%s: %s%s", what, strerror(error), hint);
    errno = error;
    return false;
}

/* Name, framing and address of the device. */
static bool read_device(struct trk_link *link, char *errbuf, size_t errbuf_bytes)
{
    struct ifreq request = { .ifr_ifindex = link->ifindex };
    if (ioctl(link->fd, SIOCGIFNAME, &request) || ioctl(link->fd, SIOCGIFHWADDR, &request)) {
        errno = ENODEV;
        return complain(errbuf, errbuf_bytes, "network interface");
    }
    switch (request.ifr_hwaddr.sa_family) {
    case ARPHRD_LOOPBACK: link->loopback = true; /* fall through */
    case ARPHRD_ETHER:    link->framing = TRK_FRAMING_ETHERNET; break;
    case ARPHRD_NONE:
    case ARPHRD_RAWIP:    link->framing = TRK_FRAMING_RAW_IP; break;
    default:
        snprintf(errbuf, errbuf_bytes, "interface %s is neither Ethernet-like nor plain IP (device type %u)", request.ifr_name,
                 request.ifr_hwaddr.sa_family);
        errno = EOPNOTSUPP;
        return false;
    }
    memcpy(link->mac, request.ifr_hwaddr.sa_data, 6);
    return true;
}

static bool attach_filter(struct trk_link *link, const struct trk_link_port *ports, size_t n, char *errbuf, size_t errbuf_bytes)
{
    struct trk_filter filter;
    if (!trk_filter_compile(ports, n, link->want_unmarked, link->framing, &filter, errbuf, errbuf_bytes))
        return false;
    struct sock_fprog program = { .len = (unsigned short)filter.n, .filter = filter.insns };
    bool ok = setsockopt(link->fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0;
    if (!ok)
        complain(errbuf, errbuf_bytes, "packet filter");
    trk_filter_free(&filter);
    return ok;
}

static bool set_options(struct trk_link *link, uint32_t receive_bytes, char *errbuf, size_t errbuf_bytes)
{
    int on = 1, receive = receive_bytes ? (int)receive_bytes : 4 << 20, send = LINK_SEND_BUFFER;
    if (setsockopt(link->fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof on))
        return complain(errbuf, errbuf_bytes, "PACKET_VNET_HDR");
    /* lo would show each frame twice. */
    if (setsockopt(link->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on))
        return complain(errbuf, errbuf_bytes, "PACKET_IGNORE_OUTGOING");
    if (setsockopt(link->fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof on))
        return complain(errbuf, errbuf_bytes, "PACKET_AUXDATA");
    if (setsockopt(link->fd, SOL_SOCKET, SO_RCVBUFFORCE, &receive, sizeof receive) &&
        setsockopt(link->fd, SOL_SOCKET, SO_RCVBUF, &receive, sizeof receive))
        return complain(errbuf, errbuf_bytes, "SO_RCVBUF");
    /* Small on purpose: a full buffer blocks the sender, and nothing is lost; a large one loses. */
    if (setsockopt(link->fd, SOL_SOCKET, SO_SNDBUF, &send, sizeof send))
        return complain(errbuf, errbuf_bytes, "SO_SNDBUF");
    return true;
}

/* Protocol 0 until here: nothing is received before the filter and the options are in place. */
static bool bind_device(struct trk_link *link, char *errbuf, size_t errbuf_bytes)
{
    struct sockaddr_ll address = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = link->ifindex };
    if (bind(link->fd, (struct sockaddr *)&address, sizeof address))
        return complain(errbuf, errbuf_bytes, "binding the packet socket");
    return true;
}

static bool make_buffers(struct trk_link *link, char *errbuf, size_t errbuf_bytes)
{
    struct link_rx *rx = &link->rx;
    rx->buffers = malloc((size_t)LINK_BATCH * LINK_FRAME_BYTES);
    rx->scratch = malloc(LINK_SCRATCH_BYTES);
    if (!rx->buffers || !rx->scratch) {
        snprintf(errbuf, errbuf_bytes, "out of memory");
        errno = ENOMEM;
        return false;
    }
    for (size_t i = 0; i < LINK_BATCH; i++) {
        struct link_rx_frame *frame = &rx->frames[i];
        frame->iov[0] = (struct iovec){ &frame->vnet, sizeof frame->vnet };
        /* 2 bytes in: the IP header after an Ethernet header is then aligned. */
        frame->iov[1] = (struct iovec){ rx->buffers + i * LINK_FRAME_BYTES + 2, LINK_FRAME_BYTES - 2 };
        /* What an ordinary frame needs is resident from the start, so that a process's memory does not grow with use. */
        memset(rx->buffers + i * LINK_FRAME_BYTES, 0, LINK_RESIDENT_BYTES);
        rx->msgs[i].msg_hdr.msg_iov = frame->iov;
        rx->msgs[i].msg_hdr.msg_iovlen = 2;
        rx->msgs[i].msg_hdr.msg_name = &frame->from;
        rx->msgs[i].msg_hdr.msg_control = frame->control.bytes;
    }
    link->tx.superframes = true;
    return true;
}

struct trk_link *trk_link_open(const struct trk_link_config *config, char *errbuf, size_t errbuf_bytes)
{
    struct trk_link *link = calloc(1, sizeof *link);
    if (!link) {
        snprintf(errbuf, errbuf_bytes, "out of memory");
        return NULL;
    }
    link->ifindex = config->ifindex;
    link->want_unmarked = config->want_unmarked;
    link->want_whole = config->want_whole && !config->capture;
    link->capture = config->capture;
    link->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (link->fd < 0)
        complain(errbuf, errbuf_bytes, "packet socket");
    else if (read_device(link, errbuf, errbuf_bytes) && set_options(link, config->receive_bytes, errbuf, errbuf_bytes) &&
             attach_filter(link, config->ports, config->n_ports, errbuf, errbuf_bytes) &&
             make_buffers(link, errbuf, errbuf_bytes) && bind_device(link, errbuf, errbuf_bytes))
        return link;
    int error = errno;
    trk_link_close(link);
    errno = error;
    return NULL;
}

void trk_link_close(struct trk_link *link)
{
    if (!link)
        return;
    if (link->fd >= 0)
        close(link->fd);
    free(link->rx.buffers);
    free(link->rx.scratch);
    free(link);
}

int trk_link_fd(const struct trk_link *link)
{
    return link->fd;
}

bool trk_link_set_ports(struct trk_link *link, const struct trk_link_port *ports, size_t n)
{
    char ignored[128];
    return attach_filter(link, ports, n, ignored, sizeof ignored);
}

uint64_t trk_link_drops(struct trk_link *link)
{
    struct tpacket_stats stats;
    socklen_t bytes = sizeof stats;
    if (getsockopt(link->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &bytes) == 0)
        link->drops += stats.tp_drops;     /* reading resets the kernel's count */
    return link->drops;
}
