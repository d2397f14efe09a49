/* neighbour.c - ARP and neighbour discovery, left to the kernel.
 *
 * Without rights of its own a program makes the kernel resolve an address by sending to it: an empty UDP
 * datagram to the next hop's discard port. An entry that has gone stale is used, but the same datagram makes the
 * kernel confirm it, because frames from a packet socket never would. */
#include "link/neighbour.h"
#include "link/netlink.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/neighbour.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define DISCARD_PORT   9
#define FIRST_WAIT_US  100
#define LONGEST_WAIT_US 5000

enum { USABLE = NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT | NUD_NOARP };

struct entry { unsigned state; struct trk_link_neighbour neighbour; };

static void on_neighbour(const void *payload, const struct netlink_attrs *attrs, void *context)
{
    struct entry *entry = context;
    const struct ndmsg *message = payload;
    entry->state = message->ndm_state;
    if ((entry->state & USABLE) && attrs->data[NDA_LLADDR] && attrs->bytes[NDA_LLADDR] == 6) {
        memcpy(entry->neighbour.mac, attrs->data[NDA_LLADDR], 6);
        entry->neighbour.valid = true;
    }
}

/* No entry is no error: state 0. */
static int read_entry(const struct trk_next_hop *hop, struct entry *entry)
{
    struct netlink_request request;
    memset(entry, 0, sizeof *entry);
    struct ndmsg *message = netlink_begin(&request, RTM_GETNEIGH, 0, sizeof *message);
    if (!message)
        return -1;
    message->ndm_family = hop->family == 4 ? AF_INET : AF_INET6;
    message->ndm_ifindex = hop->ifindex;
    netlink_add(&request, NDA_DST, hop->address, hop->family == 4 ? 4 : 16);
    return netlink_ask(&request, sizeof *message, on_neighbour, entry) && errno != ENOENT ? -1 : 0;
}

static void knock(const struct trk_next_hop *hop)
{
    struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(DISCARD_PORT) };
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(DISCARD_PORT), .sin6_scope_id = (uint32_t)hop->ifindex };
    memcpy(&v4.sin_addr, hop->address, sizeof v4.sin_addr);
    memcpy(&v6.sin6_addr, hop->address, sizeof v6.sin6_addr);
    int fd = socket(hop->family == 4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return;
    /* The route may lead elsewhere than this interface; if the kernel refuses, the route is right mostly. */
    (void)setsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, &hop->ifindex, sizeof hop->ifindex);
    if (hop->family == 4)
        (void)sendto(fd, "", 0, MSG_NOSIGNAL, (struct sockaddr *)&v4, sizeof v4);
    else
        (void)sendto(fd, "", 0, MSG_NOSIGNAL, (struct sockaddr *)&v6, sizeof v6);
    close(fd);
}

static uint64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void pause_us(unsigned us)
{
    struct timespec t = { 0, (long)us * 1000 };
    nanosleep(&t, NULL);
}

int trk_neighbour_resolve(const struct trk_next_hop *hop, unsigned timeout_ms, struct trk_link_neighbour *out)
{
    struct entry entry;
    uint64_t until = now_us() + (uint64_t)timeout_ms * 1000;
    if (read_entry(hop, &entry))
        return -1;
    if (!entry.neighbour.valid || (entry.state & NUD_STALE))
        knock(hop);
    bool asking = false;               /* the kernel has begun to ask: a failure from now on is news */
    for (unsigned wait_us = FIRST_WAIT_US; !entry.neighbour.valid && now_us() < until; ) {
        if (asking && (entry.state & NUD_FAILED))
            break;
        pause_us(wait_us);
        wait_us = wait_us * 2 < LONGEST_WAIT_US ? wait_us * 2 : LONGEST_WAIT_US;
        if (read_entry(hop, &entry))
            return -1;
        asking |= (entry.state & NUD_INCOMPLETE) != 0;
    }
    *out = entry.neighbour;
    if (!out->valid)
        errno = EHOSTUNREACH;
    return out->valid ? 0 : -1;
}
