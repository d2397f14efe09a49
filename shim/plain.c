#include "plain.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "address.h"
#include "libc.h"
#include "peers.h"

/* A burst of connections to one server asks once. Short, as the server may be replaced by one that speaks Trickles
 * only, where TCP would wait in vain. */
#define REMEMBERED_MS 3000
#define SLOTS         64

static struct { struct trk_addr addr; uint16_t port; uint64_t until_ms; } slots[SLOTS];        /* brief lock held */

static uint64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static size_t slot_of(const struct trk_addr *addr, uint16_t port)
{
    size_t hash = port;
    for (size_t i = 0; i < sizeof addr->bytes; i++)
        hash = hash * 31 + addr->bytes[i];
    return hash % SLOTS;
}

void shim_plain_remember(const union shim_address *peer)
{
    struct trk_addr addr = shim_address_addr(peer);
    uint16_t port = shim_address_port(peer);
    size_t i = slot_of(&addr, port);
    struct shim_kept kept;
    shim_lock_briefly(&kept);
    slots[i].addr = addr;
    slots[i].port = port;
    slots[i].until_ms = now_ms() + REMEMBERED_MS;
    shim_unlock_briefly(&kept);
}

static bool remembered(const struct trk_addr *addr, uint16_t port)
{
    size_t i = slot_of(addr, port);
    struct shim_kept kept;
    shim_lock_briefly(&kept);
    bool found = slots[i].until_ms > now_ms() && slots[i].port == port && trk_addr_equal(&slots[i].addr, addr);
    shim_unlock_briefly(&kept);
    return found;
}

/* Where a datagram to it would come from: the address itself, if it is one of this host. Nothing is sent. */
static bool routes_to_itself(const struct trk_addr *addr)
{
    union shim_address at = shim_address_make(addr->family == 4 ? AF_INET : AF_INET6, addr, 9);
    socklen_t len = shim_address_bytes(at.any.sa_family);
    int fd = socket(at.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    bool known = libc_connect(fd, &at.any, len) == 0 && libc_getsockname(fd, &at.any, &len) == 0;
    libc_close(fd);
    struct trk_addr source = shim_address_addr(&at);
    return known && trk_addr_equal(&source, addr);
}

static bool is_this_host(const struct trk_addr *addr)
{
    static const uint8_t v6_loopback[16] = { [15] = 1 };
    if (addr->family == 4 ? addr->bytes[0] == 127 : memcmp(addr->bytes, v6_loopback, 16) == 0)
        return true;
    return routes_to_itself(addr);
}

const char *shim_plain_why(const union shim_address *peer)
{
    struct trk_addr addr = shim_address_addr(peer);
    const char *why = NULL;
    int kept = errno;
    if (remembered(&addr, shim_address_port(peer)))
        why = "the server spoke TCP only a moment ago";
    else if (is_this_host(&addr) && !shim_peers_on(SHIM_LOOPBACK_IFINDEX))
        why = "no Trickles server on this host";
    errno = kept;
    return why;
}
