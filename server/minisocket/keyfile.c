/* keyfile.c - the replicas' shared secret as a text file: one line per epoch, "EPOCH added|current|retiring HEX64". */
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "keyset.h"

#define KEY_FILE_BYTES_MAX 8192

static const char *const state_names[] = { [MSK_KEY_ADDED] = "added", [MSK_KEY_CURRENT] = "current", [MSK_KEY_RETIRING] = "retiring" };

static uint8_t state_of(const char *word)
{
    for (uint8_t s = MSK_KEY_ADDED; s <= MSK_KEY_RETIRING; s++)
        if (strcmp(word, state_names[s]) == 0)
            return s;
    return 0;
}

/* "7 current 00ff…": false if the line is anything else. */
static bool parse_line(char *line, struct msk_key *key)
{
    unsigned epoch;
    char word[16], hex[2 * sizeof key->secret + 1], rest;
    size_t bytes;
    if (sscanf(line, "%3u %15s %64s %c", &epoch, word, hex, &rest) != 3 || epoch > 255)
        return false;
    key->epoch = (uint8_t)epoch;
    key->state = state_of(word);
    bool ok = key->state != 0 && strlen(hex) == 2 * sizeof key->secret &&
              sodium_hex2bin(key->secret, sizeof key->secret, hex, strlen(hex), NULL, &bytes, NULL) == 0 && bytes == sizeof key->secret;
    sodium_memzero(hex, sizeof hex);
    return ok;
}

static int parse_text(const char *path, char *text, struct msk_keys *out, char *error, size_t error_bytes)
{
    unsigned number = 0;
    out->n = 0;
    for (char *line = text, *next; line; line = next) {
        number++;
        next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        line[strcspn(line, "#")] = '\0';
        if (line[strspn(line, " \t\r")] == '\0')
            continue;
        if (out->n == MSK_KEYS_MAX) {
            snprintf(error, error_bytes, "%s:%u: more than %d epochs", path, number, MSK_KEYS_MAX);
            return -EINVAL;
        }
        if (!parse_line(line, &out->keys[out->n++])) {
            snprintf(error, error_bytes, "%s:%u: not 'EPOCH added|current|retiring HEX64' (EPOCH 0 to 255, 64 hex digits)", path, number);
            return -EINVAL;
        }
    }
    const char *why = msk_keys_problem(out);
    if (why)
        snprintf(error, error_bytes, "%s: %s", path, why);
    return why ? -EINVAL : 0;
}

/* Open for reading only if nobody but the owner can read it. */
static int open_private(const char *path, char *error, size_t error_bytes)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) != 0) {
        int saved = errno;
        snprintf(error, error_bytes, "key file %s: %s", path, strerror(saved));
        if (fd >= 0)
            close(fd);
        return -saved;
    }
    const char *why = !S_ISREG(st.st_mode) ? "not a regular file" : st.st_mode & 077 ? "others can read it: chmod 600 it" : NULL;
    if (!why)
        return fd;
    snprintf(error, error_bytes, "key file %s: %s", path, why);
    close(fd);
    return S_ISREG(st.st_mode) ? -EPERM : -EINVAL;
}

int msk_keys_read(const char *path, struct msk_keys *out, char *error, size_t error_bytes)
{
    char text[KEY_FILE_BYTES_MAX + 1];
    int fd = open_private(path, error, error_bytes);
    if (fd < 0)
        return fd;
    ssize_t bytes = read(fd, text, sizeof text);
    int rc = bytes < 0 ? -errno : 0;
    close(fd);
    if (rc != 0) {
        snprintf(error, error_bytes, "key file %s: %s", path, strerror(-rc));
        return rc;
    }
    if (bytes > KEY_FILE_BYTES_MAX || memchr(text, '\0', (size_t)bytes)) {
        snprintf(error, error_bytes, "key file %s: not a key file (too long, or binary)", path);
        rc = -EINVAL;
    } else {
        text[bytes] = '\0';
        rc = parse_text(path, text, out, error, error_bytes);
    }
    sodium_memzero(text, sizeof text);
    if (rc != 0)
        sodium_memzero(out, sizeof *out);
    return rc;
}

int msk_keys_generate(const char *path, char *error, size_t error_bytes)
{
    struct msk_keys keys;
    char hex[2 * sizeof keys.keys[0].secret + 1], text[256];
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        int saved = errno;
        snprintf(error, error_bytes, "key file %s: %s", path, saved == EEXIST ? "exists already, and is never overwritten" : strerror(saved));
        return -saved;
    }
    msk_keys_random(&keys);
    sodium_bin2hex(hex, sizeof hex, keys.keys[0].secret, sizeof keys.keys[0].secret);
    int n = snprintf(text, sizeof text, "# Trickles keys, the same on every replica: EPOCH added|current|retiring HEX64\n%u current %s\n", keys.keys[0].epoch, hex);
    bool ok = write(fd, text, (size_t)n) == n && fsync(fd) == 0;
    int rc = ok ? 0 : errno ? -errno : -EIO;
    if (close(fd) != 0 && rc == 0)
        rc = -errno;
    sodium_memzero(&keys, sizeof keys);
    sodium_memzero(hex, sizeof hex);
    sodium_memzero(text, sizeof text);
    if (rc != 0) {
        snprintf(error, error_bytes, "key file %s: %s", path, strerror(-rc));
        unlink(path);
    }
    return rc;
}

void msk_keys_random(struct msk_keys *out)
{
    memset(out, 0, sizeof *out);
    out->n = 1;
    out->keys[0].epoch = 1;
    out->keys[0].state = MSK_KEY_CURRENT;
    randombytes_buf(out->keys[0].secret, sizeof out->keys[0].secret);
}
