/* pages.c - a JSON API over an SQLite database, page by page: GET /items and GET /items?after=ID give up to 50 rows and where
 * the next page begins. The database: CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT).
 *
 *     sudo build/bin/pages 127.0.0.1:7777 key items.db
 *     sudo build/bin/trickles curl 'http://127.0.0.1:7777/items?after=50'
 *
 * The output continuation is the cursor: the id after which the page begins, and a digest of the page. So the page is not kept
 * anywhere: whoever is asked for bytes of it asks the database again, and ends the connection if the rows have changed. */
#include <poll.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <trickles/minisocket.h>

#define PAGE_ROWS 50
#define PAGE_BYTES 65536

struct cursor { int64_t after; uint64_t digest; uint32_t bytes; };
static sqlite3_stmt *query;

static uint64_t digest_of(const char *text, size_t n)      /* FNV-1a */
{
    uint64_t d = 14695981039346656037u;
    for (size_t i = 0; i < n; i++)
        d = (d ^ (unsigned char)text[i]) * 1099511628211u;
    return d;
}

/* The whole answer, head and body. Returns its bytes; SQLite's own function writes the JSON of a row. */
static size_t make(int64_t after, char out[PAGE_BYTES])
{
    static char body[PAGE_BYTES - 256];
    size_t n = 0;
    int64_t last = after;
    int rows = 0;
    sqlite3_reset(query);
    sqlite3_bind_int64(query, 1, after);
    n += (size_t)snprintf(body, sizeof body, "{\"items\":[");
    while (rows < PAGE_ROWS && sqlite3_step(query) == SQLITE_ROW) {
        const char *row = (const char *)sqlite3_column_text(query, 1);
        if (!row || n + strlen(row) + 64 > sizeof body)
            break;                     /* a page ends early rather than not to fit */
        n += (size_t)snprintf(body + n, sizeof body - n, "%s%s", rows++ ? "," : "", row);
        last = sqlite3_column_int64(query, 0);
    }
    bool more = rows > 0 && sqlite3_step(query) == SQLITE_ROW;
    sqlite3_reset(query);
    n += (size_t)(more ? snprintf(body + n, sizeof body - n, "],\"next\":\"/items?after=%lld\"}\n", (long long)last)
                       : snprintf(body + n, sizeof body - n, "],\"next\":null}\n"));
    int head = snprintf(out, PAGE_BYTES, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n", n);
    memcpy(out + head, body, n);
    return (size_t)head + n;
}

static void take_input(struct minisock *m, const struct msk_input *in)
{
    static char page[PAGE_BYTES];
    char line[64] = "";
    long long after = 0;
    const uint8_t *end = in->bytes ? memmem(in->data, in->bytes, "\r\n\r\n", 4) : NULL;
    if (!end && !in->end && in->bytes < 1000) {
        msk_more(m, 0, (struct msk_bytes){ NULL, 0 });
        return;
    }
    memcpy(line, in->data, in->bytes < sizeof line - 1 ? in->bytes : sizeof line - 1);
    if (!end || (sscanf(line, "GET /items?after=%lld ", &after) != 1 && strncmp(line, "GET /items ", 11) != 0)) {
        msk_done(m, &(struct msk_output){ .consumed = in->bytes + in->end, .last = true });    /* not for us: goodbye */
        return;
    }
    struct cursor c = { .after = after };
    c.bytes = (uint32_t)make(after, page);
    c.digest = digest_of(page, c.bytes);
    struct msk_output output = { .consumed = (size_t)(end + 4 - in->data), .output = { &c, sizeof c }, .length = c.bytes };
    msk_done(m, &output);
}

static void handle(struct minisock *m, const struct msk_event *event, void *arg)
{
    static char page[PAGE_BYTES];
    uint8_t *room = msk_room(m);
    struct msk_range r;
    (void)arg;
    if (event->input.present)
        take_input(m, &event->input);
    for (size_t i = 0; msk_range(m, i, &r) == 0; i++) {
        struct cursor c;
        if (r.bytes == 0)
            continue;
        memcpy(&c, r.opaque, sizeof c);
        if (make(c.after, page) != c.bytes || digest_of(page, c.bytes) != c.digest) {
            msk_reset(m);              /* the rows are not what they were when the page began */
            return;
        }
        memcpy(room, page + (r.offset - r.first), r.bytes);
        msk_give(m, i, room, r.bytes);
        room += r.bytes;
    }
    msk_reply(m);
}

static bool open_database(const char *path, char *error, size_t error_bytes)
{
    static const char text[] = "SELECT id, json_object('id', id, 'name', name) FROM items WHERE id > ? ORDER BY id";
    sqlite3 *db;
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK && sqlite3_prepare_v2(db, text, -1, &query, NULL) == SQLITE_OK)
        return true;
    snprintf(error, error_bytes, "%s: %s", path, sqlite3_errmsg(db));
    return false;
}

int main(int argc, char **argv)
{
    char error[MSK_ERROR_BYTES] = "usage: pages ADDR:PORT KEYFILE DATABASE";
    struct msk_keys keys;
    struct msk_options options = { .listen = (const char *const *)argv + 1, .n_listen = 1, .keys = &keys, .application = "pages" };
    struct msk_server *server = NULL;
    if (argc == 4 && open_database(argv[3], error, sizeof error) && msk_keys_read(argv[2], &keys, error, sizeof error) == 0)
        server = msk_open(&options, error, sizeof error);
    if (!server) {
        fprintf(stderr, "pages: %s\n", error);
        return 1;
    }
    for (;;) {
        poll(&(struct pollfd){ .fd = msk_fd(server), .events = POLLIN }, 1, -1);
        msk_process(server, handle, NULL);
    }
}
