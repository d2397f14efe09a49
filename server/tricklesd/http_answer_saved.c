/* http_answer_saved.c - an answer as an output continuation: in each request, and beside the data in the answer to a SYN, so
 * it is short. */
#include <string.h>
#include "http_answer.h"
#include "wire/bytes.h"

size_t http_answer_save(const struct http_answer *a, uint8_t out[ANSWER_SAVED_MAX])
{
    _Static_assert(1 + 1 + 1 + 2 + 3 * 8 + 3 * 8 + HTTP_PATH_MAX <= ANSWER_SAVED_MAX, "an answer fits its continuation");
    if (a->file.size > TRK_VARINT_MAX || a->first > TRK_VARINT_MAX || a->bytes > TRK_VARINT_MAX)
        return 0;                      /* more than any stream holds: such an answer is not loaded again either */
    struct trk_writer w = trk_writer_init(out, ANSWER_SAVED_MAX);
    trk_put(&w, ANSWER_FORMAT, 1);
    trk_put(&w, a->kind, 1);
    trk_put(&w, (uint64_t)(a->no_body | a->close << 1 | a->say_keep_alive << 2), 1);
    trk_put(&w, a->head_bytes, 2);
    trk_put(&w, (uint64_t)a->date, 8);
    trk_put_varint(&w, a->file.size);
    trk_put(&w, (uint64_t)a->file.mtime_ns, 8);
    trk_put(&w, a->file.tag, 8);
    trk_put_varint(&w, a->first);
    trk_put_varint(&w, a->bytes);
    trk_put_bytes(&w, (const uint8_t *)a->path, strlen(a->path));
    return trk_written(&w, out);
}

bool http_answer_load(struct http_answer *a, const uint8_t *bytes, size_t n)
{
    struct trk_reader in = trk_reader_init(bytes, n);
    memset(a, 0, sizeof *a);
    if (trk_get(&in, 1) != ANSWER_FORMAT)
        return false;
    a->kind = (enum answer_kind)trk_get(&in, 1);
    uint64_t flags = trk_get(&in, 1);
    a->no_body = flags & 1;
    a->close = flags >> 1 & 1;
    a->say_keep_alive = flags >> 2 & 1;
    a->head_bytes = (uint16_t)trk_get(&in, 2);
    a->date = (int64_t)trk_get(&in, 8);
    a->file.size = trk_get_varint(&in);
    a->file.mtime_ns = (int64_t)trk_get(&in, 8);
    a->file.tag = trk_get(&in, 8);
    a->first = trk_get_varint(&in);
    a->bytes = trk_get_varint(&in);
    size_t path = trk_left(&in);
    if (in.truncated || in.malformed || a->kind >= ANSWER_KINDS || path > HTTP_PATH_MAX)
        return false;
    trk_get_bytes(&in, (uint8_t *)a->path, path);
    return true;
}
