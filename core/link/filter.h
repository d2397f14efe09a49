/* filter.h - which frames reach a link: a classic BPF program compiled by libpcap. */
#ifndef TRK_LINK_FILTER_H
#define TRK_LINK_FILTER_H

#include "link/link.h"

#define TRK_FILTER_PORTS_MAX TRK_LINK_PORTS_MAX       /* more than this: the marker alone */

enum trk_framing { TRK_FRAMING_ETHERNET, TRK_FRAMING_RAW_IP };

/* The program as struct sock_filter[n] / struct bpf_insn[n] (the same layout), made by malloc. */
struct trk_filter { void *insns; unsigned n; };

/* Passes segments to our ports (and addresses) whose first TCP option is the marker; with want_unmarked also
 * plain SYN|ACK and RST for them. VLAN tags never matter: the kernel strips them before the filter runs.
 * No ports: nothing passes. False and a sentence in errbuf on failure. */
bool trk_filter_compile(const struct trk_link_port *ports, size_t n, bool want_unmarked, enum trk_framing framing,
                        struct trk_filter *out, char *errbuf, size_t errbuf_bytes);
void trk_filter_free(struct trk_filter *filter);

#endif
