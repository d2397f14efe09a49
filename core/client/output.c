#include "client/internal.h"

uint64_t trk_window_end(const struct trk_client *c)
{
    return c->read_offset + c->config.receive_bytes;
}

bool trk_output_open_ended(const struct trk_client *c)
{
    return c->n_conts && c->conts[c->n_conts - 1].second == TRK_OFFSET_UNKNOWN;
}

/* An output whose length nobody knows may end at any byte, and what is asked for behind its end comes back as headers:
 * ask for no more than doubles what came, or the last answer's length. */
static uint64_t plausible_end(const struct trk_client *c)
{
    uint64_t first = c->conts[c->n_conts - 1].begin, room = c->fill - TRK_NORMAL_BYTES;
    uint64_t came = c->received_to > first ? c->received_to - first : 0;
    uint64_t least = (c->last_answer_pkts > TRK_IW ? c->last_answer_pkts : TRK_IW) * room;
    return first + (2 * came > least ? 2 * came : least);
}

uint64_t trk_askable_end(const struct trk_client *c)
{
    uint64_t end = trk_output_open_ended(c) ? plausible_end(c) : c->output_end, window = trk_window_end(c);
    return end < window ? end : window;
}

uint64_t trk_wanted_bytes(const struct trk_client *c)
{
    uint64_t end = trk_askable_end(c), sum = end > c->ask_next ? end - c->ask_next : 0;
    for (uint32_t i = 0; i < c->again.n && c->again.at[i].left < c->output_end; i++) {
        uint64_t right = c->again.at[i].right < c->output_end ? c->again.at[i].right : c->output_end;
        sum += right - c->again.at[i].left;
    }
    return sum;
}

/* Into a full set goes what adjoins: then bytes in between are asked for twice, but none is ever forgotten. */
static void want(struct trk_client *c, uint64_t left, uint64_t right)
{
    if (trk_intervals_add(&c->again, left, right))
        return;
    uint32_t i = c->again.n - 1;
    while (i > 0 && c->again.at[i].left > left)
        i--;
    trk_intervals_add(&c->again, c->again.at[i].left < left ? c->again.at[i].left : left, c->again.at[i].right > right ? c->again.at[i].right : right);
}

void trk_want_again(struct trk_client *c, uint64_t offset, uint64_t bytes)
{
    uint64_t left = offset, right = offset + bytes;
    if (left < c->received_to)
        left = c->received_to;
    if (right > c->ask_next)
        right = c->ask_next;
    for (uint32_t i = 0; i < c->beyond.n && left < right; i++) {             /* minus what arrived meanwhile */
        const struct trk_interval *have = &c->beyond.at[i];
        if (have->right <= left || have->left >= right)
            continue;
        if (have->left > left)
            want(c, left, have->left);
        left = have->right;
    }
    if (left < right)
        want(c, left, right);
}

void trk_want_terminals_again(struct trk_client *c)
{
    for (uint32_t i = 0; i < c->n_terminals; i++)
        trk_want_again(c, c->terminals[i].offset, c->terminals[i].bytes);
    c->n_terminals = 0;
}

/* Continuations whose bytes have all arrived serve no more. */
static void drop_served_conts(struct trk_client *c)
{
    uint32_t done = 0;
    while (done < c->n_conts && c->conts[done].second <= c->received_to)
        done++;
    if (done) {
        memmove(c->conts, c->conts + done, (c->n_conts - done) * sizeof c->conts[0]);
        c->n_conts -= done;
    }
}

static void advance(struct trk_client *c)
{
    if (c->beyond.n && c->beyond.at[0].left <= c->received_to) {             /* never past what is known to be output */
        uint64_t right = c->beyond.at[0].right < c->output_end ? c->beyond.at[0].right : c->output_end;
        if (right > c->received_to)
            c->received_to = right;
        trk_intervals_subtract(&c->beyond, 0, c->received_to);
    }
    drop_served_conts(c);
}

/* Data beyond the known output belongs to an input's answer whose DONE is still to come. It counts only if
 * DONE comes from the same request: two answers to one input may differ. */
static bool early_allowed(struct trk_client *c, uint64_t right, uint32_t request_end)
{
    if (right > c->ask_next || (c->early && c->early_request != request_end))
        return false;
    c->early = true;
    c->early_request = request_end;
    return true;
}

/* What an input makes is one answer's: that of the first DONE. The same input in another request may have made other
 * bytes, and these may come late, when their place is known output already. What comes of continuations is always good. */
static bool allowed(struct trk_client *c, uint64_t *right, const struct trk_origin *origin)
{
    const struct trk_input_sent *input = origin->input;
    if (!origin->known)
        return false;
    if (input && !input->accepted && *right > input->output_from) {
        if (c->input_state == TRK_IN_OUTSTANDING && input->offset == c->consumed && input->output_from == c->output_end)
            return early_allowed(c, *right, input->end);
        *right = input->output_from;
    }
    return *right <= c->output_end;
}

/* False: the set of what came out of order is full. What comes in order needs none. */
static bool note_received(struct trk_client *c, uint64_t left, uint64_t right)
{
    if (trk_intervals_add(&c->beyond, left, right))
        return true;
    if (left != c->received_to || right > c->output_end)
        return false;
    c->received_to = right;
    trk_intervals_subtract(&c->beyond, 0, right);
    return true;
}

bool trk_take_data(struct trk_client *c, uint64_t offset, const uint8_t *data, uint32_t bytes, const struct trk_origin *origin)
{
    uint64_t left = offset, right = offset + bytes;
    if (right < left || right <= c->received_to)
        return right >= left;
    if (right > trk_window_end(c) || !allowed(c, &right, origin))
        return false;
    if (left < c->received_to)
        left = c->received_to;
    if (left >= right)
        return false;
    bool next = left == c->received_to && right <= c->output_end && !c->beyond.n;      /* as most bytes come */
    if (!next && !note_received(c, left, right))
        return false;
    trk_hold(c, left, data + (left - offset), (uint32_t)(right - left));
    if (next)
        c->received_to = right;
    trk_intervals_subtract(&c->again, left, right);
    if (right > c->ask_next) {                       /* unasked: the SYN's answer carried it */
        want(c, c->ask_next, left);
        c->ask_next = right;
    }
    advance(c);
    for (uint32_t i = 0; i < c->n_terminals; i++) {
        struct trk_terminal *t = &c->terminals[i];
        if (t->offset >= offset && t->offset + t->bytes <= right)
            c->terminals[i--] = c->terminals[--c->n_terminals];
    }
    return true;
}

void trk_forget_early(struct trk_client *c)
{
    c->early = false;
    trk_intervals_subtract(&c->beyond, c->next_free, TRK_OFFSET_UNKNOWN);
    trk_intervals_subtract(&c->again, c->next_free, TRK_OFFSET_UNKNOWN);
    if (c->ask_next > c->next_free)
        c->ask_next = c->next_free;
}

bool trk_output_cont_add(struct trk_client *c, const struct trk_ucont_view *v)
{
    if (v->first != c->output_end || v->second < v->first || c->n_conts == TRK_CLIENT_CONTS || c->finished)
        return false;
    bool fin = v->flags & TRK_UCONT_FIN;
    if (v->second > v->first) {
        struct trk_output_cont *o = &c->conts[c->n_conts++];
        *o = (struct trk_output_cont){ .begin = v->first, .first = v->first, .second = v->second, .fin = fin, .bytes = v->total_bytes };
        memcpy(o->sealed, v->bytes, v->total_bytes);
    }
    c->output_end = v->second;
    if (v->second != TRK_OFFSET_UNKNOWN)
        trk_output_known(c, v->second, fin);
    return true;
}

/* The one in use for v's first byte, if both are of one output: they end alike. -1: there is none. */
static int renewable(const struct trk_client *c, const struct trk_ucont_view *v)
{
    struct trk_ucont_view old;
    for (uint32_t i = 0; i < c->n_conts; i++)
        if (v->first >= c->conts[i].first && v->first < c->conts[i].second)
            return trk_ucont_parse(c->conts[i].sealed, c->conts[i].bytes, &old) == TRK_V_ACCEPTED && old.second == v->second ? (int)i : -1;
    return -1;
}

/* From v's first byte on it takes the place of the one in use; what lies before is still made by that. */
void trk_output_renew(struct trk_client *c, const struct trk_ucont_view *v, const struct trk_origin *origin)
{
    /* What an input made that did not count may be another output at the same place. */
    if (!origin->known || (origin->input && !origin->input->accepted))
        return;
    int i = renewable(c, v);
    if (i < 0)
        return;
    if (v->first > c->conts[i].first && v->first > c->received_to) {
        if (c->n_conts + 1 >= TRK_CLIENT_CONTS)      /* the last place is for the output of an input that is on its way */
            return;
        memmove(&c->conts[i + 1], &c->conts[i], (c->n_conts++ - (uint32_t)i) * sizeof c->conts[0]);
        c->conts[i++].second = v->first;
    }
    c->conts[i].first = v->first;
    memcpy(c->conts[i].sealed, v->bytes, v->total_bytes);
    c->conts[i].bytes = v->total_bytes;
}

void trk_output_known(struct trk_client *c, uint64_t end, bool fin)
{
    c->output_end = end;
    if (trk_output_open_ended(c))
        c->conts[c->n_conts - 1].second = end;
    if (fin)
        c->finished = true;
    trk_intervals_subtract(&c->beyond, end, TRK_OFFSET_UNKNOWN);
    trk_intervals_subtract(&c->again, end, TRK_OFFSET_UNKNOWN);
    if (c->ask_next > end)
        c->ask_next = end;
    for (uint64_t n = c->next; n <= c->end; n++) {   /* numbers asked for more carry nothing more */
        struct trk_number *e = trk_number_at(c, n);
        if (!e || e->state != TRK_N_EXPECTED || e->offset + e->bytes <= end)
            continue;
        e->bytes = e->offset < end ? (uint32_t)(end - e->offset) : 0;
    }
    advance(c);
}
