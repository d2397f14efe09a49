/* trickles-fetch.c - the smallest client: fetches one page from 10.0.0.1, or the IPv4 address that it is given. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <trickles/client.h>

int main(int argc, char **argv)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: example\r\nConnection: close\r\n\r\n";
    struct sockaddr_in server = { .sin_family = AF_INET, .sin_port = htons(80) };
    char error[TRICKLES_ERROR_BYTES], bytes[16384];
    inet_pton(AF_INET, argc > 1 ? argv[1] : "10.0.0.1", &server.sin_addr);

    struct trickles *t = trickles_new(NULL, error, sizeof error);
    struct trickles_conn *c = t ? trickles_open(t, &(struct trickles_target){
        .peer = (struct sockaddr *)&server, .data = request, .bytes = sizeof request - 1 }) : NULL;
    if (!c) {
        fprintf(stderr, "%s\n", t ? trickles_why(t) : error);
        return 1;
    }
    struct trickles_event event;
    ssize_t n = -EAGAIN;
    while (n == -EAGAIN && trickles_wait(t, &event, 1, -1) == 1)
        while ((n = trickles_read(c, bytes, sizeof bytes)) > 0)
            fwrite(bytes, 1, (size_t)n, stdout);
    if (n < 0)                                      /* 0: the server ended its stream */
        fprintf(stderr, "%s\n", trickles_conn_why(c));
    trickles_free(t);
    return n < 0;
}
