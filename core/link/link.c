/* link.c - a link: a packet socket (socket.c) and the memory that packets pass through. */
#include "link/link_state.h"
#include "link/part.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

struct trk_link *trk_link_adopt(const struct trk_link_config *config, int fd, char *errbuf, size_t errbuf_bytes)
{
    struct link_device device;
    if (!trk_link_device(fd, config->ifindex, &device, errbuf, errbuf_bytes))
        return NULL;
    struct trk_link *link = calloc(1, sizeof *link);
    if (!link) {
        snprintf(errbuf, errbuf_bytes, "out of memory");
        return NULL;
    }
    link->fd = -1;                     /* the caller's until nothing can fail any more */
    link->ifindex = config->ifindex;
    link->framing = device.framing;
    link->loopback = device.loopback;
    memcpy(link->mac, device.mac, sizeof link->mac);
    link->want_unmarked = config->want_unmarked;
    link->want_whole = config->want_whole && !config->capture;
    link->capture = config->capture;
    if (!make_buffers(link, errbuf, errbuf_bytes)) {
        trk_link_close(link);
        errno = ENOMEM;
        return NULL;
    }
    link->fd = fd;
    return link;
}

struct trk_link *trk_link_open(const struct trk_link_config *config, char *errbuf, size_t errbuf_bytes)
{
    int fd = trk_link_socket(config, NULL, errbuf, errbuf_bytes);
    if (fd < 0)
        return NULL;
    struct trk_link *link = trk_link_adopt(config, fd, errbuf, errbuf_bytes);
    if (!link) {
        int error = errno;
        close(fd);
        errno = error;
    }
    return link;
}

void trk_link_close(struct trk_link *link)
{
    if (!link)
        return;
    if (link->fd >= 0)
        trk_link_part(link->fd);
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
    const struct trk_link_config config = { .ifindex = link->ifindex, .ports = ports, .n_ports = n, .want_unmarked = link->want_unmarked };
    char ignored[128];
    return trk_link_refilter(link->fd, &config, ignored, sizeof ignored);
}

uint64_t trk_link_drops(struct trk_link *link)
{
    struct tpacket_stats stats;
    socklen_t bytes = sizeof stats;
    if (getsockopt(link->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &bytes) == 0)
        link->drops += stats.tp_drops;     /* reading resets the kernel's count */
    return link->drops;
}
