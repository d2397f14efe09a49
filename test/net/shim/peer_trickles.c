#include "peer.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <trickles/minisocket.h>

/* Output continuations: "P" for the pattern, "T" and a text. Input: "E" and the bytes eaten so far. */
static uint8_t answer[MSK_ANSWER_BYTES_MAX];

static void give_ranges(struct minisock *m)
{
    size_t used = 0;
    for (size_t i = 0; i < msk_ranges(m); i++) {
        struct msk_range r;
        if (msk_range(m, i, &r) != 0)
            continue;
        for (size_t j = 0; j < r.bytes; j++)
            answer[used + j] = r.opaque[0] == 'P' ? peer_byte(r.offset + j) : r.opaque[1 + r.offset - r.first + j];
        msk_give(m, i, answer + used, r.bytes);
        used += r.bytes;
    }
    msk_reply(m);
}

static void eat(struct minisock *m, const struct msk_input *in, uint64_t before, size_t from)
{
    char state[32], text[32];
    uint64_t count = before + in->bytes - from;
    int state_bytes = snprintf(state, sizeof state, "E%llu", (unsigned long long)count);
    if (!in->end) {
        msk_more(m, in->bytes, (struct msk_bytes){ state, (size_t)state_bytes });
        return;
    }
    int text_bytes = snprintf(text, sizeof text, "T%llu\n", (unsigned long long)count);
    struct msk_output done = { .consumed = in->bytes + 1, .output = { text, (size_t)text_bytes },
                               .length = (uint64_t)text_bytes - 1, .last = true };
    msk_done(m, &done);
}

/* One line; returns its bytes, 0: not complete, SIZE_MAX: the event is answered. */
static size_t obey(struct minisock *m, const struct msk_input *in, size_t at)
{
    char line[PEER_LINE_BYTES + 1] = { 0 };
    const uint8_t *end = memchr(in->data + at, '\n', in->bytes - at);
    if (!end || end - in->data - (ptrdiff_t)at >= PEER_LINE_BYTES)
        return 0;
    size_t bytes = (size_t)(end - in->data) - at;
    memcpy(line, in->data + at, bytes);
    if (strncmp(line, "log ", 4) == 0) {
        puts(line + 4);
        return bytes + 1;
    }
    if (strcmp(line, "rst") == 0) {
        msk_reset(m);
    } else if (strcmp(line, "eat") == 0) {
        eat(m, in, 0, at + bytes + 1);
    } else {
        struct msk_output done = { .consumed = at + bytes + 1, .output = { "P", 1 }, .length = strtoull(line + 4, NULL, 10),
                                   .last = strncmp(line, "end ", 4) == 0 };
        msk_done(m, &done);
    }
    return SIZE_MAX;
}

static void take_input(struct minisock *m, const struct msk_input *in)
{
    size_t at = 0, n;
    if (in->opaque_bytes && in->opaque[0] == 'E') {
        char digits[32] = { 0 };
        memcpy(digits, in->opaque + 1, in->opaque_bytes - 1);
        eat(m, in, strtoull(digits, NULL, 10), 0);
        return;
    }
    while ((n = obey(m, in, at)) != 0) {
        if (n == SIZE_MAX)
            return;
        at += n;
    }
    if (in->end && at == in->bytes) {
        struct msk_output done = { .consumed = at + 1, .output = { "T", 1 }, .last = true };
        msk_done(m, &done);
    } else {
        msk_more(m, at, (struct msk_bytes){ NULL, 0 });
    }
}

static void handle(struct minisock *m, const struct msk_event *event, void *arg)
{
    (void)arg;
    if (event->type == MSK_CLOSE) {
        puts("peer: closed");
        msk_reply(m);
        return;
    }
    if (event->input.present)
        take_input(m, &event->input);
    give_ranges(m);
}

static void log_line(void *arg, enum msk_log_level level, const char *line)
{
    (void)arg;
    if (level <= MSK_LOG_WARNING)
        fprintf(stderr, "%s\n", line);
}

int peer_trickles(uint16_t port)
{
    char address[32], error[MSK_ERROR_BYTES];
    const char *listen[] = { address };
    snprintf(address, sizeof address, "*:%u", port);
    struct msk_options options = { .listen = listen, .n_listen = 1, .log = log_line };
    struct msk_server *server = msk_open(&options, error, sizeof error);
    if (!server) {
        fprintf(stderr, "peer: %s\n", error);
        return 1;
    }
    for (;;) {
        struct pollfd p = { .fd = msk_fd(server), .events = POLLIN };
        poll(&p, 1, -1);
        msk_process(server, handle, NULL);
    }
}
