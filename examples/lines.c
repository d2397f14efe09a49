/* lines.c - a line service: each line that a client sends comes back with its number. A line may arrive in any number of
 * packets, so what is there of it travels with the client, and so does the count: the *input continuation*.
 *
 *     sudo build/bin/lines 127.0.0.1:7777 key          (a key file: tricklesd --generate-key key)
 *     seq 1000 | sudo build/bin/trickles ncat 127.0.0.1 7777 */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <trickles/minisocket.h>

struct state {                         /* between two packets of one client; at most MSK_OPAQUE_MAX bytes */
    uint32_t lines;                    /* answered so far */
    uint32_t bytes;                    /* of the line that has begun */
    char line[480];
};

/* The next line of the packet is answered, the rest of the packet comes again. No line in it: more is needed. */
static void take_input(struct minisock *m, const struct msk_input *in)
{
    struct state s = { 0 };
    char answer[MSK_OPAQUE_MAX];
    memcpy(&s, in->opaque, in->opaque_bytes);      /* of the stream's first bytes there is none */
    size_t used = 0;
    bool whole = false;
    while (!whole && used < in->bytes && s.bytes < sizeof s.line) {
        whole = in->data[used] == '\n';
        s.line[s.bytes++] = (char)in->data[used++];
    }
    bool ended = in->end && used == in->bytes;     /* the client will send no more, not even the end of its line */
    if (!whole && !ended && s.bytes < sizeof s.line) {
        msk_more(m, used, (struct msk_bytes){ &s, sizeof s });
        return;
    }
    int n = s.bytes == 0 ? 0 : snprintf(answer, sizeof answer, "%u: %.*s", s.lines + 1, (int)s.bytes, s.line);
    s = (struct state){ .lines = s.lines + 1 };    /* a line that is too long continues as the next one */
    struct msk_output output = {
        .consumed = used + ended, .input = { &s, sizeof s }, .output = { answer, (size_t)n }, .length = (uint64_t)n, .last = ended,
    };
    msk_done(m, &output);
}

static void handle(struct minisock *m, const struct msk_event *event, void *arg)
{
    struct msk_range r;
    (void)arg;
    if (event->input.present)
        take_input(m, &event->input);
    for (size_t i = 0; msk_range(m, i, &r) == 0; i++)      /* the output's bytes are those of its continuation */
        if (r.bytes > 0)
            msk_give(m, i, r.opaque + (r.offset - r.first), r.bytes);
    msk_reply(m);
}

int main(int argc, char **argv)
{
    char error[MSK_ERROR_BYTES] = "usage: lines ADDR:PORT KEYFILE";
    struct msk_keys keys;
    struct msk_options options = { .listen = (const char *const *)argv + 1, .n_listen = 1, .keys = &keys, .application = "lines" };
    struct msk_server *server = NULL;
    if (argc == 3 && msk_keys_read(argv[2], &keys, error, sizeof error) == 0)
        server = msk_open(&options, error, sizeof error);
    if (!server) {
        fprintf(stderr, "lines: %s\n", error);
        return 1;
    }
    for (;;) {
        poll(&(struct pollfd){ .fd = msk_fd(server), .events = POLLIN }, 1, -1);
        msk_process(server, handle, NULL);
    }
}
