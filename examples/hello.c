/* hello.c - the smallest server: whoever connects is told "hello, world" ten thousand times. */
#include <poll.h>
#include <stdio.h>
#include <trickles/minisocket.h>

static void handle(struct minisock *m, const struct msk_event *event, void *arg)
{
    static char bytes[MSK_ANSWER_BYTES_MAX];
    struct msk_range r;
    size_t used = 0;

    if (event->type == MSK_OPEN)       /* the server speaks first: 130,000 bytes, then the end of the stream */
        msk_done(m, &(struct msk_output){ .consumed = event->input.bytes, .length = 130000, .last = true });
    for (size_t i = 0; msk_range(m, i, &r) == 0; i++) {
        char *out = bytes + used;      /* whatever part is asked for, in whatever order, by whoever is there */
        for (size_t b = 0; b < r.bytes; b++)
            bytes[used++] = "hello, world\n"[(r.offset + b) % 13];
        msk_give(m, i, out, r.bytes);
    }
    msk_reply(m);
    (void)arg;
}

int main(void)
{
    const char *addresses[] = { "*:7777" };
    char error[MSK_ERROR_BYTES];
    struct msk_server *server = msk_open(&(struct msk_options){ .listen = addresses, .n_listen = 1 }, error, sizeof error);

    if (!server) {
        fprintf(stderr, "hello: %s\n", error);
        return 1;
    }
    for (;;) {
        poll(&(struct pollfd){ .fd = msk_fd(server), .events = POLLIN }, 1, -1);
        msk_process(server, handle, NULL);
    }
}
