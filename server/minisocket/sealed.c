/* sealed.c - see sealed.h. */
#include "sealed.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>
#include "wire/bytes.h"

#define VERSION 1
static const uint8_t magic[4] = "TMSK";

/* Fields travel by name: whoever adds one to these adds it here, and counts VERSION up. (`expects` is this host's own.) */
_Static_assert(sizeof(struct trk_decision) == 48 && sizeof(struct trk_serve_config) == 16 + sizeof(void *), "all fields are written below");

static void keyed_hash(const struct trk_epoch *e, const char *purpose, const uint8_t *in, size_t n, uint8_t out[MSK_SEALED_MAC])
{
    uint8_t personal[crypto_generichash_blake2b_PERSONALBYTES] = { 0 };
    memcpy(personal, purpose, strlen(purpose));
    crypto_generichash_blake2b_salt_personal(out, MSK_SEALED_MAC, in, n, e->minisocket, sizeof e->minisocket, NULL, personal);
}

static void mac_of(const struct trk_epoch *e, const uint8_t *in, size_t n, uint8_t out[MSK_SEALED_MAC])
{
    keyed_hash(e, "trk minisocket", in, n, out);
}

static uint32_t fingerprint(const struct trk_epoch *e)
{
    uint8_t hash[MSK_SEALED_MAC];
    keyed_hash(e, "trk key name", NULL, 0, hash);
    return (uint32_t)hash[0] << 24 | (uint32_t)hash[1] << 16 | (uint32_t)hash[2] << 8 | hash[3];
}

static void put_config(struct trk_writer *w, const struct trk_serve_config *c)
{
    trk_put(w, c->domain, 4);
    trk_put(w, c->mss_v4, 2);
    trk_put(w, c->mss_v6, 2);
    trk_put(w, c->horizon_ms, 4);
    trk_put(w, c->skew_ms, 4);
}

static void get_config(struct trk_reader *r, struct trk_serve_config *c)
{
    c->domain = (uint32_t)trk_get(r, 4);
    c->mss_v4 = (uint16_t)trk_get(r, 2);
    c->mss_v6 = (uint16_t)trk_get(r, 2);
    c->horizon_ms = (uint32_t)trk_get(r, 4);
    c->skew_ms = (uint32_t)trk_get(r, 4);
    c->expects = NULL;                 /* nothing is checked under it any more */
}

/* Of an event, so the verdict is ANSWERED. */
static void put_decision(struct trk_writer *w, const struct trk_decision *d)
{
    uint8_t flags = (uint8_t)(d->attested << 6 | d->stale << 7);
    for (unsigned p = 0; p < TRK_PARTS_MAX; p++) {
        trk_put(w, d->mask[p], 8);
        flags |= (uint8_t)(d->terminal[p] << p);
    }
    for (unsigned p = 0; p < TRK_PARTS_MAX; p++)
        trk_put(w, d->recreate[p], 1);
    trk_put(w, flags, 1);
    trk_put(w, d->generation, 4);
    trk_put(w, d->domain, 4);
}

static void get_decision(struct trk_reader *r, struct trk_decision *d)
{
    d->verdict = TRK_V_ANSWERED;
    for (unsigned p = 0; p < TRK_PARTS_MAX; p++)
        d->mask[p] = trk_get(r, 8);
    for (unsigned p = 0; p < TRK_PARTS_MAX; p++)
        d->recreate[p] = (uint8_t)trk_get(r, 1);
    uint8_t flags = (uint8_t)trk_get(r, 1);
    for (unsigned p = 0; p < TRK_PARTS_MAX; p++)
        d->terminal[p] = flags >> p & 1;
    d->attested = flags >> 6 & 1;
    d->stale = flags >> 7 & 1;
    d->generation = (uint32_t)trk_get(r, 4);
    d->domain = (uint32_t)trk_get(r, 4);
}

void msk_seal(const struct minisock *m, uint8_t *out)
{
    const struct trk_epoch *e = trk_keys_current(&m->server->keys);
    size_t total = msk_sealed_bytes(m);
    struct trk_writer w = trk_writer_init(out, total);
    trk_put_bytes(&w, magic, sizeof magic);
    trk_put(&w, VERSION, 1);
    trk_put(&w, e->epoch, 1);
    trk_put(&w, fingerprint(e), 4);
    trk_put(&w, total, 4);
    trk_put(&w, m->now_ms, 8);
    put_config(&w, &m->config);
    put_decision(&w, &m->decision);
    trk_put(&w, m->packet_bytes, 2);
    trk_put_bytes(&w, m->packet, m->packet_bytes);
    mac_of(e, out, total - MSK_SEALED_MAC, out + total - MSK_SEALED_MAC);
}

int msk_unseal(const struct trk_keys *keys, const uint8_t *bytes, size_t n, struct minisock *m, size_t *used)
{
    struct trk_reader r = trk_reader_init(bytes, n);
    uint8_t mac[MSK_SEALED_MAC], said_magic[4] = { 0 };
    *used = 0;
    trk_get_bytes(&r, said_magic, sizeof said_magic);
    uint8_t version = (uint8_t)trk_get(&r, 1), epoch = (uint8_t)trk_get(&r, 1);
    uint32_t name = (uint32_t)trk_get(&r, 4);
    size_t total = (size_t)trk_get(&r, 4);
    if (r.truncated || memcmp(said_magic, magic, sizeof magic) != 0 || total > n || total < MSK_SEALED_HEADER + MSK_SEALED_MAC)
        return -EBADMSG;
    *used = total;
    const struct trk_epoch *e = trk_keys_find(keys, epoch);
    if (version != VERSION)
        return -ENOTSUP;
    if (!e || name != fingerprint(e))
        return -ENOKEY;
    mac_of(e, bytes, total - MSK_SEALED_MAC, mac);
    if (sodium_memcmp(mac, bytes + total - MSK_SEALED_MAC, sizeof mac) != 0)
        return -EBADMSG;
    m->now_ms = trk_get(&r, 8);
    get_config(&r, &m->config);
    get_decision(&r, &m->decision);
    m->packet_bytes = (uint32_t)trk_get(&r, 2);
    if (m->packet_bytes != total - MSK_SEALED_HEADER - MSK_SEALED_MAC)
        return -EBADMSG;
    m->packet = memcpy(msk_slot_memory(m), r.at, m->packet_bytes);
    return 0;
}
