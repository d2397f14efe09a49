/* send.c - packets from the caller, frames to the kernel. */
#include "link/link_state.h"
#include "link/capture.h"
#include <errno.h>
#include <net/ethernet.h>
#include <arpa/inet.h>
#include <string.h>

static void set_ethernet(const struct trk_link *link, uint8_t *ethernet, const struct trk_link_out *p, uint8_t family)
{
    memcpy(ethernet, p->to.mac, 6);
    memcpy(ethernet + 6, link->mac, 6);
    ethernet[12] = family == 6 ? 0x86 : 0x08;
    ethernet[13] = family == 6 ? 0xdd : 0x00;
}

static void set_offload(struct virtio_net_hdr *vnet, const struct trk_frame_shape *shape, uint32_t link_bytes, uint32_t gso_size)
{
    *vnet = (struct virtio_net_hdr){
        .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .gso_type = VIRTIO_NET_HDR_GSO_NONE,
        .hdr_len = (uint16_t)(link_bytes + shape->header_bytes),
        .csum_start = (uint16_t)(link_bytes + shape->ip_bytes), .csum_offset = 16,
    };
    if (gso_size) {
        vnet->gso_type = shape->family == 6 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4;
        vnet->gso_size = (uint16_t)gso_size;
    }
}

static void add_iov(struct link_tx *tx, const void *base, size_t bytes)
{
    if (bytes)
        tx->iovs[tx->n_iovs++] = (struct iovec){ (void *)(uintptr_t)base, bytes };
}

/* A device without link header is told the protocol by address, as there is no other place for it. */
static void set_address(struct trk_link *link, struct msghdr *msg, uint8_t family)
{
    if (link->framing == TRK_FRAMING_ETHERNET)
        return;
    struct sockaddr_ll *to = &link->tx.to[link->tx.n];
    *to = (struct sockaddr_ll){ .sll_family = AF_PACKET, .sll_ifindex = link->ifindex,
                                .sll_protocol = htons(family == 6 ? ETH_P_IPV6 : ETH_P_IP) };
    msg->msg_name = to;
    msg->msg_namelen = sizeof *to;
}

/* Queue p[0..n-1], one packet or one superframe, as one frame. False if it is no TCP packet, or goes nowhere. */
static bool add_frame(struct trk_link *link, const struct trk_link_out *p, int n)
{
    struct link_tx *tx = &link->tx;
    struct link_tx_head *head = &tx->heads[tx->n];
    struct msghdr *msg = &tx->msgs[tx->n].msg_hdr;
    struct trk_frame_shape shape;
    bool ethernet = link->framing == TRK_FRAMING_ETHERNET;
    uint32_t link_bytes = ethernet ? LINK_ETHERNET_BYTES : 0, skip = 0;
    if (!trk_frame_shape(p->head, p->head_bytes, &shape)) {
        errno = EINVAL;
        return false;
    }
    if (ethernet && !p->to.valid && !link->loopback) {
        errno = EDESTADDRREQ;
        return false;
    }
    *msg = (struct msghdr){ .msg_iov = &tx->iovs[tx->n_iovs] };
    if (ethernet)
        set_ethernet(link, head->ethernet, p, shape.family);
    set_offload(&head->vnet, &shape, link_bytes, n > 1 ? trk_out_payload(p, &shape) : 0);
    add_iov(tx, &head->vnet, sizeof head->vnet + link_bytes);
    if (n > 1) {
        skip = trk_coalesce_header(p, n, head->ip);
        add_iov(tx, head->ip, skip);
    }
    for (int i = 0; i < n; i++) {
        add_iov(tx, p[i].head + skip, p[i].head_bytes - skip);
        add_iov(tx, p[i].data, p[i].data_bytes);
    }
    msg->msg_iovlen = (size_t)(&tx->iovs[tx->n_iovs] - msg->msg_iov);
    set_address(link, msg, shape.family);
    tx->packets[tx->n++] = n;
    return true;
}

/* As many packets as one sendmmsg takes. Returns the packets queued; -1 if the first is impossible. */
static int add_batch(struct trk_link *link, const struct trk_link_out *p, int n)
{
    struct link_tx *tx = &link->tx;
    int queued = 0;
    tx->n = tx->n_iovs = 0;
    while (queued < n && tx->n < LINK_SEND_BATCH && tx->n_iovs + 2 + 2 * TRK_SLICES_MAX <= LINK_SEND_IOVS) {
        int run = tx->superframes ? trk_coalesce(&p[queued], n - queued) : 1;
        if (!add_frame(link, &p[queued], run))
            return queued ? queued : -1;
        queued += run;
    }
    return queued;
}

/* What may be done about a frame that the kernel did not take. */
enum refusal { LOST, AGAIN, PLAIN, FATAL };
static enum refusal judge(const struct link_tx *tx, int frame, int error)
{
    if (error == EINTR)
        return AGAIN;
    if (error == ENOBUFS)              /* the device's queue dropped it: lost on the way, like any other loss */
        return LOST;
    bool refused = error == EINVAL || error == EMSGSIZE || error == EOPNOTSUPP || error == EIO || error == EPROTONOSUPPORT;
    return refused && tx->packets[frame] > 1 ? PLAIN : FATAL;
}

/* Send the queued frames. Returns packets sent; *stop is set when the caller must not go on. */
static int send_batch(struct trk_link *link, bool *stop)
{
    struct link_tx *tx = &link->tx;
    int done = 0, packets = 0;
    while (done < tx->n) {
        int sent = sendmmsg(link->fd, tx->msgs + done, (unsigned)(tx->n - done), 0);
        for (int i = 0; i < sent; i++)
            packets += tx->packets[done++];
        if (sent > 0)
            continue;
        switch (judge(tx, done, errno)) {
        case AGAIN: break;
        case LOST:  packets += tx->packets[done++]; break;
        case PLAIN: tx->superframes = false; return packets;
        case FATAL: *stop = true; return packets;
        }
    }
    return packets;
}

static void capture_sent(struct trk_link *link, const struct trk_link_out *p, int n)
{
    for (int i = 0; i < n; i++) {
        struct iovec iov[2] = { { (void *)(uintptr_t)p[i].head, p[i].head_bytes }, { (void *)(uintptr_t)p[i].data, p[i].data_bytes } };
        trk_capture_write(link->capture, iov, p[i].data_bytes ? 2 : 1);
    }
}

int trk_link_send(struct trk_link *link, const struct trk_link_out *packets, int n)
{
    int sent = 0;
    for (bool stop = false; sent < n && !stop; ) {
        int queued = add_batch(link, packets + sent, n - sent);
        if (queued < 0)
            break;
        sent += send_batch(link, &stop);
    }
    if (link->capture)
        capture_sent(link, packets, sent);
    return sent > 0 || n == 0 ? sent : -1;
}
