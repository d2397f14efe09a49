/* http_saved.c - a request between two pieces, as an input continuation. Fields by name and width, so that replicas
 * on different machines agree; the parser's state numbers belong to one version of its library, so that is in it. */
#include <string.h>
#include "http_field.h"
#include "http_request.h"
#include "wire/bytes.h"

#define SAVED_FORMAT 1
#define SAVED_FIXED  (512 - HTTP_PATH_MAX)

static uint64_t bits(const bool *flags, size_t n)
{
    uint64_t value = 0;
    for (size_t i = 0; i < n; i++)
        value |= (uint64_t)flags[i] << i;
    return value;
}

static void put_parser(struct trk_writer *w, const struct http_parser *p)
{
    const bool flags[] = { p->uses_transfer_encoding, p->allow_chunked_length, p->lenient_http_headers, p->upgrade };
    trk_put(w, http_parser_version() & 0xffffff, 3);
    trk_put(w, p->flags, 1);
    trk_put(w, p->state, 1);
    trk_put(w, p->header_state, 1);
    trk_put(w, p->index, 1);
    trk_put(w, bits(flags, 4), 1);
    trk_put(w, p->nread, 4);
    trk_put(w, p->content_length, 8);
    trk_put(w, p->http_major, 1);
    trk_put(w, p->http_minor, 1);
    trk_put(w, p->method, 1);
}

static bool get_parser(struct trk_reader *r, struct http_parser *p)
{
    bool same_library = trk_get(r, 3) == (http_parser_version() & 0xffffff);
    p->flags = trk_get(r, 1) & 0xff;
    p->state = trk_get(r, 1) & 0x7f;
    p->header_state = trk_get(r, 1) & 0x7f;
    p->index = trk_get(r, 1) & 0x1f;
    uint64_t flags = trk_get(r, 1);
    p->uses_transfer_encoding = flags & 1;
    p->allow_chunked_length = flags >> 1 & 1;
    p->lenient_http_headers = flags >> 2 & 1;
    p->upgrade = flags >> 3 & 1;
    p->nread = (uint32_t)trk_get(r, 4);
    p->content_length = trk_get(r, 8);
    p->http_major = (unsigned short)trk_get(r, 1);
    p->http_minor = (unsigned short)trk_get(r, 1);
    p->method = trk_get(r, 1) & 0xff;
    return same_library;
}

static void put_conditions(struct trk_writer *w, const struct http_request *r)
{
    trk_put(w, (uint64_t)(r->range | r->if_range << 4), 1);
    trk_put(w, r->range_a, 8);
    trk_put(w, r->range_b, 8);
    trk_put(w, r->if_range_value, 8);
    trk_put(w, (uint64_t)r->modified_since, 8);
    trk_put(w, (uint64_t)(r->hosts | r->n_tags << 4), 1);
    for (size_t i = 0; i < HTTP_TAGS_MAX; i++)
        trk_put(w, r->tags[i], 8);
}

static bool get_conditions(struct trk_reader *in, struct http_request *r)
{
    uint64_t kinds = trk_get(in, 1);
    r->range = (enum http_range)(kinds & 15);
    r->if_range = (enum http_if_range)(kinds >> 4);
    r->range_a = trk_get(in, 8);
    r->range_b = trk_get(in, 8);
    r->if_range_value = trk_get(in, 8);
    r->modified_since = (int64_t)trk_get(in, 8);
    uint64_t counts = trk_get(in, 1);
    r->hosts = counts & 15;
    r->n_tags = (uint8_t)(counts >> 4);
    for (size_t i = 0; i < HTTP_TAGS_MAX; i++)
        r->tags[i] = trk_get(in, 8);
    return r->range <= RANGE_IGNORED && r->if_range <= IF_RANGE_OTHER && r->hosts <= 2 && r->n_tags <= HTTP_TAGS_MAX;
}

/* What was read so far: the path, and the field that is being read. */
static void put_texts(struct trk_writer *w, const struct http_request *r)
{
    trk_put(w, r->path.state, 1);
    trk_put(w, r->path.escape, 1);
    trk_put(w, r->field, 1);
    trk_put(w, r->path.bytes, 2);
    trk_put_bytes(w, (const uint8_t *)r->path.text, r->path.bytes);
    trk_put(w, r->scratch_bytes, 1);
    trk_put_bytes(w, (const uint8_t *)r->scratch, r->scratch_bytes);
}

static bool get_texts(struct trk_reader *in, struct http_request *r)
{
    r->path.state = (uint8_t)trk_get(in, 1);
    r->path.escape = (uint8_t)trk_get(in, 1);
    r->field = (uint8_t)trk_get(in, 1);
    r->path.bytes = (uint16_t)trk_get(in, 2);
    if (r->path.bytes > HTTP_PATH_MAX || r->path.state >= HTTP_PATH_STATES || r->field >= HTTP_FIELDS)
        return false;
    trk_get_bytes(in, (uint8_t *)r->path.text, r->path.bytes);
    r->scratch_bytes = (uint8_t)trk_get(in, 1);
    if (r->scratch_bytes >= HTTP_SCRATCH)
        return false;
    trk_get_bytes(in, (uint8_t *)r->scratch, r->scratch_bytes);
    return true;
}

size_t http_request_save(const struct http_request *r, uint8_t out[HTTP_SAVED_MAX])
{
    /* format 1, parser 25, head bytes 4, flags 2, conditions 50, texts 6 + path + scratch */
    _Static_assert(1 + 25 + 4 + 2 + 50 + 6 + HTTP_SCRATCH - 1 <= SAVED_FIXED, "a saved request fits its continuation");
    struct trk_writer w = trk_writer_init(out, HTTP_SAVED_MAX);
    const bool flags[] = {
        r->path.bad, r->path.too_long, r->expect_continue, r->continued, r->keep_alive, r->chunked, r->has_modified_since, r->any_tag,
        r->has_none_match, r->in_value, r->overflow, r->complete, r->begun, r->content_range,
    };
    trk_put(&w, SAVED_FORMAT, 1);
    put_parser(&w, &r->parser);
    trk_put(&w, r->head_bytes, 4);
    trk_put(&w, bits(flags, sizeof flags / sizeof *flags), 2);
    put_conditions(&w, r);
    put_texts(&w, r);
    return trk_written(&w, out);
}

static void get_flags(uint64_t flags, struct http_request *r)
{
    bool *const at[] = {
        &r->path.bad, &r->path.too_long, &r->expect_continue, &r->continued, &r->keep_alive, &r->chunked, &r->has_modified_since, &r->any_tag,
        &r->has_none_match, &r->in_value, &r->overflow, &r->complete, &r->begun, &r->content_range,
    };
    for (size_t i = 0; i < sizeof at / sizeof *at; i++)
        *at[i] = flags >> i & 1;
}

bool http_request_load(struct http_request *r, const uint8_t *bytes, size_t n)
{
    struct trk_reader in = trk_reader_init(bytes, n);
    http_request_init(r);
    if (n == 0)
        return true;
    if (trk_get(&in, 1) != SAVED_FORMAT || !get_parser(&in, &r->parser))
        return false;
    r->head_bytes = (uint32_t)trk_get(&in, 4);
    get_flags(trk_get(&in, 2), r);
    return get_conditions(&in, r) && get_texts(&in, r) && !in.truncated && trk_left(&in) == 0 && r->head_bytes <= HTTP_HEAD_MAX;
}
