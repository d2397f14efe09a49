/* link.h - the only code that knows AF_PACKET: IP packets in, IP packets out.
 *
 * A link is one packet socket bound to one interface, with a BPF filter for marked TCP segments. The caller
 * gives and gets IP packets; Ethernet headers, virtio_net_hdr, VLAN tags, checksum offload and the cutting of
 * GRO'd frames stay inside. Contiguous packets of one flow (PROTOCOL.md 2.3) leave as one large frame where the
 * kernel takes it. One thread per link. No function here blocks but open, and send for back-pressure.
 *
 * Left alone: frames to another host's link-layer address, frames with a VLAN tag (the VLAN's own interface has a
 * link of its own), IP fragments, IPv6 extension headers. */
#ifndef TRK_LINK_LINK_H
#define TRK_LINK_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct trk_link;
struct trk_capture;                    /* pcap file writer, see capture.h */

struct trk_link_neighbour { uint8_t mac[6]; bool valid; };      /* valid is false where the device has no addresses (tun) */

/* family 4, 6, or 0: any address of both. An address of zeros is any address of its family. */
struct trk_link_port { uint8_t family; uint8_t addr[16]; uint16_t port; };

#define TRK_LINK_PORTS_MAX 64          /* a filter names at most this many */

struct trk_link_config {
    int ifindex;
    const struct trk_link_port *ports; size_t n_ports;   /* local ports whose segments we want; > 64: the marker alone */
    uint32_t receive_bytes;            /* socket buffer; 0: 4 MiB */
    bool want_unmarked;                /* a client also sees unmarked SYN|ACK and RST for its ports (TCP fallback) */
    bool want_whole;                   /* superframes are handed out uncut (slice_bytes below), but to a capture */
    struct trk_capture *capture;       /* NULL: none; not owned */
};

/* NULL, errno and a sentence without newline in errbuf on failure: no right (CAP_NET_RAW), no such interface, or one
 * that is neither Ethernet-like nor plain IP. No ports: nothing is received until trk_link_set_ports. */
struct trk_link *trk_link_open(const struct trk_link_config *config, char *errbuf, size_t errbuf_bytes);

/* The same in two steps, for sockets that outlive the process that reads them: processes that share what an interface receives
 * have a socket each, in one fanout group. Each frame goes to one of them, in turn; one whose buffer is full is passed over, so
 * receive_bytes also bounds what a process that hangs can hold.
 * trk_link_socket: bound and filtered, CLOEXEC; -1 as above. group: NULL: none; -1 there: a new one, whose number is
 * written there; else that one, of the same interface. A socket joins before it receives, so no frame is seen twice.
 * trk_link_adopt: a link on such a socket, which belongs to it if it succeeds. */
int trk_link_socket(const struct trk_link_config *config, int *group, char *errbuf, size_t errbuf_bytes);
struct trk_link *trk_link_adopt(const struct trk_link_config *config, int fd, char *errbuf, size_t errbuf_bytes);
/* Give a socket another filter; the number of the fanout group it is in, -1 for none. */
bool trk_link_refilter(int fd, const struct trk_link_config *config, char *errbuf, size_t errbuf_bytes);
int trk_link_group(int fd);

void trk_link_close(struct trk_link *link);
int  trk_link_fd(const struct trk_link *link);          /* readable: call receive */
/* Replace the filter's ports on a live link (a client opens another connection). False: the old ones stay. */
bool trk_link_set_ports(struct trk_link *link, const struct trk_link_port *ports, size_t n);

struct trk_link_packet {               /* one received IP packet; valid until the next receive on this link */
    const uint8_t *ip; uint32_t bytes;
    uint32_t slice_bytes;              /* 0: one packet. Else a superframe: its payload is that of packets of slice_bytes each,
                                          the last may be shorter; FIN and PSH are the last one's. checksum_ok is then true */
    bool checksum_ok;                  /* the device or the sender vouches for it; else the caller verifies */
    struct trk_link_neighbour from;    /* whom to answer */
};
/* Up to n packets without blocking, superframes already cut into packets (but for want_whole). 0: nothing there; -1: error in errno
 * (ENETDOWN: the interface went down; said once, and the link works again when it comes back). */
int trk_link_receive(struct trk_link *link, struct trk_link_packet *out, int n);

struct trk_link_out {                  /* one IP packet to send, in up to two pieces */
    const uint8_t *head; uint32_t head_bytes;   /* IP, TCP and message header; TCP checksum field = pseudo-header sum */
    const uint8_t *data; uint32_t data_bytes;   /* may be NULL, 0 */
    struct trk_link_neighbour to;
    bool follows;                      /* a promise: as large as the packet before it in both pieces, of the same headers and to the same
                                          neighbour, with the sequence number that comes next */
};
/* Send in order; blocks only for back-pressure of the socket buffer. Returns how many were sent; -1 and errno if
 * the first one failed (EDESTADDRREQ: no neighbour; EINVAL: not TCP; ENETDOWN; EMSGSIZE: above the MTU). What the
 * device's queue drops counts as sent: it is lost like any packet. Adjoining packets of one flow may leave as one
 * superframe: same bytes on the wire, but for the IPv4 id, which the kernel's cutting counts up. */
int trk_link_send(struct trk_link *link, const struct trk_link_out *packets, int n);

uint64_t trk_link_drops(struct trk_link *link);         /* lost in the socket since open (PACKET_STATISTICS) */

#endif
