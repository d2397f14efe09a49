#include "application.h"

#include <string.h>

#include "disk.h"
#include "random.h"
#include "stream.h"

/* What the application keeps in an input continuation. */
struct reading {
    uint8_t  line_bytes;               /* of an unfinished line */
    char     line[SIM_LINE_MAX];
    char     type;                     /* nonzero: the body of this object is being read */
    uint64_t id, bytes, digest;
    uint32_t body_left;
};

/* And in the continuation of a range: a body whose bytes come by position. */
struct placing {
    char     type;
    uint64_t id, bytes, upload, begin, output_at;      /* upload: its name on the disk; begin: input offset of its first byte */
    uint32_t body_bytes;
};

/* And in an output continuation. */
struct writing {
    uint64_t key, length;              /* the true length, also when validEnd does not tell it */
    bool     dated;
    uint64_t consumed;                 /* unknown length: where the next input begins */
    uint64_t skipped;                  /* bytes of the object before the continuation's first; it was renewed */
};

static void put(const struct sim_application *app, struct trk_ucont *u, const void *opaque, size_t n)
{
    u->opaque_bytes = n < app->pad_bytes ? app->pad_bytes : (uint16_t)n;
    if (n < app->pad_bytes)
        memset(u->opaque + n, 0x77, app->pad_bytes - n);
    memcpy(u->opaque, opaque, n);
    if (app->encrypt)
        u->flags |= TRK_UCONT_ENCRYPTED;
}

static bool complain(struct sim_application *app, const char *why)
{
    app->complaint = why;
    return false;
}

/* ---- output: bytes of a range, by its continuation alone ---- */

/* Gives want i from the output u. base: stream offset asked for. */
static bool give(struct sim_application *app, const struct trk_ucont *u, uint64_t offset, uint32_t bytes, uint32_t time, uint32_t *used,
                 struct trk_result *out, unsigned i)
{
    struct writing w;

    if (u->type != TRK_UCONT_OUTPUT || u->opaque_bytes < sizeof w)
        return complain(app, "a range of what is no output continuation");
    memcpy(&w, u->opaque, sizeof w);
    if (offset < u->first || offset > u->second)
        return complain(app, "a range that begins outside its continuation");
    uint64_t at = offset - u->first + w.skipped, left = at < w.length ? w.length - at : 0;
    uint32_t n = bytes < left ? bytes : (uint32_t)left;
    if (app->stingy_percent > sim_mix(offset ^ time) % 100)
        n /= 2;
    if (*used > SIM_GIVEN_BYTES || n > SIM_GIVEN_BYTES - *used)
        return complain(app, "more bytes wanted than an answer holds");
    (w.dated ? sim_dated_content : sim_content)(w.key, at, app->output + *used, n);
    out->given[i].data = app->output + *used;
    out->given[i].bytes = n;
    *used += n + (app->scatter ? 16 : 0);
    /* A range wholly behind the end gets nothing, not even END, which would say that the end is here. */
    uint64_t end = u->first - w.skipped + w.length;
    bool ends = u->second == TRK_OFFSET_UNKNOWN && n == left && at + n == w.length;
    /* One answer says one end. Who asks for an older output as well knows where that one ended. */
    if (ends && (!out->next_input || app->next_input.second < end)) {
        struct reading idle = { 0 };
        if (out->next_input)
            out->given[app->ending].end = false;
        out->given[i].end = true;
        app->ending = i;
        app->next_input = (struct trk_ucont){ .type = TRK_UCONT_INPUT, .first = w.consumed, .second = end };
        put(app, &app->next_input, &idle, sizeof idle);
        out->next_input = &app->next_input;
    }
    return true;
}

/* ---- input: a line, perhaps a body, in any number of pieces ---- */

struct event {                         /* one input event while it is worked on */
    const struct sim_application *app;
    struct reading state;
    uint64_t at, output_at;            /* input offset reached; next free output offset */
    const uint8_t *input; uint32_t left;
    bool     end;                      /* the end of the stream follows */
    uint64_t time;                     /* as sealed */
    bool     dated;                    /* the object made is a 'D' */
};

static void take(struct event *e, uint32_t n)
{
    e->input += n;
    e->left -= n;
    e->at += n;
}

static void say_more(const struct event *e, struct trk_result *out)
{
    out->fate = TRK_INPUT_MORE;
    out->input = (struct trk_ucont){ .type = TRK_UCONT_INPUT, .first = e->at, .second = e->output_at };
    put(e->app, &out->input, &e->state, sizeof e->state);
}

/* The input made an output of `bytes` with this key; state says how reading goes on. */
static void say_done(const struct event *e, uint64_t key, uint64_t bytes, bool known, bool fin, struct trk_result *out)
{
    struct writing w;

    memset(&w, 0, sizeof w);           /* its padding is sealed, too */
    w.key = key;
    w.length = bytes;
    w.dated = e->dated;
    w.consumed = e->at;
    out->fate = TRK_INPUT_DONE;
    out->input = (struct trk_ucont){ .type = TRK_UCONT_INPUT, .first = e->at, .second = known ? e->output_at + bytes : TRK_OFFSET_UNKNOWN };
    put(e->app, &out->input, &e->state, sizeof e->state);
    out->output = (struct trk_ucont){ .type = TRK_UCONT_OUTPUT, .flags = fin ? TRK_UCONT_FIN : 0,
                                      .first = e->output_at, .second = known ? e->output_at + bytes : TRK_OFFSET_UNKNOWN };
    put(e->app, &out->output, &w, sizeof w);
}

static bool read_body(struct event *e, struct trk_result *out)
{
    struct reading *s = &e->state;
    uint32_t n = e->left < s->body_left ? e->left : s->body_left;

    if (e->app->nibble_bytes && n > e->app->nibble_bytes)
        n = e->app->nibble_bytes;
    s->digest = sim_digest(s->digest, e->input, n);
    s->body_left -= n;
    take(e, n);
    if (s->body_left > 0) {
        say_more(e, out);
        return true;
    }
    uint64_t key = sim_key_of(s->id, s->digest), bytes = s->bytes;
    *s = (struct reading){ 0 };
    say_done(e, key, bytes, true, false, out);
    return true;
}

/* ---- input by position: a body's bytes in any order ---- */

/* Its last byte comes in order: by then all others are here. */
static void say_range(struct event *e, const struct sim_object *o, uint64_t upload, struct trk_result *out)
{
    struct placing p;
    uint64_t range_bytes = o->type == 'E' ? 2ull * o->body_bytes : o->body_bytes - 1u;

    memset(&p, 0, sizeof p);
    p.type = o->type;
    p.id = o->id;
    p.bytes = o->bytes;
    p.upload = sim_mix(upload ^ e->at);
    p.begin = e->at;
    p.output_at = e->output_at;
    p.body_bytes = o->body_bytes;
    e->state = (struct reading){ .type = o->type, .id = p.upload, .bytes = o->bytes, .digest = o->id, .body_left = o->body_bytes };
    e->at += range_bytes;
    say_more(e, out);
    out->has_range = true;
    out->range = (struct trk_ucont){ .type = TRK_UCONT_RANGE, .first = p.begin, .second = e->at };
    put(e->app, &out->range, &p, sizeof p);
}

/* The byte behind the range. */
static bool read_last(struct sim_application *app, struct event *e, struct trk_result *out)
{
    struct reading s = e->state;

    if (e->left == 0) {
        say_more(e, out);
        return true;
    }
    if (!sim_body_equal(s.digest, s.body_left - 1u, e->input, 1))
        return complain(app, "a wrong byte behind a range");
    if (!sim_disk_has(s.id, s.body_left - 1u))
        return complain(app, "the input went on though bytes of its range are missing");
    take(e, 1);
    e->state = (struct reading){ 0 };
    say_done(e, sim_key_of(s.digest, SIM_DIGEST_SEED), s.bytes, true, false, out);
    return true;
}

static bool placed_event(struct sim_application *app, const struct trk_spend *spend, struct trk_result *out)
{
    const struct trk_request *r = &spend->request;
    const struct trk_ucont *u = &spend->conts[r->input_cont];
    struct placing p;

    memcpy(&p, u->opaque, sizeof p);
    uint64_t at = r->input_offset - p.begin;
    if (u->type != TRK_UCONT_RANGE || u->first != p.begin || at + r->input_bytes > (p.type == 'E' ? p.body_bytes : p.body_bytes - 1u))
        return complain(app, "input by position outside its range");
    if (!sim_body_equal(p.id, at, r->input, r->input_bytes))
        return complain(app, "a wrong byte by position");
    sim_disk_write(p.upload, at, r->input_bytes);
    out->fate = TRK_INPUT_TAKEN;
    bool ends = p.type == 'E' && r->input_end, enough = p.type == 'Q' && at + r->input_bytes > p.body_bytes / 2;
    if (r->input_end && !ends)
        return complain(app, "the end of input inside a body");
    if (ends && !sim_disk_has(p.upload, p.body_bytes))
        return complain(app, "the end of input though bytes before it are missing");
    if (ends || enough) {
        struct event e = { .app = app, .at = p.begin + p.body_bytes + (ends ? 1 : 0), .output_at = p.output_at };
        say_done(&e, sim_key_of(p.id, SIM_DIGEST_SEED), p.bytes, true, ends, out);
        out->input.flags |= ends ? TRK_UCONT_FIN : 0;
    }
    return true;
}

static bool begin_object(struct event *e, const struct sim_object *o, uint64_t upload, struct trk_result *out)
{
    struct reading *s = &e->state;

    *s = (struct reading){ 0 };
    switch (o->type) {
    case 'B':
    case 'E':
    case 'Q':
        if (o->body_bytes < 2)
            return false;
        say_range(e, o, upload, out);
        return true;
    case 'P':
    case 'C':
        *s = (struct reading){ .type = 'P', .id = o->id, .bytes = o->bytes, .digest = SIM_DIGEST_SEED, .body_left = o->body_bytes };
        if (o->type == 'P')
            return read_body(e, out);
        say_done(e, sim_interim_key(o->id), SIM_INTERIM_BYTES, true, false, out);
        return true;
    case 'D':
        e->dated = true;
        say_done(e, sim_dated_key(o->id, e->time), o->bytes, true, false, out);
        return true;
    case 'R':
        e->at += o->body_bytes;        /* consumed, unseen: the client need not send it */
        say_done(e, sim_object_key(o), o->bytes, true, false, out);
        return true;
    default:
        say_done(e, sim_object_key(o), o->bytes, o->type != 'U', o->type == 'F', out);
        return true;
    }
}

static bool read_line(struct sim_application *app, struct event *e, uint64_t upload, struct trk_result *out)
{
    struct reading *s = &e->state;
    const uint8_t *newline = e->left ? memchr(e->input, '\n', e->left) : NULL;
    uint32_t n = newline ? (uint32_t)(newline - e->input) + 1 : e->left;
    struct sim_object o;

    if (n > (uint32_t)SIM_LINE_MAX - s->line_bytes)
        return complain(app, "input that is no request line");
    if (n > 0)
        memcpy(s->line + s->line_bytes, e->input, n);
    s->line_bytes = (uint8_t)(s->line_bytes + n);
    take(e, n);
    if (!newline) {
        if (e->end)
            return complain(app, "the end of input inside a request line");
        say_more(e, out);
        return true;
    }
    if (!sim_line_read(s->line, s->line_bytes, &o))
        return complain(app, "input that is no request line");
    app->reset = o.type == 'X';
    if (app->reset)
        return false;
    return begin_object(e, &o, upload, out) || complain(app, "an upload by position of less than two bytes");
}

static bool input_event(struct sim_application *app, const struct trk_spend *spend, struct trk_result *out)
{
    const struct trk_request *r = &spend->request;
    struct event e = { .app = app, .at = r->input_offset, .input = r->input, .left = r->input_bytes, .end = r->input_end,
                       .time = spend->tick };

    if (r->input_cont != 0xff) {
        const struct trk_ucont *u = &spend->conts[r->input_cont];
        if (u->type != TRK_UCONT_INPUT || u->opaque_bytes < sizeof e.state || u->first != r->input_offset || u->second == TRK_OFFSET_UNKNOWN)
            return complain(app, "input that does not go on where its continuation stands");
        memcpy(&e.state, u->opaque, sizeof e.state);
        e.output_at = u->second;
    }
    if (e.state.type && strchr("BEQ", e.state.type))
        return read_last(app, &e, out);
    if (e.state.type)
        return read_body(&e, out);
    if (e.left == 0 && e.end && e.state.line_bytes == 0) {       /* the end of the stream is one unit of offset */
        e.at++;
        say_done(&e, 0, 0, true, true, out);
        out->input.flags |= TRK_UCONT_FIN;
        return true;
    }
    return read_line(app, &e, spend->id.h, out);
}

static void greet(struct sim_application *app, struct trk_result *out)
{
    struct event e = { .app = app };

    say_done(&e, SIM_GREETING_KEY, app->greeting_bytes, true, false, out);
    out->opens_output = true;
}

/* One packet of the answer brings a continuation that begins with its own bytes. */
static void renew(struct sim_application *app, const struct trk_spend *spend, const struct trk_plan *plan, struct trk_result *out)
{
    uint64_t dice = sim_mix(spend->tick ^ spend->request.parts[0].k << 20);
    const struct trk_plan_grant *g = plan->n_grants ? &plan->grants[dice % plan->n_grants] : NULL;

    if (!g || g->step.a > g->step.b || plan->refresh)
        return;
    uint64_t n = g->step.a + (dice >> 8) % (g->step.b - g->step.a + 1);
    const struct trk_slice *slice = &g->slices[n - g->step.a];
    for (unsigned i = 0; i < plan->n_wants; i++) {
        const struct trk_ucont *u = plan->wants[i].cont == TRK_ASK_INPUT ? &out->output : &spend->conts[plan->wants[i].cont];
        struct writing w;
        if (slice->bytes == 0 || slice->offset < plan->wants[i].offset || slice->offset - plan->wants[i].offset >= plan->wants[i].bytes ||
            (plan->wants[i].cont == TRK_ASK_INPUT && out->fate != TRK_INPUT_DONE) || slice->offset < u->first || slice->offset >= u->second)
            continue;
        memcpy(&w, u->opaque, sizeof w);
        w.skipped += slice->offset - u->first;
        app->renewal.n = n;
        app->renewal.cont = (struct trk_ucont){ .type = TRK_UCONT_OUTPUT, .flags = u->flags & TRK_UCONT_FIN, .first = slice->offset, .second = u->second };
        put(app, &app->renewal.cont, &w, sizeof w);
        out->renewals = &app->renewal;
        out->n_renewals = 1;
        return;
    }
}

bool sim_application_run(struct sim_application *app, const struct trk_spend *spend, const struct trk_plan *plan, struct trk_result *out)
{
    uint32_t used = 0;

    app->complaint = NULL;
    app->reset = false;
    out->fate = TRK_INPUT_NONE;
    out->opens_output = false;
    out->next_input = NULL;
    out->n_renewals = 0;
    if (spend->type == TRK_SPEND_OPEN && !spend->request.has_input && app->greeting_bytes)
        greet(app, out);
    out->has_range = false;
    if (plan->may_input && !(spend->request.placed ? placed_event : input_event)(app, spend, out))
        return false;
    for (unsigned i = 0; i < plan->n_wants; i++) {
        bool own = plan->wants[i].cont == TRK_ASK_INPUT;
        const struct trk_ucont *u = own ? &out->output : &spend->conts[plan->wants[i].cont];

        memset(&out->given[i], 0, sizeof out->given[i]);
        if (own && out->fate != TRK_INPUT_DONE)
            continue;
        if (!give(app, u, plan->wants[i].offset, plan->wants[i].bytes, spend->tick, &used, out, i))
            return false;
    }
    if (app->renews && spend->type != TRK_SPEND_OPEN && sim_mix(spend->tick) % 100 < 30)
        renew(app, spend, plan, out);
    return true;
}
