/* keys.c - epochs, their subkeys, and the identifiers drawn from them. */
#include "tcb/keys.h"
#include "tcb/prf.h"

/* One purpose, one subkey: a value made for one use can never pass for another. The numbers are part of
 * the protocol (all replicas derive alike), so they are only ever appended to. */
enum purpose {
    PURPOSE_SEAL = 1, PURPOSE_NONCE = 2, PURPOSE_ID = 3, PURPOSE_ADDRESS = 5,
    PURPOSE_UCONT_MAC = 6, PURPOSE_UCONT_ENC = 7, PURPOSE_MINISOCKET = 8,
};
#define CONTEXT "Trickles"             /* exactly crypto_kdf_CONTEXTBYTES */
#define NO_CURRENT TRK_EPOCHS_MAX

void trk_keys_init(struct trk_keys *keys)
{
    memset(keys, 0, sizeof *keys);
    keys->current = NO_CURRENT;
}

void trk_master_of(const uint8_t master[TRK_MASTER_BYTES], const char *application, size_t bytes, uint8_t out[TRK_MASTER_BYTES])
{
    uint8_t own[TRK_MASTER_BYTES];
    if (bytes == 0)
        memcpy(own, master, sizeof own);
    else
        crypto_generichash(own, sizeof own, (const uint8_t *)application, bytes, master, TRK_MASTER_BYTES);
    memcpy(out, own, sizeof own);
    sodium_memzero(own, sizeof own);
}

/* The epoch is part of the subkey's number: a master key that is listed under two epochs by mistake
 * still gives two sets of subkeys. */
static void derive(uint8_t *key, size_t bytes, uint8_t epoch, enum purpose purpose, const uint8_t *master)
{
    crypto_kdf_derive_from_key(key, bytes, (uint64_t)epoch << 8 | purpose, CONTEXT, master);
}

bool trk_keys_add(struct trk_keys *keys, uint8_t epoch, enum trk_epoch_state state, const uint8_t master[TRK_MASTER_BYTES])
{
    if (keys->n == TRK_EPOCHS_MAX || trk_keys_find(keys, epoch))
        return false;
    if (state == TRK_EPOCH_CURRENT) {
        if (keys->current != NO_CURRENT)
            return false;
        keys->current = keys->n;
    }
    struct trk_epoch *e = &keys->epochs[keys->n++];
    e->epoch = epoch;
    e->state = (uint8_t)state;
    derive(e->seal, sizeof e->seal, epoch, PURPOSE_SEAL, master);
    derive(e->nonce, sizeof e->nonce, epoch, PURPOSE_NONCE, master);
    derive(e->id, sizeof e->id, epoch, PURPOSE_ID, master);
    derive(e->address, sizeof e->address, epoch, PURPOSE_ADDRESS, master);
    derive(e->ucont_mac, sizeof e->ucont_mac, epoch, PURPOSE_UCONT_MAC, master);
    derive(e->ucont_enc, sizeof e->ucont_enc, epoch, PURPOSE_UCONT_ENC, master);
    derive(e->minisocket, sizeof e->minisocket, epoch, PURPOSE_MINISOCKET, master);
    return true;
}

const struct trk_epoch *trk_keys_find(const struct trk_keys *keys, uint8_t epoch)
{
    for (unsigned i = 0; i < keys->n; i++)
        if (keys->epochs[i].epoch == epoch)
            return &keys->epochs[i];
    return NULL;
}

const struct trk_epoch *trk_keys_current(const struct trk_keys *keys)
{
    return keys->current < keys->n ? &keys->epochs[keys->current] : NULL;
}

enum trk_verdict trk_keys_missing(const struct trk_keys *keys, uint8_t epoch)
{
    unsigned lowest = 0;               /* an empty set has retired nothing */
    for (unsigned i = 0; i < keys->n; i++)
        if (i == 0 || keys->epochs[i].epoch < lowest)
            lowest = keys->epochs[i].epoch;
    return epoch < lowest ? TRK_V_RETIRED_EPOCH : TRK_V_UNKNOWN_EPOCH;
}

void trk_keys_wipe(struct trk_keys *keys)
{
    sodium_memzero(keys, sizeof *keys);
    keys->current = NO_CURRENT;
}

#define ADDR_BYTES 17

static void put_addr(struct trk_writer *w, const struct trk_addr *addr)
{
    trk_put(w, addr->family, 1);
    trk_put_bytes(w, addr->bytes, sizeof addr->bytes);
}

uint64_t trk_conn_hash(const struct trk_epoch *e, const uint8_t random[TRK_RANDOM_BYTES], const struct trk_flow *flow)
{
    uint8_t in[TRK_RANDOM_BYTES + 2 * (ADDR_BYTES + 2)];
    struct trk_writer w = trk_writer_init(in, sizeof in);
    trk_put_bytes(&w, random, TRK_RANDOM_BYTES);
    put_addr(&w, &flow->src);
    put_addr(&w, &flow->dst);
    trk_put(&w, flow->sport, 2);
    trk_put(&w, flow->dport, 2);
    return trk_prf64(e->id, in, sizeof in);
}

uint32_t trk_conn_isn(uint64_t h)
{
    return (uint32_t)(h ^ h >> 32);
}

uint32_t trk_address_tag(const struct trk_epoch *e, const struct trk_addr *addr, uint16_t port)
{
    uint8_t in[ADDR_BYTES + 2];
    struct trk_writer w = trk_writer_init(in, sizeof in);
    put_addr(&w, addr);
    trk_put(&w, port, 2);
    return (uint32_t)trk_prf64(e->address, in, sizeof in);
}
