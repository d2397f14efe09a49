/* collection.c - minisockets on their way to another process or machine (paper 3.1: extract and install events). */
#include <errno.h>
#include <string.h>
#include "sealed.h"

#define LIFE_MS 5000
#define NEIGHBOUR_MS 200

/* ---- extract ---- */

static int extract(struct msk_server *s, struct minisock *m, struct msk_collection *out, int n, int *used)
{
    if (m->state == MSK_FREE)
        return -EBADF;
    if (m->server != s || m->spend.type == TRK_SPEND_CLOSE)
        return -EINVAL;
    size_t bytes = msk_sealed_bytes(m);
    int c = 0;
    while (c < n && out[c].capacity - out[c].bytes < bytes)
        c++;
    if (c == n)
        return -ENOBUFS;
    msk_seal(m, out[c].data + out[c].bytes);
    out[c].bytes += bytes;
    out[c].n++;
    if (*used <= c)
        *used = c + 1;
    msk_count_other(s, MSK_COUNT_EXTRACTED);
    msk_slot_free(m);
    return 0;
}

int msk_extract_events(struct msk_server *s, struct extract_mskdesc_in *in, int inlen, struct msk_collection *out, int *outlen)
{
    int extracted = 0, used = 0;
    for (int c = 0; c < *outlen; c++) {
        out[c].bytes = 0;
        out[c].n = out[c].result = 0;
    }
    for (int i = 0; i < inlen; i++) {
        in[i].result = extract(s, in[i].m, out, *outlen, &used);
        extracted += in[i].result == 0;
    }
    *outlen = used;
    return extracted;
}

/* ---- install ---- */

/* Clocks may differ by the skew, either way. */
static bool in_time(const struct msk_server *s, uint64_t sealed_ms)
{
    int64_t skew = s->skew_ms ? s->skew_ms : TRK_SKEW_MS, life = s->extracted_life_ms ? s->extracted_life_ms : LIFE_MS;
    int64_t age = (int64_t)(msk_real_ms() - sealed_ms);
    return age >= -skew && age <= life + skew;
}

/* From here to the client: which interface, and whose link-layer address. */
static int find_way(struct minisock *m)
{
    const struct trk_addr *client = &m->segment.flow.src;
    struct trk_route route;
    if (trk_route_lookup(client->family, client->bytes, NULL, NEIGHBOUR_MS, &route) != 0)
        return -errno;
    m->ifindex = route.ifindex;
    m->iface = NULL;
    m->from = route.neighbour;
    if (trk_header_bytes(client->family) + m->spend.request.fill > route.mtu)
        return -EMSGSIZE;
    for (size_t i = 0; i < m->server->n_ifaces; i++)
        if (m->server->ifaces[i].ifindex == route.ifindex)
            return 0;
    return -ENODEV;
}

static int install(struct msk_server *s, const uint8_t *bytes, size_t n, size_t *used)
{
    struct minisock *m = msk_slot_spare(s);
    *used = 0;
    if (!m)
        return -ENOBUFS;
    int rc = msk_unseal(&s->keys, bytes, n, m, used);
    if (rc == 0 && !in_time(s, m->now_ms))
        rc = -ETIME;
    if (rc == 0 && !msk_reread(m))
        rc = -ENOKEY;                  /* of its grants, which may be older than the seal */
    if (rc == 0)
        rc = find_way(m);
    if (rc == 0)
        msk_queue_put(m, false);
    else
        msk_slot_free(m);
    return rc;
}

static void install_all(struct msk_server *s, struct msk_collection *c)
{
    size_t at = 0, used;
    c->n = c->result = 0;
    do {
        int rc = install(s, c->data + at, c->bytes - at, &used);
        msk_count_other(s, rc == 0 ? MSK_COUNT_INSTALLED : MSK_COUNT_NOT_INSTALLED);
        if (rc == 0)
            c->n++;
        else if (c->result == 0)
            c->result = rc;
        at += used;
    } while (used > 0 && at < c->bytes);
}

int msk_install_events(struct msk_server *s, struct msk_collection *collections, int n)
{
    int installed = 0;
    for (int i = 0; i < n; i++) {
        if (collections[i].bytes > 0)
            install_all(s, &collections[i]);
        else
            collections[i].n = collections[i].result = 0;
        installed += collections[i].n;
    }
    return installed;
}
