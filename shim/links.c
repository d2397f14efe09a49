#include "links.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "connection.h"
#include "log.h"
#include "peers.h"

#define NARROW_US 1000000              /* without a new port: name the ports again */
#define ROUNDS 64                      /* batches taken before others have their turn */
#define BATCH 64                       /* frames taken from the link at once */
#define FED_MAX 132                    /* packets fed before the program gets their bytes and the client's answers leave: three superframes */

struct shim_link_use {
    struct shim_link_use *next;
    int ifindex;
    struct trk_link *link;
    struct shim_source source;
    struct shim_link_port *ports;
    size_t n_ports;
    bool wide;                         /* the filter names no ports: compiling one that does costs a connect dearly */
    uint64_t changed_us, narrow_us;    /* the last addition; when to name the ports again */
    bool more;                         /* stopped before it was empty: the link may hold packets that no event tells of */
};

struct trk_link *shim_links_link(struct shim_link_use *use) { return use->link; }

static struct shim_link_use *open_link(struct shim_loop *loop, int ifindex, char *error, size_t error_bytes)
{
    struct shim_link_use *use = calloc(1, sizeof *use);
    if (!use)
        return NULL;
    struct trk_link_port nobody = { .family = 4, .port = 0 };  /* until the first port: nothing */
    struct trk_link_config config = {
        .ifindex = ifindex, .ports = &nobody, .n_ports = 1, .want_unmarked = true, .want_whole = true, .capture = loop->capture,
    };
    use->link = trk_link_open(&config, error, error_bytes);
    use->source = (struct shim_source){ SHIM_SOURCE_LINK, use };
    use->ifindex = ifindex;
    if (!use->link || !shim_loop_watch(loop, trk_link_fd(use->link), EPOLLIN, &use->source)) {
        int kept = errno;
        if (use->link)
            trk_link_close(use->link);
        free(use);
        errno = kept;
        return NULL;
    }
    struct stat st;
    if (fstat(trk_link_fd(use->link), &st) == 0)
        shim_peers_ours(st.st_ino);
    use->next = loop->links;
    loop->links = use;
    return use;
}

void shim_links_close(struct shim_loop *loop)
{
    for (struct shim_link_use *use = loop->links, *next; use; use = next) {
        next = use->next;
        trk_link_close(use->link);
        free(use);
    }
    loop->links = NULL;
}

struct shim_link_use *shim_links_get(struct shim_loop *loop, int ifindex, char *error, size_t error_bytes)
{
    for (struct shim_link_use *use = loop->links; use; use = use->next)
        if (use->ifindex == ifindex)
            return use;
    return open_link(loop, ifindex, error, error_bytes);
}

static bool set_filter(struct shim_link_use *use, bool wide)
{
    struct trk_link_port ports[TRK_LINK_PORTS_MAX] = { { .family = 4, .port = 0 } };   /* nobody's */
    size_t n = 0;
    use->wide = wide;
    if (wide)                          /* names none of them */
        return trk_link_set_ports(use->link, ports, TRK_LINK_PORTS_MAX + 1);
    for (const struct shim_link_port *p = use->ports; p && n < TRK_LINK_PORTS_MAX; p = p->next)
        ports[n++] = p->port;
    return trk_link_set_ports(use->link, ports, n ? n : 1);
}

static void enter(struct shim_link_use *use, struct shim_link_port *p)
{
    p->next = use->ports;
    p->at = &use->ports;
    if (p->next)
        p->next->at = &p->next;
    use->ports = p;
    use->n_ports++;
}

/* Connections that follow each other quickly share a filter that takes every marked segment. */
bool shim_links_add_port(struct shim_loop *loop, struct shim_link_use *use, struct shim_link_port *p, const struct trk_addr *local, uint16_t port)
{
    p->port = (struct trk_link_port){ .family = local->family, .port = port };
    memcpy(p->port.addr, local->bytes, sizeof p->port.addr);
    enter(use, p);
    bool often = use->changed_us && loop->now_us - use->changed_us < NARROW_US;
    use->changed_us = loop->now_us;
    use->narrow_us = loop->now_us + NARROW_US;
    if (use->wide || set_filter(use, often || use->n_ports > TRK_LINK_PORTS_MAX))
        return true;
    shim_links_drop_port(use, p);
    return false;
}

/* The filter is narrowed later: a segment too many is dropped by its flow. */
void shim_links_drop_port(struct shim_link_use *use, struct shim_link_port *p)
{
    if (!p->at)
        return;
    *p->at = p->next;
    if (p->next)
        p->next->at = p->at;
    p->at = NULL;
    use->n_ports--;
}

static bool may_narrow(const struct shim_link_use *use) { return use->wide && use->n_ports <= TRK_LINK_PORTS_MAX; }

void shim_links_narrow(struct shim_loop *loop)
{
    for (struct shim_link_use *use = loop->links; use; use = use->next)
        if (may_narrow(use) && loop->now_us >= use->narrow_us && !set_filter(use, false))
            use->narrow_us = loop->now_us + NARROW_US;
}

uint64_t shim_links_wake_us(const struct shim_loop *loop)
{
    uint64_t wake = UINT64_MAX;
    for (const struct shim_link_use *use = loop->links; use; use = use->next)
        if (may_narrow(use) && use->narrow_us < wake)
            wake = use->narrow_us;
    return wake;
}

/* Returns how many packets it stands for. */
static int take(struct shim_loop *loop, const struct trk_link_packet *packet)
{
    struct trk_segment segment;
    enum trk_verdict v = trk_segment_parse(packet->ip, packet->bytes, &segment);
    if (v != TRK_V_ACCEPTED && v != TRK_V_UNMARKED)
        return 0;
    struct shim_connection *c = shim_connection_by_flow(loop, &segment.flow);
    if (!c || (c->stage != SHIM_OPENING && c->stage != SHIM_STREAM && c->stage != SHIM_ENDING))
        return 0;
    if (!packet->checksum_ok && !trk_segment_checksum_ok(packet->ip, packet->bytes))
        return 0;
    c->heard_us = loop->now_us;
    shim_connection_touch(c);
    if (packet->slice_bytes) {
        trk_client_feed_slices(&c->client, &segment, packet->slice_bytes, loop->now_us);
        shim_log(SHIM_LOG_DEBUG, "port %u: %u bytes in packets of %u", segment.flow.dport, segment.payload_bytes, packet->slice_bytes);
        return (int)(segment.payload_bytes / packet->slice_bytes) + 1;
    }
    v = trk_client_feed(&c->client, &segment, loop->now_us);
    shim_log(SHIM_LOG_DEBUG, "port %u: %u bytes, %s", segment.flow.dport, segment.payload_bytes, trk_verdict_name(v));
    return 1;
}

void shim_links_receive(struct shim_loop *loop, struct shim_link_use *use)
{
    struct trk_link_packet packets[BATCH];
    use->more = true;
    /* Bounded, so that one busy interface starves neither timers nor the program's writes. */
    for (int round = 0; round < ROUNDS && use->more; round++) {
        int n = trk_link_receive(use->link, packets, BATCH);
        use->more = n > 0;
        for (int i = 0, fed = 0; i < n; i++) {
            fed += take(loop, &packets[i]);
            if (fed < FED_MAX && i + 1 < n)
                continue;
            shim_connections_run(loop, false);
            fed = 0;
        }
    }
}

bool shim_links_more(struct shim_loop *loop)
{
    bool more = false;
    for (struct shim_link_use *use = loop->links; use; use = use->next)
        if (use->more) {
            shim_links_receive(loop, use);
            more |= use->more;
        }
    return more;
}
