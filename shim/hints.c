#include "hints.h"

#include <string.h>
#include "connection.h"
#include "link/icmp.h"
#include "log.h"

#define HINTS_MAX 64                   /* in one round, so that a flood of them starves nobody */

static const uint8_t families[2] = { 4, 6 };

void shim_hints_open(struct shim_loop *loop)
{
    for (int i = 0; i < 2; i++) {
        loop->hint_fds[i] = trk_icmp_open(families[i]);
        loop->hint_sources[i] = (struct shim_source){ SHIM_SOURCE_HINTS, NULL };
        if (loop->hint_fds[i] >= 0)
            shim_loop_watch(loop, loop->hint_fds[i], EPOLLIN, &loop->hint_sources[i]);
    }
}

/* While connecting, of our SYN: the kernel's TCP gives up there, too. Later a way that is gone may come back. */
static void take(struct shim_loop *loop, const struct trk_hint *hint)
{
    struct trk_flow received = trk_flow_reverse(&hint->flow);
    struct shim_connection *c = shim_connection_by_flow(loop, &received);
    if (!c)
        return;
    bool connecting = c->stage == SHIM_OPENING;
    if (hint->error && connecting && hint->seq == c->client.config.iss) {
        c->refused = hint->error;
    } else if (!hint->error && (connecting || c->stage == SHIM_STREAM || c->stage == SHIM_ENDING)) {
        if (!trk_client_path_mtu(&c->client, hint->seq, hint->mtu, loop->now_us))
            return;
        shim_log(SHIM_LOG_INFO, "port %u: the path takes packets of %u bytes", hint->flow.sport, hint->mtu);
    } else {
        return;
    }
    shim_connection_touch(c);
}

void shim_hints_receive(struct shim_loop *loop, struct shim_source *source)
{
    int i = source == &loop->hint_sources[0] ? 0 : 1;
    struct trk_hint hint;
    for (int n = 0; n < HINTS_MAX && trk_icmp_receive(loop->hint_fds[i], families[i], &hint); n++)
        take(loop, &hint);
}
