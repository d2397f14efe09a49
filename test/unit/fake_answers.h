/* fake_answers.h - what the tests of plan and respond share: one fake client, a request to start from, and an answer
 * packet read back with its seal and nonce checked. */
#ifndef TRK_TEST_FAKE_ANSWERS_H
#define TRK_TEST_FAKE_ANSWERS_H

#include "unit.h"
#include "fake_client.h"

static struct fake fake;
static struct fake_packet got;
static const struct trk_piece slow_start = { 1, 10, TRK_SSTHRESH_NONE };   /* C(k) = 10 + k - 1 */
enum { ROOM = 1456 - TRK_NORMAL_BYTES, LONG_ROOM = 1456 - TRK_LONG_BYTES };

static inline struct trk_request *begin(uint8_t form)
{
    fake_init(&fake);
    return fake_request(&fake, form);
}

static inline void ask_all(struct trk_part *p, uint32_t bytes)
{
    fake_ask(p, fake_cont(&fake, TRK_UCONT_OUTPUT, 0, TRK_OFFSET_UNKNOWN, "endless"), 0, bytes);
}

static inline struct trk_ucont ucont(uint8_t type, uint64_t first, uint64_t second, uint16_t opaque_bytes)
{
    struct trk_ucont u = { .type = type, .first = first, .second = second, .opaque_bytes = opaque_bytes };
    memset(u.opaque, 'o', opaque_bytes);
    return u;
}

/* Reads packet i of the answer: number n under grant [a, b], whose seal and nonce hold. */
static inline void read_number(size_t i, uint64_t n, uint64_t a, uint64_t b)
{
    fake_read(&fake, i, &got);
    const struct trk_spend *s = &fake.spend;
    struct trk_answer *m = &got.answer;
    const struct trk_plan_grant *g = fake.plan.grants;
    while (g < fake.plan.grants + fake.plan.n_grants && g->step.a != a)
        g++;
    ck_assert(g < fake.plan.grants + fake.plan.n_grants);
    ck_assert_uint_eq(got.seg.seq, trk_seq_of(s->isn, n, s->request.slot) - (m->form == TRK_FORM_OPENED ? 1 : 0));
    ck_assert_uint_eq(m->n_minus_a, n - a);
    ck_assert_uint_eq(m->b_minus_a, b - a);
    ck_assert_uint_eq(m->flags & TRK_F_NO_FILTER, TRK_F_NO_FILTER);
    struct trk_grant expected = {
        .kind = TRK_NORMAL, .epoch = s->request.epoch, .domain = 0, .id = s->id, .generation = fake.decision.generation,
        .piece = g->step.piece, .a = a, .b = b, .f = b, .slot = s->request.slot, .tick = trk_tick(fake.now_ms), .address_tag = s->address_tag,
    };
    if (m->form == TRK_FORM_NORMAL) {
        ck_assert_uint_eq(m->digest, trk_grant_digest(&expected));
        ck_assert_uint_eq(m->grant.tick, expected.tick & 0xffff);
    } else {
        struct trk_conn_id id = s->id;
        m->grant.id = id;              /* in the packet of OPENED only */
        ck_assert_uint_eq(m->n, n);
        ck_assert_uint_eq(m->grant.a, a);
        ck_assert_uint_eq(m->grant.b, b);
        ck_assert_uint_eq(m->grant.piece.base, g->step.piece.base);
        expected = m->grant;
    }
    const struct trk_epoch *e = trk_keys_find(&fake.keys, expected.epoch);
    struct trk_nonce_scope scope = { expected.id, expected.domain, expected.generation, expected.piece.base };
    ck_assert(trk_grant_open(e, &expected, m->seal));
    ck_assert_uint_eq(m->nonce, trk_nonce(e, &scope, n));
}

#define ASSERT_CARRIES(from, n) do {                              \
        ck_assert_uint_eq(got.answer.data_bytes, n);              \
        ck_assert_uint_eq(got.answer.offset, from);               \
    } while (0)
#define ASSERT_FLAGS(expected) ck_assert_uint_eq(got.answer.flags, (expected) | TRK_F_NO_FILTER)

#endif
