/* Answers to restarts of each kind, cut ones, and refreshes; the key epoch of each. */
#include "fake_answers.h"

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
    ck_assert_uint_eq(fake.out.n, 6);
    read_number(5, 25, 20, 25);
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

UNIT_MAIN("respond_restart", restart_timeout, restart_resume_unattested, restart_resume_attested_by_a_cut_seal,
          restart_is_cut_where_it_has_nothing_to_carry, restart_with_nothing_is_one_header, an_opening_is_cut_too,
          a_cut_answer_resumes, restart_under_another_epoch, numbers_keep_their_epoch, refresh)
