/* outcome.c - how a run ended, in words. */
#include <inttypes.h>
#include <stdio.h>

#include "world.h"

static void print_path(const char *name, const struct sim_path_config *p)
{
    printf("    %s: delay %.1f+%.1f ms", name, p->delay_us / 1e3, p->jitter_us / 1e3);
    if (p->rate_bytes_per_us > 0)
        printf(", %.2f MB/s, queue %" PRIu32, p->rate_bytes_per_us, p->queue_bytes);
    printf(", mtu %" PRIu32 ", loss %.3f", p->mtu_bytes, p->loss);
    if (p->burst_pkts > 1)
        printf(" in bursts of %.1f", p->burst_pkts);
    printf(", reorder %.3f by %.1f ms, duplicate %.3f, corrupt %.3f, replay %.3f", p->reorder, p->reorder_us / 1e3, p->duplicate, p->corrupt,
           p->late_duplicate);
    if (p->storm_loss > 0)
        printf(", storm of %.2f %.3f-%.3f s", p->storm_loss, p->storm_from_us / 1e6, p->storm_until_us / 1e6);
    for (int i = 0; i < p->n_blackouts; i++)
        printf(", black %.3f-%.3f s", p->blackouts[i].from_us / 1e6, p->blackouts[i].until_us / 1e6);
    printf("\n");
}

static void print_program(const struct sim_program_config *c)
{
    static const char *const endings[] = { "client closes", "client half-closes", "server ends", "server resets" };

    printf("    IPv%d, mtu %u, buffers %" PRIu32 "/%" PRIu32 ", pipeline %u, %s, coalesce %" PRIu32 " us%s", c->flow.src.family, c->mtu,
           c->receive_bytes, c->send_bytes, c->pipeline, endings[c->ending], c->coalesce_us, c->syn_data ? ", data in the SYN" : "");
    if (c->sleep_us)
        printf(", sleeps %" PRIu32 " of %" PRIu32 " us", c->sleep_us, c->sleep_every_us);
    if (c->read_chunk_bytes)
        printf(", reads %" PRIu32 " every %" PRIu32 " us", c->read_chunk_bytes, c->read_every_us);
    if (c->stop_until_us)
        printf(", stops reading %.3f-%.3f s", c->stop_from_us / 1e6, c->stop_until_us / 1e6);
    printf("\n    objects:");
    for (unsigned i = 0; i < c->n_objects && i < 20; i++)
        printf(" %c%" PRIu64 "/%" PRIu32 "@%" PRIu32, c->objects[i].type, c->objects[i].bytes, c->objects[i].body_bytes, c->objects[i].think_us);
    printf("\n");
}

static void print_verdicts(const char *who, const uint64_t *verdicts)
{
    printf("    %s:", who);
    for (int v = 0; v < TRK_V_COUNT; v++)
        if (verdicts[v])
            printf(" %s %" PRIu64, trk_verdict_name((enum trk_verdict)v), verdicts[v]);
    printf("\n");
}

void sim_outcome_print(const struct sim_scenario *s, const struct sim_outcome *o)
{
    printf("  %s%s%s at %.6f s, %" PRIu64 " events, %" PRIu64 " packets up, %" PRIu64 " down (%" PRIu64 " headers), %" PRIu64 " lost\n",
           o->rule ? o->rule : "all held", o->rule && o->detail[0] ? ": " : "", o->detail, (double)o->end_us / 1e6, o->events, o->up_pkts,
           o->down_pkts, o->headers, o->lost_pkts);
    printf("  server: %u replicas, mtu %u, rotate %" PRIu32 " ms, greeting %" PRIu32 ", nibble %" PRIu32 ", stingy %u%%%s%s, jump %" PRId64 " ms, wipe %" PRIu32 " ms, crowd %" PRIu32 "; forge %.3f%s\n", s->server.replicas,
           s->server.mtu, s->server.rotate_ms, s->server.greeting_bytes, s->server.nibble_bytes, s->server.stingy_percent,
           s->server.domain[0] ? ", filter" : "", s->server.shared ? " shared" : "", s->server.jump_ms, s->server.wipe_ms, s->server.crowd, s->forge, s->attack ? ", attack" : "");
    print_verdicts("verdicts", o->server_verdicts);
    for (unsigned i = 0; i < s->n_clients; i++) {
        const struct trk_client_stats *t = &o->stats[i];
        printf("  client %u: read %" PRIu64 " bytes, %s at %.6f s; srtt %" PRIu32 " us, cwnd %" PRIu32 ", outstanding %" PRIu32
               ", lost %" PRIu64 ", timeouts %" PRIu64 ", resumes %" PRIu64 ", refreshes %" PRIu64 ", recoveries %" PRIu64 ", generation %" PRIu32 "\n",
               i, o->bytes_read[i], o->finished_us[i] ? "finished" : "UNFINISHED", (double)o->finished_us[i] / 1e6, t->srtt_us, t->cwnd_pkts,
               t->outstanding_pkts, t->numbers_lost, t->timeouts, t->resumes, t->refreshes, t->recoveries, t->generation);
        print_verdicts("verdicts", t->verdicts);
        print_program(&s->clients[i]);
        print_path("up", &s->up[i]);
        print_path("down", &s->down[i]);
    }
}
