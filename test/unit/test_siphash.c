/* Our SipHash in steps beside libsodium's in one, and nonces beside what PROTOCOL.md 4.4 says of them. */
#include <sodium.h>
#include <string.h>
#include "random.h"
#include "tcb/report.h"
#include "unit.h"
#include "wire/bytes.h"

static void fill(uint64_t *seed, uint8_t *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (uint8_t)random_next(seed);
}

static uint64_t in_steps(const uint8_t key[16], const uint8_t *in, size_t n)
{
    struct trk_siphash s = trk_siphash_begin(key);
    uint64_t last = (uint64_t)n << 56;
    size_t at = 0;
    for (; n - at >= 8; at += 8)
        trk_siphash_block(&s, trk_siphash_load(in + at));
    for (size_t i = 0; at + i < n; i++)
        last |= (uint64_t)in[at + i] << 8 * i;
    return trk_siphash_end(s, last);
}

START_TEST(every_length_equals_libsodium)
{
    uint64_t seed = 1;
    for (int round = 0; round < 200; round++)
        for (size_t n = 0; n <= 70; n++) {
            uint8_t key[crypto_shorthash_KEYBYTES], in[70], hash[crypto_shorthash_BYTES];
            fill(&seed, key, sizeof key);
            fill(&seed, in, n);
            crypto_shorthash(hash, in, n, key);
            ck_assert_uint_eq(in_steps(key, in, n), trk_siphash_load(hash));
        }
}
END_TEST

/* r(x) as one message: id, domain, generation, base, x. */
static uint64_t whole_message(const struct trk_epoch *e, const struct trk_nonce_scope *s, uint64_t x)
{
    uint8_t in[36], hash[crypto_shorthash_BYTES];
    struct trk_writer w = trk_writer_init(in, sizeof in);
    trk_put(&w, s->id.h, 8);
    trk_put(&w, s->id.t, 4);
    trk_put(&w, s->domain, 4);
    trk_put(&w, s->generation, 4);
    trk_put(&w, s->base, 8);
    trk_put(&w, x, 8);
    crypto_shorthash(hash, in, sizeof in, e->nonce);
    return trk_load64(hash);
}

START_TEST(nonces_equal_libsodium_in_any_order_of_numbers)
{
    uint64_t seed = 2;
    for (int round = 0; round < 500; round++) {
        struct trk_epoch e = { 0 };
        fill(&seed, e.nonce, sizeof e.nonce);
        const struct trk_nonce_scope scope = {
            .id = { random_next(&seed), (uint32_t)random_next(&seed) }, .domain = (uint32_t)random_next(&seed),
            .generation = (uint32_t)random_next(&seed), .base = random_next(&seed) >> 16,
        };
        struct trk_nonces nonces = trk_nonces_of(&e, &scope);
        for (int i = 0; i < 40; i++) {             /* on both sides of where x's upper half changes, there and back */
            uint64_t x = ((uint64_t)1 << 32) * random_below(&seed, 3) + random_below(&seed, 3) - 1;
            ck_assert_uint_eq(trk_nonces_step(&nonces, x), whole_message(&e, &scope, x));
        }
        for (int i = 0; i < 40; i++) {
            uint64_t x = random_next(&seed) >> 16;
            ck_assert_uint_eq(trk_nonces_step(&nonces, x), whole_message(&e, &scope, x));
        }
    }
}
END_TEST

UNIT_MAIN("siphash", every_length_equals_libsodium, nonces_equal_libsodium_in_any_order_of_numbers)
