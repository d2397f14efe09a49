/* stream.c - a stream of server-sent events whose length nobody knows before its end: for GET /27 one event for each step of
 * the Collatz sequence from 27 (halve it if even, else three times it and one), until it reaches 1.
 *
 *     sudo build/bin/stream 127.0.0.1:7777 key
 *     sudo build/bin/trickles curl http://127.0.0.1:7777/27
 *
 * The output continuation is the number it starts from. Any bytes can be made from that alone, by going through the sequence
 * again; where it ends is found on the way. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <trickles/minisocket.h>

#define HEAD "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"

/* Bytes [at, at + n) of the whole answer into out. Returns how long the answer is. */
static uint64_t make(uint64_t number, uint64_t at, uint8_t *out, size_t n)
{
    char piece[64];
    const char *text = HEAD;
    uint64_t begin = 0;                /* of the piece, in the answer */
    for (bool last = false;; number = number % 2 ? 3 * number + 1 : number / 2) {
        size_t bytes = strlen(text);
        for (size_t b = begin < at ? at - begin : 0; b < bytes && begin + b < at + n; b++)
            out[begin + b - at] = (uint8_t)text[b];
        begin += bytes;
        if (last)
            return begin;
        snprintf(piece, sizeof piece, "data: %llu\n\n", (unsigned long long)number);
        text = piece;
        last = number <= 1;
    }
}

static void handle(struct minisock *m, const struct msk_event *event, void *arg)
{
    const struct msk_input *in = &event->input;
    uint8_t *room = msk_room(m);
    struct msk_range r;
    (void)arg;
    if (in->present && in->bytes > 0 && in->data[in->bytes - 1] != '\n' && in->bytes < 1000 && !in->end)
        msk_more(m, 0, (struct msk_bytes){ NULL, 0 });
    else if (in->present) {
        char line[32];                 /* "GET /27 HTTP/1.1..." */
        snprintf(line, sizeof line, "%.*s", (int)in->bytes, (const char *)in->data);
        uint64_t number = strlen(line) > 5 ? strtoull(line + 5, NULL, 10) % 1000000 : 0;
        struct msk_output output = { .consumed = in->bytes + in->end, .output = { &number, sizeof number }, .length = MSK_LENGTH_UNKNOWN };
        msk_done(m, &output);
    }
    for (size_t i = 0; msk_range(m, i, &r) == 0; i++) {
        uint64_t number;
        if (r.bytes == 0)
            continue;
        memcpy(&number, r.opaque, sizeof number);
        uint64_t length = make(number, r.offset - r.first, room, r.bytes);
        msk_give_until(m, i, room, r.bytes, r.first + length, (struct msk_bytes){ NULL, 0 }, true);
        room += r.bytes;
    }
    msk_reply(m);
}

int main(int argc, char **argv)
{
    char error[MSK_ERROR_BYTES] = "usage: stream ADDR:PORT KEYFILE";
    struct msk_keys keys;
    struct msk_options options = { .listen = (const char *const *)argv + 1, .n_listen = 1, .keys = &keys, .application = "stream" };
    struct msk_server *server = NULL;
    if (argc == 3 && msk_keys_read(argv[2], &keys, error, sizeof error) == 0)
        server = msk_open(&options, error, sizeof error);
    if (!server) {
        fprintf(stderr, "stream: %s\n", error);
        return 1;
    }
    for (;;) {
        poll(&(struct pollfd){ .fd = msk_fd(server), .events = POLLIN }, 1, -1);
        msk_process(server, handle, NULL);
    }
}
