/* Each bound of an answer, of OPEN and of a continuation by name: just outside it nothing is written or accepted. */
#include "unit.h"
#include "wire_random.h"

static uint8_t buffer[70000];
static struct trk_answer m, parsed;

static void plain_answer(uint8_t form)
{
    memset(&m, 0, sizeof m);
    m.form = form;
    m.grant = (struct trk_grant){ .piece = { 100, 10, 20 }, .a = 200, .b = 210, .f = 205, .slot = 1400 };
    if (form == TRK_FORM_NORMAL || form == TRK_FORM_TERMINAL)
        memset(&m.grant, 0, sizeof m.grant);
    m.n = 203;
    m.n_minus_a = 3;
    m.b_minus_a = 10;
}

static size_t emitted(void) { return trk_answer_emit(&m, buffer, sizeof buffer); }

#define REFUSED(form, change) do { plain_answer(form); ck_assert_uint_gt(emitted(), 0); change; \
                                   ck_assert_msg(emitted() == 0, "written in spite of: %s", #change); } while (0)
#define TAKEN(form, change)   do { plain_answer(form); change; size_t n_ = emitted(); \
                                   ck_assert_msg(n_ > 0 && trk_answer_parse(buffer, n_, &parsed) == TRK_V_ACCEPTED, "refused: %s", #change); } while (0)

static void long_bounds_of(uint8_t form)
{
    struct trk_grant *g = &m.grant;
    TAKEN(form, m.n = 200);
    REFUSED(form, m.n = 199);
    TAKEN(form, m.n = 205);
    REFUSED(form, m.n = 206);                           /* granted, but cut away */
    REFUSED(form, g->f = 211);
    REFUSED(form, g->b = 204);
    TAKEN(form, g->b = 200 + TRK_GRANT_MAX - 1);
    REFUSED(form, g->b = 200 + TRK_GRANT_MAX);
    TAKEN(form, g->piece.base = 199);
    REFUSED(form, g->piece.base = 200);
    REFUSED(form, g->piece.start = 0);
    REFUSED(form, g->piece.start = TRK_START_MAX + 1);
    REFUSED(form, g->piece.ssthresh = 0);
    REFUSED(form, g->piece.ssthresh = TRK_SSTHRESH_NONE + 1);
    TAKEN(form, g->kind = TRK_OPENING);
    REFUSED(form, g->kind = 2);
    TAKEN(form, g->slot = TRK_SLOT_MAX);
    REFUSED(form, g->slot = TRK_SLOT_MAX + 1);
    REFUSED(form, g->slot = TRK_SLOT_MIN - 1);
    TAKEN(form, m.offset = TRK_OFFSET_MAX);
    REFUSED(form, m.offset = TRK_OFFSET_MAX + 1);
    TAKEN(form, (g->a = m.n = g->f = g->b = TRK_NUMBER_MAX));
    REFUSED(form, (g->a = m.n = g->f = TRK_NUMBER_MAX, g->b = TRK_NUMBER_MAX + 1));
}

START_TEST(long_bounds) { long_bounds_of(TRK_FORM_LONG); }
END_TEST

START_TEST(opened_bounds) { long_bounds_of(TRK_FORM_OPENED); }
END_TEST

START_TEST(normal_bounds)
{
    TAKEN(TRK_FORM_NORMAL, m.n_minus_a = 10);
    REFUSED(TRK_FORM_NORMAL, m.n_minus_a = 11);
    TAKEN(TRK_FORM_NORMAL, (m.n_minus_a = m.b_minus_a = 255));
}
END_TEST

START_TEST(only_answers_are_written)
{
    REFUSED(TRK_FORM_TERMINAL, m.form = TRK_FORM_VERDICT);
    REFUSED(TRK_FORM_TERMINAL, m.form = TRK_FORM_OPEN);
    REFUSED(TRK_FORM_TERMINAL, m.n_conts = 1);          /* no flag says so */
}
END_TEST

START_TEST(messages_end_at_64_kib)
{
    struct trk_open opening;
    plain_answer(TRK_FORM_NORMAL);
    emitted();
    ck_assert_int_eq(trk_answer_parse(buffer, UINT16_MAX, &parsed), TRK_V_ACCEPTED);
    ck_assert_int_eq(trk_answer_parse(buffer, UINT16_MAX + 1, &parsed), TRK_V_BAD_FIELD);

    memset(buffer, 0, sizeof buffer);
    buffer[0] = TRK_VERSION << 4 | TRK_FORM_OPEN;
    ck_assert_int_eq(trk_open_parse(buffer, TRK_SYN_PAYLOAD_MAX, &opening), TRK_V_ACCEPTED);
    ck_assert_int_eq(trk_open_parse(buffer, TRK_SYN_PAYLOAD_MAX + 1, &opening), TRK_V_BAD_FIELD);
}
END_TEST

/* The bytes of an output continuation [first, second] with `opaque` bytes; what trk_ucont_parse says of them. */
static enum trk_verdict continuation(uint8_t type, uint8_t flags, uint64_t first, uint64_t second, uint16_t opaque)
{
    static uint8_t bytes[1024];
    struct trk_ucont_view v;
    uint8_t *at = put_be(bytes, type, 1);
    at = put_be(at, flags, 1);
    at = put_be(at, 0, 1);
    at = put_be(at, opaque, 2);
    at = put_be(at, first, 8);
    put_be(at, second, 8);
    return trk_ucont_parse(bytes, sizeof bytes, &v);
}

START_TEST(continuation_bounds)
{
    ck_assert_int_eq(continuation(TRK_UCONT_OUTPUT, 3, 5, 5, TRK_OPAQUE_MAX), TRK_V_ACCEPTED);
    ck_assert_int_eq(continuation(TRK_UCONT_OUTPUT, 3, 5, 5, TRK_OPAQUE_MAX + 1), TRK_V_BAD_FIELD);
    ck_assert_int_eq(continuation(TRK_UCONT_OUTPUT, 4, 5, 5, 0), TRK_V_BAD_FIELD);
    ck_assert_int_eq(continuation(TRK_UCONT_OUTPUT, 0, 6, 5, 0), TRK_V_BAD_FIELD);
    ck_assert_int_eq(continuation(TRK_UCONT_INPUT, 0, 6, 5, 0), TRK_V_ACCEPTED);
    ck_assert_int_eq(continuation(TRK_UCONT_INPUT, 0, TRK_OFFSET_MAX, TRK_OFFSET_UNKNOWN, 0), TRK_V_ACCEPTED);
    ck_assert_int_eq(continuation(TRK_UCONT_INPUT, 0, TRK_OFFSET_MAX + 1, TRK_OFFSET_UNKNOWN, 0), TRK_V_BAD_FIELD);
    ck_assert_int_eq(continuation(TRK_UCONT_INPUT, 0, 0, TRK_OFFSET_MAX + 1, 0), TRK_V_BAD_FIELD);
    ck_assert_int_eq(continuation(TRK_UCONT_OUTPUT, 0, 0, TRK_OFFSET_UNKNOWN, 0), TRK_V_ACCEPTED);
    ck_assert_int_eq(continuation(TRK_UCONT_OUTPUT, 0, 0, TRK_OFFSET_UNKNOWN - 1, 0), TRK_V_BAD_FIELD);
    ck_assert_int_eq(continuation(0, 0, 0, 0, 0), TRK_V_BAD_FIELD);
    ck_assert_int_eq(continuation(3, 0, 0, 0, 0), TRK_V_BAD_FIELD);
}
END_TEST

UNIT_MAIN("answer_bounds", long_bounds, opened_bounds, normal_bounds, only_answers_are_written, messages_end_at_64_kib,
          continuation_bounds)
