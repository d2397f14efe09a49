/* answer.c - one answer: its head and body, and whether it is the same as the others. */
#include "load.h"
#include <sodium.h>
#include <string.h>

static int on_body(http_parser *parser, const char *data, size_t bytes)
{
    struct load_conn *c = parser->data;
    c->body_bytes += bytes;
    if (c->hash)
        crypto_generichash_blake2b_update(c->hash, (const unsigned char *)data, bytes);
    return 0;
}

static int on_complete(http_parser *parser)
{
    struct load_conn *c = parser->data;
    c->complete = true;
    c->keep = http_should_keep_alive(parser);
    http_parser_pause(parser, 1);      /* what follows belongs to no request */
    return 0;
}

static const http_parser_settings settings = { .on_body = on_body, .on_message_complete = on_complete };

void answer_begin(struct load_conn *c)
{
    http_parser_init(&c->parser, HTTP_RESPONSE);
    c->parser.data = c;
    c->body_bytes = 0;
    c->complete = c->keep = false;
    c->bad = NULL;
    if (c->hash)
        crypto_generichash_blake2b_init(c->hash, NULL, 0, sizeof c->target->hash);
}

bool answer_take(void *conn, const uint8_t *data, size_t bytes)
{
    struct load_conn *c = conn;
    size_t used = http_parser_execute(&c->parser, &settings, (const char *)data, bytes);
    c->load->counts.bytes += used;
    enum http_errno error = HTTP_PARSER_ERRNO(&c->parser);
    if (error != HPE_OK && error != HPE_PAUSED)
        c->bad = "the answer is not HTTP";
    else if (c->complete && used + 1 < bytes)          /* the parser may leave the last byte unused */
        c->bad = "bytes after the answer's end";
    return !c->bad && !c->complete;
}

void answer_ended(struct load_conn *c)
{
    http_parser_execute(&c->parser, &settings, "", 0);
    if (!c->complete)
        c->bad = "the connection ended before the answer was complete";
    c->keep = false;
}

void answer_verify(struct load_conn *c)
{
    uint8_t hash[sizeof c->target->hash];
    struct target *t = c->target;
    if (!c->hash || c->bad)
        return;
    crypto_generichash_blake2b_final(c->hash, hash, sizeof hash);
    if (!t->seen) {
        t->seen = true;
        t->body_bytes = c->body_bytes;
        memcpy(t->hash, hash, sizeof hash);
    } else if (t->body_bytes != c->body_bytes || memcmp(t->hash, hash, sizeof hash) != 0) {
        c->bad = "a body differs from the first one";
    }
}
