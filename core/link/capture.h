/* capture.h - pcap files of what passed a link (libpcap), for --pcap and TRICKLES_PCAP. */
#ifndef TRK_LINK_CAPTURE_H
#define TRK_LINK_CAPTURE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct trk_capture;
/* Raw-IP packets (DLT_RAW) into path, truncated; mode 0600. NULL and a sentence in errbuf on failure. */
struct trk_capture *trk_capture_open(const char *path, char *errbuf, size_t errbuf_bytes);
/* One IP packet in pieces; checksums left to the device are completed in the file. Thread-safe. */
void trk_capture_write(struct trk_capture *c, const struct iovec *iov, int n);
void trk_capture_flush(struct trk_capture *c);
void trk_capture_close(struct trk_capture *c);

#endif
