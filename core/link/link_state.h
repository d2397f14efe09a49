/* link_state.h - the fields of struct trk_link. Private to core/link. */
#ifndef TRK_LINK_LINK_STATE_H
#define TRK_LINK_LINK_STATE_H

#include "link/frame.h"
#include "link/filter.h"
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <sys/socket.h>

#define LINK_ETHERNET_BYTES 14
#define LINK_BATCH          32         /* frames per recvmmsg */
#define LINK_FRAME_BYTES    (65536 + 64)
#define LINK_RESIDENT_BYTES 2048       /* of each */
#define LINK_SCRATCH_BYTES  (512 * 1024)  /* packets cut in one receive; at least one of the largest fits */
#define LINK_SEND_BATCH     64         /* frames per sendmmsg */
#define LINK_SEND_IOVS      1024
#define LINK_SEND_BUFFER    (256 * 1024)

struct link_rx_frame {                 /* what the kernel tells about one received frame */
    struct virtio_net_hdr vnet;
    struct sockaddr_ll from;
    struct iovec iov[2];
    uint8_t *packet;                   /* behind the link header */
    union { struct cmsghdr align; uint8_t bytes[CMSG_SPACE(sizeof(struct tpacket_auxdata))]; } control;
};

struct link_rx {
    struct mmsghdr msgs[LINK_BATCH];
    struct link_rx_frame frames[LINK_BATCH];
    uint8_t *buffers;                  /* LINK_BATCH frames */
    uint8_t *scratch; size_t scratch_used;
    int n, next;                       /* frames of the last batch, and the first not handed out */
    bool cutting; struct trk_cut cut;  /* a superframe handed out in part */
    struct trk_link_packet like;       /* checksum_ok and from of the superframe being cut */
};

struct link_tx_head {                  /* what stands before a packet's own bytes; contiguous */
    struct virtio_net_hdr vnet;        /* 10 bytes */
    uint8_t ethernet[LINK_ETHERNET_BYTES];
    uint8_t ip[TRK_FRAME_HEADER_MAX];  /* superframes only */
};
_Static_assert(offsetof(struct link_tx_head, ethernet) == sizeof(struct virtio_net_hdr), "no padding");
_Static_assert(offsetof(struct link_tx_head, ip) == sizeof(struct virtio_net_hdr) + LINK_ETHERNET_BYTES, "no padding");

struct link_tx {
    struct mmsghdr msgs[LINK_SEND_BATCH];
    struct link_tx_head heads[LINK_SEND_BATCH];
    struct sockaddr_ll to[LINK_SEND_BATCH];
    int packets[LINK_SEND_BATCH];      /* packets in each frame */
    struct iovec iovs[LINK_SEND_IOVS];
    int n, n_iovs;
    bool superframes;                  /* off for good once the kernel refuses one */
};

struct trk_link {
    int fd, ifindex;
    enum trk_framing framing;
    bool loopback, want_unmarked, want_whole;
    uint8_t mac[6];
    uint64_t drops;                    /* read from the socket so far, and frames we could not read */
    struct trk_capture *capture;
    struct link_rx rx;
    struct link_tx tx;
};

/* socket.c. What an interface is, which need not be known to receive, only to understand. */
struct link_device { enum trk_framing framing; bool loopback; uint8_t mac[6]; };
bool trk_link_device(int fd, int ifindex, struct link_device *out, char *errbuf, size_t errbuf_bytes);

#endif
