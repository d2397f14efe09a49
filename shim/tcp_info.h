/* tcp_info.h - struct tcp_info made of the engine's statistics. */
#ifndef SHIM_TCP_INFO_H
#define SHIM_TCP_INFO_H

#include "sockets.h"

/* The kernel's layout, which is longer than libc's; programs ask for as much as they know. */
struct shim_tcp_info;
void shim_tcp_info_fill(const struct shim_shared *shared, struct shim_tcp_info *info);

struct shim_tcp_info {
    uint8_t  state, ca_state, retransmits, probes, backoff, options, wscale, flags;
    uint32_t rto, ato, snd_mss, rcv_mss;
    uint32_t unacked, sacked, lost, retrans, fackets;
    uint32_t last_data_sent, last_ack_sent, last_data_recv, last_ack_recv;
    uint32_t pmtu, rcv_ssthresh, rtt, rttvar, snd_ssthresh, snd_cwnd, advmss, reordering, rcv_rtt, rcv_space, total_retrans;
    uint64_t pacing_rate, max_pacing_rate, bytes_acked, bytes_received;
    uint32_t segs_out, segs_in, notsent_bytes, min_rtt, data_segs_in, data_segs_out;
};

#endif
