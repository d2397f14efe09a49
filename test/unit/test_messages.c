/* Every message: value to bytes to value, all truncations, all bit flips, and each bound by name. */
#include "unit.h"
#include "wire_random.h"
#include "wire_roundtrip.h"

#define ROUNDS 1000
static uint8_t buffer[65536], again[65536];
static struct trk_request request, parsed_request;
static struct wire_memory memory;

static const uint8_t answer_forms[] = { TRK_FORM_OPENED, TRK_FORM_LONG, TRK_FORM_NORMAL, TRK_FORM_TERMINAL };

static void assert_same_ucont(const struct trk_ucont_view *a, const struct trk_ucont_view *b)
{
    ck_assert_uint_eq(a->type, b->type);
    ck_assert_uint_eq(a->flags, b->flags);
    ck_assert_uint_eq(a->epoch, b->epoch);
    ck_assert_uint_eq(a->opaque_bytes, b->opaque_bytes);
    ck_assert_uint_eq(a->first, b->first);
    ck_assert_uint_eq(a->second, b->second);
    ck_assert_uint_eq(a->total_bytes, b->total_bytes);
    ck_assert_mem_eq(a->bytes, b->bytes, a->total_bytes);
}

static void assert_same_part(const struct trk_part *a, const struct trk_part *b)
{
    ck_assert_uint_eq(a->kind, b->kind);
    ck_assert(a->terminal_ask == b->terminal_ask);
    ck_assert_uint_eq(a->m, b->m);
    ck_assert_uint_eq(a->k, b->k);
    ck_assert_uint_eq(a->piece.base, b->piece.base);
    ck_assert_uint_eq(a->piece.start, b->piece.start);
    ck_assert_uint_eq(a->piece.ssthresh, b->piece.ssthresh);
    ck_assert_uint_eq(a->xor_nonces, b->xor_nonces);
    ck_assert_uint_eq(a->n_ranges, b->n_ranges);
    ck_assert_uint_eq(a->n_grants, b->n_grants);
    ck_assert_uint_eq(a->n_asks, b->n_asks);
    for (size_t i = 0; i < a->n_ranges; i++)
        ck_assert(a->ranges[i].left == b->ranges[i].left && a->ranges[i].right == b->ranges[i].right);
    for (size_t i = 0; i < a->n_grants; i++) {
        const struct trk_grant_ref *g = &a->grants[i], *h = &b->grants[i];
        ck_assert(g->a == h->a && g->b == h->b && g->f == h->f && g->tick == h->tick);
        ck_assert_mem_eq(g->seal, h->seal, TRK_SEAL_BYTES);
    }
    for (size_t i = 0; i < a->n_asks; i++) {
        const struct trk_ask *x = &a->asks[i], *y = &b->asks[i];
        ck_assert(x->cont == y->cont && x->offset == y->offset && x->bytes == y->bytes);
    }
}

static void assert_same_request(const struct trk_request *a, const struct trk_request *b)
{
    ck_assert_uint_eq(a->form, b->form);
    ck_assert(a->want_long == b->want_long);
    ck_assert(a->id.h == b->id.h && a->id.t == b->id.t);
    ck_assert(a->domain == b->domain && a->generation == b->generation && a->address_tag == b->address_tag);
    ck_assert(a->epoch == b->epoch && a->slot == b->slot && a->fill == b->fill && a->reserve == b->reserve);
    ck_assert(a->restart_kind == b->restart_kind && a->attempt == b->attempt);
    ck_assert_uint_eq(a->n_parts, b->n_parts);
    ck_assert_uint_eq(a->n_conts, b->n_conts);
    for (size_t i = 0; i < a->n_parts; i++)
        assert_same_part(&a->parts[i], &b->parts[i]);
    for (size_t i = 0; i < a->n_conts; i++)
        assert_same_ucont(&a->conts[i], &b->conts[i]);
    ck_assert(a->has_input == b->has_input && a->input_end == b->input_end);
    ck_assert_uint_eq(a->input_cont, b->input_cont);
    ck_assert_uint_eq(a->input_offset, b->input_offset);
    ck_assert_uint_eq(a->input_bytes, b->input_bytes);
    if (a->input_bytes)
        ck_assert_mem_eq(a->input, b->input, a->input_bytes);
}

/* A copy in memory of exactly n bytes, so that reading past its end is seen by a sanitizer or valgrind. */
static struct roundtrip roundtrip_of(const uint8_t *p, size_t n)
{
    uint8_t *exact = malloc(n ? n : 1);
    ck_assert_ptr_nonnull(exact);
    memcpy(exact, p, n);
    struct roundtrip result = wire_roundtrip(exact, n, again);
    free(exact);
    return result;
}

/* Every shorter message is a clean verdict, and whatever is accepted is written the same. */
static void try_truncations(size_t n)
{
    for (size_t bytes = 0; bytes < n; bytes++) {
        struct roundtrip result = roundtrip_of(buffer, bytes);
        ck_assert_msg(result.same, "%zu of %zu bytes come back different", bytes, n);
        ck_assert_msg(result.verdict == TRK_V_ACCEPTED || result.verdict == TRK_V_TRUNCATED || result.verdict == TRK_V_SHORT
                      || result.verdict == TRK_V_BAD_FIELD, "%zu of %zu bytes: %s", bytes, n, trk_verdict_name(result.verdict));
        ck_assert(bytes > 0 || result.verdict == TRK_V_SHORT);
    }
}

static void try_bit_flips(size_t n)
{
    for (size_t bit = 0; bit < 8 * n; bit++) {
        buffer[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        struct roundtrip result = roundtrip_of(buffer, n);
        ck_assert_msg(result.same, "bit %zu of %zu bytes: comes back different", bit, n);
        buffer[bit / 8] ^= (uint8_t)(1u << (bit % 8));
    }
}

/* What try_truncations cannot know: where a message without data at its end stops being accepted. */
static void assert_all_truncated(size_t n)
{
    for (size_t bytes = 1; bytes < n; bytes++)
        ck_assert_int_eq(roundtrip_of(buffer, bytes).verdict, TRK_V_TRUNCATED);
}

START_TEST(request_round_trips)
{
    struct dice d = { 7 };
    for (int round = 0; round < ROUNDS; round++) {
        random_request(&d, &request, &memory);
        size_t n = trk_request_emit(&request, buffer, sizeof buffer);
        ck_assert_msg(n > 0, "round %d is not written", round);
        ck_assert_int_eq(trk_request_parse(buffer, n, &parsed_request), TRK_V_ACCEPTED);
        assert_same_request(&request, &parsed_request);
        ck_assert_uint_eq(trk_request_emit(&request, buffer, n - 1), 0);
        ck_assert_uint_eq(trk_request_emit(&parsed_request, again, n), n);
        ck_assert_mem_eq(again, buffer, n);
    }
}
END_TEST

START_TEST(request_survives_damage)
{
    struct dice d = { 8 };
    for (int round = 0; round < 60; round++) {
        random_request(&d, &request, &memory);
        size_t n = trk_request_emit(&request, buffer, sizeof buffer);
        if (n > 600)
            continue;
        try_truncations(n);
        try_bit_flips(n);
    }
}
END_TEST

static void assert_same_answer(const struct trk_answer *a, const struct trk_answer *b)
{
    const struct trk_grant *g = &a->grant, *h = &b->grant;
    ck_assert(a->form == b->form && a->flags == b->flags && a->n == b->n && a->offset == b->offset);
    ck_assert(a->n_minus_a == b->n_minus_a && a->b_minus_a == b->b_minus_a && a->digest == b->digest && a->nonce == b->nonce);
    ck_assert(g->kind == h->kind && g->epoch == h->epoch && g->domain == h->domain && g->generation == h->generation);
    ck_assert(g->id.h == h->id.h && g->id.t == h->id.t && g->a == h->a && g->b == h->b && g->f == h->f);
    ck_assert(g->piece.base == h->piece.base && g->piece.start == h->piece.start && g->piece.ssthresh == h->piece.ssthresh);
    ck_assert(g->slot == h->slot && g->tick == h->tick && g->address_tag == h->address_tag);
    ck_assert_mem_eq(a->seal, b->seal, TRK_SEAL_BYTES);
    ck_assert_uint_eq(a->n_conts, b->n_conts);
    for (size_t i = 0; i < a->n_conts; i++)
        assert_same_ucont(&a->conts[i], &b->conts[i]);
}

START_TEST(answer_round_trips)
{
    struct dice d = { 9 };
    for (int round = 0; round < 4 * ROUNDS; round++) {
        struct trk_answer answer, parsed;
        uint8_t form = answer_forms[round % 4];
        random_answer(&d, form, &answer, &memory);
        size_t head = trk_answer_emit(&answer, buffer, sizeof buffer);
        size_t want = trk_form_bytes(form);
        for (size_t i = 0; i < answer.n_conts; i++)
            want += answer.conts[i].total_bytes;
        ck_assert_uint_eq(head, want);
        ck_assert_uint_eq(trk_answer_emit(&answer, again, head - 1), 0);
        size_t data = uneven(&d, 0, 1500);
        roll_bytes(&d, buffer + head, data);
        ck_assert_int_eq(trk_answer_parse(buffer, head + data, &parsed), TRK_V_ACCEPTED);
        assert_same_answer(&answer, &parsed);
        ck_assert_uint_eq(parsed.data_bytes, data);
        ck_assert_ptr_eq(parsed.data, buffer + head);
    }
}
END_TEST

START_TEST(answer_survives_damage)
{
    struct dice d = { 10 };
    for (int round = 0; round < 100; round++) {
        struct trk_answer answer;
        random_answer(&d, answer_forms[round % 4], &answer, &memory);
        size_t n = trk_answer_emit(&answer, buffer, sizeof buffer);
        if (n > 600)
            continue;
        assert_all_truncated(n);
        try_bit_flips(n);
    }
}
END_TEST

/* A server never sees what only the low bits of a NORMAL say, and must not have to cut them itself. */
START_TEST(normal_sends_low_bits)
{
    struct trk_answer m = { .form = TRK_FORM_NORMAL, .n_minus_a = 1, .b_minus_a = 2, .offset = 0x123456789abcull }, parsed;
    m.grant.generation = 0x12345;
    m.grant.epoch = 0x67;
    m.grant.tick = 0x89abcdef;
    ck_assert_uint_eq(trk_answer_emit(&m, buffer, sizeof buffer), TRK_NORMAL_BYTES);
    ck_assert_int_eq(trk_answer_parse(buffer, TRK_NORMAL_BYTES, &parsed), TRK_V_ACCEPTED);
    ck_assert_uint_eq(parsed.grant.generation, 5);
    ck_assert_uint_eq(parsed.grant.epoch, 7);
    ck_assert_uint_eq(parsed.grant.tick, 0xcdef);
    ck_assert_uint_eq(parsed.offset, 0x56789abc);
}
END_TEST

START_TEST(form_lengths)
{
    ck_assert_uint_eq(trk_form_bytes(TRK_FORM_OPENED), 85);
    ck_assert_uint_eq(trk_form_bytes(TRK_FORM_LONG), 73);
    ck_assert_uint_eq(trk_form_bytes(TRK_FORM_NORMAL), 37);
    ck_assert_uint_eq(trk_form_bytes(TRK_FORM_TERMINAL), 7);
    for (unsigned form = 0; form < 8; form++)
        ck_assert_uint_eq(trk_form_bytes((uint8_t)form), 0);
    ck_assert_uint_eq(trk_form_bytes(TRK_FORM_VERDICT), 0);
}
END_TEST

START_TEST(answer_flags_are_bounded)
{
    struct dice d = { 11 };
    struct trk_answer answer, parsed;
    for (size_t i = 0; i < 4; i++)
        for (unsigned flags = 0; flags < 256; flags++) {
            random_answer(&d, answer_forms[i], &answer, &memory);
            answer.flags = 0;
            answer.n_conts = 0;
            size_t n = trk_answer_emit(&answer, buffer, sizeof buffer);
            buffer[1] = (uint8_t)flags;
            bool more = flags & TRK_F_MORE, done = flags & TRK_F_DONE, end = flags & TRK_F_END;
            bool placed = flags & TRK_F_PLACED;
            bool renew = flags & TRK_F_RENEW;
            bool bad = (renew && (done || placed || (flags & TRK_F_REFRESH))) || ((flags & TRK_F_FIN) && !end) || ((more || placed) && (done || end))
                || ((flags & TRK_F_REFRESH) && answer_forms[i] != TRK_FORM_LONG)
                || ((more || done || placed || renew) && answer_forms[i] == TRK_FORM_TERMINAL)
                || (renew && answer_forms[i] == TRK_FORM_OPENED);
            enum trk_verdict v = trk_answer_parse(buffer, n, &parsed);
            ck_assert_int_eq(v, bad ? TRK_V_BAD_FIELD : more || done || end || renew ? TRK_V_TRUNCATED : TRK_V_ACCEPTED);
            answer.flags = (uint8_t)flags;
            ck_assert_uint_eq(trk_answer_emit(&answer, again, sizeof again), v == TRK_V_ACCEPTED ? n : 0);
        }
}
END_TEST

START_TEST(input_goes_on_behind_a_range)
{
    struct trk_answer m = { .form = TRK_FORM_NORMAL, .flags = TRK_F_MORE | TRK_F_PLACED, .n_conts = 2 }, parsed;
    struct dice d = { 13 };
    m.conts[0] = random_ucont(&d, TRK_UCONT_INPUT, memory.conts[0]);
    m.conts[1] = random_ucont(&d, TRK_UCONT_RANGE, memory.conts[1]);
    put_be(memory.conts[0] + 5, m.conts[0].first = m.conts[1].second, 8);
    size_t n = trk_answer_emit(&m, buffer, sizeof buffer);
    ck_assert_uint_gt(n, 0);
    ck_assert_int_eq(trk_answer_parse(buffer, n, &parsed), TRK_V_ACCEPTED);
    ck_assert(parsed.n_conts == 2 && parsed.conts[1].type == TRK_UCONT_RANGE && parsed.conts[0].first == parsed.conts[1].second);
    put_be(buffer + TRK_NORMAL_BYTES + 5, m.conts[1].second - 1, 8);
    ck_assert_int_eq(trk_answer_parse(buffer, n, &parsed), TRK_V_BAD_FIELD);
    put_be(memory.conts[0] + 5, m.conts[0].first = m.conts[1].second - 1, 8);
    ck_assert_uint_eq(trk_answer_emit(&m, buffer, sizeof buffer), 0);
}
END_TEST

START_TEST(continuations_come_in_their_order)
{
    struct trk_answer m = { .form = TRK_FORM_TERMINAL, .flags = TRK_F_END, .n_conts = 1 }, parsed;
    struct dice d = { 12 };
    m.conts[0] = random_ucont(&d, TRK_UCONT_OUTPUT, memory.conts[0]);
    ck_assert_uint_eq(trk_answer_emit(&m, buffer, sizeof buffer), 0);
    m.conts[0] = random_ucont(&d, TRK_UCONT_INPUT, memory.conts[0]);
    size_t n = trk_answer_emit(&m, buffer, sizeof buffer);
    ck_assert_uint_gt(n, 0);
    m.conts[0].total_bytes++;                           /* a view that is not what its bytes say */
    ck_assert_uint_eq(trk_answer_emit(&m, again, sizeof again), 0);
    buffer[TRK_TERMINAL_BYTES] = TRK_UCONT_OUTPUT;
    ck_assert_int_eq(trk_answer_parse(buffer, n, &parsed), TRK_V_BAD_FIELD);
}
END_TEST

START_TEST(open_round_trips)
{
    struct dice d = { 13 };
    for (int round = 0; round < ROUNDS; round++) {
        struct trk_open m = { .has_input = between(&d, 0, 1) }, parsed;
        roll_bytes(&d, m.random, sizeof m.random);
        m.input_end = m.has_input && between(&d, 0, 1);
        m.input_bytes = m.has_input ? (uint16_t)uneven(&d, 0, TRK_OPEN_INPUT_MAX) : 0;
        m.input = memory.input;
        roll_bytes(&d, memory.input, m.input_bytes);
        size_t least = TRK_OPEN_HEADER + m.input_bytes, cap = uneven(&d, least, sizeof buffer);
        size_t n = trk_open_emit(&m, buffer, cap);
        ck_assert_uint_eq(n, cap < TRK_SYN_PAYLOAD_MAX ? cap : TRK_SYN_PAYLOAD_MAX);
        ck_assert_uint_eq(trk_open_emit(&m, again, least - 1), 0);
        ck_assert_int_eq(trk_open_parse(buffer, n, &parsed), TRK_V_ACCEPTED);
        ck_assert_mem_eq(parsed.random, m.random, sizeof m.random);
        ck_assert(parsed.has_input == m.has_input && parsed.input_end == m.input_end);
        ck_assert_uint_eq(parsed.input_bytes, m.input_bytes);
        ck_assert_mem_eq(parsed.input, m.input, m.input_bytes);
        ck_assert(roundtrip_of(buffer, n).same);
        if (n > least) {
            buffer[n - 1] = 1;
            ck_assert_int_eq(trk_open_parse(buffer, n, &parsed), TRK_V_BAD_FIELD);
        }
    }
}
END_TEST

START_TEST(open_survives_damage)
{
    struct trk_open m = { .has_input = true, .input_end = true, .input_bytes = 9, .input = (const uint8_t *)"GET / HT\n" };
    size_t n = trk_open_emit(&m, buffer, 64);
    ck_assert_uint_eq(n, 64);
    try_truncations(n);
    try_bit_flips(n);
    m.has_input = false;
    ck_assert_uint_eq(trk_open_emit(&m, buffer, 64), 0);
}
END_TEST

START_TEST(close_and_verdict)
{
    struct dice d = { 14 };
    for (int round = 0; round < 200; round++) {
        struct trk_close c = { { roll(&d), (uint32_t)roll(&d) }, (uint32_t)roll(&d) }, c2;
        struct trk_verdict_msg m = { .code = (uint8_t)roll(&d), .id = c.id, .generation = c.generation,
                                     .k = uneven(&d, 0, TRK_NUMBER_MAX), .domain = (uint32_t)roll(&d) }, m2;
        ck_assert_uint_eq(trk_close_emit(&c, buffer, sizeof buffer), TRK_CLOSE_BYTES);
        ck_assert_int_eq(trk_close_parse(buffer, TRK_CLOSE_BYTES, &c2), TRK_V_ACCEPTED);
        ck_assert(c.id.h == c2.id.h && c.id.t == c2.id.t && c.generation == c2.generation);
        assert_all_truncated(TRK_CLOSE_BYTES);
        try_bit_flips(TRK_CLOSE_BYTES);
        ck_assert_int_eq(trk_close_parse(buffer, TRK_CLOSE_BYTES + 1, &c2), TRK_V_BAD_FIELD);

        ck_assert_uint_eq(trk_verdict_msg_emit(&m, buffer, sizeof buffer), TRK_VERDICT_BYTES);
        ck_assert_int_eq(trk_verdict_msg_parse(buffer, TRK_VERDICT_BYTES, &m2), TRK_V_ACCEPTED);
        ck_assert(m.code == m2.code && m.id.h == m2.id.h && m.id.t == m2.id.t && m.generation == m2.generation);
        ck_assert(m.k == m2.k && m.domain == m2.domain);
        assert_all_truncated(TRK_VERDICT_BYTES);
        try_bit_flips(TRK_VERDICT_BYTES);
        ck_assert_int_eq(trk_verdict_msg_parse(buffer, TRK_VERDICT_BYTES + 1, &m2), TRK_V_BAD_FIELD);
    }
}
END_TEST

START_TEST(forms_and_versions)
{
    struct trk_answer answer;
    struct trk_open opening;
    uint8_t form, other[64] = { 0x20 | TRK_FORM_OPEN };
    ck_assert_int_eq(trk_form_of(other, 0, &form), TRK_V_SHORT);
    ck_assert_int_eq(trk_form_of(other, sizeof other, &form), TRK_V_BAD_VERSION);
    ck_assert_int_eq(trk_open_parse(other, sizeof other, &opening), TRK_V_BAD_VERSION);
    ck_assert_int_eq(trk_request_parse(other, sizeof other, &request), TRK_V_BAD_VERSION);
    ck_assert_int_eq(trk_answer_parse(other, sizeof other, &answer), TRK_V_BAD_VERSION);
    other[0] = TRK_VERSION << 4 | 15;
    ck_assert_int_eq(trk_form_of(other, sizeof other, &form), TRK_V_ACCEPTED);
    ck_assert_uint_eq(form, 15);
    ck_assert_int_eq(trk_open_parse(other, sizeof other, &opening), TRK_V_BAD_FORM);
    ck_assert_int_eq(trk_request_parse(other, sizeof other, &request), TRK_V_BAD_FORM);
    ck_assert_int_eq(trk_answer_parse(other, sizeof other, &answer), TRK_V_BAD_FORM);
}
END_TEST

UNIT_MAIN("messages", request_round_trips, request_survives_damage, answer_round_trips, answer_survives_damage,
          normal_sends_low_bits, form_lengths, answer_flags_are_bounded, input_goes_on_behind_a_range, continuations_come_in_their_order,
          open_round_trips, open_survives_damage, close_and_verdict, forms_and_versions)
