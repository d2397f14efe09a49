/* fuzz_wire.c - any bytes, parsed as a message and as an IP packet: no crash, and emit(parse(x)) == x.
 *
 * With clang and TRICKLES_FUZZ libFuzzer drives it; otherwise driver.c does, over a fixed set of inputs. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include "wire/segment.h"
#include "wire_roundtrip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fail(const char *what, enum trk_verdict v)
{
    fprintf(stderr, "fuzz_wire: %s (%s)\n", what, trk_verdict_name(v));
    abort();
}

static void as_message(const uint8_t *data, size_t size)
{
    static uint8_t out[65536];
    if (size > sizeof out)
        return;
    struct roundtrip result = wire_roundtrip(data, size, out);
    if (!result.same)
        fail("a message that was accepted is written differently", result.verdict);
}

/* Not every header we read is one that we would write, but what we write from it must read the same. */
static void as_segment(const uint8_t *data, size_t size)
{
    struct trk_segment seen, again;
    uint8_t head[TRK_HEADER_MAX];
    trk_segment_checksum_ok(data, size);
    enum trk_verdict v = trk_segment_parse(data, size, &seen);
    if (v != TRK_V_ACCEPTED && v != TRK_V_UNMARKED)
        return;
    touch(seen.payload, seen.payload_bytes);
    seen.payload_bytes = 0;
    size_t n = trk_segment_emit(&seen, head, sizeof head);
    if (n == 0)
        fail("a header is not written", v);
    if (trk_segment_parse(head, n, &again) != v || !trk_flow_equal(&seen.flow, &again.flow) || seen.seq != again.seq
        || seen.ack != again.ack || seen.flags != again.flags || seen.marked != again.marked)
        fail("a header reads differently when written again", v);
    trk_segment_finish(head, n);
    if (!trk_segment_checksum_ok(head, n))
        fail("a finished checksum is wrong", v);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    as_message(data, size);
    as_segment(data, size);
    return 0;
}
