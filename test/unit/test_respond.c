/* Answers, packet by packet: what each kind says, that its seals and nonces are the ones a client can spend, and that
 * equal arguments give equal bytes. */
#include "unit.h"
#include "fake_client.h"

static struct fake fake;
static struct fake_packet got;
static const struct trk_piece slow_start = { 1, 10, TRK_SSTHRESH_NONE };   /* C(k) = 10 + k - 1 */
enum { ROOM = 1456 - TRK_NORMAL_BYTES, LONG_ROOM = 1456 - TRK_LONG_BYTES };

static struct trk_request *begin(uint8_t form)
{
    fake_init(&fake);
    return fake_request(&fake, form);
}

static void ask_all(struct trk_part *p, uint32_t bytes)
{
    fake_ask(p, fake_cont(&fake, TRK_UCONT_OUTPUT, 0, TRK_OFFSET_UNKNOWN, "endless"), 0, bytes);
}

static struct trk_ucont ucont(uint8_t type, uint64_t first, uint64_t second, uint16_t opaque_bytes)
{
    struct trk_ucont u = { .type = type, .first = first, .second = second, .opaque_bytes = opaque_bytes };
    memset(u.opaque, 'o', opaque_bytes);
    return u;
}

/* Reads packet i of the answer: number n under grant [a, b], whose seal and nonce hold. */
static void read_number(size_t i, uint64_t n, uint64_t a, uint64_t b)
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

/* ---------------- opening ---------------- */
START_TEST(opened)
{
    fake_init(&fake);
    fake_open(&fake, NULL, 1460, TRK_SYN_PAYLOAD);
    fake_decide(&fake);
    fake_plan(&fake);                  /* nothing is said: no input, and the server does not speak first */
    ck_assert_int_eq(fake_respond(&fake), TRK_V_ANSWERED);
    ck_assert_uint_eq(fake.out.n, 1);
    read_number(0, 1, 1, 1);
    ck_assert_uint_eq(got.seg.flags, TRK_SYN | TRK_ACK);
    ck_assert_uint_eq(got.seg.mss, 1460);
    ck_assert(got.seg.has_wscale);
    ck_assert_uint_eq(got.seg.wscale, TRK_WSCALE);
    ck_assert(!got.seg.sack_ok && !got.seg.has_timestamp);
    ck_assert_uint_eq(got.answer.grant.kind, TRK_OPENING);
    ck_assert_uint_eq(got.answer.grant.piece.start, TRK_IW);
    ck_assert_uint_eq(got.answer.grant.piece.ssthresh, TRK_SSTHRESH_NONE);
    ck_assert_uint_eq(got.answer.grant.generation, 0);
    ck_assert_uint_eq(got.answer.grant.f, 1);
    ck_assert_uint_eq(got.answer.data_bytes, 0);
    ASSERT_FLAGS(0);
}
END_TEST

START_TEST(opened_with_done)
{
    fake_init(&fake);
    fake_open(&fake, "GET", 1460, TRK_SYN_PAYLOAD);
    fake_decide(&fake);
    fake_plan(&fake);
    fake_give(&fake);
    fake.result.fate = TRK_INPUT_DONE;
    fake.result.input = ucont(TRK_UCONT_INPUT, 3, 100000, 10);
    fake.result.output = ucont(TRK_UCONT_OUTPUT, 0, 100000, 50);
    ck_assert_int_eq(fake_respond(&fake), TRK_V_ANSWERED);
    ck_assert_uint_eq(fake.out.n, 1);
    read_number(0, 1, 1, 1);
    ASSERT_FLAGS(TRK_F_DONE);
    ck_assert_uint_eq(got.answer.conts[0].first, 3);
    ck_assert_uint_eq(got.answer.conts[1].second, 100000);
    uint32_t conts = (uint32_t)(trk_ucont_sealed_bytes(10) + trk_ucont_sealed_bytes(50));
    ASSERT_CARRIES(0, TRK_SYN_PAYLOAD - 8 - TRK_OPENED_BYTES - conts);
    ck_assert_uint_le(got.n, fake.packet_bytes);
}
END_TEST

START_TEST(opened_server_speaks_first)
{
    for (int given_input = 0; given_input < 2; given_input++) {
        fake_init(&fake);
        fake_open(&fake, NULL, 1460, TRK_SYN_PAYLOAD);
        fake_decide(&fake);
        fake_plan(&fake);
        fake_give(&fake);
        fake.result.given[0].bytes = 20;
        fake.result.opens_output = true;
        fake.result.output = ucont(TRK_UCONT_OUTPUT, 0, 20, 5);
        if (given_input) {
            fake.result.fate = TRK_INPUT_DONE;
            fake.result.input = ucont(TRK_UCONT_INPUT, 0, 20, 9);
        }
        ck_assert_int_eq(fake_respond(&fake), TRK_V_ANSWERED);
        read_number(0, 1, 1, 1);
        ASSERT_FLAGS(TRK_F_DONE);
        ASSERT_CARRIES(0, 20);
        ck_assert_uint_eq(got.answer.conts[0].first, 0);
        ck_assert_uint_eq(got.answer.conts[0].second, 20);
        ck_assert_uint_eq(got.answer.conts[0].opaque_bytes, given_input ? 9 : 0);
    }
}
END_TEST

/* Too little room for what the application says: the connection opens all the same, its input unanswered. */
START_TEST(opened_without_room_for_its_input)
{
    for (uint16_t opaque = 0; opaque <= 300; opaque += 300) {
        fake_init(&fake);
        fake_open(&fake, "GET", 536, TRK_SYN_PAYLOAD);
        fake_decide(&fake);
        fake_plan(&fake);
        fake_give(&fake);
        fake.result.fate = TRK_INPUT_DONE;
        fake.result.input = ucont(TRK_UCONT_INPUT, 3, 10, 100);
        fake.result.output = ucont(TRK_UCONT_OUTPUT, 0, 10, opaque);
        fake.result.given[0].bytes = 10;
        ck_assert_int_eq(fake_respond(&fake), TRK_V_ANSWERED);
        read_number(0, 1, 1, 1);
        ASSERT_FLAGS(opaque ? 0 : TRK_F_DONE);
        ck_assert_uint_eq(got.answer.data_bytes, opaque ? 0 : 10);
    }
}
END_TEST

/* Nothing amplifies: whatever the SYN's size, and whatever the application says, the answer is no larger. */
START_TEST(opened_never_amplifies)
{
    fake_init(&fake);
    for (int family = 4; family <= 6; family += 2) {
        fake.flow.src.family = fake.flow.dst.family = (uint8_t)family;
        for (size_t payload = 24; payload <= TRK_SYN_PAYLOAD; payload++) {
            fake_open(&fake, "GET", 1460, payload);
            ck_assert_str_eq(trk_verdict_name(fake_decide(&fake)), "accepted");
            if (fake_plan(&fake) != TRK_V_ACCEPTED)
                continue;
            fake_give(&fake);
            fake.result.fate = TRK_INPUT_DONE;
            fake.result.input = ucont(TRK_UCONT_INPUT, 3, 100000, 40);
            fake.result.output = ucont(TRK_UCONT_OUTPUT, 0, 100000, 200);
            fake_respond(&fake);
            size_t sent = 0;
            for (size_t i = 0; i < fake.out.n; i++)
                sent += fake.out.packets[i].head_bytes + fake.out.packets[i].data_bytes;
            ck_assert_uint_le(sent, fake.packet_bytes);
            ck_assert_int_eq(fake.verdict, TRK_V_ANSWERED);
            ck_assert_uint_eq(fake.out.n, 1);
        }
    }
}
END_TEST

/* What a client does with nothing but the answers' own seals and nonces: SYN, number 1, numbers 2 .. 4. */
START_TEST(a_client_can_spend_what_it_gets)
{
    fake_init(&fake);
    fake_open(&fake, NULL, 1460, TRK_SYN_PAYLOAD);
    fake_decide(&fake);
    fake_plan(&fake);
    fake_respond(&fake);
    fake_read(&fake, 0, &got);
    struct trk_grant g = got.answer.grant;
    struct trk_request *r = fake_request(&fake, TRK_FORM_REQUEST);
    r->id = g.id;
    r->generation = g.generation;
    r->address_tag = g.address_tag;
    struct trk_part *p = fake_opening(&fake, 1, g.piece.start, g.piece.ssthresh);
    p->grants[0].tick = g.tick;
    memcpy(p->grants[0].seal, got.answer.seal, TRK_SEAL_BYTES);
    p->xor_nonces = got.answer.nonce;
    ask_all(p, 100 * LONG_ROOM);
    fake_send_request(&fake);
    ck_assert_str_eq(trk_verdict_name(fake_decide(&fake)), "accepted");
    fake_plan(&fake);
    fake_give(&fake);
    fake_respond(&fake);
    ck_assert_uint_eq(fake.out.n, TRK_IW);

    struct trk_answer answers[TRK_IW];
    for (size_t i = 0; i < TRK_IW; i++) {
        read_number(i, 2 + i, 2, 11);
        ASSERT_CARRIES(i * LONG_ROOM, LONG_ROOM);
        answers[i] = got.answer;
    }
    ck_assert_uint_eq(answers[0].grant.kind, TRK_NORMAL);
    ck_assert_uint_eq(answers[0].grant.f, 11);
    r->n_parts = r->n_conts = 0;
    memset(r->parts, 0, sizeof r->parts);
    p = fake_part(&fake, TRK_NORMAL, answers[0].grant.piece, 2, 3);
    p->grants[0] = (struct trk_grant_ref){ .a = 2, .b = 11, .f = 11, .tick = answers[0].grant.tick };
    memcpy(p->grants[0].seal, answers[0].seal, TRK_SEAL_BYTES);
    p->xor_nonces = answers[0].nonce ^ answers[1].nonce ^ answers[2].nonce;
    fake_send_request(&fake);
    ck_assert_str_eq(trk_verdict_name(fake_decide(&fake)), "accepted");
    fake_plan(&fake);
    fake_give(&fake);
    ck_assert_int_eq(fake_respond(&fake), TRK_V_ANSWERED);
    ck_assert_uint_eq(fake.out.n, 6);
    read_number(5, 17, 12, 17);
}
END_TEST

/* ---------------- normal ---------------- */
START_TEST(normal)
{
    begin(TRK_FORM_REQUEST);
    ask_all(fake_part(&fake, TRK_NORMAL, slow_start, 5, 2), 2 * ROOM + 100);
    fake_answered(&fake);
    ck_assert_uint_eq(fake.out.n, 4);
    for (size_t i = 0; i < 4; i++) {
        read_number(i, 18 + i, 18, 21);
        ck_assert_uint_eq(got.answer.form, TRK_FORM_NORMAL);
        ck_assert_uint_eq(got.seg.flags, TRK_ACK);
        ASSERT_FLAGS(0);
        ASSERT_CARRIES(i < 3 ? i * ROOM : 0, i < 2 ? ROOM : i == 2 ? 100 : 0);
    }
    ck_assert_uint_eq(fake.out.packets[0].head_bytes, 44 + TRK_NORMAL_BYTES);
    ck_assert_ptr_eq(fake.out.packets[0].data, fake.pattern);            /* by reference */
    ck_assert_uint_eq(fake.out.packets[0].seq + fake.out.packets[0].slot, fake.out.packets[1].seq);
}
END_TEST

START_TEST(normal_when_less_is_given)
{
    begin(TRK_FORM_REQUEST);
    ask_all(fake_part(&fake, TRK_NORMAL, slow_start, 5, 2), 4 * ROOM);
    fake_planned(&fake);
    fake.result.given[0].bytes = ROOM + 7;
    fake_respond(&fake);
    ck_assert_uint_eq(fake.out.n, 4);
    read_number(1, 19, 18, 21);
    ASSERT_CARRIES(ROOM, 7);
    read_number(2, 20, 18, 21);
    ASSERT_CARRIES(0, 0);
    read_number(3, 21, 18, 21);
    ASSERT_CARRIES(0, 0);
}
END_TEST

START_TEST(no_filter_is_said_without_a_domain_only)
{
    begin(TRK_FORM_REQUEST);
    fake.config.domain = fake.request.domain = 0xd0;
    fake_part(&fake, TRK_NORMAL, slow_start, 5, 1);
    fake_answered(&fake);
    fake_read(&fake, 0, &got);
    ck_assert_uint_eq(got.answer.flags, 0);
}
END_TEST

START_TEST(several_parts)
{
    begin(TRK_FORM_REQUEST);
    fake_part(&fake, TRK_NORMAL, slow_start, 5, 1);
    ask_all(fake_part(&fake, TRK_NORMAL, slow_start, 6, 1), 10);
    fake_answered(&fake);
    ck_assert_uint_eq(fake.out.n, 4);
    read_number(0, 18, 18, 19);
    read_number(1, 19, 18, 19);
    read_number(2, 20, 20, 21);
    ASSERT_CARRIES(0, 10);
    read_number(3, 21, 20, 21);
}
END_TEST

START_TEST(a_mask_with_holes_gives_several_grants)
{
    begin(TRK_FORM_REQUEST);
    ask_all(fake_part(&fake, TRK_NORMAL, slow_start, 5, 5), 10 * ROOM);
    fake_planned(&fake);
    fake.decision.mask[0] = 0x1b;      /* 7 was spent before */
    fake_plan(&fake);
    fake_give(&fake);
    fake_respond(&fake);
    ck_assert_uint_eq(fake.out.n, 8);
    for (size_t i = 0; i < 8; i++) {
        bool second = i >= 4;
        read_number(i, 18 + i + (second ? 2 : 0), second ? 24 : 18, second ? 27 : 21);
        ASSERT_CARRIES((i + (second ? 2 : 0)) * ROOM, ROOM);
    }
}
END_TEST

/* ---------------- recovery ---------------- */
START_TEST(recovery)
{
    begin(TRK_FORM_REQUEST);
    struct trk_part *p = fake_part(&fake, TRK_NORMAL, slow_start, 4, 7);
    fake_lose(p, 3);                   /* W 11, R 13, w 5: 9 and 10 live on */
    ask_all(p, 800);
    p->terminal_ask = true;
    fake_ask(p, 0, 50000, 2 * ROOM);
    fake_answered(&fake);
    ck_assert_uint_eq(fake.out.n, 3);
    fake_read(&fake, 0, &got);
    ck_assert_uint_eq(got.answer.form, TRK_FORM_TERMINAL);
    ck_assert_uint_eq(got.seg.seq, trk_seq_of(fake.spend.isn, 3, 1456));
    ck_assert_uint_eq(got.answer.grant.generation, 3);
    ck_assert_uint_eq(got.answer.grant.epoch, 7);
    ASSERT_CARRIES(0, 800);
    read_number(1, 14, 14, 15);
    ASSERT_CARRIES(50000, ROOM);
    read_number(2, 15, 14, 15);
}
END_TEST

START_TEST(a_terminal_without_data_is_not_sent)
{
    begin(TRK_FORM_REQUEST);
    struct trk_part *p = fake_part(&fake, TRK_NORMAL, slow_start, 4, 1);
    fake_lose(p, 3);
    ask_all(p, 800);
    p->terminal_ask = true;
    fake_planned(&fake);
    fake.result.given[0].bytes = 0;
    ck_assert_int_eq(fake_respond(&fake), TRK_V_ANSWERED);
    ck_assert_uint_eq(fake.out.n, 0);
}
END_TEST

/* ---------------- restarts ---------------- */
static void restart(uint8_t kind, uint64_t b, uint64_t f, uint32_t bytes)
{
    begin(TRK_FORM_RESTART)->restart_kind = kind;
    struct trk_part *p = fake_part(&fake, TRK_NORMAL, slow_start, 5, 1);
    p->grants[0].b = b;
    p->grants[0].f = f;
    if (bytes)
        ask_all(p, bytes);
    fake_answered(&fake);
}

START_TEST(restart_timeout)
{
    restart(TRK_RESTART_TIMEOUT, 5, 5, 100 * ROOM);
    ck_assert_uint_eq(fake.out.n, 2);
    read_number(0, 20, 20, 21);
    ck_assert_uint_eq(got.answer.form, TRK_FORM_LONG);
    ck_assert_uint_eq(got.answer.grant.generation, 4);
    ck_assert_uint_eq(got.answer.grant.piece.base, 19);
    ck_assert_uint_eq(got.answer.grant.piece.start, 2);
    ck_assert_uint_eq(got.answer.grant.piece.ssthresh, 7);
    ck_assert_uint_eq(got.answer.grant.f, 21);
    ASSERT_CARRIES(0, LONG_ROOM);
    read_number(1, 21, 20, 21);
    ASSERT_CARRIES(LONG_ROOM, LONG_ROOM);
}
END_TEST

START_TEST(restart_resume_unattested)
{
    restart(TRK_RESTART_RESUME, 5, 5, 100 * ROOM);
    ck_assert_uint_eq(fake.out.n, 7);
    read_number(6, 26, 20, 26);
    ck_assert_uint_eq(got.answer.grant.piece.ssthresh, 7);
}
END_TEST

START_TEST(restart_resume_attested_by_a_cut_seal)
{
    restart(TRK_RESTART_RESUME, 9, 5, 100 * ROOM);
    ck_assert_uint_eq(fake.out.n, 10);
    read_number(9, 29, 20, 29);
    ck_assert_uint_eq(got.answer.grant.piece.ssthresh, TRK_SSTHRESH_NONE);
}
END_TEST

START_TEST(restart_is_cut_where_it_has_nothing_to_carry)
{
    restart(TRK_RESTART_RESUME, 9, 5, LONG_ROOM + 1);
    ck_assert_uint_eq(fake.out.n, 2);
    read_number(1, 21, 20, 29);
    ck_assert_uint_eq(got.answer.grant.f, 21);
    ASSERT_CARRIES(LONG_ROOM, 1);
}
END_TEST

START_TEST(restart_with_nothing_is_one_header)
{
    restart(TRK_RESTART_RESUME, 9, 5, 0);
    ck_assert_uint_eq(fake.out.n, 1);
    read_number(0, 20, 20, 29);
    ck_assert_uint_eq(got.answer.grant.f, 20);
    ck_assert_uint_eq(got.answer.data_bytes, 0);
}
END_TEST

START_TEST(an_opening_is_cut_too)
{
    begin(TRK_FORM_REQUEST);
    ask_all(fake_opening(&fake, 1, TRK_IW, TRK_SSTHRESH_NONE), 3 * LONG_ROOM);
    fake_answered(&fake);
    ck_assert_uint_eq(fake.out.n, 3);
    read_number(2, 4, 2, 11);
    ck_assert_uint_eq(got.answer.grant.f, 4);
    ck_assert_uint_eq(got.answer.grant.piece.base, 1);
}
END_TEST

/* A cut answer's next resume, from its own seal. */
START_TEST(a_cut_answer_resumes)
{
    restart(TRK_RESTART_RESUME, 9, 5, 1);
    read_number(0, 20, 20, 29);
    struct trk_answer m = got.answer;
    struct trk_request *r = fake_request(&fake, TRK_FORM_RESTART);
    r->generation = m.grant.generation;
    r->restart_kind = TRK_RESTART_RESUME;
    struct trk_part *p = fake_part(&fake, TRK_NORMAL, m.grant.piece, 20, 1);
    p->grants[0] = (struct trk_grant_ref){ .a = m.grant.a, .b = m.grant.b, .f = m.grant.f, .tick = m.grant.tick };
    memcpy(p->grants[0].seal, m.seal, TRK_SEAL_BYTES);
    p->xor_nonces = m.nonce;
    fake_send_request(&fake);
    ck_assert_str_eq(trk_verdict_name(fake_decide(&fake)), "accepted");
    fake_plan(&fake);
    fake_give(&fake);
    ck_assert_int_eq(fake_respond(&fake), TRK_V_ANSWERED);
    fake_read(&fake, 0, &got);
    ck_assert_uint_eq(got.answer.grant.generation, 5);
    ck_assert_uint_eq(got.answer.grant.piece.start, 10);
}
END_TEST

/* A restart adopts the current epoch for everything but the sequence space. */
START_TEST(restart_under_another_epoch)
{
    begin(TRK_FORM_RESTART);
    ask_all(fake_part(&fake, TRK_NORMAL, slow_start, 5, 1), 100);
    fake_prove(&fake);
    fake_send_request(&fake);
    uint32_t isn = trk_conn_isn(fake.request.id.h);
    fake_keys(&fake.keys, 8, 7, TRK_EPOCH_ADDED);
    ck_assert_str_eq(trk_verdict_name(fake_decide(&fake)), "accepted");
    fake_plan(&fake);
    fake_give(&fake);
    ck_assert_int_eq(fake_respond(&fake), TRK_V_ANSWERED);
    read_number(0, 20, 20, 21);
    ck_assert_uint_eq(got.answer.grant.epoch, 8);
    ck_assert_uint_eq(got.answer.grant.address_tag, trk_address_tag(trk_keys_current(&fake.keys), &fake.flow.src, fake.flow.sport));
    struct trk_answer m = got.answer;

    struct trk_request *r = fake_request(&fake, TRK_FORM_REQUEST);       /* and the connection goes on in it */
    r->generation = m.grant.generation;
    struct trk_part *p = fake_part(&fake, TRK_NORMAL, m.grant.piece, 20, 1);
    p->grants[0] = (struct trk_grant_ref){ .a = 20, .b = 21, .f = m.grant.f, .tick = m.grant.tick };
    memcpy(p->grants[0].seal, m.seal, TRK_SEAL_BYTES);
    p->xor_nonces = m.nonce;
    r->form = TRK_FORM_RESTART;
    r->restart_kind = TRK_RESTART_RESUME;
    r->attempt = 1;
    fake_send_request(&fake);
    ck_assert_str_eq(trk_verdict_name(fake_decide(&fake)), "accepted");
    ck_assert_uint_eq(fake.spend.isn, isn);
}
END_TEST

/* A generation keeps its epoch, also for what an opening grants in it. */
START_TEST(numbers_keep_their_epoch)
{
    for (int opening = 0; opening < 2; opening++) {
        begin(TRK_FORM_REQUEST)->want_long = true;
        if (opening)
            fake_opening(&fake, 30, 5, 5);
        else
            fake_part(&fake, TRK_NORMAL, slow_start, 5, 1);
        fake_prove(&fake);
        fake_send_request(&fake);
        fake_keys(&fake.keys, 8, 7, TRK_EPOCH_ADDED);
        fake_decide(&fake);
        fake_plan(&fake);
        fake_give(&fake);
        ck_assert_int_eq(fake_respond(&fake), TRK_V_ANSWERED);
        fake_read(&fake, 0, &got);
        ck_assert_uint_eq(got.answer.grant.epoch, 7);
        ck_assert_uint_eq(got.answer.grant.address_tag, fake.request.address_tag);
    }
}
END_TEST

START_TEST(refresh)
{
    struct trk_request *r = begin(TRK_FORM_REQUEST);
    struct trk_part *p = fake_part(&fake, TRK_NORMAL, slow_start, 5, 2);
    ask_all(p, 5000);
    r->has_input = true;
    fake_prove(&fake);
    fake_send_request(&fake);
    fake_keys(&fake.keys, 8, 7, TRK_EPOCH_RETIRING);
    fake_decide(&fake);
    fake_plan(&fake);
    fake.result.fate = TRK_INPUT_MORE; /* a refresh processes no input, whatever the application says */
    fake.result.input = ucont(TRK_UCONT_INPUT, 0, 0, 0);
    ck_assert_int_eq(fake_respond(&fake), TRK_V_REFRESHED);
    ck_assert_uint_eq(fake.out.n, 1);
    read_number(0, 22, 22, 22);
    ASSERT_FLAGS(TRK_F_REFRESH);
    ck_assert_uint_eq(got.answer.form, TRK_FORM_LONG);
    ck_assert_uint_eq(got.answer.data_bytes, 0);
    const struct trk_grant *g = &got.answer.grant;
    ck_assert_uint_eq(g->kind, TRK_OPENING);
    ck_assert_uint_eq(g->epoch, 8);
    ck_assert_uint_eq(g->generation, 16);
    ck_assert_uint_eq(g->piece.base, 21);
    ck_assert_uint_eq(g->piece.start, 7);

    struct trk_answer m = got.answer;  /* spending it opens the window in the generation that it names */
    r = fake_request(&fake, TRK_FORM_REQUEST);
    r->generation = m.grant.generation;
    p = fake_opening(&fake, 22, m.grant.piece.start, m.grant.piece.ssthresh);
    p->grants[0].tick = m.grant.tick;
    memcpy(p->grants[0].seal, m.seal, TRK_SEAL_BYTES);
    p->xor_nonces = m.nonce;
    ask_all(p, 100 * LONG_ROOM);
    fake_send_request(&fake);
    ck_assert_str_eq(trk_verdict_name(fake_decide(&fake)), "accepted");
    fake_plan(&fake);
    fake_give(&fake);
    ck_assert_int_eq(fake_respond(&fake), TRK_V_ANSWERED);
    ck_assert_uint_eq(fake.out.n, 7);
    read_number(6, 29, 23, 29);
    ck_assert_uint_eq(got.answer.grant.generation, 16);
}
END_TEST

/* ---------------- input ---------------- */
static void plan_input(uint16_t reserve)
{
    struct trk_request *r = begin(TRK_FORM_REQUEST);
    struct trk_part *p = fake_part(&fake, TRK_NORMAL, slow_start, 5, 2);
    r->has_input = true;
    r->input = (const uint8_t *)"GET";
    r->input_bytes = 3;
    r->reserve = reserve;
    r->input_cont = fake_cont(&fake, TRK_UCONT_INPUT, 90, 1000, "state");
    r->input_offset = 90;
    fake_ask(p, TRK_ASK_INPUT, 1000, 4 * ROOM);
    fake_planned(&fake);
    ck_assert(fake.plan.may_input);
    ck_assert_uint_eq(fake.plan.wants[0].offset, 1000);
}

START_TEST(input_more)
{
    plan_input(300);
    fake.result.given[0].bytes = 0;
    fake.result.fate = TRK_INPUT_MORE;
    fake.result.input = ucont(TRK_UCONT_INPUT, 93, 1000, 7);
    fake_respond(&fake);
    ck_assert_uint_eq(fake.out.n, 4);
    read_number(0, 18, 18, 21);
    ASSERT_FLAGS(TRK_F_MORE);
    ck_assert_uint_eq(got.answer.n_conts, 1);
    struct trk_ucont u;
    ck_assert_int_eq(trk_ucont_open(&fake.keys, &fake.spend.id, &got.answer.conts[0], &u), TRK_V_ACCEPTED);
    ck_assert_uint_eq(u.first, 93);
    ck_assert_uint_eq(u.opaque_bytes, 7);
    ck_assert_uint_eq(got.answer.data_bytes, 0);
    read_number(1, 19, 18, 21);
    ASSERT_FLAGS(0);
}
END_TEST

START_TEST(input_done)
{
    plan_input(300);
    fake.result.fate = TRK_INPUT_DONE;
    fake.result.input = ucont(TRK_UCONT_INPUT, 93, 9000, 20);
    fake.result.output = ucont(TRK_UCONT_OUTPUT, 1000, 9000, 60);
    fake_respond(&fake);
    read_number(0, 18, 18, 21);
    ASSERT_FLAGS(TRK_F_DONE);
    ck_assert_uint_eq(got.answer.n_conts, 2);
    ck_assert_uint_eq(got.answer.conts[0].type, TRK_UCONT_INPUT);
    ck_assert_uint_eq(got.answer.conts[1].type, TRK_UCONT_OUTPUT);
    ASSERT_CARRIES(1000, ROOM - 300);
    read_number(1, 19, 18, 21);
    ASSERT_FLAGS(0);
    ASSERT_CARRIES(1000 + ROOM - 300, ROOM);
}
END_TEST

START_TEST(input_done_beyond_the_reserve_shortens_the_first_packet)
{
    plan_input(10);
    fake.result.fate = TRK_INPUT_DONE;
    fake.result.input = ucont(TRK_UCONT_INPUT, 93, 9000, 500);
    fake.result.output = ucont(TRK_UCONT_OUTPUT, 1000, 9000, 500);
    ck_assert_int_eq(fake_respond(&fake), TRK_V_ANSWERED);
    read_number(0, 18, 18, 21);
    ASSERT_FLAGS(TRK_F_DONE);
    ASSERT_CARRIES(1000, ROOM - 2 * (uint32_t)trk_ucont_sealed_bytes(500));
    ck_assert_uint_eq(got.seg.payload_bytes, 1456);
    read_number(1, 19, 18, 21);
    ASSERT_CARRIES(1000 + ROOM - 10, ROOM);            /* as if nothing had happened */
}
END_TEST

START_TEST(input_answer_counts_as_something_sent)
{
    begin(TRK_FORM_RESTART)->restart_kind = TRK_RESTART_RESUME;
    struct trk_part *p = fake_part(&fake, TRK_NORMAL, slow_start, 5, 1);
    p->grants[0].b = 9;
    fake.request.has_input = true;
    fake_ask(p, TRK_ASK_INPUT, 0, 100000);
    fake_planned(&fake);
    fake.result.fate = TRK_INPUT_DONE;
    fake.result.given[0].bytes = 30;
    fake.result.input = ucont(TRK_UCONT_INPUT, 0, 30, 0);
    fake.result.output = ucont(TRK_UCONT_OUTPUT, 0, 30, 0);
    fake_respond(&fake);
    ck_assert_uint_eq(fake.out.n, 1);
    read_number(0, 20, 20, 29);
    ASSERT_FLAGS(TRK_F_DONE);
    ASSERT_CARRIES(0, 30);
    ck_assert_uint_eq(got.answer.grant.f, 20);
}
END_TEST

START_TEST(no_room)
{
    struct trk_request *r = begin(TRK_FORM_REQUEST);
    r->fill = TRK_SLOT_MIN;
    r->has_input = true;
    fake_part(&fake, TRK_NORMAL, slow_start, 5, 1);
    fake_planned(&fake);
    fake.result.fate = TRK_INPUT_MORE;
    uint16_t fits = TRK_SLOT_MIN - TRK_NORMAL_BYTES - (TRK_UCONT_HEADER + TRK_SEAL_BYTES);
    fake.result.input = ucont(TRK_UCONT_INPUT, 0, 0, fits);
    ck_assert_int_eq(fake_respond(&fake), TRK_V_ANSWERED);
    fake.result.input.opaque_bytes++;
    ck_assert_int_eq(fake_respond(&fake), TRK_V_NO_ROOM);
    ck_assert_uint_eq(fake.out.n, 0);
    fake.result.input.opaque_bytes = TRK_OPAQUE_MAX + 1;
    ck_assert_int_eq(fake_respond(&fake), TRK_V_NO_ROOM);
}
END_TEST

START_TEST(no_room_in_memory)
{
    begin(TRK_FORM_REQUEST);
    ask_all(fake_part(&fake, TRK_NORMAL, slow_start, 5, 2), 4 * ROOM);
    fake_planned(&fake);
    for (size_t cap = 0; cap < 4; cap++) {
        fake.out.cap = cap;
        ck_assert_int_eq(fake_respond(&fake), TRK_V_NO_ROOM);
        ck_assert_uint_eq(fake.out.n, 0);
    }
    fake.out.cap = 4;
    for (fake.out.arena_bytes = 0; fake.out.arena_bytes < 4 * (44 + TRK_NORMAL_BYTES); fake.out.arena_bytes++) {
        ck_assert_int_eq(fake_respond(&fake), TRK_V_NO_ROOM);
        ck_assert_uint_eq(fake.out.n, 0);
    }
    ck_assert_int_eq(fake_respond(&fake), TRK_V_ANSWERED);
    ck_assert_uint_eq(fake.out.arena_used, 4 * (44 + TRK_NORMAL_BYTES));
}
END_TEST

/* ---------------- the end of an output of unknown length ---------------- */
static struct trk_ucont next_input;

static void plan_end(uint32_t given, uint16_t opaque_bytes)
{
    begin(TRK_FORM_REQUEST);
    ask_all(fake_part(&fake, TRK_NORMAL, slow_start, 5, 2), 4 * ROOM);
    fake_planned(&fake);
    next_input = ucont(TRK_UCONT_INPUT, 50, given, opaque_bytes);
    fake.result.given[0].bytes = given;
    fake.result.given[0].end = true;
    fake.result.next_input = &next_input;
}

START_TEST(end_with_the_last_byte)
{
    plan_end(ROOM + 100, 20);
    fake.result.given[0].fin = true;
    fake_respond(&fake);
    for (size_t i = 0; i < 4; i++) {
        read_number(i, 18 + i, 18, 21);
        ASSERT_FLAGS(i == 1 ? TRK_F_END | TRK_F_FIN : 0);
        if (i == 1) {
            ASSERT_CARRIES(ROOM, 100);
            ck_assert_uint_eq(got.answer.n_conts, 1);
            ck_assert_uint_eq(got.answer.conts[0].first, 50);
        }
    }
}
END_TEST

START_TEST(end_where_its_continuation_fits)
{
    plan_end(2 * ROOM - 5, 20);        /* 5 bytes are left in the packet with the last byte */
    fake_respond(&fake);
    for (size_t i = 0; i < 4; i++) {
        read_number(i, 18 + i, 18, 21);
        ASSERT_FLAGS(i == 2 ? TRK_F_END : 0);
        if (i == 1)
            ASSERT_CARRIES(ROOM, ROOM - 5);
        if (i == 2)
            ASSERT_CARRIES(2 * ROOM - 5, 0);           /* the offset says where the output ended */
    }
}
END_TEST

START_TEST(end_without_another_byte)
{
    plan_end(0, 20);
    fake_respond(&fake);
    read_number(0, 18, 18, 21);
    ASSERT_FLAGS(TRK_F_END);
    ASSERT_CARRIES(0, 0);
    read_number(1, 19, 18, 21);
    ASSERT_FLAGS(0);
}
END_TEST

START_TEST(end_that_fits_nowhere_is_said_later)
{
    plan_end(4 * ROOM, 20);
    ck_assert_int_eq(fake_respond(&fake), TRK_V_ANSWERED);
    for (size_t i = 0; i < 4; i++) {
        read_number(i, 18 + i, 18, 21);
        ASSERT_FLAGS(0);
        ASSERT_CARRIES(i * ROOM, ROOM);
    }
}
END_TEST

START_TEST(end_in_a_cut_answer_is_sent)
{
    begin(TRK_FORM_RESTART);
    ask_all(fake_part(&fake, TRK_NORMAL, slow_start, 5, 1), 2 * LONG_ROOM);
    fake_planned(&fake);
    next_input = ucont(TRK_UCONT_INPUT, 50, LONG_ROOM, 0);
    fake.result.given[0].bytes = LONG_ROOM;
    fake.result.given[0].end = true;
    fake.result.next_input = &next_input;
    fake_respond(&fake);
    ck_assert_uint_eq(fake.out.n, 2);
    read_number(1, 21, 20, 21);
    ASSERT_FLAGS(TRK_F_END);
    ASSERT_CARRIES(LONG_ROOM, 0);
    ck_assert_uint_eq(got.answer.grant.f, 21);
}
END_TEST

START_TEST(end_in_a_terminal)
{
    begin(TRK_FORM_REQUEST);
    struct trk_part *p = fake_part(&fake, TRK_NORMAL, slow_start, 4, 1);
    fake_lose(p, 3);
    ask_all(p, 800);
    p->terminal_ask = true;
    fake_planned(&fake);
    next_input = ucont(TRK_UCONT_INPUT, 50, 700, 0);
    fake.result.given[0].bytes = 700;
    fake.result.given[0].end = true;
    fake.result.next_input = &next_input;
    fake_respond(&fake);
    ck_assert_uint_eq(fake.out.n, 1);
    fake_read(&fake, 0, &got);
    ck_assert_uint_eq(got.answer.form, TRK_FORM_TERMINAL);
    ASSERT_FLAGS(TRK_F_END);
    ASSERT_CARRIES(0, 700);
}
END_TEST

START_TEST(done_and_end_in_one_packet)
{
    plan_input(300);
    next_input = ucont(TRK_UCONT_INPUT, 93, 1100, 3);
    fake.result.fate = TRK_INPUT_DONE;
    fake.result.input = ucont(TRK_UCONT_INPUT, 93, TRK_OFFSET_UNKNOWN, 1);
    fake.result.output = ucont(TRK_UCONT_OUTPUT, 1000, TRK_OFFSET_UNKNOWN, 2);
    fake.result.given[0].bytes = 100;
    fake.result.given[0].end = true;
    fake.result.next_input = &next_input;
    fake_respond(&fake);
    read_number(0, 18, 18, 21);
    ASSERT_FLAGS(TRK_F_DONE | TRK_F_END);
    ASSERT_CARRIES(1000, 100);
    ck_assert_uint_eq(got.answer.n_conts, 2);
    ck_assert_uint_eq(got.answer.conts[0].second, 1100);
    ck_assert_uint_eq(got.answer.conts[1].second, TRK_OFFSET_UNKNOWN);
}
END_TEST

START_TEST(end_waits_behind_more)
{
    begin(TRK_FORM_REQUEST);
    struct trk_part *p = fake_part(&fake, TRK_NORMAL, slow_start, 5, 2);
    fake.request.has_input = true;
    ask_all(p, 3 * ROOM);
    fake_planned(&fake);
    next_input = ucont(TRK_UCONT_INPUT, 50, 100, 0);
    fake.result.fate = TRK_INPUT_MORE;
    fake.result.input = ucont(TRK_UCONT_INPUT, 1, 0, 0);
    fake.result.given[0].bytes = 100;
    fake.result.given[0].end = true;
    fake.result.next_input = &next_input;
    ck_assert_int_eq(fake_respond(&fake), TRK_V_ANSWERED);
    read_number(0, 18, 18, 21);
    ASSERT_FLAGS(TRK_F_MORE);
    read_number(1, 19, 18, 21);
    ASSERT_FLAGS(TRK_F_END);
    ASSERT_CARRIES(100, 0);
}
END_TEST

/* ---------------- a packet over several givens ---------------- */
static uint8_t apart[8][ROOM + 1];

/* asks of `bytes` each that adjoin, every one with its own continuation and its own memory */
static void plan_apart(unsigned n, uint32_t bytes)
{
    begin(TRK_FORM_REQUEST);
    struct trk_part *p = fake_part(&fake, TRK_NORMAL, slow_start, 5, 1);
    for (unsigned i = 0; i < n; i++)
        fake_ask(p, fake_cont(&fake, TRK_UCONT_OUTPUT, i * bytes, (i + 1) * bytes, "x"), i * bytes, bytes);
    fake_planned(&fake);
    ck_assert_uint_eq(fake.plan.n_wants, n);
    for (unsigned i = 0; i < n; i++) {
        memcpy(apart[i], fake.pattern + i * bytes, bytes);
        fake.result.given[i].data = apart[i];
    }
}

START_TEST(fragments_are_copied_but_the_last)
{
    plan_apart(3, 300);
    fake_respond(&fake);
    read_number(0, 18, 18, 19);
    ASSERT_CARRIES(0, 900);            /* fake_read compares the bytes */
    ck_assert_ptr_eq(fake.out.packets[0].data, apart[2]);
    ck_assert_uint_eq(fake.out.packets[0].data_bytes, 300);
    ck_assert_uint_eq(fake.out.packets[0].head_bytes, 44 + TRK_NORMAL_BYTES + 600);
}
END_TEST

START_TEST(contiguous_memory_is_one_fragment)
{
    plan_apart(3, 300);
    for (unsigned i = 0; i < 3; i++)
        fake.result.given[i].data = fake.pattern + i * 300;
    fake_respond(&fake);
    read_number(0, 18, 18, 19);
    ASSERT_CARRIES(0, 900);
    ck_assert_uint_eq(fake.out.packets[0].data_bytes, 900);
}
END_TEST

START_TEST(too_many_fragments_shorten_the_packet)
{
    plan_apart(6, 200);
    fake_respond(&fake);
    read_number(0, 18, 18, 19);
    ASSERT_CARRIES(0, 800);
    read_number(1, 19, 18, 19);
    ck_assert_uint_eq(got.answer.data_bytes, 0);
}
END_TEST

START_TEST(a_gap_in_what_is_given_ends_the_packet)
{
    plan_apart(3, 300);
    fake.result.given[1].bytes = 100;
    fake_respond(&fake);
    read_number(0, 18, 18, 19);
    ASSERT_CARRIES(0, 400);
}
END_TEST

/* ---------------- purity ---------------- */
static uint8_t first_run[FAKE_PACKETS * 2048];

static size_t dump(uint8_t *out, size_t cap)
{
    size_t n = 0;
    for (size_t i = 0; i < fake.out.n; i++) {
        const struct trk_packet *p = &fake.out.packets[i];
        ck_assert_uint_le(n + p->head_bytes + p->data_bytes, cap);
        memcpy(out + n, p->head, p->head_bytes);
        if (p->data_bytes)
            memcpy(out + n + p->head_bytes, p->data, p->data_bytes);
        n += p->head_bytes + p->data_bytes;
    }
    return n;
}

/* The whole path again, in memory that holds something else: nothing of that may show. */
static void run_in(uint8_t garbage, bool input)
{
    memset(&fake.spend, garbage, sizeof fake.spend);
    memset(&fake.decision, garbage, sizeof fake.decision);
    memset(&fake.plan, garbage, sizeof fake.plan);
    memset(fake.arena, garbage, sizeof fake.arena);
    memset(fake.packets, garbage, sizeof fake.packets);
    ck_assert_str_eq(trk_verdict_name(fake_decide(&fake)), "accepted");
    ck_assert_str_eq(trk_verdict_name(fake_plan(&fake)), "accepted");
    fake_give(&fake);
    if (input) {
        fake.result.fate = TRK_INPUT_DONE;
        fake.result.input = ucont(TRK_UCONT_INPUT, 3, 5000, 100);
        fake.result.output = ucont(TRK_UCONT_OUTPUT, 0, 5000, 100);
    }
    fake_respond(&fake);
    ck_assert_uint_gt(fake.out.n, 0);
}

static void assert_pure(bool input)
{
    run_in(0xaa, input);
    size_t n = dump(first_run, sizeof first_run);
    static uint8_t again[sizeof first_run];
    run_in(0x55, input);
    ck_assert_uint_eq(dump(again, sizeof again), n);
    ck_assert_mem_eq(first_run, again, n);
}

START_TEST(equal_arguments_equal_bytes)
{
    for (int input = 0; input < 2; input++) {
        fake_init(&fake);
        fake_open(&fake, input ? "GET" : NULL, 1460, TRK_SYN_PAYLOAD);
        assert_pure(input);

        for (int kind = 0; kind < 5; kind++) {
            struct trk_request *r = begin(kind == 3 ? TRK_FORM_RESTART : TRK_FORM_REQUEST);
            struct trk_part *p = kind == 0 ? fake_opening(&fake, 1, TRK_IW, TRK_SSTHRESH_NONE) : fake_part(&fake, TRK_NORMAL, slow_start, 9, kind == 3 ? 1 : 3);
            if (kind == 2)
                fake_lose(p, 8);
            if (kind == 4)
                p->grants[0].tick -= 10000;
            ask_all(p, 3 * ROOM);
            if (kind == 2)
                p->terminal_ask = true;
            r->has_input = input;
            fake_prove(&fake);
            fake_send_request(&fake);
            assert_pure(input);
        }
    }
}
END_TEST

/* ---------------- verdicts ---------------- */
static size_t tell(enum trk_verdict v, bool reset)
{
    trk_respond_verdict(&fake.spend, v, &fake.config, reset, &fake.out);
    return fake.out.n;
}

static void read_verdict(struct trk_verdict_msg *m)
{
    memcpy(got.bytes, fake.out.packets[0].head, fake.out.packets[0].head_bytes);
    got.n = fake.out.packets[0].head_bytes;
    trk_segment_finish(got.bytes, got.n);
    ck_assert(trk_segment_checksum_ok(got.bytes, got.n));
    ck_assert_int_eq(trk_segment_parse(got.bytes, got.n, &got.seg), TRK_V_ACCEPTED);
    ck_assert_int_eq(trk_verdict_msg_parse(got.seg.payload, got.seg.payload_bytes, m), TRK_V_ACCEPTED);
}

START_TEST(verdicts_that_are_told)
{
    struct trk_request *r = begin(TRK_FORM_REQUEST);
    fake_part(&fake, TRK_NORMAL, slow_start, 5, 1);
    r->domain = 0xd0;
    fake.config.domain = 0xd1;
    ck_assert_int_eq(fake_prove_and_check(&fake), TRK_V_WRONG_DOMAIN);
    for (int v = 0; v < TRK_V_COUNT; v++) {
        size_t n = tell((enum trk_verdict)v, false);
        bool of_continuations = v == TRK_V_UNKNOWN_EPOCH || v == TRK_V_RETIRED_EPOCH || v == TRK_V_BAD_CONTINUATION;
        if (!of_continuations && (v < TRK_V_NOT_ADJOINING || v > TRK_V_RESET)) {
            ck_assert_uint_eq(n, 0);
            continue;
        }
        ck_assert_uint_eq(n, 1);
        struct trk_verdict_msg m;
        read_verdict(&m);
        ck_assert_int_eq(trk_verdict_of_code(m.code), v);
        ck_assert_uint_eq(m.id.h, r->id.h);
        ck_assert_uint_eq(m.id.t, r->id.t);
        ck_assert_uint_eq(m.generation, 3);
        ck_assert_uint_eq(m.k, 5);
        ck_assert_uint_eq(m.domain, 0xd1);
        ck_assert_uint_eq(got.seg.flags, TRK_ACK);
        ck_assert_uint_eq(got.seg.seq, fake.seg.ack);
        ck_assert_uint_eq(got.seg.ack, fake.seg.seq + fake.seg.payload_bytes);
        ck_assert_uint_le(got.n, fake.packet_bytes);
    }
}
END_TEST

START_TEST(verdict_with_reset)
{
    begin(TRK_FORM_REQUEST);
    fake_part(&fake, TRK_NORMAL, slow_start, 5, 1);
    ck_assert_int_eq(fake_prove_and_check(&fake), TRK_V_ACCEPTED);
    ck_assert_uint_eq(tell(TRK_V_RESET, true), 1);
    struct trk_verdict_msg m;
    read_verdict(&m);
    ck_assert_uint_eq(got.seg.flags, TRK_RST | TRK_ACK);
    ck_assert_uint_eq(m.code, trk_verdict_code(TRK_V_RESET));
}
END_TEST

START_TEST(verdict_on_a_syn_never_amplifies)
{
    fake_init(&fake);
    for (size_t payload = 20; payload < 60; payload++) {
        fake_open(&fake, NULL, 1460, payload);
        ck_assert_int_eq(fake_check(&fake), TRK_V_ACCEPTED);
        size_t n = tell(TRK_V_RESET, true);
        ck_assert_uint_eq(n, payload >= TRK_VERDICT_BYTES);
        if (n)
            ck_assert_uint_le(fake.out.packets[0].head_bytes, fake.packet_bytes);
    }
}
END_TEST

UNIT_MAIN("respond", opened, opened_with_done, opened_server_speaks_first, opened_without_room_for_its_input, opened_never_amplifies, a_client_can_spend_what_it_gets,
          normal, normal_when_less_is_given, no_filter_is_said_without_a_domain_only, several_parts, a_mask_with_holes_gives_several_grants,
          recovery, a_terminal_without_data_is_not_sent, restart_timeout, restart_resume_unattested,
          restart_resume_attested_by_a_cut_seal, restart_is_cut_where_it_has_nothing_to_carry, restart_with_nothing_is_one_header,
          an_opening_is_cut_too, a_cut_answer_resumes, restart_under_another_epoch, numbers_keep_their_epoch, refresh,
          input_more, input_done, input_done_beyond_the_reserve_shortens_the_first_packet, input_answer_counts_as_something_sent,
          no_room, no_room_in_memory, end_with_the_last_byte, end_where_its_continuation_fits, end_without_another_byte,
          end_that_fits_nowhere_is_said_later, end_in_a_cut_answer_is_sent, end_in_a_terminal, done_and_end_in_one_packet,
          end_waits_behind_more, fragments_are_copied_but_the_last, contiguous_memory_is_one_fragment,
          too_many_fragments_shorten_the_packet, a_gap_in_what_is_given_ends_the_packet, equal_arguments_equal_bytes,
          verdicts_that_are_told, verdict_with_reset, verdict_on_a_syn_never_amplifies)
