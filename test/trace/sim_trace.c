/* sim_trace - one simulated run as a list of events (JSON lines, flow_events.h) on stdout.
 *
 *     sim_trace [--pcap FILE] plain|harsh|big|attack SEED            a world of the swarm
 *     sim_trace [--pcap FILE] download BYTES DELAY_MS LOSS SEED      one download, 1.5 MB/s, queue of 20 packets, LOSS each way
 *     sim_trace [--pcap FILE] flows OURS RIVALS SECONDS SEED         so many of ours and of a textbook TCP at 3 MB/s, 20 ms
 *
 * --pcap: also writes what passes at the clients as a capture (raw IP). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flow_events.h"
#include "scenario.h"

static struct flow_events flows[SIM_FLOWS_MAX];
static struct flow_number numbers[SIM_CLIENTS_MAX][FLOW_NUMBERS];

static FILE *pcap;

static void put32(uint32_t v) { fwrite(&v, sizeof v, 1, pcap); }

/* In the host's byte order, as its magic number says: microseconds, LINKTYPE_RAW. */
static void pcap_begin(void)
{
    put32(0xa1b2c3d4);
    put32(2 | 4u << 16);
    put32(0);
    put32(0);
    put32(65535);
    put32(101);
}

static void pcap_add(uint64_t now_us, const uint8_t *packet, uint32_t bytes)
{
    put32((uint32_t)(now_us / 1000000));
    put32((uint32_t)(now_us % 1000000));
    put32(bytes);
    put32(bytes);
    fwrite(packet, 1, bytes, pcap);
}

static bool is_lost(const char *fate) { return strcmp(fate, "lost") == 0 || strcmp(fate, "queue full") == 0 || strcmp(fate, "too big") == 0; }

static void on_sent(void *arg, uint64_t now_us, unsigned client, bool up, const uint8_t *packet, uint32_t bytes, const char *fate)
{
    struct trk_segment s;

    (void)arg;
    if (pcap && up)
        pcap_add(now_us, packet, bytes);
    if (trk_segment_parse(packet, bytes, &s) != TRK_V_ACCEPTED)
        return;
    if (up)
        flow_events_request(&flows[client], now_us, &s);
    else
        flow_events_answer(&flows[client], now_us, &s, fate);
    if (is_lost(fate))
        flow_events_drop(&flows[client], now_us, up, bytes, fate);
}

static void on_arrived(void *arg, uint64_t now_us, unsigned client, bool up, const uint8_t *packet, uint32_t bytes, enum trk_verdict fate)
{
    struct trk_segment s;

    (void)arg;
    if (pcap && !up)
        pcap_add(now_us, packet, bytes);
    if (up)
        flow_events_judge(&flows[client], now_us, trk_verdict_name(fate));
    else if (trk_segment_parse(packet, bytes, &s) == TRK_V_ACCEPTED)
        flow_events_receive(&flows[client], now_us, &s, trk_verdict_name(fate));
}

static void download(struct sim_scenario *s, char **argv)
{
    static struct sim_object object = { .type = 'K', .id = 1 };

    sim_scenario_init(s, strtoull(argv[5], NULL, 10));
    object.bytes = strtoull(argv[2], NULL, 10);
    s->clients[0].objects = &object;
    s->clients[0].n_objects = 1;
    s->clients[0].receive_bytes = 1 << 22;
    s->server.domain[0] = 1;
    s->server.filter_bytes = 1 << 20;
    s->up[0].delay_us = s->down[0].delay_us = (uint32_t)strtoul(argv[3], NULL, 10) * 1000;
    s->up[0].loss = s->down[0].loss = strtod(argv[4], NULL);
    s->down[0].rate_bytes_per_us = 1.5;
    s->down[0].queue_bytes = 30000;
}

static void several(struct sim_scenario *s, char **argv)
{
    static const struct sim_object endless = { .type = 'K', .id = 1, .bytes = 1ull << 44 };

    sim_scenario_init(s, strtoull(argv[5], NULL, 10));
    s->n_clients = (unsigned)strtoul(argv[2], NULL, 10) % (SIM_CLIENTS_MAX + 1);
    s->n_rivals = (unsigned)strtoul(argv[3], NULL, 10) % (SIM_RIVALS_MAX + 1);
    s->stop_us = (uint64_t)(strtod(argv[4], NULL) * 1e6);
    s->server.domain[0] = 1;
    s->server.filter_bytes = 1 << 20;
    s->shared_down = true;
    s->down[0].rate_bytes_per_us = 3;
    s->down[0].queue_bytes = 60000;
    s->down[0].drop_spread = .2;
    for (unsigned i = 0; i < s->n_clients + s->n_rivals; i++) {
        s->up[i].jitter_us = 1000;
        flows[i].begun = true;         /* one axis of time for all */
        if (i >= s->n_clients) {
            s->rivals[i - s->n_clients].start_us = 20000 + 100000ull * i;
            continue;
        }
        s->clients[i].objects = &endless;
        s->clients[i].n_objects = 1;
        s->clients[i].receive_bytes = 1 << 20;
        s->clients[i].start_us = 100000ull * i;
    }
}

static unsigned n_clients;             /* of a run of several flows; 0: what is read is not told */

static void on_read(void *arg, uint64_t now_us, unsigned flow, uint64_t bytes)
{
    (void)arg;
    if (n_clients)
        flow_events_read(&flows[flow], now_us, bytes, flow >= n_clients);
}

static bool choose(int argc, char **argv, struct sim_scenario *s)
{
    if (argc == 6 && strcmp(argv[1], "download") == 0) {
        download(s, argv);
        return true;
    }
    if (argc == 6 && strcmp(argv[1], "flows") == 0 && atoi(argv[2]) > 0) {
        several(s, argv);
        n_clients = s->n_clients;
        return true;
    }
    for (enum sim_mix mix = 0; argc == 3 && mix < SIM_MIXES; mix++)
        if (strcmp(argv[1], sim_mix_name(mix)) == 0) {
            sim_scenario_random(s, mix, strtoull(argv[2], NULL, 10));
            return true;
        }
    return false;
}

static bool run(const struct sim_scenario *s)
{
    static struct sim_outcome o;
    bool ok = sim_world_run(s, &o);

    if (!ok)
        fprintf(stderr, "sim_trace: %s\n", o.rule);
    if (pcap && (ferror(pcap) || fclose(pcap) != 0)) {
        fprintf(stderr, "sim_trace: cannot write the capture\n");
        return false;
    }
    return ok && fflush(stdout) == 0 && !ferror(stdout);
}

int main(int argc, char **argv)
{
    static const struct sim_observer observer = { .sent = on_sent, .arrived = on_arrived, .read = on_read };
    static struct sim_scenario s;
    bool with_pcap = argc > 2 && strcmp(argv[1], "--pcap") == 0;

    for (unsigned i = 0; i < SIM_FLOWS_MAX; i++)
        flows[i] = (struct flow_events){ .out = stdout, .flow = i, .numbers = i < SIM_CLIENTS_MAX ? numbers[i] : NULL };
    if (!choose(argc - 2 * with_pcap, argv + 2 * with_pcap, &s)) {
        fprintf(stderr, "usage: sim_trace [--pcap FILE] plain|harsh|big|attack SEED | download BYTES DELAY_MS LOSS SEED | flows OURS RIVALS SECONDS SEED\n");
        return 2;
    }
    if (with_pcap && !(pcap = fopen(argv[2], "wb"))) {
        fprintf(stderr, "sim_trace: cannot write %s\n", argv[2]);
        return 1;
    }
    if (pcap)
        pcap_begin();
    s.observer = &observer;
    return !run(&s);
}
