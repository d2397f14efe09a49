/* Each bound of a request by name: a value just outside it is not written, and its bytes are not accepted. */
#include "unit.h"
#include "wire_random.h"

static uint8_t buffer[70000];
static struct trk_request m, parsed;
static struct wire_memory memory;

/* A plain request: numbers 11 and 12 spent, 8 and 9 lost, one grant, one ask. */
static void plain_request(void)
{
    struct dice d = { 3 };
    memset(&m, 0, sizeof m);
    m.form = TRK_FORM_REQUEST;
    m.slot = m.fill = 1400;
    m.n_parts = m.n_conts = 1;
    do
        m.conts[0] = random_ucont(&d, TRK_UCONT_OUTPUT, memory.conts[0]);
    while (m.conts[0].first > 1000000 || m.conts[0].second < m.conts[0].first + 100000);
    m.input_cont = TRK_ASK_INPUT;
    struct trk_part *p = &m.parts[0];
    p->m = 2;
    p->k = 11;
    p->piece = (struct trk_piece){ 5, 10, TRK_SSTHRESH_NONE };
    p->n_ranges = 2;
    p->ranges[0] = (struct trk_range){ 6, 7 };
    p->ranges[1] = (struct trk_range){ 10, 12 };
    p->n_grants = 1;
    p->grants[0] = (struct trk_grant_ref){ .a = 6, .b = 15, .f = 15 };
    p->n_asks = 1;
    p->asks[0] = (struct trk_ask){ 0, m.conts[0].first, 5000 };
}

static size_t emitted(void) { return trk_request_emit(&m, buffer, sizeof buffer); }

/* Runs one change on the plain request and says that it is refused. */
#define REFUSED(change) do { plain_request(); ck_assert_uint_gt(emitted(), 0); change; \
                             ck_assert_msg(emitted() == 0, "written in spite of: %s", #change); } while (0)
#define TAKEN(change)   do { plain_request(); change; size_t n_ = emitted(); \
                             ck_assert_msg(n_ > 0 && trk_request_parse(buffer, n_, &parsed) == TRK_V_ACCEPTED, "refused: %s", #change); } while (0)

START_TEST(header_bounds)
{
    REFUSED(m.slot = m.fill = TRK_SLOT_MIN - 1);
    TAKEN(m.slot = m.fill = TRK_SLOT_MIN);
    REFUSED(m.slot = TRK_SLOT_MAX + 1);
    TAKEN(m.slot = TRK_SLOT_MAX);
    REFUSED(m.fill = m.slot + 1);
    REFUSED(m.reserve = m.fill + 1);
    TAKEN(m.reserve = m.fill);
    REFUSED(m.n_parts = 0);
    REFUSED(m.n_parts = TRK_PARTS_MAX + 1);
    REFUSED(m.n_conts = TRK_CONTS_MAX + 1);
    REFUSED(m.form = TRK_FORM_CLOSE);
}
END_TEST

START_TEST(part_bounds)
{
    struct trk_part *p = &m.parts[0];
    REFUSED(p->m = 0);
    REFUSED(p->m = TRK_PART_NUMBERS_MAX + 1);
    REFUSED(p->kind = 2);
    REFUSED(p->kind = TRK_OPENING);                     /* m is 2 */
    TAKEN((p->kind = TRK_OPENING, p->m = 1, p->k = 12));
    REFUSED(p->k = 5);                                  /* base */
    TAKEN((p->k = 6, p->n_ranges = 1, p->ranges[0].right = 7));
    REFUSED((p->k = 5, p->n_ranges = 1, p->ranges[0].right = 6));
    REFUSED(p->piece.start = 0);
    REFUSED(p->piece.start = TRK_START_MAX + 1);
    TAKEN(p->piece.start = TRK_START_MAX);
    REFUSED(p->piece.ssthresh = 0);
    REFUSED(p->piece.ssthresh = TRK_SSTHRESH_NONE + 1);
    REFUSED(p->piece.base = TRK_NUMBER_MAX);
    REFUSED((p->terminal_ask = true, p->n_asks = 0));
    TAKEN(p->terminal_ask = true);
}
END_TEST

START_TEST(numbers_end_at_the_last)
{
    struct trk_part *p = &m.parts[0];
    plain_request();
    p->piece.base = TRK_NUMBER_MAX - 10;
    p->k = TRK_NUMBER_MAX - 1;
    p->ranges[0] = (struct trk_range){ TRK_NUMBER_MAX - 9, TRK_NUMBER_MAX - 8 };
    p->ranges[1] = (struct trk_range){ TRK_NUMBER_MAX - 5, TRK_NUMBER_MAX };
    p->grants[0].a = TRK_NUMBER_MAX - 9;
    p->grants[0].b = p->grants[0].f = TRK_NUMBER_MAX;
    size_t n = emitted();
    ck_assert_uint_gt(n, 0);
    ck_assert_int_eq(trk_request_parse(buffer, n, &parsed), TRK_V_ACCEPTED);
    ck_assert_uint_eq(parsed.parts[0].ranges[1].right, TRK_NUMBER_MAX);
    p->grants[0].b++;
    ck_assert_uint_eq(emitted(), 0);
    p->grants[0].b--;
    p->k++;
    p->ranges[1].right++;
    ck_assert_uint_eq(emitted(), 0);
}
END_TEST

START_TEST(range_bounds)
{
    struct trk_part *p = &m.parts[0];
    REFUSED(p->n_ranges = 0);
    REFUSED(p->n_ranges = TRK_RANGES_MAX + 1);
    REFUSED(p->ranges[0].left = 5);                     /* base */
    REFUSED(p->ranges[0].left = 8);                     /* left > right */
    REFUSED(p->ranges[1].left = 8);                     /* gap 0 */
    REFUSED(p->ranges[1].left = 7);                     /* overlap */
    TAKEN(p->ranges[1].left = 9);
    REFUSED(p->ranges[1].right = 13);                   /* beyond k+m-1 */
    REFUSED(p->ranges[1].right = 11);
    TAKEN(p->ranges[0].left = 7);
}
END_TEST

START_TEST(grant_bounds)
{
    struct trk_part *p = &m.parts[0];
    REFUSED(p->n_grants = 0);
    REFUSED(p->n_grants = TRK_PART_GRANTS_MAX + 1);
    REFUSED(p->grants[0].a = 5);                        /* base */
    REFUSED(p->grants[0].f = 16);
    REFUSED((p->grants[0].a = 14, p->grants[0].f = 13));
    REFUSED(p->grants[0].b = 6 + TRK_GRANT_MAX);
    TAKEN(p->grants[0].b = 5 + TRK_GRANT_MAX);
    REFUSED((p->n_grants = 2, p->grants[1] = p->grants[0]));
    REFUSED((p->n_grants = 2, p->grants[1] = (struct trk_grant_ref){ .a = 15, .b = 16, .f = 16 }));    /* overlap */
    TAKEN((p->n_grants = 2, p->grants[1] = (struct trk_grant_ref){ .a = 16, .b = 16, .f = 16 }));
}
END_TEST

START_TEST(ask_bounds)
{
    struct trk_part *p = &m.parts[0];
    REFUSED(p->n_asks = TRK_ASKS_MAX + 1);
    REFUSED(p->asks[0].bytes = 0);
    REFUSED((m.conts[1] = m.conts[0], p->asks[0].cont = 1));            /* one continuation only */
    TAKEN((m.conts[1] = m.conts[0], p->asks[0].cont = 1, m.n_conts = 2));
    REFUSED(p->asks[0].cont = TRK_ASK_INPUT);           /* no input */
    TAKEN((p->asks[0].cont = TRK_ASK_INPUT, m.has_input = true));
    REFUSED(p->asks[0].offset = m.conts[0].first - 1);
    REFUSED(p->asks[0].offset = TRK_OFFSET_MAX + 1);
    REFUSED((p->asks[0].offset = TRK_OFFSET_MAX, p->asks[0].bytes = 1));
    REFUSED((p->asks[0].cont = TRK_ASK_INPUT, m.has_input = true, p->asks[0].offset = TRK_OFFSET_MAX));
}
END_TEST

START_TEST(asks_stay_in_their_output)
{
    plain_request();
    struct dice d = { 4 };
    do
        m.conts[0] = random_ucont(&d, TRK_UCONT_OUTPUT, memory.conts[0]);
    while (m.conts[0].second == TRK_OFFSET_UNKNOWN || m.conts[0].second < m.conts[0].first + 5000);
    m.parts[0].asks[0].offset = m.conts[0].second - 5000;
    ck_assert_uint_gt(emitted(), 0);
    m.parts[0].asks[0].bytes++;
    ck_assert_uint_eq(emitted(), 0);
    m.parts[0].asks[0].bytes--;
    ck_assert_uint_gt(emitted(), 0);
    m.conts[0].type = memory.conts[0][0] = TRK_UCONT_INPUT;             /* the same offsets, not an output */
    ck_assert_uint_eq(emitted(), 0);
}
END_TEST

START_TEST(input_bounds)
{
    REFUSED(m.input_end = true);                        /* without input */
    REFUSED(m.input_bytes = 1);
    REFUSED(m.input_offset = 1);
    REFUSED((m.has_input = true, m.input_offset = 1));  /* the first input begins at 0 */
    TAKEN((m.has_input = true, m.input_end = true));
    REFUSED((m.has_input = true, m.input_cont = 1));
    REFUSED((m.has_input = true, m.input_cont = 0));    /* that is an output */
    plain_request();
    struct dice d = { 5 };
    m.n_conts = 2;
    do
        m.conts[1] = random_ucont(&d, TRK_UCONT_INPUT, memory.conts[1]);
    while (m.conts[1].first < 1000 || m.conts[1].first > TRK_OFFSET_MAX / 2);
    m.has_input = true;
    m.input_cont = 1;
    m.input_offset = m.conts[1].first;
    m.input = memory.input;
    m.input_bytes = 100;
    size_t n = emitted();
    ck_assert_uint_gt(n, 0);
    ck_assert_int_eq(trk_request_parse(buffer, n, &parsed), TRK_V_ACCEPTED);
    ck_assert_uint_eq(parsed.input_offset, m.conts[1].first);
    m.input_offset--;
    ck_assert_uint_eq(emitted(), 0);
    put_be(memory.conts[1] + 5, TRK_OFFSET_MAX - 99, 8);                /* its first offset */
    m.conts[1].first = m.input_offset = TRK_OFFSET_MAX - 99;
    ck_assert_uint_eq(emitted(), 0);
    m.input_bytes = 99;
    ck_assert_uint_gt(emitted(), 0);
}
END_TEST

/* 100 bytes in the middle of a range. */
static void placed_request(void)
{
    struct dice d = { 7 };
    plain_request();
    do
        m.conts[1] = random_ucont(&d, TRK_UCONT_RANGE, memory.conts[1]);
    while (m.conts[1].second - m.conts[1].first < 200 || m.conts[1].second == TRK_OFFSET_UNKNOWN);
    m.n_conts = 2;
    m.has_input = m.placed = true;
    m.input_cont = 1;
    m.input_offset = m.conts[1].first + 50;
    m.input = memory.input;
    m.input_bytes = 100;
}

START_TEST(placed_input_bounds)
{
#define PLACED(change) (placed_request(), change, emitted())
    size_t n = PLACED((void)0);
    ck_assert_uint_gt(n, 0);
    ck_assert_int_eq(trk_request_parse(buffer, n, &parsed), TRK_V_ACCEPTED);
    ck_assert(parsed.placed && parsed.input_cont == 1 && parsed.input_offset == m.input_offset && parsed.input_bytes == 100);
    ck_assert_uint_eq(PLACED(m.has_input = false), 0);
    ck_assert_uint_eq(PLACED(m.input_cont = 0), 0);                       /* an output */
    ck_assert_uint_eq(PLACED(m.input_cont = TRK_ASK_INPUT), 0);
    ck_assert_uint_eq(PLACED(m.placed = false), 0);                       /* a range takes no input in order */
    ck_assert_uint_gt(PLACED(m.input_offset = m.conts[1].first), 0);
    ck_assert_uint_eq(PLACED(m.input_offset = m.conts[1].first - 1), 0);
    ck_assert_uint_gt(PLACED(m.input_offset = m.conts[1].second - 100), 0);
    ck_assert_uint_eq(PLACED(m.input_offset = m.conts[1].second - 99), 0);
    ck_assert_uint_eq(PLACED(m.input_bytes = 0), 0);                      /* says nothing */
    ck_assert_uint_gt(PLACED((m.input_bytes = 0, m.input_end = true)), 0);
    ck_assert_uint_eq(PLACED(m.parts[0].asks[0].cont = TRK_ASK_INPUT), 0);
#undef PLACED
}
END_TEST

START_TEST(restart_bounds)
{
    struct trk_part *p = &m.parts[0];
#define RESTART m.form = TRK_FORM_RESTART, m.restart_kind = TRK_RESTART_RESUME, m.attempt = 1, p->m = 1, p->k = 12
    TAKEN((RESTART));
    ck_assert_uint_eq(parsed.attempt, 1);
    ck_assert_uint_eq(parsed.restart_kind, TRK_RESTART_RESUME);
    REFUSED((RESTART, m.attempt = 0));
    REFUSED((RESTART, m.restart_kind = 0));
    REFUSED((RESTART, m.restart_kind = 3));
    REFUSED((RESTART, m.n_parts = 2, m.parts[1] = m.parts[0]));
    REFUSED((RESTART, p->m = 2, p->k = 11));
    REFUSED((RESTART, p->terminal_ask = true));
#undef RESTART
}
END_TEST

START_TEST(trailing_bytes_are_input_only)
{
    plain_request();
    size_t n = emitted();
    buffer[n] = 0;
    ck_assert_int_eq(trk_request_parse(buffer, n + 1, &parsed), TRK_V_BAD_FIELD);
    m.has_input = true;
    n = emitted();
    buffer[n] = 0;
    ck_assert_int_eq(trk_request_parse(buffer, n + 1, &parsed), TRK_V_ACCEPTED);
    ck_assert_uint_eq(parsed.input_bytes, 1);
    ck_assert_int_eq(trk_request_parse(buffer, UINT16_MAX, &parsed), TRK_V_ACCEPTED);
    ck_assert_int_eq(trk_request_parse(buffer, UINT16_MAX + 1, &parsed), TRK_V_BAD_FIELD);
}
END_TEST

START_TEST(varints_are_minimal)
{
    plain_request();
    size_t n = emitted();
    size_t at = TRK_REQUEST_HEADER + 15;                /* the part's k - base - 1 */
    ck_assert_uint_eq(buffer[at], 5);
    memmove(buffer + at + 1, buffer + at, n - at);
    buffer[at] = 0x40;                                  /* the same 5 in two bytes */
    ck_assert_int_eq(trk_request_parse(buffer, n + 1, &parsed), TRK_V_BAD_FIELD);
}
END_TEST

START_TEST(requests_are_small)
{
    plain_request();
    m.n_conts = 0;
    m.parts[0].n_asks = 0;
    ck_assert_uint_eq(emitted(), TRK_REQUEST_HEADER + 16 + 3 + 8 + 23);
    m.parts[1] = m.parts[0];
    m.n_parts = 2;
    ck_assert_uint_le(emitted(), 140);
}
END_TEST

UNIT_MAIN("request_bounds", header_bounds, part_bounds, numbers_end_at_the_last, range_bounds, grant_bounds, ask_bounds,
          asks_stay_in_their_output, input_bounds, placed_input_bounds, restart_bounds, trailing_bytes_are_input_only, varints_are_minimal,
          requests_are_small)
