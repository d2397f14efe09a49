/* ucont.c - user continuations: the application's state, sealed for the journey (paper 3.2).
 *
 * SIV: the MAC of the plaintext is also the nonce of the cipher, so sealing needs no randomness and
 * every replica makes the same bytes. Equal plaintexts of one connection show as equal; nothing else does. */
#include "tcb/memo.h"
#include "tcb/prf.h"

static void put_header(uint8_t out[TRK_UCONT_HEADER], uint8_t type, uint8_t flags, uint8_t epoch, uint16_t opaque_bytes,
                       uint64_t first, uint64_t second)
{
    struct trk_writer w = trk_writer_init(out, TRK_UCONT_HEADER);
    trk_put(&w, type, 1);
    trk_put(&w, flags, 1);
    trk_put(&w, epoch, 1);
    trk_put(&w, opaque_bytes, 2);
    trk_put(&w, first, 8);
    trk_put(&w, second, 8);
}

static void mac_of(const struct trk_epoch *e, const struct trk_conn_id *id, const uint8_t header[TRK_UCONT_HEADER],
                   const uint8_t *opaque, uint16_t opaque_bytes, uint8_t mac[TRK_SEAL_BYTES])
{
    uint8_t in[TRK_UCONT_HEADER + 12 + TRK_OPAQUE_MAX];
    struct trk_writer w = trk_writer_init(in, sizeof in);
    trk_put_bytes(&w, header, TRK_UCONT_HEADER);
    trk_put(&w, id->h, 8);
    trk_put(&w, id->t, 4);
    trk_put_bytes(&w, opaque, opaque_bytes);
    size_t n = trk_written(&w, in);
    crypto_shorthash_siphashx24(mac, in, n, e->ucont_mac);
    sodium_memzero(in, n);
}

/* Encrypts and decrypts: the keystream depends on the MAC alone. */
static void cipher(const struct trk_epoch *e, const uint8_t mac[TRK_SEAL_BYTES], uint8_t *text, uint16_t bytes)
{
    uint8_t nonce[crypto_stream_xchacha20_NONCEBYTES] = { 0 };
    memcpy(nonce, mac, TRK_SEAL_BYTES);
    crypto_stream_xchacha20_xor(text, text, bytes, nonce, e->ucont_enc);
}

size_t trk_ucont_seal(const struct trk_epoch *e, const struct trk_conn_id *id, const struct trk_ucont *u, uint8_t *out, size_t cap)
{
    if (u->opaque_bytes > TRK_OPAQUE_MAX || trk_ucont_sealed_bytes(u->opaque_bytes) > cap)
        return 0;
    uint8_t *opaque = out + TRK_UCONT_HEADER, *mac = opaque + u->opaque_bytes;
    put_header(out, u->type, u->flags, e->epoch, u->opaque_bytes, u->first, u->second);
    mac_of(e, id, out, u->opaque, u->opaque_bytes, mac);
    memcpy(opaque, u->opaque, u->opaque_bytes);
    if (u->flags & TRK_UCONT_ENCRYPTED)
        cipher(e, mac, opaque, u->opaque_bytes);
    return trk_ucont_sealed_bytes(u->opaque_bytes);
}

enum trk_verdict trk_ucont_open(const struct trk_keys *keys, const struct trk_conn_id *id, const struct trk_ucont_view *v, struct trk_ucont *out)
{
    if (keys->memo && trk_memo_find(keys->memo, id, v, out))
        return TRK_V_ACCEPTED;
    const struct trk_epoch *e = trk_keys_find(keys, v->epoch);
    if (!e)
        return trk_keys_missing(keys, v->epoch);
    if (v->opaque_bytes > TRK_OPAQUE_MAX || v->total_bytes != trk_ucont_sealed_bytes(v->opaque_bytes))
        return TRK_V_BAD_CONTINUATION;
    const uint8_t *sealed = v->bytes + TRK_UCONT_HEADER, *mac = sealed + v->opaque_bytes;
    memcpy(out->opaque, sealed, v->opaque_bytes);
    if (v->flags & TRK_UCONT_ENCRYPTED)
        cipher(e, mac, out->opaque, v->opaque_bytes);
    /* The header is made anew from the view's values: what the caller acts on is what the MAC covers. */
    uint8_t header[TRK_UCONT_HEADER], expected[TRK_SEAL_BYTES];
    put_header(header, v->type, v->flags, v->epoch, v->opaque_bytes, v->first, v->second);
    mac_of(e, id, header, out->opaque, v->opaque_bytes, expected);
    if (crypto_verify_16(expected, mac) != 0) {
        sodium_memzero(out, sizeof *out);      /* no plaintext that nothing vouches for */
        return TRK_V_BAD_CONTINUATION;
    }
    out->type = v->type;
    out->flags = v->flags;
    out->first = v->first;
    out->second = v->second;
    out->opaque_bytes = v->opaque_bytes;
    if (keys->memo)
        trk_memo_keep(keys->memo, id, v, out);
    return TRK_V_ACCEPTED;
}
