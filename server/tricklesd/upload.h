/* upload.h - files that clients send, beneath one directory. While its bytes come in, in any order and through any replica, a file
 * has a name of its own in that directory; complete, it is renamed to its place at once. No state but these files. */
#ifndef TRICKLESD_UPLOAD_H
#define TRICKLESD_UPLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UPLOAD_NAME_BYTES 64
#define UPLOAD_KEPT_SECONDS 86400      /* what is left of an upload that nobody finished is deleted after so long without a byte */
#define UPLOAD_SHORT_SECONDS 600       /* the same while there are many of them */
#define UPLOAD_UNFINISHED_MAX 1024     /* at a time: who begins uploads and leaves them must not use up the disk's names */
#define UPLOAD_SWEEP_SECONDS 60

struct upload_place {
    int fd;                            /* the directory; -1: there are no uploads */
    unsigned unfinished;               /* files under way when they were last counted, and what this process did since */
    int64_t swept;                     /* when that was */
    int held;                          /* the file that was written last, until the round ends; -1: none */
    char held_name[UPLOAD_NAME_BYTES];
};

enum upload_result {
    UPLOAD_OK,
    UPLOAD_NO_DIRECTORY,               /* the path's directory is not there */
    UPLOAD_FORBIDDEN,                  /* no right, a directory, a link on the way, or the path leads outside */
    UPLOAD_FULL,                       /* no room on the disk, beyond a quota, or too many are under way */
    UPLOAD_GONE,                       /* nothing is kept under this name: never begun, deleted, or finished and replaced since */
    UPLOAD_FAILED,                     /* the system failed: errno */
};

/* -1 and errno. Deletes what is left of old uploads. */
int upload_open(struct upload_place *place, const char *directory);
void upload_close(struct upload_place *place);

/* The name of the upload whose first byte is input byte `offset` of a connection: the same for every replica, and nobody else's. */
void upload_name(const uint8_t connection[12], uint64_t offset, char out[UPLOAD_NAME_BYTES]);

/* Make room for `size` bytes that will become the file at path (as in file_open; no link is followed). *inode identifies the
 * upload, *replaces: there is a file at path now. Beginning it again changes nothing. */
enum upload_result upload_begin(struct upload_place *place, const char *name, const char *path, uint64_t size, uint64_t *inode, bool *replaces);
/* The file stays open until upload_round: what comes in one round is mostly of one upload. */
enum upload_result upload_write(struct upload_place *place, const char *name, uint64_t at, const uint8_t *data, size_t n);
/* All is written: the file is at path from now on. Finishing it again changes nothing. FAILED also if bytes are missing. */
enum upload_result upload_finish(struct upload_place *place, const char *name, const char *path, uint64_t size, uint64_t inode);
void upload_forget(struct upload_place *place, const char *name);
/* Everything that came in together is written: files are looked for anew, as other replicas finish and delete them. */
void upload_round(struct upload_place *place);

#endif
