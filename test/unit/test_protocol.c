/* core/PROTOCOL.md says what the code does: the rows of its tables, written from the headers' constants, stand in it word by word,
 * and it has no verdict and no flag more. A row that is missing is printed as it ought to be. */
#include "unit.h"
#include "tcb/step.h"
#include "wire/messages.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static char text[1 << 20];

static void read_protocol(void)
{
    FILE *f = fopen(PROTOCOL_MD, "r");
    ck_assert_msg(f != NULL, "cannot read " PROTOCOL_MD);
    size_t n = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    ck_assert_msg(n > 0 && n < sizeof text - 1, "%zu bytes are not the protocol", n);
    text[n] = 0;
}

/* A line of the protocol begins so. */
static __attribute__((format(printf, 1, 2))) void row(const char *format, ...)
{
    char line[256] = "\n";
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line + 1, sizeof line - 1, format, arguments);
    va_end(arguments);
    ck_assert_msg(strstr(text, line) != NULL, "PROTOCOL.md has no line that begins with: %s", line + 1);
}

static unsigned lines_that_begin(const char *start)
{
    char line[32];
    unsigned n = 0;
    snprintf(line, sizeof line, "\n%s", start);
    for (const char *at = text; (at = strstr(at, line)) != NULL; at++)
        n++;
    return n;
}

START_TEST(limits)
{
    read_protocol();
    row("| version | %d |", TRK_VERSION);
    row("| initial window; start of number 1 | %d packets (RFC 6928); %d, or %d if", TRK_IW, TRK_IW, TRK_IW_ACKED);
    row("| numbers in one grant | %d |", TRK_GRANT_MAX);
    row("| packets in one answer | 256; to a single number %d |", TRK_SINGLE_MAX);
    row("| re-created numbers per recovery | %d |", TRK_RECREATE_MAX);
    row("| attempts; generation step of a refresh | %d; %d |", TRK_ATTEMPTS_MAX, TRK_REFRESH_STEP);
    row("| parts; grants, numbers, ranges, asks per part | %d; %d, %d, %d, %d |", TRK_PARTS_MAX, TRK_PART_GRANTS_MAX, TRK_PART_NUMBERS_MAX,
        TRK_RANGES_MAX, TRK_ASKS_MAX);
    row("| continuations per request; opaque bytes | %d; %d |", TRK_CONTS_MAX, TRK_OPAQUE_MAX);
    row("| slot | %d … %d |", TRK_SLOT_MIN, TRK_SLOT_MAX);
    row("| SYN payload; of the first one with input | %d; %d (IPv4), %d (IPv6) |", TRK_SYN_PAYLOAD, TRK_SYN_PAYLOAD_MAX, TRK_SYN_PAYLOAD_MAX - 20);
    row("| seal, nonce | %d, 8 bytes |", TRK_SEAL_BYTES);
    row("| tick; horizon; skew; idle window kept for | %d ms; %d s; %d s; %d s |", TRK_TICK_MS, TRK_HORIZON_MS / 1000, TRK_SKEW_MS / 1000,
        TRK_AGED_MS / 1000);
    row("| headers: OPENED, LONG, NORMAL, TERMINAL, VERDICT, CLOSE | %d, %d, %d, %d, %d, %d |", TRK_OPENED_BYTES, TRK_LONG_BYTES, TRK_NORMAL_BYTES,
        TRK_TERMINAL_BYTES, TRK_VERDICT_BYTES, TRK_CLOSE_BYTES);
    row("| largest cwnd | %d packets |", TRK_CWND_MAX);
}
END_TEST

START_TEST(bounds_of_requests)
{
    read_protocol();
    row("| fill | %d ≤ fill ≤ slot |", TRK_SLOT_MIN);
    row("| parts, conts | REQUEST 1 … %d parts, the oldest first; RESTART 1. At most %d continuations |", TRK_PARTS_MAX, TRK_CONTS_MAX);
    row("| m | 1 … %d |", TRK_PART_NUMBERS_MAX);
    row("| ranges, grants, asks | list lengths: 1 … %d, 1 … %d, 0 … %d", TRK_RANGES_MAX, TRK_PART_GRANTS_MAX, TRK_ASKS_MAX);
}
END_TEST

START_TEST(flags_of_answers)
{
    static const struct { unsigned flag; const char *name; } flags[] = {
        { TRK_F_MORE, "MORE" }, { TRK_F_DONE, "DONE" }, { TRK_F_END, "END" }, { TRK_F_FIN, "FIN" }, { TRK_F_NO_FILTER, "NO_FILTER" },
        { TRK_F_REFRESH, "REFRESH" }, { TRK_F_PLACED, "PLACED" }, { TRK_F_RENEW, "RENEW" },
    };
    unsigned all = 0;

    read_protocol();
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        row("| %u | %s | ", flags[i].flag, flags[i].name);
        all |= flags[i].flag;
    }
    ck_assert_uint_eq(all, 0xff);
}
END_TEST

START_TEST(codes_of_verdicts)
{
    unsigned codes = 0;

    read_protocol();
    for (int v = 0; v < TRK_V_COUNT; v++) {
        uint8_t code = trk_verdict_code((enum trk_verdict)v);
        if (code == 0)
            continue;
        row("| 0x%02x | %s | ", code, trk_verdict_name((enum trk_verdict)v));
        codes++;
    }
    ck_assert_uint_eq(lines_that_begin("| 0x"), codes);
    /* The first row names what is not a message, in the order of the checks. */
    char first[512] = "| – | ";
    for (int v = 0; v <= TRK_V_BAD_FIELD; v++) {
        strcat(first, v > 0 ? ", " : "");
        strcat(first, trk_verdict_name((enum trk_verdict)v));
    }
    row("%s | ", first);
}
END_TEST

UNIT_MAIN("protocol", limits, bounds_of_requests, flags_of_answers, codes_of_verdicts)
