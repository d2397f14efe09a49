#include "tcp_info.h"

#include <netinet/tcp.h>
#include <stddef.h>
#include <string.h>

/* Ours must lie over the kernel's. */
_Static_assert(offsetof(struct shim_tcp_info, rto) == offsetof(struct tcp_info, tcpi_rto), "layout");
_Static_assert(offsetof(struct shim_tcp_info, pmtu) == offsetof(struct tcp_info, tcpi_pmtu), "layout");
_Static_assert(offsetof(struct shim_tcp_info, total_retrans) == offsetof(struct tcp_info, tcpi_total_retrans), "layout");

static uint8_t tcp_state(const struct shim_shared *shared)
{
    switch (atomic_load(&shared->state)) {
    case SHIM_WAITED:
    case SHIM_CONNECTING:
        return TCP_SYN_SENT;
    case SHIM_UP:
        if (atomic_load(&shared->shut) & 2)
            return atomic_load(&shared->ended) ? TCP_LAST_ACK : TCP_FIN_WAIT2;
        return atomic_load(&shared->ended) ? TCP_CLOSE_WAIT : TCP_ESTABLISHED;
    default:
        return TCP_CLOSE;
    }
}

void shim_tcp_info_fill(const struct shim_shared *shared, struct shim_tcp_info *info)
{
    struct trk_client_stats now, *stats = &now;
    shim_stats_read(shared, stats);
    memset(info, 0, sizeof *info);
    info->state = tcp_state(shared);
    info->options = TCPI_OPT_SACK | TCPI_OPT_WSCALE;
    info->wscale = TRK_WSCALE << 4 | TRK_WSCALE;
    info->snd_mss = info->rcv_mss = info->advmss = stats->slot;
    info->pmtu = shared->mtu;
    info->rtt = info->rcv_rtt = info->min_rtt = stats->srtt_us;
    info->rttvar = stats->rttvar_us;
    info->rto = 200000 > stats->srtt_us + 4 * stats->rttvar_us ? 200000 : stats->srtt_us + 4 * stats->rttvar_us;
    info->snd_cwnd = stats->cwnd_pkts;
    info->snd_ssthresh = stats->ssthresh_pkts == TRK_SSTHRESH_NONE ? 0x7fffffff : stats->ssthresh_pkts;
    info->unacked = stats->outstanding_pkts;
    info->total_retrans = (uint32_t)stats->numbers_lost;
    info->bytes_received = stats->bytes_read;
    info->bytes_acked = stats->bytes_written - (stats->bytes_written < shared->unsent_bytes ? stats->bytes_written : shared->unsent_bytes);
    info->segs_out = (uint32_t)stats->segments_sent;
    info->segs_in = (uint32_t)stats->segments_received;
    info->notsent_bytes = (uint32_t)atomic_load(&shared->unsent_bytes);
}
