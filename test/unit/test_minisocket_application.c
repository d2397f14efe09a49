/* Two applications with one key file: neither believes what the other has sealed, and replicas of each still do. */
#include <errno.h>
#include <string.h>
#include "minisocket/keyset.h"
#include "tcb/seal.h"
#include "unit.h"

static struct msk_keys set = { .n = 1, .keys = { { .epoch = 3, .state = MSK_KEY_CURRENT } } };
static const struct trk_conn_id id = { 0x1122334455667788u, 99 };

static const struct trk_keys *keys_of(const char *application)
{
    static struct trk_keys keys[2];
    static int next;
    next = !next;
    for (uint8_t i = 0; i < sizeof set.keys[0].secret; i++)
        set.keys[0].secret[i] = i;
    ck_assert_int_eq(msk_keys_derive(&set, application, &keys[next]), 0);
    return &keys[next];
}

/* A continuation whose bytes the client chose, such as a line that is not complete. */
static enum trk_verdict shown(const char *sealed_by, const char *to)
{
    struct trk_ucont u = { .type = TRK_UCONT_INPUT, .opaque_bytes = 4, .opaque = "evil" }, opened;
    struct trk_ucont_view v;
    uint8_t bytes[TRK_UCONT_MAX];
    size_t n = trk_ucont_seal(trk_keys_current(keys_of(sealed_by)), &id, &u, bytes, sizeof bytes);
    ck_assert_int_eq(trk_ucont_parse(bytes, n, &v), TRK_V_ACCEPTED);
    return trk_ucont_open(keys_of(to), &id, &v, &opened);
}

START_TEST(continuations_stay_in_their_application)
{
    ck_assert_int_eq(shown("lines", "lines"), TRK_V_ACCEPTED);
    ck_assert_int_eq(shown("", ""), TRK_V_ACCEPTED);
    ck_assert_int_eq(shown("lines", "tricklesd"), TRK_V_BAD_CONTINUATION);
    ck_assert_int_eq(shown("lines", ""), TRK_V_BAD_CONTINUATION);
    ck_assert_int_eq(shown("", "lines"), TRK_V_BAD_CONTINUATION);
}
END_TEST

START_TEST(grants_stay_in_their_application)
{
    struct trk_grant g = { .epoch = 3, .id = id, .piece = { 0, 10, TRK_SSTHRESH_NONE }, .a = 1, .b = 1, .f = 1, .slot = 1456 };
    uint8_t seal[TRK_SEAL_BYTES];
    trk_grant_seal(trk_keys_current(keys_of("lines")), &g, seal);
    ck_assert(trk_grant_open(trk_keys_current(keys_of("lines")), &g, seal));
    ck_assert(!trk_grant_open(trk_keys_current(keys_of("tricklesd")), &g, seal));
    ck_assert(!trk_grant_open(trk_keys_current(keys_of("")), &g, seal));
}
END_TEST

/* Replicas of other versions and makes derive the same: BLAKE2b-256 of the name, keyed by the master (here by another program). */
START_TEST(the_master_of_an_application)
{
    static const uint8_t known[] = {
        0xa7, 0x7d, 0x84, 0xc1, 0xfe, 0xa8, 0x86, 0x4e, 0xe0, 0x07, 0xc8, 0x7d, 0x88, 0x5e, 0x0b, 0x50,
        0xbc, 0x08, 0x7a, 0x9b, 0x29, 0x7b, 0xf5, 0x7a, 0x37, 0x15, 0xda, 0x73, 0x93, 0xdf, 0x9e, 0x30,
    };
    uint8_t master[TRK_MASTER_BYTES], own[TRK_MASTER_BYTES];
    for (uint8_t i = 0; i < sizeof master; i++)
        master[i] = i;
    trk_master_of(master, "", 0, own);
    ck_assert_mem_eq(own, master, sizeof own);
    trk_master_of(master, "lines", 5, own);
    ck_assert_mem_eq(own, known, sizeof own);
}
END_TEST

START_TEST(a_name_has_a_length)
{
    const char *listen[] = { "*:80" };
    char error[MSK_ERROR_BYTES], name[MSK_APPLICATION_MAX + 2] = "";
    struct msk_options o = { .listen = listen, .n_listen = 1, .application = name };
    memset(name, 'a', MSK_APPLICATION_MAX);
    ck_assert_int_eq(msk_check(&o, error, sizeof error), 0);
    name[MSK_APPLICATION_MAX] = 'a';
    ck_assert_int_eq(msk_check(&o, error, sizeof error), -EINVAL);
    ck_assert_ptr_null(msk_open(&o, error, sizeof error));
    ck_assert_int_eq(errno, EINVAL);
}
END_TEST

UNIT_MAIN("minisocket_application", continuations_stay_in_their_application, grants_stay_in_their_application, the_master_of_an_application, a_name_has_a_length)
