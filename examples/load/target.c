#include "target.h"
#include <http_parser.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool fail(const char *url, const char *what)
{
    fprintf(stderr, "trickles-load: %s: %s\n", url, what);
    return false;
}

static void copy_field(char *out, size_t bytes, const char *url, const struct http_parser_url *u, int field)
{
    snprintf(out, bytes, "%.*s", (int)u->field_data[field].len, url + u->field_data[field].off);
}

static bool resolve(const char *url, const char *host, const char *port, struct sockaddr_storage *out)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG | AI_NUMERICSERV }, *list;
    int error = getaddrinfo(host, port, &hints, &list);
    if (error == EAI_ADDRFAMILY || error == EAI_NONAME) {       /* ::1 where only lo has IPv6 */
        hints.ai_flags = AI_NUMERICSERV;
        error = getaddrinfo(host, port, &hints, &list);
    }
    if (error)
        return fail(url, gai_strerror(error));
    memset(out, 0, sizeof *out);
    memcpy(out, list->ai_addr, list->ai_addrlen);
    freeaddrinfo(list);
    return true;
}

/* The path and query as written; the host as Host: wants it, brackets and port included. */
static bool make_request(struct target *t)
{
    static const char format[] = "GET %s HTTP/1.1\r\nHost: %.*s\r\nUser-Agent: trickles-load\r\nAccept: */*\r\n\r\n";
    const char *host = t->url + strlen("http://"), *path = host + strcspn(host, "/?#");
    char *line = NULL;
    int n = asprintf(&line, "%s%.*s", *path == '/' ? "" : "/", (int)strcspn(path, "#"), path);
    if (n >= 0)
        n = asprintf(&t->request, format, line, (int)(path - host), host);
    free(line);
    t->request_bytes = n < 0 ? 0 : (size_t)n;
    return t->request_bytes > 0 && t->request_bytes <= 8192;
}

static bool read_one(struct target *t, struct sockaddr_storage *peer)
{
    struct http_parser_url u;
    char host[256], port[8] = "80";
    http_parser_url_init(&u);
    if (http_parser_parse_url(t->url, strlen(t->url), 0, &u) || strncmp(t->url, "http://", 7) != 0)
        return fail(t->url, "not a URL that begins with http://");
    if (u.field_set & 1 << UF_USERINFO)
        return fail(t->url, "users and passwords are not understood");
    if (u.field_data[UF_HOST].len >= sizeof host)
        return fail(t->url, "the host's name is too long");
    copy_field(host, sizeof host, t->url, &u, UF_HOST);
    if (u.field_set & 1 << UF_PORT)
        copy_field(port, sizeof port, t->url, &u, UF_PORT);
    if (!make_request(t))
        return fail(t->url, "too long");
    return resolve(t->url, host, port, peer);
}

bool targets_read(struct targets *t, const char *const *urls, int n)
{
    memset(t, 0, sizeof *t);
    t->all = calloc((size_t)n, sizeof *t->all);
    for (int i = 0; t->all && i < n; i++) {
        struct sockaddr_storage peer;
        t->all[i].url = urls[i];
        t->n++;
        if (!read_one(&t->all[i], &peer))
            return false;
        if (i > 0 && memcmp(&peer, &t->peer, sizeof peer) != 0)
            return fail(urls[i], "another server than that of the first URL");
        t->peer = peer;
    }
    return t->all || fail(urls[0], "out of memory");
}

void targets_free(struct targets *t)
{
    for (size_t i = 0; i < t->n; i++)
        free(t->all[i].request);
    free(t->all);
}
