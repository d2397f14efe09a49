/* greeter.c - a server that speaks first, and remembers nothing: greets, then answers lines.
 *
 *     sudo build/bin/greeter --listen 127.0.0.1:7777 --key-file key
 *     sudo build/bin/trickles ncat 127.0.0.1 7777
 *
 * Lines: "count N" counts to N, "bye" ends the connection, everything else comes back. Between two packets this
 * program knows nothing about its clients: kill it while it counts, start it again, and the client sees all numbers.
 *
 * An output continuation of ours is either 't' and the text itself, or 'c' and how far to count. An input
 * continuation is the line as far as it has come. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <trickles/minisocket.h>

#define LINE_MAX_BYTES 400
#define NUMBER_BYTES 8                 /* "0000001\n": so that any offset can be computed */

static int say(struct minisock *m, uint64_t consumed, const char *text, bool last)
{
    char opaque[MSK_OPAQUE_MAX];
    int n = snprintf(opaque, sizeof opaque, "t%s", text);
    struct msk_output output = { .consumed = consumed, .output = { opaque, (size_t)n }, .length = (uint64_t)n - 1, .last = last };
    return msk_done(m, &output);
}

/* How long the count will be is left open, to show how an output of unknown length ends: in give_numbers. */
static int count(struct minisock *m, uint64_t consumed, unsigned to)
{
    char opaque[16];
    int n = snprintf(opaque, sizeof opaque, "c%u", to);
    struct msk_output output = { .consumed = consumed, .output = { opaque, (size_t)n }, .length = MSK_LENGTH_UNKNOWN };
    return msk_done(m, &output);
}

/* The line begins in the input continuation and goes on in the packet. */
static int take_input(struct minisock *m, const struct msk_input *in)
{
    char line[LINE_MAX_BYTES + 2], *end;
    unsigned to;
    const uint8_t *newline = in->bytes ? memchr(in->data, '\n', in->bytes) : NULL;
    size_t more = newline ? (size_t)(newline - in->data) + 1 : in->bytes, n = in->opaque_bytes;
    memcpy(line, in->opaque, n);
    if (n + more > LINE_MAX_BYTES)
        return say(m, in->bytes, "That line is too long for me.\n", true);
    if (more > 0)
        memcpy(line + n, in->data, more);
    n += more;
    line[n] = '\0';
    if (!newline && in->end)
        return say(m, in->bytes + 1, "", true);
    if (!newline)
        return msk_more(m, in->bytes, (struct msk_bytes){ line, n });
    if (strcmp(line, "bye\n") == 0)
        return say(m, more, "Goodbye.\n", true);
    if (strncmp(line, "count ", 6) == 0 && (to = (unsigned)strtoul(line + 6, &end, 10), *end == '\n') && to >= 1 && to < 10000000)
        return count(m, more, to);
    return say(m, more, line, false);
}

/* Bytes [r->offset, + n) of the numbers 1 to `to`, and the end of the output behind the last. */
static int give_numbers(struct minisock *m, size_t i, const struct msk_range *r, uint8_t *out)
{
    char text[16], number[16];
    snprintf(text, sizeof text, "%.*s", (int)r->opaque_bytes - 1, (const char *)r->opaque + 1);
    uint64_t length = strtoull(text, NULL, 10) * NUMBER_BYTES, at = r->offset - r->first;
    size_t n = at + r->bytes < length ? r->bytes : at < length ? (size_t)(length - at) : 0;
    for (size_t b = 0; b < n; b++) {
        if (b == 0 || (at + b) % NUMBER_BYTES == 0)
            snprintf(number, sizeof number, "%07u\n", (unsigned)((at + b) / NUMBER_BYTES + 1) % 10000000);
        out[b] = (uint8_t)number[(at + b) % NUMBER_BYTES];
    }
    if (at + n != length)              /* there is more; or nothing, as the client asked beyond the end that it did not know */
        return msk_give(m, i, out, n);
    return msk_give_end(m, i, out, n, (struct msk_bytes){ 0 }, false);
}

static void handle(struct minisock *m, const struct msk_event *event, void *arg)
{
    static uint8_t numbers[MSK_ANSWER_BYTES_MAX];
    size_t used = 0;
    (void)arg;
    if (event->type == MSK_OPEN)
        say(m, 0, "Hello. Say something; \"count N\" or \"bye\" are special.\n", false);
    else if (event->input.present)
        take_input(m, &event->input);
    for (size_t i = 0; i < msk_ranges(m); i++) {
        struct msk_range r;
        msk_range(m, i, &r);
        if (r.bytes > 0 && r.opaque[0] == 't')
            msk_give(m, i, r.opaque + 1 + (r.offset - r.first), r.bytes);
        else if (r.bytes > 0) {
            give_numbers(m, i, &r, numbers + used);
            used += r.bytes;
        }
    }
    msk_reply(m);
}

int main(int argc, char **argv)
{
    char error[MSK_ERROR_BYTES];
    struct msk_keys keys;
    if (argc != 5 || strcmp(argv[1], "--listen") != 0 || strcmp(argv[3], "--key-file") != 0) {
        fprintf(stderr, "usage: greeter --listen ADDR:PORT --key-file FILE\n");
        return 2;
    }
    const char *listen[] = { argv[2] };
    struct msk_options options = { .listen = listen, .n_listen = 1, .keys = &keys, .application = "greeter" };
    struct msk_server *server = msk_keys_read(argv[4], &keys, error, sizeof error) == 0 ? msk_open(&options, error, sizeof error) : NULL;
    if (!server) {
        fprintf(stderr, "greeter: %s\n", error);
        return 1;
    }
    for (;;) {
        struct pollfd p = { .fd = msk_fd(server), .events = POLLIN };
        poll(&p, 1, -1);
        msk_process(server, handle, NULL);
    }
}
