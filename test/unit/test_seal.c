/* test_seal.c - grants and user continuations: determinism, and that nothing about them can be changed. */
#include <string.h>
#include "tcb/seal.h"
#include "unit.h"
#include "vectors.h"

static struct trk_keys keys;
static const struct trk_epoch *epoch;
static const struct trk_conn_id id = { 0x0123456789abcdefull, 0x11223344 };

static void setup(void)
{
    uint8_t master[TRK_MASTER_BYTES];
    for (int i = 0; i < TRK_MASTER_BYTES; i++)
        master[i] = (uint8_t)i;
    trk_keys_init(&keys);
    trk_keys_add(&keys, 3, TRK_EPOCH_CURRENT, master);
    epoch = trk_keys_current(&keys);
}

static struct trk_grant example_grant(void)
{
    return (struct trk_grant){
        .kind = TRK_NORMAL, .epoch = 3, .domain = 0xd0d1d2d3u, .id = id, .generation = 0x102,
        .piece = { 0x010203040506ull, 0x0708, 0x090a }, .a = 0x0b0c0d0e0f10ull, .b = 0x0b0c0d0e0f21ull, .f = 0x0b0c0d0e0f15ull,
        .slot = 1448, .tick = 0x55667788u, .address_tag = 0x99aabbccu,
    };
}

/* ---- grants ---- */

static uint64_t get(const uint8_t **p, unsigned bytes)
{
    uint64_t v = 0;
    while (bytes-- > 0)
        v = v << 8 | *(*p)++;
    return v;
}

/* The inverse of trk_grant_bytes: what a peer that tampers with these bytes would have to send. */
static struct trk_grant grant_from(const uint8_t *p)
{
    struct trk_grant g;
    p++;                               /* version */
    g.kind = (uint8_t)get(&p, 1);
    g.epoch = (uint8_t)get(&p, 1);
    g.domain = (uint32_t)get(&p, 4);
    g.id.h = get(&p, 8);
    g.id.t = (uint32_t)get(&p, 4);
    g.generation = (uint32_t)get(&p, 4);
    g.piece.base = get(&p, 6);
    g.piece.start = (uint32_t)get(&p, 2);
    g.piece.ssthresh = (uint32_t)get(&p, 2);
    g.a = get(&p, 6);
    g.b = g.a + get(&p, 1);
    g.f = g.a + get(&p, 1);
    g.slot = (uint16_t)get(&p, 2);
    g.tick = (uint32_t)get(&p, 4);
    g.address_tag = (uint32_t)get(&p, 4);
    return g;
}

START_TEST(a_grant_equals_the_second_implementation)
{
    setup();
    struct trk_grant g = example_grant();
    uint8_t bytes[TRK_GRANT_SEALED_BYTES], seal[TRK_SEAL_BYTES];
    ck_assert_uint_eq(trk_grant_bytes(&g, bytes), sizeof vector_grant_bytes);
    ck_assert_mem_eq(bytes, vector_grant_bytes, sizeof bytes);
    trk_grant_seal(epoch, &g, seal);
    ck_assert_mem_eq(seal, vector_grant_seal, sizeof seal);
    ck_assert(trk_grant_open(epoch, &g, seal));
    ck_assert_uint_eq(trk_grant_digest(&g), VECTOR_DIGEST);
}
END_TEST

START_TEST(every_bit_of_a_grant_and_its_seal_counts)
{
    setup();
    struct trk_grant g = example_grant(), back;
    uint8_t bytes[TRK_GRANT_SEALED_BYTES], seal[TRK_SEAL_BYTES];
    trk_grant_bytes(&g, bytes);
    trk_grant_seal(epoch, &g, seal);
    back = grant_from(bytes);
    ck_assert(trk_grant_open(epoch, &back, seal));
    for (unsigned bit = 8; bit < 8 * TRK_GRANT_SEALED_BYTES; bit++) {  /* the version is ours, not the peer's */
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        struct trk_grant forged = grant_from(bytes);
        ck_assert_msg(!trk_grant_open(epoch, &forged, seal), "bit %u of the grant", bit);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (unsigned bit = 0; bit < 8 * TRK_SEAL_BYTES; bit++) {
        seal[bit / 8] ^= (uint8_t)(1 << bit % 8);
        ck_assert_msg(!trk_grant_open(epoch, &g, seal), "bit %u of the seal", bit);
        seal[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}
END_TEST

/* A value that the layout would cut must not share a seal with the value it would be cut to. */
START_TEST(a_grant_out_of_bounds_has_no_seal)
{
    setup();
    static const uint8_t zeros[TRK_SEAL_BYTES];
    struct trk_grant good = example_grant(), bad[10];
    for (int i = 0; i < 10; i++)
        bad[i] = good;
    bad[0].piece.base |= 1ull << 48;
    bad[1].piece.start |= 1u << 16;
    bad[2].piece.ssthresh |= 1u << 16;
    bad[3].b = bad[3].a + TRK_GRANT_MAX;
    bad[4].f = bad[4].b + 1;
    bad[5].f = bad[5].a - 1;
    bad[6].b = bad[6].f = bad[6].a - 1;
    bad[7].kind = 2;
    bad[8].epoch = 4;                  /* not the epoch whose key is used */
    bad[9].a = bad[9].b = bad[9].f = TRK_NUMBER_MAX + 1;
    uint8_t seal[TRK_SEAL_BYTES], bytes[TRK_GRANT_SEALED_BYTES];
    trk_grant_seal(epoch, &good, seal);
    for (int i = 0; i < 10; i++) {
        uint8_t none[TRK_SEAL_BYTES];
        ck_assert_msg(i == 8 || trk_grant_bytes(&bad[i], bytes) == 0, "%d has bytes", i);
        ck_assert_msg(!trk_grant_open(epoch, &bad[i], seal), "%d opens", i);
        trk_grant_seal(epoch, &bad[i], none);
        ck_assert_mem_eq(none, zeros, sizeof none);
        ck_assert_msg(!trk_grant_open(epoch, &bad[i], none), "%d opens with zeros", i);
    }
}
END_TEST

START_TEST(the_digest_covers_what_is_predicted_and_nothing_else)
{
    struct trk_grant g = example_grant(), x;
    uint16_t digest = trk_grant_digest(&g);
    x = g; x.a++; x.b++; x.f = x.b; x.tick++;
    ck_assert_uint_eq(trk_grant_digest(&x), digest);
#define CHANGED(change) x = g; x.change; ck_assert_uint_ne(trk_grant_digest(&x), digest)
    CHANGED(kind ^= 1);
    CHANGED(epoch ^= 1);
    CHANGED(domain ^= 1);
    CHANGED(id.h ^= 1);
    CHANGED(id.t ^= 1);
    CHANGED(generation ^= 1);
    CHANGED(piece.base ^= 1);
    CHANGED(piece.start ^= 1);
    CHANGED(piece.ssthresh ^= 1);
    CHANGED(slot ^= 1);
    CHANGED(address_tag ^= 1);
#undef CHANGED
}
END_TEST

/* ---- user continuations ---- */

static struct trk_ucont example_ucont(uint8_t type, uint8_t flags, uint16_t opaque_bytes)
{
    struct trk_ucont u = { .type = type, .flags = flags, .first = 0x1011121314151617ull, .second = 0x2021222324252627ull, .opaque_bytes = opaque_bytes };
    for (int i = 0; i < opaque_bytes; i++)
        u.opaque[i] = (uint8_t)i;
    return u;
}

/* The verdict on these bytes as the server meets them: parsed, then opened. */
static enum trk_verdict open_bytes(const uint8_t *bytes, size_t n, const struct trk_conn_id *conn, struct trk_ucont *out)
{
    struct trk_ucont_view view;
    enum trk_verdict v = trk_ucont_parse(bytes, n, &view);
    return v == TRK_V_ACCEPTED ? trk_ucont_open(&keys, conn, &view, out) : v;
}

START_TEST(continuations_equal_the_second_implementation)
{
    setup();
    uint8_t out[TRK_UCONT_MAX];
    struct trk_ucont u = example_ucont(TRK_UCONT_INPUT, 0, 5);
    ck_assert_uint_eq(trk_ucont_seal(epoch, &id, &u, out, sizeof out), sizeof vector_ucont_plain);
    ck_assert_mem_eq(out, vector_ucont_plain, sizeof vector_ucont_plain);
    u = example_ucont(TRK_UCONT_OUTPUT, TRK_UCONT_FIN | TRK_UCONT_ENCRYPTED, 100);
    ck_assert_uint_eq(trk_ucont_seal(epoch, &id, &u, out, sizeof out), sizeof vector_ucont_encrypted);
    ck_assert_mem_eq(out, vector_ucont_encrypted, sizeof vector_ucont_encrypted);
}
END_TEST

START_TEST(what_is_sealed_opens_again)
{
    setup();
    static const uint16_t sizes[] = { 0, 1, 63, 64, 65, 511, TRK_OPAQUE_MAX };
    for (unsigned i = 0; i < 2 * sizeof sizes / sizeof *sizes; i++) {
        struct trk_ucont u = example_ucont(TRK_UCONT_OUTPUT, i % 2 ? TRK_UCONT_ENCRYPTED : 0, sizes[i / 2]), back;
        uint8_t a[TRK_UCONT_MAX], b[TRK_UCONT_MAX];
        size_t n = trk_ucont_seal(epoch, &id, &u, a, sizeof a);
        ck_assert_uint_eq(n, trk_ucont_sealed_bytes(u.opaque_bytes));
        ck_assert_uint_eq(trk_ucont_seal(epoch, &id, &u, b, n), n);    /* fits exactly, and is the same */
        ck_assert_mem_eq(a, b, n);
        ck_assert_uint_eq(trk_ucont_seal(epoch, &id, &u, b, n - 1), 0);
        ck_assert_int_eq(open_bytes(a, n, &id, &back), TRK_V_ACCEPTED);
        ck_assert(back.type == u.type && back.flags == u.flags && back.first == u.first && back.second == u.second);
        ck_assert_uint_eq(back.opaque_bytes, u.opaque_bytes);
        ck_assert_mem_eq(back.opaque, u.opaque, u.opaque_bytes);
    }
    struct trk_ucont large = example_ucont(TRK_UCONT_OUTPUT, 0, TRK_OPAQUE_MAX);
    uint8_t out[TRK_UCONT_MAX + 64];
    large.opaque_bytes++;
    ck_assert_uint_eq(trk_ucont_seal(epoch, &id, &large, out, sizeof out), 0);
}
END_TEST

START_TEST(every_bit_of_a_sealed_continuation_counts)
{
    setup();
    for (unsigned encrypted = 0; encrypted < 2; encrypted++) {
        struct trk_ucont u = example_ucont(TRK_UCONT_OUTPUT, encrypted ? TRK_UCONT_ENCRYPTED : 0, 40), back;
        uint8_t bytes[TRK_UCONT_MAX] = { 0 };
        size_t n = trk_ucont_seal(epoch, &id, &u, bytes, sizeof bytes);
        for (unsigned bit = 0; bit < 8 * n; bit++) {
            bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
            memset(&back, 0xaa, sizeof back);
            enum trk_verdict v = open_bytes(bytes, sizeof bytes, &id, &back);
            ck_assert_msg(v == TRK_V_BAD_CONTINUATION || v == TRK_V_UNKNOWN_EPOCH || v == TRK_V_RETIRED_EPOCH || v == TRK_V_BAD_FIELD,
                          "bit %u: %s", bit, trk_verdict_name(v));
            for (unsigned i = 0; v == TRK_V_BAD_CONTINUATION && i < sizeof back.opaque; i++)
                ck_assert_msg(back.opaque[i] == 0 && back.opaque_bytes == 0, "bit %u: unproven plaintext", bit);
            bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        ck_assert_int_eq(open_bytes(bytes, n, &id, &back), TRK_V_ACCEPTED);
    }
}
END_TEST

/* A view made by hand may lie about its size: it must not lead outside of its bytes, nor open. */
START_TEST(a_view_of_another_size_does_not_open)
{
    setup();
    struct trk_ucont u = example_ucont(TRK_UCONT_INPUT, 0, 40), back;
    uint8_t bytes[TRK_UCONT_MAX + 1];
    size_t n = trk_ucont_seal(epoch, &id, &u, bytes, sizeof bytes);
    struct trk_ucont_view view, wrong;
    ck_assert_int_eq(trk_ucont_parse(bytes, n, &view), TRK_V_ACCEPTED);
    wrong = view;
    wrong.total_bytes++;
    ck_assert_int_eq(trk_ucont_open(&keys, &id, &wrong, &back), TRK_V_BAD_CONTINUATION);
    wrong = view;
    wrong.total_bytes--;
    ck_assert_int_eq(trk_ucont_open(&keys, &id, &wrong, &back), TRK_V_BAD_CONTINUATION);
    wrong = view;
    wrong.opaque_bytes = TRK_OPAQUE_MAX + 1;
    wrong.total_bytes = (uint16_t)trk_ucont_sealed_bytes(wrong.opaque_bytes);
    ck_assert_int_eq(trk_ucont_open(&keys, &id, &wrong, &back), TRK_V_BAD_CONTINUATION);
    ck_assert_int_eq(trk_ucont_open(&keys, &id, &view, &back), TRK_V_ACCEPTED);
}
END_TEST

START_TEST(a_continuation_belongs_to_its_connection)
{
    setup();
    struct trk_ucont u = example_ucont(TRK_UCONT_INPUT, TRK_UCONT_ENCRYPTED, 40), back;
    uint8_t bytes[TRK_UCONT_MAX];
    size_t n = trk_ucont_seal(epoch, &id, &u, bytes, sizeof bytes);
    struct trk_conn_id other = id;
    other.h ^= 1;
    ck_assert_int_eq(open_bytes(bytes, n, &other, &back), TRK_V_BAD_CONTINUATION);
    other = id;
    other.t ^= 1;
    ck_assert_int_eq(open_bytes(bytes, n, &other, &back), TRK_V_BAD_CONTINUATION);
}
END_TEST

START_TEST(encryption_hides_the_plaintext)
{
    setup();
    struct trk_ucont u = example_ucont(TRK_UCONT_OUTPUT, 0, 64);
    uint8_t clear[TRK_UCONT_MAX], hidden[TRK_UCONT_MAX], other[TRK_UCONT_MAX];
    memcpy(u.opaque, "a secret of the application, repeated: a secret of the app", 58);
    trk_ucont_seal(epoch, &id, &u, clear, sizeof clear);
    ck_assert_mem_eq(clear + TRK_UCONT_HEADER, u.opaque, 64);
    u.flags = TRK_UCONT_ENCRYPTED;
    trk_ucont_seal(epoch, &id, &u, hidden, sizeof hidden);
    u.second++;                        /* anything else in the continuation changes all of the ciphertext */
    trk_ucont_seal(epoch, &id, &u, other, sizeof other);
    unsigned same_as_clear = 0, same_as_other = 0;
    for (unsigned i = TRK_UCONT_HEADER; i < TRK_UCONT_HEADER + 64; i++) {
        same_as_clear += hidden[i] == clear[i];
        same_as_other += hidden[i] == other[i];
    }
    ck_assert_uint_lt(same_as_clear, 4);
    ck_assert_uint_lt(same_as_other, 4);
}
END_TEST

START_TEST(epochs_of_continuations)
{
    setup();
    uint8_t bytes[TRK_UCONT_MAX], master[TRK_MASTER_BYTES];
    for (int i = 0; i < TRK_MASTER_BYTES; i++)
        master[i] = (uint8_t)i;
    struct trk_ucont u = example_ucont(TRK_UCONT_INPUT, 0, 10), back;
    size_t n = trk_ucont_seal(epoch, &id, &u, bytes, sizeof bytes);
    uint8_t other[TRK_MASTER_BYTES] = { 9 };
    trk_keys_init(&keys);              /* 3 retires, 4 is current: it still opens */
    ck_assert(trk_keys_add(&keys, 4, TRK_EPOCH_CURRENT, other) && trk_keys_add(&keys, 3, TRK_EPOCH_RETIRING, master));
    ck_assert_int_eq(open_bytes(bytes, n, &id, &back), TRK_V_ACCEPTED);
    trk_keys_init(&keys);              /* 3 is gone */
    ck_assert(trk_keys_add(&keys, 4, TRK_EPOCH_CURRENT, other));
    ck_assert_int_eq(open_bytes(bytes, n, &id, &back), TRK_V_RETIRED_EPOCH);
    trk_keys_init(&keys);              /* 3 never was */
    ck_assert(trk_keys_add(&keys, 2, TRK_EPOCH_CURRENT, other));
    ck_assert_int_eq(open_bytes(bytes, n, &id, &back), TRK_V_UNKNOWN_EPOCH);
    trk_keys_init(&keys);              /* another 3 */
    ck_assert(trk_keys_add(&keys, 3, TRK_EPOCH_CURRENT, other));
    ck_assert_int_eq(open_bytes(bytes, n, &id, &back), TRK_V_BAD_CONTINUATION);
}
END_TEST

UNIT_MAIN("seal", a_grant_equals_the_second_implementation, every_bit_of_a_grant_and_its_seal_counts, a_grant_out_of_bounds_has_no_seal,
          the_digest_covers_what_is_predicted_and_nothing_else, continuations_equal_the_second_implementation, what_is_sealed_opens_again,
          every_bit_of_a_sealed_continuation_counts, a_view_of_another_size_does_not_open, a_continuation_belongs_to_its_connection, encryption_hides_the_plaintext,
          epochs_of_continuations)
