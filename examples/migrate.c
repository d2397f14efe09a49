/* migrate.c - minisockets that move: the front hears the clients and answers nobody; it extracts every event and sends it to
 * the back, by UDP, which installs it and answers, under the front's address.
 *
 *     sudo build/bin/migrate front '*:7777' key 127.0.0.1:9000       (where the back waits)
 *     sudo build/bin/migrate back  '*:7778' key 127.0.0.1:9000       (here, or on another machine with the same key)
 *     sudo build/bin/trickles ncat 127.0.0.1 7777
 *
 * Kill the back, start it again, start several and let the front choose by load: each event is on its own. What is lost on the
 * way is lost like a packet, and what did not come from a server with the key is refused. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <trickles/minisocket.h>

/* What the back serves: 100,000 lines to whoever connects. */
static void handle(struct minisock *m, const struct msk_event *event, void *arg)
{
    uint8_t *room = msk_room(m);
    struct msk_range r;
    (void)arg;
    if (event->type == MSK_OPEN)
        msk_done(m, &(struct msk_output){ .consumed = event->input.bytes, .length = 1300000, .last = true });
    for (size_t i = 0; msk_range(m, i, &r) == 0; i++) {
        for (size_t b = 0; b < r.bytes; b++)
            room[b] = (uint8_t)"hello, world\n"[(r.offset + b) % 13];
        msk_give(m, i, room, r.bytes);
        room += r.bytes;
    }
    msk_reply(m);
}

/* The front: everything that was heard goes to the back. */
static void extract_all(struct msk_server *server, int udp)
{
    uint8_t bytes[65000];
    struct minisock *m;
    while ((m = msk_next_event(server)) != NULL) {
        struct msk_collection one = { .data = bytes, .capacity = sizeof bytes };
        struct extract_mskdesc_in in = { .m = m };
        int n = 1;
        if (msk_extract_events(server, &in, 1, &one, &n) == 1)
            send(udp, bytes, one.bytes, 0);
        else
            msk_drop(m);               /* MSK_CLOSE: nothing to answer */
    }
}

/* The back: what the front sent is answered from here. */
static void install_all(struct msk_server *server, int udp)
{
    uint8_t bytes[65000];
    ssize_t n;
    while ((n = recv(udp, bytes, sizeof bytes, MSG_DONTWAIT)) > 0) {
        struct msk_collection one = { .data = bytes, .bytes = (size_t)n };
        if (msk_install_events(server, &one, 1) == 0)
            fprintf(stderr, "migrate: refused what came: %s\n", strerror(-one.result));
        msk_process(server, handle, NULL);
    }
}

static int open_udp(bool front, const char *text)
{
    struct sockaddr_in a = { .sin_family = AF_INET };
    char host[32] = "";
    unsigned port = 0;
    int udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (sscanf(text, "%31[0-9.]:%u", host, &port) != 2 || inet_pton(AF_INET, host, &a.sin_addr) != 1)
        return -1;
    a.sin_port = htons((uint16_t)port);
    int rc = front ? connect(udp, (struct sockaddr *)&a, sizeof a) : bind(udp, (struct sockaddr *)&a, sizeof a);
    return rc == 0 ? udp : -1;
}

int main(int argc, char **argv)
{
    char error[MSK_ERROR_BYTES] = "usage: migrate front|back ADDR:PORT KEYFILE BACK:PORT";
    bool front = argc == 5 && strcmp(argv[1], "front") == 0;
    struct msk_keys keys;
    struct msk_options options = { .listen = (const char *const *)argv + 2, .n_listen = 1, .keys = &keys, .application = "migrate" };
    struct msk_server *server = NULL;
    int udp = argc == 5 ? open_udp(front, argv[4]) : -1;
    if (argc == 5 && udp < 0)
        snprintf(error, sizeof error, "cannot use %s", argv[4]);
    else if (argc == 5 && msk_keys_read(argv[3], &keys, error, sizeof error) == 0)
        server = msk_open(&options, error, sizeof error);
    if (!server) {
        fprintf(stderr, "migrate: %s\n", error);
        return 1;
    }
    for (;;) {
        struct pollfd p[2] = { { .fd = msk_fd(server), .events = POLLIN }, { .fd = udp, .events = POLLIN } };
        poll(p, front ? 1 : 2, -1);
        if (front)
            extract_all(server, udp);
        else {
            install_all(server, udp);
            msk_process(server, handle, NULL);     /* and whoever comes to the back itself */
        }
    }
}
