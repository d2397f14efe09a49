/* listens.c - what is listened on: addresses, and the guard of each, which keeps the kernel's TCP silent there. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "address.h"
#include "group.h"

/* An address that is there already, or that one of both families covers. */
static bool covered(const struct msk_listens *all, const struct sockaddr_storage *a)
{
    for (size_t i = 0; i < all->n; i++) {
        const struct msk_listen *l = &all->at[i];
        uint8_t bytes[16];
        if (l->port.port != msk_address_port(a) || l->port.port == 0)
            continue;
        if (l->any && msk_address_any(a) && l->port.family == 0)
            return true;
        if (l->address.ss_family == a->ss_family && msk_address_bytes(a, bytes) && memcmp(bytes, l->port.addr, sizeof bytes) == 0)
            return true;
    }
    return false;
}

static bool add_listen(struct msk_listens *all, const struct sockaddr_storage *a, struct msk_pool *handed, char *error, size_t error_bytes)
{
    char where[64], why[MSK_ERROR_BYTES];
    struct msk_listen *l = &all->at[all->n];
    if (covered(all, a))
        return true;
    if (all->n == MSK_LISTENS_MAX) {
        snprintf(error, error_bytes, "more than %d listen addresses", MSK_LISTENS_MAX);
        errno = EINVAL;
        return false;
    }
    l->guard = handed ? msk_pool_guard(handed, a) : -1;
    if (l->guard < 0)
        l->guard = trk_guard_open((const struct sockaddr *)a, msk_address_length(a), TRK_GUARD_ALL, 0, why, sizeof why);
    if (l->guard < 0) {
        int saved = errno;
        msk_address_format(a, where, sizeof where);
        snprintf(error, error_bytes, "cannot listen on %s: %s", where, saved == EADDRINUSE ? "another program has this port" : why);
        errno = saved;
        return false;
    }
    socklen_t length = sizeof l->address;
    getsockname(l->guard, (struct sockaddr *)&l->address, &length);
    l->any = msk_address_any(&l->address);
    l->port.family = msk_address_bytes(&l->address, l->port.addr);
    l->port.port = msk_address_port(&l->address);
    if (l->any && l->port.family == 6)
        l->port.family = 0;
    all->n++;
    return true;
}

/* Addresses of both families first, so that they cover their 0.0.0.0. */
bool msk_listens_open(struct msk_listens *all, const struct msk_options *o, struct msk_pool *handed, char *error, size_t error_bytes)
{
    struct sockaddr_storage a;
    if (o->n_listen == 0) {
        snprintf(error, error_bytes, "no listen address");
        errno = EINVAL;
        return false;
    }
    for (int both = 1; both >= 0; both--)
        for (size_t i = 0; i < o->n_listen; i++) {
            if (!msk_address_parse(o->listen[i], &a, error, error_bytes)) {
                errno = EINVAL;
                return false;
            }
            bool is_both = a.ss_family == AF_INET6 && msk_address_any(&a);
            if (is_both == both && !add_listen(all, &a, handed, error, error_bytes))
                return false;
        }
    return true;
}

void msk_listens_close(struct msk_listens *all)
{
    for (size_t i = 0; i < all->n; i++)
        if (all->at[i].guard >= 0)
            close(all->at[i].guard);
    all->n = 0;
}

size_t msk_listens_ports(const struct msk_listens *all, struct trk_link_port out[MSK_LISTENS_MAX])
{
    for (size_t i = 0; i < all->n; i++)
        out[i] = all->at[i].port;
    return all->n;
}
