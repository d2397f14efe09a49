/* test_keys.c - key sets, and what is derived from them, against vectors.py. */
#include <string.h>
#include "tcb/keys.h"
#include "unit.h"
#include "vectors.h"

static uint8_t master[TRK_MASTER_BYTES];
static const uint8_t random_bytes[TRK_RANDOM_BYTES] = { 100, 101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111, 112, 113, 114, 115 };
static const struct trk_flow flow = {
    .src = { 6, { 0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2 } }, .dst = { 4, { 192, 0, 2, 1 } }, .sport = 40000, .dport = 80,
};

static struct trk_keys one_epoch(uint8_t epoch)
{
    struct trk_keys keys;
    for (int i = 0; i < TRK_MASTER_BYTES; i++)
        master[i] = (uint8_t)i;
    trk_keys_init(&keys);
    ck_assert(trk_keys_add(&keys, epoch, TRK_EPOCH_CURRENT, master));
    return keys;
}

START_TEST(subkeys_equal_the_second_implementation)
{
    struct trk_keys keys = one_epoch(3);
    const struct trk_epoch *e = trk_keys_current(&keys);
    ck_assert_mem_eq(e->seal, vector_key_seal, 16);
    ck_assert_mem_eq(e->nonce, vector_key_nonce, 16);
    ck_assert_mem_eq(e->id, vector_key_id, 16);
    ck_assert_mem_eq(e->address, vector_key_address, 16);
    ck_assert_mem_eq(e->ucont_mac, vector_key_ucont_mac, 16);
    ck_assert_mem_eq(e->ucont_enc, vector_key_ucont_enc, 32);
    ck_assert_mem_eq(e->minisocket, vector_key_minisocket, 32);
}
END_TEST

START_TEST(identifiers_equal_the_second_implementation)
{
    struct trk_keys keys = one_epoch(3);
    const struct trk_epoch *e = trk_keys_current(&keys);
    ck_assert_uint_eq(trk_conn_hash(e, random_bytes, &flow), VECTOR_CONN_HASH);
    ck_assert_uint_eq(trk_conn_isn(0x0123456789abcdefull), 0x01234567u ^ 0x89abcdefu);
    ck_assert_uint_eq(trk_address_tag(e, &flow.dst, 40000), VECTOR_ADDRESS_TAG);
}
END_TEST

START_TEST(one_master_under_two_epochs_gives_different_subkeys)
{
    struct trk_keys a = one_epoch(3), b = one_epoch(4);
    ck_assert_mem_ne(a.epochs[0].seal, b.epochs[0].seal, 16);
    ck_assert_mem_ne(a.epochs[0].nonce, b.epochs[0].nonce, 16);
    ck_assert_mem_ne(a.epochs[0].ucont_mac, b.epochs[0].ucont_mac, 16);
}
END_TEST

START_TEST(the_connection_hash_depends_on_every_part)
{
    struct trk_keys keys = one_epoch(3);
    const struct trk_epoch *e = trk_keys_current(&keys);
    uint64_t h = trk_conn_hash(e, random_bytes, &flow);
    struct trk_flow f = flow;
    f.sport++;
    ck_assert_uint_ne(trk_conn_hash(e, random_bytes, &f), h);
    f = flow;
    f.dport++;
    ck_assert_uint_ne(trk_conn_hash(e, random_bytes, &f), h);
    f = flow;
    f.src.bytes[15]++;
    ck_assert_uint_ne(trk_conn_hash(e, random_bytes, &f), h);
    f = flow;
    f.dst.family = 6;                  /* 192.0.2.1 is not c000:201:: */
    ck_assert_uint_ne(trk_conn_hash(e, random_bytes, &f), h);
    uint8_t other[TRK_RANDOM_BYTES];
    memcpy(other, random_bytes, sizeof other);
    other[15] ^= 1;
    ck_assert_uint_ne(trk_conn_hash(e, other, &flow), h);
    f = trk_flow_reverse(&flow);
    ck_assert_uint_ne(trk_conn_hash(e, random_bytes, &f), h);
    ck_assert_uint_ne(trk_address_tag(e, &flow.dst, 40001), VECTOR_ADDRESS_TAG);
    ck_assert_uint_ne(trk_address_tag(e, &flow.src, 40000), VECTOR_ADDRESS_TAG);
}
END_TEST

START_TEST(a_set_has_one_current_epoch_and_no_epoch_twice)
{
    struct trk_keys keys;
    trk_keys_init(&keys);
    ck_assert_ptr_null(trk_keys_current(&keys));
    ck_assert(trk_keys_add(&keys, 7, TRK_EPOCH_RETIRING, master));
    ck_assert_ptr_null(trk_keys_current(&keys));
    ck_assert(trk_keys_add(&keys, 8, TRK_EPOCH_CURRENT, master));
    ck_assert(!trk_keys_add(&keys, 8, TRK_EPOCH_ADDED, master));
    ck_assert(!trk_keys_add(&keys, 9, TRK_EPOCH_CURRENT, master));
    for (uint8_t epoch = 9; epoch < 15; epoch++)
        ck_assert(trk_keys_add(&keys, epoch, TRK_EPOCH_ADDED, master));
    ck_assert(!trk_keys_add(&keys, 15, TRK_EPOCH_ADDED, master));      /* full */
    ck_assert_uint_eq(keys.n, TRK_EPOCHS_MAX);
    ck_assert_uint_eq(trk_keys_current(&keys)->epoch, 8);
    ck_assert_uint_eq(trk_keys_find(&keys, 7)->state, TRK_EPOCH_RETIRING);
    ck_assert_ptr_null(trk_keys_find(&keys, 15));
}
END_TEST

START_TEST(retired_is_told_apart_from_unknown)
{
    struct trk_keys keys;
    trk_keys_init(&keys);
    ck_assert_int_eq(trk_keys_missing(&keys, 0), TRK_V_UNKNOWN_EPOCH);
    ck_assert(trk_keys_add(&keys, 9, TRK_EPOCH_CURRENT, master));
    ck_assert(trk_keys_add(&keys, 7, TRK_EPOCH_RETIRING, master));
    ck_assert_int_eq(trk_keys_missing(&keys, 6), TRK_V_RETIRED_EPOCH);
    ck_assert_int_eq(trk_keys_missing(&keys, 0), TRK_V_RETIRED_EPOCH);
    ck_assert_int_eq(trk_keys_missing(&keys, 8), TRK_V_UNKNOWN_EPOCH);
    ck_assert_int_eq(trk_keys_missing(&keys, 255), TRK_V_UNKNOWN_EPOCH);
}
END_TEST

START_TEST(wiping_leaves_no_key)
{
    struct trk_keys keys = one_epoch(3), empty;
    memset(&empty, 0, sizeof empty);
    trk_keys_wipe(&keys);
    ck_assert_mem_eq(keys.epochs, empty.epochs, sizeof keys.epochs);
    ck_assert_ptr_null(trk_keys_current(&keys));
    ck_assert_ptr_null(trk_keys_find(&keys, 0));
}
END_TEST

UNIT_MAIN("keys", subkeys_equal_the_second_implementation, identifiers_equal_the_second_implementation,
          one_master_under_two_epochs_gives_different_subkeys, the_connection_hash_depends_on_every_part,
          a_set_has_one_current_epoch_and_no_epoch_twice, retired_is_told_apart_from_unknown, wiping_leaves_no_key)
