/* port.c - a packet socket that takes and gives every frame of a device, as it would be on a wire.
 *
 * Superframes are cut and unfinished checksums completed at once, so that what happens on the way happens to
 * packets, and a flipped bit is found by the receiver. */
#include "path.h"
#include "link/frame.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BATCH          64
#define BUFFER_BYTES   66000
#define ETHERNET_BYTES 14
#define SOCKET_BUFFER  (32 << 20)

struct port {
    int fd;
    uint64_t missed;
    struct mmsghdr in[BATCH], out[BATCH];
    struct iovec in_iov[BATCH][2], out_iov[BATCH][2];
    struct virtio_net_hdr vnet[BATCH], plain;
    struct frame *sending[BATCH];
    uint8_t cut[BUFFER_BYTES], *buffers;
};

static bool complain(const char *device, const char *what, char *error, size_t error_bytes)
{
    const char *hint = errno == EPERM ? " (it needs root or CAP_NET_RAW)" : "";
    snprintf(error, error_bytes, "%s: %s: %s%s", device, what, strerror(errno), hint);
    return false;
}

static bool set_up(struct port *port, const char *device, char *error, size_t error_bytes)
{
    int on = 1, bytes = SOCKET_BUFFER, ifindex = (int)if_nametoindex(device);
    struct sockaddr_ll address = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = ifindex };
    struct packet_mreq promiscuous = { .mr_ifindex = ifindex, .mr_type = PACKET_MR_PROMISC };
    if (ifindex == 0)
        return complain(device, "network interface", error, error_bytes);
    port->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (port->fd < 0)
        return complain(device, "packet socket", error, error_bytes);
    if (setsockopt(port->fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof on) ||
        setsockopt(port->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on) ||
        setsockopt(port->fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &promiscuous, sizeof promiscuous))
        return complain(device, "packet socket option", error, error_bytes);
    if (setsockopt(port->fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes))
        (void)setsockopt(port->fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    if (bind(port->fd, (struct sockaddr *)&address, sizeof address))
        return complain(device, "binding the packet socket", error, error_bytes);
    return true;
}

struct port *port_open(const char *device, char *error, size_t error_bytes)
{
    struct port *port = calloc(1, sizeof *port);
    uint8_t *buffers = malloc((size_t)BATCH * BUFFER_BYTES);
    if (!port || !buffers) {
        snprintf(error, error_bytes, "out of memory");
        free(port);
        free(buffers);
        return NULL;
    }
    port->fd = -1;
    port->buffers = buffers;
    for (size_t i = 0; i < BATCH; i++) {
        port->in_iov[i][0] = (struct iovec){ &port->vnet[i], sizeof port->vnet[i] };
        port->in_iov[i][1] = (struct iovec){ buffers + i * BUFFER_BYTES, BUFFER_BYTES };
        port->in[i].msg_hdr.msg_iov = port->in_iov[i];
        port->out[i].msg_hdr.msg_iov = port->out_iov[i];
        port->in[i].msg_hdr.msg_iovlen = port->out[i].msg_hdr.msg_iovlen = 2;
    }
    if (set_up(port, device, error, error_bytes))
        return port;
    port_close(port);
    return NULL;
}

int port_fd(const struct port *port) { return port->fd; }

void port_close(struct port *port)
{
    if (port->fd >= 0)
        close(port->fd);
    free(port->buffers);
    free(port);
}

/* Complete the checksum that the sender left to its device. */
static void finish_checksum(uint8_t *frame, uint32_t bytes, const struct virtio_net_hdr *vnet)
{
    uint32_t start = vnet->csum_start, field = start + vnet->csum_offset;
    if (field + 2 > bytes)
        return;
    uint16_t sum = (uint16_t)~trk_frame_fold(trk_frame_sum(frame + start, bytes - start, 0));
    if (sum == 0 && vnet->csum_offset == 6)
        sum = 0xffff;                  /* UDP: 0 would mean "none" */
    frame[field] = (uint8_t)(sum >> 8);
    frame[field + 1] = (uint8_t)sum;
}

static void take(struct port *port, int i, struct direction *d, uint64_t now_ns)
{
    const struct virtio_net_hdr *vnet = &port->vnet[i];
    uint8_t *frame = port->in_iov[i][1].iov_base;
    if ((port->in[i].msg_hdr.msg_flags & MSG_TRUNC) || port->in[i].msg_len < sizeof *vnet + ETHERNET_BYTES) {
        d->counters.errors++;
        return;
    }
    uint32_t bytes = port->in[i].msg_len - (uint32_t)sizeof *vnet;
    struct trk_cut cut;
    if (vnet->gso_type == VIRTIO_NET_HDR_GSO_NONE ||
        !trk_cut_begin(&cut, frame + ETHERNET_BYTES, bytes - ETHERNET_BYTES, vnet->gso_size)) {
        if (vnet->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)
            finish_checksum(frame, bytes, vnet);
        direction_take(d, frame, bytes, now_ns);
        return;
    }
    memcpy(port->cut, frame, ETHERNET_BYTES);
    for (uint32_t slice; (slice = trk_cut_size(&cut)) > 0; d->counters.cut++) {
        trk_cut_copy(&cut, port->cut + ETHERNET_BYTES);
        trk_frame_finish(port->cut + ETHERNET_BYTES, &cut.shape, slice);
        direction_take(d, port->cut, ETHERNET_BYTES + slice, now_ns);
    }
}

int port_receive(struct port *port, struct direction *d, uint64_t now_ns)
{
    int n = recvmmsg(port->fd, port->in, BATCH, MSG_DONTWAIT, NULL);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : errno == EINVAL ? 1 : -1;
    for (int i = 0; i < n; i++)
        take(port, i, d, now_ns);
    return n;
}

static void send_all(struct port *port, struct direction *d, int n)
{
    for (int done = 0; done < n; ) {
        int sent = sendmmsg(port->fd, port->out + done, (unsigned)(n - done), 0);
        for (int i = 0; i < sent; i++) {
            d->counters.out++;
            d->counters.bytes_out += port->sending[done++]->bytes;
        }
        if (sent <= 0 && errno != EINTR) {
            d->counters.errors++;
            done++;
        }
    }
    for (int i = 0; i < n; i++)
        free(port->sending[i]);
}

void port_send(struct port *port, struct direction *d, uint64_t now_ns)
{
    int n;
    do {
        for (n = 0; n < BATCH && (port->sending[n] = direction_pop(d, now_ns)); n++) {
            port->out_iov[n][0] = (struct iovec){ &port->plain, sizeof port->plain };
            port->out_iov[n][1] = (struct iovec){ port->sending[n]->data, port->sending[n]->bytes };
        }
        send_all(port, d, n);
    } while (n == BATCH);
}

uint64_t port_missed(struct port *port)
{
    struct tpacket_stats stats;
    socklen_t bytes = sizeof stats;
    if (getsockopt(port->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &bytes) == 0)
        port->missed += stats.tp_drops;
    return port->missed;
}
