/* receive.c - frames from the kernel, packets to the caller. */
#include "link/link_state.h"
#include "link/capture.h"
#include <errno.h>
#include <string.h>

#define UNWANTED_BATCHES 16            /* batches without a packet for us in one call, before we give way */

/* One batch from the kernel. Frames in it, 0 for none, -1 with errno. */
static int read_batch(struct trk_link *link)
{
    struct link_rx *rx = &link->rx;
    for (int i = 0; i < LINK_BATCH; i++) {
        rx->msgs[i].msg_hdr.msg_namelen = sizeof rx->frames[i].from;
        rx->msgs[i].msg_hdr.msg_controllen = sizeof rx->frames[i].control.bytes;
    }
    rx->next = rx->n = 0;
    int n = recvmmsg(link->fd, rx->msgs, LINK_BATCH, MSG_DONTWAIT, NULL);
    if (n >= 0) {
        rx->n = n;
        return n;
    }
    if (errno == EAGAIN || errno == EINTR)
        return 0;
    if (errno == EINVAL) {             /* a frame whose offload state the kernel cannot describe: it is gone */
        link->drops++;
        return 0;
    }
    return -1;
}

/* True if the frame carried a VLAN tag: it belongs to the VLAN's own interface, which has a link of its own. */
static bool is_tagged(struct msghdr *msg)
{
    struct tpacket_auxdata aux;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
        if (c->cmsg_level == SOL_PACKET && c->cmsg_type == PACKET_AUXDATA) {
            memcpy(&aux, CMSG_DATA(c), sizeof aux);
            return (aux.tp_status & TP_STATUS_VLAN_VALID) && (aux.tp_vlan_tci & 0xfff) != 0;
        }
    }
    return false;
}

/* The IP packet in frame i; false if the frame is not for us. A frame to another host's address (a bridge
 * floods those) must not be answered, even if the IP address would match a wildcard. */
static bool read_frame(struct trk_link *link, int i, struct trk_link_packet *out)
{
    struct link_rx *rx = &link->rx;
    struct link_rx_frame *frame = &rx->frames[i];
    uint32_t bytes = rx->msgs[i].msg_len, skip = link->framing == TRK_FRAMING_ETHERNET ? LINK_ETHERNET_BYTES : 0;
    if (rx->msgs[i].msg_hdr.msg_flags & MSG_TRUNC) {
        link->drops++;
        return false;
    }
    if (bytes < sizeof frame->vnet + skip + 20 || frame->from.sll_pkttype != PACKET_HOST || is_tagged(&rx->msgs[i].msg_hdr))
        return false;
    uint8_t *start = frame->iov[1].iov_base;
    frame->packet = start + skip;
    *out = (struct trk_link_packet){ .ip = frame->packet, .bytes = bytes - (uint32_t)sizeof frame->vnet - skip };
    out->checksum_ok = link->loopback || (frame->vnet.flags & (VIRTIO_NET_HDR_F_NEEDS_CSUM | VIRTIO_NET_HDR_F_DATA_VALID));
    if (skip) {
        memcpy(out->from.mac, start + 6, 6);
        out->from.valid = true;
    }
    return true;
}

/* The next packet of the superframe at hand; false when the scratch area is full. */
static bool cut_one(struct link_rx *rx, struct trk_link_packet *out)
{
    uint32_t bytes = trk_cut_size(&rx->cut);
    if (rx->scratch_used + bytes > LINK_SCRATCH_BYTES)
        return false;
    uint8_t *packet = rx->scratch + rx->scratch_used;
    *out = rx->like;
    out->ip = trk_cut_take(&rx->cut, packet);
    out->bytes = bytes;
    if (out->ip == packet)
        rx->scratch_used += (bytes + 7) & ~7u;
    rx->cutting = trk_cut_size(&rx->cut) > 0;
    return true;
}

/* A superframe, to be handed out whole: as good as the packets that it stands for. */
static bool is_whole(const struct trk_link *link, const struct virtio_net_hdr *vnet, struct trk_link_packet *out)
{
    struct trk_frame_shape shape;
    if (!link->want_whole || !out->checksum_ok || !vnet->gso_size || !trk_frame_shape(out->ip, out->bytes, &shape) ||
        out->bytes <= shape.header_bytes)
        return false;
    out->slice_bytes = vnet->gso_size;
    return true;
}

/* Hand out what the batch still holds, up to n packets. */
static int hand_out(struct trk_link *link, struct trk_link_packet *out, int n)
{
    struct link_rx *rx = &link->rx;
    int filled = 0;
    while (filled < n) {
        if (rx->cutting) {
            if (!cut_one(rx, &out[filled]))
                break;
            filled++;
            continue;
        }
        if (rx->next == rx->n)
            break;
        int i = rx->next++;
        if (!read_frame(link, i, &out[filled]))
            continue;
        const struct virtio_net_hdr *vnet = &rx->frames[i].vnet;
        if (vnet->gso_type != VIRTIO_NET_HDR_GSO_NONE && !is_whole(link, vnet, &out[filled]) &&
            trk_cut_begin(&rx->cut, rx->frames[i].packet, out[filled].bytes, vnet->gso_size)) {
            rx->cutting = true;
            rx->like = out[filled];
        } else {
            filled++;
        }
    }
    return filled;
}

int trk_link_receive(struct trk_link *link, struct trk_link_packet *out, int n)
{
    link->rx.scratch_used = 0;
    int filled = hand_out(link, out, n);
    for (int i = 0; filled == 0 && i < UNWANTED_BATCHES; i++) {
        int frames = read_batch(link);
        if (frames <= 0)
            return frames;
        filled = hand_out(link, out, n);
    }
    for (int i = 0; link->capture && i < filled; i++) {
        struct iovec iov = { (void *)(uintptr_t)out[i].ip, out[i].bytes };
        trk_capture_write(link->capture, &iov, 1);
    }
    return filled;
}
