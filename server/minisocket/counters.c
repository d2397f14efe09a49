/* counters.c - one number for every fate of a packet. */
#include "server.h"

static const char *const names[MSK_COUNT_KINDS][2] = {
    [MSK_COUNT_PACKETS]   = { "packets-received", "packets taken from the interfaces" },
    [MSK_COUNT_SENT]      = { "packets-sent", "packets given to the interfaces" },
    [MSK_COUNT_UNSENT]    = { "packets-unsent", "packets that an interface did not take" },
    [MSK_COUNT_NOT_LOCAL] = { "not-local", "sent to an address that is not ours, seen on the way" },
    [MSK_COUNT_DROPS]     = { "socket-drops", "packets lost because the server was too slow" },
};

size_t msk_counters(const struct msk_server *s, struct msk_counter *out, size_t n)
{
    size_t total = 0;
    for (size_t i = 0; i < MSK_COUNT_KINDS; i++, total++)
        if (total < n)
            out[total] = (struct msk_counter){ names[i][0], names[i][1], s->counts[i] };
    for (size_t i = 0; i < s->n_ifaces && n > MSK_COUNT_DROPS; i++)
        out[MSK_COUNT_DROPS].value += trk_link_drops(s->ifaces[i].link);
    for (enum trk_verdict v = 0; v < TRK_V_COUNT; v++) {
        if (v >= TRK_V_FOREIGN && v != TRK_V_RST_HINT)
            continue;                  /* a client's */
        if (total < n)
            out[total] = (struct msk_counter){ trk_verdict_name(v), trk_verdict_why(v), s->verdicts[v] };
        total++;
    }
    return total;
}
