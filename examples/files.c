/* files.c - a static file server for HTTP/1.1: GET, keep-alive, pipelining. (tricklesd is this with everything else.)
 *
 *     sudo build/bin/files 127.0.0.1:8080 key /srv/www
 *     sudo build/bin/trickles curl http://127.0.0.1:8080/big.iso
 *
 * The answer to a request is fixed when it is understood: the *output continuation* says which file in which version, or
 * which error. From then on anybody with the same files and key can give any bytes of it, whatever became of this process. */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <trickles/minisocket.h>

struct answer {                        /* the output continuation */
    int32_t status;
    int64_t bytes, seconds, nanoseconds;           /* of the file: its size, and when it was changed */
    char path[400];
};

static int root;                       /* the directory that is served */

static int open_file(const char *path, struct answer *version)
{
    struct stat st;
    int fd = openat(root, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0 && (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))) {
        close(fd);
        return -1;
    }
    if (fd >= 0) {
        version->bytes = st.st_size;
        version->seconds = st.st_mtim.tv_sec;
        version->nanoseconds = st.st_mtim.tv_nsec;
    }
    return fd;
}

static int head_of(const struct answer *a, char *out, size_t cap)
{
    const char *text = a->status == 200 ? "OK" : a->status == 404 ? "Not Found" : "Bad Request";
    return snprintf(out, cap, "HTTP/1.1 %d %s\r\nContent-Length: %lld\r\n\r\n", a->status, text, (long long)a->bytes);
}

/* "GET /some/path HTTP/1.1": fills in which file, or which error. */
static void understand(const char *request, size_t n, struct answer *a)
{
    size_t i = 0;
    int fd;
    a->status = 400;
    if (n < 5 || memcmp(request, "GET /", 5) != 0)
        return;
    for (request += 5, n -= 5; i < n && request[i] > ' ' && i + 1 < sizeof a->path; i++)
        a->path[i] = request[i];
    a->status = 404;
    if (strstr(a->path, "..") || (fd = open_file(a->path, a)) < 0)
        return;
    close(fd);
    a->status = 200;
}

/* One request; what follows it in the packet comes again. */
static void take_input(struct minisock *m, const struct msk_input *in)
{
    struct answer a = { 0 };
    char head[256];
    const char *end = in->bytes ? memmem(in->data, in->bytes, "\r\n\r\n", 4) : NULL;
    if (!end && in->end && in->bytes == 0) {       /* the client is through */
        msk_done(m, &(struct msk_output){ .consumed = 1, .last = true });
        return;
    }
    if (!end && !in->end && in->bytes < 1000) {    /* a head comes in one packet, or again together with more of it */
        msk_more(m, 0, (struct msk_bytes){ NULL, 0 });
        return;
    }
    if (end)
        understand((const char *)in->data, (size_t)(end - (const char *)in->data), &a);
    else
        a.status = 400;
    struct msk_output output = {
        .consumed = end ? (size_t)(end + 4 - (const char *)in->data) : in->bytes + in->end, .output = { &a, sizeof a },
        .length = (uint64_t)(head_of(&a, head, sizeof head) + a.bytes), .last = !end, .encrypt = true,
    };
    msk_done(m, &output);
}

/* What one range asks for: bytes of the head, then of the file. False: the file is not what it was. */
static bool add_range(const struct msk_range *r, struct fiovec *v, int *n, char *head)
{
    struct answer a, now = { 0 };
    if (r->opaque_bytes != sizeof a)
        return false;
    memcpy(&a, r->opaque, sizeof a);
    uint64_t head_bytes = (uint64_t)head_of(&a, head, 256), at = r->offset - r->first, left = r->bytes;
    if (at < head_bytes) {
        size_t part = head_bytes - at < left ? head_bytes - at : left;
        v[(*n)++] = (struct fiovec){ .fd = -1, .data = head + at, .bytes = part };
        at += part;
        left -= part;
    }
    if (left == 0)
        return true;
    int fd = open_file(a.path, &now);
    if (fd < 0 || now.bytes != a.bytes || now.seconds != a.seconds || now.nanoseconds != a.nanoseconds) {
        if (fd >= 0)
            close(fd);
        return false;
    }
    v[(*n)++] = (struct fiovec){ .fd = fd, .offset = at - head_bytes, .bytes = left };
    return true;
}

static void handle(struct minisock *m, const struct msk_event *event, void *arg)
{
    static char heads[128][256];
    struct fiovec v[256];
    struct msk_range r;
    int n = 0;
    bool good = true;
    (void)arg;
    if (event->input.present)
        take_input(m, &event->input);
    for (size_t i = 0; good && i < 128 && msk_range(m, i, &r) == 0; i++)
        good = r.bytes == 0 || add_range(&r, v, &n, heads[i]);
    if (!good || msk_sendfilev(m, v, n) != 0)
        msk_reset(m);                  /* never two versions in one download */
    for (int i = 0; i < n; i++)
        if (v[i].fd >= 0)
            close(v[i].fd);
}

int main(int argc, char **argv)
{
    char error[MSK_ERROR_BYTES] = "usage: files ADDR:PORT KEYFILE DIRECTORY";
    struct msk_keys keys;
    struct msk_options options = { .listen = (const char *const *)argv + 1, .n_listen = 1, .keys = &keys, .application = "files" };
    struct msk_server *server = NULL;
    if (argc == 4 && (root = open(argv[3], O_RDONLY | O_DIRECTORY)) < 0)
        snprintf(error, sizeof error, "cannot open %s", argv[3]);
    else if (argc == 4 && msk_keys_read(argv[2], &keys, error, sizeof error) == 0)
        server = msk_open(&options, error, sizeof error);
    if (!server) {
        fprintf(stderr, "files: %s\n", error);
        return 1;
    }
    for (;;) {
        poll(&(struct pollfd){ .fd = msk_fd(server), .events = POLLIN }, 1, -1);
        msk_process(server, handle, NULL);
    }
}
