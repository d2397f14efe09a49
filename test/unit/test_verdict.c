/* Names, reasons and wire codes of verdicts. */
#include "unit.h"
#include "wire_random.h"

START_TEST(every_verdict_has_its_own_name)
{
    for (int v = 0; v < TRK_V_COUNT; v++) {
        const char *name = trk_verdict_name((enum trk_verdict)v);
        ck_assert_uint_gt(strlen(name), 3);
        ck_assert_uint_gt(strlen(trk_verdict_why((enum trk_verdict)v)), 5);
        ck_assert_uint_eq(strspn(name, "abcdefghijklmnopqrstuvwxyz-"), strlen(name));
        for (int other = 0; other < v; other++)
            ck_assert_str_ne(name, trk_verdict_name((enum trk_verdict)other));
    }
    ck_assert_str_eq(trk_verdict_name(TRK_V_BAD_SEAL), "bad-seal");
    ck_assert_str_eq(trk_verdict_name(TRK_V_COUNT), "?");
    ck_assert_str_eq(trk_verdict_why((enum trk_verdict)-1), "?");
}
END_TEST

/* PROTOCOL.md 6.6: these never change, whatever becomes of the enum. */
START_TEST(codes_are_fixed)
{
    static const struct { enum trk_verdict v; uint8_t code; } fixed[] = {
        { TRK_V_UNKNOWN_EPOCH, 0x10 }, { TRK_V_RETIRED_EPOCH, 0x11 }, { TRK_V_BAD_ADDRESS, 0x12 }, { TRK_V_BAD_SEAL, 0x13 },
        { TRK_V_BAD_PROOF, 0x14 }, { TRK_V_BAD_CONTINUATION, 0x15 }, { TRK_V_NOT_ADJOINING, 0x20 },
        { TRK_V_BEYOND_RECOVERY, 0x21 }, { TRK_V_CUT_SPENT, 0x22 }, { TRK_V_TOO_MANY, 0x23 }, { TRK_V_WRONG_DOMAIN, 0x24 },
        { TRK_V_TOO_EARLY, 0x25 }, { TRK_V_ATTEMPTS, 0x26 }, { TRK_V_OLD_GENERATION, 0x27 }, { TRK_V_LOSS_SPENT, 0x28 },
        { TRK_V_REPLAYED, 0x29 }, { TRK_V_NO_ROOM, 0x2a }, { TRK_V_DROPPED, 0x30 }, { TRK_V_RESET, 0x31 }, { TRK_V_CLOSED, 0x32 },
    };
    size_t n = sizeof fixed / sizeof *fixed, told = 0;
    for (size_t i = 0; i < n; i++) {
        ck_assert_uint_eq(trk_verdict_code(fixed[i].v), fixed[i].code);
        ck_assert_int_eq(trk_verdict_of_code(fixed[i].code), fixed[i].v);
    }
    for (int v = 0; v < TRK_V_COUNT; v++)
        told += trk_verdict_code((enum trk_verdict)v) != 0;
    ck_assert_uint_eq(told, n);
}
END_TEST

START_TEST(a_new_servers_code_is_a_verdict_heard)
{
    unsigned known = 0;
    for (unsigned code = 0; code < 256; code++) {
        enum trk_verdict v = trk_verdict_of_code((uint8_t)code);
        if (v == TRK_V_VERDICT_HEARD)
            continue;
        known++;
        ck_assert_uint_eq(trk_verdict_code(v), code);
    }
    ck_assert_uint_eq(known, 20);
    ck_assert_int_eq(trk_verdict_of_code(0), TRK_V_VERDICT_HEARD);
}
END_TEST

UNIT_MAIN("verdict", every_verdict_has_its_own_name, codes_are_fixed, a_new_servers_code_is_a_verdict_heard)
