#include "server.h"
#include "disk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ledger.h"
#include "tcb/memo.h"

/* Everything that one event needs. Poisoned once: what the core reads without having written it shows
 * as a difference between the twins. */
struct bench {
    struct trk_spend spend;
    struct trk_decision decision;
    struct trk_plan plan;
    struct trk_result result;
    struct trk_packet packets[TRK_ANSWER_PACKETS_MAX];
    uint8_t arena[TRK_ARENA_BYTES];
    struct trk_packets out;
};
#define FILTER_BYTES_MAX (1u << 20)
#define MEMO_BYTES (1u << 13)          /* of few continuations: they are dropped, too */
struct sim_workbench {
    _Alignas(64) uint8_t filter[SIM_REPLICAS_MAX][FILTER_BYTES_MAX];
    struct bench bench[2];
    uint8_t output[2][SIM_GIVEN_BYTES + 16];
    uint8_t packet[2][TRK_SLOT_MAX + TRK_HEADER_MAX];
    _Alignas(8) uint8_t memory[SIM_REPLICAS_MAX][MEMO_BYTES];
    struct trk_memo *memo[SIM_REPLICAS_MAX];           /* of the twins: what they have opened before must change no byte */
    struct trk_memo_stats memo_stats[SIM_REPLICAS_MAX];
};

static void violate(struct sim_server *s, const char *rule, const char *detail)
{
    if (s->violation)
        return;
    s->violation = rule;
    snprintf(s->detail, sizeof s->detail, "%s", detail);
}

static struct sim_workbench *workbench(void)
{
    static struct sim_workbench *w;    /* one process, one bench: the runs follow one another */

    if (!w) {
        w = aligned_alloc(64, (sizeof *w + 63) / 64 * 64);
        if (!w)
            abort();
        memset(&w->bench[0], 0x5a, sizeof w->bench[0]);
        memset(&w->bench[1], 0xa5, sizeof w->bench[1]);
    }
    return w;
}

/* ---- keys ---- */

static void add_epoch(struct trk_keys *keys, uint8_t epoch, enum trk_epoch_state state)
{
    uint8_t master[TRK_MASTER_BYTES];

    for (int i = 0; i < TRK_MASTER_BYTES; i++)
        master[i] = (uint8_t)sim_mix((uint64_t)epoch << 8 | (unsigned)i);
    trk_keys_add(keys, epoch, state, master);
}

/* kept: how many epochs before the current one are still listed. next: the one after it is listed, too. */
static void list_epochs(struct trk_keys *keys, uint8_t current, unsigned kept, bool next)
{
    trk_keys_init(keys);
    for (unsigned back = kept < current ? kept : current - 1u; back > 0; back--)
        add_epoch(keys, (uint8_t)(current - back), TRK_EPOCH_RETIRING);
    add_epoch(keys, current, TRK_EPOCH_CURRENT);
    if (next)
        add_epoch(keys, current + 1, TRK_EPOCH_ADDED);
}

/* Replica by replica: all add the next epoch, then all promote it, then (with `retire`) all forget the old one. */
void sim_server_rotate(struct sim_server *s)
{
    unsigned n = s->config.replicas, stage = s->rotation_step / n, replica = s->rotation_step % n, kept = s->config.retire ? 1 : 6;

    if (!s->config.retire && s->epoch > 6)
        return;
    if (stage == 0)
        list_epochs(&s->keys[replica], s->epoch, s->config.retire ? 0 : kept, true);
    else
        list_epochs(&s->keys[replica], s->epoch + 1, stage == 1 ? kept : 0, false);
    trk_memo_clear(s->bench->memo[replica]);
    if (++s->rotation_step == n * (s->config.retire ? 3 : 2)) {
        s->rotation_step = 0;
        s->epoch++;
    }
}

static void make_filter(struct sim_server *s, unsigned replica)
{
    uint32_t bytes = s->config.filter_bytes ? s->config.filter_bytes : TRK_FILTER_BYTES_MIN;
    uint8_t key[TRK_FILTER_KEY_BYTES] = { (uint8_t)replica, 1, 2, 3 };

    s->filter[replica] = trk_filter_create(s->bench->filter[replica], bytes, s->config.domain[replica], key);
    if (!s->filter[replica])
        violate(s, "no filter", "");
}

void sim_server_init(struct sim_server *s, const struct sim_server_config *config)
{
    memset(s, 0, sizeof *s);
    s->config = *config;
    s->bench = workbench();
    sim_disk_clear();
    s->app.greeting_bytes = config->greeting_bytes;
    s->app.nibble_bytes = config->nibble_bytes;
    s->app.pad_bytes = config->pad_bytes;
    s->app.encrypt = config->encrypt;
    s->app.stingy_percent = config->stingy_percent;
    s->app.scatter = s->app.renews = config->scatter;
    s->epoch = 1;
    for (unsigned i = 0; i < config->replicas; i++) {
        list_epochs(&s->keys[i], 1, 0, false);
        s->bench->memo[i] = trk_memo_create(s->bench->memory[i], MEMO_BYTES, &s->bench->memo_stats[i]);
        if (config->domain[i] && !(config->shared && i > 0))
            make_filter(s, i);
        if (config->shared)
            s->filter[i] = s->filter[0];
    }
    s->exactly_once = config->domain[0] && (config->shared || config->replicas == 1);
    sim_ledger_begin();
}

void sim_server_wipe(struct sim_server *s, struct sim_random *random)
{
    unsigned replica = s->config.shared ? 0 : (unsigned)sim_random_below(random, s->config.replicas);
    uint32_t domain = (uint32_t)sim_random_u64(random) | 1;

    if (!s->filter[replica])
        return;
    s->exactly_once = false;
    s->config.domain[replica] = domain;
    make_filter(s, replica);
    for (unsigned i = 0; s->config.shared && i < s->config.replicas; i++)
        s->config.domain[i] = domain;
}

void sim_server_restart(struct sim_server *s, struct sim_random *random, unsigned replica)
{
    if (!s->filter[replica] || s->config.shared)
        return;
    s->exactly_once = false;
    if (!s->config.domain_named)
        s->config.domain[replica] = (uint32_t)sim_random_u64(random) | 1;
    make_filter(s, replica);
}

/* Other connections spend numbers, too: a full filter forgets the oldest ones. */
static void crowd(struct sim_server *s, struct sim_random *random, struct trk_filter *filter, uint64_t now_ms)
{
    for (uint32_t i = 0; i < s->config.crowd; i++) {
        struct trk_conn_id id = { sim_random_u64(random), 1 };
        trk_filter_spend(filter, trk_filter_who(filter, &id), 0, 1 + sim_random_below(random, 1000), 1, now_ms);
        trk_filter_raise(filter, trk_filter_who(filter, &id), NULL, 0, 100, false, now_ms);
    }
}

bool sim_server_remembers_all(struct sim_server *s, uint64_t real_ms)
{
    struct trk_filter_stats stats;

    if (s->exactly_once) {
        trk_filter_stats(s->filter[0], real_ms, &stats);
        s->exactly_once = stats.evicted == 0;
    }
    return s->exactly_once;
}

/* ---- one event ---- */

struct replica { const struct trk_keys *keys; struct trk_filter *filter; struct trk_serve_config config; uint64_t now_ms; };

static enum trk_verdict tell(struct bench *b, const struct replica *r, enum trk_verdict v)
{
    enum trk_tell told = trk_tell_of(&b->spend, v);

    if (told != TRK_TELL_NOTHING)
        trk_respond_verdict(&b->spend, v, &r->config, told == TRK_TELL_RESET, &b->out);
    return v;
}

static void show(const struct sim_server *s, const struct bench *b, const struct replica *r, const struct trk_decision *d,
                 const struct trk_plan *plan, enum trk_verdict v)
{
    const struct sim_witness *w = s->config.witness;

    if (w && b->spend.proven && b == &s->bench->bench[0])
        w->see(w->arg, &(struct sim_witnessed){ r->filter, &r->config, r->now_ms, &b->spend, d, plan, v });
}

/* check, admit, plan, application, respond: the answer's packets stand in b->out. decided: by the twin, who remembers. */
static enum trk_verdict answer(struct sim_server *s, struct bench *b, uint8_t *output, const struct replica *r, const struct trk_segment *seg,
                               const struct trk_decision *decided)
{
    b->out = (struct trk_packets){ .packets = b->packets, .cap = TRK_ANSWER_PACKETS_MAX, .arena = b->arena, .arena_bytes = sizeof b->arena };
    enum trk_verdict v = trk_check(seg, r->keys, &r->config, r->now_ms, &b->spend);
    if (v != TRK_V_ACCEPTED) {
        show(s, b, r, NULL, NULL, v);
        return tell(b, r, v);
    }
    if (b->spend.type == TRK_SPEND_CLOSE)
        return TRK_V_CLOSED;
    if (decided)
        b->decision = *decided;
    else
        trk_admit(r->filter, &b->spend, &r->config, r->now_ms, &b->decision);
    if (b->decision.verdict != TRK_V_ANSWERED && b->decision.verdict != TRK_V_REFRESHED) {
        show(s, b, r, &b->decision, NULL, b->decision.verdict);
        return tell(b, r, b->decision.verdict);
    }
    v = trk_plan(&b->spend, &b->decision, &r->config, &b->plan);
    show(s, b, r, &b->decision, v == TRK_V_ACCEPTED ? &b->plan : NULL, v);
    if (v != TRK_V_ACCEPTED)
        return tell(b, r, v);
    s->app.output = output;
    if (!b->plan.refresh && !sim_application_run(&s->app, &b->spend, &b->plan, &b->result)) {
        if (s->app.reset) {
            trk_respond_verdict(&b->spend, TRK_V_RESET, &r->config, true, &b->out);
            return TRK_V_RESET;
        }
        if (!s->config.skip_checksum)
            violate(s, "the application was asked for nonsense", s->app.complaint);
        return TRK_V_DROPPED;
    }
    v = trk_respond(&b->spend, &b->decision, &b->plan, &b->result, r->keys, &r->config, r->now_ms, &b->out);
    return v == TRK_V_ANSWERED || v == TRK_V_REFRESHED ? v : tell(b, r, v);
}

static uint32_t assemble(const struct trk_packet *p, uint8_t *out)
{
    uint32_t bytes = p->head_bytes + p->data_bytes;

    memcpy(out, p->head, p->head_bytes);
    if (p->data_bytes)
        memcpy(out + p->head_bytes, p->data, p->data_bytes);
    trk_segment_finish(out, bytes);
    return bytes;
}

/* ---- oracles ---- */

/* The twin is a process of its own: other memory, and the soft state of those that keep some. */
static enum trk_verdict answer_twin(struct sim_server *s, const struct replica *r, unsigned i, const struct trk_segment *seg)
{
    struct trk_keys keys = *r->keys;
    struct replica twin = *r;

    keys.memo = s->bench->memo[i];
    twin.keys = &keys;
    return answer(s, &s->bench->bench[1], s->bench->output[1], &twin, seg, &s->bench->bench[0].decision);
}

static void compare_twins(struct sim_server *s, enum trk_verdict first, enum trk_verdict second)
{
    struct bench *b = s->bench->bench;

    if (first != second || b[0].out.n != b[1].out.n) {
        violate(s, "two replicas gave different answers to one packet", trk_verdict_name(second));
        return;
    }
    for (size_t i = 0; i < b[0].out.n; i++) {
        uint32_t bytes[2];
        for (int j = 0; j < 2; j++)
            bytes[j] = assemble(&b[j].out.packets[i], s->bench->packet[j]);
        if (bytes[0] != bytes[1] || memcmp(s->bench->packet[0], s->bench->packet[1], bytes[0]) != 0)
            violate(s, "two replicas gave different bytes", trk_verdict_name(first));
    }
}

static void check_amount(struct sim_server *s, const struct bench *b, uint32_t bytes_in)
{
    const struct trk_spend *p = &b->spend;
    uint64_t bytes_out = 0;
    char detail[64];

    if (b->out.n == 0)
        return;                        /* refused early, perhaps: then there is no spend to look at */
    for (size_t i = 0; i < b->out.n; i++)
        bytes_out += b->out.packets[i].head_bytes + b->out.packets[i].data_bytes;
    snprintf(detail, sizeof detail, "%zu packets, %llu bytes for %u", b->out.n, (unsigned long long)bytes_out, bytes_in);
    if (b->out.n > TRK_GRANT_MAX)
        violate(s, "an answer of more than 256 packets", detail);
    if (p->type == TRK_SPEND_OPEN && (bytes_out > bytes_in || b->out.n > 1))
        violate(s, "the answer to an unproven address is larger than its packet", detail);
    if (p->type == TRK_SPEND_NUMBERS && p->request.n_parts == 1 && p->request.parts[0].m == 1 &&
        b->out.n > (p->request.parts[0].kind == TRK_OPENING ? p->request.parts[0].piece.start : TRK_SINGLE_MAX))
        violate(s, "too many packets for a single number", detail);
}

/* No number is granted twice: neither a duplicate nor a repeat of a request brings it again. */
static void check_ledger(struct sim_server *s, const struct bench *b, const struct trk_segment *seg)
{
    const struct trk_spend *p = &b->spend;
    struct trk_answer a;
    uint64_t n;
    char detail[64];

    if (!s->exactly_once || p->type == TRK_SPEND_OPEN || trk_answer_parse(seg->payload, seg->payload_bytes, &a) != TRK_V_ACCEPTED ||
        (a.form != TRK_FORM_NORMAL && a.form != TRK_FORM_LONG) || b->plan.refresh)
        return;
    if (!trk_number_of_seq(p->isn, seg->seq, p->request.slot, p->request.parts[0].k, &n)) {
        violate(s, "an answer at no number's place", "");
        return;
    }
    snprintf(detail, sizeof detail, "number %llu of generation %u", (unsigned long long)n, b->decision.generation);
    if (!sim_ledger_enter(p->id.h, b->decision.generation, n) && sim_server_remembers_all(s, 0))
        violate(s, "a number was granted twice", detail);
}

static void check_packet(struct sim_server *s, const struct bench *b, const uint8_t *packet, uint32_t bytes, const struct trk_segment *in)
{
    struct trk_segment seg;
    struct trk_answer a;
    struct trk_verdict_msg m;
    uint8_t form = 0;
    struct trk_flow back = trk_flow_reverse(&in->flow);

    if (bytes > s->config.mtu)
        violate(s, "a packet larger than the device's MTU", "");
    if (trk_segment_parse(packet, bytes, &seg) != TRK_V_ACCEPTED || !trk_segment_checksum_ok(packet, bytes)) {
        violate(s, "an answer that is no good segment", "");
        return;
    }
    if (!trk_flow_equal(&seg.flow, &back))
        violate(s, "an answer to somebody else", "");
    if (trk_form_of(seg.payload, seg.payload_bytes, &form) != TRK_V_ACCEPTED ||
        (form == TRK_FORM_VERDICT ? trk_verdict_msg_parse(seg.payload, seg.payload_bytes, &m)
                                  : trk_answer_parse(seg.payload, seg.payload_bytes, &a)) != TRK_V_ACCEPTED)
        violate(s, "an answer that does not parse", "");
    if (b->spend.type != TRK_SPEND_OPEN && seg.payload_bytes > b->spend.request.fill)
        violate(s, "an answer larger than the fill", "");
    check_ledger(s, b, &seg);
}

static void send_all(struct sim_server *s, uint32_t bytes_in, const struct trk_segment *in, sim_server_send *send, void *arg)
{
    const struct bench *b = &s->bench->bench[0];

    check_amount(s, b, bytes_in);
    for (size_t i = 0; i < b->out.n; i++) {
        uint32_t bytes = assemble(&b->out.packets[i], s->bench->packet[0]);
        check_packet(s, b, s->bench->packet[0], bytes, in);
        s->packets_out++;
        s->headers_out += b->out.packets[i].data_bytes == 0;
        send(arg, s->bench->packet[0], bytes);
    }
}

enum trk_verdict sim_server_packet(struct sim_server *s, struct sim_random *random, unsigned i, const uint8_t *packet, uint32_t bytes,
                                   bool garbage, uint64_t real_ms, sim_server_send *send, void *arg)
{
    struct bench *b = s->bench->bench;
    struct replica r = { &s->keys[i], s->filter[i], { .domain = s->config.domain[i], .mss_v4 = s->config.mtu - 40, .mss_v6 = s->config.mtu - 60 },
                         real_ms + (uint64_t)(int64_t)s->config.skew_ms[i] + (real_ms >= s->config.jump_at_ms ? (uint64_t)s->config.jump_ms : 0) };
    struct trk_segment seg;
    enum trk_verdict v = trk_segment_parse(packet, bytes, &seg);

    if (v == TRK_V_ACCEPTED && !s->config.skip_checksum && !trk_segment_checksum_ok(packet, bytes))
        v = TRK_V_BAD_CHECKSUM;
    if (v == TRK_V_ACCEPTED) {
        crowd(s, random, r.filter, r.now_ms);
        v = answer(s, &b[0], s->bench->output[0], &r, &seg, NULL);
        s->events++;
        if (s->config.twin_every && s->events % s->config.twin_every == 0)
            compare_twins(s, v, answer_twin(s, &r, i, &seg));
        if (garbage && b[0].out.n > 0)
            violate(s, "an answer to garbage", trk_verdict_name(v));
        send_all(s, bytes, &seg, send, arg);
        s->verdicts[v]++;
    }
    return v;
}
